-- Which of the spec's secrets are there; their values stay where they are.
select coalesce(jsonb_agg(s.name order by s.name), '[]')::text from vault.secrets s where s.name = any({names}::text[])

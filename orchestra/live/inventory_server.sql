select exists (select from pg_catalog.pg_roles where rolname = 'supabase_admin') as supabase,
       array(select nspname::text from pg_catalog.pg_namespace) as schemas,
       (select jsonb_object_agg(e.extname, n.nspname)
        from pg_catalog.pg_extension e
        join pg_catalog.pg_namespace n on n.oid = e.extnamespace) as extensions

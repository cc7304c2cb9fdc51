-- Documents, their embeddings, and a model that fits into SQL: feature hashing. Each word falls into one of 64
-- buckets by its hash, with a sign of its own; the vector is then brought to length 1, so that the product of two
-- vectors is the cosine of their angle. No extension is needed; with pgvector the column would be vector(64).
create table if not exists public.documents (
  id bigint primary key,
  title text not null,
  body text not null,
  read_count int not null default 0
);

create table if not exists public.document_embeddings (
  document_id bigint primary key references public.documents (id) on delete cascade,
  embedding float4[] not null check (cardinality(embedding) = 64),
  embedded_at timestamptz not null default now()
);

create or replace function public.embed(content text) returns float4[]
language sql immutable set search_path = ''
as $$
  with word as (
    select ('x' || substr(md5(w.word), 1, 8))::bit(32)::int as hash
    from regexp_split_to_table(lower(content), '[^[:alnum:]]+') w(word)
    where w.word <> ''
  ),
  bucket as (
    select b.i, coalesce(sum(case h.hash & 64 when 0 then 1.0 when 64 then -1.0 end), 0)::float8 as weight
    from generate_series(0, 63) b(i)
    left join word h on h.hash & 63 = b.i
    group by b.i
  )
  select array_agg((b.weight / greatest(n.length, 1e-9))::float4 order by b.i)
  from bucket b, (select sqrt(sum(weight * weight)) as length from bucket) n;
$$;

create or replace function public.search_documents(query text, at_most int default 5)
returns table (id bigint, title text, similarity float4)
language sql stable set search_path = ''
as $$
  select d.id, d.title, s.similarity::float4
  from public.document_embeddings e
  join public.documents d on d.id = e.document_id
  cross join lateral (
    select sum(v.a * v.b) as similarity from unnest(e.embedding, public.embed(query)) v(a, b)
  ) s
  order by s.similarity desc, d.id
  limit at_most;
$$;

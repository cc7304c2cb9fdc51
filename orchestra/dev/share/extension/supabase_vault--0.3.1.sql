-- Stand-in for supabase_vault 0.3.1: the same tables and functions. It does NOT encrypt: `secret` is only encoded.
\echo Use "CREATE EXTENSION supabase_vault" to load this file. \quit

create function vault._crypto_aead_det_encrypt(
    message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
) returns bytea
    language sql immutable as $$ select message $$;

create function vault._crypto_aead_det_decrypt(
    message bytea, additional bytea, key_id bigint, context bytea default 'pgsodium', nonce bytea default null
) returns bytea
    language sql immutable as $$ select message $$;

create function vault._crypto_aead_det_noncegen() returns bytea
    language sql immutable as $$ select uuid_send(gen_random_uuid()) $$;

create table vault.secrets (
    id uuid primary key default gen_random_uuid(),
    name text,
    description text not null default '',
    secret text not null,
    key_id uuid,
    nonce bytea default vault._crypto_aead_det_noncegen(),
    created_at timestamptz not null default current_timestamp,
    updated_at timestamptz not null default current_timestamp
);
comment on table vault.secrets is 'Table with encrypted `secret` column for storing sensitive information on disk.';
create unique index on vault.secrets using btree (name) where name is not null;

create view vault.decrypted_secrets as
    select s.id, s.name, s.description, s.secret,
           convert_from(vault._crypto_aead_det_decrypt(
               message => decode(s.secret, 'base64'), additional => convert_to(s.id::text, 'utf8'), key_id => 0,
               context => 'pgsodium'::bytea, nonce => s.nonce), 'utf8') as decrypted_secret,
           s.key_id, s.nonce, s.created_at, s.updated_at
      from vault.secrets s;

create function vault.create_secret(
    new_secret text, new_name text default null, new_description text default '', new_key_id uuid default null
) returns uuid
    language plpgsql set search_path = ''
as $$
declare
    new_id uuid := gen_random_uuid();
    new_nonce bytea := vault._crypto_aead_det_noncegen();
begin
    insert into vault.secrets (id, secret, name, description, nonce)
    values (new_id, encode(vault._crypto_aead_det_encrypt(
                message => convert_to(new_secret, 'utf8'), additional => convert_to(new_id::text, 'utf8'), key_id => 0,
                context => 'pgsodium'::bytea, nonce => new_nonce), 'base64'),
            new_name, new_description, new_nonce);
    return new_id;
end
$$;

create function vault.update_secret(
    secret_id uuid, new_secret text default null, new_name text default null, new_description text default null,
    new_key_id uuid default null
) returns void
    language plpgsql set search_path = ''
as $$
begin
    update vault.secrets s
       set secret = coalesce(encode(vault._crypto_aead_det_encrypt(
               message => convert_to(new_secret, 'utf8'), additional => convert_to(s.id::text, 'utf8'), key_id => 0,
               context => 'pgsodium'::bytea, nonce => s.nonce), 'base64'), s.secret),
           name = coalesce(new_name, s.name),
           description = coalesce(new_description, s.description),
           updated_at = now()
     where s.id = secret_id;
end
$$;

select pg_catalog.pg_extension_config_dump('vault.secrets', '');

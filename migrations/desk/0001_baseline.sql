-- What proves API keys (docs/adr/0006). A secret is kept as an argon2id hash, never as itself. What a key may do, for
-- whom and until when is said by the events of its stream, which name a secret by a digest of its hash.
create table api_key_secrets (
  key_id     text        not null,
  hash       text        not null,
  sieve      smallint    not null,
  created_at timestamptz not null,
  constraint api_key_secrets_pkey primary key (key_id, hash)
);

comment on column api_key_secrets.sieve is
  'the first 16 bits of SHA-256 over the hash and the secret: they tell almost every wrong secret without argon2id';

-- Hands out #1, #2, #3 … without a lock; what makes a number unique is the alias taken with it.
create sequence ticket_numbers as bigint;

-- The program works as a role of its own that may add to the log, and neither change nor remove
-- what is in it. Who migrates owns the tables; who serves gives up that ownership (`set role`).
-- Where the migrating role may not create roles, an administrator can do this later; the triggers
-- on `events` refuse changes either way.
do $$
begin
  if not exists (select from pg_roles where rolname = 'docket_program') then
    create role docket_program nologin;
  end if;
  -- also for the role's creator: since PostgreSQL 16 that alone does not let it `set role`
  execute format('grant docket_program to %I', current_user);
exception
  when duplicate_object or unique_violation then null; -- another database's migration was faster
  when insufficient_privilege then
    raise notice 'role docket_program can''t be had: the program keeps the rights of %', current_user;
end
$$;

do $$
begin
  if exists (select from pg_roles where rolname = 'docket_program') then
    execute format('grant usage on schema %I to docket_program', current_schema());
    grant select, insert on events to docket_program;
    grant select on installation to docket_program;
    grant select, insert, delete on aliases to docket_program;
    grant select, insert, delete on receipts, snapshots to docket_program;
    grant update on receipts to docket_program; -- `for update` while expiring old ones
    grant select, insert on api_key_secrets to docket_program;
    grant usage, select, update on sequence ticket_numbers to docket_program;
  end if;
end
$$;

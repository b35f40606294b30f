-- Who may call (docs/adr/0006). A secret is kept as an argon2id hash, never as itself.
create table api_keys (
  id         text        not null,
  role       text        not null,
  name       text        not null,
  actor      text        not null,
  teams      text[]      not null,
  hash       text        not null,
  sieve      smallint,
  created_at timestamptz not null,
  revoked_at timestamptz,
  constraint api_keys_pkey primary key (id),
  constraint api_keys_role_check check (role in ('requester', 'agent', 'lead', 'admin'))
);

comment on column api_keys.actor is 'as whom its owner acts: an agent''s id, a requester''s address';

comment on column api_keys.sieve is
  'the first 16 bits of SHA-256 over the hash and the secret: they tell almost every wrong secret without argon2id';

create index api_keys_actor_idx on api_keys (actor);

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
    grant select, insert, update on api_keys to docket_program;
    grant usage, select, update on sequence ticket_numbers to docket_program;
  end if;
end
$$;

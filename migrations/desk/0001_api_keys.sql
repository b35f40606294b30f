-- Who may call (docs/adr/0006). A secret is kept as an argon2id hash, never as itself.
create table api_keys (
  id         text        not null,
  role       text        not null,
  name       text        not null,
  actor      text        not null,
  teams      text[]      not null,
  hash       text        not null,
  created_at timestamptz not null,
  revoked_at timestamptz,
  constraint api_keys_pkey primary key (id),
  constraint api_keys_role_check check (role in ('requester', 'agent', 'lead', 'admin'))
);

comment on column api_keys.actor is 'as whom its owner acts: an agent''s id, a requester''s address';

create index api_keys_actor_idx on api_keys (actor);

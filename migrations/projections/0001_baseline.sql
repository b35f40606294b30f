-- What is derived from the log, and can be thrown away. The tables of a read model carry the number
-- of their generation (`tickets_3`) and are made by the program; here is what keeps account of them.
create schema if not exists read_models;

create table read_models.generations (
  name              text        not null,
  generation        int         not null,
  schema_version    int         not null,
  state             text        not null,
  started_at        timestamptz not null,
  live_at           timestamptz,
  events_per_second double precision,
  comparison        text,
  constraint generations_pkey primary key (name, generation),
  constraint generations_state_check check (state in ('building', 'live', 'retired'))
);

comment on column read_models.generations.comparison is 'how it compared with the one before it, when it took its place';

-- one serves, and one at the most is being filled
create unique index generations_live_key on read_models.generations (name) where state = 'live';
create unique index generations_building_key on read_models.generations (name) where state = 'building';

-- Streams that a projection passes over, because an event of theirs could not be applied (docs/adr/0016).
create table read_models.parked (
  projection text        not null,
  generation int         not null,
  stream_id  uuid        not null,
  position   bigint      not null,
  version    bigint      not null,
  error      text        not null,
  since      timestamptz not null,
  constraint parked_pkey primary key (projection, generation, stream_id)
);

-- Events that somebody has decided to leave out. They outlive generations: a rebuild leaves them out too.
create table read_models.skips (
  projection text        not null,
  position   bigint      not null,
  stream_id  uuid        not null,
  reason     text        not null,
  skipped_by text        not null,
  skipped_at timestamptz not null,
  constraint skips_pkey primary key (projection, position)
);

-- What an operator asks of a projection's leader, and what came of it.
create table read_models.requests (
  id           bigint      not null generated always as identity,
  projection   text        not null,
  action       text        not null,
  stream_id    uuid        not null,
  reason       text,
  requested_by text        not null,
  requested_at timestamptz not null,
  done_at      timestamptz,
  healed       boolean,
  outcome      text,
  constraint requests_pkey primary key (id),
  constraint requests_action_check check (action in ('retry', 'skip'))
);

create index requests_waiting_idx on read_models.requests (projection, id) where done_at is null;

-- What proves that a cursor of a list is one that we gave out: the same for all instances.
create table read_models.secrets (
  name   text  not null,
  secret bytea not null,
  constraint secrets_pkey primary key (name)
);

-- The words of several texts, one after the other.
create aggregate read_models.tsvector_sum (tsvector) (sfunc = tsvector_concat, stype = tsvector);

-- The program makes, fills and drops the tables of generations itself; they belong to its role.
do $$
begin
  if exists (select from pg_roles where rolname = 'docket_program') then
    grant usage, create on schema read_models to docket_program;
    grant select, insert, update, delete on all tables in schema read_models to docket_program;
    grant select, insert, update, delete on checkpoints to docket_program;
  end if;
end
$$;

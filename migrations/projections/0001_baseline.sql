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

-- Timers whose command was refused or failed: they are issued again later, and hold up no others (docs/adr/0039).
create table read_models.timer_backoffs (
  stream_id uuid        not null,
  kind      text        not null,
  set_by    bigint      not null,
  attempts  int         not null,
  outcome   text        not null,
  reason    text        not null,
  since     timestamptz not null,
  retry_at  timestamptz not null,
  constraint timer_backoffs_pkey primary key (stream_id, kind, set_by),
  constraint timer_backoffs_outcome_check check (outcome in ('refused', 'failed'))
);

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
  end if;
end
$$;

-- What subscriptions keep beside their checkpoints (docs/adr/0016). Run it after the migrations that make the program's role.
create schema if not exists subscriptions;

-- Streams that a subscription passes over, because an event of theirs could not be applied. The row is the stream's own
-- checkpoint: a repair goes on from there.
create table subscriptions.parked (
  checkpoint text        not null,
  stream_id  uuid        not null,
  position   bigint      not null,
  version    bigint      not null,
  error      text        not null,
  since      timestamptz not null,
  constraint parked_pkey primary key (checkpoint, stream_id)
);

comment on column subscriptions.parked.checkpoint is
  'the name in checkpoints; a read model has one for each generation (tickets@3)';

-- Events that an operator has decided to leave out. They hold for every checkpoint of the subscription: a rebuild leaves
-- them out, too.
create table subscriptions.skips (
  subscription text        not null,
  position     bigint      not null,
  stream_id    uuid        not null,
  reason       text        not null,
  skipped_by   text        not null,
  skipped_at   timestamptz not null,
  constraint skips_pkey primary key (subscription, position)
);

-- What an operator asks of a subscription's leader, and the outcome.
create table subscriptions.requests (
  id           bigint      not null generated always as identity,
  subscription text        not null,
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

create index requests_waiting_idx on subscriptions.requests (subscription, id) where done_at is null;

do $$
begin
  if exists (select from pg_roles where rolname = 'docket_program') then
    grant usage on schema subscriptions to docket_program;
    grant select, insert, update, delete on all tables in schema subscriptions to docket_program;
    grant select, insert, update, delete on checkpoints to docket_program;
  end if;
end
$$;

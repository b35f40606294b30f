-- The log. One table is the truth, and it is also the outbox.
create table events (
  position       bigint      not null,
  stream_id      uuid        not null,
  stream_type    text        not null,
  version        bigint      not null,
  type           text        not null,
  schema_version smallint    not null,
  payload        json        not null,
  metadata       json        not null,
  occurred_at    timestamptz not null,
  recorded_at    timestamptz not null,
  constraint events_pkey primary key (position),
  -- an append asks for a stream's last version, its time and its type: an index-only scan answers, so that the row of an old
  -- stream's last event, which may lie anywhere in a large log, is not looked for
  constraint events_stream_version_key unique (stream_id, version) include (occurred_at, stream_type),
  constraint events_position_check check (position > 0),
  constraint events_version_check check (version > 0)
);

comment on table events is 'append-only: update, delete and truncate are refused';
comment on column events.position is '1, 2, 3 …: gapless, in commit order';
comment on column events.stream_type is 'the same for all events of a stream';
comment on column events.version is '1, 2, 3 … within the stream';
comment on column events.type is 'begins with the stream type and a dot';
comment on column events.payload is 'json, not jsonb: the exact bytes stay';
comment on column events.occurred_at is 'when it happened; never backwards within a stream';
comment on column events.recorded_at is 'when the log took it; never backwards along position';

-- the function stands in sql/eventstore_refuse_change.sql, which is installed before this file is run
create trigger events_refuse_change
  before update or delete on events
  for each row execute function eventstore_refuse_change();

create trigger events_refuse_truncate
  before truncate on events
  for each statement execute function eventstore_refuse_change();

-- also in a session that replays replication (session_replication_role = replica)
alter table events enable always trigger events_refuse_change;
alter table events enable always trigger events_refuse_truncate;

-- What a caller's idempotency key has already done. Written in the append's own statement,
-- so that a crash can't part a receipt from its events.
create table receipts (
  caller      text        not null,
  key         text        not null,
  fingerprint bytea       not null,
  stream_id   uuid        not null,
  version     bigint      not null,
  position    bigint      not null,
  status      smallint    not null,
  permanent   boolean     not null,
  has_events  boolean     not null,
  recorded_at timestamptz not null,
  constraint receipts_pkey primary key (caller, key)
);

comment on column receipts.permanent is 'never expires';
comment on column receipts.has_events is
  'whether the event at this position is the command''s own; if not, it changed nothing, and that is the last event it found';

-- for the removal of old ones
create index receipts_recorded_at_idx on receipts (recorded_at) where not permanent;

-- A second, unique name of a stream ('#1042', the id of the mail that opened it), taken and released in the
-- statement that appends the events which say so.
create table aliases (
  scope     text not null,
  name      text not null,
  stream_id uuid not null,
  constraint aliases_pkey primary key (scope, name)
);

-- for the audit, which asks what a stream holds
create index aliases_stream_id_idx on aliases (stream_id);

-- A folded state at a version: a shortcut for long streams, never the truth. One of another
-- schema version is ignored.
create table snapshots (
  stream_id      uuid     not null,
  schema_version smallint not null,
  version        bigint   not null,
  state          json     not null,
  constraint snapshots_pkey primary key (stream_id, schema_version, version)
);

-- How far a subscription has read the log. Moved in the transaction that holds the effect of the events.
create table checkpoints (
  name       text        not null,
  position   bigint      not null,
  updated_at timestamptz not null,
  constraint checkpoints_pkey primary key (name)
);

-- A unit that its receipt had already recorded.
create type eventstore_replay as (
  unit        int,
  fingerprint bytea,
  stream_id   uuid,
  version     bigint,
  position    bigint,
  status      smallint
);

-- A unit that takes an alias which another stream holds, or releases one that its stream does not hold.
create type eventstore_alias_holder as (
  unit      int,
  scope     text,
  stream_id uuid
);

-- Tells this log from any other: one row, written here.
create table installation (
  id        uuid    not null default gen_random_uuid(),
  singleton boolean not null default true,
  constraint installation_pkey primary key (singleton),
  constraint installation_singleton_check check (singleton)
);

insert into installation default values;

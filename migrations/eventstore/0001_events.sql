-- The log. One table is the truth, and it is also the outbox (docs/adr/0002).
create table events (
  position       bigint      not null,
  stream_id      uuid        not null,
  version        bigint      not null,
  type           text        not null,
  schema_version smallint    not null,
  payload        json        not null,
  metadata       json        not null,
  occurred_at    timestamptz not null,
  recorded_at    timestamptz not null,
  constraint events_pkey primary key (position),
  constraint events_stream_version_key unique (stream_id, version),
  constraint events_position_check check (position > 0),
  constraint events_version_check check (version > 0)
);

comment on table events is 'append-only: update, delete and truncate are refused';
comment on column events.position is '1, 2, 3 …: gapless, in commit order';
comment on column events.version is '1, 2, 3 … within the stream';
comment on column events.payload is 'json, not jsonb: the exact bytes stay';
comment on column events.occurred_at is 'when it happened; never backwards within a stream';
comment on column events.recorded_at is 'when the log took it; never backwards along position';

create function eventstore_refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception 'events are append-only: % is refused', lower(tg_op)
    using errcode = 'restrict_violation',
          hint = 'record a new event that corrects the old one';
end
$$;

create trigger events_refuse_change
  before update or delete on events
  for each row execute function eventstore_refuse_change();

create trigger events_refuse_truncate
  before truncate on events
  for each statement execute function eventstore_refuse_change();

-- also in a session that replays replication (session_replication_role = replica)
alter table events enable always trigger events_refuse_change;
alter table events enable always trigger events_refuse_truncate;

-- The one lock of the log: who holds it gives the next positions.
create function eventstore_lock() returns bigint
language sql immutable parallel safe
return 7237954691482214515; -- 'dockevts' read as a number

-- A unit that its receipt had already recorded.
create type eventstore_replay as (
  unit        int,
  fingerprint bytea,
  stream_id   uuid,
  version     bigint,
  position    bigint,
  status      smallint
);

-- A unit that wanted an alias which another stream holds.
create type eventstore_taken as (
  unit      int,
  scope     text,
  stream_id uuid
);

-- Appends one batch of units in one statement and one transaction (docs/adr/0002).
--
-- A unit is what one command records: events of one or more streams, accepted or refused whole.
-- The caller gives parallel arrays; unit and stream entries are numbered from 1:
--   stream_*  one entry a (unit, stream): the stream, and the version it must be at (null: any)
--   event_*   one entry an event, in order: the stream entry it belongs to, and its content
--   receipt_* one entry a unit that carries an idempotency key
--   alias_*   one entry an alias to be taken
-- A batch holds at most one unit a stream, a receipt key, an alias.
--
-- The lock is a statement of its own and the first: under READ COMMITTED every later statement
-- has a snapshot taken after it, and so sees what the lock's last holder committed.
create function eventstore_append(
  unit_metadata       text[],
  stream_unit         int[],
  stream_ids          uuid[],
  stream_expected     bigint[],
  event_stream        int[],
  event_type          text[],
  event_schema        smallint[],
  event_payload       text[],
  event_occurred_at   timestamptz[],
  receipt_unit        int[],
  receipt_caller      text[],
  receipt_key         text[],
  receipt_fingerprint bytea[],
  receipt_status      smallint[],
  alias_unit          int[],
  alias_stream        int[],
  alias_scope         text[],
  alias_name          text[],
  out head            bigint,      -- the last position before this batch
  out recorded_at     timestamptz,
  out versions        bigint[],    -- a stream entry's version before this batch
  out refused         int[],       -- units refused for whatever reason; null: none
  out replayed        eventstore_replay[],
  out taken           eventstore_taken[],
  out backwards       int[]        -- units whose time lies before their stream's last event
)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
  head_time  timestamptz;
  last_times timestamptz[];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'eventstore_append needs READ COMMITTED, not %',
      upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state';
  end if;
  perform pg_advisory_xact_lock(eventstore_lock());

  select e.position, e.recorded_at into head, head_time
    from events e order by e.position desc limit 1;
  head := coalesce(head, 0);
  recorded_at := greatest(clock_timestamp(), head_time);

  select array_agg(coalesce(last.version, 0) order by s.entry),
         array_agg(last.occurred_at order by s.entry)
    into versions, last_times
    from unnest(stream_ids) with ordinality s (id, entry)
    left join lateral (
      select e.version, e.occurred_at from events e
       where e.stream_id = s.id order by e.version desc limit 1
    ) last on true;

  -- who must be refused? usually nobody
  if cardinality(receipt_unit) > 0 then
    select array_agg((r.unit, found.*)::eventstore_replay) into replayed
      from unnest(receipt_unit, receipt_caller, receipt_key) r (unit, caller, key)
      cross join lateral (
        select f.fingerprint, f.stream_id, f.version, f.position, f.status
          from receipts f where f.caller = r.caller and f.key = r.key limit 1
      ) found;
    refused := array(select (r).unit from unnest(replayed) r);
  end if;
  if cardinality(alias_unit) > 0 then
    select array_agg((a.unit, a.scope, found.stream_id)::eventstore_taken) into taken
      from unnest(alias_unit, alias_scope, alias_name) a (unit, scope, name)
      cross join lateral (
        select t.stream_id from aliases t where t.scope = a.scope and t.name = a.name limit 1
      ) found;
    refused := refused || array(select (t).unit from unnest(taken) t);
  end if;
  refused := refused || array(
    select s.unit from unnest(stream_unit, stream_expected, versions) s (unit, expected, version)
     where s.expected <> s.version);
  backwards := array(
    select stream_unit[e.stream] from unnest(event_stream, event_occurred_at) e (stream, occurred_at)
     where e.occurred_at < last_times[e.stream]);
  refused := refused || backwards;

  if cardinality(refused) = 0 then
    refused := null;
    insert into events
    select head + e.entry,
           stream_ids[e.stream],
           versions[e.stream] + row_number() over (partition by e.stream order by e.entry),
           e.type, e.schema, e.payload::json, unit_metadata[stream_unit[e.stream]]::json,
           e.occurred_at, eventstore_append.recorded_at
      from unnest(event_stream, event_type, event_schema, event_payload, event_occurred_at)
           with ordinality e (stream, type, schema, payload, occurred_at, entry);
  else
    insert into events
    select head + row_number() over (order by e.entry),
           stream_ids[e.stream],
           versions[e.stream] + row_number() over (partition by e.stream order by e.entry),
           e.type, e.schema, e.payload::json, unit_metadata[stream_unit[e.stream]]::json,
           e.occurred_at, eventstore_append.recorded_at
      from unnest(event_stream, event_type, event_schema, event_payload, event_occurred_at)
           with ordinality e (stream, type, schema, payload, occurred_at, entry)
     where stream_unit[e.stream] <> all (refused);
  end if;

  if cardinality(alias_unit) > 0 then
    insert into aliases
    select a.scope, a.name, stream_ids[a.stream]
      from unnest(alias_unit, alias_stream, alias_scope, alias_name) a (unit, stream, scope, name)
     where refused is null or a.unit <> all (refused);
  end if;

  -- a receipt points at the last event of its unit's first stream
  if cardinality(receipt_unit) > 0 then
    insert into receipts
    select r.caller, r.key, r.fingerprint, first.stream_id, last.version, last.position, r.status,
           eventstore_append.recorded_at
      from unnest(receipt_unit, receipt_caller, receipt_key, receipt_fingerprint, receipt_status)
           r (unit, caller, key, fingerprint, status)
      cross join lateral (
        select s.stream_id from unnest(stream_unit, stream_ids) with ordinality s (unit, stream_id, entry)
         where s.unit = r.unit order by s.entry limit 1
      ) first
      cross join lateral (
        select e.version, e.position from events e
         where e.stream_id = first.stream_id order by e.version desc limit 1
      ) last
     where refused is null or r.unit <> all (refused);
  end if;
end
$$;

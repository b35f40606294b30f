-- Appends one batch of units in one statement and one transaction.
--
-- A unit is what one command records: events of one or more streams, accepted or refused as a whole.
-- The caller gives parallel arrays; units and stream entries are numbered from 1:
--   stream_*  one entry for each (unit, stream): the stream, its type, and the version it must be at (null: any)
--   event_*   one entry for each event, in order: the stream entry it belongs to, and its content
--   demand_*  one entry for each stream that must be at a version and is not appended to
--   receipt_* one entry for each unit that carries an idempotency key
--   alias_*   one entry for each alias to be taken
--   release_* one entry for each alias to be released
--
-- Everything is judged against the log before this batch. That is each unit's own place in the log, because the caller puts
-- no two units that append to one stream into a batch, and no unit that demands a stream after one that appends to it.
--
-- The caller may know streams that it has written to itself. The version at which it knows a stream is believed if the log
-- still ends where it ended then: nobody has appended since. Other streams are looked for.
-- The arrays of events are counted through, not unnested: `unnest` copies each element once more.
create or replace function eventstore_append(
  known_position      bigint,      -- where the log ended when the caller appended last, and when that was; null: not known
  known_recorded_at   timestamptz,
  stream_unit         int[],
  stream_ids          uuid[],
  stream_type         text[],
  stream_expected     bigint[],
  stream_known        bigint[],    -- its version there, if that is what is expected, its time not later, and its type the same; null: look
  stream_events       int[],       -- how many events each stream entry gets
  stream_last         int[],       -- which of all the events is its last; 0: none
  event_stream        int[],
  event_step          int[],       -- 1, 2, 3 … in its stream entry
  event_type          text[],
  event_schema        smallint[],
  event_payload       json[],
  event_metadata      json[],
  event_occurred_at   timestamptz[],
  demand_unit         int[],
  demand_stream       uuid[],
  demand_version      bigint[],
  receipt_unit        int[],
  receipt_stream      int[],       -- the stream entry whose last event it points at
  receipt_caller      text[],
  receipt_key         text[],
  receipt_fingerprint bytea[],
  receipt_status      smallint[],
  receipt_permanent   boolean[],
  alias_unit          int[],
  alias_stream        int[],
  alias_scope         text[],
  alias_name          text[],
  release_unit        int[],
  release_stream      uuid[],
  release_scope       text[],
  release_name        text[],
  out head            bigint,      -- the last position before this batch
  out known           boolean,     -- whether that is where the caller knew it to end
  out recorded_at     timestamptz,
  out versions        bigint[],    -- a stream entry's version before this batch
  out types           text[],      -- a stream entry's type before this batch; null: no type was in doubt
  out demanded        bigint[],    -- a demand's version before this batch; null: all hold
  out refused         int[],       -- units refused for whatever reason; null: none
  out replayed        eventstore_replay[],
  out taken           eventstore_alias_holder[],
  out unheld          eventstore_alias_holder[],
  out backwards       int[]        -- units whose time lies before their stream's last event
)
language plpgsql
set plan_cache_mode = force_generic_plan
as $$
declare
  head_time  timestamptz;
  last_times timestamptz[];
  doubtful   boolean;              -- whether anybody may have to be refused for a version, a type or a time
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'eventstore_append needs READ COMMITTED, not %',
      upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state';
  end if;
  perform pg_advisory_xact_lock(eventstore_lock());

  -- where all is known only the end of the log is looked at
  if array_position(stream_known, null) is null then
    select e.position, e.recorded_at, e.position = known_position and e.recorded_at = known_recorded_at
      into head, head_time, known
      from events e order by e.position desc limit 1;
  end if;
  if known then
    versions := stream_known;
    doubtful := false;
  else
    with newest as materialized (
      select e.position, e.recorded_at, e.position = known_position and e.recorded_at = known_recorded_at as known
        from events e order by e.position desc limit 1)
    select coalesce(newest.position, 0), newest.recorded_at, coalesce(newest.known, false),
           streams.versions, streams.times, streams.doubtful
      into head, head_time, known, versions, last_times, doubtful
      from (select array_agg(s.version order by s.entry) as versions, array_agg(s.occurred_at order by s.entry) as times,
                   bool_or(s.version <> stream_expected[s.entry] or
                           s.type <> eventstore_append.stream_type[s.entry] or
                           s.occurred_at > event_occurred_at[nullif(stream_last[s.entry], 0) - stream_events[s.entry] + 1])
                     as doubtful
              from (select n as entry, last.occurred_at, last.stream_type as type,
                           coalesce(last.version, case when newest.known then stream_known[n] end, 0) as version
                      from generate_series(1, cardinality(stream_ids)) n
                      left join newest on true
                      left join lateral (
                        select e.version, e.occurred_at, e.stream_type from events e
                         where (stream_known[n] is null or newest.known is not true)
                           and e.stream_id = stream_ids[n] and e.version >= coalesce(stream_expected[n], 0)
                         order by e.version desc limit 1
                      ) last on true) s) streams
      left join newest on true;
  end if;
  recorded_at := greatest(clock_timestamp(), head_time);

  if doubtful then
    -- in a stream that is shorter than was expected nothing was found yet
    versions := array(
      select coalesce(nullif(s.version, 0),
                      (select e.version from events e where e.stream_id = s.id order by e.version desc limit 1), 0)
        from unnest(stream_ids, versions) with ordinality s (id, version, entry)
       order by s.entry);
    types := array(
      select (select e.stream_type from events e where e.stream_id = s.id order by e.version desc limit 1)
        from unnest(stream_ids) with ordinality s (id, entry)
       order by s.entry);
    backwards := array(
      select stream_unit[e.stream] from unnest(event_stream, event_occurred_at) e (stream, occurred_at)
       where e.occurred_at < last_times[e.stream]);
    refused := backwards || array(
      select s.unit from unnest(stream_unit, stream_expected, versions) s (unit, expected, version)
       where s.expected <> s.version) || array(
      select s.unit from unnest(stream_unit, eventstore_append.stream_type, types) s (unit, given, type)
       where s.given <> s.type);
  else
    refused := '{}';
  end if;

  if cardinality(demand_unit) > 0 then
    demanded := array(
      select coalesce((select e.version from events e where e.stream_id = d.stream order by e.version desc limit 1), 0)
        from unnest(demand_stream) with ordinality d (stream, entry)
       order by d.entry);
    if demanded = demand_version then
      demanded := null;
    else
      refused := refused || array(
        select d.unit from unnest(demand_unit, demand_version, demanded) d (unit, demand, version)
         where d.demand <> d.version);
    end if;
  end if;

  if cardinality(release_unit) > 0 then
    select array_agg((r.unit, r.scope, a.stream_id)::eventstore_alias_holder) into unheld
      from unnest(release_unit, release_stream, release_scope, release_name) r (unit, stream, scope, name)
      left join aliases a on a.scope = r.scope and a.name = r.name
     where a.stream_id is distinct from r.stream;
    refused := refused || array(select (r).unit from unnest(unheld) r);
  end if;

  -- Usually nobody is refused. Whether a receipt or an alias is there already is found out by
  -- writing it: to look first would cost as much again.
  if cardinality(refused) = 0 then
    begin
      insert into events
      select head + n, stream_ids[event_stream[n]], eventstore_append.stream_type[event_stream[n]],
             versions[event_stream[n]] + event_step[n], event_type[n], event_schema[n],
             event_payload[n], event_metadata[n], event_occurred_at[n], eventstore_append.recorded_at
        from generate_series(1, cardinality(event_stream)) n;
      if cardinality(release_unit) > 0 then
        delete from aliases a using unnest(release_scope, release_name) r (scope, name)
         where a.scope = r.scope and a.name = r.name;
      end if;
      if cardinality(alias_unit) > 0 then
        insert into aliases
        select a.scope, a.name, stream_ids[a.stream]
          from unnest(alias_stream, alias_scope, alias_name) a (stream, scope, name);
      end if;
      if cardinality(receipt_unit) > 0 then
        insert into receipts
        select r.caller, r.key, r.fingerprint, stream_ids[r.stream], versions[r.stream] + stream_events[r.stream],
               -- one without events points at the stream's last
               coalesce(head + nullif(stream_last[r.stream], 0),
                        (select e.position from events e
                          where e.stream_id = stream_ids[r.stream] and e.version = versions[r.stream])),
               r.status, r.permanent, stream_last[r.stream] > 0, eventstore_append.recorded_at
          from unnest(receipt_stream, receipt_caller, receipt_key, receipt_fingerprint, receipt_status, receipt_permanent)
               r (stream, caller, key, fingerprint, status, permanent);
      end if;
      refused := null;
      return;
    exception when unique_violation or not_null_violation then
      -- somebody must be refused, or a receipt points at nothing: nothing was written, below it is found out who
      null;
    end;
  end if;

  if cardinality(receipt_unit) > 0 then
    select array_agg((r.unit, found.*)::eventstore_replay) into replayed
      from unnest(receipt_unit, receipt_caller, receipt_key) r (unit, caller, key)
      cross join lateral (
        select f.fingerprint, f.stream_id, f.version, f.position, f.status
          from receipts f where f.caller = r.caller and f.key = r.key limit 1
      ) found;
    refused := refused || array(select (r).unit from unnest(replayed) r);
  end if;
  if cardinality(alias_unit) > 0 then
    select array_agg((a.unit, a.scope, found.stream_id)::eventstore_alias_holder) into taken
      from unnest(alias_unit, alias_scope, alias_name) a (unit, scope, name)
      cross join lateral (
        select t.stream_id from aliases t where t.scope = a.scope and t.name = a.name limit 1
      ) found
      -- what the unit itself releases is free for it
     where not exists (select from unnest(release_unit, release_scope, release_name) r (unit, scope, name)
                        where r.unit = a.unit and r.scope = a.scope and r.name = a.name);
    refused := refused || array(select (t).unit from unnest(taken) t);
  end if;

  -- a unit is refused as a whole, so that what is left of a stream entry keeps its steps
  insert into events
  select head + row_number() over (order by n), stream_ids[event_stream[n]], eventstore_append.stream_type[event_stream[n]],
         versions[event_stream[n]] + event_step[n], event_type[n], event_schema[n], event_payload[n], event_metadata[n],
         event_occurred_at[n], eventstore_append.recorded_at
    from generate_series(1, cardinality(event_stream)) n
   where stream_unit[event_stream[n]] <> all (refused);

  if cardinality(release_unit) > 0 then
    delete from aliases a using unnest(release_unit, release_scope, release_name) r (unit, scope, name)
     where a.scope = r.scope and a.name = r.name and r.unit <> all (refused);
  end if;
  if cardinality(alias_unit) > 0 then
    insert into aliases
    select a.scope, a.name, stream_ids[a.stream]
      from unnest(alias_unit, alias_stream, alias_scope, alias_name) a (unit, stream, scope, name)
     where a.unit <> all (refused);
  end if;

  -- one that points at nothing is not kept
  if cardinality(receipt_unit) > 0 then
    insert into receipts
    select r.caller, r.key, r.fingerprint, stream_ids[r.stream], last.version, last.position, r.status, r.permanent,
           stream_last[r.stream] > 0, eventstore_append.recorded_at
      from unnest(receipt_unit, receipt_stream, receipt_caller, receipt_key, receipt_fingerprint, receipt_status, receipt_permanent)
           r (unit, stream, caller, key, fingerprint, status, permanent)
      cross join lateral (
        select e.version, e.position from events e
         where e.stream_id = stream_ids[r.stream] order by e.version desc limit 1
      ) last
     where r.unit <> all (refused);
  end if;
end
$$;

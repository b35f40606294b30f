-- An append asks for a stream's last version, and when that happened. The index says both now, so that the row of an old
-- ticket's last event, which may lie anywhere in a large log, is not looked for (an index-only scan, once vacuum has been
-- there). While the index is made, a second or two for a million events, appends are refused as they are when the database is
-- busy, and readers go on; they wait for the exchange alone. The lock goes first: nobody may come from it and wait for us.
select pg_advisory_xact_lock(eventstore_lock());
-- not `concurrently`: that would wait for whoever waits for the lock of migrations, and may leave half an index behind
-- squawk-ignore require-concurrent-index-creation
create unique index events_stream_version_new on events (stream_id, version) include (occurred_at);
-- the same constraint takes its place
-- squawk-ignore ban-drop-constraint
alter table events drop constraint events_stream_version_key;
-- squawk-ignore renaming-object
alter index events_stream_version_new rename to events_stream_version_key;
alter table events add constraint events_stream_version_key unique using index events_stream_version_key;

-- `eventstore_append` of 0009, which asks for no more than that. Arguments and answers are those of 0008.
create or replace function eventstore_append(
  stream_unit         int[],
  stream_ids          uuid[],
  stream_expected     bigint[],
  stream_events       int[],       -- how many events each stream entry gets
  stream_last         int[],       -- which of all the events is its last; 0: none
  event_stream        int[],
  event_step          int[],       -- 1, 2, 3 … in its stream entry
  event_type          text[],
  event_schema        smallint[],
  event_payload       text[],
  event_metadata      text[],
  event_occurred_at   timestamptz[],
  receipt_unit        int[],
  receipt_stream      int[],       -- the stream entry whose last event it points at
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
  doubtful   boolean;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'eventstore_append needs READ COMMITTED, not %',
      upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state';
  end if;
  perform pg_advisory_xact_lock(eventstore_lock());

  select coalesce(newest.position, 0), newest.recorded_at, last.versions, last.times, last.doubtful
    into head, head_time, versions, last_times, doubtful
    from (select array_agg(coalesce(s.version, 0)) as versions, array_agg(s.occurred_at) as times,
                 -- whether anybody may have to be refused for a version or a time
                 coalesce(bool_or(s.expected <> coalesce(s.version, 0)), false)
                   or coalesce(max(s.occurred_at) > (select min(t) from unnest(event_occurred_at) t), false)
                   as doubtful
            from (select s.expected, last.*
                    from unnest(stream_ids, stream_expected) with ordinality s (id, expected, entry)
                    left join lateral (
                      select e.version, e.occurred_at from events e
                       where e.stream_id = s.id and e.version >= coalesce(s.expected, 0)
                       order by e.version desc limit 1
                    ) last on true
                   order by s.entry) s) last
    left join lateral (select e.position, e.recorded_at from events e order by e.position desc limit 1) newest on true;
  recorded_at := greatest(clock_timestamp(), head_time);

  if doubtful then
    -- in a stream that is shorter than was expected nothing was found yet
    versions := array(
      select coalesce(nullif(s.version, 0),
                      (select e.version from events e where e.stream_id = s.id order by e.version desc limit 1), 0)
        from unnest(stream_ids, versions) with ordinality s (id, version, entry)
       order by s.entry);
    backwards := array(
      select stream_unit[e.stream] from unnest(event_stream, event_occurred_at) e (stream, occurred_at)
       where e.occurred_at < last_times[e.stream]);
    refused := backwards || array(
      select s.unit from unnest(stream_unit, stream_expected, versions) s (unit, expected, version)
       where s.expected <> s.version);
  else
    refused := '{}';
  end if;

  -- Usually nobody is refused. Whether a receipt or an alias is there already is found out by
  -- writing it: to look first would cost as much again.
  if cardinality(refused) = 0 then
    begin
      insert into events
      select head + e.entry, stream_ids[e.stream], versions[e.stream] + e.step, e.type, e.schema, e.payload::json,
             e.metadata::json, e.occurred_at, eventstore_append.recorded_at
        from unnest(event_stream, event_step, event_type, event_schema, event_payload, event_metadata, event_occurred_at)
             with ordinality e (stream, step, type, schema, payload, metadata, occurred_at, entry);
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
               r.status,
               eventstore_append.recorded_at
          from unnest(receipt_stream, receipt_caller, receipt_key, receipt_fingerprint, receipt_status)
               r (stream, caller, key, fingerprint, status);
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
    select array_agg((a.unit, a.scope, found.stream_id)::eventstore_taken) into taken
      from unnest(alias_unit, alias_scope, alias_name) a (unit, scope, name)
      cross join lateral (
        select t.stream_id from aliases t where t.scope = a.scope and t.name = a.name limit 1
      ) found;
    refused := refused || array(select (t).unit from unnest(taken) t);
  end if;

  -- a unit is refused as a whole, so that what is left of a stream entry keeps its steps
  insert into events
  select head + row_number() over (order by e.entry), stream_ids[e.stream], versions[e.stream] + e.step, e.type, e.schema,
         e.payload::json, e.metadata::json, e.occurred_at, eventstore_append.recorded_at
    from unnest(event_stream, event_step, event_type, event_schema, event_payload, event_metadata, event_occurred_at)
         with ordinality e (stream, step, type, schema, payload, metadata, occurred_at, entry)
   where stream_unit[e.stream] <> all (refused);

  if cardinality(alias_unit) > 0 then
    insert into aliases
    select a.scope, a.name, stream_ids[a.stream]
      from unnest(alias_unit, alias_stream, alias_scope, alias_name) a (unit, stream, scope, name)
     where a.unit <> all (refused);
  end if;

  -- one that points at nothing is not kept
  if cardinality(receipt_unit) > 0 then
    insert into receipts
    select r.caller, r.key, r.fingerprint, stream_ids[r.stream], last.version, last.position, r.status,
           eventstore_append.recorded_at
      from unnest(receipt_unit, receipt_stream, receipt_caller, receipt_key, receipt_fingerprint, receipt_status)
           r (unit, stream, caller, key, fingerprint, status)
      cross join lateral (
        select e.version, e.position from events e
         where e.stream_id = stream_ids[r.stream] order by e.version desc limit 1
      ) last
     where r.unit <> all (refused);
  end if;
end
$$;

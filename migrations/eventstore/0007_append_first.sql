-- `eventstore_append` as in 0005, but it writes first and looks only if that is refused.
create or replace function eventstore_append(
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
  last_at    bigint[];  -- the position of a stream entry's last event before this batch
  doubtful   boolean;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'eventstore_append needs READ COMMITTED, not %',
      upper(current_setting('transaction_isolation'))
      using errcode = 'invalid_transaction_state';
  end if;
  perform pg_advisory_xact_lock(eventstore_lock());

  select coalesce((select e.position from events e order by e.position desc limit 1), 0),
         (select e.recorded_at from events e order by e.position desc limit 1),
         array_agg(coalesce(last.version, 0) order by s.entry),
         array_agg(last.occurred_at order by s.entry),
         array_agg(last.position order by s.entry),
         -- whether anybody may have to be refused for a version or a time
         coalesce(bool_or(s.expected <> coalesce(last.version, 0)), false)
           or coalesce(max(last.occurred_at) > (select min(t) from unnest(event_occurred_at) t), false)
    into head, head_time, versions, last_times, last_at, doubtful
    from unnest(stream_ids, stream_expected) with ordinality s (id, expected, entry)
    left join lateral (
      select e.version, e.occurred_at, e.position from events e
       where e.stream_id = s.id order by e.version desc limit 1
    ) last on true;
  recorded_at := greatest(clock_timestamp(), head_time);

  if doubtful then
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
      select head + e.entry,
             stream_ids[e.stream],
             versions[e.stream] + row_number() over (partition by e.stream order by e.entry),
             e.type, e.schema, e.payload::json, unit_metadata[stream_unit[e.stream]]::json,
             e.occurred_at, eventstore_append.recorded_at
        from unnest(event_stream, event_type, event_schema, event_payload, event_occurred_at)
             with ordinality e (stream, type, schema, payload, occurred_at, entry);
      if cardinality(alias_unit) > 0 then
        insert into aliases
        select a.scope, a.name, stream_ids[a.stream]
          from unnest(alias_stream, alias_scope, alias_name) a (stream, scope, name);
      end if;
      if cardinality(receipt_unit) > 0 then
        insert into receipts
        select r.caller, r.key, r.fingerprint, stream_ids[r.stream],
               versions[r.stream] + coalesce(new.events, 0), coalesce(head + new.last, last_at[r.stream]),
               r.status, eventstore_append.recorded_at
          from (select u.*, array_position(stream_unit, u.unit) as stream
                  from unnest(receipt_unit, receipt_caller, receipt_key, receipt_fingerprint, receipt_status)
                       u (unit, caller, key, fingerprint, status)) r
          left join (select e.stream, count(*) as events, max(e.entry) as last
                       from unnest(event_stream) with ordinality e (stream, entry)
                      group by e.stream) new on new.stream = r.stream;
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

  insert into events
  select head + row_number() over (order by e.entry),
         stream_ids[e.stream],
         versions[e.stream] + row_number() over (partition by e.stream order by e.entry),
         e.type, e.schema, e.payload::json, unit_metadata[stream_unit[e.stream]]::json,
         e.occurred_at, eventstore_append.recorded_at
    from unnest(event_stream, event_type, event_schema, event_payload, event_occurred_at)
         with ordinality e (stream, type, schema, payload, occurred_at, entry)
   where stream_unit[e.stream] <> all (refused);

  if cardinality(alias_unit) > 0 then
    insert into aliases
    select a.scope, a.name, stream_ids[a.stream]
      from unnest(alias_unit, alias_stream, alias_scope, alias_name) a (unit, stream, scope, name)
     where a.unit <> all (refused);
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
     where r.unit <> all (refused);
  end if;
end
$$;

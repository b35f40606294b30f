-- Refuses whatever would change or remove events.
create or replace function eventstore_refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception 'events are append-only: % is refused', lower(tg_op)
    using errcode = 'restrict_violation',
          hint = 'record a new event that corrects the old one';
end
$$;

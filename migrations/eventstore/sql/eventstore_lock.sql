-- The one lock of the log: who holds it gives the next positions.
create or replace function eventstore_lock() returns bigint
language sql immutable parallel safe
return 7237954691482214515; -- 'dockevts' read as a number

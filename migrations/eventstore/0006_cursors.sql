-- How far a follower of the log has read. Moved in the transaction that holds what it made of it.
create table cursors (
  name       text        not null,
  position   bigint      not null,
  updated_at timestamptz not null,
  constraint cursors_pkey primary key (name)
);

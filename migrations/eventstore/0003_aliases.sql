-- A second, unique name of a stream ('#1042', the id of the mail that opened it), taken in the
-- same statement as the events that give it.
create table aliases (
  scope     text not null,
  name      text not null,
  stream_id uuid not null,
  constraint aliases_pkey primary key (scope, name)
);

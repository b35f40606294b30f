-- A folded state at a version: a shortcut for long streams, never the truth. One of another
-- schema version is ignored.
create table snapshots (
  stream_id      uuid     not null,
  schema_version smallint not null,
  version        bigint   not null,
  state          json     not null,
  constraint snapshots_pkey primary key (stream_id, schema_version, version)
);

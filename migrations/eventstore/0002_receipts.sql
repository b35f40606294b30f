-- What a caller's idempotency key has already done. Written in the append's own statement,
-- so that a crash can't part a receipt from its events (docs/adr/0003).
create table receipts (
  caller      text        not null,
  key         text        not null,
  fingerprint bytea       not null,
  stream_id   uuid        not null,
  version     bigint      not null,
  position    bigint      not null,
  status      smallint    not null,
  recorded_at timestamptz not null,
  constraint receipts_pkey primary key (caller, key)
);

-- for the removal of old ones
create index receipts_recorded_at_idx on receipts (recorded_at);

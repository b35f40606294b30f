-- GENERATION stands for the number of the generation.

create table if not exists read_models.agents_GENERATION (
  id       uuid                  not null,
  handle   text      collate "C" not null,
  person   uuid                  not null,
  teams    uuid[]                not null,
  -- texts are compared for equality, never sorted by
  skills   text[]    collate "C" not null,
  presence text      collate "C" not null,
  -- null: unlimited
  capacity bigint,
  load     bigint                not null,
  version  bigint                not null,
  position bigint                not null,
  record   text                  not null,
  constraint agents_GENERATION_pkey primary key (id)
)
-- a slot changes no indexed column: room for a row's next version keeps the indexes out of it
with (fillfactor = 60);

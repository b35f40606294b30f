-- GENERATION stands for the number of the generation.

create table if not exists read_models.settings_GENERATION (
  id       uuid               not null,
  -- the stream type
  kind     text   collate "C" not null,
  handle   text   collate "C" not null,
  name     text               not null,
  retired  boolean            not null,
  version  bigint             not null,
  position bigint             not null,
  record   text               not null,
  constraint settings_GENERATION_pkey primary key (id)
);

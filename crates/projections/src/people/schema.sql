-- GENERATION stands for the number of the generation.

create table if not exists read_models.people_GENERATION (
  id            uuid                  not null,
  name          text,
  -- the keys of e-mail addresses, compared for equality
  addresses     text[]    collate "C" not null,
  -- of the name and of the addresses
  words         tsvector              not null,
  merged_into   uuid,
  blocked       boolean               not null,
  registered_at timestamptz           not null,
  version       bigint                not null,
  position      bigint                not null,
  record        text                  not null,
  constraint people_GENERATION_pkey primary key (id)
);

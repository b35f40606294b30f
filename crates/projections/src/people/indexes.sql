-- What only readers need: created after the table is filled.

create index if not exists people_GENERATION_registered_idx on read_models.people_GENERATION (registered_at, id);
create index if not exists people_GENERATION_addresses_idx on read_models.people_GENERATION using gin (addresses);
create index if not exists people_GENERATION_words_idx on read_models.people_GENERATION using gin (words);
-- no query filters by it
alter table read_models.people_GENERATION alter record set statistics 0;
analyze read_models.people_GENERATION;

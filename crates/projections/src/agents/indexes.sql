-- What only readers need: created after the table is filled.

create index if not exists agents_GENERATION_handle_idx on read_models.agents_GENERATION (handle, id);
create index if not exists agents_GENERATION_person_idx on read_models.agents_GENERATION (person);
create index if not exists agents_GENERATION_teams_idx on read_models.agents_GENERATION using gin (teams);
-- no query filters by it
alter table read_models.agents_GENERATION alter record set statistics 0;
analyze read_models.agents_GENERATION;

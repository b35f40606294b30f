-- What only readers need: created after the table is filled.

create index if not exists settings_GENERATION_handle_idx on read_models.settings_GENERATION (kind, handle, id);
-- no query filters by it
alter table read_models.settings_GENERATION alter record set statistics 0;
analyze read_models.settings_GENERATION;

-- Runs beside indexes.sql, over a connection of its own.

create index if not exists tickets_words_GENERATION_idx on read_models.tickets_words_GENERATION using gin (words);
analyze read_models.tickets_words_GENERATION;

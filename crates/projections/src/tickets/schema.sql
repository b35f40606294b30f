-- GENERATION stands for the number of the generation; the lists of columns are in columns.rs.
--
-- Most events change no indexed column, so that PostgreSQL writes the new row beside the old one and leaves the indexes
-- alone (a heap-only tuple). The times that lists are sorted by change with every event: they are in `tickets_recency`.
-- The words of a text are written once: they have a row per text in `tickets_words`.

create table if not exists read_models.tickets_GENERATION (
  COLUMNS(tickets),
  constraint tickets_GENERATION_pkey primary key (id)
)
-- leaves room on the page for a row's next version, and does not compress rows of the usual size: compression would cost
-- more than the rest of the write
with (fillfactor = 60, toast_tuple_target = 8160);

create table if not exists read_models.tickets_recency_GENERATION (
  COLUMNS(tickets_recency),
  constraint tickets_recency_GENERATION_pkey primary key (ticket_id)
);

create table if not exists read_models.tickets_words_GENERATION (
  COLUMNS(tickets_words),
  constraint tickets_words_GENERATION_pkey primary key (ticket_id, entry)
);

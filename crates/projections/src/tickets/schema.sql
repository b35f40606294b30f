-- GENERATION stands for the number of the generation.
--
-- Most events change no indexed column, so that PostgreSQL writes the new row beside the old one and leaves the indexes
-- alone (a heap-only tuple). The times that lists are sorted by change with every event: they are in `tickets_recency`.
-- The words of a text are written once: they have a row per text in `tickets_words`.

create table if not exists read_models.tickets_GENERATION (
  id         uuid                  not null,
  number     bigint                not null,
  created_at timestamptz           not null,
  requester  uuid,
  priority   smallint              not null,
  team       uuid,
  -- texts are compared for equality, never sorted by
  category   text      collate "C",
  assignee   uuid,
  followers  uuid[]                not null,
  tags       text[]    collate "C" not null,
  status     text      collate "C" not null,
  version    bigint                not null,
  position   bigint                not null,
  ticket     text                  not null,
  constraint tickets_GENERATION_pkey primary key (id)
)
-- leaves room on the page for a row's next version, and does not compress rows of the usual size: compression would cost
-- more than the rest of the write
with (fillfactor = 60, toast_tuple_target = 8160);

create table if not exists read_models.tickets_recency_GENERATION (
  ticket_id         uuid        not null,
  updated_at        timestamptz not null,
  public_updated_at timestamptz not null,
  constraint tickets_recency_GENERATION_pkey primary key (ticket_id)
);

create table if not exists read_models.tickets_words_GENERATION (
  ticket_id uuid     not null,
  entry     bigint   not null,
  public    boolean  not null,
  words     tsvector not null,
  constraint tickets_words_GENERATION_pkey primary key (ticket_id, entry)
);

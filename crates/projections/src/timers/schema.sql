-- GENERATION stands for the number of the generation; the list of columns is in columns.rs.

create table if not exists read_models.timers_GENERATION (
  COLUMNS(timers),
  constraint timers_GENERATION_pkey primary key (stream_id, kind)
);

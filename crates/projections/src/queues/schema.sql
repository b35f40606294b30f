-- GENERATION stands for the number of the generation; the lists of columns are in columns.rs.

create table if not exists read_models.queues_GENERATION (
  COLUMNS(queues),
  constraint queues_GENERATION_key unique nulls not distinct (team, status, assignee, priority)
);

create table if not exists read_models.queues_tickets_GENERATION (
  COLUMNS(queues_tickets),
  constraint queues_tickets_GENERATION_pkey primary key (ticket_id)
);

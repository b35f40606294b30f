-- GENERATION stands for the number of the generation. No team and no assignee are the empty text.

create table if not exists read_models.queues_GENERATION (
  team     text   not null,
  status   text   not null,
  assignee text   not null,
  priority text   not null,
  count    bigint not null,
  constraint queues_GENERATION_pkey primary key (team, status, assignee, priority)
);

create table if not exists read_models.queues_tickets_GENERATION (
  ticket_id uuid   not null,
  -- the version at which the ticket came to this queue
  version   bigint not null,
  team      text   not null,
  status    text   not null,
  assignee  text   not null,
  priority  text   not null,
  constraint queues_tickets_GENERATION_pkey primary key (ticket_id)
);

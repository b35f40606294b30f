-- GENERATION stands for the number of the generation. No team and no assignee are null.

create table if not exists read_models.queues_GENERATION (
  team     uuid,
  status   text   not null,
  assignee uuid,
  priority text   not null,
  count    bigint not null,
  constraint queues_GENERATION_key unique nulls not distinct (team, status, assignee, priority)
);

create table if not exists read_models.queues_tickets_GENERATION (
  ticket_id uuid   not null,
  -- the version at which the ticket came to this queue
  version   bigint not null,
  team      uuid,
  status    text   not null,
  assignee  uuid,
  priority  text   not null,
  constraint queues_tickets_GENERATION_pkey primary key (ticket_id)
);

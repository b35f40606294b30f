-- What only readers need: created after the tables are filled.

create index if not exists tickets_recency_GENERATION_idx on read_models.tickets_recency_GENERATION (updated_at, ticket_id);
create index if not exists tickets_GENERATION_created_idx on read_models.tickets_GENERATION (created_at, id);
create index if not exists tickets_GENERATION_number_idx on read_models.tickets_GENERATION (number, id);
create index if not exists tickets_GENERATION_priority_idx on read_models.tickets_GENERATION (priority, id);
create index if not exists tickets_GENERATION_team_idx on read_models.tickets_GENERATION (team);
create index if not exists tickets_GENERATION_assignee_idx on read_models.tickets_GENERATION (assignee);
create index if not exists tickets_GENERATION_requester_idx on read_models.tickets_GENERATION (requester);
create index if not exists tickets_GENERATION_followers_idx on read_models.tickets_GENERATION using gin (followers);
-- no query filters by it
alter table read_models.tickets_GENERATION alter ticket set statistics 0;
analyze read_models.tickets_GENERATION, read_models.tickets_recency_GENERATION;

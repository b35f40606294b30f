create index if not exists timers_GENERATION_due_idx on read_models.timers_GENERATION (due_at, stream_id);
analyze read_models.timers_GENERATION;

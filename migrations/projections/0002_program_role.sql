-- The program makes, fills and drops the tables of generations itself; they belong to its role.
do $$
begin
  if exists (select from pg_roles where rolname = 'docket_program') then
    grant usage, create on schema read_models to docket_program;
    grant select, insert, update, delete on all tables in schema read_models to docket_program;
    grant select, insert, update, delete on cursors to docket_program;
  end if;
end
$$;

-- Hands out #1, #2, #3 … without a lock; what makes a number unique is the alias taken with it.
create sequence ticket_numbers as bigint;

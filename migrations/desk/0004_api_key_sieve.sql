-- Sixteen bits that tell almost every wrong secret without argon2id (docs/adr/0023). A key from before has none until
-- it is verified once.
alter table api_keys add column sieve smallint;

comment on column api_keys.sieve is 'the first 16 bits of SHA-256 over the hash and the secret';

// Appends by emmett's PostgreSQL event store; `src/scripts.rs` says how it is called.
import { createInterface } from 'node:readline';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';

const [what, url, ...numbers] = process.argv.slice(2);

if (what === 'prepare') {
  const store = getPostgreSQLEventStore(url);
  await store.schema.migrate();
  await store.close();
} else {
  const [first, step, writers, streams, seconds] = numbers.map(Number);
  // its own pool would be of 10
  const pool = new pg.Pool({ connectionString: url, max: Math.ceil(writers / step) });
  const store = getPostgreSQLEventStore(url, { schema: { autoMigration: 'None' }, connectionOptions: { pool } });
  const event = { type: 'ReplyAdded', data: { message_id: '0195c9a0-0000-7000-8000-000000000000', body: 'x'.repeat(230) } };
  const append = (stream, expectedStreamVersion) =>
    store.appendToStream(stream, [event], { expectedStreamVersion });

  const own = [];
  for (let writer = first; writer < writers; writer += step) own.push(writer);
  // a first append each, so that all connections stand
  await Promise.all(own.map((writer) => append(`warm-${writer}`, 'STREAM_DOES_NOT_EXIST')));

  console.log('ready');
  const input = createInterface({ input: process.stdin });
  await new Promise((go) => input.once('line', go));
  input.close();

  const began = performance.now();
  const end = began + seconds * 1000;
  let done = 0;
  await Promise.all(
    own.map(async (writer) => {
      const versions = [];
      for (let n = writer; n < streams; n += writers) versions.push([`ticket-${n}`, 'STREAM_DOES_NOT_EXIST']);
      for (;;) {
        for (const known of versions) {
          if (performance.now() >= end) return;
          const { nextExpectedStreamVersion } = await append(known[0], known[1]);
          known[1] = nextExpectedStreamVersion;
          done += 1;
        }
      }
    }),
  );
  console.log(`${done} ${(performance.now() - began) / 1000}`);
  await store.close();
  await pool.end();
}

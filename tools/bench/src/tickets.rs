//! A log of tickets, made in bulk: what the group commit would have written, faster, and under the table's own rules.

use anyhow::Result;
use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// How many tickets are alive at once.
const ALIVE: i64 = 200;
/// How many events a ticket has; the fifth closes the story of every other.
const EVENTS: i64 = 5;
/// Rows an insert.
const CHUNK: i64 = 200_000;

/// A log of tickets of five events each, two hundred of them alive at once and taking turns, texts of a usual length.
/// Stream ids are ordered by time, as Docket's own are.
#[derive(Clone, Copy, Debug)]
pub struct Tickets {
    events: i64,
    /// When the first one happened; one a second follows.
    began: DateTime<Utc>,
}

impl Tickets {
    /// That many events, rounded up to whole tickets; the last one happened before `now`.
    #[must_use]
    pub fn new(events: i64, now: DateTime<Utc>) -> Self {
        let cohort = ALIVE * EVENTS;
        let events = (events + cohort - 1) / cohort * cohort;
        Self { events, began: now.trunc_subsecs(0) - TimeDelta::seconds(events + 60) }
    }

    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> i64 {
        self.events
    }

    /// How many tickets there are, from 0.
    #[must_use]
    pub fn tickets(&self) -> i64 {
        self.events / EVENTS
    }

    /// The id of a ticket: the time of its opening, as in a UUID of version 7, and its number where that has randomness.
    #[must_use]
    pub fn id(&self, ticket: i64) -> Uuid {
        let opened = ticket / ALIVE * ALIVE * EVENTS + ticket % ALIVE + 1;
        let milliseconds = (self.began + TimeDelta::seconds(opened)).timestamp_millis();
        let random = (0x7000_8000 << 48) | u128::from(ticket.cast_unsigned());
        Uuid::from_u128((u128::from(milliseconds.cast_unsigned()) << 80) | random)
    }

    /// The version that each has at first.
    #[must_use]
    pub const fn version(&self) -> i64 {
        EVENTS
    }

    /// Writes it all into an empty log.
    ///
    /// # Errors
    /// The database's.
    pub async fn fill(&self, pool: &PgPool) -> Result<()> {
        for first in (1..=self.events).step_by(usize::try_from(CHUNK)?) {
            sqlx::query(FILL)
                .bind(first)
                .bind((first + CHUNK - 1).min(self.events))
                .bind(self.began)
                .bind(ALIVE)
                .bind(EVENTS)
                .execute(pool)
                .await?;
        }
        settle(pool).await
    }

    /// Makes a ticket longer by that many notes, at the end of the log. It must not be one that was resolved: an odd one.
    ///
    /// # Errors
    /// The database's.
    pub async fn lengthen(&self, pool: &PgPool, ticket: i64, notes: i64) -> Result<()> {
        sqlx::query(LENGTHEN).bind(self.id(ticket)).bind(notes).execute(pool).await?;
        settle(pool).await
    }
}

/// What autovacuum and the checkpointer would do in time.
async fn settle(pool: &PgPool) -> Result<()> {
    for sql in ["vacuum analyze events", "checkpoint"] {
        sqlx::raw_sql(sql).execute(pool).await?;
    }
    Ok(())
}

const FILL: &str = r#"
insert into events
select p, id, 'ticket', step + 1, type, version, payload::json,
       format('{"command_id":"%s","actor":{"kind":"agent","id":"%s"},"correlation_id":"request-%s"}',
              lpad(to_hex(p), 32, '0')::uuid, agent, p)::json,
       at, at
  from (
    select p, n, step,
           lpad(to_hex(n % 997), 32, '5')::uuid as person, lpad(to_hex(n % 20), 32, 'a')::uuid as agent,
           lpad(to_hex(n % 5), 32, '7')::uuid as team,
           $3 + make_interval(secs => p) as at,
           (lpad(to_hex(floor(extract(epoch from $3 + make_interval(secs => n / $4 * $4 * $5 + n % $4 + 1)) * 1000)::bigint),
                 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid as id
      from (
        select p, (p - 1) / ($4 * $5) * $4 + (p - 1) % $4 as n, (p - 1) % ($4 * $5) / $4 as step
          from generate_series($1::bigint, $2) p
      ) numbered
  ) placed
 cross join lateral (
    values
      (0, 'ticket.opened', 1, format(
        '{"number":%s,"requester":"%s","channel":"email","personal":{"%s":{"subject":"Printer %s is on fire","body":"It burns %s: %s"}},"priority":"%s","category":"hardware","team":"%s","tags":["tag %s"],"source_id":null,"follow_up_of":null}',
        n + 1, person, person, n, n, repeat('the quick brown fox jumps over the lazy dog ', 4),
        (array['low', 'normal', 'high', 'urgent'])[n % 4 + 1], team, n % 10)),
      (1, 'ticket.agent_assigned', 1, format('{"from":null,"to":"%s","method":"automatic"}', agent)),
      (2, 'ticket.public_reply_added', 1, format('{"message_id":"%s","personal":{"%s":{"body":"Which one %s: %s"}},"recipients":[{"person":"%s","identity":1}],"source_id":null}',
        lpad(to_hex(n), 32, '0')::uuid, person, n, repeat('the quick brown fox jumps over the lazy dog ', 4), person)),
      (3, 'ticket.internal_note_added', 1, format('{"message_id":"%s","personal":{"%s":{"body":"Arson %s: %s"}}}',
        lpad(to_hex(n), 32, '0')::uuid, person, n, repeat('the quick brown fox jumps over the lazy dog ', 4))),
      (4, case n % 2 when 0 then 'ticket.resolved' else 'ticket.internal_note_added' end, 1,
        case n % 2 when 0 then '{"code":"solved","reopen_until":"2040-01-01T00:00:00Z"}'
                   else format('{"message_id":"%s","personal":{"%s":{"body":"Still burning"}}}', lpad(to_hex(n), 32, '1')::uuid, person) end)
  ) event (at_step, type, version, payload)
 where at_step = step
 order by p"#;

const LENGTHEN: &str = r#"
insert into events
select head.position + i, $1, 'ticket', head.version + i, 'ticket.internal_note_added', 1,
       format('{"message_id":"%s","personal":{"00000000-0000-0000-0000-000000000000":{"body":"Still burning: %s"}}}', lpad(to_hex(i), 32, '2')::uuid,
              repeat('the quick brown fox jumps over the lazy dog ', 4))::json,
       format('{"command_id":"%s","actor":{"kind":"agent","id":"%s"}}', lpad(to_hex(i), 32, '3')::uuid, lpad('1', 32, 'a')::uuid)::json,
       head.recorded_at, head.recorded_at
  from (select max(position) as position, max(recorded_at) as recorded_at,
               (select max(version) from events where stream_id = $1) as version from events) head
 cross join generate_series(1, $2) i
 order by i"#;

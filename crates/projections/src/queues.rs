//! The read model `queues`: how many tickets there are by team, status, agent and priority. Writer and reader share
//! this file, and it alone names its tables.

mod place;

use std::collections::BTreeMap;

use eventstore::{Position, StoreError, StreamId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row};
use ticket_aggregate::{AgentId, Priority, Status, StreamVersion, TeamId, evolve};

use crate::error::ReadError;
use crate::generations::Generation;
use crate::memory::Memory;
use crate::projection::{ApplyError, Changes, Fact, Projection, Table, Writer};
use crate::tickets::Seer;
pub(crate) use place::Place;
use place::{Known, outline};

/// How many tickets' places a writer remembers.
const REMEMBERED: usize = 100_000;

/// Events that move no ticket from one queue to another. What is not listed is wanted, also what this program
/// does not know.
const IRRELEVANT: &[&str] = &[
    "ticket.requester_replied",
    "ticket.internal_note_added",
    "ticket.category_changed",
    "ticket.tags_added",
    "ticket.tags_removed",
    "ticket.subject_changed",
    "ticket.linked",
    "ticket.unlinked",
    "ticket.follower_added",
    "ticket.follower_removed",
];

/// A queue, and how many tickets are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Whose; none: of no team.
    pub team: Option<TeamId>,
    /// Where its tickets stand.
    pub status: Status,
    /// Who has them.
    pub assignee: Option<AgentId>,
    /// How urgent they are.
    pub priority: Priority,
    /// How many they are.
    pub count: i64,
}

/// All queues, as of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queues {
    /// How far the log was read.
    pub position: Position,
    /// The queues, none of them empty.
    pub queues: Vec<Queue>,
}

pub(crate) struct QueuesProjection;

impl Projection for QueuesProjection {
    fn name(&self) -> &'static str {
        "queues"
    }

    fn schema_version(&self) -> i32 {
        2
    }

    fn wants(&self, event_type: &str) -> bool {
        event_type.starts_with("ticket.") && !IRRELEVANT.contains(&event_type)
    }

    fn tables(&self, generation: Generation) -> Vec<Table> {
        let tables = ["queues", "queues_tickets"];
        tables.map(|table| Table { name: format!("read_models.{table}_{generation}"), row: "t" }).into()
    }

    fn create(&self, generation: Generation) -> String {
        // no team, no agent: the empty text, which neither can be
        format!(
            "create table if not exists read_models.queues_{generation} (
               team     text   not null,
               status   text   not null,
               assignee text   not null,
               priority text   not null,
               count    bigint not null,
               constraint queues_{generation}_pkey primary key (team, status, assignee, priority)
             );
             create table if not exists read_models.queues_tickets_{generation} (
               ticket_id uuid   not null,
               -- at which it came to where it is
               version   bigint not null,
               team      text   not null,
               status    text   not null,
               assignee  text   not null,
               priority  text   not null,
               constraint queues_tickets_{generation}_pkey primary key (ticket_id)
             )"
        )
    }

    fn index(&self, generation: Generation) -> Vec<String> {
        vec![format!("analyze read_models.queues_{generation}, read_models.queues_tickets_{generation}")]
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(QueuesWriter { memory: Memory::new(REMEMBERED), generation })
    }
}

struct QueuesWriter {
    memory: Memory<Known>,
    generation: Generation,
}

impl Writer for QueuesWriter {
    fn load<'a>(
        &'a mut self,
        connection: &'a mut PgConnection,
        facts: &'a [Fact],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        self.remember(connection, facts).boxed()
    }

    fn knows(&self, facts: &[Fact]) -> bool {
        self.memory.missing(facts).is_empty()
    }

    fn fold(&mut self, facts: &[Fact]) -> Result<Box<dyn Changes>, ApplyError> {
        let mut before: BTreeMap<StreamId, Option<Known>> = BTreeMap::new();
        for fact in facts {
            let known = self.memory.take(fact.stream);
            before.entry(fact.stream).or_insert_with(|| known.clone());
            if let Some(known) = &known {
                fact.follows(known.version)?;
            }
            let ticket = known.as_ref().and_then(|known| outline(known, fact));
            let ticket = evolve(ticket, &fact.event, &fact.stamp());
            let ticket = ticket.ok_or_else(|| fact.unfit("the ticket was never opened"))?;
            self.memory.put(fact.stream, Known::after(known.as_ref(), &ticket));
        }
        let mut moved = Moved { generation: self.generation, tickets: Vec::new(), moves: BTreeMap::new() };
        for (stream, old) in before {
            let Some(new) = self.memory.get(stream) else { continue };
            if old.as_ref().is_some_and(|old| old.moved == new.moved) {
                continue;
            }
            for (place, by) in old.into_iter().map(|old| (old.place, -1)).chain([(new.place.clone(), 1)]) {
                *moved.moves.entry(place).or_default() += by;
            }
            moved.tickets.push((stream, new.clone()));
        }
        moved.moves.retain(|_, by| *by != 0);
        self.memory.shrink();
        Ok(Box::new(moved))
    }

    fn forget(&mut self) {
        self.memory.clear();
    }
}

impl QueuesWriter {
    async fn remember(&mut self, connection: &mut PgConnection, facts: &[Fact]) -> Result<(), ApplyError> {
        let wanted = self.memory.missing(facts);
        if wanted.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "select ticket_id, version, team, status, assignee, priority
               from read_models.queues_tickets_{} where ticket_id = any($1)",
            self.generation
        );
        for row in sqlx::query(AssertSqlSafe(sql)).bind(&wanted).fetch_all(connection).await? {
            let version = StreamVersion(row.try_get::<i64, _>(1)?.unsigned_abs());
            let place = Place {
                team: row.try_get(2)?,
                status: word(row.try_get(3)?)?,
                assignee: row.try_get(4)?,
                priority: word(row.try_get(5)?)?,
            };
            self.memory.put(StreamId(row.try_get(0)?), Known { version, moved: version, place });
        }
        Ok(())
    }
}

/// Where tickets are that have moved, and by how much that changes the counts.
struct Moved {
    generation: Generation,
    tickets: Vec<(StreamId, Known)>,
    moves: BTreeMap<Place, i64>,
}

impl Changes for Moved {
    fn write(self: Box<Self>, connection: &mut PgConnection) -> BoxFuture<'_, Result<(), ApplyError>> {
        async move {
            self.write_tickets(&mut *connection).await?;
            self.write_counts(connection).await
        }
        .boxed()
    }
}

impl Moved {
    async fn write_tickets(&self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let now = &self.tickets;
        if now.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into read_models.queues_tickets_{g} (ticket_id, version, team, status, assignee, priority)
             select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[])
             on conflict on constraint queues_tickets_{g}_pkey do update
                set version = excluded.version, team = excluded.team, status = excluded.status,
                    assignee = excluded.assignee, priority = excluded.priority",
            g = self.generation
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(now.iter().map(|(stream, _)| stream.0).collect::<Vec<_>>())
            .bind(now.iter().map(|(_, known)| known.moved.0.cast_signed()).collect::<Vec<_>>())
            .bind(now.iter().map(|(_, known)| known.place.team.as_str()).collect::<Vec<_>>())
            .bind(now.iter().map(|(_, known)| known.place.status.as_str()).collect::<Vec<_>>())
            .bind(now.iter().map(|(_, known)| known.place.assignee.as_str()).collect::<Vec<_>>())
            .bind(now.iter().map(|(_, known)| known.place.priority.as_str()).collect::<Vec<_>>())
            .execute(connection)
            .await?;
        Ok(())
    }

    async fn write_counts(&self, connection: &mut PgConnection) -> Result<(), ApplyError> {
        let moves = &self.moves;
        if moves.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "insert into read_models.queues_{g} as q (team, status, assignee, priority, count)
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
             on conflict on constraint queues_{g}_pkey do update set count = q.count + excluded.count",
            g = self.generation
        );
        sqlx::query(AssertSqlSafe(sql))
            .bind(moves.keys().map(|place| place.team.as_str()).collect::<Vec<_>>())
            .bind(moves.keys().map(|place| place.status.as_str()).collect::<Vec<_>>())
            .bind(moves.keys().map(|place| place.assignee.as_str()).collect::<Vec<_>>())
            .bind(moves.keys().map(|place| place.priority.as_str()).collect::<Vec<_>>())
            .bind(moves.values().copied().collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
        // an empty queue is none: what is here depends on the tickets alone, not on the way there
        let sql = format!("delete from read_models.queues_{} where count = 0", self.generation);
        sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
        Ok(())
    }
}

fn word<T: std::str::FromStr>(word: &str) -> Result<T, sqlx::Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    word.parse().map_err(|error: T::Err| sqlx::Error::Decode(Box::new(error)))
}

/// The queues that one sees, as of one moment. `None`: the generation does not serve any more.
pub(crate) async fn read(pool: &PgPool, generation: Generation, seer: &Seer) -> Result<Option<Queues>, ReadError> {
    let sql = format!(
        "with at as (
           select c.position from checkpoints c where c.name = $1
              and exists (select from read_models.generations g
                           where g.name = 'queues' and g.state = 'live' and g.generation = $2)
         )
         select at.position, q.team, q.status, q.assignee, q.priority, q.count
           from at left join read_models.queues_{generation} q
             on $3::text[] is null or q.team = any($3) or q.team = '' or q.assignee = $4
          order by q.team, q.status, q.assignee, q.priority"
    );
    let (teams, agent) = match seer {
        Seer::Everything => (None, None),
        Seer::Agent { id, teams } => (Some(teams.clone()), Some(id.clone())),
        Seer::Requester(_) => (Some(Vec::new()), None),
    };
    let query =
        sqlx::query(AssertSqlSafe(sql)).bind(generation.cursor("queues")).bind(generation.0).bind(teams).bind(agent);
    let rows = query.fetch_all(pool).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let position = Position(first.try_get(0)?);
    let mut queues = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(team) = row.try_get::<Option<&str>, _>(1)? else { break };
        queues.push(Queue {
            team: TeamId::parse(team).ok(),
            status: word(row.try_get(2)?)?,
            assignee: AgentId::parse(row.try_get(3)?).ok(),
            priority: word(row.try_get(4)?)?,
            count: row.try_get(5)?,
        });
    }
    Ok(Some(Queues { position, queues }))
}

/// The counts as they are stored, for the audit.
pub(crate) async fn counts(
    connection: &mut PgConnection,
    generation: Generation,
) -> Result<BTreeMap<Place, i64>, StoreError> {
    let sql = format!("select team, status, assignee, priority, count from read_models.queues_{generation}");
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let (status, priority) = (word(row.try_get(1)?)?, word(row.try_get(3)?)?);
            Ok((Place { team: row.try_get(0)?, status, assignee: row.try_get(2)?, priority }, row.try_get(4)?))
        })
        .collect()
}

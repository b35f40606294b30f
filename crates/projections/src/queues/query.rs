//! Reads the queues.

use eventstore::Position;
use shared_kernel::{AgentId, TeamId};
use sqlx::{AssertSqlSafe, FromRow, PgPool, Row};
use ticket_aggregate::{Priority, Status};

use super::columns::QueueRow;
use super::group_key::GroupKey;
use super::{NAME, Queues};
use crate::error::ReadError;
use crate::generation::Generation;
use crate::ids::uuids;
use crate::reader::{AtLeast, Reader};
use crate::tickets::Viewer;

/// A queue: a group of tickets, and their number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The team; `None`: no team.
    pub team: Option<TeamId>,
    /// The status of its tickets.
    pub status: Status,
    /// The assignee; `None`: unassigned.
    pub assignee: Option<AgentId>,
    /// The priority of its tickets.
    pub priority: Priority,
    /// The number of its tickets.
    pub count: i64,
}

/// All queues that a viewer sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuesPage {
    /// The position that they were read at.
    pub position: Position,
    /// The queues that are not empty.
    pub queues: Vec<Queue>,
}

impl Reader {
    /// The queues that a viewer sees.
    pub async fn queues(&self, viewer: &Viewer, at_least: AtLeast) -> Result<QueuesPage, ReadError> {
        self.query(
            &Queues,
            at_least,
            |page: &QueuesPage| page.position,
            |generation| Box::pin(page(self.pool(), generation, viewer)),
        )
        .await
    }
}

/// Reads queues and position in one snapshot. `None`: the generation is no longer live.
async fn page(pool: &PgPool, generation: Generation, viewer: &Viewer) -> Result<Option<QueuesPage>, ReadError> {
    let (names, table) = (QueueRow::COLUMNS.names_of("q"), QueueRow::COLUMNS.table(generation));
    let sql = format!(
        "with at as (
           select c.position from checkpoints c where c.name = $1
              and exists (select from read_models.generations g
                           where g.name = 'queues' and g.state = 'live' and g.generation = $2)
         )
         select {names}, at.position
           from at left join {table} q
             on $3::uuid[] is null or q.team = any($3) or q.team is null or q.assignee = $4
          order by q.team, q.status, q.assignee, q.priority"
    );
    let (teams, agent) = match viewer {
        Viewer::Everything => (None, None),
        Viewer::Agent { id, teams, .. } => (Some(uuids(teams)), Some(id.0)),
        Viewer::Requester { .. } => (Some(Vec::new()), None),
    };
    let query =
        sqlx::query(AssertSqlSafe(sql)).bind(generation.checkpoint(NAME)).bind(generation.0).bind(teams).bind(agent);
    let rows = query.fetch_all(pool).await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let position = Position(first.try_get("position")?);
    let mut queues = Vec::with_capacity(rows.len());
    for row in &rows {
        // no queues: one row with nothing but the position
        if row.try_get::<Option<i64>, _>("count")?.is_none() {
            break;
        }
        let row = QueueRow::from_row(row)?;
        let GroupKey { team, status, assignee, priority } = row.key().map_err(ReadError::UnreadableRow)?;
        queues.push(Queue { team, status, assignee, priority, count: row.count });
    }
    Ok(Some(QueuesPage { position, queues }))
}

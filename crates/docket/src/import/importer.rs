//! Row after row, in the file's order, each as one unit: so the log is in the file's order, and the same however often
//! the import is killed and run again.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::anyhow;
use desk::{AsOf, Caller, Desk, DeskError, Precondition, Request, VersionedTicket};
use eventstore::{AppendError, StoreError, Version};
use serde_json::json;
use ticket_aggregate::{Rejection, TicketId, TicketNumber};

use super::map::Map;
use super::past::{self, Past, Verdict};
use super::reading::{Reading, Survey};
use super::report::Fate;
use super::{SOURCE_KIND, ids};

/// How often a row is tried when the database is away or the ticket is being changed by others.
const TRIES: u32 = 7;

/// How long to wait after the first of them; twice as long after each.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(200);

pub(super) struct Importer<'a> {
    desk: &'a Desk,
    map: &'a Map,
    survey: &'a Survey,
    reader: Caller,
    seen: HashMap<TicketId, Seen>,
    past: Option<Past>,
    /// The ticket of the last row, as it was after it.
    current: Option<(TicketId, Option<Arc<VersionedTicket>>)>,
    /// A number whose opening was refused: the next one takes it, so that no number depends on how often this ran.
    spare: Option<TicketNumber>,
}

/// What is known of a ticket that had rows before.
struct Seen {
    /// The highest row that its history held when it was read.
    highest: u64,
    /// Where it stood after this run's last row: if it stands elsewhere, somebody else has worked on it, maybe
    /// another run of the same import.
    version: Version,
}

/// How one try ended.
enum Try {
    Over(Fate),
    /// The ticket is not what it was taken for; look again.
    Stale,
    /// Whether it was recorded can only be seen by looking again.
    Away(DeskError),
    Broken(DeskError),
}

impl<'a> Importer<'a> {
    pub(super) async fn new(desk: &'a Desk, map: &'a Map, survey: &'a Survey) -> anyhow::Result<Self> {
        desk.reclaim_last_number().await?;
        Ok(Self {
            desk,
            map,
            survey,
            reader: super::reader(),
            seen: HashMap::new(),
            past: None,
            current: None,
            spare: None,
        })
    }

    /// Brings in a row. An error means that the import can't go on; it can be run again.
    pub(super) async fn row(&mut self, reading: &Reading<'_>) -> anyhow::Result<Fate> {
        let mut pause = PATIENCE;
        let mut away = None;
        let mut sent = false;
        for _ in 0..TRIES {
            match self.attempt(reading, &mut sent).await {
                Try::Over(fate) => return Ok(fate),
                Try::Stale => self.forget(reading),
                Try::Away(error) => {
                    tracing::warn!(row = reading.row, %error, "the row is tried again");
                    away = Some(error);
                    self.forget(reading);
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Try::Broken(error) => return Err(stopped(reading.row, error)),
            }
        }
        Err(stopped(reading.row, away.unwrap_or(DeskError::Contended)))
    }

    /// `sent`: whether a try before this one may have been recorded all the same.
    async fn attempt(&mut self, reading: &Reading<'_>, sent: &mut bool) -> Try {
        let ticket = ids::ticket(&self.map.source, reading.case, self.survey.began(reading));
        match self.earlier(reading, ticket).await {
            // what this very run has sent is its own
            Ok(Some(Fate::ImportedBefore)) if *sent => Try::Over(Fate::Applied),
            Ok(Some(fate)) => Try::Over(fate),
            Ok(None) => self.execute(reading, ticket).await.unwrap_or_else(|error| {
                let end = sort(error, ticket);
                *sent |= matches!(end, Try::Away(_));
                end
            }),
            Err(error) => sort(error, ticket),
        }
    }

    /// What an earlier run has made of the row, if it came so far.
    async fn earlier(&mut self, reading: &Reading<'_>, ticket: TicketId) -> Result<Option<Fate>, DeskError> {
        self.look(ticket).await?;
        if self.seen.get(&ticket).is_some_and(|seen| reading.row > seen.highest) {
            return Ok(None);
        }
        if self.past.as_ref().is_none_or(|past| past.ticket != ticket) {
            self.read(ticket).await?;
        }
        let Some(past) = self.past.as_ref().filter(|past| reading.row <= past.highest()) else { return Ok(None) };
        if past.has(reading.row) {
            return Ok(Some(Fate::ImportedBefore));
        }
        Ok(Some(self.again(reading, ticket, past)))
    }

    /// Makes the ticket the current one. Its rows that are recorded are known up to the very version that is taken
    /// for its present one: only so does the request's precondition keep a row from being recorded twice.
    async fn look(&mut self, ticket: TicketId) -> Result<(), DeskError> {
        if self.current.as_ref().is_some_and(|(current, _)| *current == ticket) {
            return Ok(());
        }
        if let Some(seen) = self.seen.get(&ticket) {
            let folded = self.present(ticket).await?;
            if version(folded.as_ref()) == seen.version {
                self.current = Some((ticket, folded));
                return Ok(());
            }
        }
        self.read(ticket).await
    }

    async fn read(&mut self, ticket: TicketId) -> Result<(), DeskError> {
        let (past, folded) = Past::read(self.desk, ticket, &self.map.source).await?;
        self.seen.insert(ticket, Seen { highest: past.highest(), version: version(folded.as_ref()) });
        self.past = Some(past);
        self.current = Some((ticket, folded));
        Ok(())
    }

    /// A row that an earlier run came past without recording it.
    fn again(&self, reading: &Reading<'_>, ticket: TicketId, past: &Past) -> Fate {
        let before = past.before(reading.row);
        let placeholder = before.as_ref().map_or_else(|| TicketNumber::try_from(1), |ticket| Ok(ticket.number));
        let commands = match placeholder {
            Ok(number) => reading.commands(self.map, before.as_ref(), number),
            Err(error) => Err(error.to_string()),
        };
        let context = past::context(ticket, self.caller(reading).actor(), reading.time);
        match commands.map(|commands| past::judge(before, &commands, &context)) {
            Ok(Verdict::WithoutEffect) => Fate::WithoutEffect,
            Ok(Verdict::Refused(reason)) | Err(reason) => Fate::Refused(reason),
            Ok(Verdict::TooLate) => Fate::Refused(
                "later rows of its case were recorded by an earlier import: nothing can be put in between".to_owned(),
            ),
        }
    }

    async fn execute(&mut self, reading: &Reading<'_>, ticket: TicketId) -> Result<Try, DeskError> {
        let known = self.current.as_ref().and_then(|(_, folded)| folded.clone());
        let number = match &known {
            Some(folded) => folded.ticket.number,
            None => self.number().await?,
        };
        let state = known.as_ref().map(|folded| &folded.ticket);
        let commands = match reading.commands(self.map, state, number) {
            Ok(commands) if commands.is_empty() => return Ok(Try::Over(Fate::WithoutEffect)),
            Ok(commands) => commands,
            Err(reason) => {
                // unlike the desk's refusals, this one was not held against what the log says now
                let now = self.present(ticket).await?;
                let fresh = version(now.as_ref()) == version(known.as_ref());
                return Ok(if fresh { Try::Over(Fate::Refused(reason)) } else { Try::Stale });
            }
        };
        let done = self.desk.execute(self.request(reading, ticket, commands, known.as_ref())).await?;
        if known.is_none() {
            self.spare = None;
        }
        if let Some(seen) = self.seen.get_mut(&ticket) {
            seen.version = done.ticket.version;
        }
        self.current = Some((ticket, Some(done.ticket)));
        Ok(Try::Over(if done.events == 0 { Fate::WithoutEffect } else { Fate::Applied }))
    }

    fn request(
        &self,
        reading: &Reading<'_>,
        ticket: TicketId,
        commands: Vec<ticket_aggregate::Command>,
        known: Option<&Arc<VersionedTicket>>,
    ) -> Request {
        Request {
            ticket,
            commands,
            // the rule was chosen by the status at that version
            precondition: known.map_or(Precondition::Any, |folded| Precondition::OneOf(vec![folded.version])),
            caller: self.caller(reading),
            now: reading.time,
            new_id: Box::new(ids::of_row(&self.map.source, reading.row, reading.time)),
            idempotency: None,
            cause: Some(json!({ "kind": SOURCE_KIND, "source": self.map.source, "row": reading.row })),
            correlation_id: None,
            traceparent: None,
            reopen_until: self.survey.closes(reading),
        }
    }

    fn caller(&self, reading: &Reading<'_>) -> Caller {
        Caller {
            scope: format!("{SOURCE_KIND}:{}", self.map.source),
            role: self.map.actor.role,
            id: reading.actor.clone(),
            name: None,
            teams: std::collections::BTreeSet::new(),
        }
    }

    async fn present(&self, ticket: TicketId) -> Result<Option<Arc<VersionedTicket>>, DeskError> {
        match self.desk.ticket(ticket, AsOf::Now, &self.reader).await {
            Ok(folded) => Ok(Some(folded)),
            Err(DeskError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn number(&mut self) -> Result<TicketNumber, DeskError> {
        let number = match self.spare {
            Some(number) => number,
            None => self.desk.next_number().await?,
        };
        self.spare = Some(number);
        Ok(number)
    }

    /// Whatever was known of the row's ticket is to be read again.
    fn forget(&mut self, reading: &Reading<'_>) {
        self.seen.remove(&ids::ticket(&self.map.source, reading.case, self.survey.began(reading)));
        self.past = None;
        self.current = None;
    }
}

/// Zero: it is not opened yet.
fn version(folded: Option<&Arc<VersionedTicket>>) -> Version {
    folded.map_or(Version(0), |folded| folded.version)
}

fn sort(error: DeskError, ticket: TicketId) -> Try {
    match error {
        DeskError::PreconditionFailed { .. } | DeskError::Rejected(Rejection::AlreadyOpened) => Try::Stale,
        DeskError::SourceIdUsed { ticket: holder } if holder == Some(ticket) => Try::Stale,
        DeskError::Rejected(refusal) => Try::Over(Fate::Refused(refusal.to_string())),
        error @ (DeskError::SourceIdUsed { .. } | DeskError::Append(AppendError::TooLarge { .. })) => {
            Try::Over(Fate::Refused(error.to_string()))
        }
        error @ (DeskError::Contended
        | DeskError::Store(StoreError::Unavailable(_))
        | DeskError::Append(
            AppendError::Overloaded | AppendError::OutcomeUnknown(_) | AppendError::Store(StoreError::Unavailable(_)),
        )) => Try::Away(error),
        error => Try::Broken(error),
    }
}

fn stopped(row: u64, error: DeskError) -> anyhow::Error {
    anyhow!(error).context(format!("the import stopped at row {row}; run it again, and it goes on where it stopped"))
}

//! Imports rows in the file's order, one unit each. The log has that order, however often the import is killed and resumed.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::anyhow;
use desk::{AsOf, Call, Desk, DeskError, Precondition, Request, VersionedTicket};
use eventstore::{AppendError, StoreError, Version};
use serde_json::json;
use shared_kernel::Principal;
use ticket_aggregate::{Rejection, Ticket, TicketId, TicketNumber};

use crate::hint::hinted;

use super::map::Map;
use super::names::{Names, Row};
use super::past::{self, Past, Verdict};
use super::reading::{Reading, Survey};
use super::report::Fate;
use super::{SOURCE_KIND, ids};

/// Attempts for a row while the database is unavailable or others change the ticket.
const TRIES: u32 = 7;

/// The pause after the first attempt; it doubles after each.
const FIRST_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

pub(super) struct Importer<'a> {
    desk: &'a Desk,
    map: &'a Map,
    survey: &'a Survey,
    reader: Principal,
    names: Names<'a>,
    seen: HashMap<TicketId, Seen>,
    past: Option<Past>,
    /// The ticket of the last row, after it.
    current: Option<(TicketId, Option<Arc<VersionedTicket>>)>,
    /// A number whose opening was refused. The next ticket takes it, so that numbers don't depend on how often the import ran.
    spare: Option<TicketNumber>,
}

/// What is known of a ticket with earlier rows.
struct Seen {
    /// The highest row that its history held when it was read.
    highest: u64,
    /// The version after this run's last row. Another version means that somebody else changed the ticket, such as another run
    /// of the same import.
    version: Version,
}

/// The result of one attempt.
enum Attempt {
    Done(Fate),
    /// The ticket has another version than expected: read it again.
    Stale,
    /// The database is unavailable, and the row may be recorded: read the ticket again.
    Unavailable(DeskError),
    Failed(DeskError),
}

impl<'a> Importer<'a> {
    pub(super) async fn new(desk: &'a Desk, map: &'a Map, survey: &'a Survey) -> anyhow::Result<Self> {
        desk.reclaim_last_number().await?;
        Ok(Self {
            desk,
            map,
            survey,
            reader: super::importer(),
            names: Names::new(desk, &map.source),
            seen: HashMap::new(),
            past: None,
            current: None,
            spare: None,
        })
    }

    /// Imports a row. After an error the import has to be run again.
    pub(super) async fn row(&mut self, reading: &Reading<'_>) -> anyhow::Result<Fate> {
        let mut pause = FIRST_PAUSE;
        let mut away = None;
        let mut sent = false;
        for _ in 0..TRIES {
            match self.attempt(reading, &mut sent).await {
                Attempt::Done(fate) => return Ok(fate),
                Attempt::Stale => self.forget(reading),
                Attempt::Unavailable(error) => {
                    tracing::warn!(row = reading.row, %error, "retrying the row");
                    away = Some(error);
                    self.forget(reading);
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Attempt::Failed(error) => return Err(stopped(reading.row, error)),
            }
        }
        Err(stopped(reading.row, away.unwrap_or(DeskError::Contended)))
    }

    /// `sent`: an earlier attempt may have been recorded.
    async fn attempt(&mut self, reading: &Reading<'_>, sent: &mut bool) -> Attempt {
        let ticket = ids::ticket(&self.map.source, reading.case, self.survey.began(reading));
        match self.earlier(reading, ticket).await {
            // this run recorded it
            Ok(Some(Fate::ImportedBefore)) if *sent => Attempt::Done(Fate::Applied),
            Ok(Some(fate)) => Attempt::Done(fate),
            Ok(None) => self.execute(reading, ticket).await.unwrap_or_else(|error| {
                let end = classify(error, ticket);
                *sent |= matches!(end, Attempt::Unavailable(_));
                end
            }),
            Err(error) => classify(error, ticket),
        }
    }

    /// The result of an earlier run for the row, if it got that far.
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
        let before = past.before(reading.row);
        Ok(Some(self.again(reading, ticket, before).await?))
    }

    /// Makes the ticket the current one. The recorded rows are known up to exactly the version in the precondition of the next
    /// request; otherwise a row could be recorded twice.
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

    /// A row that an earlier run passed without recording it.
    async fn again(
        &mut self,
        reading: &Reading<'_>,
        ticket: TicketId,
        before: Option<Ticket>,
    ) -> Result<Fate, DeskError> {
        let placeholder = before.as_ref().map_or_else(|| TicketNumber::try_from(1), |ticket| Ok(ticket.number));
        let commands = match placeholder {
            Ok(number) => reading.commands(self.map, before.as_ref(), number),
            Err(error) => Err(error.to_string()),
        };
        let commands = match commands {
            Ok(commands) => commands,
            Err(reason) => return Ok(Fate::Refused(reason)),
        };
        let row = row(reading);
        let commands = self.names.commands(&commands, before.as_ref(), &reading.actor, row).await?;
        let actor = self.names.actor(&reading.actor, self.map.actor.role, row).await?;
        let context = past::context(ticket, actor, reading.time);
        Ok(match past::judge(before, &commands, &context) {
            Verdict::WithoutEffect => Fate::WithoutEffect,
            Verdict::Refused(reason) => Fate::Refused(reason),
            Verdict::TooLate => Fate::Refused(
                "an earlier import recorded later rows of this case; nothing can be inserted before them".to_owned(),
            ),
        })
    }

    async fn execute(&mut self, reading: &Reading<'_>, ticket: TicketId) -> Result<Attempt, DeskError> {
        let known = self.current.as_ref().and_then(|(_, folded)| folded.clone());
        let number = match &known {
            Some(folded) => folded.state.number,
            None => self.number().await?,
        };
        let state = known.as_ref().map(|folded| &folded.state);
        let commands = match reading.commands(self.map, state, number) {
            Ok(commands) if commands.is_empty() => return Ok(Attempt::Done(Fate::WithoutEffect)),
            Ok(commands) => commands,
            Err(reason) => {
                // unlike a rejection by the desk, this one was not checked against the current version
                let now = self.present(ticket).await?;
                let fresh = version(now.as_ref()) == version(known.as_ref());
                return Ok(if fresh { Attempt::Done(Fate::Refused(reason)) } else { Attempt::Stale });
            }
        };
        let row = row(reading);
        let commands = self.names.commands(&commands, state, &reading.actor, row).await?;
        let caller = Principal::new(self.names.actor(&reading.actor, self.map.actor.role, row).await?);
        let done = self.desk.execute(self.request(reading, ticket, commands, known.as_ref(), caller)).await?;
        if known.is_none() {
            self.spare = None;
        }
        if let Some(seen) = self.seen.get_mut(&ticket) {
            seen.version = done.ticket.version;
        }
        self.current = Some((ticket, Some(done.ticket)));
        Ok(Attempt::Done(if done.events == 0 { Fate::WithoutEffect } else { Fate::Applied }))
    }

    fn request(
        &self,
        reading: &Reading<'_>,
        ticket: TicketId,
        commands: Vec<ticket_aggregate::Command>,
        known: Option<&Arc<VersionedTicket>>,
        caller: Principal,
    ) -> Request {
        let new_id = ids::of_row(&self.map.source, reading.row, reading.time);
        let mut call = Call::new(caller, reading.time, new_id);
        // the rule was chosen by the status at that version
        call.precondition = known.map_or(Precondition::Any, |folded| Precondition::OneOf(vec![folded.version]));
        call.cause = Some(json!({ "kind": SOURCE_KIND, "source": self.map.source, "row": reading.row }));
        let mut request = Request::new(ticket, commands, call);
        request.reopen_until = self.survey.closes(reading);
        request.is_import = true;
        request
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

    /// Forgets the row's ticket, so that it is read again.
    fn forget(&mut self, reading: &Reading<'_>) {
        self.seen.remove(&ids::ticket(&self.map.source, reading.case, self.survey.began(reading)));
        self.past = None;
        self.current = None;
    }
}

fn row(reading: &Reading<'_>) -> Row {
    Row { number: reading.row, time: reading.time }
}

/// Zero: the ticket doesn't exist.
fn version(folded: Option<&Arc<VersionedTicket>>) -> Version {
    folded.map_or(Version(0), |folded| folded.version)
}

fn classify(error: DeskError, ticket: TicketId) -> Attempt {
    match error {
        DeskError::PreconditionFailed { .. } | DeskError::Rejected { rejection: Rejection::AlreadyOpened, .. } => {
            Attempt::Stale
        }
        DeskError::SourceIdUsed { ticket: holder } if holder == Some(ticket) => Attempt::Stale,
        DeskError::Rejected { rejection, .. } => Attempt::Done(Fate::Refused(rejection.to_string())),
        error @ (DeskError::SourceIdUsed { .. } | DeskError::Append(AppendError::TooLarge { .. })) => {
            Attempt::Done(Fate::Refused(error.to_string()))
        }
        error @ (DeskError::Contended
        | DeskError::Store(StoreError::Unavailable(_))
        | DeskError::Append(
            AppendError::Overloaded | AppendError::OutcomeUnknown(_) | AppendError::Store(StoreError::Unavailable(_)),
        )) => Attempt::Unavailable(error),
        error => Attempt::Failed(error),
    }
}

fn stopped(row: u64, error: DeskError) -> anyhow::Error {
    anyhow!(error).context(hinted(format!("the import stopped at row {row}"), "Run it again to resume."))
}

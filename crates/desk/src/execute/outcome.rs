//! What comes after the append: the ticket that is answered, replays, openings, snapshots.

use shared_kernel::{Aggregate, Role};
use std::sync::Arc;

use eventstore::{Alias, AppendError, Appended, Outcome, Receipt, Snapshot, StreamRange, Version};
use sha2::{Digest, Sha256};
use ticket_aggregate::{Command, Open, Rejection, Ticket, TicketId};

use super::CommandOutcome;
use super::decision::{self, Decision};
use crate::folded::{SNAPSHOT_SCHEMA, stamp, stream_of};
use crate::{AsOf, Desk, DeskError, Request, VersionedTicket, numbers};

/// A snapshot is kept each time that so many events have come to a ticket.
const SNAPSHOT_EVERY: i64 = 100;

pub(super) fn without_effect(known: &Arc<VersionedTicket>) -> CommandOutcome {
    CommandOutcome { ticket: known.clone(), position: known.position, events: 0, replayed: None }
}

/// The ticket after an append, folded from what was decided: it is what a read would give.
pub(super) fn appended(
    decision: &Decision,
    ticket: TicketId,
    before: Option<&Arc<VersionedTicket>>,
    appended: &Appended,
) -> Option<CommandOutcome> {
    let mut state: Option<Ticket> = before.map(|b| b.ticket.clone());
    let first = before.map_or(0, |b| b.version.0) + 1;
    for (event, version) in decision.events.iter().zip(first..) {
        state = Ticket::evolve(state, event, &stamp(Version(version), decision.now));
    }
    let version = appended.versions.first().map_or(Version(first - 1), |(_, version)| *version);
    // the ticket's own events come first in its unit
    let own = i64::try_from(decision.events.len()).unwrap_or_default();
    let position = match (appended.first, own) {
        (Some(first), 1..) => eventstore::Position(first.0 + own - 1),
        _ => before.map(|b| b.position).unwrap_or_default(),
    };
    let events = decision.events.len() + decision.other.as_ref().map_or(0, |(_, _, events)| events.len());
    let ticket = Arc::new(VersionedTicket { id: ticket, version, position, ticket: state? });
    Some(CommandOutcome { ticket, position, events, replayed: None })
}

impl Desk {
    /// Opens a ticket; a number that somebody else took meanwhile is replaced by another.
    pub(super) async fn open(&self, request: &mut Request) -> Result<CommandOutcome, DeskError> {
        if let Some(refusal) = decision::forbidden(request) {
            return Err(DeskError::Rejected(refusal));
        }
        for _ in 0..super::ATTEMPTS {
            let decision = match self.decide_opening(request).await {
                Ok(decision) => decision,
                Err(error) => return self.repeated(request).await?.ok_or(error),
            };
            let command_id = (request.new_id)();
            let unit = decision.unit(request, Version(0), command_id)?;
            match self.store.append(unit).await {
                Ok(Outcome::Replayed(receipt)) => return self.replay(request, &receipt).await,
                Ok(Outcome::Appended(done)) => {
                    let done = appended(&decision, request.ticket, None, &done).ok_or(DeskError::NotFound)?;
                    self.cache.keep(&self.cache.slot(request.ticket), &done.ticket);
                    return Ok(done);
                }
                Err(AppendError::AliasTaken { scope, .. }) if scope == numbers::SCOPE => self.renumber(request).await?,
                Err(AppendError::AliasTaken { holder, .. }) => {
                    let seen = self.ticket(TicketId(holder.0), AsOf::Now, &request.caller).await;
                    return Err(DeskError::SourceIdUsed { ticket: seen.ok().map(|f| f.id) });
                }
                Err(AppendError::Conflict { .. }) => return Err(DeskError::Rejected(Rejection::AlreadyOpened)),
                Err(error) => return Err(DeskError::Append(error)),
            }
        }
        Err(DeskError::Contended)
    }

    async fn renumber(&self, request: &mut Request) -> Result<(), DeskError> {
        let number = self.next_number().await?;
        if let Some(Command::Open(open)) = request.commands.first_mut() {
            open.number = number;
        }
        Ok(())
    }

    async fn decide_opening(&self, request: &mut Request) -> Result<Decision, DeskError> {
        let now = request.now;
        let mut decision = Decision::at(now);
        let mut state: Option<Ticket> = None;
        for index in 0..request.commands.len() {
            let (context, _) = self.context(request, index, state.as_ref(), now).await?;
            if let Command::Open(open) = &request.commands[index] {
                decision.aliases = aliases(open, request);
            }
            for event in
                Ticket::decide(state.as_ref(), &request.commands[index], &context).map_err(DeskError::Rejected)?
            {
                decision.events.push(event);
                let version = i64::try_from(decision.events.len()).unwrap_or(i64::MAX);
                state = decision
                    .events
                    .last()
                    .and_then(|event| Ticket::evolve(state, event, &stamp(Version(version), now)));
            }
        }
        Ok(decision)
    }

    /// The requester has written to a ticket that is over: a new one goes on from it.
    pub(super) async fn follow_up(
        &self,
        mut request: Request,
        known: Option<Arc<VersionedTicket>>,
    ) -> Result<CommandOutcome, DeskError> {
        let (Some(before), Some(Command::Reply { body, source_id })) = (known, request.commands.pop()) else {
            return Err(DeskError::NotFound);
        };
        let number = self.next_number().await?;
        let author = request.caller.actor();
        let open = Open::follow_up(before.id, &before.ticket, number, &author, body, source_id);
        request.ticket = TicketId((request.new_id)());
        request.commands = vec![Command::Open(open)];
        request.now = request.now.max(before.ticket.updated_at);
        self.open(&mut request).await
    }

    /// What the same request was answered before, if it was.
    pub async fn repeated(&self, request: &Request) -> Result<Option<CommandOutcome>, DeskError> {
        let Some(idempotency) = &request.idempotency else { return Ok(None) };
        match self.store.receipt(&request.caller.scope, &idempotency.key).await? {
            Some(receipt) => self.replay(request, &receipt).await.map(Some),
            None => Ok(None),
        }
    }

    /// The answer of a retry: the stream folded to the version that the receipt names.
    pub(super) async fn replay(&self, request: &Request, receipt: &Receipt) -> Result<CommandOutcome, DeskError> {
        if request.idempotency.as_ref().is_none_or(|i| i.fingerprint != receipt.fingerprint) {
            return Err(DeskError::KeyReused);
        }
        let ticket = TicketId(receipt.stream_id.0);
        let range = StreamRange { until_version: Some(receipt.version), ..StreamRange::default() };
        let folded = self.folded_to(ticket, range).await?.ok_or(DeskError::NotFound)?;
        Ok(CommandOutcome {
            ticket: Arc::new(folded),
            position: receipt.position,
            events: 0,
            replayed: Some(receipt.status),
        })
    }

    /// Keeps a snapshot of a ticket that has grown long. Nobody waits for it, and nobody needs it.
    pub(super) fn keep_snapshot(&self, before: Version, ticket: &Arc<VersionedTicket>) {
        if before.0 / SNAPSHOT_EVERY == ticket.version.0 / SNAPSHOT_EVERY {
            return;
        }
        let (store, ticket) = (self.store.clone(), ticket.clone());
        tokio::spawn(async move {
            let Ok(state) = serde_json::to_string(&*ticket) else { return };
            let snapshot = Snapshot { version: ticket.version, state };
            if let Err(error) = store.keep_snapshot(stream_of(ticket.id), SNAPSHOT_SCHEMA, &snapshot).await {
                tracing::warn!(ticket = %ticket.id, %error, "no snapshot was kept");
            }
        });
    }
}

fn aliases(open: &Open, request: &Request) -> Vec<Alias> {
    // a requester's own ids can neither take those of mails and imports nor tell which of them are known
    let scope = match request.caller.role {
        Role::Requester => format!("requester-source:{}:{}", request.caller.id, open.channel),
        Role::Agent | Role::Lead | Role::Admin | Role::System => format!("source:{}", open.channel),
    };
    let source =
        open.source_id.as_ref().map(|id| Alias { scope, name: indexable(id), stream_id: stream_of(request.ticket) });
    std::iter::once(numbers::alias(open.number, request.ticket)).chain(source).collect()
}

/// An index of PostgreSQL takes rows of up to 2,704 bytes, a thousand characters may have 4,000: what is
/// long is known by its digest.
fn indexable(name: &str) -> String {
    const LONGEST: usize = 1_024;
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let digest = Sha256::digest(name);
    digest.iter().fold(String::from("sha256:"), |text, byte| text + &format!("{byte:02x}"))
}

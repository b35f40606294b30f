//! The codec and the state machine as targets of `tools/fuzz/`: bytes in, and what must hold of whatever is made of them.

use shared_kernel::codec::{decode, encode};
use shared_kernel::{Actor, AgentId, Aggregate, IdentityId, PersonId, Role, Stamp, StreamVersion, TeamId};
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Channel, Command, Context, Event, LinkKind, MessageId, Open, Priority, ResolutionCode, Tag, Ticket, TicketId,
    TicketNumber, legal_step,
};
use shared_kernel::DomainEvent;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// The names of the targets.
pub const TARGETS: &[Target] = &[("codec", codec), ("history", history)];

/// A type, a version and a payload: what is read is an object, and from its first writing on the same bytes for ever.
pub fn codec(data: &[u8]) {
    let [kind, version, payload @ ..] = data else { return };
    let event_type = Event::TYPES[usize::from(*kind) % Event::TYPES.len()].name;
    let Ok(payload) = std::str::from_utf8(payload) else { return };
    match decode::<Event>(event_type, i16::from(*version), payload) {
        Ok(event) => {
            assert!(serde_json::from_str::<Map<String, Value>>(payload).is_ok(), "{event_type} from {payload:?}");
            assert_eq!(event.event_type(), event_type);
            kept(&event);
            event.public_view().as_ref().into_iter().for_each(kept);
        }
        Err(error) => assert!(error.to_string().contains(event_type), "{error}"),
    }
}

fn kept(event: &Event) {
    let Ok(first) = encode(event) else { unreachable!("{event:?} can't be written") };
    let again = decode::<Event>(first.event_type, first.schema_version, &first.payload);
    assert_eq!(again.as_ref().ok(), Some(event), "{again:?}");
    assert_eq!(encode(event).ok(), Some(first));
}

/// Commands, three bytes each, as someone's who is one of few: whatever they record folds, replays from what is stored,
/// and is written again as it was.
pub fn history(data: &[u8]) {
    let (mut live, mut replayed, mut seen): (Option<Ticket>, Option<Ticket>, Option<Ticket>) = (None, None, None);
    let mut now = DateTime::<Utc>::UNIX_EPOCH;
    let mut version = 0;
    for (number, step) in (1..).zip(data.chunks_exact(3)) {
        let [what, who, how] = [step[0], step[1], step[2]];
        now += TimeDelta::hours(i64::from(how >> 3));
        let context = moment(now, who, number);
        let command = command(what, how, now, live.as_ref());
        let outcome = Ticket::decide(live.as_ref(), &command, &context);
        assert_eq!(outcome, Ticket::decide(live.as_ref(), &command, &context));
        let events = outcome.unwrap_or_default();
        if let (Some(ticket), false) = (&live, events.is_empty()) {
            assert!(ticket.allowed_commands(context.actor.role).contains(&command.kind()), "{command:?}");
        }
        for event in events {
            assert_eq!(legal_step(live.as_ref(), &event), Ok(()));
            kept(&event);
            version += 1;
            let stamp = Stamp { occurred_at: now, version: StreamVersion(version) };
            let Ok(stored) = encode(&event) else { unreachable!("{event:?} can't be written") };
            let read = decode::<Event>(stored.event_type, stored.schema_version, &stored.payload).ok();
            replayed = read.and_then(|read| Ticket::evolve(replayed, &read, &stamp));
            if let Some(view) = event.public_view() {
                seen = Ticket::evolve(seen, &view, &stamp);
            }
            live = Ticket::evolve(live, &event, &stamp);
            assert_eq!(live, replayed);
        }
        if let (Some(live), Some(seen)) = (&live, &seen) {
            assert_eq!((live.version.0, &live.public_view()), (version, seen));
            // now and then: it costs more than all the rest
            if number % 8 == 0 {
                let snapshot = serde_json::to_string(live).and_then(|json| serde_json::from_str(&json)).ok();
                assert_eq!(Some(live), snapshot.as_ref());
            }
        }
    }
}

fn moment(now: DateTime<Utc>, who: u8, number: u128) -> Context {
    Context {
        now,
        actor: actor(who),
        ticket_id: TicketId(Uuid::from_u128(1)),
        message_id: MessageId(Uuid::from_u128(number)),
        reopen_window: TimeDelta::hours(72),
        reopen_until: None,
        identities: [(person(0), IdentityId(1)), (person(1), IdentityId(2))].into(),
        assignee_teams: (who >> 4 & 1 == 1).then(|| [team(who)].into()),
        assignee_available: who >> 5 != 6,
        open_blockers: if who >> 5 == 7 { vec![TicketId(Uuid::from_u128(9))] } else { Vec::new() },
    }
}

fn actor(who: u8) -> Actor {
    let other = who >> 3 & 1;
    match Role::ALL[usize::from(who & 7) % Role::ALL.len()] {
        Role::Requester => {
            let mut actor = Actor::requester(person(other));
            actor.merged.extend((who >> 5 == 5).then(|| person(0)));
            actor
        }
        role @ (Role::Agent | Role::Lead | Role::Admin) => Actor::staff(role, agent(other), person(other + 2)),
        Role::System => Actor::system("policy"),
    }
}

fn words(how: u8) -> String {
    ["", " ", "x", "mail-1", "ada", "finn@example.com", "§\n", "İ\u{0}"][usize::from(how & 7)].to_owned()
}

/// Two who ask, and two who are agents.
fn person(how: u8) -> PersonId {
    PersonId(Uuid::from_u128(u128::from(how & 3) + 16))
}

fn agent(how: u8) -> AgentId {
    AgentId(Uuid::from_u128(u128::from(how & 1) + 32))
}

fn team(how: u8) -> TeamId {
    TeamId(Uuid::from_u128(u128::from(how & 1) + 48))
}

fn tags(how: u8) -> BTreeSet<Tag> {
    ["a", "b", "c"]
        .into_iter()
        .zip(0..)
        .filter(|(_, n)| how >> n & 1 == 1)
        .filter_map(|(t, _)| Tag::parse(t).ok())
        .collect()
}

fn command(what: u8, how: u8, now: DateTime<Utc>, ticket: Option<&Ticket>) -> Command {
    let text = words(how);
    let some = (how & 8 != 0).then(|| words(how >> 4));
    let link = (LinkKind::ALL[usize::from(how) % LinkKind::ALL.len()], TicketId(Uuid::from_u128(u128::from(how & 3))));
    let in_force = ticket.and_then(|ticket| ticket.timer_set_by).filter(|_| how & 3 != 3);
    let set_by = in_force.unwrap_or(StreamVersion(i64::from(how >> 2)));
    match what % 26 {
        0 => opening(how),
        1 | 2 => Command::Reply { body: text, source_id: some },
        3 => Command::Note { body: text },
        4 => Command::Assign { assignee: agent(how) },
        5 => Command::Unassign,
        6 => Command::Route { team: team(how) },
        7 => Command::Prioritize { priority: Priority::ALL[usize::from(how & 3)], reason: some },
        8 => Command::Categorize { category: text },
        9 => Command::Rename { subject: text },
        10 => Command::Tag { tags: tags(how) },
        11 => Command::Untag { tags: tags(how) },
        12 => Command::Follow { follower: person(how) },
        13 => Command::Unfollow { follower: person(how) },
        14 => Command::Start,
        15 => Command::AwaitRequester,
        16 => Command::Hold { reason: text, wake_at: some.map(|_| now + TimeDelta::hours(i64::from(how) - 4)) },
        17 => Command::Resume,
        18 => ResolutionCode::parse(&text).map_or(Command::Confirm, |code| Command::Resolve { code, note: some }),
        19 => Command::Reopen { reason: some },
        20 => [Command::Close, Command::Spam, Command::Start, Command::Confirm][usize::from(how & 3)].clone(),
        21 => Command::Link { kind: link.0, other: link.1 },
        22 => Command::Unlink { kind: link.0, other: link.1 },
        23 => Command::Wake { set_by },
        24 => Command::AutoClose { set_by },
        _ => Command::ChangeRequester { requester: person(how >> 4), reason: some },
    }
}

fn opening(how: u8) -> Command {
    let Ok(number) = TicketNumber::try_from(i64::from(how) + 1) else { return Command::Start };
    Command::Open(Open {
        number,
        subject: "x".to_owned(),
        body: words(how),
        requester: (how & 32 == 0).then(|| person(0)),
        channel: Channel::default(),
        priority: Priority::Normal,
        category: None,
        team: Some(team(how)),
        tags: tags(how >> 3),
        source_id: (how & 16 != 0).then(|| words(3)),
        follow_up_of: None,
    })
}

#[cfg(test)]
mod tests;

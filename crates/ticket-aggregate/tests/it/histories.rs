//! What holds for every history that the state machine allows: it folds, replays, and is written again as it was.
//!
//! What only staff may see carries a mark here, or is an id that stands nowhere else, so that nothing of it can be shown
//! unnoticed.

use chrono::TimeDelta;
use proptest::prelude::*;
use shared_kernel::codec::{Encoded, decode, encode};
use shared_kernel::testing::staff;
use shared_kernel::{Actor, Aggregate, Role, Stamp, StreamVersion};
use ticket_aggregate::{Command, Event, Open, Rejection, Tag, Ticket};

use crate::scenario::{hour, person, request, team};
use crate::walks::{Moment, ONLOOKER, moments};

const MARK: &str = "§internal§";

fn marked(text: &str) -> String {
    format!("{MARK}{text}")
}

/// The same command with a mark in what it says to staff alone.
fn mark(command: Command, actor: &Actor) -> Command {
    let tagged = |tags: std::collections::BTreeSet<Tag>| {
        tags.iter().map(|tag| Tag::parse(&marked(tag.as_str())).unwrap()).collect()
    };
    match command {
        Command::Note { body } => Command::Note { body: marked(&body) },
        Command::Reply { body, source_id } => Command::Reply { body, source_id: source_id.map(|id| marked(&id)) },
        Command::Prioritize { priority, reason } => {
            Command::Prioritize { priority, reason: reason.map(|reason| marked(&reason)) }
        }
        Command::ChangeRequester { requester, reason } => {
            Command::ChangeRequester { requester, reason: reason.map(|reason| marked(&reason)) }
        }
        Command::Categorize { category } => Command::Categorize { category: marked(&category) },
        Command::Tag { tags } => Command::Tag { tags: tagged(tags) },
        Command::Untag { tags } => Command::Untag { tags: tagged(tags) },
        Command::Hold { reason, wake_at } => Command::Hold { reason: marked(&reason), wake_at },
        Command::Resolve { code, note } => Command::Resolve { code, note: note.map(|note| marked(&note)) },
        Command::Reopen { reason } if actor.role != Role::Requester => {
            Command::Reopen { reason: reason.map(|reason| marked(&reason)) }
        }
        other => other,
    }
}

/// What no requester may read.
fn internal() -> [String; 5] {
    let [hardware, network] = ["hardware", "network"].map(|name| team(name).to_string());
    [MARK.to_owned(), hardware, network, person(ONLOOKER).to_string(), "unavailable".to_owned()]
}

fn opening() -> Command {
    let tags = [Tag::parse(&marked("vip")).unwrap()].into();
    let team = Some(team("hardware"));
    let (category, source_id) = (Some(marked("printers")), Some(marked("mail-1")));
    Command::Open(Open { tags, team, category, source_id, ..request() })
}

/// What `allowed_commands` says is what `decide` does.
fn agrees(ticket: &Ticket, command: &Command, role: Role, outcome: &Result<Vec<Event>, Rejection>) {
    let allowed = ticket.allowed_commands(role);
    match outcome {
        Err(Rejection::IllegalTransition { command: refused, status, allowed: said }) => {
            assert!(!allowed.contains(&command.kind()), "{command:?} is allowed, and refused for the status");
            assert_eq!((refused, status, said), (&command.kind(), &ticket.status, &allowed));
        }
        Ok(events) if !events.is_empty() => assert!(allowed.contains(&command.kind()), "{command:?}"),
        _ => {}
    }
}

struct Entry {
    stored: Encoded,
    stamp: Stamp,
    /// The ticket after it, as it was folded while it was recorded.
    after: Option<Ticket>,
}

fn history(moments: Vec<Moment>) -> Vec<Entry> {
    let first = Moment::opening(opening(), staff(Role::Agent, "ada"));
    let (mut entries, mut state, mut now) = (Vec::new(), None, hour(0));
    for (n, moment) in (10..).zip(std::iter::once(first).chain(moments)) {
        now += TimeDelta::hours(moment.hours);
        let command = mark(moment.command(state.as_ref()), &moment.actor);
        let outcome = Ticket::decide(state.as_ref(), &command, &moment.context(n, now));
        if let Some(ticket) = &state {
            agrees(ticket, &command, moment.actor.role, &outcome);
        }
        for event in outcome.unwrap_or_default() {
            let version = StreamVersion(i64::try_from(entries.len()).unwrap() + 1);
            let stamp = Stamp { occurred_at: now, version };
            state = Ticket::evolve(state, &event, &stamp);
            entries.push(Entry { stored: encode(&event).unwrap(), stamp, after: state.clone() });
        }
    }
    entries
}

fn read(stored: &Encoded) -> Event {
    decode::<Event>(stored.event_type, stored.schema_version, &stored.payload).unwrap()
}

fn snapshot(state: Option<&Ticket>) -> Option<Ticket> {
    serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn histories_replay(moments in moments(), at in any::<prop::sample::Index>()) {
        let entries = history(moments);
        let mut state = None;
        for (version, entry) in (1..).zip(&entries) {
            let event = read(&entry.stored);
            prop_assert_eq!(&encode(&event).unwrap(), &entry.stored);
            state = Ticket::evolve(state, &event, &entry.stamp);
            prop_assert_eq!(&state, &entry.after);
            let ticket = state.as_ref().unwrap();
            prop_assert_eq!((ticket.version.0, ticket.updated_at), (version, entry.stamp.occurred_at));
        }
        // a snapshot in the middle, read back, and on from there
        let at = at.index(entries.len());
        let mut resumed = snapshot(entries[at].after.as_ref());
        prop_assert_eq!(&resumed, &entries[at].after);
        for entry in &entries[at + 1..] {
            resumed = Ticket::evolve(resumed, &read(&entry.stored), &entry.stamp);
        }
        prop_assert_eq!(resumed, state);
    }

    #[test]
    fn histories_show_nothing_internal(moments in moments()) {
        let (mut seen, mut whole): (Option<Ticket>, Option<Ticket>) = (None, None);
        for entry in history(moments) {
            whole.clone_from(&entry.after);
            let Some(view) = read(&entry.stored).public_view() else { continue };
            let shown = encode(&view).unwrap().payload;
            prop_assert!(internal().iter().all(|word| !shown.contains(word)), "{shown}");
            seen = Ticket::evolve(seen, &view, &entry.stamp);
        }
        let ticket = whole.unwrap().public_view();
        prop_assert_eq!(Some(&ticket), seen.as_ref());
        prop_assert!(ticket.links.is_empty() && ticket.followers.is_empty() && ticket.tags.is_empty());
        let shown = serde_json::to_string(&ticket).unwrap();
        prop_assert!(internal().iter().all(|word| !shown.contains(word)), "{shown}");
    }
}

//! What holds for every history.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use proptest::prelude::*;
use shared_kernel::codec::{decode, encode};
use shared_kernel::testing::requester;
use shared_kernel::{Aggregate, DomainEvent, Stamp, StreamVersion};
use ticket_aggregate::{Command, Context, Event, Open, Status, Ticket, legal_step};

use crate::samples;
use crate::scenario::{context, hour, request};
use crate::walks::moments;

/// What holds of a ticket in whatever way it came about.
fn check(ticket: &Ticket) {
    let closed = ticket.status == Status::Closed;
    assert_eq!(ticket.closed_at.is_some(), closed);
    assert_eq!(ticket.closed_reason.is_some(), closed);
    assert!(ticket.status != Status::Resolved || ticket.reopen_until.is_some());
    assert!(ticket.wake_at.is_none() || ticket.status == Status::OnHold);
    assert!(ticket.hold_reason.is_none() || ticket.status == Status::OnHold);
    assert!(!ticket.agent_replied_since_requester || ticket.agent_replied_publicly);
    assert!(ticket.assignee.is_none() || ticket.status != Status::New);
    check_timer(ticket);
    assert!(ticket.occupies().is_none_or(|agent| ticket.assignee == Some(agent)));
    let people: BTreeSet<_> = ticket.correspondents().collect();
    assert_eq!(people.len(), ticket.correspondents().count(), "nobody gets a reply twice");
    assert_eq!(ticket.requester, ticket.correspondents().next());
}

/// A timer is in force on a hold with an end and on a resolved ticket, and was set by an event that there has been.
fn check_timer(ticket: &Ticket) {
    let waits = ticket.wake_at.is_some() || ticket.status == Status::Resolved;
    assert_eq!(ticket.timer_set_by.is_some(), waits);
    assert_eq!(ticket.due().map(|(_, _, set_by)| set_by), ticket.timer_set_by);
    assert!(ticket.timer_set_by <= Some(ticket.version));
}

struct Run {
    whole: Option<Ticket>,
    seen: Option<Ticket>,
    version: i64,
}

impl Run {
    fn record(&mut self, event: &Event, context: &Context) {
        assert_eq!(legal_step(self.whole.as_ref(), event), Ok(()), "{event:?} in {:?}", self.whole);
        let encoded = encode(event).unwrap();
        let read = decode::<Event>(encoded.event_type, encoded.schema_version, &encoded.payload).unwrap();
        assert_eq!(&read, event);
        self.version += 1;
        let stamp = Stamp { occurred_at: context.now, version: StreamVersion(self.version) };
        self.whole = Ticket::evolve(self.whole.take(), event, &stamp);
        if let Some(view) = event.public_view() {
            self.seen = Ticket::evolve(self.seen.take(), &view, &stamp);
        }
    }

    fn step(&mut self, command: &Command, context: &Context) {
        let outcome = Ticket::decide(self.whole.as_ref(), command, context);
        assert_eq!(outcome, Ticket::decide(self.whole.as_ref(), command, context));
        let Ok(events) = outcome else { return };
        if let Some(before) = &self.whole
            && !events.is_empty()
        {
            let allowed = before.allowed_commands(context.actor.role);
            assert!(allowed.contains(&command.kind()), "{command:?} in {}", before.status);
        }
        for event in &events {
            self.record(event, context);
        }
        if let (Some(whole), Some(seen)) = (&self.whole, &self.seen) {
            check(whole);
            assert_eq!(*seen, whole.public_view());
            assert!(seen.tags.is_empty() && seen.followers.is_empty() && seen.links.is_empty());
            assert!(seen.source_ids.is_empty() && seen.team.is_none() && seen.category.is_none());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn command_sequences_are_sound(moments in moments()) {
        let mut run = Run { whole: None, seen: None, version: 0 };
        let opening = Open { source_id: None, ..request() };
        run.step(&Command::Open(opening), &context(requester("rita")));
        let mut now = hour(0);
        for (n, moment) in (10..).zip(moments) {
            now += TimeDelta::hours(moment.hours);
            run.step(&moment.command(run.whole.as_ref()), &moment.context(n, now));
        }
        prop_assert_eq!(run.whole.unwrap().version.0, run.version);
    }

    /// The log may hold what no command would have recorded: folding and auditing take it all the same.
    #[test]
    fn any_order_of_events_folds(order in prop::collection::vec(0..Event::TYPES.len(), 0..40)) {
        let samples = samples::events();
        let (mut state, mut seen): (Option<Ticket>, Option<Ticket>) = (None, None);
        for (version, index) in (1..).zip(order) {
            let opened = state.is_some();
            let legal = legal_step(state.as_ref(), &samples[index]);
            prop_assert!(opened || index == 0 || legal.is_err());
            let stamp = Stamp { occurred_at: hour(0), version: StreamVersion(version) };
            state = Ticket::evolve(state, &samples[index], &stamp);
            prop_assert!(!opened || state.is_some());
            if let Some(view) = samples[index].public_view() {
                seen = Ticket::evolve(seen, &view, &stamp);
            }
            prop_assert_eq!(&seen, &state.as_ref().map(Ticket::public_view));
        }
    }
}

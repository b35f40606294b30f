//! The commands whose whole point is the status, guard by guard. Every pair of status and role is tried in `table.rs`.

use chrono::{DateTime, Utc};
use ticket_aggregate::{ClosedReason, Command, Event, Rejection, Trigger};

use crate::scenario::{
    ada, admin, agent_replied, assigned, at, confirmed, given, hour, lead, on_hold, opened, pended, reopened,
    requester_replied, resolved, resumed, rita, system, text, ticket,
};

fn hold(wake_at: Option<DateTime<Utc>>) -> Command {
    Command::Hold { reason: "a part".to_owned(), wake_at }
}
fn held(wake_at: Option<DateTime<Utc>>) -> Event {
    Event::TicketPutOnHold { reason: text("a part"), wake_at }
}
fn closed(reason: ClosedReason) -> Event {
    Event::TicketClosed { reason }
}

#[test]
fn start() {
    given([opened()]).when(Command::Start, ada()).then([Event::WorkStarted {}]);
}

#[test]
fn hold_wakes_in_future_or_never() {
    given([opened()]).when(hold(None), ada()).then([held(None)]);
    given([opened()]).when(hold(Some(hour(25))), ada()).then([held(Some(hour(25)))]);
    for past in [hour(24), hour(23)] {
        let refusal = Rejection::WakeAtInPast { wake_at: past };
        given([opened()]).when(hold(Some(past)), ada()).then_rejected(refusal);
    }
}

#[test]
fn resume_records_trigger() {
    given([opened(), pended()]).when(Command::Resume, ada()).then([resumed(Trigger::Agent)]);
    given([opened(), on_hold(None)]).when(Command::Resume, lead()).then([resumed(Trigger::Agent)]);
    given([opened(), pended()]).when(Command::Resume, system()).then([resumed(Trigger::System)]);
}

#[test]
fn reopen_by_agent_needs_reason() {
    let story = [opened(), assigned("ada"), resolved()];
    let reopen = |reason: Option<&str>| Command::Reopen { reason: reason.map(str::to_owned) };
    given(story.clone()).when(reopen(None), rita()).then([reopened(None, 1, Trigger::Requester)]);
    for who in [ada(), lead(), admin(), system()] {
        given(story.clone()).when(reopen(None), who.clone()).then_rejected(Rejection::ReasonRequired);
        given(story.clone()).when(reopen(Some(" ")), who).then_rejected(Rejection::ReasonRequired);
    }
    given(story.clone()).when(reopen(Some("smoke")), ada()).then([reopened(Some("smoke"), 1, Trigger::Agent)]);
    given(story).when(reopen(Some("undeliverable")), system()).then([reopened(
        Some("undeliverable"),
        1,
        Trigger::System,
    )]);
}

#[test]
fn reopen_is_counted_until_deadline() {
    let reopen = || Command::Reopen { reason: text("smoke") };
    let once = [opened(), assigned("ada"), resolved()];
    let first = reopened(Some("smoke"), 1, Trigger::Agent);
    given(once.clone()).when(reopen(), at(48, ada())).then([first.clone()]);
    for who in [rita(), admin()] {
        let refusal = Rejection::ReopenDeadlinePassed { reopen_until: hour(48) };
        given(once.clone()).when(reopen(), at(49, who)).then_rejected(refusal);
    }
    let twice = [&once[..], &[first, resolved()]].concat();
    given(twice).when(reopen(), ada()).then([reopened(Some("smoke"), 2, Trigger::Agent)]);
}

#[test]
fn close_waits_for_deadline() {
    let story = [opened(), assigned("ada"), resolved()];
    let end = || closed(ClosedReason::Resolved);
    for who in [system(), lead(), admin()] {
        given(story.clone()).when(Command::Close, at(48, who.clone())).then([end()]);
        let refusal = Rejection::ReopenWindowOpen { reopen_until: hour(48) };
        given(story.clone()).when(Command::Close, at(47, who)).then_rejected(refusal);
    }
}

#[test]
fn close_after_confirmation() {
    let end = || closed(ClosedReason::Resolved);
    let confirmed_story = [opened(), assigned("ada"), confirmed()];
    given(confirmed_story.clone()).when(Command::Close, system()).then([end()]);
    given([opened(), assigned("ada"), resolved()]).when(Command::Close, rita()).then([end()]);
    // reopening takes the contentment back
    let again = [reopened(None, 1, Trigger::Requester), resolved()];
    given([&confirmed_story[..], &again].concat())
        .when(Command::Close, system())
        .then_rejected(Rejection::ReopenWindowOpen { reopen_until: hour(48) });
}

#[test]
fn spam_refused_after_agent_reply() {
    let end = || closed(ClosedReason::Spam);
    given([opened()]).when(Command::Spam, ada()).then([end()]);
    given([opened(), requester_replied()]).when(Command::Spam, ada()).then([end()]);
    given([opened(), agent_replied()]).when(Command::Spam, ada()).then_rejected(Rejection::AgentAlreadyReplied);
}

#[test]
fn closed_ticket_keeps_resolved_at() {
    let ticket = ticket(&[opened(), assigned("ada"), resolved(), closed(ClosedReason::Resolved)]);
    assert_eq!(ticket.resolved_at, Some(hour(2)));
    assert_eq!(ticket.closed_at, Some(hour(3)));
    assert_eq!(ticket.closed_reason, Some(ClosedReason::Resolved));
}

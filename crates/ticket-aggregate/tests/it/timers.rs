//! What happens later: holds that end, resolved tickets that close.

use std::slice;

use shared_kernel::{Aggregate, Stamp, StreamVersion};
use ticket_aggregate::{ClosedReason, Command, DueKind, Event, Rejection, Ticket, Trigger};

use crate::scenario::{
    agent_replied, assigned, at, confirmed, given, hour, on_hold, opened, pended, reopened, resolved, resumed, system,
    ticket,
};

fn wake(set_by: i64) -> Command {
    Command::Wake { set_by: StreamVersion(set_by) }
}
fn auto_close(set_by: i64) -> Command {
    Command::AutoClose { set_by: StreamVersion(set_by) }
}
fn superseded(set_by: i64, in_force: Option<i64>) -> Rejection {
    Rejection::TimerSuperseded { set_by: StreamVersion(set_by), in_force: in_force.map(StreamVersion) }
}
fn closed() -> Event {
    Event::TicketClosed { reason: ClosedReason::Resolved }
}

#[test]
fn wake_when_due() {
    let story = [opened(), on_hold(Some(hour(48)))];
    given(story.clone()).when(wake(2), at(48, system())).then([resumed(Trigger::Timer)]);
    let early = Rejection::WakeNotDue { wake_at: hour(48) };
    given(story).when(wake(2), at(47, system())).then_rejected(early);
}

#[test]
fn wake_refuses_superseded_timer() {
    let again = [opened(), on_hold(Some(hour(48))), resumed(Trigger::Agent), on_hold(Some(hour(60)))];
    given(again.clone()).when(wake(2), at(60, system())).then_rejected(superseded(2, Some(4)));
    given(again).when(wake(4), at(60, system())).then([resumed(Trigger::Timer)]);
    let for_good = [opened(), on_hold(Some(hour(48))), resumed(Trigger::Agent), on_hold(None)];
    given(for_good).when(wake(2), at(60, system())).then_rejected(superseded(2, None));
}

#[test]
fn auto_close_when_due() {
    let story = [opened(), assigned("ada"), resolved()];
    given(story.clone()).when(auto_close(3), at(48, system())).then([closed()]);
    let early = Rejection::ReopenWindowOpen { reopen_until: hour(48) };
    given(story).when(auto_close(3), at(47, system())).then_rejected(early);
}

#[test]
fn auto_close_refuses_superseded_timer() {
    let again = [opened(), assigned("ada"), resolved(), reopened(None, 1, Trigger::Requester), resolved()];
    given(again.clone()).when(auto_close(3), at(48, system())).then_rejected(superseded(3, Some(5)));
    given(again).when(auto_close(5), at(48, system())).then([closed()]);
}

#[test]
fn due_is_the_timer_in_force() {
    let due = |events: &[Event]| ticket(&[&[opened(), assigned("ada")], events].concat()).due();
    let wake = Some((DueKind::Wake, hour(30), StreamVersion(3)));
    let held = on_hold(Some(hour(30)));
    assert_eq!(due(&[]), None);
    assert_eq!(due(slice::from_ref(&held)), wake);
    // what happens meanwhile does not set it anew
    assert_eq!(due(&[held.clone(), agent_replied()]), wake);
    assert_eq!(due(&[on_hold(None)]), None);
    assert_eq!(due(&[held.clone(), resumed(Trigger::Timer)]), None);
    for done in [resolved(), confirmed()] {
        assert_eq!(due(slice::from_ref(&done)), Some((DueKind::Close, hour(48), StreamVersion(3))));
        assert_eq!(due(&[held.clone(), done.clone()]), Some((DueKind::Close, hour(48), StreamVersion(4))));
        assert_eq!(due(&[done.clone(), reopened(None, 1, Trigger::Agent)]), None);
        assert_eq!(due(&[done, closed()]), None);
    }
    assert_eq!(due(&[pended()]), None);
}

#[test]
fn public_view_keeps_the_timer() {
    let stamp = Stamp { occurred_at: hour(5), version: StreamVersion(9) };
    let held = on_hold(Some(hour(30)));
    let whole = Ticket::evolve(Some(ticket(&[opened()])), &held, &stamp).unwrap();
    assert_eq!(whole.public_view().due(), Some((DueKind::Wake, hour(30), StreamVersion(9))));
}

//! The commands whose whole point is the status, guard by guard. Every pair of status and role is tried in `table.rs`.

use chrono::{DateTime, TimeDelta, Utc};
use ticket_aggregate::{
    AssignmentMethod, ClosedReason, Command, Context, Event, Refusal, ResolutionCode, Role, Trigger,
};

use crate::scenario::{
    FINN, ada, admin, agent, agent_replied, assigned, at, code, confirmed, context, given, hour,
    lead, message_id, on_hold, opened, pended, requester_replied, resolved, resumed, rita, system,
    team, text, ticket, ticket_id,
};

fn hold(wake_at: Option<DateTime<Utc>>) -> Command {
    Command::Hold {
        reason: "a part".to_owned(),
        wake_at,
    }
}
fn held(wake_at: Option<DateTime<Utc>>) -> Event {
    Event::TicketPutOnHold {
        reason: text("a part"),
        wake_at,
    }
}
fn resolve() -> Command {
    Command::Resolve {
        code: code("solved"),
        note: None,
    }
}
fn solved(reopen_until: DateTime<Utc>) -> Event {
    Event::TicketResolved {
        code: code("solved"),
        reopen_until,
    }
}
fn reopened(reason: Option<&str>, count: u32, trigger: Trigger) -> Event {
    Event::TicketReopened {
        reason: reason.map(str::to_owned),
        count,
        trigger,
    }
}
fn closed(reason: ClosedReason) -> Event {
    Event::TicketClosed { reason }
}

#[test]
fn start() {
    given([opened()])
        .when(Command::Start, ada())
        .then([Event::WorkStarted {}]);
}

#[test]
fn hold_wakes_in_the_future_or_never() {
    given([opened()]).when(hold(None), ada()).then([held(None)]);
    given([opened()])
        .when(hold(Some(hour(25))), ada())
        .then([held(Some(hour(25)))]);
    for past in [hour(24), hour(23)] {
        let refusal = Refusal::WakeAtInPast { wake_at: past };
        given([opened()])
            .when(hold(Some(past)), ada())
            .then_refused(refusal);
    }
}

#[test]
fn resume_says_who_did_it() {
    given([opened(), pended()])
        .when(Command::Resume, ada())
        .then([resumed(Trigger::Agent)]);
    given([opened(), on_hold(None)])
        .when(Command::Resume, lead())
        .then([resumed(Trigger::Agent)]);
    given([opened(), pended()])
        .when(Command::Resume, system())
        .then([resumed(Trigger::System)]);
}

#[test]
fn the_timer_wakes_when_it_is_due() {
    let story = [opened(), on_hold(Some(hour(48)))];
    let wake = || Command::Wake;
    given(story.clone())
        .when(wake(), at(48, system()))
        .then([resumed(Trigger::Timer)]);
    let early = Refusal::WakeNotDue {
        wake_at: Some(hour(48)),
    };
    given(story)
        .when(wake(), at(47, system()))
        .then_refused(early);
    let never = Refusal::WakeNotDue { wake_at: None };
    given([opened(), on_hold(None)])
        .when(wake(), system())
        .then_refused(never);
}

#[test]
fn resolving_pins_the_deadline() {
    let story = [opened(), assigned("ada")];
    given(story.clone())
        .when(resolve(), ada())
        .then([solved(hour(96))]);
    let import = Context {
        reopen_until: Some(hour(30)),
        ..ada()
    };
    given(story.clone())
        .when(resolve(), import)
        .then([solved(hour(30))]);
    let for_ever = Context {
        reopen_window: TimeDelta::MAX,
        ..ada()
    };
    given(story)
        .when(resolve(), for_ever)
        .then([solved(DateTime::<Utc>::MAX_UTC)]);
}

#[test]
fn resolving_takes_what_nobody_has() {
    let taken = assigned("ada");
    given([opened()])
        .when(resolve(), ada())
        .then([taken, solved(hour(96))]);
    let taken = Event::AgentAssigned {
        from: None,
        to: agent("root"),
        method: AssignmentMethod::OwnChoice,
    };
    given([opened(), pended()])
        .when(resolve(), admin())
        .then([taken, solved(hour(96))]);
    given([opened()])
        .when(resolve(), system())
        .then_refused(Refusal::NoAssignee);
    given([opened(), assigned("bob")])
        .when(resolve(), system())
        .then([solved(hour(96))]);
}

#[test]
fn who_takes_it_by_resolving_is_a_member_of_the_team_too() {
    let foreign = Context {
        assignee_teams: Some([team("network")].into()),
        ..ada()
    };
    let refusal = Refusal::NotTeamMember {
        assignee: agent("ada"),
        team: team("hardware"),
    };
    given([opened()])
        .when(resolve(), foreign.clone())
        .then_refused(refusal);
    given([opened(), assigned("bob")])
        .when(resolve(), foreign)
        .then([solved(hour(96))]);
}

#[test]
fn an_agent_without_a_fit_id_cannot_take_it() {
    let refusal = Refusal::UnfitActor {
        role: Role::Agent,
        id: " ".to_owned(),
    };
    given([opened()])
        .when(resolve(), context(Role::Agent, " "))
        .then_refused(refusal);
}

#[test]
fn a_resolutions_note_comes_before_it() {
    let resolve = Command::Resolve {
        code: code("solved"),
        note: text("Water."),
    };
    let note = Event::InternalNoteAdded {
        message_id: message_id(7),
        body: "Water.".to_owned(),
    };
    given([opened()])
        .when(resolve, ada())
        .then([assigned("ada"), note, solved(hour(96))]);
}

#[test]
fn what_is_blocked_is_not_resolved() {
    let blocked = Context {
        open_blockers: vec![ticket_id(9)],
        ..ada()
    };
    let refusal = Refusal::OpenBlockers {
        tickets: vec![ticket_id(9)],
    };
    given([opened(), assigned("ada")])
        .when(resolve(), blocked)
        .then_refused(refusal);
}

#[test]
fn the_requesters_code_is_not_an_agents_to_use() {
    let code = ResolutionCode::confirmed_by_requester();
    let resolve = Command::Resolve {
        code: code.clone(),
        note: None,
    };
    given([opened()])
        .when(resolve, ada())
        .then_refused(Refusal::ReservedCode { code });
}

#[test]
fn the_requester_confirms_what_someone_has() {
    let confirm = || Command::Confirm;
    let solved = Event::TicketResolved {
        code: ResolutionCode::confirmed_by_requester(),
        reopen_until: hour(96),
    };
    given([opened(), assigned("ada")])
        .when(confirm(), rita())
        .then([solved]);
    given([opened(), pended()])
        .when(confirm(), rita())
        .then_refused(Refusal::NoAssignee);
    let finn = context(Role::Requester, FINN);
    let follower = Event::FollowerAdded {
        follower: FINN.to_owned(),
    };
    given([opened(), follower])
        .when(confirm(), finn)
        .then_refused(Refusal::NotOwnTicket);
}

#[test]
fn reopening_needs_a_reason_of_agents_only() {
    let story = [opened(), assigned("ada"), resolved()];
    let reopen = |reason: Option<&str>| Command::Reopen {
        reason: reason.map(str::to_owned),
    };
    given(story.clone())
        .when(reopen(None), rita())
        .then([reopened(None, 1, Trigger::Requester)]);
    for who in [ada(), lead(), admin(), system()] {
        given(story.clone())
            .when(reopen(None), who.clone())
            .then_refused(Refusal::ReasonRequired);
        given(story.clone())
            .when(reopen(Some(" ")), who)
            .then_refused(Refusal::ReasonRequired);
    }
    given(story.clone())
        .when(reopen(Some("smoke")), ada())
        .then([reopened(Some("smoke"), 1, Trigger::Agent)]);
    given(story)
        .when(reopen(Some("undeliverable")), system())
        .then([reopened(Some("undeliverable"), 1, Trigger::System)]);
}

#[test]
fn reopening_ends_with_the_deadline_and_is_counted() {
    let reopen = || Command::Reopen {
        reason: text("smoke"),
    };
    let once = [opened(), assigned("ada"), resolved()];
    let first = reopened(Some("smoke"), 1, Trigger::Agent);
    given(once.clone())
        .when(reopen(), at(48, ada()))
        .then([first.clone()]);
    for who in [rita(), admin()] {
        let refusal = Refusal::ReopenDeadlinePassed {
            reopen_until: hour(48),
        };
        given(once.clone())
            .when(reopen(), at(49, who))
            .then_refused(refusal);
    }
    let twice = [&once[..], &[first, resolved()]].concat();
    given(twice)
        .when(reopen(), ada())
        .then([reopened(Some("smoke"), 2, Trigger::Agent)]);
}

#[test]
fn closing_waits_for_the_deadline() {
    let story = [opened(), assigned("ada"), resolved()];
    let end = || closed(ClosedReason::Resolved);
    for who in [system(), lead(), admin()] {
        given(story.clone())
            .when(Command::Close, at(48, who.clone()))
            .then([end()]);
        let refusal = Refusal::ReopenWindowOpen {
            reopen_until: hour(48),
        };
        given(story.clone())
            .when(Command::Close, at(47, who))
            .then_refused(refusal);
    }
}

#[test]
fn closing_need_not_wait_when_the_requester_is_content() {
    let end = || closed(ClosedReason::Resolved);
    let confirmed_story = [opened(), assigned("ada"), confirmed()];
    given(confirmed_story.clone())
        .when(Command::Close, system())
        .then([end()]);
    given([opened(), assigned("ada"), resolved()])
        .when(Command::Close, rita())
        .then([end()]);
    // reopening takes the contentment back
    let again = [reopened(None, 1, Trigger::Requester), resolved()];
    given([&confirmed_story[..], &again].concat())
        .when(Command::Close, system())
        .then_refused(Refusal::ReopenWindowOpen {
            reopen_until: hour(48),
        });
}

#[test]
fn spam_is_what_no_agent_has_answered() {
    let end = || closed(ClosedReason::Spam);
    given([opened()]).when(Command::Spam, ada()).then([end()]);
    given([opened(), requester_replied()])
        .when(Command::Spam, ada())
        .then([end()]);
    given([opened(), agent_replied()])
        .when(Command::Spam, ada())
        .then_refused(Refusal::AgentAlreadyReplied);
}

#[test]
fn a_closed_ticket_keeps_when_it_was_resolved() {
    let ticket = ticket(&[
        opened(),
        assigned("ada"),
        resolved(),
        closed(ClosedReason::Resolved),
    ]);
    assert_eq!(ticket.resolved_at, Some(hour(2)));
    assert_eq!(ticket.closed_at, Some(hour(3)));
    assert_eq!(ticket.closed_reason, Some(ClosedReason::Resolved));
}

//! Every command in every status as every role: what is decided is what the table says, as the docs print it.

use shared_kernel::{Aggregate, Role, Stamp, StreamVersion};
use ticket_aggregate::Ticket;
use ticket_aggregate::{Command, CommandKind, Context, Event, Rejection, Status, command_table};

use crate::samples;
use crate::scenario::{actor, agent_replied, assigned, context, hour, on_hold, opened, pended, resolved, ticket};

/// What the printed table says of a command: `None` for a command that it has no row for.
fn printed(command: CommandKind, role: Role, status: Status) -> Option<String> {
    let table = command_table();
    let cells = table.lines().skip(2).map(|line| {
        let cells: Vec<String> = line.trim_matches('|').split('|').map(|it| it.trim().to_owned()).collect();
        assert_eq!(cells.len(), 4, "{line}");
        cells
    });
    let mut found = cells.filter(|cells| {
        let by = |word: &str| cells[1].split(", ").any(|it| it == word);
        let role_matches =
            by("anyone") || by(role.as_str()) || (by("agent") && matches!(role, Role::Lead | Role::Admin));
        let status_matches = cells[2] == "any" || cells[2].split(", ").any(|it| it == status.as_str());
        cells[0] == command.as_str() && role_matches && status_matches
    });
    let row = found.next().map(|cells| cells[3].clone());
    assert_eq!(found.next(), None, "two rows for {command} of a {role} in {status}");
    row
}

/// A ticket in that status on which every guard of the command is satisfied for that actor.
fn history(status: Status, command: CommandKind) -> Vec<Event> {
    let assignee = if command == CommandKind::Assign { "bob" } else { "ada" };
    let mut events = vec![opened()];
    if status != Status::New {
        events.push(assigned(assignee));
    }
    if command == CommandKind::AwaitRequester {
        events.push(agent_replied());
    }
    match status {
        Status::New | Status::Open => {}
        Status::Pending => events.push(pended()),
        Status::OnHold => events.push(on_hold(Some(hour(48)))),
        Status::Resolved => events.push(resolved()),
        Status::Closed => {
            let reason = ticket_aggregate::ClosedReason::Resolved;
            events.extend([resolved(), Event::TicketClosed { reason }]);
        }
    }
    if status == Status::New && command == CommandKind::AwaitRequester {
        events.pop();
    }
    events
}

/// At hour 48 a wake is due, and reopening and closing are both possible.
fn moment(role: Role) -> Context {
    let name = if role == Role::Requester { "rita" } else { "ada" };
    Context { now: hour(48), ..context(actor(role, name)) }
}

fn check(kind: CommandKind, role: Role, status: Status) {
    let context = moment(role);
    let before = ticket(&history(status, kind));
    assert_eq!(before.status, status);
    let command: Command = samples::command(kind, "ada");
    let outcome = Ticket::decide(Some(&before), &command, &context);
    let expected = printed(kind, role, status);
    let ever = Status::ALL.iter().any(|status| printed(kind, role, *status).is_some());
    let case = format!("{kind} of a {role} in {status}");

    let Some(then) = expected else {
        let allowed = before.allowed_commands(role);
        assert!(!allowed.contains(&kind), "{case}");
        let refusal = match kind {
            CommandKind::Open => Rejection::AlreadyOpened,
            _ if !ever => Rejection::Forbidden { command: kind, role },
            _ => Rejection::IllegalTransition { command: kind, status, allowed },
        };
        assert_eq!(outcome, Err(refusal), "{case}");
        return;
    };
    assert!(before.allowed_commands(role).contains(&kind), "{case}");
    if then == "the same; a new ticket follows up" {
        assert_eq!(outcome, Err(Rejection::FollowUpNeeded { status }), "{case}");
        return;
    }
    if (kind, role, status) == (CommandKind::Resolve, Role::System, Status::New) {
        // nobody has a new ticket, and a policy can't take it as an agent would
        assert_eq!(outcome, Err(Rejection::NoAssignee), "{case}");
        return;
    }
    let stamp = Stamp { occurred_at: hour(48), version: StreamVersion(99) };
    let fold = |state, event: &Event| Ticket::evolve(state, event, &stamp);
    let events = outcome.unwrap_or_else(|refusal| panic!("{case}: {refusal}"));
    let after = events.iter().fold(Some(before), fold).unwrap().status;
    let then = if then == "the same" { status.as_str() } else { &then };
    assert_eq!(after.as_str(), then, "{case}");
}

#[test]
fn decide_follows_table() {
    for kind in CommandKind::ALL {
        for role in Role::ALL {
            for status in Status::ALL {
                check(*kind, *role, *status);
            }
        }
    }
}

#[test]
fn only_open_is_possible_first() {
    for kind in CommandKind::ALL {
        for role in Role::ALL {
            let context = moment(*role);
            let outcome = Ticket::decide(None, &samples::command(*kind, "ada"), &context);
            let ever = Status::ALL.iter().any(|status| printed(*kind, *role, *status).is_some());
            match outcome {
                Ok(events) => {
                    assert_eq!(*kind, CommandKind::Open);
                    assert_eq!(events.len(), 1);
                }
                Err(refusal) if ever => assert_eq!(refusal, Rejection::NotOpened),
                Err(refusal) => {
                    assert_eq!(refusal, Rejection::Forbidden { command: *kind, role: *role });
                }
            }
        }
    }
}

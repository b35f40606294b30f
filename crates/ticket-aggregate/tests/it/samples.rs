//! One event of every type and one command of every kind.

use shared_kernel::{Personal, StreamVersion};
use ticket_aggregate::{
    AssignmentMethod, Channel, ClosedReason, Command, CommandKind, Event, LinkKind, Opening, Priority, SubjectChange,
    TicketNumber, TicketOpened, Trigger,
};

use crate::scenario::{
    agent, code, hour, message, message_id, person, recipients, request, tags, team, text, ticket_id,
};

/// In the order of `EVENT_TYPES`, with every member filled.
pub(crate) fn events() -> Vec<Event> {
    let mut events = messages();
    events.splice(0..0, [opened()]);
    events.extend(changes());
    events.extend(steps());
    events.extend(company());
    events
}

fn opened() -> Event {
    Event::TicketOpened(Box::new(TicketOpened {
        number: TicketNumber::try_from(1042).unwrap(),
        requester: Some(person("rita")),
        channel: Channel::parse("email").unwrap(),
        personal: Personal::new(
            Some(person("rita")),
            Opening { subject: "The printer is on fire".to_owned(), body: "Please help.\nIt is hot.".to_owned() },
        ),
        priority: Priority::High,
        category: text("printers"),
        team: Some(team("hardware")),
        tags: tags(&["fire", "vip"]),
        source_id: text("<1@example.com>"),
        follow_up_of: Some(ticket_id(9)),
    }))
}

fn messages() -> Vec<Event> {
    vec![
        Event::PublicReplyAdded {
            message_id: message_id(1),
            personal: message("rita", "Which \"one\"?"),
            recipients: recipients(&["rita", "finn"]),
            source_id: text("<2@example.com>"),
        },
        Event::RequesterReplied {
            message_id: message_id(2),
            personal: message("rita", "That one."),
            source_id: text("<3@example.com>"),
        },
        Event::InternalNoteAdded { message_id: message_id(3), personal: message("rita", "Arson?") },
    ]
}

fn changes() -> Vec<Event> {
    vec![
        Event::AgentAssigned { from: Some(agent("bob")), to: agent("ada"), method: AssignmentMethod::OwnChoice },
        Event::AgentUnassigned { from: agent("ada"), reason: text("routed") },
        Event::TeamAssigned { from: Some(team("hardware")), to: team("fire-brigade") },
        Event::PriorityChanged { from: Priority::Low, to: Priority::Urgent, reason: text("it spreads") },
        Event::CategoryChanged { from: text("printers"), to: "fires".to_owned() },
        Event::TagsAdded { tags: tags(&["hot", "smoke"]) },
        Event::TagsRemoved { tags: tags(&["hot"]) },
        Event::SubjectChanged {
            personal: Personal::new(
                Some(person("rita")),
                SubjectChange { from: "Fire".to_owned(), to: "Big fire".to_owned() },
            ),
        },
        Event::RequesterChanged { from: Some(person("rita")), to: person("finn"), reason: text("on behalf") },
    ]
}

fn steps() -> Vec<Event> {
    vec![
        Event::WorkStarted {},
        Event::TicketPended {},
        Event::TicketPutOnHold { reason: text("awaiting a part"), wake_at: Some(hour(48)) },
        Event::TicketResumed { trigger: Trigger::Timer },
        Event::TicketResolved { code: code("solved"), reopen_until: hour(72) },
        Event::TicketReopened { reason: text("it burns again"), count: 1, trigger: Trigger::Requester },
        Event::TicketClosed { reason: ClosedReason::Resolved },
    ]
}

fn company() -> Vec<Event> {
    vec![
        Event::TicketLinked { kind: LinkKind::BlockedBy, other: ticket_id(9) },
        Event::TicketUnlinked { kind: LinkKind::BlockedBy, other: ticket_id(9) },
        Event::FollowerAdded { follower: person("finn") },
        Event::FollowerRemoved { follower: person("finn") },
    ]
}

/// A command of that kind that is sound in itself; agents assign to `assignee`. Timers were set by a story's third event.
pub(crate) fn command(kind: CommandKind, assignee: &str) -> Command {
    match kind {
        CommandKind::Open => Command::Open(request()),
        CommandKind::Reply => Command::Reply { body: "Hello".to_owned(), source_id: None },
        CommandKind::Note => Command::Note { body: "Hmm".to_owned() },
        CommandKind::Assign => Command::Assign { assignee: agent(assignee) },
        CommandKind::Unassign => Command::Unassign,
        CommandKind::Route => Command::Route { team: team("network") },
        CommandKind::Prioritize => Command::Prioritize { priority: Priority::High, reason: None },
        CommandKind::Categorize => Command::Categorize { category: "fires".to_owned() },
        CommandKind::Rename => Command::Rename { subject: "Fire".to_owned() },
        CommandKind::ChangeRequester => {
            Command::ChangeRequester { requester: person("finn"), reason: text("on behalf") }
        }
        CommandKind::Tag => Command::Tag { tags: tags(&["hot"]) },
        CommandKind::Untag => Command::Untag { tags: tags(&["vip"]) },
        CommandKind::Follow => Command::Follow { follower: person("finn") },
        CommandKind::Unfollow => Command::Unfollow { follower: person("finn") },
        CommandKind::Start => Command::Start,
        CommandKind::AwaitRequester => Command::AwaitRequester,
        CommandKind::Hold => Command::Hold { reason: "a part".to_owned(), wake_at: None },
        CommandKind::Resume => Command::Resume,
        CommandKind::Resolve => Command::Resolve { code: code("solved"), note: None },
        CommandKind::Confirm => Command::Confirm,
        CommandKind::Reopen => Command::Reopen { reason: text("it burns again") },
        CommandKind::Close => Command::Close,
        CommandKind::Spam => Command::Spam,
        CommandKind::Link => Command::Link { kind: LinkKind::Blocks, other: ticket_id(9) },
        CommandKind::Unlink => Command::Unlink { kind: LinkKind::Blocks, other: ticket_id(9) },
        CommandKind::Wake => Command::Wake { set_by: StreamVersion(3) },
        CommandKind::AutoClose => Command::AutoClose { set_by: StreamVersion(3) },
    }
}

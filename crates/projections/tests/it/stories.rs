//! The stories of tickets.

use shared_kernel::testing::{agent, person, team};
use shared_kernel::{AgentId, Personal};
use ticket_aggregate::{
    AssignmentMethod, Channel, Event, Message, MessageId, Opening, Priority, ResolutionCode, SubjectChange, Tag,
    TicketNumber, TicketOpened,
};
use uuid::Uuid;

use crate::world::far;

pub(crate) fn opened(n: u128) -> Event {
    let number = i64::try_from(n).unwrap() + 1;
    let requester = Some(person(&format!("requester {}", n % 7)));
    let opening = Opening {
        subject: format!("Printer {n} is \"on\" fire, {{again}}"),
        body: format!("It burns: floor {}, \\backslash", n % 5),
    };
    Event::TicketOpened(Box::new(TicketOpened {
        number: TicketNumber::try_from(number).unwrap(),
        requester,
        channel: Channel::default(),
        personal: Personal::new(requester, opening),
        priority: Priority::ALL[usize::try_from(n % 4).unwrap()],
        category: Some("hardware".into()),
        team: (!n.is_multiple_of(3)).then(|| team(&format!("team {}", n % 3))),
        tags: [format!("tag {}", n % 2), "a \"quoted\\ one\"".into()].iter().map(|t| Tag::parse(t).unwrap()).collect(),
        source_id: None,
        follow_up_of: None,
    }))
}

pub(crate) fn note(body: &str) -> Event {
    Event::InternalNoteAdded { message_id: MessageId(Uuid::nil()), personal: message(body) }
}

fn message(body: &str) -> Personal<Message> {
    Personal::new(None, Message { body: body.into() })
}

/// The agent who has a ticket.
fn assignee(n: u128) -> AgentId {
    agent(&format!("agent {}", n % 4))
}

pub(crate) fn story(n: u128) -> Vec<Event> {
    let message_id = MessageId(Uuid::nil());
    let mut events = vec![
        opened(n),
        note("Arson?"),
        Event::AgentAssigned { from: None, to: assignee(n), method: AssignmentMethod::Automatic },
        Event::FollowerAdded { follower: person("finn") },
        Event::PublicReplyAdded {
            message_id,
            personal: message(&format!("Which one? {n}")),
            recipients: Vec::new(),
            source_id: None,
        },
        Event::SubjectChanged {
            personal: Personal::new(None, SubjectChange { from: String::new(), to: format!("Big fire {n}") }),
        },
        Event::PriorityChanged { from: Priority::Low, to: Priority::Urgent, reason: None },
    ];
    if n.is_multiple_of(2) {
        let code = ResolutionCode::parse("solved").unwrap();
        events.push(Event::TicketResolved { code, reopen_until: far() });
    }
    events
}

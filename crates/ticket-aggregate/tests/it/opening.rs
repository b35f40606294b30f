//! Opening a ticket.

use shared_kernel::testing::given_nothing;
use shared_kernel::{Actor, Aggregate, Personal};
use ticket_aggregate::Ticket;
use ticket_aggregate::{
    Channel, ClosedReason, Command, Event, Open, Opening, Priority, Rejection, TicketNumber, TicketOpened,
};

use crate::scenario::{
    ada, assigned, finn, given, opened, person, request, resolved, rita, routed_request, tags, team, text, ticket,
    ticket_id,
};

fn facts(event: &Event) -> &TicketOpened {
    match event {
        Event::TicketOpened(opened) => opened,
        other => panic!("{other:?}"),
    }
}

fn open(open: Open, context: &ticket_aggregate::Context) -> Result<TicketOpened, Rejection> {
    let events = Ticket::decide(None, &Command::Open(open), context)?;
    assert_eq!(events.len(), 1);
    Ok(facts(&events[0]).clone())
}

#[test]
fn open_records_all() {
    let asked = Open {
        channel: Channel::parse("email").unwrap(),
        priority: Priority::Urgent,
        category: text("fires"),
        follow_up_of: Some(ticket_id(5)),
        ..routed_request()
    };
    let opened = open(asked.clone(), &ada()).unwrap();
    let expected = TicketOpened {
        number: asked.number,
        requester: asked.requester,
        channel: asked.channel,
        personal: Personal::new(asked.requester, Opening { subject: asked.subject, body: asked.body }),
        priority: Priority::Urgent,
        category: text("fires"),
        team: Some(team("hardware")),
        tags: tags(&["vip"]),
        source_id: text("mail-1"),
        follow_up_of: Some(ticket_id(5)),
    };
    assert_eq!(opened, expected);
}

#[test]
fn open_by_requester_is_for_themselves() {
    let opened = open(Open { requester: None, ..request() }, &rita()).unwrap();
    assert_eq!(opened.requester, Some(person("rita")));
}

#[test]
fn open_under_merged_id_is_canonical() {
    let mut merged = finn();
    merged.actor.merged.insert(person("rita"));
    let opened = open(request(), &merged).unwrap();
    assert_eq!((opened.requester, opened.personal.of), (Some(person("finn")), person("finn")));
}

#[test]
fn open_by_requester_refuses_staff_fields() {
    let urgent = Open { priority: Priority::Urgent, ..request() };
    let mailed = Open { channel: Channel::parse("email").unwrap(), ..request() };
    let filed = Open { category: text("fires"), ..request() };
    let tagged = Open { tags: tags(&["vip"]), ..request() };
    let routed = Open { team: Some(team("hardware")), ..request() };
    let reserved = [(urgent, "priority"), (mailed, "channel"), (filed, "category"), (tagged, "tags"), (routed, "team")];
    for (open, field) in reserved {
        given_nothing::<Ticket>()
            .when(Command::Open(open), rita())
            .then_rejected(Rejection::ReservedForStaff { field });
    }
}

#[test]
fn open_by_requester_for_another_is_refused() {
    let request = Command::Open(request());
    given([]).when(request, finn()).then_rejected(Rejection::OpenForAnother);
}

#[test]
fn open_by_agent_for_anyone_or_nobody() {
    assert!(open(request(), &ada()).unwrap().requester.is_some());
    assert_eq!(open(Open { requester: None, ..request() }, &ada()).unwrap().requester, None);
}

#[test]
fn open_twice_is_refused() {
    given([opened()]).when(Command::Open(request()), rita()).then_rejected(Rejection::AlreadyOpened);
}

#[test]
fn follow_up_keeps_queue() {
    let closed = Event::TicketClosed { reason: ClosedReason::Resolved };
    let previous = ticket(&[opened(), assigned("ada"), resolved(), closed]);
    let number = TicketNumber::try_from(1043).unwrap();
    let follow_up = |author: &Actor| {
        let body = "It burns again".to_owned();
        Open::follow_up(ticket_id(1), &previous, number, author, body, text("mail-9"))
    };
    let opened = open(follow_up(&rita().actor), &rita()).unwrap();
    assert_eq!(opened.follow_up_of, Some(ticket_id(1)));
    assert_eq!(opened.personal.text.subject, previous.subject);
    assert_eq!(opened.team, previous.team);
    assert_eq!(opened.requester, previous.requester);
    assert_eq!(opened.source_id, text("mail-9"));

    // a follower who writes asks for themselves
    let theirs = open(follow_up(&finn().actor), &finn()).unwrap();
    assert_eq!((theirs.requester, theirs.personal.of), (Some(person("finn")), person("finn")));
}

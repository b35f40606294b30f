//! Opening a ticket.

use shared_kernel::testing::given_nothing;
use shared_kernel::{Actor, Aggregate, Requester, Role};
use ticket_aggregate::Ticket;
use ticket_aggregate::{Channel, ClosedReason, Command, Event, Open, Priority, Rejection, TicketNumber, TicketOpened};

use crate::scenario::{
    FINN, RITA, ada, assigned, context, given, opened, request, resolved, rita, routed_request, tags, team, text,
    ticket, ticket_id,
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
fn records_all_that_was_asked() {
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
        subject: asked.subject,
        body: asked.body,
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
fn a_requester_opens_for_themselves() {
    let opened = open(Open { requester: None, ..request() }, &rita()).unwrap();
    assert_eq!(opened.requester, Some(Requester::parse(RITA, None).unwrap()));
}

#[test]
fn a_requester_may_give_their_name_and_write_their_address_as_they_like() {
    let shouted = context(Role::Requester, "Rita@Example.COM");
    let opened = open(request(), &shouted).unwrap();
    assert_eq!(opened.requester.unwrap().name(), Some("Rita"));
}

#[test]
fn opening_by_requester_refuses_what_staff_sets() {
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
fn a_requester_may_not_open_for_another() {
    let request = Command::Open(request());
    given([]).when(request, context(Role::Requester, FINN)).then_rejected(Rejection::OpenForAnother);
}

#[test]
fn a_requester_needs_an_address() {
    let request = Command::Open(Open { requester: None, ..request() });
    let refusal = Rejection::UnfitActor { role: Role::Requester, id: "rita".to_owned() };
    given([]).when(request, context(Role::Requester, "rita")).then_rejected(refusal);
}

#[test]
fn an_agent_opens_for_anyone_or_nobody() {
    assert!(open(request(), &ada()).unwrap().requester.is_some());
    assert_eq!(open(Open { requester: None, ..request() }, &ada()).unwrap().requester, None);
}

#[test]
fn a_ticket_is_opened_once() {
    given([opened()]).when(Command::Open(request()), rita()).then_rejected(Rejection::AlreadyOpened);
}

#[test]
fn a_follow_up_goes_on_in_the_same_queue() {
    let closed = Event::TicketClosed { reason: ClosedReason::Resolved };
    let previous = ticket(&[opened(), assigned("ada"), resolved(), closed]);
    let number = TicketNumber::try_from(1043).unwrap();
    let author = Actor::new(Role::Requester, RITA);
    let follow_up = |author: &Actor| {
        let body = "It burns again".to_owned();
        Open::follow_up(ticket_id(1), &previous, number, author, body, text("mail-9"))
    };
    let opened = open(follow_up(&author), &rita()).unwrap();
    assert_eq!(opened.follow_up_of, Some(ticket_id(1)));
    assert_eq!(opened.subject, previous.subject);
    assert_eq!(opened.team, previous.team);
    assert_eq!(opened.requester, previous.requester);
    assert_eq!(opened.source_id, text("mail-9"));

    let follower = context(Role::Requester, FINN);
    let theirs = open(follow_up(&follower.actor), &follower).unwrap();
    assert_eq!(theirs.requester.unwrap().email(), FINN);
}

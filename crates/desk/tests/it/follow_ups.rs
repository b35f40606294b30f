//! A requester's reply to a ticket that is over opens another one.

use desk::TicketCommand;
use shared_kernel::testing::person;
use ticket_aggregate::{Command, TicketId};

use crate::cast::{WINDOW, ada, finn, follow, hold, lea, reply, resolve, rita, root};
use crate::world::World;

/// A ticket of Rita's, resolved by Ada and closed.
async fn closed(world: &World) -> TicketId {
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(rita(), ticket, Command::Close).ok().await;
    ticket
}

#[tokio::test]
async fn reply_to_closed_ticket_opens_follow_up() {
    let world = World::new().await;
    let ticket = closed(&world).await;
    let answered = world.when(rita(), ticket, reply("It burns again.")).at(1).ok().await;
    assert_ne!(answered.id, ticket);
    assert_eq!((answered.version, answered.ticket.number.get()), (1, 2));
    assert_eq!((answered.ticket.follow_up_of, answered.ticket.body.as_str()), (Some(ticket), "It burns again."));
    assert_eq!(answered.ticket.subject, "The printer is on fire");
    assert!(answered.ticket.is_requested_by(&rita()));
    assert_eq!(world.events(ticket).await.last().unwrap(), "closed");
    assert_eq!(world.events(answered.id).await, ["opened"]);
}

#[tokio::test]
async fn reply_after_reopen_deadline_opens_follow_up() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, resolve()).ok().await;
    let answered = world.when(rita(), ticket, reply("Again.")).at(WINDOW + 1).ok().await;
    assert_eq!(answered.ticket.follow_up_of, Some(ticket));
}

#[tokio::test]
async fn follow_up_replays_to_same_ticket() {
    let world = World::new().await;
    let ticket = closed(&world).await;
    let first = world.when(rita(), ticket, reply("Again.")).key("k", "f").ok().await;
    let again = world.when(rita(), ticket, reply("Again.")).key("k", "f").ok().await;
    assert_eq!((again.id, again.version, again.replayed), (first.id, 1, Some(201)));
    assert_eq!(world.head().await, 5);
}

#[tokio::test]
async fn follow_up_of_follower_is_their_own() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, follow("finn")).ok().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(rita(), ticket, Command::Close).ok().await;
    let answered = world.when(finn(), ticket, reply("For me, too.")).ok().await;
    assert!(answered.ticket.is_requested_by(&finn()) && !answered.ticket.is_requested_by(&rita()));
}

#[tokio::test]
async fn follow_up_keeps_team_and_has_no_assignee() {
    let world = World::new().await;
    let ticket = closed(&world).await;
    let answered = world.when(rita(), ticket, reply("Again.")).ok().await;
    assert_eq!(answered.ticket.team, Some(shared_kernel::testing::team("hardware")));
    assert_eq!(answered.ticket.assignee, None);
    assert!(world.agent("ada").await.slots.is_empty());
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn follow_ups_at_once_have_their_own_numbers() {
    let world = World::new().await;
    let beside = world.another().await;
    let (one, other) = (closed(&world).await, closed(&world).await);
    // both are about to be given the number 3
    let held = world.hold_appends().await;
    let again = "select setval('ticket_numbers', 3, false)";
    let (one, other, ()) = tokio::join!(
        world.when(rita(), one, reply("Again.")).run(),
        async {
            world.until_waiting(1).await;
            sqlx::query(again).execute(&world.owner).await.unwrap();
            world.when(rita(), other, reply("Again.")).on(&beside).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    let (one, other) = (one.unwrap().ticket, other.unwrap().ticket);
    assert_eq!((one.number.get(), other.number.get()), (3, 4));
}

#[tokio::test]
async fn follow_up_of_merged_person_is_of_the_other() {
    let world = World::new().await;
    let ticket = closed(&world).await;
    world.desk.merge_people(person("rita"), person("finn"), world.call(root())).await.unwrap();
    let mut caller = finn();
    caller.actor.merged = [person("rita")].into();
    let answered = world.when(caller, ticket, reply("Again.")).ok().await;
    assert_eq!((answered.ticket.follow_up_of, answered.ticket.requester), (Some(ticket), Some(person("finn"))));
}

#[tokio::test]
async fn mail_delivered_again_opens_one_follow_up() {
    let world = World::new().await;
    let ticket = closed(&world).await;
    let mail = || Command::Reply { body: "Again.".into(), source_id: Some("mail-7".into()) };
    let first = world.when(rita(), ticket, mail()).ok().await;
    let again = world.when(rita(), ticket, mail()).refused().await;
    assert_eq!((again.code.as_str(), again.holder), ("source_id_used", Some(first.id)));
}

#[tokio::test]
async fn staff_reply_to_closed_ticket_is_refused() {
    let world = World::new().await;
    let ticket = closed(&world).await;
    world.when(lea(), ticket, reply("Hello?")).then_refused("illegal_transition").await;
    let several: Vec<TicketCommand> = vec![reply("Again.").into(), hold().into()];
    world.when_all(rita(), ticket, several[..1].to_vec()).no_follow_up().then_refused("follow_up_needed").await;
    world.when_all(rita(), ticket, several).then_refused("forbidden").await;
    assert_eq!(world.events(ticket).await.len(), 4);
}

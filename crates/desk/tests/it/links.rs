use shared_kernel::testing::person;
use ticket_aggregate::{Command, LinkKind, Status, TicketId};

use crate::cast::{ada, assign, blocked_by, hour, lea, note, reopen, resolve, rita, route, unblocked_by};
use crate::world::{World, since_setup};

fn links(ticket: &ticket_aggregate::Ticket) -> Vec<(LinkKind, TicketId)> {
    ticket.links.iter().map(|link| (link.kind, link.other)).collect()
}

async fn links_of(world: &World, ticket: TicketId) -> Vec<(LinkKind, TicketId)> {
    // a command without effect answers with the ticket as it is
    links(&world.when(lea(), ticket, Command::Unfollow { follower: person("nobody") }).ok().await.ticket)
}

#[tokio::test]
async fn link_is_recorded_on_both_tickets_in_one_unit() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    let linked = world.when(ada(), ticket, blocked_by(other)).ok().await;
    assert_eq!((linked.version, linked.position, linked.events), (2, 3, 2));
    assert_eq!(links(&linked.ticket), [(LinkKind::BlockedBy, other)]);
    assert_eq!(links_of(&world, other).await, [(LinkKind::Blocks, ticket)]);
    let (here, there) = (world.recorded(ticket).await, world.recorded(other).await);
    assert_eq!((since_setup(here[1].position), since_setup(there[1].position), there[1].version.0), (3, 4, 2));
    assert_eq!(here[1].metadata().unwrap(), there[1].metadata().unwrap());
}

#[tokio::test]
async fn unlink_is_recorded_on_both_tickets_in_one_unit() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(other)).ok().await;
    // from the other side
    let unlink = Command::Unlink { kind: LinkKind::Blocks, other: ticket };
    let unlinked = world.when(ada(), other, unlink).ok().await;
    assert_eq!((unlinked.version, unlinked.position, unlinked.events), (3, 5, 2));
    assert_eq!((links_of(&world, ticket).await, links_of(&world, other).await), (vec![], vec![]));
    assert_eq!(world.events(ticket).await, ["opened", "linked", "unlinked"]);
    assert_eq!(world.events(other).await, ["opened", "linked", "unlinked"]);
}

#[tokio::test]
async fn link_again_records_nothing() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(other)).ok().await;
    assert_eq!(world.when(ada(), ticket, blocked_by(other)).ok().await.events, 0);
    assert_eq!(world.head().await, 4);
}

#[tokio::test]
async fn link_to_unknown_ticket_is_refused() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, blocked_by(world.new_id())).then_refused("other_not_found").await;
    world.when(ada(), ticket, blocked_by(ticket)).then_refused("link_to_itself").await;
    assert_eq!(world.head().await, 1);
}

#[tokio::test]
async fn link_to_invisible_ticket_is_refused() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(lea(), other, route("network")).ok().await;
    world.when(ada(), ticket, blocked_by(other)).then_refused("other_not_found").await;
    assert_eq!((world.events(ticket).await.len(), world.events(other).await.len()), (1, 2));
    assert_eq!(world.when(lea(), ticket, blocked_by(other)).ok().await.events, 2);
}

#[tokio::test]
async fn link_replays_by_key() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(other)).key("k", "f").ok().await;
    let again = world.when(ada(), ticket, blocked_by(other)).key("k", "f").ok().await;
    assert_eq!((again.version, again.position, again.replayed), (2, 3, Some(201)));
    assert_eq!(world.head().await, 4);
}

#[tokio::test]
async fn link_happens_after_each_ticket() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(ada(), other, note("ahead")).at(5).ok().await;
    let linked = world.when(ada(), ticket, blocked_by(other)).at(3).ok().await;
    assert_eq!(linked.ticket.updated_at, hour(3));
    assert_eq!(world.recorded(ticket).await[1].occurred_at, hour(3));
    assert_eq!(world.recorded(other).await[2].occurred_at, hour(5));
}

#[tokio::test]
async fn link_retries_when_other_ticket_changes() {
    let world = World::new().await;
    let beside = world.another().await;
    let (ticket, other) = (world.open().await, world.open().await);
    let held = world.hold_appends().await;
    let (noted, linked, ()) = tokio::join!(
        world.when(ada(), other, note("first")).on(&beside).run(),
        async {
            world.until_waiting(1).await;
            world.when(ada(), ticket, blocked_by(other)).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    assert_eq!((noted.unwrap().version, linked.unwrap().version), (2, 2));
    assert_eq!(world.events(other).await, ["opened", "internal_note_added", "linked"]);
}

#[tokio::test]
async fn resolve_is_rejected_by_open_blocker() {
    let world = World::new().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(ada(), ticket, resolve()).then_refused("open_blockers").await;
    // the blocker itself is not blocked
    world.when(ada(), blocker, resolve()).ok().await;
    assert_eq!(world.when(ada(), ticket, resolve()).ok().await.ticket.status, Status::Resolved);
}

#[tokio::test]
async fn resolve_is_released_by_closed_blocker() {
    let world = World::new().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(ada(), blocker, Command::Spam).ok().await;
    assert_eq!(world.when(ada(), ticket, resolve()).ok().await.ticket.status, Status::Resolved);
}

#[tokio::test]
async fn resolve_is_released_by_unlink() {
    let world = World::new().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(ada(), ticket, unblocked_by(blocker)).ok().await;
    assert_eq!(world.when(ada(), ticket, resolve()).ok().await.ticket.status, Status::Resolved);
}

#[tokio::test]
async fn resolve_sees_blocker_resolved_elsewhere() {
    let world = World::new().await;
    let beside = world.another().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(ada(), blocker, resolve()).on(&beside).ok().await;
    assert_eq!(world.when(ada(), ticket, resolve()).ok().await.ticket.status, Status::Resolved);
}

#[tokio::test]
async fn invisible_blocker_blocks() {
    let world = World::new().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(lea(), blocker, route("network")).ok().await;
    world.when(ada(), ticket, resolve()).then_refused("open_blockers").await;
}

#[tokio::test]
async fn resolve_demands_version_of_blocker() {
    let world = World::new().await;
    let beside = world.another().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(ada(), blocker, resolve()).ok().await;
    // the blocker is reopened after the resolution was decided, and before it is recorded
    let held = world.hold_appends().await;
    let (reopened, resolved, ()) = tokio::join!(
        world.when(rita(), blocker, reopen("It burns")).on(&beside).run(),
        async {
            world.until_waiting(1).await;
            world.when(ada(), ticket, resolve()).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    reopened.unwrap();
    assert_eq!(resolved.unwrap_err().code, "open_blockers");
    assert_eq!(world.events(ticket).await, ["opened", "linked"]);
}

#[tokio::test]
async fn resolve_retries_when_blocker_changes() {
    let world = World::new().await;
    let beside = world.another().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    world.when(ada(), ticket, blocked_by(blocker)).ok().await;
    world.when(ada(), blocker, resolve()).ok().await;
    let held = world.hold_appends().await;
    let (noted, resolved, ()) = tokio::join!(
        world.when(ada(), blocker, note("still resolved")).on(&beside).run(),
        async {
            world.until_waiting(1).await;
            world.when(ada(), ticket, resolve()).run().await
        },
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    noted.unwrap();
    assert_eq!(resolved.unwrap().ticket.status, Status::Resolved);
}

#[tokio::test]
async fn several_links_in_one_request_are_recorded_on_all_tickets() {
    let world = World::new().await;
    let (ticket, one, two) = (world.open().await, world.open().await, world.open().await);
    let done = world.when_all(lea(), ticket, vec![blocked_by(one), blocked_by(two)]).ok().await;
    assert_eq!((done.version, done.events), (3, 4));
    for other in [one, two] {
        assert_eq!(world.events(other).await, ["opened", "linked"]);
    }
    assert_eq!(world.verify().await.broken, 0);
}

#[tokio::test]
async fn link_and_resolve_in_one_request_name_each_stream_once() {
    let world = World::new().await;
    let (ticket, blocker) = (world.open().await, world.open().await);
    let rejected = world.when_all(ada(), ticket, vec![blocked_by(blocker), resolve()]).refused().await;
    assert_eq!(rejected.code, "open_blockers");
    world.when_all(ada(), blocker, vec![assign("ada"), resolve()]).ok().await;
    // the blocker is linked, and demanded by the resolution
    let done = world.when_all(ada(), ticket, vec![blocked_by(blocker), resolve()]).ok().await;
    assert_eq!(done.events, 4);
    assert_eq!(world.events(blocker).await.last().unwrap(), "linked");
}

#[tokio::test]
async fn link_and_unlink_in_one_request_is_one_append_on_each_ticket() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when_all(lea(), ticket, vec![blocked_by(other), unblocked_by(other)]).ok().await;
    assert_eq!(world.events(ticket).await, ["opened", "linked", "unlinked"]);
    assert_eq!(world.events(other).await, ["opened", "linked", "unlinked"]);
}

#[tokio::test]
async fn answer_has_the_time_of_its_own_ticket() {
    let world = World::new().await;
    let (ticket, other) = (world.open().await, world.open().await);
    world.when(lea(), ticket, assign("lea")).at(1).ok().await;
    world.when(lea(), other, note("later")).at(5).ok().await;
    let commands = vec![resolve(), blocked_by(other), note("after")];
    let done = world.when_all(lea(), ticket, commands).at(2).ok().await;
    assert_eq!(done.ticket.resolved_at, Some(hour(2)));
    let read = crate::query::now(&world.another().await, &lea(), ticket).await.unwrap();
    assert_eq!(done.ticket, read.ticket);
}

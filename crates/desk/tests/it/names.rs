//! Names in commands: handles of agents and teams, addresses of people.

use desk::TicketCommand;
use shared_kernel::testing::{agent, person, team};
use ticket_aggregate::Command;

use crate::cast::{ada, ben, email, finn, lea, note, rita, root, route};
use crate::world::World;

fn assign(name: &str) -> TicketCommand {
    TicketCommand::Assign { assignee: name.parse().unwrap(), over_capacity: false }
}

fn route_to(name: &str) -> TicketCommand {
    TicketCommand::Route { team: name.parse().unwrap() }
}

fn follow(name: &str) -> TicketCommand {
    TicketCommand::Follow { follower: name.parse().unwrap() }
}

fn requester(name: &str) -> TicketCommand {
    TicketCommand::ChangeRequester { requester: name.parse().unwrap(), reason: None }
}

#[tokio::test]
async fn handles_and_ids_name_agents_and_teams() {
    let world = World::new().await;
    let ticket = world.open().await;
    for (name, route) in [("network", route_to("network")), ("hardware", route_to(&team("hardware").to_string()))] {
        assert_eq!(world.when(lea(), ticket, route).ok().await.ticket.team, Some(team(name)));
    }
    for (name, assign) in [("lea", assign("lea")), ("ada", assign(&agent("ada").to_string()))] {
        assert_eq!(world.when(lea(), ticket, assign).ok().await.ticket.assignee, Some(agent(name)));
    }
}

#[tokio::test]
async fn unknown_names_are_refused() {
    let world = World::new().await;
    let ticket = world.open().await;
    let nobody = person("nobody").to_string();
    let refusals = [
        (assign("nobody"), "unknown_assignee"),
        (assign(&agent("nobody").to_string()), "unknown_assignee"),
        (route_to("nowhere"), "unknown_team"),
        (route_to(&team("nowhere").to_string()), "unknown_team"),
        (follow("nobody@example.com"), "unknown_follower"),
        (follow(&nobody), "unknown_follower"),
        (requester(&nobody), "unknown_requester"),
    ];
    for (command, code) in refusals {
        world.when(lea(), ticket, command).then_refused(code).await;
    }
    assert_eq!(world.head().await, 1);
}

#[tokio::test]
async fn followers_are_named_by_address() {
    let world = World::new().await;
    let ticket = world.open().await;
    let followed = world.when(ada(), ticket, follow("Finn@Example.com")).ok().await;
    assert_eq!(followed.ticket.followers, [person("finn")].into());
    let unfollow = TicketCommand::Unfollow { follower: "finn@example.com".parse().unwrap() };
    assert!(world.when(ada(), ticket, unfollow).ok().await.ticket.followers.is_empty());
}

#[tokio::test]
async fn open_registers_unknown_requester_in_one_unit() {
    let world = World::new().await;
    let opened = world.opening(ada(), |_| {}).await.requester("mona@example.com").ok().await;
    // the person, and their address
    assert_eq!((opened.version, opened.position, opened.events), (1, 1, 3));
    let named = desk::PersonName::Email(email("mona"), None);
    assert_eq!(opened.ticket.requester, world.desk.person_id(&named).await.unwrap());
    let again = world.opening(ada(), |_| {}).await.requester("Mona@example.com").ok().await;
    assert_eq!((again.ticket.requester, again.events), (opened.ticket.requester, 1));
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn open_for_unknown_requester_at_once_registers_one_person() {
    let world = World::new().await;
    let beside = world.another().await;
    let (one, other) = (world.opening(ada(), |_| {}).await, world.opening(ada(), |_| {}).await);
    let (one, other) = (one.requester("mona@example.com"), other.requester("mona@example.com").on(&beside));
    let held = world.hold_appends().await;
    let (one, other, ()) = tokio::join!(one.run(), other.run(), async {
        world.until_waiting(2).await;
        held.commit().await.unwrap();
    });
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.id, other.id);
    assert_eq!(one.ticket.requester, other.ticket.requester);
    assert_eq!((one.ticket.number.get(), other.ticket.number.get()), (1, 2));
    assert_eq!(world.head().await, 4);
}

#[tokio::test]
async fn open_that_registers_requester_is_replayed_by_key() {
    let world = World::new().await;
    let open = async || world.opening(ada(), |_| {}).await.requester("mona@example.com").key("k", "f");
    let first = open().await.ok().await;
    // the same from a process that has not seen it, and from the one that has
    for desk in [&world.another().await, &world.desk] {
        let again = open().await.on(desk).ok().await;
        assert_eq!((again.id, again.version, again.replayed), (first.id, 1, Some(201)));
        assert_eq!(again.ticket, first.ticket);
    }
    assert_eq!(world.head().await, 3);
}

/// The answer of a retry is the first one's, whatever became of the names in it.
#[tokio::test]
async fn replay_goes_before_names() {
    let world = World::new().await;
    let open = async || world.opening(ada(), |_| {}).await.requester("rita@example.com").key("k", "f");
    let first = open().await.ok().await;
    let block = person_aggregate::Command::Block { reason: "spam".into() };
    world.desk.change::<person_aggregate::Person>(person("rita"), vec![block], world.call(root())).await.unwrap();
    assert_eq!(open().await.ok().await.id, first.id);
}

#[tokio::test]
async fn rejected_open_registers_nobody() {
    let world = World::new().await;
    let open = world.opening(ada(), |open| open.subject = " ".into()).await.requester("mona@example.com");
    open.then_refused("blank").await;
    assert_eq!(world.head().await, 0);
}

#[tokio::test]
async fn change_requester_registers_unknown_address() {
    let world = World::new().await;
    let ticket = world.open().await;
    let changed = world.when(ada(), ticket, requester("mona@example.com")).ok().await;
    assert_eq!((changed.version, changed.events), (2, 3));
    let named = desk::PersonName::Email(email("mona"), None);
    assert_eq!(changed.ticket.requester, world.desk.person_id(&named).await.unwrap());
    world.when(rita(), ticket, Command::Confirm).then_refused("not_found").await;
}

/// Whoever may not issue a command does not learn from it who is there.
#[tokio::test]
async fn names_are_looked_up_after_permission() {
    let world = World::new().await;
    let ticket = world.open().await;
    for name in ["ada", "nobody"] {
        world.when(rita(), ticket, assign(name)).then_refused("forbidden").await;
        world.when(ben(), ticket, assign(name)).then_refused("not_found").await;
        world.when(finn(), ticket, follow(&format!("{name}@example.com"))).then_refused("not_found").await;
    }
    world.when(rita(), ticket, note("n")).then_refused("forbidden").await;
    world.when(ada(), ticket, route("network")).ok().await;
}

#[tokio::test]
async fn requesters_open_for_themselves_without_team() {
    let world = World::new().await;
    let block = person_aggregate::Command::Block { reason: "spam".into() };
    world.desk.change::<person_aggregate::Person>(person("finn"), vec![block], world.call(root())).await.unwrap();
    for name in ["finn@example.com", "nobody@example.com"] {
        world.opening(rita(), |_| {}).await.requester(name).then_refused("open_for_another").await;
    }
    for name in ["hardware", "nowhere"] {
        world.opening(rita(), |_| {}).await.team(name).then_refused("reserved_for_staff").await;
    }
    let own = world.opening(rita(), |_| {}).await.requester("rita@example.com").ok().await;
    assert_eq!((own.ticket.requester, own.events), (Some(person("rita")), 1));
}

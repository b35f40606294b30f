use agent_aggregate::Command;
use serde_json::json;
use shared_kernel::Role;
use shared_kernel::testing::team;

use crate::cast::{
    ada, assign, ben, finn, follow, lea, note, of_staff, reopen, reply, resolve, rita, root, route, system, tag,
};
use crate::query::{at_version, now, page, sees};
use crate::world::World;
use ticket_aggregate::Event;

#[tokio::test]
async fn leads_admins_and_system_see_every_ticket() {
    let world = World::new().await;
    let ticket = world.open().await;
    for caller in [lea(), root(), system()] {
        assert!(sees(&world.desk, &caller, ticket).await, "{caller:?}");
    }
}

#[tokio::test]
async fn requester_sees_own_and_followed_tickets() {
    let world = World::new().await;
    let ticket = world.open().await;
    assert!(sees(&world.desk, &rita(), ticket).await);
    assert!(!sees(&world.desk, &finn(), ticket).await);
    world.when(ada(), ticket, follow("finn")).ok().await;
    assert!(sees(&world.desk, &finn(), ticket).await);
}

#[tokio::test]
async fn agent_sees_own_team_and_no_team() {
    let world = World::new().await;
    let ticket = world.opening(rita(), |open| open.team = None).await.ok().await.id;
    assert!(sees(&world.desk, &ada(), ticket).await && sees(&world.desk, &ben(), ticket).await);
    world.when(lea(), ticket, route("network")).ok().await;
    assert!(!sees(&world.desk, &ada(), ticket).await && sees(&world.desk, &ben(), ticket).await);
}

#[tokio::test]
async fn agent_sees_assigned_and_followed_tickets() {
    let world = World::new().await;
    let (assigned, followed) = (world.open().await, world.open().await);
    world.change_agent("ben", Command::JoinTeam { team: team("hardware") }).await;
    world.when(lea(), assigned, assign("ben")).ok().await;
    world.change_agent("ben", Command::LeaveTeam { team: team("hardware") }).await;
    world.when(lea(), followed, follow("ben")).ok().await;
    for ticket in [assigned, followed] {
        assert!(sees(&world.desk, &ben(), ticket).await);
        assert!(!sees(&world.desk, &of_staff(Role::Agent, "eve", &["network"]), ticket).await);
    }
}

#[tokio::test]
async fn invisible_ticket_is_not_found() {
    let world = World::new().await;
    let ticket = world.open().await;
    for caller in [finn(), ben()] {
        for command in [reply("hello"), reopen("why"), note("n"), resolve(), assign("ben")] {
            world.when(caller.clone(), ticket, command).then_refused("not_found").await;
        }
        assert_eq!(now(&world.desk, &caller, ticket).await.unwrap_err().code, "not_found");
        assert_eq!(at_version(&world.desk, &caller, ticket, 1).await.unwrap_err().code, "not_found");
        assert_eq!(page(&world.desk, &caller, ticket, 0, 10).await.unwrap_err().code, "not_found");
    }
    assert_eq!(world.events(ticket).await, ["opened"]);
}

#[tokio::test]
async fn past_versions_follow_present_visibility() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(lea(), ticket, route("network")).ok().await;
    assert_eq!(at_version(&world.desk, &ada(), ticket, 1).await.unwrap_err().code, "not_found");
    assert_eq!(at_version(&world.desk, &ben(), ticket, 1).await.unwrap().version, 1);
}

#[tokio::test]
async fn requester_may_not_act_as_staff() {
    let world = World::new().await;
    let ticket = world.open().await;
    for command in [note("n"), resolve(), tag("vip"), assign("ada"), route("network"), follow("finn")] {
        world.when(rita(), ticket, command).then_refused("forbidden").await;
    }
}

#[tokio::test]
async fn follower_may_only_reply() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, follow("finn")).ok().await;
    world.when(ada(), ticket, resolve()).ok().await;
    world.when(finn(), ticket, reopen("why")).then_refused("not_own_ticket").await;
    // it reopens the ticket, whose agent needs a slot for it again
    assert_eq!(world.when(finn(), ticket, reply("why")).ok().await.events, 3);
}

#[tokio::test]
async fn requester_sees_public_ticket() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![tag("vip"), follow("finn")]).ok().await;
    let seen = now(&world.desk, &rita(), ticket).await.unwrap();
    assert_eq!(seen.version, 3);
    assert!(seen.ticket.team.is_none() && seen.ticket.tags.is_empty() && seen.ticket.followers.is_empty());
    let whole = now(&world.desk, &ada(), ticket).await.unwrap();
    assert!(whole.ticket.team.is_some() && !whole.ticket.tags.is_empty() && !whole.ticket.followers.is_empty());
}

#[tokio::test]
async fn requester_sees_public_events() {
    let world = World::new().await;
    let ticket = world.open().await;
    let replying = world.when_all(ada(), ticket, vec![note("secret"), follow("finn"), reply("public")]);
    replying
        .because(json!({"row": 7}), "request-1", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .ok()
        .await;
    let seen = page(&world.desk, &rita(), ticket, 0, 10).await.unwrap();
    assert_eq!((seen.version, seen.versions, seen.causes), (4, vec![1, 4], false));
    assert_eq!(seen.types, ["opened", "public_reply_added"]);
    let Event::PublicReplyAdded { recipients, .. } = &seen.events[1] else { panic!("{:?}", seen.events) };
    assert!(recipients.is_empty(), "addresses are not public");
    let whole = page(&world.desk, &ada(), ticket, 0, 10).await.unwrap();
    assert_eq!((whole.versions, whole.causes), (vec![1, 2, 3, 4], true));
}

#[tokio::test]
async fn feed_shows_visible_events() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("secret")).ok().await;
    let mut seen = Vec::new();
    for caller in [rita(), finn(), ada(), ben(), lea(), system()] {
        for event in world.recorded(ticket).await {
            seen.push(world.desk.seen(&event, &caller).await.unwrap().is_some());
        }
    }
    let (both, none) = ([true, true], [false, false]);
    assert_eq!(seen, [[true, false], none, both, none, both, both].concat());
}

#[tokio::test]
async fn feed_passes_over_unreadable_event() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("n")).ok().await;
    world.tamper("update events set type = 'ticket.unheard_of' where position = #2").await;
    let recorded = world.recorded(ticket).await;
    assert!(world.desk.seen(&recorded[0], &lea()).await.unwrap().is_some());
    assert!(world.desk.seen(&recorded[1], &lea()).await.unwrap().is_none());
}

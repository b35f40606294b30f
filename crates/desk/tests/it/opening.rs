use shared_kernel::Role;
use shared_kernel::testing::person;
use ticket_aggregate::{Channel, Open, Status};

use crate::cast::{ada, assign, finn, lea, note, of_staff, resolve, rita};
use crate::world::World;

#[tokio::test]
async fn open_records_first_event() {
    let world = World::new().await;
    let opened = world.opening(rita(), |_| {}).await.ok().await;
    assert_eq!((opened.version, opened.position, opened.events, opened.replayed), (1, 1, 1, None));
    assert_eq!((opened.ticket.number.get(), opened.ticket.status), (1, Status::New));
    assert!(opened.ticket.is_requested_by(&rita()));
    assert_eq!(world.events(opened.id).await, ["opened"]);
}

#[tokio::test]
async fn open_takes_number() {
    let world = World::new().await;
    let (first, second) = (world.open().await, world.open().await);
    for (number, ticket) in [(1, first), (2, second)] {
        assert_eq!(world.desk.by_number(number.try_into().unwrap()).await.unwrap(), ticket);
    }
    let unknown = world.desk.by_number(3.try_into().unwrap()).await.unwrap_err();
    assert!(matches!(unknown, desk::DeskError::NotFound), "{unknown}");
}

#[tokio::test]
async fn open_replaces_taken_number() {
    let world = World::new().await;
    world.open().await;
    let opened = world.opening(rita(), |open| open.number = 1.try_into().unwrap()).await.ok().await;
    // the opening had been given number 2, which is left out
    assert_eq!(opened.ticket.number.get(), 3);
    assert_eq!(world.desk.by_number(3.try_into().unwrap()).await.unwrap(), opened.id);
}

#[tokio::test]
async fn unused_last_number_is_reclaimed() {
    let world = World::new().await;
    world.open().await;
    assert_eq!(world.desk.next_number().await.unwrap().get(), 2);
    world.desk.reclaim_last_number().await.unwrap();
    assert_eq!(world.desk.next_number().await.unwrap().get(), 2);
}

#[tokio::test]
async fn used_last_number_is_not_reclaimed() {
    let world = World::new().await;
    world.open().await;
    world.desk.reclaim_last_number().await.unwrap();
    assert_eq!(world.desk.next_number().await.unwrap().get(), 2);
}

#[tokio::test]
async fn open_source_id_is_unique() {
    let world = World::new().await;
    let first = world.opening(rita(), |open| open.source_id = Some("mail-1".into())).await.ok().await;
    let again = world.opening(rita(), |open| open.source_id = Some("mail-1".into())).await.refused().await;
    assert_eq!((again.code.as_str(), again.holder), ("source_id_used", Some(first.id)));
    assert_eq!(world.head().await, 1);
}

#[tokio::test]
async fn open_source_id_hides_invisible_holder() {
    let world = World::new().await;
    world.opening(lea(), |open| open.source_id = Some("mail-1".into())).await.ok().await;
    let elsewhere = |open: &mut Open| {
        open.source_id = Some("mail-1".into());
        open.team = None;
    };
    let again = world.opening(of_staff(Role::Agent, "nia", &["network"]), elsewhere).await.refused().await;
    assert_eq!((again.code.as_str(), again.holder), ("source_id_used", None));
}

#[tokio::test]
async fn open_source_ids_of_requesters_are_apart() {
    let world = World::new().await;
    let same = |open: &mut Open| open.source_id = Some("mail-1".into());
    world.opening(lea(), same).await.ok().await;
    world.opening(rita(), same).await.ok().await;
    world.opening(finn(), same).await.ok().await;
    world.opening(finn(), same).await.then_refused("source_id_used").await;
}

#[tokio::test]
async fn open_source_id_is_scoped_by_channel() {
    let world = World::new().await;
    world.opening(lea(), |open| open.source_id = Some("1".into())).await.ok().await;
    let by_mail = world.opening(lea(), |open| {
        open.source_id = Some("1".into());
        open.channel = Channel::parse("email").unwrap();
    });
    assert_eq!(by_mail.await.ok().await.version, 1);
}

#[tokio::test]
async fn open_longest_source_id_is_unique() {
    let world = World::new().await;
    let long = |last: &str| Some("\u{1f525}".repeat(999) + last);
    world.opening(rita(), |open| open.source_id = long("1")).await.ok().await;
    world.opening(rita(), |open| open.source_id = long("2")).await.ok().await;
    world.opening(rita(), |open| open.source_id = long("1")).await.then_refused("source_id_used").await;
}

#[tokio::test]
async fn open_is_forbidden_for_another_requester() {
    let world = World::new().await;
    let for_finn = |open: &mut Open| open.requester = Some(person("finn"));
    let opening = world.opening(rita(), for_finn).await;
    opening.then_refused("open_for_another").await;
    assert_eq!(world.head().await, 0);
    let by_agent = world.opening(ada(), for_finn).await.ok().await;
    assert!(by_agent.ticket.is_requested_by(&finn()));
}

#[tokio::test]
async fn open_by_agent_may_have_no_requester() {
    let world = World::new().await;
    assert_eq!(world.opening(ada(), |_| {}).await.ok().await.ticket.requester, None);
}

#[tokio::test]
async fn open_existing_ticket_is_rejected() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.opening(lea(), |_| {}).await.on_ticket(ticket).then_refused("already_opened").await;
    assert_eq!(world.events(ticket).await, ["opened"]);
}

#[tokio::test]
async fn open_with_further_commands_is_one_unit() {
    let world = World::new().await;
    let opened = world.opening(ada(), |_| {}).await.and(assign("ada")).and(note("mine")).and(resolve()).ok().await;
    // four on the ticket, two on the agent whose slot was taken and given back
    assert_eq!((opened.version, opened.position, opened.events), (4, 4, 6));
    assert_eq!(opened.ticket.status, Status::Resolved);
    assert_eq!(world.events(opened.id).await, ["opened", "agent_assigned", "internal_note_added", "resolved"]);
}

#[tokio::test]
async fn open_with_rejected_further_command_records_nothing() {
    let world = World::new().await;
    let opening = world.opening(lea(), |open| open.source_id = Some("mail-1".into())).await;
    opening.and(note(" ")).then_refused("blank").await;
    assert_eq!(world.head().await, 0);
    world.opening(lea(), |open| open.source_id = Some("mail-1".into())).await.ok().await;
}

#[tokio::test]
async fn open_with_forbidden_further_command_records_nothing() {
    let world = World::new().await;
    world.opening(rita(), |_| {}).await.and(note("secret")).then_refused("forbidden").await;
    assert_eq!(world.head().await, 0);
}

#[tokio::test]
async fn command_on_unknown_ticket_is_not_found() {
    let world = World::new().await;
    world.when(lea(), world.new_id(), note("hello?")).then_refused("not_found").await;
}

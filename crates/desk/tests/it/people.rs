//! People: registered, merged, blocked, found by their identities.

use desk::{AsOf, DeskError, NewKey};
use person_aggregate::{Command, IdentityValue, Person};
use shared_kernel::testing::{person, requester};
use shared_kernel::{IdentityId, PersonId, Principal};

use crate::cast::{ada, email, finn, follow, lea, note, reply, rita, root};
use crate::keys::{create, refused};
use crate::query::sees;
use crate::setup::register_person;
use crate::when::refusal;
use crate::world::{World, eventually};

async fn change(world: &World, name: &str, command: Command) -> Result<usize, String> {
    let done = world.desk.change::<Person>(person(name), vec![command], world.call(root())).await;
    done.map(|done| done.events).map_err(|error| refusal(error).code)
}

/// The person with an address, as every process finds them.
async fn found(world: &World, name: &str) -> Option<PersonId> {
    let named = desk::PersonName::Email(email(name), None);
    world.desk.person_id(&named).await.unwrap()
}

/// Who the person is by now.
async fn principal(world: &World, name: &str) -> Principal {
    let key = create(world, NewKey::requester(person(name)), 0).await;
    (*world.another().await.keys().verify(&key.token, crate::cast::hour(0)).await.unwrap()).clone()
}

#[tokio::test]
async fn register_takes_addresses() {
    let world = World::new().await;
    assert_eq!(found(&world, "mona").await, None);
    register_person(&world.desk, "mona").await.unwrap();
    assert_eq!(found(&world, "mona").await, Some(person("mona")));
    let record = world.desk.record::<Person>(person("mona"), AsOf::Now).await.unwrap();
    assert_eq!(record.state.primary_email(), Some((IdentityId(1), &email("mona"))));
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn address_belongs_to_one_person() {
    let world = World::new().await;
    let identities = vec![IdentityValue::Email(email("RITA"))];
    let refused = world.desk.register_person(person("other"), None, identities, world.call(root())).await.unwrap_err();
    assert_eq!(refusal(refused).code, "person-email_used");
    let add = Command::AddIdentity { value: IdentityValue::Email(email("rita")) };
    assert_eq!(change(&world, "finn", add).await, Err("person-email_used".into()));
    assert_eq!(world.head().await, 0);
}

/// One rule for addresses: the domain's form in DNS, letters of ASCII without case, no look-alikes.
#[tokio::test]
async fn address_is_found_however_it_is_written() {
    let world = World::new().await;
    let parse = |text: &str| shared_kernel::EmailAddress::parse(text);
    let written = vec![IdentityValue::Email(parse("Jörg@Bücher.example").unwrap())];
    world.desk.register_person(person("joerg"), None, written, world.call(root())).await.unwrap();
    for text in ["jörg@bücher.example", " Jörg@xn--bcher-kva.EXAMPLE ", "jo\u{308}rg@BÜCHER.example"] {
        let named = desk::PersonName::Email(parse(text).unwrap(), None);
        assert_eq!(world.desk.person_id(&named).await.unwrap(), Some(person("joerg")), "{text}");
    }
    // another letter, and another person
    let named = desk::PersonName::Email(parse("JÖRG@bücher.example").unwrap(), None);
    assert_eq!(world.desk.person_id(&named).await.unwrap(), None);
    assert!(parse("\u{212a}ate@example.com").is_err(), "the Kelvin sign is no K");
}

#[tokio::test]
async fn same_address_registered_at_once_is_one_person() {
    let world = World::new().await;
    let beside = world.another().await;
    let address = email("mona");
    let held = world.hold_appends().await;
    let (one, other, ()) = tokio::join!(
        world.desk.ensure_person(&address, None, world.call(root())),
        beside.ensure_person(&address, None, world.call(root())),
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    assert_eq!(
        (one.unwrap(), other.unwrap()),
        (found(&world, "mona").await.unwrap(), found(&world, "mona").await.unwrap())
    );
    // registered with an address
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn identity_moves_by_remove_and_add() {
    let world = World::new().await;
    let remove = Command::RemoveIdentity { identity: IdentityId(1) };
    assert_eq!(change(&world, "rita", remove).await, Ok(1));
    assert_eq!(found(&world, "rita").await, None);
    let add = Command::AddIdentity { value: IdentityValue::Email(email("rita")) };
    assert_eq!(change(&world, "finn", add).await, Ok(1));
    assert_eq!(found(&world, "rita").await, Some(person("finn")));
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn moved_address_is_followed_by_every_process() {
    let world = World::new().await;
    let beside = world.another().await;
    let named = desk::PersonName::Email(email("rita"), None);
    assert_eq!(beside.person_id(&named).await.unwrap(), Some(person("rita")));
    change(&world, "rita", Command::RemoveIdentity { identity: IdentityId(1) }).await.unwrap();
    change(&world, "finn", Command::AddIdentity { value: IdentityValue::Email(email("rita")) }).await.unwrap();
    assert_eq!(beside.person_id(&named).await.unwrap(), Some(person("finn")));
}

#[tokio::test]
async fn merged_person_sees_tickets_of_both() {
    let world = World::new().await;
    let of_finn = world.opening(finn(), |_| {}).await.ok().await.id;
    let (of_rita, followed) = (world.open().await, world.opening(lea(), |_| {}).await.ok().await.id);
    world.when(lea(), followed, follow("finn")).ok().await;
    world.desk.merge_people(person("finn"), person("rita"), world.call(root())).await.unwrap();

    assert_eq!(found(&world, "finn").await, Some(person("rita")));
    let merged = principal(&world, "finn").await;
    assert_eq!(merged.actor, shared_kernel::Actor { merged: [person("finn")].into(), ..requester("rita") });
    for ticket in [of_finn, of_rita, followed] {
        assert!(sees(&world.desk, &merged, ticket).await);
    }
    // and acts on what was the other one's
    let replied = world.when(merged, of_finn, reply("It is me.")).ok().await;
    assert_eq!(replied.ticket.requester, Some(person("finn")), "nothing is rewritten");
    assert_eq!(world.verify().await.findings, []);
}

#[tokio::test]
async fn merged_person_is_read_only() {
    let world = World::new().await;
    let merge = |from: &str, into: &str| world.desk.merge_people(person(from), person(into), world.call(root()));
    assert_eq!(refusal(merge("rita", "rita").await.unwrap_err()).code, "merge_with_itself");
    assert_eq!(refusal(merge("rita", "nobody").await.unwrap_err()).code, "unknown_into");
    assert_eq!(refusal(merge("nobody", "rita").await.unwrap_err()).code, "no_such_person");
    merge("finn", "rita").await.unwrap();
    assert_eq!(change(&world, "finn", Command::Unblock).await, Err("merged_away".into()));
    assert_eq!(refusal(merge("rita", "finn").await.unwrap_err()).code, "merge_with_itself");
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn people_merged_into_each_other_at_once_are_one() {
    let world = World::new().await;
    let beside = world.another().await;
    let held = world.hold_appends().await;
    let (one, other, ()) = tokio::join!(
        world.desk.merge_people(person("finn"), person("rita"), world.call(root())),
        beside.merge_people(person("rita"), person("finn"), world.call(root())),
        async {
            world.until_waiting(2).await;
            held.commit().await.unwrap();
        },
    );
    let refused = [one, other].into_iter().filter_map(Result::err).map(|error| refusal(error).code).collect::<Vec<_>>();
    assert_eq!(refused.len(), 1, "{refused:?}");
    // a process may remember people for some seconds; this one knows nobody
    let later = world.another().await;
    let named = |name| desk::PersonName::Email(email(name), None);
    let rita = later.person_id(&named("rita")).await.unwrap();
    assert_eq!(rita, later.person_id(&named("finn")).await.unwrap());
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn blocked_person_can_not_open_nor_call() {
    let world = World::new().await;
    let key = create(&world, NewKey::requester(person("rita")), 0).await;
    let keys = world.desk.keys();
    keys.verify(&key.token, crate::cast::hour(0)).await.unwrap();
    assert_eq!(change(&world, "rita", Command::Block { reason: "spam".into() }).await, Ok(1));

    let for_rita = world.opening(ada(), |_| {}).await.requester("rita@example.com");
    for_rita.then_refused("person_blocked").await;
    eventually("the key is refused", async || keys.verify(&key.token, crate::cast::hour(0)).await.err()).await;
    assert_eq!(refused(keys, &key.token, 0).await, "blocked");
    let beside = world.another().await;
    let on_behalf = beside.keys().on_behalf(&lea(), person("rita")).await;
    assert!(matches!(on_behalf, Err(desk::AuthError::Blocked)), "{on_behalf:?}");

    assert_eq!(change(&world, "rita", Command::Unblock).await, Ok(1));
    eventually("the key is accepted", async || keys.verify(&key.token, crate::cast::hour(0)).await.ok()).await;
}

#[tokio::test]
async fn blocked_person_keeps_tickets() {
    let world = World::new().await;
    let ticket = world.open().await;
    change(&world, "rita", Command::Block { reason: "spam".into() }).await.unwrap();
    assert_eq!(world.when(ada(), ticket, note("blocked")).ok().await.ticket.requester, Some(person("rita")));
    assert!(sees(&world.desk, &rita(), ticket).await);
}

#[tokio::test]
async fn changed_person_demands_version() {
    let world = World::new().await;
    let mut call = world.call(root());
    call.precondition = desk::Precondition::OneOf(vec![eventstore::Version(1)]);
    let changed = world.desk.change::<Person>(person("rita"), vec![Command::Unblock], call).await;
    assert!(
        matches!(changed, Err(DeskError::PreconditionFailed { current: eventstore::Version(2), .. })),
        "{changed:?}"
    );
}

use ticket_aggregate::{Event, Status};

use crate::cast::{ada, hour, lea, note, rename, reply, resolve, rita, tag};
use crate::query::{at_time, at_version, now, page, page_where, replay};
use crate::world::World;

#[tokio::test]
async fn read_now_is_newest() {
    let world = World::new().await;
    world.open().await;
    let ticket = world.open().await;
    let resolved = world.when(ada(), ticket, resolve()).ok().await;
    let read = now(&world.desk, &lea(), ticket).await.unwrap();
    assert_eq!((read.version, read.position), (3, 4));
    assert_eq!(read.ticket, resolved.ticket);
}

#[tokio::test]
async fn read_is_newest_on_every_desk() {
    let world = World::new().await;
    let beside = world.another().await;
    let ticket = world.open().await;
    for (n, desk) in [(2, &world.desk), (3, &beside), (4, &world.desk)] {
        world.when(ada(), ticket, note("n")).on(desk).ok().await;
        assert_eq!(now(&world.desk, &lea(), ticket).await.unwrap().version, n);
        assert_eq!(now(&beside, &lea(), ticket).await.unwrap().version, n);
    }
}

#[tokio::test]
async fn command_answers_what_read_gives() {
    let world = World::new().await;
    let ticket = world.open().await;
    let commands = [note("n"), rename("Fire"), tag("vip"), reply("Which one?"), resolve()];
    for (hours, command) in (1..).zip(commands) {
        let done = world.when(ada(), ticket, command).at(hours).ok().await;
        // folded anew, by a desk that has nothing in memory
        let read = now(&world.another().await, &lea(), ticket).await.unwrap();
        assert_eq!((read.version, read.position, read.ticket), (done.version, done.position, done.ticket));
    }
}

#[tokio::test]
async fn read_at_version() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, rename("Fire")).ok().await;
    world.when(ada(), ticket, resolve()).ok().await;
    let subjects = ["The printer is on fire", "Fire", "Fire", "Fire"];
    for (version, subject) in (1..).zip(subjects) {
        let read = at_version(&world.desk, &lea(), ticket, version).await.unwrap();
        assert_eq!((read.version, read.position, read.ticket.subject.as_str()), (version, version, subject));
    }
    assert_eq!(at_version(&world.desk, &lea(), ticket, 2).await.unwrap().ticket.status, Status::New);
}

#[tokio::test]
async fn read_at_missing_version_is_refused() {
    let world = World::new().await;
    let ticket = world.open().await;
    for version in [-1, 0, 2, i64::MAX] {
        let refused = at_version(&world.desk, &lea(), ticket, version).await.unwrap_err();
        assert_eq!(refused.code, "no_such_version", "{version}");
    }
    assert_eq!(at_version(&world.desk, &lea(), world.new_id(), 1).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn read_at_time() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("n")).at(2).ok().await;
    world.when(ada(), ticket, note("n")).at(4).ok().await;
    for (hours, version) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (5, 3)] {
        assert_eq!(at_time(&world.desk, &lea(), ticket, hours).await.unwrap().version, version, "hour {hours}");
    }
    assert_eq!(at_time(&world.desk, &lea(), ticket, -1).await.unwrap_err().code, "no_such_version");
}

#[tokio::test]
async fn unknown_ticket_is_not_found() {
    let world = World::new().await;
    let unknown = world.new_id();
    assert_eq!(now(&world.desk, &lea(), unknown).await.unwrap_err().code, "not_found");
    assert_eq!(page(&world.desk, &lea(), unknown, 0, 10).await.unwrap_err().code, "not_found");
    assert_eq!(replay(&world.desk, unknown, None).await.unwrap_err().code, "not_found");
}

#[tokio::test]
async fn history_pages_join_without_gap() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"); 4]).ok().await;
    let mut pages = Vec::new();
    let mut after = Some(0);
    while let Some(version) = after {
        let page = page(&world.desk, &lea(), ticket, version, 2).await.unwrap();
        assert_eq!(page.version, 5);
        pages.push(page.versions);
        after = page.more;
    }
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn history_page_that_fits_is_last() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("n")).ok().await;
    assert_eq!(page(&world.desk, &lea(), ticket, 0, 2).await.unwrap().more, None);
    // nothing that the reader may see is left out
    assert_eq!(page(&world.desk, &rita(), ticket, 0, 1).await.unwrap().more, None);
    assert_eq!(page(&world.desk, &lea(), ticket, 2, 2).await.unwrap().versions, Vec::<i64>::new());
}

#[tokio::test]
async fn history_page_counts_wanted_events() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"), tag("a"), note("n"), tag("b"), note("n")]).ok().await;
    let notes = |event: &Event| matches!(event, Event::InternalNoteAdded { .. });
    let found = page_where(&world.desk, &lea(), ticket, 0, 2, notes).await.unwrap();
    assert_eq!((found.versions, found.more), (vec![2, 4], Some(4)));
    let rest = page_where(&world.desk, &lea(), ticket, 4, 2, notes).await.unwrap();
    assert_eq!((rest.versions, rest.more), (vec![6], None));
}

#[tokio::test]
async fn history_page_ends_at_size() {
    let world = World::new().await;
    let ticket = world.open().await;
    let long = "x".repeat(65_536);
    world.when_all(ada(), ticket, vec![note(&long); 40]).ok().await;
    let found = page(&world.desk, &lea(), ticket, 0, 1_000).await.unwrap();
    // the 17th event is the opening and 16 notes, which bring it to the size
    assert_eq!((found.versions.len(), found.more), (desk::PAGE_BYTES / 65_536 + 1, Some(17)));
}

#[tokio::test]
async fn operator_replays_readable_part() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when_all(ada(), ticket, vec![note("n"), note("n")]).ok().await;
    assert_eq!(replay(&world.desk, ticket, None).await.unwrap(), (vec![1, 2, 3], 3));
    world.tamper("update events set type = 'ticket.unheard_of' where position = #3").await;
    assert_eq!(replay(&world.desk, ticket, Some(2)).await.unwrap(), (vec![1, 2], 3));
    assert_eq!(replay(&world.desk, ticket, None).await.unwrap_err().code, "corrupt");
    assert_eq!(replay(&world.desk, ticket, Some(4)).await.unwrap_err().code, "no_such_version");
}

#[tokio::test]
async fn unreadable_event_is_corrupt() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, note("n")).ok().await;
    world.tamper("update events set payload = '{}' where position = #2").await;
    let beside = world.another().await;
    assert_eq!(now(&beside, &lea(), ticket).await.unwrap_err().code, "corrupt");
    world.when(ada(), ticket, note("n")).on(&beside).then_refused("corrupt").await;
    assert_eq!(world.head().await, 2);
}

#[tokio::test]
async fn shortened_log_is_read_anew() {
    let world = World::new().await;
    let ticket = world.open().await;
    world.when(ada(), ticket, rename("Fire")).at(1).ok().await;
    // as after a restore from a backup that lacks the end
    world.tamper("delete from events where position = #2").await;
    let read = now(&world.desk, &lea(), ticket).await.unwrap();
    assert_eq!((read.version, read.ticket.updated_at), (1, hour(0)));
    assert_eq!(read.ticket.subject, "The printer is on fire");
}

//! What describes a ticket.

use shared_kernel::Personal;
use ticket_aggregate::{Command, Event, LinkKind, Priority, Rejection, SubjectChange, limits};

use crate::scenario::{ada, followed, given, opened, person, person_id, tags, text, ticket, ticket_id};

#[test]
fn prioritize() {
    let to = |priority| Command::Prioritize { priority, reason: text("it spreads") };
    given([opened()]).when(to(Priority::High), ada()).then([Event::PriorityChanged {
        from: Priority::Normal,
        to: Priority::High,
        reason: text("it spreads"),
    }]);
    given([opened()]).when(to(Priority::Normal), ada()).then_nothing();
}

#[test]
fn categorize() {
    let command = || Command::Categorize { category: "fires".to_owned() };
    let changed = Event::CategoryChanged { from: None, to: "fires".to_owned() };
    let after = given([opened()]).when(command(), ada()).then([changed]);
    after.when(command(), ada()).then_nothing();
}

#[test]
fn rename() {
    let command = || Command::Rename { subject: "Fire".to_owned() };
    let change = SubjectChange { from: "The printer is on fire".to_owned(), to: "Fire".to_owned() };
    let changed = Event::SubjectChanged { personal: Personal::new(Some(person("rita")), change) };
    let after = given([opened()]).when(command(), ada()).then([changed]);
    after.when(command(), ada()).then_nothing();
}

#[test]
fn tag_and_untag() {
    let tag = |words: &[&str]| Command::Tag { tags: tags(words) };
    let untag = |words: &[&str]| Command::Untag { tags: tags(words) };
    let added = Event::TagsAdded { tags: tags(&["hot"]) };
    given([opened()]).when(tag(&["vip", "hot"]), ada()).then([added]);
    given([opened()]).when(tag(&["vip"]), ada()).then_nothing();
    given([opened()]).when(tag(&[]), ada()).then_nothing();
    let removed = Event::TagsRemoved { tags: tags(&["vip"]) };
    given([opened()]).when(untag(&["vip", "hot"]), ada()).then([removed]);
    given([opened()]).when(untag(&["hot"]), ada()).then_nothing();
}

#[test]
fn tags_are_limited() {
    let words: Vec<String> = (1..=limits::TAGS).map(|n| format!("tag-{n}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let tag = |words: &[&str]| Command::Tag { tags: tags(words) };
    // the ticket has "vip" already
    let fitting = Event::TagsAdded { tags: tags(&words[1..]) };
    given([opened()]).when(tag(&words[1..]), ada()).then([fitting.clone()]);
    let refusal = Rejection::TooManyTags { limit: limits::TAGS };
    given([opened()]).when(tag(&words), ada()).then_rejected(refusal);
    given([opened(), fitting]).when(tag(&["vip"]), ada()).then_nothing();
}

#[test]
fn followers_are_limited() {
    let follow = |n| Command::Follow { follower: person_id(n) };
    let added = |n| Event::FollowerAdded { follower: person_id(n) };
    let full: Vec<Event> = [opened()].into_iter().chain((1..=limits::FOLLOWERS).map(added)).collect();
    given(full[..limits::FOLLOWERS].to_vec()).when(follow(limits::FOLLOWERS), ada()).then([added(limits::FOLLOWERS)]);
    given(full.clone()).when(follow(1), ada()).then_nothing();
    let refusal = Rejection::TooManyFollowers { limit: limits::FOLLOWERS };
    given(full).when(follow(0), ada()).then_rejected(refusal);
}

#[test]
fn links_are_limited() {
    let kind = LinkKind::RelatesTo;
    let other = |n: usize| ticket_id(u128::try_from(n).unwrap() + 100);
    let link = |n: usize| Command::Link { kind, other: other(n) };
    let linked = |n: usize| Event::TicketLinked { kind, other: other(n) };
    let full: Vec<Event> = [opened()].into_iter().chain((1..=limits::LINKS).map(linked)).collect();
    given(full[..limits::LINKS].to_vec()).when(link(limits::LINKS), ada()).then([linked(limits::LINKS)]);
    given(full.clone()).when(link(1), ada()).then_nothing();
    given(full).when(link(0), ada()).then_rejected(Rejection::TooManyLinks { limit: limits::LINKS });
}

#[test]
fn follow_and_unfollow() {
    let follow = || Command::Follow { follower: person("finn") };
    let unfollow = || Command::Unfollow { follower: person("finn") };
    let after = given([opened()]).when(follow(), ada()).then([followed("finn")]);
    after.when(follow(), ada()).then_nothing();
    let removed = Event::FollowerRemoved { follower: person("finn") };
    let after = given([opened(), followed("finn")]).when(unfollow(), ada()).then([removed]);
    after.when(unfollow(), ada()).then_nothing();
}

#[test]
fn link_and_unlink() {
    let (kind, other) = (LinkKind::BlockedBy, ticket_id(9));
    let linked = Event::TicketLinked { kind, other };
    let after = given([opened()]).when(Command::Link { kind, other }, ada()).then([linked.clone()]);
    after.when(Command::Link { kind, other }, ada()).then_nothing();
    let unlinked = Event::TicketUnlinked { kind, other };
    given([opened(), linked.clone()]).when(Command::Unlink { kind, other }, ada()).then([unlinked]);
    given([opened()]).when(Command::Unlink { kind, other }, ada()).then_nothing();
    let blocked = ticket(&[opened(), linked, Event::TicketLinked { kind: LinkKind::Blocks, other: ticket_id(8) }]);
    assert_eq!(blocked.blocked_by().collect::<Vec<_>>(), [ticket_id(9)]);
}

#[test]
fn link_to_itself_is_refused() {
    let link = Command::Link { kind: LinkKind::RelatesTo, other: ticket_id(1) };
    given([opened()]).when(link, ada()).then_rejected(Rejection::LinkToItself);
}

//! What describes a ticket.

use ticket_aggregate::{Command, Event, LinkKind, Priority, Rejection, limits};

use crate::scenario::{FINN, ada, given, opened, tags, text, ticket, ticket_id};

#[test]
fn priority() {
    let prioritize = |priority| Command::Prioritize { priority, reason: text("it spreads") };
    given([opened()]).when(prioritize(Priority::High), ada()).then([Event::PriorityChanged {
        from: Priority::Normal,
        to: Priority::High,
        reason: text("it spreads"),
    }]);
    given([opened()]).when(prioritize(Priority::Normal), ada()).then_nothing();
}

#[test]
fn category() {
    let categorize = || Command::Categorize { category: "fires".to_owned() };
    let changed = Event::CategoryChanged { from: None, to: "fires".to_owned() };
    let after = given([opened()]).when(categorize(), ada()).then([changed]);
    after.when(categorize(), ada()).then_nothing();
}

#[test]
fn subject() {
    let rename = || Command::Rename { subject: "Fire".to_owned() };
    let from = "The printer is on fire".to_owned();
    let changed = Event::SubjectChanged { from, to: "Fire".to_owned() };
    let after = given([opened()]).when(rename(), ada()).then([changed]);
    after.when(rename(), ada()).then_nothing();
}

#[test]
fn only_new_tags_are_added_and_only_present_ones_removed() {
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
fn a_ticket_has_so_many_tags_and_no_more() {
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
fn a_ticket_has_so_many_followers_and_no_more() {
    let follow = |n: usize| Command::Follow { follower: format!("agent-{n}") };
    let added = |n: usize| Event::FollowerAdded { follower: format!("agent-{n}") };
    let full: Vec<Event> = [opened()].into_iter().chain((1..=limits::FOLLOWERS).map(added)).collect();
    given(full[..limits::FOLLOWERS].to_vec()).when(follow(limits::FOLLOWERS), ada()).then([added(limits::FOLLOWERS)]);
    given(full.clone()).when(follow(1), ada()).then_nothing();
    let refusal = Rejection::TooManyFollowers { limit: limits::FOLLOWERS };
    given(full).when(follow(0), ada()).then_rejected(refusal);
}

#[test]
fn a_ticket_has_so_many_links_and_no_more() {
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
fn followers_are_known_by_their_address_however_it_is_written() {
    let follow = |it: &str| Command::Follow { follower: it.to_owned() };
    let unfollow = |it: &str| Command::Unfollow { follower: it.to_owned() };
    let added = Event::FollowerAdded { follower: FINN.to_owned() };
    let after = given([opened()]).when(follow(" Finn@Example.com"), ada()).then([added.clone()]);
    after.when(follow(FINN), ada()).then_nothing();
    let removed = Event::FollowerRemoved { follower: FINN.to_owned() };
    given([opened(), added]).when(unfollow("FINN@example.com"), ada()).then([removed]);
    given([opened()]).when(unfollow(FINN), ada()).then_nothing();
    // an agent's id keeps its case
    let bob = Event::FollowerAdded { follower: "Bob".to_owned() };
    given([opened()]).when(follow("Bob"), ada()).then([bob]);
}

#[test]
fn links() {
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
fn a_ticket_is_not_linked_to_itself() {
    let link = Command::Link { kind: LinkKind::RelatesTo, other: ticket_id(1) };
    given([opened()]).when(link, ada()).then_rejected(Rejection::LinkToItself);
}

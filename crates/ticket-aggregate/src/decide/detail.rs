//! What describes a ticket. A change that changes nothing records nothing.

use std::collections::BTreeSet;

use shared_kernel::{PersonId, TicketId};

use crate::context::Context;
use crate::event::{Event, SubjectChange};
use crate::limits;
use crate::rejection::Rejection;
use crate::ticket::{Link, Ticket};
use crate::value::{LinkKind, Priority, Tag};

use super::personal;

pub(super) fn prioritize(ticket: &Ticket, to: Priority, reason: Option<&String>) -> Vec<Event> {
    let from = ticket.priority;
    let changed = || Event::PriorityChanged { from, to, reason: reason.cloned() };
    (from != to).then(changed).into_iter().collect()
}

pub(super) fn categorize(ticket: &Ticket, to: &str) -> Vec<Event> {
    let from = ticket.category.clone();
    if from.as_deref() == Some(to) {
        return Vec::new();
    }
    vec![Event::CategoryChanged { from, to: to.to_owned() }]
}

pub(super) fn rename(ticket: &Ticket, to: &str, context: &Context) -> Vec<Event> {
    if ticket.subject == to {
        return Vec::new();
    }
    let change = SubjectChange { from: ticket.subject.clone(), to: to.to_owned() };
    vec![Event::SubjectChanged { personal: personal::words(ticket.requester, &context.actor, change) }]
}

pub(super) fn change_requester(ticket: &Ticket, to: PersonId, reason: Option<&String>) -> Vec<Event> {
    let from = ticket.requester;
    let changed = || Event::RequesterChanged { from, to, reason: reason.cloned() };
    (from != Some(to)).then(changed).into_iter().collect()
}

pub(super) fn tag(ticket: &Ticket, tags: &BTreeSet<Tag>) -> Result<Vec<Event>, Rejection> {
    let tags: BTreeSet<Tag> = tags.difference(&ticket.tags).cloned().collect();
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    if ticket.tags.len() + tags.len() > limits::TAGS {
        return Err(Rejection::TooManyTags { limit: limits::TAGS });
    }
    Ok(vec![Event::TagsAdded { tags }])
}

pub(super) fn untag(ticket: &Ticket, tags: &BTreeSet<Tag>) -> Vec<Event> {
    let tags: BTreeSet<Tag> = tags.intersection(&ticket.tags).cloned().collect();
    if tags.is_empty() {
        return Vec::new();
    }
    vec![Event::TagsRemoved { tags }]
}

pub(super) fn follow(ticket: &Ticket, follower: PersonId) -> Result<Vec<Event>, Rejection> {
    if ticket.followers.contains(&follower) {
        return Ok(Vec::new());
    }
    // each of them is named in every reply that goes out
    if ticket.followers.len() >= limits::FOLLOWERS {
        return Err(Rejection::TooManyFollowers { limit: limits::FOLLOWERS });
    }
    Ok(vec![Event::FollowerAdded { follower }])
}

pub(super) fn unfollow(ticket: &Ticket, follower: PersonId) -> Vec<Event> {
    if !ticket.followers.contains(&follower) {
        return Vec::new();
    }
    vec![Event::FollowerRemoved { follower }]
}

pub(super) fn link(ticket: &Ticket, kind: LinkKind, other: TicketId) -> Result<Vec<Event>, Rejection> {
    if ticket.links.contains(&Link { kind, other }) {
        return Ok(Vec::new());
    }
    // each blocker is looked up when the ticket is to be resolved
    if ticket.links.len() >= limits::LINKS {
        return Err(Rejection::TooManyLinks { limit: limits::LINKS });
    }
    Ok(vec![Event::TicketLinked { kind, other }])
}

pub(super) fn unlink(ticket: &Ticket, kind: LinkKind, other: TicketId) -> Vec<Event> {
    if !ticket.links.contains(&Link { kind, other }) {
        return Vec::new();
    }
    vec![Event::TicketUnlinked { kind, other }]
}

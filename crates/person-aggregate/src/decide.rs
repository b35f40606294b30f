//! Which events a command records, or why it is refused.

use std::collections::{BTreeSet, HashSet};

use shared_kernel::{IdentityId, PersonId, Personal};

use crate::command::Command;
use crate::context::Context;
use crate::event::{Event, IdentityAdded, NameChange, RegisteredName};
use crate::limits;
use crate::person::Person;
use crate::rejection::Rejection;
use crate::value::{IdentityValue, PersonName};

pub(crate) fn decide(person: Option<&Person>, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    validate(command, context)?;
    match (person, command) {
        (None, Command::Register { name, identities }) => register(name.as_ref(), identities, context),
        (None, _) => Err(Rejection::NotRegistered),
        (Some(Person { merged_into: Some(into), .. }), _) => Err(Rejection::MergedAway { into: *into }),
        (Some(person), _) => change(person, command, context),
    }
}

/// Whether a command is sound in itself, whatever the person.
fn validate(command: &Command, context: &Context) -> Result<(), Rejection> {
    match command {
        Command::MergeInto { into } if *into == context.person_id => Err(Rejection::MergeWithItself),
        Command::ReceiveMerge { source, includes }
            if *source == context.person_id || includes.contains(&context.person_id) =>
        {
            Err(Rejection::MergeWithItself)
        }
        Command::Block { reason } => check_reason(reason),
        Command::Register { .. }
        | Command::Rename { .. }
        | Command::AddIdentity { .. }
        | Command::RemoveIdentity { .. }
        | Command::MergeInto { .. }
        | Command::ReceiveMerge { .. }
        | Command::Unblock => Ok(()),
    }
}

/// A text of many lines. NUL alone is refused: PostgreSQL can't take it as text.
fn check_reason(reason: &str) -> Result<(), Rejection> {
    let (field, limit) = ("reason", limits::REASON);
    if reason.trim().is_empty() {
        return Err(Rejection::Blank { field });
    }
    if reason.chars().count() > limit {
        return Err(Rejection::TooLong { field, limit });
    }
    if reason.contains('\0') {
        return Err(Rejection::ControlCharacter { field });
    }
    Ok(())
}

fn register(
    name: Option<&PersonName>,
    identities: &[IdentityValue],
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let mut seen = HashSet::new();
    let values: Vec<_> = identities.iter().filter(|value| seen.insert(*value)).collect();
    if values.len() > limits::IDENTITIES {
        return Err(Rejection::TooManyIdentities { limit: limits::IDENTITIES });
    }
    let personal = Personal { of: context.person_id, text: RegisteredName { name: name.cloned() } };
    let added = (1..).zip(values).map(|(number, value)| identity_added(IdentityId(number), value, context));
    Ok(std::iter::once(Event::PersonRegistered { personal }).chain(added).collect())
}

/// The events of a command on somebody who is known and not merged into another.
fn change(person: &Person, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Register { .. } => Err(Rejection::AlreadyRegistered),
        Command::Rename { name } => Ok(rename(person, name.as_ref(), context)),
        Command::AddIdentity { value } => add_identity(person, value, context),
        Command::RemoveIdentity { identity } => remove_identity(person, *identity),
        Command::MergeInto { into } => merge_into(person, *into),
        Command::ReceiveMerge { source, includes } => receive_merge(person, *source, includes),
        Command::Block { reason } if !person.blocked => Ok(vec![Event::PersonBlocked { reason: reason.clone() }]),
        Command::Unblock if person.blocked => Ok(vec![Event::PersonUnblocked {}]),
        Command::Block { .. } | Command::Unblock => Ok(Vec::new()),
    }
}

fn rename(person: &Person, name: Option<&PersonName>, context: &Context) -> Vec<Event> {
    if person.name.as_ref() == name {
        return Vec::new();
    }
    let text = NameChange { from: person.name.clone(), to: name.cloned() };
    vec![Event::PersonRenamed { personal: Personal { of: context.person_id, text } }]
}

fn identity_added(identity: IdentityId, value: &IdentityValue, context: &Context) -> Event {
    let personal = Personal { of: context.person_id, text: value.clone() };
    Event::IdentityAdded(IdentityAdded { identity, personal })
}

fn add_identity(person: &Person, value: &IdentityValue, context: &Context) -> Result<Vec<Event>, Rejection> {
    if person.identity(value).is_some() {
        return Ok(Vec::new());
    }
    let next = person.last_identity.0.checked_add(1).filter(|_| person.identities.len() < limits::IDENTITIES);
    let next = next.ok_or(Rejection::TooManyIdentities { limit: limits::IDENTITIES })?;
    Ok(vec![identity_added(IdentityId(next), value, context)])
}

fn remove_identity(person: &Person, identity: IdentityId) -> Result<Vec<Event>, Rejection> {
    if person.identities.contains_key(&identity) {
        return Ok(vec![Event::IdentityRemoved { identity }]);
    }
    let was_removed = (IdentityId(1)..=person.last_identity).contains(&identity);
    if was_removed { Ok(Vec::new()) } else { Err(Rejection::NoSuchIdentity { identity }) }
}

fn merge_into(person: &Person, into: PersonId) -> Result<Vec<Event>, Rejection> {
    // it would be a circle, with nobody at its end
    if person.merged.contains(&into) {
        return Err(Rejection::MergeWithItself);
    }
    Ok(vec![Event::PersonMerged { into }])
}

fn receive_merge(person: &Person, source: PersonId, includes: &BTreeSet<PersonId>) -> Result<Vec<Event>, Rejection> {
    let mut includes = includes.clone();
    includes.remove(&source);
    let mut merged = &person.merged | &includes;
    merged.insert(source);
    if merged == person.merged {
        return Ok(Vec::new());
    }
    if merged.len() > limits::MERGED {
        return Err(Rejection::TooManyMerged { limit: limits::MERGED });
    }
    Ok(vec![Event::MergeReceived { source, includes }])
}

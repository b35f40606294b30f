//! Ids as people know them.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use desk::{AsOf, Desk, DeskError};
use eventstore::{StreamId, StreamRange, Version};
use person_aggregate::Person;
use serde_json::Value;
use shared_kernel::{ActorRef, Aggregate, PersonId};
use ticket_aggregate::Ticket;
use uuid::Uuid;

/// The length of a uuid with hyphens.
const UUID: usize = 36;

/// Beyond so many, what was looked up is forgotten.
const KEPT: usize = 10_000;

/// What ids stand for: numbers of tickets, handles of agents and teams, names and addresses of people.
#[derive(Default)]
pub(crate) struct Names(HashMap<Uuid, Option<String>>);

impl Names {
    /// Looks up ids that were not looked up before.
    pub(crate) async fn learn(&mut self, desk: &Desk, ids: impl IntoIterator<Item = Uuid>) -> Result<(), DeskError> {
        for id in ids {
            if let Entry::Vacant(entry) = self.0.entry(id) {
                entry.insert(name(desk, id).await?);
            }
        }
        Ok(())
    }

    /// What an id stands for, if it was looked up and has a name.
    pub(crate) fn get(&self, id: Uuid) -> Option<&str> {
        self.0.get(&id)?.as_deref()
    }

    /// Makes room where too many are known.
    pub(crate) fn trim(&mut self) {
        if self.0.len() > KEPT {
            self.0.clear();
        }
    }

    /// The text with names in place of ids.
    pub(crate) fn put(&self, text: &str) -> String {
        let (mut named, mut rest) = (String::new(), text);
        while let Some(next) = rest.chars().next() {
            let id = rest.get(..UUID).and_then(|id| Uuid::try_parse(id).ok());
            if let Some(name) = id.and_then(|id| self.get(id)) {
                named.push_str(name);
                rest = &rest[UUID..];
            } else {
                named.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        named
    }
}

/// What a record is called. The first event says of what kind it is, and holds what never changes: handles and numbers.
async fn name(desk: &Desk, id: Uuid) -> Result<Option<String>, DeskError> {
    let first = StreamRange { until_version: Some(Version(1)), ..StreamRange::default() };
    let events = desk.store().read_stream(StreamId(id), first).await?;
    let Some(first) = events.first() else { return Ok(None) };
    let payload: Value = serde_json::from_str(&first.payload).unwrap_or_default();
    Ok(match first.stream_type.as_str() {
        Ticket::TYPE => payload["number"].as_u64().map(|number| format!("#{number}")),
        Person::TYPE => person(desk, PersonId(id)).await?,
        _ => payload["handle"].as_str().map(str::to_owned),
    })
}

async fn person(desk: &Desk, id: PersonId) -> Result<Option<String>, DeskError> {
    let person = match desk.record::<Person>(id, AsOf::Now).await {
        Ok(person) => person,
        // a name is no reason to fail
        Err(DeskError::NoSuchRecord { .. } | DeskError::Corrupt { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let address = person.state.primary_email().map(|(_, address)| address.to_string());
    Ok(match (&person.state.name, address) {
        (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
        (Some(name), None) => Some(name.to_string()),
        (None, address) => address,
    })
}

/// Who an event's metadata names, and the key by which somebody else acted for them.
pub(crate) fn actor(actor: &ActorRef) -> String {
    let via = actor.via.as_ref().map(|key| format!(" (via key {key})")).unwrap_or_default();
    format!("{} {}{via}", actor.kind, actor.id)
}

/// The ids in a JSON value.
pub(crate) fn collect(value: &Value, ids: &mut BTreeSet<Uuid>) {
    match value {
        Value::String(text) if text.len() == UUID => ids.extend(Uuid::try_parse(text).ok()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(members) => {
            ids.extend(members.keys().filter(|name| name.len() == UUID).filter_map(|name| Uuid::try_parse(name).ok()));
            members.values().for_each(|value| collect(value, ids));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_names() {
        let (ada, other, nobody) = (Uuid::from_u128(7), Uuid::from_u128(8), Uuid::from_u128(9));
        let names = Names(HashMap::from([(ada, Some("ada".to_owned())), (nobody, None)]));
        let text = format!("größer: {ada}→{other} é{ada}{nobody}");
        assert_eq!(names.put(&text), format!("größer: ada→{other} éada{nobody}"));
    }
}

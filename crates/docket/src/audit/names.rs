//! Ids in a replay, as people know them.

use std::collections::{BTreeSet, HashMap};

use desk::{AsOf, Desk, DeskError};
use person_aggregate::Person;
use serde_json::Value;
use shared_kernel::{AgentId, PersonId, TeamId};
use uuid::Uuid;

use super::replay::Replay;

/// The length of a uuid with hyphens.
const UUID: usize = 36;

/// The names that ids stand for: handles of agents and teams, names or addresses of people.
pub(super) struct Names(HashMap<Uuid, String>);

impl Names {
    /// Looks up every id that the replay mentions.
    pub(super) async fn of(desk: &Desk, replay: &Replay) -> anyhow::Result<Self> {
        let mut ids = BTreeSet::new();
        collect(&Value::Object(replay.state.clone()), &mut ids);
        for step in &replay.steps {
            collect(&step.data, &mut ids);
            ids.extend(step.actor.as_ref().and_then(|actor| Uuid::try_parse(&actor.id).ok()));
        }
        ids.remove(&replay.id);
        let mut names = HashMap::new();
        for id in ids {
            if let Some(name) = name(desk, id).await? {
                names.insert(id, name);
            }
        }
        Ok(Self(names))
    }

    /// The text with names in place of ids.
    pub(super) fn put(&self, text: &str) -> String {
        let (mut named, mut rest) = (String::new(), text);
        while let Some(next) = rest.chars().next() {
            let id = rest.get(..UUID).and_then(|id| Uuid::try_parse(id).ok());
            if let Some(name) = id.and_then(|id| self.0.get(&id)) {
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

async fn name(desk: &Desk, id: Uuid) -> Result<Option<String>, DeskError> {
    if let Some(handle) = desk.agent_handle(AgentId(id)).await? {
        return Ok(Some(handle.to_string()));
    }
    if let Some(handle) = desk.team_handle(TeamId(id)).await? {
        return Ok(Some(handle.to_string()));
    }
    match desk.record::<Person>(PersonId(id), AsOf::Now).await {
        Ok(person) => {
            let address = person.state.primary_email().map(|(_, address)| address.to_string());
            Ok(match (&person.state.name, address) {
                (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
                (Some(name), None) => Some(name.to_string()),
                (None, address) => address,
            })
        }
        Err(DeskError::NoSuchRecord { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn collect(value: &Value, ids: &mut BTreeSet<Uuid>) {
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
        let (ada, other) = (Uuid::from_u128(7), Uuid::from_u128(8));
        let names = Names(HashMap::from([(ada, "ada".to_owned())]));
        assert_eq!(names.put(&format!("größer: {ada}→{other} é{ada}")), format!("größer: ada→{other} éada"));
    }
}

//! People, agents and teams, for the read models that have a row per record, and the folds that they are held against.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use agent_aggregate::{Agent, Override, Presence, Skill};
use eventstore::{Position, StreamId};
use person_aggregate::{IdentityAdded, IdentityValue, NameChange, Person, PersonName, RegisteredName};
use projections::{AgentQuery, PersonQuery, Reader, RecordPage, SettingQuery};
use settings_aggregate::{Created, Revised, Setting, SettingName, Team, TeamDocument};
use shared_kernel::testing::{agent, person, team, ticket};
use shared_kernel::{AgentId, Aggregate, EmailAddress, Handle, IdentityId, PersonId, Personal, TeamId};

use crate::world::{World, at_least};

/// Some records of every kind.
pub(crate) async fn record(world: &World) {
    for n in 0..7 {
        world.record_as::<Person>(StreamId(someone(n).0), &person_story(n)).await;
        world.record_as::<Agent>(StreamId(helper(n).0), &agent_story(n)).await;
        world.record_as::<Setting<Team>>(StreamId(queue(n).0), &team_story(n)).await;
    }
}

/// Every model with a row per record, once it has read everything, is what the streams say.
pub(crate) async fn assert_right(world: &World, reader: &Reader) {
    let head = world.store.head().await.unwrap();
    let people = walk(async |cursor| {
        let query = PersonQuery { cursor, limit: 4, ..anybody() };
        reader.people(&query, at_least(head)).await.unwrap()
    });
    assert_folds::<Person>(world, people.await).await;
    let agents = walk(async |cursor| {
        let query = AgentQuery { cursor, limit: 3, ..any_agent() };
        reader.agents(&query, at_least(head)).await.unwrap()
    });
    assert_folds::<Agent>(world, agents.await).await;
    let teams = walk(async |cursor| {
        let query = SettingQuery { cursor, limit: 1, ..any_team() };
        reader.settings(&query, at_least(head)).await.unwrap()
    });
    assert_folds::<Setting<Team>>(world, teams.await).await;
}

/// Reads a list page by page.
pub(crate) async fn walk<I: Copy + Debug + Into<uuid::Uuid>, R>(
    mut page: impl AsyncFnMut(Option<String>) -> RecordPage<I, R>,
) -> BTreeMap<StreamId, R> {
    let mut all = BTreeMap::new();
    let mut cursor = None;
    loop {
        let RecordPage { items, next, position } = page(cursor).await;
        for row in items {
            assert!(row.version.0 > 0 && row.position > Position(0) && row.position <= position);
            assert!(all.insert(StreamId(row.id.into()), row.record).is_none(), "{:?} twice", row.id);
        }
        cursor = next;
        if cursor.is_none() {
            return all;
        }
    }
}

async fn assert_folds<A: Aggregate>(world: &World, found: BTreeMap<StreamId, A::State>) {
    let expected = world.folded_as::<A>().await;
    assert_eq!(found.len(), expected.len(), "as many rows as records of type {}", A::TYPE);
    for (stream, state) in &expected {
        assert_eq!(found.get(stream), Some(state));
    }
}

/// All agents, in pages of 200.
pub(crate) fn any_agent() -> AgentQuery {
    let (ids, people, presence) = Default::default();
    AgentQuery { ids, people, team: None, skill: None, presence, limit: 200, cursor: None }
}

/// All teams, in pages of 200.
pub(crate) fn any_team() -> SettingQuery<Team> {
    SettingQuery { ids: Vec::new(), retired: None, limit: 200, cursor: None }
}

/// Everybody, in pages of 200.
pub(crate) fn anybody() -> PersonQuery {
    PersonQuery { ids: Vec::new(), address: None, q: None, merged: None, blocked: None, limit: 200, cursor: None }
}

pub(crate) fn someone(n: u32) -> PersonId {
    person(&format!("person {n}"))
}

pub(crate) fn address(n: u32) -> EmailAddress {
    EmailAddress::parse(&format!("Person{n}@Bücher.Example")).unwrap()
}

/// A person with a story of their own; `n` decides on everything.
pub(crate) fn person_story(n: u32) -> Vec<person_aggregate::Event> {
    use person_aggregate::Event;

    let id = Some(someone(n));
    let name = |text: String| Some(PersonName::parse(&text).unwrap());
    let identity = |identity, value| {
        Event::IdentityAdded(IdentityAdded { identity: IdentityId(identity), personal: Personal::new(id, value) })
    };
    let mut events = vec![
        Event::PersonRegistered { personal: Personal::new(id, RegisteredName { name: name(format!("Pat {n}")) }) },
        identity(1, IdentityValue::Email(address(n))),
        identity(2, IdentityValue::Email(EmailAddress::parse(&format!("old.{n}@example.com")).unwrap())),
        Event::IdentityRemoved { identity: IdentityId(2) },
    ];
    let (from, to) = (name(format!("Pat {n}")), name(format!("Patricia \"O'Brien\" \\ Number{n}")));
    match n % 4 {
        0 => events.push(Event::PersonRenamed { personal: Personal::new(id, NameChange { from, to }) }),
        1 => events.push(Event::PersonRenamed { personal: Personal::new(id, NameChange { from, to: None }) }),
        2 => events.push(Event::PersonBlocked { reason: "spam".into() }),
        _ => events.push(Event::PersonMerged { into: someone(0) }),
    }
    if n == 0 {
        events.push(Event::MergeReceived { source: someone(3), includes: BTreeSet::from([someone(7)]) });
    }
    events
}

pub(crate) fn helper(n: u32) -> AgentId {
    agent(&format!("agent {n}"))
}

pub(crate) fn queue(n: u32) -> TeamId {
    team(&format!("team {n}"))
}

/// A name that does not sort like its number.
pub(crate) fn handle(n: u32) -> Handle {
    Handle::parse(&format!("{}-{n}", ["ä", "B", "a", "z \"q\""][n as usize % 4])).unwrap()
}

/// An agent with a story of their own; `n` decides on everything.
pub(crate) fn agent_story(n: u32) -> Vec<agent_aggregate::Event> {
    use agent_aggregate::Event;
    let slot = |ticket, weight| Event::SlotReserved { ticket, weight, over_capacity: None };
    let mut events = vec![
        Event::AgentRegistered { handle: handle(n), person: someone(n), capacity: Some(n) },
        Event::AgentJoinedTeam { team: queue(n % 3) },
        Event::AgentJoinedTeam { team: queue(9) },
        Event::AgentLeftTeam { team: queue(9) },
        slot(ticket("first"), n + 1),
        Event::SlotReserved { ticket: ticket("second"), weight: 2, over_capacity: Some(Override::Manual) },
        Event::SlotReleased { ticket: ticket("first") },
    ];
    match n % 3 {
        0 => events.push(Event::CapacitySet { from: Some(n), to: None }),
        1 => events.push(Event::PresenceChanged { from: Presence::Online, to: Presence::Away }),
        _ => {
            let to = ["French \"C1\"", "a, b"].map(|skill| Skill::parse(skill).unwrap()).into();
            events.push(Event::SkillsChanged { from: BTreeSet::new(), to });
        }
    }
    events
}

/// A team with a story of its own; `n` decides on everything.
pub(crate) fn team_story(n: u32) -> Vec<settings_aggregate::Event<Team>> {
    use settings_aggregate::Event;
    let name = |text: String| SettingName::parse(&text).unwrap();
    let document = TeamDocument::default();
    let described = TeamDocument { description: Some("Doors,\n\"walls\" \\ windows".into()) };
    let mut events = vec![Event::Created(Created { handle: handle(n), name: name(format!("Team {n}")), document })];
    if n.is_multiple_of(2) {
        events.push(Event::Revised(Revised { name: name(format!("The {n}th")), document: described }));
    }
    if n.is_multiple_of(3) {
        events.push(Event::Retired);
    }
    events
}

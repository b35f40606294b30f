//! The kinds of records that can be replayed: how each is found by name, and how its events read.

use agent_aggregate::Agent;
use anyhow::Context as _;
use clap::ValueEnum;
use desk::{AgentName, ApiKeyId, Desk, DeskError, Key, KeyEvent, KeyId, PersonName, TeamName};
use person_aggregate::Person;
use settings_aggregate::{Setting, Team};
use shared_kernel::{Aggregate, codec};
use ticket_aggregate::{Ticket, TicketId, TicketNumber};
use uuid::Uuid;

use super::description;
use super::replay::{Args, Replay};

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Ticket,
    Person,
    Agent,
    Team,
    ApiKey,
}

/// A record whose events can be told to people.
pub(super) trait Described: Aggregate {
    /// What the kind is called.
    const LABEL: &'static str;

    /// The name as messages show it.
    fn shown(name: &str) -> String {
        name.to_owned()
    }

    /// An event as a sentence, and the message that it carries.
    fn describe(event: &Self::Event) -> (String, Option<String>);
}

impl Kind {
    /// Replays the record that the arguments name.
    pub(super) async fn replay(self, desk: &Desk, args: &Args) -> anyhow::Result<Replay> {
        let name = args.name();
        match self {
            Self::Ticket => args.read::<Ticket>(desk, ticket(desk, name).await?).await,
            Self::Person => {
                let id = match name
                    .parse::<PersonName>()
                    .context("a person is named by an e-mail address or an id (a UUID)")?
                {
                    PersonName::Id(id) => Some(id),
                    address @ PersonName::Email(..) => desk.person_id(&address).await?,
                };
                args.read::<Person>(desk, id).await
            }
            Self::Agent => args.read::<Agent>(desk, desk.agent_id(&name.parse::<AgentName>()?).await?).await,
            Self::Team => args.read::<Setting<Team>>(desk, desk.team_id(&name.parse::<TeamName>()?).await?).await,
            Self::ApiKey => args.read::<Key>(desk, api_key(name)).await,
        }
    }
}

async fn ticket(desk: &Desk, name: &str) -> anyhow::Result<Option<TicketId>> {
    if let Ok(number) = name.parse::<TicketNumber>() {
        return match desk.by_number(number).await {
            Ok(id) => Ok(Some(id)),
            Err(DeskError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        };
    }
    let id = Uuid::parse_str(name);
    let id = id.map_err(|_| anyhow::anyhow!("a ticket is named by its number (1042 or '#1042') or its id (a UUID)"))?;
    Ok(Some(TicketId(id)))
}

/// A key is named by its id, or by the id of its stream.
fn api_key(name: &str) -> Option<ApiKeyId> {
    KeyId::parse(name).map(|id| id.record()).or_else(|| Uuid::try_parse(name).ok().map(ApiKeyId))
}

impl Described for Ticket {
    const LABEL: &'static str = "ticket";

    fn shown(name: &str) -> String {
        name.parse::<TicketNumber>().map_or_else(|_| name.to_owned(), |number| number.to_string())
    }

    fn describe(event: &Self::Event) -> (String, Option<String>) {
        let description = description::describe(event);
        (description.sentence, description.message.map(str::to_owned))
    }
}

impl Described for Person {
    const LABEL: &'static str = "person";

    fn describe(event: &Self::Event) -> (String, Option<String>) {
        (plain(event), None)
    }
}

impl Described for Agent {
    const LABEL: &'static str = "agent";

    fn describe(event: &Self::Event) -> (String, Option<String>) {
        (plain(event), None)
    }
}

impl Described for Setting<Team> {
    const LABEL: &'static str = "team";

    fn describe(event: &Self::Event) -> (String, Option<String>) {
        (plain(event), None)
    }
}

impl Described for Key {
    const LABEL: &'static str = "API key";

    fn describe(event: &KeyEvent) -> (String, Option<String>) {
        (plain(event), None)
    }
}

/// The last part of the type's name in words, and what the event says: `slot reserved (ticket 0192…, weight 1)`.
fn plain<E: shared_kernel::DomainEvent>(event: &E) -> String {
    let name = event.event_type();
    let words = name.split_once('.').map_or(name, |(_, name)| name).replace('_', " ");
    let encoded = codec::encode(event).ok();
    let data = encoded.and_then(|encoded| serde_json::from_str::<serde_json::Value>(&encoded.payload).ok());
    let details = data.as_ref().map(details).unwrap_or_default();
    if details.is_empty() { words } else { format!("{words} ({})", details.join(", ")) }
}

/// The members that say something, those of `personal` among them.
fn details(data: &serde_json::Value) -> Vec<String> {
    let members = data.as_object().into_iter().flatten();
    members
        .flat_map(|(name, value)| match value.as_object() {
            Some(people) if name == "personal" => people.values().flat_map(details).collect(),
            _ if super::diff::is_empty(value) => Vec::new(),
            _ => vec![format!("{name} {}", super::diff::shown(value))],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use shared_kernel::testing::team;

    use super::*;

    #[test]
    fn events_are_told_by_their_members() {
        let joined = agent_aggregate::Event::AgentJoinedTeam { team: team("it") };
        assert_eq!(plain(&joined), format!("joined team (team {})", team("it")));
        let named =
            r#"{"person.renamed":{"personal":{"00000000-0000-0000-0000-000000000007":{"from":null,"to":"Kate"}}}}"#;
        assert_eq!(plain(&serde_json::from_str::<person_aggregate::Event>(named).unwrap()), "renamed (to Kate)");
    }
}

//! Teams.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared_kernel::{EventType, TeamId};

use crate::kind::{Fault, Kind};
use crate::limits;

/// The kind of setting that is a queue of tickets. Its members stand in the agents' own streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Team;

/// What is set of a team, apart from handle and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamDocument {
    /// What the team is for: 1 to 1,000 characters, several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Kind for Team {
    const NAME: &'static str = "team";
    const STATE_SCHEMA: i16 = 1;
    const CREATED: EventType = EventType::new("team.created");
    const REVISED: EventType = EventType::new("team.revised");
    const RETIRED: EventType = EventType::new("team.retired");
    const HANDLE_SCOPE: &'static str = "team-handle";

    type Id = TeamId;
    type Document = TeamDocument;

    fn schema() -> Value {
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Team",
            "type": "object",
            "properties": {
                "description": {
                    "description": "What the team is for.",
                    "type": ["string", "null"],
                    "minLength": 1,
                    "maxLength": limits::DESCRIPTION,
                },
            },
            "additionalProperties": false,
        })
    }

    fn check(document: &TeamDocument) -> Result<(), Vec<Fault>> {
        match document.description.as_deref().and_then(fault_of_description) {
            Some(detail) => Err(vec![Fault { pointer: "/description".to_owned(), detail }]),
            None => Ok(()),
        }
    }

    fn size_of(document: &TeamDocument) -> usize {
        document.description.as_ref().map_or(0, String::len)
    }
}

fn fault_of_description(text: &str) -> Option<String> {
    let limit = limits::DESCRIPTION;
    if text.trim().is_empty() {
        Some("is blank; write something or leave it out".to_owned())
    } else if text.chars().count() > limit {
        Some(format!("is too long; use at most {limit} characters"))
    } else if text.contains('\0') {
        // PostgreSQL can't take it as text
        Some("contains a NUL character; remove it".to_owned())
    } else {
        None
    }
}

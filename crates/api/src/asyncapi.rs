//! The AsyncAPI 3.1 document: what the relay publishes to NATS JetStream.
//!
//! The form of each version of each event's `data` is kept by hand in `asyncapi/events.json`, and the values that they share
//! in `asyncapi/values.json`, so that a change to a contract shows as a diff. Tests hold them against the golden files of
//! the codec and against what the relay makes of an event.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::event_types;
use crate::schema::EXAMPLE_ID;

/// JSON Schemas by `TYPE.vVERSION`.
static EVENTS: LazyLock<Map<String, Value>> = LazyLock::new(|| read(include_str!("../asyncapi/events.json")));
/// JSON Schemas of what they share.
static VALUES: LazyLock<Map<String, Value>> = LazyLock::new(|| read(include_str!("../asyncapi/values.json")));

fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("the file is part of the program, and every test of the document reads it")
}

pub(crate) fn document() -> Value {
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    let mut schemas = VALUES.clone();
    schemas.extend(EVENTS.clone());
    schemas.insert("cloud_event".into(), envelope());
    for known in event_types::all() {
        let (event_type, newest) = (known.name, known.schema_version());
        let names = (1..=newest).map(|version| format!("{event_type}.v{version}")).collect::<Vec<_>>();
        for (name, version) in names.iter().zip(1..) {
            messages.insert(name.clone(), message(name, event_type, version));
        }
        channels.insert(event_type.to_owned(), channel(event_type, &names));
        let newest = names.last().expect("versions begin with 1");
        operations.insert(format!("send.{event_type}"), operation(event_type, newest));
    }
    json!({
        "asyncapi": "3.1.0",
        "info": {
            "title": "Docket's events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "contact": {"name": "The operator of this server"},
            "tags": [
                {"name": "tickets", "description": "What happened to requests for help."},
                {"name": "people", "description": "What happened to people: names, identities, merging, blocking."},
                {"name": "agents", "description": "What happened to agents: teams, skills, capacity, slots of tickets."},
                {"name": "teams", "description": "What happened to teams."},
                {"name": "api-keys", "description": "What happened to API keys."},
            ],
        },
        "defaultContentType": CLOUD_EVENT,
        "servers": {"nats": {
            "host": "{host}",
            "protocol": "nats",
            "description": "The operator's NATS with JetStream (NATS_URL), or the private one that `docket serve` starts: its URL is \
                            `nats` in `.docket/endpoints.json`.",
            "variables": {"host": {"default": "localhost:4222", "description": "Host and port."}},
        }},
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas, "messages": messages},
    })
}

const CLOUD_EVENT: &str = "application/cloudevents+json";

const DESCRIPTION: &str = "Every event of the log, once and in order, on one JetStream stream (DOCKET, subjects docket.>; an operator \
may have named both otherwise). The stream's sequence is the event's position in the log: 1, 2, 3 … without a gap. Messages are \
CloudEvents 1.0 in structured JSON mode; `data` is what was recorded, byte for byte, in the version that `schemaversion` says: old \
records are not rewritten. The broker is the operator's, like the database: it holds internal notes and personal data too, all of it in the member `personal` of `data`, by the person whose it is. \
A subscriber that remembers the last position it has dealt with, and skips what is not above it, sees every event exactly once.";

fn channel(event_type: &str, names: &[String]) -> Value {
    let (noun, rest) = event_type.split_once('.').expect("an event type is noun.verb");
    let messages: Map<_, _> =
        names.iter().map(|name| (name.clone(), json!({"$ref": format!("#/components/messages/{name}")}))).collect();
    let (id, record) = record_of(noun);
    json!({
        "address": format!("docket.{noun}.{{{id}}}.{rest}"),
        "title": event_type,
        "servers": [{"$ref": "#/servers/nats"}],
        "parameters": {id: {
            "description": format!("The {record}'s id; `*` subscribes to all."),
            "examples": [EXAMPLE_ID],
        }},
        "messages": messages,
    })
}

/// The name of the parameter for a record's id, and what the record is called.
fn record_of(noun: &str) -> (&'static str, &'static str) {
    match noun {
        "ticket" => ("ticketId", "ticket"),
        "person" => ("personId", "person"),
        "agent" => ("agentId", "agent"),
        "team" => ("teamId", "team"),
        "api_key" => ("apiKeyId", "API key"),
        other => unreachable!("the records of {other} have no name here; every test of the document asks for all"),
    }
}

/// `newest` names the message that is sent today.
fn operation(event_type: &str, newest: &str) -> Value {
    json!({
        "action": "send",
        "title": event_type,
        "description": description_of(newest),
        "channel": {"$ref": format!("#/channels/{event_type}")},
    })
}

/// The description in an event's schema.
fn description_of(name: &str) -> &'static str {
    EVENTS[name]["description"].as_str().expect("every event's schema has a description")
}

fn message(name: &str, event_type: &str, version: i16) -> Value {
    json!({
        "name": event_type,
        "title": format!("{event_type}, version {version}"),
        "summary": description_of(name),
        "contentType": CLOUD_EVENT,
        "headers": {
            "type": "object",
            "required": ["content-type"],
            "properties": {
                "content-type": {"type": "string", "const": CLOUD_EVENT},
                "traceparent": {"type": "string", "description": "W3C Trace Context of the request that recorded the event."},
                "Nats-Expected-Last-Sequence": {
                    "type": "string",
                    "description": "Left by the relay: the position before. Of no use to subscribers; leave it out when copying.",
                },
            },
        },
        "payload": {
            "allOf": [
                {"$ref": "#/components/schemas/cloud_event"},
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": event_type},
                        "schemaversion": {"const": version},
                        "data": {"$ref": format!("#/components/schemas/{name}")},
                    },
                },
            ],
        },
    })
}

/// The attributes of CloudEvents 1.0, and Docket's extensions.
fn envelope() -> Value {
    let text = |what: &str| json!({"type": "string", "minLength": 1, "description": what});
    let time = |what: &str| json!({"type": "string", "format": "date-time", "description": what});
    let count = |what: &str| json!({"type": "integer", "minimum": 1, "description": what});
    json!({
        "type": "object",
        "description": "A CloudEvent 1.0. Unknown attributes are to be ignored: later versions may add some.",
        "required": [
            "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "position", "streamversion",
            "schemaversion", "recordedtime", "data",
        ],
        "properties": {
            "specversion": {"type": "string", "const": "1.0"},
            "id": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "The position, as a text; with `source` unique."},
            "source": {"type": "string", "format": "uri", "description": "The installation: `urn:uuid:` and its id, generated by the first migration."},
            "type": text("What happened; the log's own name for it."),
            "subject": {"type": "string", "format": "uuid", "description": "The record: a ticket, a person, an agent, a team, an API key."},
            "time": time("When it happened; an imported event's own time. Never backwards within a record."),
            "datacontenttype": {"type": "string", "const": "application/json"},
            "position": count("Its place in the log, the stream's sequence."),
            "streamversion": count("Its place in the record's stream: 1, 2, 3 … without a gap; the record's ETag after it."),
            "schemaversion": count("The version of the form of `data`."),
            "recordedtime": time("When the log took it; never backwards along the log."),
            "actorkind": text("Who did it: requester, agent or system."),
            "actorid": text("A requester's person id, an agent's id, or the name of a part of the program."),
            "actorvia": text("The API key whose owner acted for this person."),
            "commandid": text("The command that recorded it; one command may record several events."),
            "correlationid": text("Joins what belongs together across commands: the id of the HTTP request."),
            "causekind": text("Why, where it was not the actor's own wish: import, policy, …"),
            "cause": text("The same in full, a JSON text."),
            "traceparent": text("W3C Trace Context (CloudEvents distributed tracing extension)."),
            "data": {"description": "What the event says."},
        },
    })
}

#[cfg(test)]
mod tests;

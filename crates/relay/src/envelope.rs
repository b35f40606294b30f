//! The message of an event: a `CloudEvent` 1.0 in structured JSON mode (CloudEvents NATS binding 1.0), with the recorded
//! payload byte for byte.

use std::borrow::Cow;
use std::collections::BTreeMap;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, NATS_EXPECTED_LAST_SEQUENCE};
use chrono::{DateTime, SecondsFormat, Utc};
use eventstore::{RecordedEvent, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Config;
use crate::broker::StoredMessage;

/// The header `content-type` of each message.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// Longer attributes are left out, so that a message stays below [`crate::MAX_MESSAGE_BYTES`].
const MAX_ATTRIBUTE_BYTES: usize = 4_096;

/// A message that is ready to be published.
#[derive(Clone, Debug)]
pub struct Message {
    /// `docket.ticket.<id>.resolved`.
    pub subject: String,
    /// `content-type`, `traceparent`, and the expected last sequence, which is the fence.
    pub headers: HeaderMap,
    /// The `CloudEvent`.
    pub payload: Vec<u8>,
    pub(crate) position: i64,
}

/// The attributes that precede `data`.
#[derive(Serialize)]
struct Attributes<'a> {
    specversion: &'static str,
    id: String,
    source: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    subject: StreamId,
    time: String,
    datacontenttype: &'static str,
    position: i64,
    streamversion: i64,
    schemaversion: i16,
    recordedtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    actorkind: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actorid: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actorvia: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commandid: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causekind: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<Cow<'a, str>>,
}

/// The metadata that a message repeats.
#[derive(Default, Deserialize)]
#[serde(default)]
struct EventMetadata<'a> {
    #[serde(borrow)]
    command_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    correlation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    actor: Option<KindAndId<'a>>,
    #[serde(borrow)]
    cause: Option<&'a RawValue>,
}

/// An actor or a cause.
#[derive(Default, Deserialize)]
#[serde(default)]
struct KindAndId<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    via: Option<Cow<'a, str>>,
}

impl Message {
    /// The message of an event; the same event always gives the same message. Attributes of unreadable metadata are left
    /// out: one such event must not hold back all that follow.
    pub fn of(event: &RecordedEvent, config: &Config) -> Self {
        let metadata: EventMetadata<'_> = serde_json::from_str(&event.metadata).unwrap_or_default();
        let actor = metadata.actor.unwrap_or_default();
        let cause = metadata.cause.map(RawValue::get).filter(|text| *text != "null");
        let named: KindAndId<'_> = cause.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let traceparent = metadata.traceparent.and_then(bounded);
        let mut headers = HeaderMap::new();
        #[cfg(feature = "planted-bugs")]
        let unfenced = fail::eval("planted.unfenced_relay", |_| true).unwrap_or(false);
        #[cfg(not(feature = "planted-bugs"))]
        let unfenced = false;
        if !unfenced {
            headers.insert(NATS_EXPECTED_LAST_SEQUENCE, event.position.0.saturating_sub(1).to_string());
        }
        headers.insert(HeaderName::from_static("content-type"), CONTENT_TYPE);
        // a header value is a single line
        if let Some(traceparent) = traceparent.as_deref().filter(|text| text.bytes().all(|b| b.is_ascii_graphic())) {
            headers.insert(HeaderName::from_static("traceparent"), traceparent);
        }
        let attributes = Attributes {
            specversion: "1.0",
            id: event.position.to_string(),
            source: &config.source,
            event_type: &event.event_type,
            subject: event.stream_id,
            time: time(event.occurred_at),
            datacontenttype: "application/json",
            position: event.position.0,
            streamversion: event.version.0,
            schemaversion: event.schema_version,
            recordedtime: time(event.recorded_at),
            actorkind: actor.kind.and_then(bounded),
            actorid: actor.id.and_then(bounded),
            actorvia: actor.via.and_then(bounded),
            commandid: metadata.command_id.and_then(bounded),
            correlationid: metadata.correlation_id.and_then(bounded),
            causekind: named.kind.and_then(bounded),
            cause: cause.filter(|text| text.len() <= MAX_ATTRIBUTE_BYTES),
            traceparent,
        };
        let payload = with_data(&attributes, &event.payload);
        Self { subject: subject(event, &config.subject_prefix), headers, payload, position: event.position.0 }
    }
}

/// Leaves out empty and overlong attributes.
fn bounded(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty() && text.len() <= MAX_ATTRIBUTE_BYTES).then_some(text)
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Splices the payload in as it is: the column's type makes sure that it is JSON.
#[expect(clippy::expect_used, reason = "see there")]
fn with_data(attributes: &Attributes<'_>, data: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(640 + data.len());
    serde_json::to_writer(&mut json, attributes).expect("numbers and texts are serialised into memory");
    json.pop();
    json.extend_from_slice(b",\"data\":");
    json.extend_from_slice(data.as_bytes());
    json.push(b'}');
    json
}

/// `PREFIX.ticket.<id>.resolved`: stream type, stream id, and the rest of the event type, so that subscribers can filter by
/// any of them. Characters that a subject can't hold become `_`.
fn subject(event: &RecordedEvent, prefix: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name = event.event_type.strip_prefix(event.stream_type.as_str()).and_then(|rest| rest.strip_prefix('.'));
    let mut subject = format!("{prefix}.{}.{}", event.stream_type, event.stream_id);
    for token in name.unwrap_or(&event.event_type).split('.') {
        subject.push('.');
        subject.extend(token.chars().map(fit));
        if token.is_empty() {
            subject.push('_');
        }
    }
    subject
}

/// The attributes that identify an event. They are checked before the relay publishes; the others may differ between
/// versions of the program.
#[derive(Deserialize)]
struct Identity<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    event_type: Cow<'a, str>,
    subject: StreamId,
    time: DateTime<Utc>,
    streamversion: i64,
    schemaversion: i16,
    #[serde(borrow)]
    commandid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: &'a RawValue,
}

/// Describes how a message differs from the event of its position in what identifies it; `None`: it is that event's.
pub(crate) fn identity_difference(event: &RecordedEvent, payload: &[u8]) -> Option<String> {
    let found: Identity<'_> = match serde_json::from_slice(payload) {
        Ok(found) => found,
        Err(error) => return Some(format!("it is not an event of Docket: {error}")),
    };
    let metadata: EventMetadata<'_> = serde_json::from_str(&event.metadata).unwrap_or_default();
    let differ = |what: &str, there: &dyn std::fmt::Display, here: &dyn std::fmt::Display| {
        Some(format!("its {what} is {there}, in the log it is {here}"))
    };
    if found.id != event.position.to_string() {
        return differ("id", &found.id, &event.position);
    }
    if found.subject != event.stream_id {
        return differ("subject", &found.subject, &event.stream_id);
    }
    if found.streamversion != event.version.0 {
        return differ("streamversion", &found.streamversion, &event.version);
    }
    if found.event_type != event.event_type {
        return differ("type", &found.event_type, &event.event_type);
    }
    if found.schemaversion != event.schema_version {
        return differ("schemaversion", &found.schemaversion, &event.schema_version);
    }
    if found.time != event.occurred_at {
        return differ("time", &time(found.time), &time(event.occurred_at));
    }
    if found.commandid != metadata.command_id.and_then(bounded) {
        return Some("its commandid is not the one in the log".into());
    }
    (found.data.get() != event.payload.trim()).then(|| "its data is not the payload in the log".into())
}

/// Describes how a stored message differs from the one that the event gives: in its subject, a header, an attribute, or its
/// data. `None`: it does not.
pub(crate) fn message_difference(event: &RecordedEvent, stored: &StoredMessage, config: &Config) -> Option<String> {
    // names what identifies an event best
    if let Some(difference) = identity_difference(event, &stored.payload) {
        return Some(difference);
    }
    let expected = Message::of(event, config);
    if stored.subject != expected.subject {
        return Some(format!("its subject on the broker is {}, not {}", stored.subject, expected.subject));
    }
    for name in ["content-type", "traceparent"] {
        let of = |headers: &HeaderMap| headers.get(name).map(|value| value.as_str().to_owned());
        let (found, right) = (of(&stored.headers), of(&expected.headers));
        if found != right {
            return Some(format!("its header {name} is {found:?}, the log gives {right:?}"));
        }
    }
    if stored.payload == expected.payload {
        return None;
    }
    let attributes = |payload: &[u8]| serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(payload);
    let (Ok(found), Ok(right)) = (attributes(&stored.payload), attributes(&expected.payload)) else {
        return Some("it is not an event of Docket".to_owned());
    };
    let text = |value: Option<&Box<RawValue>>| value.map_or("absent".to_owned(), |value| value.get().to_owned());
    let names = right.keys().chain(found.keys());
    let differing = names.map(|name| (name, text(found.get(name)), text(right.get(name))));
    let first = differing.into_iter().find(|(_, found, right)| found != right);
    Some(match first {
        Some((name, found, right)) => format!("its {name} is {found}, in the log it is {right}"),
        None => "its attributes are those of the log, but written differently".to_owned(),
    })
}

#[cfg(test)]
mod tests;

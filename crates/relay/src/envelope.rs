//! An event as a message: a `CloudEvent` 1.0 in structured JSON mode (CloudEvents NATS binding 1.0), its payload byte
//! for byte.

use std::borrow::Cow;
use std::fmt::Write as _;

use async_nats::HeaderMap;
use async_nats::header::{HeaderName, NATS_EXPECTED_LAST_SEQUENCE};
use chrono::{DateTime, SecondsFormat, Utc};
use eventstore::{RecordedEvent, StreamId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Config;

/// What a message says of itself in its header `content-type`.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// A longer one of the attributes that the metadata gives is left out: a message must not grow past what the broker takes.
const LONGEST_ATTRIBUTE: usize = 4_096;

/// A message, ready to be published.
#[derive(Clone, Debug)]
pub struct Message {
    /// `docket.ticket.<id>.resolved`.
    pub subject: String,
    /// `content-type`, `traceparent`, and the fence.
    pub headers: HeaderMap,
    /// The `CloudEvent`.
    pub payload: Vec<u8>,
    pub(crate) position: i64,
}

/// The attributes before `data`.
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

/// What the metadata says, as far as a message repeats it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said<'a> {
    #[serde(borrow)]
    command_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    correlation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
    #[serde(borrow)]
    actor: Option<Named<'a>>,
    #[serde(borrow)]
    cause: Option<&'a RawValue>,
}

/// An actor, or a cause.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<Cow<'a, str>>,
}

impl Message {
    /// The message of an event: the same event gives the same message. Metadata that can't be read leaves its
    /// attributes out: one odd event must not hold back all that follow.
    pub fn of(event: &RecordedEvent, config: &Config) -> Self {
        let said: Said<'_> = serde_json::from_str(&event.metadata).unwrap_or_default();
        let actor = said.actor.unwrap_or_default();
        let cause = said.cause.map(RawValue::get).filter(|text| *text != "null");
        let named: Named<'_> = cause.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let traceparent = said.traceparent.and_then(short);
        let mut headers = HeaderMap::new();
        #[cfg(feature = "planted-bugs")]
        let unfenced = fail::eval("planted.unfenced_relay", |_| true).unwrap_or(false);
        #[cfg(not(feature = "planted-bugs"))]
        let unfenced = false;
        if !unfenced {
            headers.insert(NATS_EXPECTED_LAST_SEQUENCE, event.position.0.saturating_sub(1).to_string());
        }
        headers.insert(HeaderName::from_static("content-type"), CONTENT_TYPE);
        // a header's value is one line
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
            actorkind: actor.kind.and_then(short),
            actorid: actor.id.and_then(short),
            commandid: said.command_id.and_then(short),
            correlationid: said.correlation_id.and_then(short),
            causekind: named.kind.and_then(short),
            cause: cause.filter(|text| text.len() <= LONGEST_ATTRIBUTE),
            traceparent,
        };
        let payload = with_data(&attributes, &event.payload);
        Self { subject: subject(event, &config.subject_prefix), headers, payload, position: event.position.0 }
    }
}

/// Absent rather than empty, and absent rather than endless.
fn short(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty() && text.len() <= LONGEST_ATTRIBUTE).then_some(text)
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The payload is spliced in as it is: it is JSON, the database has seen to that, and parsing it would only cost.
fn with_data(attributes: &Attributes<'_>, data: &str) -> Vec<u8> {
    let mut json = Vec::with_capacity(640 + data.len());
    // only numbers and texts, into memory: this can't fail
    if serde_json::to_writer(&mut json, attributes).is_ok() {
        json.pop();
    }
    json.extend_from_slice(b",\"data\":");
    json.extend_from_slice(data.as_bytes());
    json.push(b'}');
    json
}

/// `PREFIX.ticket.<id>.resolved`: the type with the stream's id behind its first word, so that subscribers can choose by
/// the one or the other. What a subject can't hold becomes `_`.
fn subject(event: &RecordedEvent, prefix: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let mut words = event.event_type.split('.').map(|word| {
        let word: String = word.chars().map(fit).collect();
        if word.is_empty() { "_".to_owned() } else { word }
    });
    let mut subject = format!("{prefix}.{}.{}", words.next().unwrap_or_default(), event.stream_id);
    for word in words {
        write!(subject, ".{word}").ok();
    }
    subject
}

/// What a message must have in common with its event. Not all of it: what is said beside these may differ between
/// versions of this program.
#[derive(Deserialize)]
struct Essence<'a> {
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

/// How a message on the broker differs from the event of its position; `None` where it is that event's.
pub(crate) fn difference(event: &RecordedEvent, payload: &[u8]) -> Option<String> {
    let found: Essence<'_> = match serde_json::from_slice(payload) {
        Ok(found) => found,
        Err(error) => return Some(format!("it is no event of Docket's: {error}")),
    };
    let said: Said<'_> = serde_json::from_str(&event.metadata).unwrap_or_default();
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
    if found.commandid != said.command_id.and_then(short) {
        return Some("another command recorded it".into());
    }
    (found.data.get() != event.payload.trim()).then(|| "its data is not the payload in the log".into())
}

#[cfg(test)]
mod tests;

//! What an event changed in the record's state.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// A field that changed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) field: String,
    pub(super) from: Value,
    pub(super) to: Value,
}

/// A record's fields, by name.
pub(super) fn fields(state: Option<&impl Serialize>) -> anyhow::Result<Map<String, Value>> {
    Ok(match state.map(serde_json::to_value).transpose()? {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    })
}

/// The fields that differ. A missing field equals null.
pub(super) fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Change> {
    let differs = |(field, to): (&String, &Value)| {
        let from = before.get(field).unwrap_or(&Value::Null);
        (from != to).then(|| Change { field: field.clone(), from: from.clone(), to: to.clone() })
    };
    after.iter().filter_map(differs).collect()
}

/// As JSON: `{"status": {"from": "new", "to": "open"}}`.
pub(super) fn to_json(changes: &[Change]) -> Value {
    let entry = |Change { field, from, to }: &Change| (field.clone(), json!({ "from": from, "to": to }));
    Value::Object(changes.iter().map(entry).collect())
}

/// Whether a value is empty: null, false, 0, or without content.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::Object(members) => members.values().all(is_empty),
        Value::Bool(true) => false,
    }
}

/// A value as text for people.
pub(super) fn shown(value: &Value) -> String {
    match value {
        _ if is_empty(value) => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(_) => "yes".to_owned(),
        Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let filled = members.iter().filter(|(_, value)| !is_empty(value));
            filled.map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn only_differences_are_changes() {
        let before = object(&json!({"status": "new", "team": null, "tags": ["a"]}));
        let after = object(&json!({"status": "open", "team": null, "tags": ["a", "b"]}));
        let shown_changes: Vec<String> = changes(&before, &after)
            .iter()
            .map(|change| format!("{}: {} → {}", change.field, shown(&change.from), shown(&change.to)))
            .collect();
        assert_eq!(shown_changes, ["status: new → open", "tags: a → a, b"]);
        assert_eq!(to_json(&changes(&before, &before)), json!({}));
    }

    #[test]
    fn values_are_shown_without_json_syntax() {
        assert_eq!(shown(&json!({"email": "a@b", "name": null})), "email a@b");
        assert_eq!([json!(null), json!([]), json!(true), json!(3)].map(|value| shown(&value)), ["–", "–", "yes", "3"]);
    }
}

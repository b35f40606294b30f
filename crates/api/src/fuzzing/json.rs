//! Bodies: read as the strict parser reads them, and a second time into a tree that keeps everything, which is then
//! searched for what the contract refuses.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use crate::extract::json::{MOST_VALUES, Refused, parse};

/// A body: accepted exactly where it is JSON without what the contract refuses, with the value that `serde_json` reads;
/// else refused at the first such place.
pub fn json(data: &[u8]) {
    let text = std::str::from_utf8(data).ok().map(|text| text.strip_prefix('\u{feff}').unwrap_or(text));
    let tree = text.and_then(|text| serde_json::from_str::<Tree>(text).ok());
    let parsed = match parse(data) {
        Ok(value) => Ok(value),
        Err(Refused::Json(fault)) => Err(fault),
        Err(Refused::TooManyValues(_)) => return assert!(data.len() >= MOST_VALUES),
    };
    match (parsed, tree) {
        (Ok(value), Some(tree)) => {
            assert_eq!(tree.trouble(0), None, "accepted: {value}");
            assert_eq!(tree.value(), Some(value.clone()));
            // what is stored and compared is what is written, and that is read as the same again
            let written = value.to_string();
            assert_eq!(parse(written.as_bytes()), Ok(value), "{written}");
        }
        (Err(fault), Some(tree)) => {
            assert_eq!(tree.trouble(0).as_deref(), Some(fault.pointer.as_str()), "{}", fault.detail);
            assert!(tree.has(&fault.pointer), "{} leads nowhere", fault.pointer);
        }
        (Err(fault), None) => {
            assert!(fault.pointer.is_empty() || fault.pointer.starts_with('/'), "{}", fault.pointer);
            assert!(!fault.detail.is_empty());
        }
        (Ok(value), None) => unreachable!("accepted what is no JSON: {value}"),
    }
}

/// JSON with every member, also those that are there twice.
enum Tree {
    Plain(Value),
    Beyond,
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// The first thing that the contract refuses, as a JSON Pointer.
    fn trouble(&self, depth: usize) -> Option<String> {
        let too_deep = depth >= 32 && matches!(self, Self::Array(_) | Self::Object(_));
        match self {
            _ if too_deep => Some(String::new()),
            Self::Plain(Value::String(text)) => text.contains('\0').then(String::new),
            Self::Plain(_) => None,
            Self::Beyond => Some(String::new()),
            Self::Array(items) => {
                items.iter().enumerate().find_map(|(at, item)| Some(format!("/{at}{}", item.trouble(depth + 1)?)))
            }
            Self::Object(members) => {
                let mut names = HashSet::new();
                members.iter().find_map(|(name, member)| {
                    let sound = !name.contains('\0') && names.insert(name);
                    let inner = if sound { member.trouble(depth + 1)? } else { String::new() };
                    Some(format!("/{}{inner}", escaped(name)))
                })
            }
        }
    }

    /// Whether a pointer leads to something; of members that are there twice, to any of them.
    fn has(&self, pointer: &str) -> bool {
        let Some(rest) = pointer.strip_prefix('/') else { return pointer.is_empty() };
        let (token, rest) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        match self {
            Self::Array(items) => token.parse().ok().and_then(|at: usize| items.get(at)).is_some_and(|it| it.has(rest)),
            Self::Object(members) => members.iter().any(|(name, it)| escaped(name) == token && it.has(rest)),
            Self::Plain(_) | Self::Beyond => false,
        }
    }

    fn value(self) -> Option<Value> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Beyond => None,
            Self::Array(items) => items.into_iter().map(Self::value).collect(),
            Self::Object(members) => members.into_iter().map(|(name, member)| Some((name, member.value()?))).collect(),
        }
    }
}

fn escaped(name: &str) -> String {
    name.chars().fold(String::new(), |text, c| match c {
        '~' => text + "~0",
        '/' => text + "~1",
        c => text + c.encode_utf8(&mut [0; 4]),
    })
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Whole)
    }
}

struct Whole;

impl<'de> Visitor<'de> for Whole {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Plain(Value::Null))
    }
    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Plain(value.into()))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Plain(value.into()))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(i64::try_from(value).map_or(Tree::Beyond, |value| Tree::Plain(value.into())))
    }
    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        // from 2^53 on every float is whole
        let beyond = value.abs() >= 2_f64.powi(63);
        let number = Number::from_f64(value).filter(|_| !beyond);
        Ok(number.map_or(Tree::Beyond, |number| Tree::Plain(number.into())))
    }
    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Plain(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Tree::Object(members))
    }
}

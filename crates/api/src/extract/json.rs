//! I-JSON (RFC 7493), and a little stricter, so that what is stored is what was meant: no member twice, no NUL, at most 32
//! levels and 10,000 values, no integer beyond 64 bits, nothing after the end. A byte order mark is skipped.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use crate::problem::{Code, FieldError, Problem};

const DEEPEST: usize = 32;
/// 2^63.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// The most values of a body. No request needs as many, and each takes some hundred bytes of memory.
pub(crate) const MOST_VALUES: usize = 10_000;

/// Why a body was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// It is not the JSON that is accepted.
    Json(FieldError),
    /// It has more than [`MOST_VALUES`].
    TooManyValues(FieldError),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Json(fault) => Self::faults(Code::InvalidJson, fault.into()),
            Refused::TooManyValues(fault) => Self::faults(Code::ValidationFailed, fault.into()),
        }
    }
}

/// Parses a body. A fault names the place that parsing has come to.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Refused> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| Refused::Json(FieldError::new("", format!("not UTF-8 at byte {}", e.valid_up_to()))))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (path, left) = (RefCell::new(Vec::new()), Cell::new(MOST_VALUES));
    let mut parser = serde_json::Deserializer::from_str(text);
    let strict = Strict { path: &path, left: &left };
    let parsed = strict.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    parsed.map_err(|error| {
        let mut path = path.into_inner();
        if left.get() > 0 {
            return Refused::Json(FieldError::new(pointer(&path), error.to_string()));
        }
        // the place is the array or object that has so many
        path.pop();
        Refused::TooManyValues(FieldError::new(pointer(&path), format!("more than {MOST_VALUES} values in one body")))
    })
}

/// A member of a body that may be absent, null, or there. Absent by `#[serde(default)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Change<T> {
    /// As it is.
    #[default]
    Keep,
    /// Null: there is none any more.
    Clear,
    /// This.
    To(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::To))
    }
}

fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, token| pointer + "/" + &token.replace('~', "~0").replace('/', "~1"))
}

/// Parses one value; the path leads to where it is now, and stays there when it fails.
#[derive(Clone, Copy)]
struct Strict<'a> {
    path: &'a RefCell<Vec<String>>,
    /// How many more values there may be.
    left: &'a Cell<usize>,
}

impl Strict<'_> {
    /// An array or an object begins: it is one level deeper than what it stands in.
    fn begin<E: Error>(self) -> Result<(), E> {
        if self.path.borrow().len() >= DEEPEST {
            return Err(E::custom(format!("nested deeper than {DEEPEST} levels")));
        }
        Ok(())
    }

    fn enter(self, token: String) {
        self.path.borrow_mut().push(token);
    }

    fn leave(self) {
        self.path.borrow_mut().pop();
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            return Err(Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::from).map_err(|_| E::custom("a number beyond 64 bits"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        // an integer that fits nowhere arrives here as the nearest floating-point number
        if value.fract() == 0.0 && value.abs() >= BEYOND {
            return Err(E::custom("a number beyond 64 bits"));
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        if value.contains('\0') {
            return Err(E::custom("the character U+0000 is not accepted"));
        }
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        self.begin()?;
        let mut items = Vec::new();
        loop {
            self.enter(items.len().to_string());
            let item = seq.next_element_seed(self)?;
            self.leave();
            let Some(item) = item else { return Ok(Value::Array(items)) };
            items.push(item);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.begin()?;
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            self.enter(name.clone());
            if name.contains('\0') {
                return Err(A::Error::custom("the character U+0000 is not accepted"));
            }
            if members.contains_key(&name) {
                return Err(A::Error::custom("given twice"));
            }
            members.insert(name, map.next_value_seed(self)?);
            self.leave();
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_json_is_read() {
        let value = parse(br#" {"a": [1, -2, 3.5, "\u00e9\ud83d\ude00", true, null], "b": {}} "#).unwrap();
        assert_eq!(value.to_string(), "{\"a\":[1,-2,3.5,\"é😀\",true,null],\"b\":{}}");
        assert!(parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
    }

    #[test]
    fn unsound_json_is_refused_with_its_place() {
        let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
        for (bad, place) in [
            (&b"{\"a\": 1, \"a\": 2}"[..], "/a"),
            (br#"{"a": {"b": "x\u0000y"}}"#, "/a/b"),
            (br#"{"a": "\ud800"}"#, "/a"),
            (br#"{"a": [1, 18446744073709551615]}"#, "/a/1"),
            (br#"{"a": 9223372036854775808}"#, "/a"),
            (br#"{"a": -9223372036854775809}"#, "/a"),
            (br#"{"a": 18446744073709551616}"#, "/a"),
            (br#"{"a": 1e999}"#, "/a"),
            (br#"{"a": +1}"#, "/a"),
            (b"{} {}", ""),
            (b"", ""),
            (b"{\"a\": \"\xff\"}", ""),
            (br#"{"x/y~z": nope}"#, "/x~1y~0z"),
        ] {
            let Err(Refused::Json(fault)) = parse(bad) else { panic!("{}", String::from_utf8_lossy(bad)) };
            assert_eq!(fault.pointer, place, "{}: {}", String::from_utf8_lossy(bad), fault.detail);
        }
        assert!(format!("{:?}", parse(deep.as_bytes())).contains("deeper than 32"));
        let empty = format!("{}{{}}{}", "[".repeat(32), "]".repeat(32));
        assert!(format!("{:?}", parse(empty.as_bytes())).contains("deeper than 32"), "an empty object is a level, too");
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn byte_order_mark_is_skipped() {
        assert_eq!(parse(b"\xef\xbb\xbf{}"), Ok(serde_json::json!({})));
    }

    #[test]
    fn parsing_stops_at_the_most_values() {
        let body = |items: usize| format!("{{\"tags\": [{}1]}}", "1,".repeat(items - 1));
        assert!(parse(body(MOST_VALUES - 3).as_bytes()).is_ok());
        for items in [MOST_VALUES, 400_000] {
            let Err(Refused::TooManyValues(fault)) = parse(body(items).as_bytes()) else { panic!("{items}") };
            assert_eq!(fault.pointer, "/tags");
        }
        let members = (0..50_000).map(|n| format!("\"m{n}\": 1,")).collect::<Vec<_>>().concat();
        let Err(Refused::TooManyValues(fault)) = parse(format!("{{{members}\"x\": 1}}").as_bytes()) else { panic!() };
        assert_eq!(fault.pointer, "");
    }
}

//! JSON as it is accepted: stricter than most parsers, so that what is stored is what was meant. No
//! member twice, no NUL, nothing deeper than 32 levels, no integer beyond 64 bits, nothing after the end.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::FieldError;

const DEEPEST: usize = 32;
/// 2^63.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

/// Parses a body; a fault names the place as far as parsing came.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, FieldError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| FieldError::new("", format!("not UTF-8 at byte {}", e.valid_up_to())))?;
    let path = RefCell::new(Vec::new());
    let mut parser = serde_json::Deserializer::from_str(text);
    let strict = Strict { path: &path };
    strict
        .deserialize(&mut parser)
        .and_then(|value| parser.end().map(|()| value))
        .map_err(|error| FieldError::new(pointer(&path.borrow()), error.to_string()))
}

fn pointer(path: &[String]) -> String {
    path.iter().fold(String::new(), |pointer, token| pointer + "/" + &token.replace('~', "~0").replace('/', "~1"))
}

/// Parses one value; the path leads to where it is now, and stays there when it fails.
#[derive(Clone, Copy)]
struct Strict<'a> {
    path: &'a RefCell<Vec<String>>,
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

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
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
                return Err(A::Error::custom("this member is there twice"));
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
    fn what_is_sound_is_read() {
        let value = parse(br#" {"a": [1, -2, 3.5, "\u00e9\ud83d\ude00", true, null], "b": {}} "#).unwrap();
        assert_eq!(value.to_string(), "{\"a\":[1,-2,3.5,\"é😀\",true,null],\"b\":{}}");
        assert!(parse(format!("{}{}", "[".repeat(32), "]".repeat(32)).as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_is_refused_with_its_place() {
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
            let fault = parse(bad).unwrap_err();
            assert_eq!(fault.pointer, place, "{}: {}", String::from_utf8_lossy(bad), fault.detail);
        }
        assert!(parse(deep.as_bytes()).unwrap_err().detail.contains("deeper than 32"));
        let empty = format!("{}{{}}{}", "[".repeat(32), "]".repeat(32));
        assert!(
            parse(empty.as_bytes()).unwrap_err().detail.contains("deeper than 32"),
            "an empty object is a level, too"
        );
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}

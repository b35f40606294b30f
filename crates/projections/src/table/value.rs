use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::tokenizer::Vector;

/// A type that a column of a read model can have.
pub(crate) trait ColumnValue {
    /// What a writer binds of it.
    type Element;
    /// The SQL type of an array of that.
    const ARRAY: &'static str;
    /// What makes the column's value of an element.
    const CAST: &'static str = "";

    fn element(self) -> Self::Element;
}

macro_rules! bound_as_they_are {
    ($($type:ty = $array:literal),+ $(,)?) => {
        $(
            impl ColumnValue for $type {
                type Element = Self;
                const ARRAY: &'static str = $array;

                fn element(self) -> Self {
                    self
                }
            }
        )+
    };
}

bound_as_they_are! {
    Uuid = "uuid[]",
    Option<Uuid> = "uuid[]",
    i16 = "smallint[]",
    i64 = "bigint[]",
    bool = "boolean[]",
    String = "text[]",
    Option<String> = "text[]",
    DateTime<Utc> = "timestamptz[]",
    Vector = "tsvector[]",
}

/// As a literal: `unnest` flattens arrays of arrays.
impl ColumnValue for Vec<Uuid> {
    type Element = String;
    const ARRAY: &'static str = "text[]";
    const CAST: &'static str = "::uuid[]";

    fn element(self) -> String {
        array_literal(self.iter().map(Uuid::to_string))
    }
}

impl ColumnValue for Vec<String> {
    type Element = String;
    const ARRAY: &'static str = "text[]";
    const CAST: &'static str = "::text[]";

    fn element(self) -> String {
        array_literal(self.iter())
    }
}

/// A literal of an array.
fn array_literal(texts: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut literal = String::from("{");
    for text in texts {
        literal.push_str(if literal.len() > 1 { ",\"" } else { "\"" });
        for c in text.as_ref().chars() {
            if matches!(c, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

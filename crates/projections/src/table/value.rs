use chrono::{DateTime, Utc};
use uuid::Uuid;

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
}

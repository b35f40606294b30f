//! A table's columns, listed once: [`table!`] makes the row, the arrays that a writer binds, the statements and the DDL
//! from one list, and the audit compares by it. A column that is added to the list is created, written, read and audited.

mod value;

pub(crate) use value::ColumnValue;

use crate::generation::Generation;

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Type and constraints, as in `create table`.
    pub(crate) ddl: &'static str,
    /// The type of the array that a writer binds.
    pub(crate) array: &'static str,
    /// What makes the column's value of an element of that array.
    pub(crate) cast: &'static str,
    /// Whether an update leaves it as it is.
    pub(crate) is_fixed: bool,
}

/// The columns of a table, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    /// The table's name, without the generation.
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [Column],
}

impl Columns {
    fn each(self, separator: &str, text: impl Fn(&Column) -> String) -> String {
        self.columns.iter().map(text).collect::<Vec<_>>().join(separator)
    }

    /// The table of a generation.
    pub(crate) fn table(self, generation: Generation) -> String {
        format!("read_models.{}_{generation}", self.table)
    }

    /// A script with the definitions in place of `COLUMNS(<table>)`.
    pub(crate) fn define(self, script: &str) -> String {
        let definitions = self.each(",\n  ", |column| format!("{} {}", column.name, column.ddl));
        script.replace(&format!("COLUMNS({})", self.table), &definitions)
    }

    /// The names.
    pub(crate) fn names(self) -> String {
        self.each(", ", |column| column.name.to_owned())
    }

    /// The names, of a table that a query calls so.
    pub(crate) fn names_of(self, table: &str) -> String {
        self.each(", ", |column| format!("{table}.{}", column.name))
    }

    /// The rows that are bound from `$1` on, as one array per column.
    pub(crate) fn unnest(self) -> String {
        let arrays = (1..).zip(self.columns).map(|(n, column)| format!("${n}::{}", column.array));
        format!("unnest({})", arrays.collect::<Vec<_>>().join(", "))
    }

    /// Inserts the rows that are bound.
    pub(crate) fn insert(self, table: &str) -> String {
        let (names, arrays) = (self.names(), self.unnest());
        let values = self.each(", ", |column| format!("{}{}", column.name, column.cast));
        format!("insert into {table} ({names}) select {values} from {arrays} as r ({names})")
    }

    /// The same, or updates the row with that key. Goes by the index, whatever statistics a growing table has.
    pub(crate) fn upsert(self, generation: Generation) -> String {
        let changing = self.columns.iter().filter(|column| !column.is_fixed);
        let set = changing.map(|column| format!("{0} = excluded.{0}", column.name)).collect::<Vec<_>>().join(", ");
        format!(
            "{} on conflict on constraint {}_{generation}_pkey do update set {set}",
            self.insert(&self.table(generation)),
            self.table
        )
    }
}

/// Defines a table's row, and its rows as one vector per column. An update leaves columns that are `(fixed)` as they are:
/// those of the key, and those that never change.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $table:literal: $row:ident, $rows:ident {
            $( $(#[$doc:meta])* $(($fixed:ident))? $name:ident: $type:ty = $ddl:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub(super) struct $row {
            $( $(#[$doc])* pub(super) $name: $type, )+
        }

        impl $row {
            pub(super) const COLUMNS: crate::table::Columns = crate::table::Columns {
                table: $table,
                columns: &[
                    $( crate::table::Column {
                        name: stringify!($name),
                        ddl: $ddl,
                        array: <$type as crate::table::ColumnValue>::ARRAY,
                        cast: <$type as crate::table::ColumnValue>::CAST,
                        is_fixed: crate::table::table!(@is_fixed $($fixed)?),
                    }, )+
                ],
            };

            /// The first column in which two rows differ.
            #[allow(dead_code, reason = "some tables are compared in the database")]
            pub(super) fn differing_column(&self, other: &Self) -> Option<&'static str> {
                $( if self.$name != other.$name { return Some(stringify!($name)); } )+
                None
            }
        }

        /// Rows, a vector per column.
        #[derive(Debug, Default)]
        pub(super) struct $rows {
            $( $name: Vec<<$type as crate::table::ColumnValue>::Element>, )+
            len: usize,
        }

        #[allow(dead_code, reason = "some tables are only written, or only compared")]
        impl $rows {
            pub(super) fn push(&mut self, row: $row) {
                $( self.$name.push(crate::table::ColumnValue::element(row.$name)); )+
                self.len += 1;
            }

            /// For [`Columns::unnest`](crate::table::Columns::unnest).
            pub(super) fn arguments(self) -> Result<sqlx::postgres::PgArguments, sqlx::Error> {
                let mut arguments = sqlx::postgres::PgArguments::default();
                $( sqlx::Arguments::add(&mut arguments, self.$name).map_err(sqlx::Error::Encode)?; )+
                Ok(arguments)
            }

            /// Runs a statement of [`Columns`](crate::table::Columns), unless there are no rows.
            pub(super) async fn execute(
                self,
                statement: &str,
                connection: &mut sqlx::PgConnection,
            ) -> Result<(), sqlx::Error> {
                if self.len > 0 {
                    let statement = sqlx::AssertSqlSafe(statement.to_owned());
                    sqlx::query_with(statement, self.arguments()?).execute(connection).await?;
                }
                Ok(())
            }
        }
    };
    (@is_fixed fixed) => { true };
    (@is_fixed) => { false };
}

pub(crate) use table;

#[cfg(test)]
mod tests {
    use crate::generation::Generation;

    table! {
        "samples": Sample, Samples {
            (fixed) id: uuid::Uuid = "uuid not null",
            tags: Vec<String> = "text[] not null",
            number: i64 = "bigint not null",
        }
    }

    #[test]
    fn statements_name_each_column() {
        let script = "create table read_models.samples_7 (\n  COLUMNS(samples)\n)";
        assert_eq!(
            Sample::COLUMNS.define(script),
            "create table read_models.samples_7 (\n  id uuid not null,\n  tags text[] not null,\n  number bigint not null\n)"
        );
        assert_eq!(
            Sample::COLUMNS.upsert(Generation(7)),
            "insert into read_models.samples_7 (id, tags, number) select id, tags::text[], number \
             from unnest($1::uuid[], $2::text[], $3::bigint[]) as r (id, tags, number) \
             on conflict on constraint samples_7_pkey do update set tags = excluded.tags, number = excluded.number"
        );
    }

    #[test]
    fn differing_column_is_the_first_one() {
        let sample = Sample { id: uuid::Uuid::nil(), tags: vec!["a \"b\"".to_owned()], number: 1 };
        assert_eq!(sample.differing_column(&sample), None);
        let other = Sample { tags: Vec::new(), number: 2, ..sample.clone() };
        assert_eq!(sample.differing_column(&other), Some("tags"));
        let mut rows = Samples::default();
        rows.push(sample);
        assert_eq!((rows.tags, rows.len), (vec![r#"{"a \"b\""}"#.to_owned()], 1));
    }
}

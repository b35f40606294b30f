//! A table's columns, listed once: [`table!`] makes the row, the arrays that a writer binds, the statements and the DDL
//! from one list, and the audit compares by it. A column that is added to the list is created, written, read and audited.

mod value;

pub(crate) use value::ColumnValue;

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
    /// Whether it is part of the primary key.
    pub(crate) key: bool,
}

/// The columns of a table, in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns(pub(crate) &'static [Column]);

impl Columns {
    fn each(self, separator: &str, text: impl Fn(&Column) -> String) -> String {
        self.0.iter().map(text).collect::<Vec<_>>().join(separator)
    }

    /// The definitions, for `create table`.
    pub(crate) fn ddl(self) -> String {
        self.each(",\n  ", |column| format!("{} {}", column.name, column.ddl))
    }

    /// The names, for `select`.
    pub(crate) fn names(self) -> String {
        self.each(", ", |column| column.name.to_owned())
    }

    /// Inserts rows that are bound as one array per column.
    pub(crate) fn insert(self, table: &str) -> String {
        let names = self.names();
        let values = self.each(", ", |column| format!("{}{}", column.name, column.cast));
        let arrays = (1..).zip(self.0).map(|(n, column)| format!("${n}::{}", column.array)).collect::<Vec<_>>();
        format!("insert into {table} ({names}) select {values} from unnest({}) as r ({names})", arrays.join(", "))
    }

    /// The same, or replaces the row with that key. Goes by the index, whatever statistics a growing table has.
    pub(crate) fn upsert(self, table: &str, constraint: &str) -> String {
        let rest = Self::values_of(self.0.iter().filter(|column| !column.key));
        format!("{} on conflict on constraint {constraint} do update set {rest}", self.insert(table))
    }

    fn values_of<'a>(columns: impl Iterator<Item = &'a Column>) -> String {
        columns.map(|column| format!("{0} = excluded.{0}", column.name)).collect::<Vec<_>>().join(", ")
    }
}

/// Defines a table's row, and its rows as one vector per column.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $row:ident, $rows:ident {
            $( $(#[$doc:meta])* $(($key:ident))? $name:ident: $type:ty = $ddl:literal, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
        pub(super) struct $row {
            $( $(#[$doc])* pub(super) $name: $type, )+
        }

        impl $row {
            pub(super) const COLUMNS: crate::table::Columns = crate::table::Columns(&[
                $( crate::table::Column {
                    name: stringify!($name),
                    ddl: $ddl,
                    array: <$type as crate::table::ColumnValue>::ARRAY,
                    cast: <$type as crate::table::ColumnValue>::CAST,
                    key: table!(@key $($key)?),
                }, )+
            ]);

            /// The first column in which two rows differ.
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

        impl $rows {
            pub(super) fn push(&mut self, row: $row) {
                $( self.$name.push(crate::table::ColumnValue::element(row.$name)); )+
                self.len += 1;
            }

            /// Runs a statement of [`Columns`](crate::table::Columns), unless there are no rows.
            pub(super) async fn execute(
                self,
                statement: &str,
                connection: &mut sqlx::PgConnection,
            ) -> Result<(), sqlx::Error> {
                if self.len == 0 {
                    return Ok(());
                }
                let query = sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()));
                $( let query = query.bind(self.$name); )+
                query.execute(connection).await?;
                Ok(())
            }
        }
    };
    (@key key) => { true };
    (@key) => { false };
}

pub(crate) use table;

//! Read models with one row per record: the fold of a stream, and the columns that lists filter and sort by.
//!
//! A model supplies the table and the columns. Writer, audit and pages are the same for all of them. Rows are written and
//! compared as JSON, column by column name: these records are few, and change rarely.

mod page;
mod row;
mod verify;
mod writer;

use std::sync::Arc;

use eventstore::{RecordedEvent, StoreError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use shared_kernel::{Aggregate, Stamp};

use crate::fold;
use crate::generation::Generation;
use crate::read_model::{Payload, ReadModel, Table, Writer};
use crate::verification::{Difference, Verification};
pub(crate) use page::RecordQuery;
pub use page::{RecordPage, RecordRow};
use writer::RecordsWriter;

/// A read model with one row per record.
///
/// Its table `read_models.<name>_GENERATION` has the columns `id`, `version`, `position` and `record` (the fold, as JSON),
/// those of [`columns`](Self::columns), and the primary key `<name>_GENERATION_pkey`.
pub(crate) trait Records: Send + Sync + 'static {
    /// The name.
    const NAME: &'static str;
    /// See [`ReadModel::schema_version`].
    const SCHEMA_VERSION: i32;
    /// SQL that creates the table.
    const SCHEMA: &'static str;
    /// SQL that creates what only readers need.
    const INDEXES: &'static str;

    /// The fold of a stream.
    type Record: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The types of stream that it follows.
    fn streams() -> &'static [Stream<Self::Record>];

    /// The columns to filter and sort by, in the JSON form of their types. Every record has all of them.
    fn columns(record: &Self::Record) -> Columns;
}

/// A row, or a part of it, by column.
pub(crate) type Columns = Map<String, Value>;

/// Columns of these names.
pub(crate) fn columns<const N: usize>(columns: [(&str, Value); N]) -> Columns {
    columns.map(|(column, value)| (column.to_owned(), value)).into_iter().collect()
}

/// A type of stream, and what its events mean for a record.
pub(crate) struct Stream<R> {
    stream_type: &'static str,
    decode: fn(&RecordedEvent) -> Result<Step<R>, String>,
}

impl<R: 'static> Stream<R> {
    /// Records that are the states of an aggregate.
    pub(crate) const fn of<A: Aggregate<State = R>>() -> Self {
        Self::new::<A>(|event| {
            let event = fold::decode::<A>(event)?;
            Ok(Step::new(move |state, stamp| {
                A::evolve(state, &event, stamp).ok_or_else(|| fold::nothing_before(A::TYPE))
            }))
        })
    }

    /// Records that are made from the states of an aggregate.
    pub(crate) const fn new<A: Aggregate>(decode: fn(&RecordedEvent) -> Result<Step<R>, String>) -> Self {
        Self { stream_type: A::TYPE, decode }
    }
}

/// What one event makes of a record; there is none before the first one. The text of the error is shown to operators.
pub(crate) struct Step<R>(Box<Apply<R>>);

type Apply<R> = dyn Fn(Option<R>, &Stamp) -> Result<R, String> + Send + Sync;

impl<R> Step<R> {
    pub(crate) fn new(apply: impl Fn(Option<R>, &Stamp) -> Result<R, String> + Send + Sync + 'static) -> Self {
        Self(Box::new(apply))
    }
}

/// The step of an event in a stream that the model follows.
fn decode<M: Records>(event: &RecordedEvent) -> Result<Step<M::Record>, String> {
    let stream_type = event.stream_type.as_str();
    let stream = M::streams().iter().find(|stream| stream.stream_type == stream_type);
    let stream = stream.ok_or_else(|| format!("{} does not follow streams of type {stream_type}", M::NAME))?;
    (stream.decode)(event)
}

impl<M: Records> ReadModel for M {
    fn name(&self) -> &'static str {
        M::NAME
    }

    fn schema_version(&self) -> i32 {
        M::SCHEMA_VERSION
    }

    fn follows(&self, stream_type: &str) -> bool {
        M::streams().iter().any(|stream| stream.stream_type == stream_type)
    }

    fn decode(&self, event: &RecordedEvent) -> Result<Payload, String> {
        Ok(Arc::new(decode::<M>(event)?))
    }

    fn tables(&self, generation: Generation) -> Vec<Table> {
        // the whole row as text, for not every type has a hash
        vec![Table { name: row::table::<M>(generation), row: "row(t::text)" }]
    }

    fn create(&self, generation: Generation) -> String {
        generation.script(M::SCHEMA)
    }

    fn index(&self, generation: Generation) -> Vec<String> {
        vec![generation.script(M::INDEXES)]
    }

    fn writer(&self, generation: Generation) -> Box<dyn Writer> {
        Box::new(RecordsWriter::<M>::of(generation))
    }

    fn verify<'a>(
        &'a self,
        verification: &'a mut Verification<'_>,
    ) -> BoxFuture<'a, Result<Vec<Difference>, StoreError>> {
        verify::differences::<M>(verification).boxed()
    }
}

//! `docket`'s import, as far as it reads files: it belongs to a binary, so that it is compiled here once more.
#![allow(dead_code, reason = "the rest of the import is not here")]

#[path = "../../crates/docket/src/import/action.rs"]
mod action;
#[path = "../../crates/docket/src/import/fuzzing.rs"]
pub(crate) mod fuzzing;
#[path = "../../crates/docket/src/import/map.rs"]
mod map;
#[path = "../../crates/docket/src/import/reading.rs"]
mod reading;
#[path = "../../crates/docket/src/import/table.rs"]
mod table;
#[path = "../../crates/docket/src/import/template.rs"]
mod template;

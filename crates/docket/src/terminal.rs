//! What the commands print: text from elsewhere made safe, tables, numbers, progress bars, JSON.

mod layout;
mod numbers;
mod progress;
mod text;

pub(crate) use layout::{columns, grid, width, wrap};
pub(crate) use numbers::{counted, grouped};
pub(crate) use progress::progress_bar;
pub(crate) use text::{is_unsafe, json, printable, printable_lines, push_json_escape, push_visible};

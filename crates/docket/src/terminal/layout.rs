//! Tables and paragraphs within the width of the terminal.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle, presets};
use terminal_size::{Width, terminal_size_of};

use super::printable;

/// The width where the output is no terminal, such as a file or a pipe.
const DEFAULT_WIDTH: u16 = 100;

/// The columns of the terminal that the output goes to.
fn terminal_width() -> Option<u16> {
    terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| columns.clamp(60, 160))
}

/// How wide paragraphs and tables of findings may be, in columns.
pub(crate) fn width() -> u16 {
    terminal_width().unwrap_or(DEFAULT_WIDTH)
}

/// A table with lines between its columns, for findings.
pub(crate) fn grid<const N: usize>(header: [&str; N], right_aligned: &[usize]) -> Table {
    let mut table = table(presets::UTF8_FULL_CONDENSED, header, right_aligned);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
    table
}

/// A table without lines, for lists. In a pipe each row is one line, so that it can be searched.
pub(crate) fn columns<const N: usize>(header: [&str; N], right_aligned: &[usize]) -> Table {
    let mut table = table(presets::NOTHING, header, right_aligned);
    if let Some(width) = terminal_width() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

fn table<const N: usize>(style: TableStyle, header: [&str; N], right_aligned: &[usize]) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_header(header);
    for index in right_aligned {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Printable lines of at most so many columns, broken between words where that is possible.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width.max(20));
    let paragraphs = text.trim_end().lines().map(printable);
    paragraphs
        .flat_map(|line| textwrap::wrap(&line, &options).into_iter().map(Into::into).collect::<Vec<_>>())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_between_words() {
        let text = "The printer on the second floor\n\nprints blanks only, again and again.";
        let lines = ["The printer on the", "second floor", "", "prints blanks only,", "again and again."];
        assert_eq!(wrap(text, 20), lines);
        assert_eq!(wrap(&"x".repeat(45), 20), ["x".repeat(20), "x".repeat(20), "x".repeat(5)]);
        assert_eq!(wrap("\u{1b}[2J", 20), ["<U+001B>[2J"]);
    }
}

//! The last step of every log line: API keys are masked, and characters that could steer a terminal are escaped. What they
//! come from is a client's choice: a URL, a header, an error that quotes them.

use std::borrow::Cow;
use std::io::{self, Write};

use tracing_subscriber::fmt::MakeWriter;

use crate::terminal::{is_unsafe, push_json_escape, push_visible};

/// How unsafe characters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escapes {
    /// `\u009b`, as JSON has it.
    Json,
    /// `<U+009B>`.
    Text,
    /// The same, but colours of the formatter pass.
    ColouredText,
}

/// A writer for log lines.
#[derive(Clone)]
pub(super) struct LogWriter<M> {
    inner: M,
    escapes: Escapes,
}

impl<M> LogWriter<M> {
    pub(super) fn new(inner: M, escapes: Escapes) -> Self {
        Self { inner, escapes }
    }
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for LogWriter<M> {
    type Writer = LogWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        LogWriter { inner: self.inner.make_writer(), escapes: self.escapes }
    }
}

impl<W: Write> Write for LogWriter<W> {
    /// Formatters pass whole lines.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let masked = api::mask_keys(&text);
        self.inner.write_all(escape(&masked, self.escapes).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

fn escape(text: &str, escapes: Escapes) -> Cow<'_, str> {
    let passes = |c: char| !is_unsafe(c) || c == '\n';
    if text.chars().all(passes) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match colour(rest) {
            Some(length) if escapes == Escapes::ColouredText => length,
            _ => c.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        if passes(c) || length > c.len_utf8() {
            safe.push_str(piece);
        } else if escapes == Escapes::Json {
            push_json_escape(&mut safe, c);
        } else {
            push_visible(&mut safe, c);
        }
        rest = after;
    }
    Cow::Owned(safe)
}

/// The length of the colour sequence (`ESC [ 1 ; 31 m`) at the start of a text.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(line: &str, escapes: Escapes) -> String {
        let mut writer = LogWriter::new(Vec::new(), escapes);
        writer.write_all(line.as_bytes()).unwrap();
        String::from_utf8(writer.inner).unwrap()
    }

    #[test]
    fn lines_are_masked_and_escaped() {
        let line = "\u{1b}[32mINFO\u{1b}[0m /\u{9b}2J/\u{202e}/dk_0123456789abcdef_secret \u{1b}[2J é\n";
        let masked = "/dk_0123456789abcdef_***";
        assert_eq!(
            written(line, Escapes::ColouredText),
            format!("\u{1b}[32mINFO\u{1b}[0m /<U+009B>2J/<U+202E>{masked} <U+001B>[2J é\n")
        );
        assert_eq!(
            written(line, Escapes::Text),
            format!("<U+001B>[32mINFO<U+001B>[0m /<U+009B>2J/<U+202E>{masked} <U+001B>[2J é\n")
        );
        let json = "{\"path\":\"/\u{9b}\u{7f}\u{e0041}\"}\n";
        assert_eq!(written(json, Escapes::Json), "{\"path\":\"/\\u009b\\u007f\\udb40\\udc41\"}\n");
    }
}

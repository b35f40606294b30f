//! Text from events, keys and files, on its way to a terminal. A control character could move the cursor or change the
//! title; bidi controls and other invisible characters make a line read as something else (Unicode TR 36).

use std::fmt::Write as _;

use anyhow::Context as _;
use serde::Serialize;

/// Text for one line: unsafe characters are shown by their code points, such as `<U+202E>`.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut before = None;
    for c in text.chars() {
        if is_unsafe(c) || (is_joiner(c) && !before.is_some_and(joins)) {
            push_visible(&mut shown, c);
        } else {
            shown.push(c);
        }
        before = Some(c);
    }
    shown
}

/// The same for text that may have several lines.
pub(crate) fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}

/// A value as one line of JSON. Unsafe characters are escaped, which changes nothing for a JSON parser.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<String> {
    let text = serde_json::to_string(value).context("the output can't be written as JSON")?;
    if !text.contains(is_unsafe) {
        return Ok(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_unsafe(c) {
            // outside of strings JSON is ASCII, so each of them stands in a string
            push_json_escape(&mut escaped, c);
        } else {
            escaped.push(c);
        }
    }
    Ok(escaped)
}

/// Appends a character as `<U+202E>`.
pub(crate) fn push_visible(text: &mut String, c: char) {
    write!(text, "<U+{:04X}>", u32::from(c)).expect("a String takes any text");
}

/// Appends a character as a JSON escape: `\u202e`, or a surrogate pair.
pub(crate) fn push_json_escape(text: &mut String, c: char) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        write!(text, "\\u{unit:04x}").expect("a String takes any text");
    }
}

/// Whether a character is a control character, a bidi control or invisible. Joiners and variation selectors are not:
/// emoji, Persian and Hindi need them.
pub(crate) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{200E}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{1BCA0}'..='\u{1BCA3}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E0FFF}'
        )
}

/// Zero-width joiners and variation selectors: part of a character when they follow one that takes them.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}'..='\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{180B}'..='\u{180D}')
}

/// Whether a joiner or variation selector may follow. Of ASCII, only the characters of keycap emoji take one.
fn joins(before: char) -> bool {
    !before.is_ascii() || before.is_ascii_digit() || matches!(before, '#' | '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_characters_are_shown_by_code_point() {
        for (text, shown) in [
            ("plain é 漢字 👩‍👩‍👧 ❤️ 1️⃣ می‌خواهم क्‍ष", "plain é 漢字 👩‍👩‍👧 ❤️ 1️⃣ می‌خواهم क्‍ष"),
            ("a\u{202E}b", "a<U+202E>b"),
            ("\u{1B}[2J\u{9B}31m\u{7F}\n", "<U+001B>[2J<U+009B>31m<U+007F><U+000A>"),
            ("pay\u{200B}pal \u{2066}x\u{2069} \u{FEFF}", "pay<U+200B>pal <U+2066>x<U+2069> <U+FEFF>"),
            ("ad\u{200D}min \u{FE0F}", "ad<U+200D>min <U+FE0F>"),
            ("tag \u{E0041}", "tag <U+E0041>"),
        ] {
            assert_eq!(printable(text), shown);
        }
        assert_eq!(printable_lines("a\nb\r\n"), "a\nb<U+000D>\n");
    }

    #[test]
    fn json_escapes_them_and_means_the_same() {
        let value = serde_json::json!({"s\u{9B}": "a\u{7F}\u{202E}\u{E0041}é\n👩‍👧"});
        let line = json(&value).unwrap();
        assert_eq!(line, "{\"s\\u009b\":\"a\\u007f\\u202e\\udb40\\udc41é\\n👩‍👧\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }
}

//! Words: how texts are taken apart for the full-text search, and how a search is.
//!
//! A word is a run of letters and digits (Unicode's `Alphabetic` and `Numeric`), in lower case. What other signs hold
//! together, an address or a number with a point, is found as its words side by side. Both sides are taken apart here,
//! and PostgreSQL is given `tsvector` and `tsquery` in their text forms: its own parser costs four times as much, and
//! hides a domain in an address (docs/adr/0024).

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use ticket_aggregate::Event;

/// How many bytes of what is written in a ticket can be found: PostgreSQL keeps no more than 1 MiB of words.
const FOUND_BYTES: usize = 256 * 1024;
/// PostgreSQL takes words of up to 2 kB; nobody searches for one that long.
const WORD_BYTES: usize = 255;
/// So many words in a vector that no word can be in it more often than PostgreSQL keeps places of it.
const FEW: usize = 255;

/// Who may find a ticket by a word: its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    All,
    Staff,
}

/// What an event adds to what can be found, and who may find it.
pub(crate) fn said(event: &Event) -> Option<(Audience, &str)> {
    match event {
        Event::TicketOpened(opened) => Some((Audience::All, &opened.body)),
        Event::PublicReplyAdded { body, .. } | Event::RequesterReplied { body, .. } => Some((Audience::All, body)),
        Event::InternalNoteAdded { body, .. } => Some((Audience::Staff, body)),
        _ => None,
    }
}

/// Whether the event gives the ticket its subject.
pub(crate) fn names(event: &Event) -> bool {
    matches!(event, Event::TicketOpened(_) | Event::SubjectChanged { .. })
}

/// As much of a text as there is room for; `bytes` of the ticket's texts were there before.
pub(crate) fn found<'a>(text: &'a str, bytes: &mut usize) -> &'a str {
    let room = FOUND_BYTES.saturating_sub(*bytes);
    let end = text.floor_char_boundary(room.min(text.len()));
    *bytes += end;
    &text[..end]
}

/// The words of texts, in order.
#[derive(Debug, Default)]
pub(crate) struct Vector<'a> {
    places: HashMap<Cow<'a, str>, Vec<(usize, Audience)>>,
    count: usize,
}

impl<'a> Vector<'a> {
    /// Of one text.
    pub(crate) fn of(audience: Audience, text: &'a str) -> Self {
        let mut vector = Self::default();
        vector.say(audience, text);
        vector
    }

    pub(crate) fn say(&mut self, audience: Audience, text: &'a str) {
        for word in words(text) {
            self.count += 1;
            self.places.entry(word).or_default().push((self.count, audience));
        }
    }

    /// Whether PostgreSQL would keep all of it: only then are its texts the same together and one by one.
    pub(crate) fn is_short(&self) -> bool {
        self.count <= FEW
    }

    /// In the text form of a `tsvector`. Nothing in a word needs quotes.
    pub(crate) fn literal(&self) -> String {
        let mut literal = String::with_capacity(self.count * 8);
        for (word, places) in &self.places {
            literal.push_str(word);
            let mut before = ':';
            for (place, audience) in places {
                literal.push(before);
                // writing to a string can't fail
                let _ = write!(literal, "{place}");
                if *audience == Audience::All {
                    literal.push('A');
                }
                before = ',';
            }
            literal.push(' ');
        }
        literal
    }
}

fn words(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| {
        let word = &word[..word.floor_char_boundary(WORD_BYTES)];
        if word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
            Cow::Borrowed(word)
        } else {
            Cow::Owned(word.to_lowercase())
        }
    })
}

/// A search in the text form of a `tsquery`, from the form that web searches have: all words, `"words side by side"`,
/// `or`, `-without`. Nothing can be wrong with one; one without words finds nothing.
pub(super) fn query(search: &str) -> String {
    let mut query = Query::default();
    let mut without = false;
    for (part, text) in search.split('"').enumerate() {
        if part % 2 == 1 {
            query.push(text, without);
            continue;
        }
        for word in text.split_whitespace() {
            match word.strip_prefix('-') {
                _ if word.eq_ignore_ascii_case("or") => query.or = true,
                Some(unwanted) => query.push(unwanted, true),
                None => query.push(word, false),
            }
        }
        // right before a quotation mark; anywhere else a lone one is a dash
        without = text.strip_suffix('-').is_some_and(|before| !before.ends_with(|c: char| !c.is_whitespace()));
    }
    query.text
}

#[derive(Default)]
struct Query {
    text: String,
    or: bool,
}

impl Query {
    /// The words of one operand, side by side, if it has any.
    fn push(&mut self, operand: &str, without: bool) {
        let mut words = words(operand).peekable();
        if words.peek().is_none() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(if self.or { " | " } else { " & " });
        }
        self.text.push_str(if without { "!(" } else { "(" });
        for (index, word) in words.enumerate() {
            if index > 0 {
                self.text.push_str(" <-> ");
            }
            self.text.push_str(&word);
        }
        self.text.push(')');
        self.or = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_its_words_in_lower_case_with_their_places() {
        let mut vector = Vector::of(Audience::All, "Über-Fax, v1.2");
        vector.say(Audience::Staff, "FAX!");
        let literal = vector.literal();
        let mut words = literal.split_whitespace().collect::<Vec<_>>();
        words.sort_unstable();
        assert_eq!(words, ["2:4A", "fax:2A,5", "v1:3A", "über:1A"]);
    }

    #[test]
    fn a_word_without_end_is_cut_on_both_sides_alike() {
        let long = "ä".repeat(3_000);
        assert_eq!(Vector::of(Audience::Staff, &long).literal(), format!("{}:1 ", "ä".repeat(127)));
        assert_eq!(query(&long), format!("({})", "ä".repeat(127)));
    }

    #[test]
    fn a_search_has_the_form_of_web_searches() {
        for (search, expected) in [
            ("Printer fire", "(printer) & (fire)"),
            ("\"on fire\" or smoke -water", "(on <-> fire) | (smoke) & !(water)"),
            ("-\"cold water\"", "!(cold <-> water)"),
            ("ann@example.com", "(ann <-> example <-> com)"),
            ("\"never closed", "(never <-> closed)"),
            ("it's & | ! ( ' \\ :* <->", "(it <-> s)"),
            ("or or", ""),
            ("fire or", "(fire)"),
            ("- ? \"\"", ""),
            ("printer - on fire", "(printer) & (on) & (fire)"),
        ] {
            assert_eq!(query(search), expected, "{search}");
        }
    }
}

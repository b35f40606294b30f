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

/// How much of a text can be found, in bytes: PostgreSQL keeps no more than 1 MiB of words, places included.
const FOUND_BYTES: usize = 256 * 1024;
/// PostgreSQL takes words of up to 2 kB; nobody searches for one that long.
const WORD_BYTES: usize = 255;

/// A text of a ticket, by which it is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    /// Which of the ticket's it is: the version at which it was written; zero, its subject.
    pub(crate) entry: i64,
    /// Whether the requester may find the ticket by it.
    pub(crate) public: bool,
    pub(crate) text: &'a str,
}

/// The texts that an event brings, the event at this version of its ticket.
pub(crate) fn said(event: &Event, version: i64) -> Vec<Said<'_>> {
    let text = |entry, public, text| Said { entry, public, text };
    match event {
        Event::TicketOpened(opened) => vec![text(0, true, &*opened.subject), text(version, true, &opened.body)],
        Event::SubjectChanged { to, .. } => vec![text(0, true, to)],
        Event::PublicReplyAdded { body, .. } | Event::RequesterReplied { body, .. } => vec![text(version, true, body)],
        Event::InternalNoteAdded { body, .. } => vec![text(version, false, body)],
        _ => Vec::new(),
    }
}

/// The words of a text and their places, in the text form of a `tsvector`. Nothing in a word needs quotes.
pub(crate) fn vector(text: &str) -> String {
    let mut places: HashMap<Cow<'_, str>, Vec<usize>> = HashMap::new();
    for (index, word) in words(&text[..text.floor_char_boundary(FOUND_BYTES)]).enumerate() {
        places.entry(word).or_default().push(index + 1);
    }
    let mut vector = String::with_capacity(text.len() * 2);
    for (word, places) in places {
        vector.push_str(&word);
        let mut before = ':';
        for place in places {
            // writing to a string can't fail
            let _ = write!(vector, "{before}{place}");
            before = ',';
        }
        vector.push(' ');
    }
    vector
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

/// What one text of a ticket must have in it, or none may: words side by side, in the text form of a `tsquery`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operand {
    pub(super) without: bool,
    pub(super) words: String,
}

/// A search, from the form that web searches have: all words, `"words side by side"`, `or`, `-without`. Of these
/// groups one must hold, of a group all. Nothing can be wrong with a search; one without words has no groups.
pub(super) fn search(text: &str) -> Vec<Vec<Operand>> {
    let mut groups = Groups::default();
    let mut without = false;
    for (part, text) in text.split('"').enumerate() {
        if part % 2 == 1 {
            groups.push(text, without);
            continue;
        }
        for word in text.split_whitespace() {
            match word.strip_prefix('-') {
                _ if word.eq_ignore_ascii_case("or") => groups.or = true,
                Some(unwanted) => groups.push(unwanted, true),
                None => groups.push(word, false),
            }
        }
        // right before a quotation mark; anywhere else a lone one is a dash
        without = text.strip_suffix('-').is_some_and(|before| !before.ends_with(|c: char| !c.is_whitespace()));
    }
    groups.all
}

#[derive(Default)]
struct Groups {
    all: Vec<Vec<Operand>>,
    or: bool,
}

impl Groups {
    /// The words of one operand, if it has any.
    fn push(&mut self, operand: &str, without: bool) {
        let words = words(operand).collect::<Vec<_>>().join(" <-> ");
        if words.is_empty() {
            return;
        }
        let operand = Operand { without, words };
        match self.all.last_mut() {
            Some(group) if !self.or => group.push(operand),
            _ => self.all.push(vec![operand]),
        }
        self.or = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_its_words_in_lower_case_with_their_places() {
        let vector = vector("Über-Fax, v1.2 FAX!");
        let mut words = vector.split_whitespace().collect::<Vec<_>>();
        words.sort_unstable();
        assert_eq!(words, ["2:4", "fax:2,5", "v1:3", "über:1"]);
    }

    #[test]
    fn a_word_without_end_is_cut_on_both_sides_alike() {
        let long = "ä".repeat(3_000);
        assert_eq!(vector(&long), format!("{}:1 ", "ä".repeat(127)));
        assert_eq!(shown(&search(&long)), "ä".repeat(127));
    }

    fn shown(groups: &[Vec<Operand>]) -> String {
        let operand = |o: &Operand| if o.without { format!("!({})", o.words) } else { o.words.clone() };
        let group = |group: &Vec<Operand>| group.iter().map(operand).collect::<Vec<_>>().join(" & ");
        groups.iter().map(group).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn a_search_has_the_form_of_web_searches() {
        for (text, expected) in [
            ("Printer fire", "printer & fire"),
            ("\"on fire\" or smoke -water", "on <-> fire | smoke & !(water)"),
            ("-\"cold water\"", "!(cold <-> water)"),
            ("ann@example.com", "ann <-> example <-> com"),
            ("\"never closed", "never <-> closed"),
            ("it's & | ! ( ' \\ :* <->", "it <-> s"),
            ("or or", ""),
            ("fire or", "fire"),
            ("- ? \"\"", ""),
            ("printer - on fire", "printer & on & fire"),
        ] {
            assert_eq!(shown(&search(text)), expected, "{text}");
        }
    }
}

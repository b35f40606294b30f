//! Words: how texts are taken apart for the full-text search, and how a search is.
//!
//! A word is a run of letters and digits (Unicode's `Alphabetic` and `Numeric`), in lower case. What other signs hold
//! together, an address or a number with a point, is found as its words side by side. Both sides are taken apart here,
//! and PostgreSQL is given `tsvector` in its binary form, `tsquery` in its text form: its own parser costs four times as
//! much, and hides a domain in an address (docs/adr/0024).

use std::borrow::Cow;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};
use ticket_aggregate::Event;

/// How much of a text can be found, in bytes: PostgreSQL keeps no more than 1 MiB of words, places included.
const FOUND_BYTES: usize = 256 * 1024;
/// PostgreSQL takes words of up to 2 kB; nobody searches for one that long.
const WORD_BYTES: usize = 255;
/// `tsvector`'s own bounds: the last place that it can name, which stands for all beyond it too, and how many of a word.
const LAST_PLACE: u16 = 16_383;
const PLACES: usize = 255;

/// The entry of a ticket's subject, the one text that can change.
pub(super) const SUBJECT: i64 = 0;

/// A text of a ticket, by which it is found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    /// Which of the ticket's it is: the version at which it was written, or [`SUBJECT`].
    pub(crate) entry: i64,
    /// Whether the requester may find the ticket by it.
    pub(crate) public: bool,
    pub(crate) text: &'a str,
}

/// The texts that an event brings, the event at this version of its ticket.
pub(crate) fn said(event: &Event, version: i64) -> Vec<Said<'_>> {
    let text = |entry, public, text| Said { entry, public, text };
    match event {
        Event::TicketOpened(opened) => vec![text(SUBJECT, true, &*opened.subject), text(version, true, &opened.body)],
        Event::SubjectChanged { to, .. } => vec![text(SUBJECT, true, to)],
        Event::PublicReplyAdded { body, .. } | Event::RequesterReplied { body, .. } => vec![text(version, true, body)],
        Event::InternalNoteAdded { body, .. } => vec![text(version, false, body)],
        _ => Vec::new(),
    }
}

/// A `tsvector` as PostgreSQL sends and receives it: how many words, and of each its bytes, a zero, how many places,
/// and these. The words are in the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vector(Vec<u8>);

impl Type<Postgres> for Vector {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(3614))
    }
}

impl PgHasArrayType for Vector {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(3643))
    }
}

impl Encode<'_, Postgres> for Vector {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }
}

/// The words of a text and their places.
pub(crate) fn vector(text: &str) -> Vector {
    let text = &text[..text.floor_char_boundary(FOUND_BYTES)];
    let places = (1..LAST_PLACE).chain(std::iter::repeat(LAST_PLACE));
    // most words are told apart by their beginnings, as numbers
    let mut all = Vec::with_capacity(text.len() / 4);
    all.extend(words(text).zip(places).map(|(word, place)| (beginning(&word), word, place)));
    all.sort_unstable();
    all.dedup();
    let mut vector = vec![0; 4];
    vector.reserve(text.len() + 4 * all.len());
    let mut count: u32 = 0;
    for word in all.chunk_by(|a, b| (a.0, &a.1) == (b.0, &b.1)) {
        let Some((_, bytes, _)) = word.first() else { continue };
        let places = &word[..word.len().min(PLACES)];
        vector.extend_from_slice(bytes.as_bytes());
        vector.push(0);
        // no more than PLACES
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        vector.extend_from_slice(&(places.len() as u16).to_be_bytes());
        for (_, _, place) in places {
            vector.extend_from_slice(&place.to_be_bytes());
        }
        count += 1;
    }
    vector[..4].copy_from_slice(&count.to_be_bytes());
    Vector(vector)
}

/// Up to eight bytes of a word, in the order that its bytes have.
fn beginning(word: &str) -> u64 {
    let mut beginning = [0; 8];
    let length = word.len().min(8);
    beginning[..length].copy_from_slice(&word.as_bytes()[..length]);
    u64::from_be_bytes(beginning)
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

    /// In the text form.
    fn text(vector: &Vector) -> String {
        let (count, mut rest) = vector.0.split_at(4);
        let mut words = Vec::new();
        let two = |rest: &mut &[u8]| {
            let (number, after) = rest.split_at(2);
            *rest = after;
            u16::from_be_bytes(number.try_into().unwrap())
        };
        while !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == 0).unwrap();
            let word = std::str::from_utf8(&rest[..end]).unwrap();
            rest = &rest[end + 1..];
            let count = two(&mut rest);
            let places = (0..count).map(|_| two(&mut rest).to_string()).collect::<Vec<_>>();
            words.push(format!("{word}:{}", places.join(",")));
        }
        assert_eq!(u32::from_be_bytes(count.try_into().unwrap()), u32::try_from(words.len()).unwrap());
        words.join(" ")
    }

    #[test]
    fn a_text_becomes_its_words_in_lower_case_with_their_places() {
        assert_eq!(text(&vector("Über-Fax, v1.2 FAX!")), "2:4 fax:2,5 v1:3 über:1");
        assert_eq!(text(&vector("")), "");
    }

    #[test]
    fn words_are_in_the_order_of_their_bytes() {
        let vector = text(&vector("printers print Ärger printer1 printer zebra printer2 pr änderung printer2x"));
        let words = vector.split(' ').map(|word| word.split(':').next().unwrap()).collect::<Vec<_>>();
        assert_eq!(words.len(), 10);
        assert!(words.is_sorted(), "{words:?}");
    }

    #[test]
    fn a_word_without_end_is_cut_on_both_sides_alike() {
        let long = "ä".repeat(3_000);
        assert_eq!(text(&vector(&long)), format!("{}:1", "ä".repeat(127)));
        assert_eq!(shown(&search(&long)), "ä".repeat(127));
    }

    #[test]
    fn a_word_that_stands_everywhere_keeps_its_first_places() {
        let often = text(&vector(&"x ".repeat(1_000)));
        assert!(often.ends_with(",254,255"), "{often}");
        let many = (0..20_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let late = text(&vector(&many));
        assert!(late.contains("w16381:16382 ") && late.contains("w19999:16383"));
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

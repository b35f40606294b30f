//! Tokenizes texts and searches for the full-text search.
//!
//! A word is a run of letters and digits (Unicode's `Alphabetic` and `Numeric`) in lower case. Other characters separate
//! words: an address or a decimal number is found as adjacent words. PostgreSQL gets `tsvector` in its binary form and
//! `tsquery` in its text form; its own parser costs four times as much, and does not split addresses (docs/adr/0024).

use std::borrow::Cow;
use std::collections::BTreeMap;

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};

/// The searchable part of a text, in bytes: a `tsvector` holds 1 MiB at most, positions included.
const SEARCHABLE_BYTES: usize = 256 * 1024;
/// Longer words are truncated; PostgreSQL would take 2 kB.
const WORD_BYTES: usize = 255;
/// The limits of `tsvector`: the highest word position, which also stands for all beyond it, and the positions per word.
const LAST_POSITION: u16 = 16_383;
const POSITIONS: usize = 255;

/// A `tsvector` in PostgreSQL's binary format: the number of words, then of each word its bytes, a zero, the number of
/// positions, and the positions. Words are sorted by their bytes.
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

/// The words of a text and their positions.
pub(crate) fn vector(text: &str) -> Vector {
    let text = &text[..text.floor_char_boundary(SEARCHABLE_BYTES)];
    let positions = (1..LAST_POSITION).chain(std::iter::repeat(LAST_POSITION));
    // the first eight bytes, as a number, decide most comparisons
    let mut all = Vec::with_capacity(text.len() / 4);
    all.extend(words(text).zip(positions).map(|(word, position)| (prefix(&word), word, position)));
    all.sort_unstable();
    all.dedup();
    let mut vector = vec![0; 4];
    vector.reserve(text.len() + 4 * all.len());
    let mut count: u32 = 0;
    for word in all.chunk_by(|a, b| (a.0, &a.1) == (b.0, &b.1)) {
        let Some((_, bytes, _)) = word.first() else { continue };
        let positions = &word[..word.len().min(POSITIONS)];
        vector.extend_from_slice(bytes.as_bytes());
        vector.push(0);
        #[expect(clippy::cast_possible_truncation, reason = "at most POSITIONS")]
        vector.extend_from_slice(&(positions.len() as u16).to_be_bytes());
        for (_, _, position) in positions {
            vector.extend_from_slice(&position.to_be_bytes());
        }
        count += 1;
    }
    vector[..4].copy_from_slice(&count.to_be_bytes());
    Vector(vector)
}

/// The first eight bytes of a word as a number that sorts like them.
fn prefix(word: &str) -> u64 {
    let mut prefix = [0; 8];
    let length = word.len().min(8);
    prefix[..length].copy_from_slice(&word.as_bytes()[..length]);
    u64::from_be_bytes(prefix)
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

/// The words of several texts, as the text of a `tsvector`. Words of different texts are not adjacent.
pub(crate) fn text_vector<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut all: BTreeMap<_, Vec<String>> = BTreeMap::new();
    let mut position = 0;
    for text in texts {
        for word in words(text) {
            position += 1;
            all.entry(word).or_default().push(position.to_string());
        }
        position += 1;
    }
    // letters and digits need no quotes
    all.into_iter().map(|(word, positions)| format!("{word}:{}", positions.join(","))).collect::<Vec<_>>().join(" ")
}

/// A `tsquery` for adjacent words, the last of which may go on; `None`: the text has no words.
pub(crate) fn parse_prefix(text: &str) -> Option<String> {
    let words = words(text).collect::<Vec<_>>().join(" <-> ");
    (!words.is_empty()).then(|| format!("{words}:*"))
}

/// Adjacent words, as the text of a `tsquery`, that one text of a ticket must contain, or none may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) negated: bool,
    pub(crate) words: String,
}

/// Parses a search in web search syntax: words, `"a phrase"`, `or`, `-not`. The result is a disjunction of conjunctions.
/// Every text is valid; one without words has no groups.
pub(crate) fn parse_search(text: &str) -> Vec<Vec<Operand>> {
    let mut groups = Groups::default();
    let mut negated = false;
    for (part, text) in text.split('"').enumerate() {
        if part % 2 == 1 {
            groups.push(text, negated);
            continue;
        }
        for word in text.split_whitespace() {
            match word.strip_prefix('-') {
                _ if word.eq_ignore_ascii_case("or") => groups.or = true,
                Some(unwanted) => groups.push(unwanted, true),
                None => groups.push(word, false),
            }
        }
        // a hyphen right before a quotation mark negates the phrase; a lone one elsewhere is a dash
        negated = text.strip_suffix('-').is_some_and(|before| !before.ends_with(|c: char| !c.is_whitespace()));
    }
    groups.all
}

#[derive(Default)]
struct Groups {
    all: Vec<Vec<Operand>>,
    or: bool,
}

impl Groups {
    /// Adds an operand, if it has any words.
    fn push(&mut self, operand: &str, negated: bool) {
        let words = words(operand).collect::<Vec<_>>().join(" <-> ");
        if words.is_empty() {
            return;
        }
        let operand = Operand { negated, words };
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
    fn vector_holds_lower_case_words_and_positions() {
        assert_eq!(text(&vector("Über-Fax, v1.2 FAX!")), "2:4 fax:2,5 v1:3 über:1");
        assert_eq!(text(&vector("")), "");
    }

    #[test]
    fn vector_is_sorted_by_bytes() {
        let vector = text(&vector("printers print Ärger printer1 printer zebra printer2 pr änderung printer2x"));
        let words = vector.split(' ').map(|word| word.split(':').next().unwrap()).collect::<Vec<_>>();
        assert_eq!(words.len(), 10);
        assert!(words.is_sorted(), "{words:?}");
    }

    #[test]
    fn long_words_are_truncated_in_texts_and_searches() {
        let long = "ä".repeat(3_000);
        assert_eq!(text(&vector(&long)), format!("{}:1", "ä".repeat(127)));
        assert_eq!(shown(&parse_search(&long)), "ä".repeat(127));
    }

    #[test]
    fn positions_are_capped() {
        let often = text(&vector(&"x ".repeat(1_000)));
        assert!(often.ends_with(",254,255"), "{often}");
        let many = (0..20_000).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
        let late = text(&vector(&many));
        assert!(late.contains("w16381:16382 ") && late.contains("w19999:16383"));
    }

    #[test]
    fn words_of_several_texts_are_not_adjacent() {
        assert_eq!(text_vector(["Ann O'Neil", "ann@a.b"]), "a:6 ann:1,5 b:7 neil:3 o:2");
        assert_eq!(text_vector([]), "");
    }

    #[test]
    fn prefix_goes_on_after_its_last_word() {
        assert_eq!(parse_prefix("Ann@Exa").as_deref(), Some("ann <-> exa:*"));
        assert_eq!(parse_prefix(" :*& "), None);
    }

    fn shown(groups: &[Vec<Operand>]) -> String {
        let operand = |o: &Operand| if o.negated { format!("!({})", o.words) } else { o.words.clone() };
        let group = |group: &Vec<Operand>| group.iter().map(operand).collect::<Vec<_>>().join(" & ");
        groups.iter().map(group).collect::<Vec<_>>().join(" | ")
    }

    #[test]
    fn search_has_web_search_syntax() {
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
            assert_eq!(shown(&parse_search(text)), expected, "{text}");
        }
    }
}

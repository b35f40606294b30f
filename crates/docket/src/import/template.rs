//! The templates of a map: text with `{column}`, `{column|slug}` or `{column|table}` in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;
use toml::Spanned;

use super::table::Cells;

/// The vocabularies of a map, by name: from words of the old system to ours.
pub(super) type Values = BTreeMap<String, BTreeMap<String, String>>;

/// The built-in filter.
const SLUG: &str = "slug";

/// Text with columns in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Spanned<String>")]
pub(super) struct Template {
    parts: Vec<Part>,
    /// Where in the map it begins, in bytes.
    pub(super) at: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Column { name: String, filters: Vec<String> },
}

impl TryFrom<Spanned<String>> for Template {
    type Error = String;

    fn try_from(text: Spanned<String>) -> Result<Self, String> {
        Ok(Self { parts: parse(text.get_ref())?, at: text.span().start })
    }
}

impl Template {
    /// The text for a row, or why it can't be rendered.
    pub(super) fn render(&self, cells: Cells<'_>, values: &Values) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Column { name, filters } => text.push_str(&filtered(name, filters, cells, values)?),
            }
        }
        Ok(text)
    }

    /// The columns that it names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// A filter that is neither `slug` nor one of the tables.
    pub(super) fn unknown_filter(&self, values: &Values) -> Option<&str> {
        let filters = self.parts.iter().flat_map(|part| match part {
            Part::Column { filters, .. } => filters.as_slice(),
            Part::Text(_) => &[],
        });
        filters.map(String::as_str).find(|filter| *filter != SLUG && !values.contains_key(*filter))
    }

    /// All texts that it can produce, if they are known without a row: a constant, or the words of a vocabulary.
    pub(super) fn possible(&self, values: &Values) -> Option<Vec<String>> {
        match self.parts.as_slice() {
            [] => Some(vec![String::new()]),
            [Part::Text(text)] => Some(vec![text.clone()]),
            [Part::Column { filters, .. }] => {
                let table = values.get(filters.last()?)?;
                Some(table.values().cloned().collect())
            }
            _ => None,
        }
    }
}

fn filtered(name: &str, filters: &[String], cells: Cells<'_>, values: &Values) -> Result<String, String> {
    let mut value = cells.get(name).trim().to_owned();
    for filter in filters {
        value = match values.get(filter) {
            Some(table) => table
                .get(&value)
                .cloned()
                .ok_or_else(|| format!("the map's [values.{filter}] has no entry for {value:?} (column {name})"))?,
            None => slug(&value),
        };
    }
    Ok(value)
}

/// Lower-case letters and digits with single hyphens between them, as for an address.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() {
            slug.extend(c.to_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

fn parse(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        let (brace, after) = (&rest[at..=at], &rest[at + 1..]);
        if let Some(after) = after.strip_prefix(brace) {
            literal.push_str(brace);
            rest = after;
        } else if brace == "}" {
            return Err(format!("{text:?} has a }} without its {{; write }}}} for the character itself"));
        } else {
            let Some((inner, after)) = after.split_once('}') else {
                return Err(format!("{text:?} has a {{ without its }}; write {{{{ for the character itself"));
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(column(inner, text)?);
            rest = after;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

fn column(inner: &str, text: &str) -> Result<Part, String> {
    let mut words = inner.split('|').map(|word| word.trim().to_owned());
    let name = words.next().unwrap_or_default();
    let filters: Vec<String> = words.collect();
    if name.is_empty() || filters.iter().any(String::is_empty) {
        let mut reason = String::new();
        write!(reason, "{text:?}: {{{inner}}} names no column; write {{column}} or {{column|slug}}").ok();
        return Err(reason);
    }
    Ok(Part::Column { name, filters })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::table::Header;

    fn template(text: &str) -> Result<Template, String> {
        Ok(Template { parts: parse(text)?, at: 0 })
    }

    fn rendered(text: &str) -> Result<String, String> {
        let header = Header::of(["customer", "seriousness"]);
        let record = csv::StringRecord::from(vec![" Città & Co. ", "Value 2"]);
        let words = BTreeMap::from([("Value 2".to_owned(), "high".to_owned())]);
        let values = Values::from([("priority".to_owned(), words)]);
        template(text)?.render(Cells::new(&header, &record), &values)
    }

    #[test]
    fn columns_and_filters_are_rendered() {
        assert_eq!(rendered("from {customer}!").unwrap(), "from Città & Co.!");
        assert_eq!(rendered("{customer|slug}@example.com").unwrap(), "città-co@example.com");
        assert_eq!(rendered("{seriousness | priority}").unwrap(), "high");
        assert_eq!(rendered("{seriousness|priority|slug}{{x}}").unwrap(), "high{x}");
        assert_eq!(rendered("").unwrap(), "");
    }

    #[test]
    fn unknown_word_is_an_error() {
        let reason = rendered("{customer|priority}").unwrap_err();
        assert!(reason.contains("[values.priority]") && reason.contains("Città & Co."), "{reason}");
    }

    #[test]
    fn unbalanced_braces_are_errors() {
        for text in ["{customer", "customer}", "{}", "{|slug}", "{customer|}"] {
            assert!(template(text).is_err(), "{text}");
        }
    }

    #[test]
    fn slug_fits_an_address() {
        assert_eq!(slug("  Value 12 / B "), "value-12-b");
        assert_eq!(slug("--"), "");
    }

    #[test]
    fn possible_texts_of_constants_and_vocabularies() {
        let words = BTreeMap::from([("a".to_owned(), "high".to_owned()), ("b".to_owned(), "low".to_owned())]);
        let values = Values::from([("priority".to_owned(), words)]);
        assert_eq!(template("normal").unwrap().possible(&values).unwrap(), ["normal"]);
        assert_eq!(template("{x|priority}").unwrap().possible(&values).unwrap(), ["high", "low"]);
        assert!(template("{x}").unwrap().possible(&values).is_none());
        assert_eq!(template("{x|nothing}").unwrap().unknown_filter(&values), Some("nothing"));
    }
}

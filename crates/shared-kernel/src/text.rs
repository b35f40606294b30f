//! Short texts: what they may hold, and newtypes for those that name something.
//!
//! A stored event is read through the same constructors, so their limits may be loosened later, never tightened:
//! what was once recorded must stay readable.

/// Why a text is not a valid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing but white space.
    #[error("{what} must not be blank")]
    Blank {
        /// Which value.
        what: &'static str,
    },
    /// Longer than the limit.
    #[error("{what} must not be longer than {limit} characters")]
    TooLong {
        /// Which value.
        what: &'static str,
        /// The limit in characters (Unicode scalar values).
        limit: usize,
    },
    /// A control character (a line break could smuggle a header into a mail), or one that reorders text.
    #[error("{what} must not contain control characters, line separators or bidirectional overrides")]
    ControlCharacter {
        /// Which value.
        what: &'static str,
    },
    /// A character that is invisible, or that looks like another one and would be replaced by it (NFKC).
    #[error(
        "{what} must not contain invisible characters, nor such as look like others (full-width letters, ligatures)"
    )]
    LookAlike {
        /// Which value.
        what: &'static str,
    },
    /// Not of the form `local@domain`.
    #[error("an e-mail address has the form name@example.com")]
    NotAnAddress,
    /// Not a whole number above zero.
    #[error("a ticket number is a whole number above zero, such as 1042 or #1042")]
    NotANumber,
    /// A word outside of a closed vocabulary.
    #[error("{word:?} is not a {what}")]
    UnknownWord {
        /// Which vocabulary.
        what: &'static str,
        /// The word that was given.
        word: String,
    },
}

/// Whether a text of one line must not hold this character: C0 and C1 controls, line and paragraph separators, and the
/// bidirectional embeddings, overrides and isolates that make a reader see another order than a program
/// (Unicode TR 36). Joiners and variation selectors stay: emoji, Persian and Hindi need them.
pub const fn is_unsafe_in_line(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    )
}

/// The text as one safe line, for what comes from elsewhere and can't be refused (an import, a mail): runs of white
/// space and controls become one space, other unsafe characters go.
pub fn strip_line(text: &str) -> String {
    let spaced = text.chars().map(|c| if c.is_whitespace() || c.is_control() { ' ' } else { c });
    let safe: String = spaced.filter(|c| !is_unsafe_in_line(*c)).collect();
    safe.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Trims a text, and checks that it is one safe line of 1 to `limit` characters.
///
/// # Errors
/// If it isn't.
pub fn line(what: &'static str, limit: usize, text: &str) -> Result<String, ValueError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(ValueError::Blank { what });
    }
    if text.chars().count() > limit {
        return Err(ValueError::TooLong { what, limit });
    }
    if text.chars().any(is_unsafe_in_line) {
        return Err(ValueError::ControlCharacter { what });
    }
    Ok(text.to_owned())
}

/// Declares newtypes over a short text of one line: `parse`, `as_str`, `Display`, `FromStr`, serde.
#[macro_export]
macro_rules! short_text {
    ($($(#[$meta:meta])* $name:ident($what:literal, $limit:literal);)+) => {$(
        $(#[$meta])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            #[doc = concat!("Trims; 1 to ", stringify!($limit), " characters, none that controls or reorders text.")]
            ///
            /// # Errors
            /// If the text is not such a line.
            pub fn parse(text: &str) -> Result<Self, $crate::text::ValueError> {
                $crate::text::line($what, $limit, text).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text::ValueError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )+};
}
pub(crate) use short_text;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_refuses_controls_and_reordering() {
        for c in ['\0', '\n', '\u{7f}', '\u{85}', '\u{9b}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}', '\u{2069}']
        {
            let error = line("subject", 10, &format!("a{c}b"));
            assert_eq!(error, Err(ValueError::ControlCharacter { what: "subject" }), "{c:?}");
        }
        // joiners, variation selectors and marks are part of words and emoji
        for text in ["می‌خواهم", "क्‍ष", "👩‍💻", "❤️", "שלום\u{200f}"] {
            assert_eq!(line("subject", 10, text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn strip_line_leaves_one_safe_line() {
        assert_eq!(strip_line(" a\r\n\tb\u{202e}c\u{9b}d\u{2028}e "), "a bc d e");
        assert!(line("subject", 20, &strip_line("\u{2066}x\u{2069}")).is_ok());
    }
}

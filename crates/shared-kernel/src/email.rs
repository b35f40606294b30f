use crate::text::{ValueError, line};

/// An e-mail address in the one form that identities are compared in: trimmed and lowercased.
///
/// The check is minimal on purpose: only a mail that arrives proves an address. What it must keep out is
/// whatever would make one recipient into two.
///
/// # Errors
/// If the text is blank, longer than 254 characters, or not of the form `local@domain`.
pub fn email_address(text: &str) -> Result<String, ValueError> {
    // some letters become two in lower case: what counts is the form that is kept, and read again
    let address = line("email", 254, &text.to_lowercase())?;
    let (local, domain) = address.split_once('@').ok_or(ValueError::NotAnAddress)?;
    let foreign = |c: char| c.is_whitespace() || matches!(c, '@' | ',' | ';' | '<' | '>' | '"');
    let valid = !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !local.contains(foreign)
        && !domain.contains(foreign);
    if valid { Ok(address) } else { Err(ValueError::NotAnAddress) }
}

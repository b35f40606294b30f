//! Ids and numbers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shared_kernel::{ValueError, uuid_id};

uuid_id! {
    /// A reply or a note in a ticket's conversation.
    MessageId;
}

/// The number by which people know a ticket: shown as `#1042`, a plain number in JSON, always above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct TicketNumber(i64);

impl TicketNumber {
    /// The plain number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for TicketNumber {
    type Error = ValueError;

    fn try_from(number: i64) -> Result<Self, ValueError> {
        if number > 0 { Ok(Self(number)) } else { Err(ValueError::NotANumber) }
    }
}

impl From<TicketNumber> for i64 {
    fn from(number: TicketNumber) -> Self {
        number.0
    }
}

impl FromStr for TicketNumber {
    type Err = ValueError;

    /// Accepts `#1042` and `1042`; no sign, no spaces.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        // i64's own parser would take "+1" as well
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ValueError::NotANumber);
        }
        let number: i64 = digits.parse().map_err(|_| ValueError::NotANumber)?;
        Self::try_from(number)
    }
}

impl fmt::Display for TicketNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

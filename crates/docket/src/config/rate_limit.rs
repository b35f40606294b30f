//! The setting `rate_limit`: `10000/10` or `off`.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use api::Rate;
use serde::Serialize;

/// How many requests an API key may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub(crate) struct RateLimit(pub(crate) Option<Rate>);

impl Default for RateLimit {
    fn default() -> Self {
        Self(Some(Rate::DEFAULT))
    }
}

impl FromStr for RateLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        let rate = text.split_once('/').and_then(|(requests, seconds)| {
            let (requests, seconds) = (requests.parse::<NonZeroU32>().ok()?, seconds.parse::<NonZeroU32>().ok()?);
            (requests.get() <= 10_000_000 && seconds.get() <= 86_400).then_some(Rate { requests, seconds })
        });
        rate.map(|rate| Self(Some(rate)))
            .ok_or_else(|| format!("{text:?} is not a rate limit; write requests/seconds, such as 10000/10, or off"))
    }
}

impl From<RateLimit> for String {
    fn from(limit: RateLimit) -> Self {
        limit.to_string()
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(rate) => write!(f, "{}/{}", rate.requests, rate.seconds),
            None => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for text in ["10000/10", "1/1", "off", "600/60"] {
            assert_eq!(text.parse::<RateLimit>().unwrap().to_string(), text);
        }
        for bad in ["", "10", "0/1", "1/0", "-1/1", "1/1/1", "10/1s", "on", "99999999999/1"] {
            assert!(bad.parse::<RateLimit>().is_err(), "{bad}");
        }
        assert_eq!(RateLimit::default().to_string(), "10000/10");
    }
}

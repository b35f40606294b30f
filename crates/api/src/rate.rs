//! How many requests a key may send: a token bucket for each key (GCRA, crate `governor`), told of by the headers of
//! draft-ietf-httpapi-ratelimit-headers-10.
//!
//! What counts is the key, whatever address it comes from or names. A request without a valid key never comes here:
//! it is refused before, and cheaply (docs/adr/0023).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota};
use opentelemetry::global;
use opentelemetry::metrics::Counter;

use crate::limits::Rate;
use crate::problem::{Code, Problem};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

type Buckets = DefaultKeyedRateLimiter<String, StateInformationMiddleware>;

/// The buckets of all keys. There are no more of them than keys, and full ones are forgotten.
pub(crate) struct RateLimit {
    rate: Rate,
    buckets: Buckets,
    clock: DefaultClock,
    policy: HeaderValue,
    refused: Counter<u64>,
}

/// How a caller stands after a request, for its answer's headers.
pub(crate) struct RateState {
    state: HeaderValue,
    policy: HeaderValue,
}

impl RateLimit {
    pub(crate) fn new(rate: Rate) -> Option<Self> {
        let quota = Quota::with_period(rate.window() / rate.requests.get())?.allow_burst(rate.requests);
        let refused = global::meter("docket")
            .u64_counter("docket_requests_rate_limited")
            .with_description("requests refused because their key had sent too many")
            .build();
        refused.add(0, &[]);
        Some(Self {
            rate,
            buckets: DefaultKeyedRateLimiter::keyed(quota).with_middleware(),
            clock: DefaultClock::default(),
            policy: HeaderValue::try_from(format!("\"default\";q={};w={}", rate.requests, rate.seconds)).ok()?,
            refused,
        })
    }

    /// Takes one request from the key's bucket. 429 if it is empty.
    pub(crate) fn take(&self, key: &String) -> (RateState, Option<Problem>) {
        match self.buckets.check_key(key) {
            Ok(state) => (self.state(state.remaining_burst_capacity()), None),
            Err(until) => {
                self.refused.add(1, &[]);
                let wait = until.wait_time_from(self.clock.now()).as_secs_f64().ceil();
                // less than a window, which is a u32
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "see above")]
                let wait = (wait as u32).max(1);
                let detail = format!(
                    "This key may send {} requests in {} s. Try again in {wait} s.",
                    self.rate.requests, self.rate.seconds
                );
                let problem = Problem::new(Code::RateLimited, detail).with("policy", "default").retry_after(wait);
                (self.state(0), Some(problem))
            }
        }
    }

    fn state(&self, left: u32) -> RateState {
        let (all, window) = (u64::from(self.rate.requests.get()), u64::from(self.rate.seconds.get()));
        let full_in = ((all - u64::from(left).min(all)) * window).div_ceil(all);
        let state = HeaderValue::try_from(format!("\"default\";r={left};t={full_in}"));
        RateState { state: state.expect("digits in a header value"), policy: self.policy.clone() }
    }

    /// Forgets the keys whose buckets are full: they are as good as new.
    pub(crate) fn tidy(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
    }
}

impl RateState {
    /// Tells the client how it stands.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(POLICY, self.policy);
        headers.insert(STATE, self.state);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn rate(requests: u32, seconds: u32) -> RateLimit {
        let positive = |n| NonZeroU32::new(n).unwrap();
        RateLimit::new(Rate { requests: positive(requests), seconds: positive(seconds) }).unwrap()
    }

    #[test]
    fn a_bucket_is_emptied_and_told_of() {
        let limit = rate(3, 60);
        let key = "a".to_owned();
        let states = (0..3).map(|_| limit.take(&key)).map(|taken| {
            assert!(taken.1.is_none());
            taken.0.state.to_str().unwrap().to_owned()
        });
        let states = states.collect::<Vec<_>>();
        assert_eq!(states, ["\"default\";r=2;t=20", "\"default\";r=1;t=40", "\"default\";r=0;t=60"]);
        let refused = limit.take(&key);
        assert_eq!(refused.0.state, "\"default\";r=0;t=60");
        assert!(refused.1.is_some());
        assert!(limit.take(&"b".to_owned()).1.is_none(), "another key has its own bucket");
    }

    #[test]
    fn a_key_that_is_idle_is_forgotten() {
        let limit = rate(1_000_000, 1);
        for n in 0..1_000 {
            limit.take(&n.to_string());
        }
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !limit.buckets.is_empty() {
            assert!(std::time::Instant::now() < deadline, "{} buckets stay", limit.buckets.len());
            limit.tidy();
        }
    }
}

//! How many requests a key may send: a token bucket for each key (GCRA, crate `governor`), told of by the headers of
//! draft-ietf-httpapi-ratelimit-headers-10.
//!
//! What counts is the key, whatever address it comes from or names. A request without a valid key never comes here:
//! it is refused before, and cheaply (docs/adr/0023).

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota};
use opentelemetry::global;
use opentelemetry::metrics::Counter;

use crate::App;
use crate::admission::Kind;
use crate::auth::Authenticated;
use crate::limits::Rate;
use crate::operation::Guard;
use crate::problem::{Code, Problem};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

type Buckets = DefaultKeyedRateLimiter<String, StateInformationMiddleware>;

/// The buckets of all keys. There are no more of them than keys, and full ones are forgotten.
pub(crate) struct RateLimit {
    rate: Rate,
    buckets: Buckets,
    /// How many refusals are still made in the order of checks.
    refusals: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
    policy: HeaderValue,
    refused: Counter<u64>,
}

/// What a request was told.
pub(crate) struct Taken {
    state: HeaderValue,
    policy: HeaderValue,
    pub(crate) refusal: Option<Rejection>,
}

/// A request beyond the limit.
#[derive(Clone, Debug)]
pub(crate) struct Rejection {
    pub(crate) problem: Problem,
    /// Whether nothing is looked at any more: the key goes on and on in spite of being refused.
    pub(crate) at_once: bool,
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
            refusals: DefaultKeyedRateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            policy: HeaderValue::try_from(format!("\"default\";q={};w={}", rate.requests, rate.seconds)).ok()?,
            refused,
        })
    }

    /// Takes one request from the key's bucket.
    pub(crate) fn take(&self, key: &String) -> Taken {
        match self.buckets.check_key(key) {
            Ok(state) => self.taken(state.remaining_burst_capacity(), None),
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
                let at_once = self.refusals.check_key(key).is_err();
                self.taken(0, Some(Rejection { problem, at_once }))
            }
        }
    }

    fn taken(&self, left: u32, refusal: Option<Rejection>) -> Taken {
        let (all, window) = (u64::from(self.rate.requests.get()), u64::from(self.rate.seconds.get()));
        let full_in = ((all - u64::from(left).min(all)) * window).div_ceil(all);
        let state = HeaderValue::try_from(format!("\"default\";r={left};t={full_in}"));
        Taken { state: state.unwrap_or(HeaderValue::from_static("")), policy: self.policy.clone(), refusal }
    }

    /// Forgets the keys whose buckets are full: they are as good as new.
    pub(crate) fn tidy(&self) {
        self.buckets.retain_recent();
        self.buckets.shrink_to_fit();
        self.refusals.retain_recent();
        self.refusals.shrink_to_fit();
    }
}

impl Taken {
    /// Tells the client how it stands.
    pub(crate) fn tell(self, mut response: Response) -> Response {
        response.headers_mut().insert(POLICY, self.policy);
        response.headers_mut().insert(STATE, self.state);
        response
    }
}

/// Around each route that needs a key, once its path and method are known: a request beyond the limit hears first what
/// goes before that (404, 403). Reads take their place among those under way here; commands do when their body
/// has come.
pub(crate) async fn layer(State((app, guard)): State<(App, Guard)>, mut request: Request, next: Next) -> Response {
    let refusal: Option<Rejection> = request.extensions_mut().remove();
    if refusal.is_none() && !request.method().is_safe() {
        return next.run(request).await;
    }
    let _place = match app.admission.enter(Kind::of(request.uri().path())) {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    match refusal {
        None => next.run(request).await,
        Some(refusal) => beyond(&app, guard, request, refusal.problem).await.into_response(),
    }
}

async fn beyond(app: &App, guard: Guard, request: Request, refusal: Problem) -> Result<StatusCode, Problem> {
    let (mut parts, body) = request.into_parts();
    drop(body);
    let caller = parts.extensions.get::<Authenticated>().cloned();
    let Authenticated(caller) = caller.ok_or_else(|| crate::error::unauthorized("The request needs an API key."))?;
    guard.check(app, &caller, &mut parts).await?;
    Err(refusal)
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
            assert!(taken.refusal.is_none());
            taken.state.to_str().unwrap().to_owned()
        });
        let states = states.collect::<Vec<_>>();
        assert_eq!(states, ["\"default\";r=2;t=20", "\"default\";r=1;t=40", "\"default\";r=0;t=60"]);
        let refused = limit.take(&key);
        assert_eq!(refused.state, "\"default\";r=0;t=60");
        assert!(!refused.refusal.unwrap().at_once);
        assert!(limit.take(&"b".to_owned()).refusal.is_none(), "another key has its own bucket");
    }

    #[test]
    fn who_goes_on_when_refused_is_refused_at_once() {
        let limit = rate(5, 60);
        let key = "a".to_owned();
        let at_once = (0..12).map(|_| limit.take(&key).refusal.map(|refusal| refusal.at_once)).collect::<Vec<_>>();
        assert_eq!(at_once, [[None; 5].as_slice(), &[Some(false); 5], &[Some(true); 2]].concat());
    }

    #[test]
    fn a_key_that_is_idle_is_forgotten() {
        let limit = rate(1_000_000, 1);
        for n in 0..1_000 {
            limit.take(&n.to_string());
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
        limit.tidy();
        assert!(limit.buckets.len() < 10, "{}", limit.buckets.len());
    }
}

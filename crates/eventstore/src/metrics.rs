//! Metrics of the appender and the tailer, as OpenTelemetry instruments; without the feature `opentelemetry` they record nothing.

#[cfg(not(feature = "opentelemetry"))]
mod ignored;
#[cfg(feature = "opentelemetry")]
mod recorded;

#[cfg(not(feature = "opentelemetry"))]
pub(crate) use self::ignored::METRICS;
#[cfg(feature = "opentelemetry")]
pub(crate) use self::recorded::METRICS;

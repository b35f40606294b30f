//! Logs, traces and metrics. The clock and the source of random ids are here, too: everything else takes them as arguments.

mod log_writer;

use std::io::{self, IsTerminal};

use anyhow::Context;
use chrono::{DateTime, Utc};
use opentelemetry::trace::TracerProvider;
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prometheus::{Encoder, Registry, TextEncoder};
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use uuid::Uuid;

use crate::config::{Config, LogFormat};
use log_writer::{Escapes, LogWriter};

/// The default filter of `serve`. The relay reports the state of the broker; the NATS client would report every attempt.
const SERVING: &str = "info,async_nats=warn";

/// The clock.
#[expect(clippy::disallowed_methods, reason = "the edge: everything beneath takes the time as an argument")]
pub(crate) fn now() -> DateTime<Utc> {
    // microseconds: what the database keeps, so that what is answered is what will be read
    let now = Utc::now();
    // a clock that is off, for the fault checker: seconds
    #[cfg(feature = "failpoints")]
    let now = now
        + fail::eval("clock.off", |s| s?.parse().ok().map(chrono::TimeDelta::seconds)).flatten().unwrap_or_default();
    DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
}

/// A new id.
#[expect(clippy::disallowed_methods, reason = "the edge: everything beneath takes ids as arguments")]
pub(crate) fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Flushed when the program ends.
pub(crate) struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    meter: Option<SdkMeterProvider>,
    registry: Registry,
}

/// For `serve`: logs on stdout, traces over OTLP where a collector is named, metrics for Prometheus.
pub(crate) fn full(config: &Config) -> anyhow::Result<Telemetry> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let resource = Resource::builder()
        .with_service_name("docket")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();

    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let meter = SdkMeterProvider::builder().with_resource(resource.clone()).with_reader(exporter).build();
    global::set_meter_provider(meter.clone());

    let tracer = if collector_is_named() { Some(tracer(resource)?) } else { None };
    let spans = tracer.as_ref().map(span_layer);
    let logs = log_layer(config).with_filter(filter(config, SERVING)?);
    tracing_subscriber::registry().with(spans).with(logs).try_init()?;
    Ok(Telemetry { tracer, meter: Some(meter), registry })
}

/// For the other commands: warnings on stderr.
pub(crate) fn quiet(config: &Config) -> anyhow::Result<Telemetry> {
    let layer = text_layer(io::stderr, io::stderr().is_terminal());
    tracing_subscriber::registry().with(filter(config, "warn,async_nats=error")?).with(layer).try_init()?;
    Ok(Telemetry { tracer: None, meter: None, registry: Registry::new() })
}

/// Whether one of OpenTelemetry's variables names a collector.
fn collector_is_named() -> bool {
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn tracer(resource: Resource) -> anyhow::Result<SdkTracerProvider> {
    let exporter =
        opentelemetry_otlp::SpanExporter::builder().with_http().build().context("OTEL_EXPORTER_OTLP_ENDPOINT")?;
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}

/// Spans are collected independently of the log filter.
fn span_layer<S>(tracer: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    // location, thread and inactivity would double the cost of a span
    tracing_opentelemetry::layer()
        .with_tracer(tracer.tracer("docket"))
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(|metadata| metadata.is_span() && *metadata.level() <= Level::INFO))
}

fn filter(config: &Config, default: &str) -> anyhow::Result<EnvFilter> {
    let directives = config.log.as_deref().unwrap_or(default);
    EnvFilter::try_new(directives).with_context(|| format!("the log filter {directives:?}"))
}

fn log_layer<S>(config: &Config) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let format =
        config.log_format.unwrap_or(if io::stdout().is_terminal() { LogFormat::Text } else { LogFormat::Json });
    match format {
        LogFormat::Text => text_layer(io::stdout, io::stdout().is_terminal()).boxed(),
        LogFormat::Json => {
            let mut json = json_subscriber::JsonLayer::new(LogWriter::new(io::stdout, Escapes::Json));
            json.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
            json.with_level("level");
            json.with_target("target");
            // request_id, trace_id and caller are members of each line
            json.with_top_level_flattened_span_list();
            json.with_flattened_event();
            json.boxed()
        }
    }
}

fn text_layer<S, W>(writer: W, is_terminal: bool) -> impl Layer<S> + Send + Sync
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let coloured = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let escapes = if coloured { Escapes::ColouredText } else { Escapes::Text };
    tracing_subscriber::fmt::layer().with_target(false).with_ansi(coloured).with_writer(LogWriter::new(writer, escapes))
}

impl Telemetry {
    /// The text of `/metrics`.
    pub(crate) fn metrics(registry: &Registry) -> String {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics can't be encoded");
        }
        String::from_utf8(text).unwrap_or_default()
    }

    pub(crate) fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// Sends the spans and metrics that are still buffered.
    pub(crate) fn flush(self) {
        if let Some(tracer) = self.tracer {
            tracer.shutdown().ok();
        }
        if let Some(meter) = self.meter {
            meter.shutdown().ok();
        }
    }
}

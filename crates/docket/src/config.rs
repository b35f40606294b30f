//! The configuration. Flags override the environment, which overrides the file, which overrides the defaults. Docket's
//! environment variables are named here, except for those by which `devstack` finds programs.

mod file;
mod rate_limit;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure};
use chrono::TimeDelta;
use clap::{ArgAction, Args, ValueEnum};
use serde::Serialize;

pub(crate) use file::with_file;
use rate_limit::RateLimit;

/// Every setting, with its default. One field is one setting: the flag, the variable and the key of the file follow from it.
#[derive(Args, Clone, Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "a field is named like its flag: --config")]
#[command(next_help_heading = "Configuration (flags override the environment, the environment overrides the file)")]
pub(crate) struct Config {
    /// TOML file with any of these settings, in `snake_case` [default: docket.toml, if there is one]
    #[arg(long, env = "DOCKET_CONFIG", global = true, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Folder of the private PostgreSQL and NATS; commands find a running server by it
    #[arg(long, env = "DOCKET_DATA_DIR", global = true, value_name = "DIR", default_value = ".docket")]
    pub(crate) data_dir: PathBuf,
    /// PostgreSQL database [default: a private one in the data folder]
    #[arg(
        long,
        env = "DATABASE_URL",
        global = true,
        value_name = "URL",
        hide_env_values = true,
        hide_default_value = true
    )]
    #[serde(serialize_with = "without_password")]
    pub(crate) database_url: Option<String>,
    /// Connections to the database, besides the appender's
    #[arg(long, env = "DOCKET_DATABASE_CONNECTIONS", global = true, value_name = "N", default_value_t = 10)]
    pub(crate) database_connections: u32,
    /// Whether `serve` and `import` migrate the schema first. Use `false` where the login doesn't own the tables, and run
    /// `docket migrate` as their owner
    #[arg(long, env = "DOCKET_MIGRATE", global = true, value_name = "BOOL", default_value_t = true, action = ArgAction::Set)]
    pub(crate) migrate: bool,
    /// Address to listen on; port 0 takes a free port
    #[arg(long, env = "DOCKET_LISTEN", global = true, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// NATS server with JetStream, or several of a cluster, separated by commas [default: a private one]
    #[arg(
        long,
        env = "NATS_URL",
        global = true,
        value_name = "URL",
        hide_env_values = true,
        hide_default_value = true
    )]
    #[serde(serialize_with = "without_user")]
    pub(crate) nats_url: Option<String>,
    /// Stream that holds the log; created if it doesn't exist
    #[arg(long, env = "DOCKET_NATS_STREAM", global = true, value_name = "NAME", default_value = "DOCKET")]
    pub(crate) nats_stream: String,
    /// Prefix of the stream's subjects
    #[arg(long, env = "DOCKET_NATS_SUBJECT_PREFIX", global = true, value_name = "PREFIX", default_value = "docket")]
    pub(crate) nats_subject_prefix: String,
    /// Replicas of the stream in a cluster, when it is created
    #[arg(long, env = "DOCKET_NATS_REPLICAS", global = true, value_name = "N", default_value_t = 1)]
    pub(crate) nats_replicas: usize,
    /// Components that `serve` runs in this process
    #[arg(long = "roles", env = "DOCKET_ROLES", global = true, value_name = "COMPONENTS", value_delimiter = ',')]
    #[arg(default_values = ["api", "projector", "relay", "timers"])]
    #[serde(rename = "roles")]
    pub(crate) components: Vec<Component>,
    /// Requests that an API key may send in a number of seconds: `10000/10` is 1,000 a second, with bursts of 10,000; `off`
    /// for no limit
    #[arg(long, env = "DOCKET_RATE_LIMIT", global = true, value_name = "N/SECONDS", default_value_t = RateLimit::default())]
    pub(crate) rate_limit: RateLimit,
    /// Requests in flight of each kind (commands, reads of the log, queries of read models, public pages); more are answered
    /// 503
    #[arg(long, env = "DOCKET_MAX_REQUESTS", global = true, value_name = "N", default_value_t = 512)]
    pub(crate) max_requests: usize,
    /// Live event streams; more are answered 503
    #[arg(long, env = "DOCKET_MAX_STREAMS", global = true, value_name = "N", default_value_t = 1_024)]
    pub(crate) max_streams: usize,
    /// Client connections, as far as the limit on open files allows
    #[arg(long, env = "DOCKET_MAX_CONNECTIONS", global = true, value_name = "N", default_value_t = 16_384)]
    pub(crate) max_connections: usize,
    /// URL of this server in links [default: the host that the client asked for]
    #[arg(long, env = "DOCKET_PUBLIC_URL", global = true, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// Days in which a resolved ticket can be reopened
    #[arg(long, env = "DOCKET_REOPEN_DAYS", global = true, value_name = "DAYS", default_value_t = 14)]
    pub(crate) reopen_days: u16,
    /// Hours for which an Idempotency-Key is remembered; at least 24
    #[arg(long, env = "DOCKET_RECEIPT_HOURS", global = true, value_name = "HOURS", default_value_t = 48)]
    pub(crate) receipt_hours: u32,
    /// Log format [default: text on a terminal, json otherwise]
    #[arg(long, env = "DOCKET_LOG_FORMAT", global = true, value_name = "FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
    /// Log filter, as for `tracing_subscriber::EnvFilter` [default: info for serve, warn otherwise]
    #[arg(long, env = "DOCKET_LOG", global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// A part of `serve`. Every component may run in many processes: the API is active in all of them; of the projectors,
/// relays and timers one leads, and the others stand by.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Component {
    /// Answer HTTP requests
    Api,
    /// Build the read models
    Projector,
    /// Publish the log to NATS JetStream
    Relay,
    /// Wake and close tickets when it is time
    Timers,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// One JSON object per line
    Json,
    /// For people
    Text,
}

impl Config {
    /// Checks what a single value can't show.
    pub(crate) fn checked(mut self) -> anyhow::Result<Self> {
        // an empty variable is as good as none
        self.database_url = self.database_url.filter(|url| !url.is_empty());
        self.nats_url = self.nats_url.filter(|url| !url.is_empty());
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.receipt_hours >= 24,
            "receipt_hours is {}; it must be at least 24, which the HTTP contract promises",
            self.receipt_hours
        );
        ensure!(!self.components.is_empty(), "roles is empty; name at least one of api, projector, relay, timers");
        ensure!(
            self.database_connections >= 2,
            "database_connections is {}; it must be at least 2",
            self.database_connections
        );
        if let Some(url) = &self.database_url
            && !(url.starts_with("postgres://") || url.starts_with("postgresql://"))
        {
            bail!("database_url must begin with postgres:// (DATABASE_URL, --database-url or the file)");
        }
        for (name, bound) in [
            ("max_requests", self.max_requests),
            ("max_streams", self.max_streams),
            ("max_connections", self.max_connections),
        ] {
            ensure!((1..=1_000_000).contains(&bound), "{name} is {bound}; it must be 1 to 1000000");
        }
        self.check_nats()?;
        if let Some(url) = &self.public_url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            bail!("public_url must begin with http:// or https://");
        }
        Ok(())
    }

    fn check_nats(&self) -> anyhow::Result<()> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if let Some(url) = &self.nats_url
            && !url
                .split(',')
                .all(|server| ["nats://", "tls://"].iter().any(|scheme| server.trim().starts_with(scheme)))
        {
            bail!("nats_url must begin with nats:// or tls:// (NATS_URL, --nats-url or the file)");
        }
        ensure!(
            is_word(&self.nats_stream),
            "nats_stream is {:?}; it may have letters, digits, _ and -",
            self.nats_stream
        );
        let prefix = &self.nats_subject_prefix;
        ensure!(
            prefix.split('.').all(is_word),
            "nats_subject_prefix is {prefix:?}; it must be words of letters, digits, _ and -, separated by dots"
        );
        ensure!((1..=5).contains(&self.nats_replicas), "nats_replicas is {}; it must be 1 to 5", self.nats_replicas);
        Ok(())
    }

    /// Whether this process runs a component.
    pub(crate) fn has(&self, component: Component) -> bool {
        self.components.contains(&component)
    }

    pub(crate) fn reopen_window(&self) -> TimeDelta {
        TimeDelta::days(self.reopen_days.into())
    }

    pub(crate) fn receipt_age(&self) -> Duration {
        Duration::from_secs(u64::from(self.receipt_hours) * 3600)
    }

    /// As TOML for a configuration file, without secrets.
    pub(crate) fn shown(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }
}

/// A URL with its password replaced by stars.
pub(crate) fn redacted(url: &str) -> String {
    let hidden = |(scheme, rest): (&str, &str)| {
        let (authority, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:***@{host}{tail}"))
    };
    let shown = url.split_once("://").and_then(hidden).unwrap_or_else(|| url.to_owned());
    // libpq's other way to give one
    match shown.find("password=") {
        Some(at) => {
            let end = shown[at..].find('&').map_or(shown.len(), |end| at + end);
            format!("{}password=***{}", &shown[..at], &shown[end..])
        }
        None => shown,
    }
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn without_password<S: serde::Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&redacted(url)),
        None => serializer.serialize_none(),
    }
}

/// URLs of NATS servers with user, password and token replaced by stars.
pub(crate) fn redacted_nats(urls: &str) -> String {
    let hidden = |server: &str| {
        let (scheme, rest) = server.split_once("://")?;
        let (_, host) = rest.rsplit_once('@')?;
        Some(format!("{scheme}://***@{host}"))
    };
    urls.split(',').map(|server| hidden(server).unwrap_or_else(|| server.to_owned())).collect::<Vec<_>>().join(",")
}

#[expect(clippy::ref_option, reason = "the signature that serde asks for")]
fn without_user<S: serde::Serializer>(url: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.serialize_some(&redacted_nats(url)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_redacted() {
        for (url, shown) in [
            ("postgres://me:secret@host/db", "postgres://me:***@host/db"),
            ("postgres://me:se@cret@host:5432/db?x=1", "postgres://me:***@host:5432/db?x=1"),
            ("postgres://me@host/db", "postgres://me@host/db"),
            ("postgres://host/db?password=secret&a=b", "postgres://host/db?password=***&a=b"),
        ] {
            assert_eq!(redacted(url), shown);
        }
        let (urls, shown) =
            ("nats://me:se@cret@a:4222,tls://token@b,nats://c", "nats://***@a:4222,tls://***@b,nats://c");
        assert_eq!(redacted_nats(urls), shown);
    }
}

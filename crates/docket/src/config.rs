//! The configuration: flags, then environment, then file, then defaults. The one place that names
//! an environment variable of Docket's, but for those by which `devstack` finds programs.

mod rate_limit;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use rate_limit::RateLimit;

/// What can be set. Whatever is not set has a default that works.
#[derive(Args, Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[command(next_help_heading = "Configuration (flags go before the environment, the environment before the file)")]
pub(crate) struct Settings {
    /// A TOML file with any of these settings, in `snake_case` [default: docket.toml where there is one]
    #[arg(long, env = "DOCKET_CONFIG", global = true, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    /// Where the private PostgreSQL lives, and where commands find a running server [default: .docket]
    #[arg(long, env = "DOCKET_DATA_DIR", global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The PostgreSQL database to use, instead of a private one
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// How many connections to the database there may be, besides the appender's [default: 10]
    #[arg(long, env = "DOCKET_DATABASE_CONNECTIONS", global = true, value_name = "N")]
    database_connections: Option<u32>,
    /// Whether `serve` and `import` bring the schema up to date first; `false` where the program's login does not
    /// own the tables, and `docket migrate` is run by one that does [default: true]
    #[arg(long, env = "DOCKET_MIGRATE", global = true, value_name = "BOOL")]
    migrate: Option<bool>,
    /// The address to listen on; port 0 takes a free one [default: 127.0.0.1:8080]
    #[arg(long, env = "DOCKET_LISTEN", global = true, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// The NATS server with JetStream to relay events to, or several of a cluster, separated by commas, instead of a private one
    #[arg(long, env = "NATS_URL", global = true, value_name = "URL", hide_env_values = true)]
    nats_url: Option<String>,
    /// The stream that holds the log; it is made where there is none [default: DOCKET]
    #[arg(long, env = "DOCKET_NATS_STREAM", global = true, value_name = "NAME")]
    nats_stream: Option<String>,
    /// What the subjects of that stream begin with [default: docket]
    #[arg(long, env = "DOCKET_NATS_SUBJECT_PREFIX", global = true, value_name = "PREFIX")]
    nats_subject_prefix: Option<String>,
    /// How many servers of a cluster hold the stream, when it is made [default: 1]
    #[arg(long, env = "DOCKET_NATS_REPLICAS", global = true, value_name = "N")]
    nats_replicas: Option<usize>,
    /// What `serve` does in this process: any of api, projector, relay [default: all]
    #[arg(long, env = "DOCKET_ROLES", global = true, value_name = "ROLES", value_delimiter = ',')]
    roles: Option<Vec<Role>>,
    /// How many requests an API key may send, in how many seconds: `10000/10` is a thousand a second, in bursts of up to
    /// ten thousand; `off` for no limit [default: 10000/10]
    #[arg(long, env = "DOCKET_RATE_LIMIT", global = true, value_name = "N/SECONDS")]
    rate_limit: Option<RateLimit>,
    /// How many requests of a kind (commands, reads of the log, queries of read models, public pages) may be under way;
    /// more are answered 503 [default: 512]
    #[arg(long, env = "DOCKET_MAX_REQUESTS", global = true, value_name = "N")]
    max_requests: Option<usize>,
    /// How many live streams of events there may be [default: 1024]
    #[arg(long, env = "DOCKET_MAX_STREAMS", global = true, value_name = "N")]
    max_streams: Option<usize>,
    /// How many connections of clients there may be, as far as the limit on open files allows [default: 16384]
    #[arg(long, env = "DOCKET_MAX_CONNECTIONS", global = true, value_name = "N")]
    max_connections: Option<usize>,
    /// The address by which clients know the server, for links in answers [default: what they asked for]
    #[arg(long, env = "DOCKET_PUBLIC_URL", global = true, value_name = "URL")]
    public_url: Option<String>,
    /// How long a resolved ticket can be reopened, in days [default: 14]
    #[arg(long, env = "DOCKET_REOPEN_DAYS", global = true, value_name = "DAYS")]
    reopen_days: Option<u16>,
    /// How long an Idempotency-Key is remembered, in hours; at least 24 [default: 48]
    #[arg(long, env = "DOCKET_RECEIPT_HOURS", global = true, value_name = "HOURS")]
    receipt_hours: Option<u32>,
    /// How the log is written [default: text on a terminal, else json]
    #[arg(long, env = "DOCKET_LOG_FORMAT", global = true, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// What is logged, as for `tracing_subscriber::EnvFilter` [default: info for serve, warn else]
    #[arg(long, env = "DOCKET_LOG", global = true, value_name = "FILTER")]
    log: Option<String>,
}

/// A part of the work, which a process may do or leave to others. Every role may run many times: the API is
/// active everywhere, of the followers one leads and the others stand by.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Answer HTTP requests
    Api,
    /// Build the read models
    Projector,
    /// Carry the log to NATS JetStream
    Relay,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LogFormat {
    /// One JSON object a line
    Json,
    /// For people
    Text,
}

/// The configuration, whole and checked.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    #[serde(serialize_with = "without_password")]
    pub(crate) database_url: Option<String>,
    pub(crate) database_connections: u32,
    pub(crate) migrate: bool,
    pub(crate) listen: SocketAddr,
    #[serde(serialize_with = "without_user")]
    pub(crate) nats_url: Option<String>,
    pub(crate) nats_stream: String,
    pub(crate) nats_subject_prefix: String,
    pub(crate) nats_replicas: usize,
    pub(crate) roles: Vec<Role>,
    pub(crate) rate_limit: RateLimit,
    pub(crate) max_requests: usize,
    pub(crate) max_streams: usize,
    pub(crate) max_connections: usize,
    pub(crate) public_url: Option<String>,
    pub(crate) reopen_days: u16,
    pub(crate) receipt_hours: u32,
    pub(crate) log_format: Option<LogFormat>,
    pub(crate) log: Option<String>,
}

impl Config {
    pub(crate) fn resolve(set: Settings) -> anyhow::Result<Self> {
        let file = match &set.config {
            Some(path) => read(path)?,
            None if Path::new("docket.toml").exists() => read(Path::new("docket.toml"))?,
            None => Settings::default(),
        };
        let config = Self {
            data_dir: set.data_dir.or(file.data_dir).unwrap_or_else(|| ".docket".into()),
            database_url: set.database_url.or(file.database_url).filter(|url| !url.is_empty()),
            database_connections: set.database_connections.or(file.database_connections).unwrap_or(10),
            migrate: set.migrate.or(file.migrate).unwrap_or(true),
            listen: set.listen.or(file.listen).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            nats_url: set.nats_url.or(file.nats_url).filter(|url| !url.is_empty()),
            nats_stream: set.nats_stream.or(file.nats_stream).unwrap_or_else(|| "DOCKET".into()),
            nats_subject_prefix: set
                .nats_subject_prefix
                .or(file.nats_subject_prefix)
                .unwrap_or_else(|| "docket".into()),
            nats_replicas: set.nats_replicas.or(file.nats_replicas).unwrap_or(1),
            roles: set.roles.or(file.roles).unwrap_or_else(|| Role::value_variants().to_vec()),
            rate_limit: set.rate_limit.or(file.rate_limit).unwrap_or_default(),
            max_requests: set.max_requests.or(file.max_requests).unwrap_or(512),
            max_streams: set.max_streams.or(file.max_streams).unwrap_or(1_024),
            max_connections: set.max_connections.or(file.max_connections).unwrap_or(16_384),
            public_url: set.public_url.or(file.public_url),
            reopen_days: set.reopen_days.or(file.reopen_days).unwrap_or(14),
            receipt_hours: set.receipt_hours.or(file.receipt_hours).unwrap_or(48),
            log_format: set.log_format.or(file.log_format),
            log: set.log.or(file.log),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(self.receipt_hours >= 24, "receipt_hours is {}: clients count on at least 24", self.receipt_hours);
        ensure!(!self.roles.is_empty(), "roles is empty: name at least one of api, projector, relay");
        ensure!(
            self.database_connections >= 2,
            "database_connections is {}: at least 2 are needed",
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
            ensure!((1..=1_000_000).contains(&bound), "{name} is {bound}: 1 to 1000000 are possible");
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
            "nats_stream is {:?}: letters, digits, _ and - are allowed",
            self.nats_stream
        );
        let prefix = &self.nats_subject_prefix;
        ensure!(
            prefix.split('.').all(is_word),
            "nats_subject_prefix is {prefix:?}: words of letters, digits, _ and -, with dots between"
        );
        ensure!((1..=5).contains(&self.nats_replicas), "nats_replicas is {}: 1 to 5 are possible", self.nats_replicas);
        Ok(())
    }

    /// Whether this process has a role.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    pub(crate) fn reopen_window(&self) -> TimeDelta {
        TimeDelta::days(self.reopen_days.into())
    }

    pub(crate) fn receipt_age(&self) -> Duration {
        Duration::from_secs(u64::from(self.receipt_hours) * 3600)
    }

    /// As TOML, fit for a configuration file, without secrets.
    pub(crate) fn shown(&self) -> anyhow::Result<String> {
        Ok(toml::to_string(self)?)
    }
}

fn read(path: &Path) -> anyhow::Result<Settings> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the configuration file {} can't be read", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the configuration file {} is wrong", path.display()))
}

/// A URL with its password, if it has one, replaced by stars.
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

/// The URLs of NATS servers, user, password and token replaced by stars.
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
    fn a_password_is_never_shown() {
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

    #[test]
    fn what_is_set_goes_before_the_file_and_the_file_before_the_default() {
        let file: Settings = toml::from_str("reopen_days = 3\nlisten = '127.0.0.1:1'").unwrap();
        let set = Settings { listen: Some("127.0.0.1:2".parse().unwrap()), ..Settings::default() };
        assert_eq!(set.listen.or(file.listen).unwrap().port(), 2);
        assert_eq!(set.reopen_days.or(file.reopen_days), Some(3));
        assert!(toml::from_str::<Settings>("reopen_day = 3").is_err(), "a mistyped setting is not ignored");
    }
}

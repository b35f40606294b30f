//! A client of a running server, for the commands that act as a person would: by HTTP, with a key.

use std::path::Path;

use anyhow::{Context, bail};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use ticket_aggregate::TicketNumber;

use crate::config::Config;
use crate::endpoints::Endpoints;
use crate::hint::{hint, hinted};

/// Which server, and as whom.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// URL of the server [default: the one that runs in the data folder]
    #[arg(long, env = "DOCKET_URL", value_name = "URL")]
    url: Option<String>,
    /// API key [default: the admin key in the data folder]
    #[arg(long, env = "DOCKET_KEY", value_name = "KEY", hide_env_values = true)]
    key: Option<String>,
}

/// A server, and the key to call it with.
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

/// What the server answered, if it was a success.
pub(crate) struct Answer {
    pub(crate) body: Value,
    /// The position of the log that the answer was made at.
    pub(crate) position: Option<i64>,
}

impl Client {
    pub(crate) fn new(args: &ServerArgs, config: &Config) -> anyhow::Result<Self> {
        let url = match &args.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => Endpoints::read(&config.data_dir).map(|endpoints| endpoints.api).ok_or_else(|| {
                hint(
                    format!("no server runs in {}", config.data_dir.display()),
                    "Start one with `docket serve`, or name another with --url or DOCKET_URL.",
                )
            })?,
        };
        let key = match &args.key {
            Some(key) => key.trim().to_owned(),
            None => admin_key(&config.data_dir)?,
        };
        let http = reqwest::Client::builder().user_agent(concat!("docket/", env!("CARGO_PKG_VERSION"))).build()?;
        Ok(Self { http, url, key })
    }

    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn query(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    /// Sends a command. Without a version any will do: whoever types a command means the ticket as it is.
    pub(crate) async fn post(&self, path: &str, body: &Value, version: Option<i64>) -> anyhow::Result<Answer> {
        let version = version.map_or_else(|| "*".to_owned(), |version| format!("\"{version}\""));
        self.send(self.request(Method::POST, path).header("if-match", version).json(body)).await
    }

    /// The path of a ticket that is named by number or id.
    pub(crate) async fn ticket(&self, name: &str) -> anyhow::Result<(String, Answer)> {
        let path = match name.parse::<TicketNumber>() {
            Ok(number) => format!("/v1/tickets/by-number/{}", number.get()),
            Err(_) if uuid::Uuid::try_parse(name).is_ok() => format!("/v1/tickets/{name}"),
            Err(_) => bail!("a ticket is named by its number (1042 or '#1042') or its id (a UUID)"),
        };
        let answer = self.get(&path).await?;
        let id = answer.body["id"].as_str().context("the server answered without an id")?;
        Ok((format!("/v1/tickets/{id}"), answer))
    }

    /// What a person or an agent is called. Whoever may not ask that gets the id.
    pub(crate) async fn name(&self, kind: &str, id: &str) -> String {
        let noun = if kind == "agent" { "agents" } else { "people" };
        let Ok(Answer { body, .. }) = self.get(&format!("/v1/{noun}/{id}")).await else { return id.to_owned() };
        let addresses = body["identities"].as_array().into_iter().flatten();
        let address = addresses.filter(|it| it["kind"] == "email").find_map(|it| it["value"].as_str());
        match (body["handle"].as_str().or_else(|| body["name"].as_str()), address) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (name, address) => name.or(address).unwrap_or(id).to_owned(),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let response = request.send().await.with_context(|| {
            hinted(format!("the server {} can't be reached", self.url), "Is it running? --url names another one.")
        })?;
        let status = response.status();
        let position = response.headers().get("docket-position").and_then(|value| value.to_str().ok()?.parse().ok());
        let body: Value = response.json().await.context("the server's answer is not JSON")?;
        if status.is_success() {
            return Ok(Answer { body, position });
        }
        Err(refusal(status, &body))
    }
}

/// The problem document as an error.
fn refusal(status: StatusCode, body: &Value) -> anyhow::Error {
    let detail = body["detail"].as_str().unwrap_or("the server gave no reason").to_owned();
    match status {
        StatusCode::UNAUTHORIZED => hint(detail, "--key or DOCKET_KEY names a key; `docket keys create` makes one."),
        _ => anyhow::anyhow!("{detail} ({status})"),
    }
}

fn admin_key(data_dir: &Path) -> anyhow::Result<String> {
    let path = data_dir.join("admin.key");
    let key = std::fs::read_to_string(&path)
        .with_context(|| hinted(format!("there is no key in {}", path.display()), "--key or DOCKET_KEY names one."))?;
    Ok(key.trim().to_owned())
}

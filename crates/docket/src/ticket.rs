//! `docket ticket`: tickets from the command line, over HTTP, as any client would.

mod print;

use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Map, Value, json};

use crate::client::{Answer, Client, ServerArgs};
use crate::config::Config;
use crate::terminal;

#[derive(Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Open(Open),
    /// Write to the requester
    Reply(Message),
    /// Write for agents only
    Note(Message),
    /// Give a ticket to an agent
    Assign(Assign),
    /// Take a ticket from its agent
    Unassign(Change),
    /// Put a ticket into a team's queue
    Route(Route),
    /// Wait for something else than the requester
    Hold(Hold),
    /// Stop waiting
    Resume(Change),
    /// Declare a ticket solved
    Resolve(Resolve),
    /// Take up a resolved ticket again
    Reopen(Reopen),
    /// End a resolved ticket for good
    Close(Change),
}

/// List tickets
#[derive(Args)]
#[command(
    after_help = "Examples:\n  docket ticket list --status new,open --team facilities\n  docket ticket list --q 'printer -paper' --json"
)]
pub(crate) struct List {
    /// Statuses, separated by commas: new, open, pending, `on_hold`, resolved, closed
    #[arg(long)]
    status: Option<String>,
    /// Priorities, separated by commas: low, normal, high, urgent
    #[arg(long)]
    priority: Option<String>,
    /// Team, or `none`
    #[arg(long)]
    team: Option<String>,
    /// Agent, or `none`
    #[arg(long)]
    assignee: Option<String>,
    /// Requester's e-mail address or id
    #[arg(long)]
    requester: Option<String>,
    /// Words to search for
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
    /// Sort order, with a minus for descending
    #[arg(long, value_name = "ORDER")]
    sort: Option<String>,
    /// Number of tickets, at most 200
    #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
    limit: u8,
    /// Print the server's JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Show a ticket and its conversation
#[derive(Args)]
pub(crate) struct Show {
    /// Ticket number (1042 or '#1042') or id
    ticket: String,
    /// Print a JSON object: ticket, conversation
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Open a ticket
#[derive(Args)]
#[command(
    after_help = "Example:\n  docket ticket open --subject 'The printer is on fire' --body - --requester grace@example.com < mail.txt"
)]
pub(crate) struct Open {
    #[arg(long)]
    subject: String,
    /// First message; `-` reads it from stdin
    #[arg(long)]
    body: String,
    /// E-mail address of the person who asks
    #[arg(long, value_name = "ADDRESS")]
    requester: Option<String>,
    /// Their name
    #[arg(long, value_name = "NAME", requires = "requester")]
    requester_name: Option<String>,
    /// Team whose queue it goes to
    #[arg(long)]
    team: Option<String>,
    #[arg(long)]
    priority: Option<Priority>,
    #[arg(long)]
    category: Option<String>,
    /// May be repeated
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Print the server's JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

/// A ticket to be changed.
#[derive(Args)]
pub(crate) struct Change {
    /// Ticket number (1042 or '#1042') or id
    ticket: String,
    /// Only if the ticket is at this version
    #[arg(long, value_name = "N")]
    if_version: Option<i64>,
    /// Print the server's JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Args)]
pub(crate) struct Message {
    #[command(flatten)]
    change: Change,
    /// Text; `-` reads it from stdin
    #[arg(long)]
    body: String,
}

#[derive(Args)]
pub(crate) struct Assign {
    #[command(flatten)]
    change: Change,
    /// Agent's handle or id
    agent: String,
    /// Also beyond the agent's capacity
    #[arg(long = "override")]
    over_capacity: bool,
}

#[derive(Args)]
pub(crate) struct Route {
    #[command(flatten)]
    change: Change,
    /// Team's handle or id
    team: String,
}

#[derive(Args)]
pub(crate) struct Hold {
    #[command(flatten)]
    change: Change,
    /// What the ticket waits for
    #[arg(long)]
    reason: String,
    /// When it goes on by itself, such as 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    wake_at: Option<String>,
}

#[derive(Args)]
pub(crate) struct Resolve {
    #[command(flatten)]
    change: Change,
    /// How it was solved
    #[arg(long, default_value = "solved")]
    code: String,
    /// Note for agents
    #[arg(long)]
    note: Option<String>,
}

#[derive(Args)]
pub(crate) struct Reopen {
    #[command(flatten)]
    change: Change,
    /// Why
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(config: &Config, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List(list) => self::list(config, list).await?,
        Command::Show(show) => self::show(config, show).await?,
        Command::Open(open) => self::open(config, open).await?,
        Command::Reply(message) => {
            change(config, &message.change, "replies", json!({"body": text(&message.body)?})).await?;
        }
        Command::Note(message) => {
            change(config, &message.change, "notes", json!({"body": text(&message.body)?})).await?;
        }
        Command::Assign(assign) => {
            let body = json!({"assignee": assign.agent, "override": assign.over_capacity});
            change(config, &assign.change, "assign", body).await?;
        }
        Command::Unassign(it) => change(config, it, "unassign", json!({})).await?,
        Command::Route(route) => change(config, &route.change, "route", json!({"team": route.team})).await?,
        Command::Hold(hold) => {
            let body =
                given([("reason", Some(json!(hold.reason))), ("wake_at", hold.wake_at.as_ref().map(|it| json!(it)))]);
            change(config, &hold.change, "hold", body).await?;
        }
        Command::Resume(it) => change(config, it, "resume", json!({})).await?,
        Command::Resolve(resolve) => {
            let body =
                given([("code", Some(json!(resolve.code))), ("note", resolve.note.as_ref().map(|it| json!(it)))]);
            change(config, &resolve.change, "resolve", body).await?;
        }
        Command::Reopen(reopen) => change(config, &reopen.change, "reopen", json!({"reason": reopen.reason})).await?,
        Command::Close(it) => change(config, it, "close", json!({})).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(config: &Config, list: &List) -> anyhow::Result<()> {
    let client = Client::new(&list.server, config)?;
    let filters = [
        ("status", &list.status),
        ("priority", &list.priority),
        ("team", &list.team),
        ("assignee", &list.assignee),
        ("requester", &list.requester),
        ("q", &list.q),
        ("sort", &list.sort),
    ];
    let given = filters.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
    let query: Vec<_> = given.chain([("limit", list.limit.to_string())]).collect();
    let answer = client.query("/v1/tickets", &query).await?;
    let mut out = anstream::stdout().lock();
    if list.json {
        writeln!(out, "{}", terminal::json(&answer.body)?)?;
    } else {
        print::list(&mut out, &answer.body)?;
    }
    Ok(())
}

async fn show(config: &Config, show: &Show) -> anyhow::Result<()> {
    let client = Client::new(&show.server, config)?;
    let (path, ticket) = client.ticket(&show.ticket).await?;
    let messages = conversation(&client, &path).await?;
    let mut out = anstream::stdout().lock();
    if show.json {
        let both = json!({"ticket": ticket.body, "conversation": messages});
        writeln!(out, "{}", terminal::json(&both)?)?;
    } else {
        print::ticket(&mut out, &ticket.body)?;
        print::conversation(&mut out, &messages)?;
    }
    Ok(())
}

/// All messages, page by page.
async fn conversation(client: &Client, path: &str) -> anyhow::Result<Vec<Value>> {
    let mut messages = Vec::new();
    let mut query = vec![("limit", "200".to_owned())];
    loop {
        let page = client.query(&format!("{path}/conversation"), &query).await?.body;
        messages.extend(page["items"].as_array().cloned().unwrap_or_default());
        match page["next_cursor"].as_str() {
            Some(cursor) => query = vec![("limit", "200".to_owned()), ("cursor", cursor.to_owned())],
            None => return Ok(messages),
        }
    }
}

async fn open(config: &Config, open: &Open) -> anyhow::Result<()> {
    let client = Client::new(&open.server, config)?;
    let requester = open.requester.as_ref().map(|email| {
        given([("email", Some(json!(email))), ("name", open.requester_name.as_ref().map(|name| json!(name)))])
    });
    let priority = open.priority.and_then(|priority| priority.to_possible_value());
    let body = given([
        ("subject", Some(json!(open.subject))),
        ("body", Some(json!(text(&open.body)?))),
        ("requester", requester),
        ("team", open.team.as_ref().map(|it| json!(it))),
        ("priority", priority.map(|it| json!(it.get_name()))),
        ("category", open.category.as_ref().map(|it| json!(it))),
        ("tags", (!open.tags.is_empty()).then(|| json!(open.tags))),
    ]);
    let opened = client.post("/v1/tickets", &body, None).await?;
    done(&opened, open.json)
}

async fn change(config: &Config, change: &Change, verb: &str, body: Value) -> anyhow::Result<()> {
    let client = Client::new(&change.server, config)?;
    let (path, _) = client.ticket(&change.ticket).await?;
    let changed = client.post(&format!("{path}/{verb}"), &body, change.if_version).await?;
    done(&changed, change.json)
}

fn done(answer: &Answer, as_json: bool) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if as_json {
        writeln!(out, "{}", terminal::json(&answer.body)?)?;
    } else {
        print::line(&mut out, &answer.body)?;
    }
    Ok(())
}

/// The members that are given.
fn given<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(members.collect::<Map<_, _>>())
}

/// The text, or what stdin holds.
fn text(given: &str) -> anyhow::Result<String> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("the text can't be read from stdin")?;
    Ok(text)
}

//! `docket ticket`: tickets from the command line, over HTTP, as any client would.

mod args;
mod print;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum as _;
use serde_json::{Map, Value, json};

use crate::client::{Answer, Client};
use crate::config::Config;
use crate::terminal;
use args::{Change, List, Open, Show};

pub(crate) use args::Command;

/// Names by ids.
type Names = BTreeMap<String, String>;

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
    let names = if show.json { Names::new() } else { names(&client, &ticket.body, &messages).await };
    let mut out = anstream::stdout().lock();
    if show.json {
        let both = json!({"ticket": ticket.body, "conversation": messages});
        writeln!(out, "{}", terminal::json(&both)?)?;
    } else {
        print::ticket(&mut out, &ticket.body, &names)?;
        print::conversation(&mut out, &messages, &names)?;
    }
    Ok(())
}

/// What the people and agents of a ticket are called, by id.
async fn names(client: &Client, ticket: &Value, messages: &[Value]) -> Names {
    let requester = ticket["requester"]["person_id"].as_str().map(|id| ("requester", id));
    let authors = messages.iter().filter_map(|message| {
        let author = &message["author"];
        Some((author["kind"].as_str().filter(|kind| *kind != "system")?, author["id"].as_str()?))
    });
    let mut names = Names::new();
    for (kind, id) in requester.into_iter().chain(authors) {
        if !names.contains_key(id) {
            let name = client.name(kind, id).await;
            names.insert(id.to_owned(), name);
        }
    }
    names
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

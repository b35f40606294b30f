//! `docket keys`: API keys.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use desk::{ApiKey, Desk, DeskError, KeyId, MintedKey, NewAgent, NewKey, Scope};
use serde_json::json;
use shared_kernel::{EmailAddress, Handle, Role};

use crate::hint::hint;
use crate::operator::operator;
use crate::telemetry::now;
use crate::terminal::{self, columns, printable};

#[derive(Subcommand)]
pub(crate) enum Command {
    Create(Create),
    /// List all keys, without secrets
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    Rotate(Rotate),
    /// Revoke a key; every process refuses it within 5 s
    Revoke {
        /// Key id: the 16 digits in `dk_<id>_…`
        id: String,
    },
}

/// Create a key and print it, once
///
/// The key goes to stdout, and a note to stderr, so that `KEY=$(docket keys create …)` holds the key. Agents, teams and
/// people that are not there yet are registered.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    docket keys create --role agent --name ada --team facilities\n  \
    docket keys create --role requester --email grace@example.com --name Grace\n  \
    docket keys create --role agent --name shop --scope act-for-others --expires-in 90 --label 'the shop server'")]
pub(crate) struct Create {
    /// Role of the owner
    #[arg(long)]
    role: KeyRole,
    /// Handle of an agent, lead or admin; of a requester, the name to show
    #[arg(long, required_if_eq_any([("role", "agent"), ("role", "lead"), ("role", "admin")]))]
    name: Option<String>,
    /// Address of a requester
    #[arg(long, required_if_eq("role", "requester"))]
    email: Option<String>,
    /// Team that the agent joins; may be repeated
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<String>,
    /// What the key is for, to be read in lists
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// What the key may be used for beyond its owner's own rights; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<KeyScope>,
    /// Days until the key expires [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..))]
    expires_in: Option<u16>,
    /// Print a JSON object: id, key
    #[arg(long)]
    json: bool,
}

/// Give a key a new secret and print the whole key, once
///
/// The secret before it is accepted for some hours more, so that the owner can change over without a gap.
#[derive(Args)]
pub(crate) struct Rotate {
    /// Key id: the 16 digits in `dk_<id>_…`
    id: String,
    /// Hours for which the secret before it is still accepted
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    overlap: u16,
    /// Print a JSON object: id, key
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyRole {
    /// Sees and answers their own tickets
    Requester,
    /// Works on the tickets of their teams
    Agent,
    /// Sees all tickets and assigns agents
    Lead,
    /// A lead who also administers the desk
    Admin,
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyScope {
    /// Act as any person who asks: for a server that speaks for its users
    ActForOthers,
}

pub(crate) async fn run(desk: &Desk, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(create) => {
            let minted = self::create(desk, create).await?;
            print(&minted, create.json)?;
        }
        Command::List { json } => list(desk, *json).await?,
        Command::Rotate(Rotate { id, overlap, json }) => {
            let call = operator("cli");
            let (overlap, now) = (TimeDelta::hours(i64::from(*overlap)), call.now);
            let rotated = desk.keys().rotate(&parse(id)?, overlap, call).await;
            print(&rotated.map_err(|error| not_there(id, error))?, *json)?;
            writeln!(anstream::stderr(), "The secret before it is refused from {} on.", shown(now + overlap))?;
        }
        Command::Revoke { id } => {
            let revoked = desk.keys().revoke(&parse(id)?, operator("cli")).await;
            revoked.map_err(|error| not_there(id, error))?;
            writeln!(anstream::stderr(), "Revoked {id}.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn parse(id: &str) -> anyhow::Result<KeyId> {
    KeyId::parse(id).ok_or_else(|| hint(format!("{id:?} is not a key id"), "A key id has 16 hexadecimal digits."))
}

fn not_there(id: &str, error: DeskError) -> anyhow::Error {
    match error {
        DeskError::NoSuchRecord { .. } => hint(format!("there is no key {id}"), "`docket keys list` shows all keys."),
        error => error.into(),
    }
}

async fn create(desk: &Desk, create: &Create) -> anyhow::Result<MintedKey> {
    let call = || operator("cli");
    let mut key = match create.role.staff() {
        None => {
            let address = EmailAddress::parse(create.email.as_deref().unwrap_or_default()).context("the --email")?;
            let name = create.name.as_deref().map(person_aggregate::PersonName::parse).transpose();
            let person = desk.ensure_person(&address, name.context("the --name")?, call()).await?;
            NewKey::requester(person)
        }
        Some(role) => {
            let handle = Handle::parse(create.name.as_deref().unwrap_or_default()).context("the --name")?;
            let mut agent = NewAgent::named(handle);
            for team in &create.teams {
                let handle = Handle::parse(team).context("the --team")?;
                agent.teams.push(desk.ensure_team(&handle, call()).await?);
            }
            NewKey::staff(role, desk.ensure_agent(agent, call).await?)
        }
    };
    key.label.clone_from(&create.label);
    key.scopes = create.scopes.iter().map(|KeyScope::ActForOthers| Scope::ActForOthers).collect();
    key.expires_at = create.expires_in.map(|days| now() + TimeDelta::days(i64::from(days)));
    Ok(desk.keys().create(key, call()).await?)
}

impl KeyRole {
    /// The role of an agent, a lead or an admin.
    fn staff(self) -> Option<Role> {
        match self {
            Self::Requester => None,
            Self::Agent => Some(Role::Agent),
            Self::Lead => Some(Role::Lead),
            Self::Admin => Some(Role::Admin),
        }
    }
}

fn print(minted: &MintedKey, as_json: bool) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    if as_json {
        writeln!(out, "{}", json!({"id": minted.id.as_str(), "key": minted.token}))?;
    } else {
        writeln!(anstream::stderr(), "Key {} (it can't be shown again):", minted.id)?;
        writeln!(out, "{}", minted.token)?;
    }
    Ok(())
}

fn shown(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn list(desk: &Desk, as_json: bool) -> anyhow::Result<()> {
    let keys = desk.keys().list().await?;
    let mut out = anstream::stdout();
    let mut rows = Vec::new();
    for key in keys {
        let teams = teams(desk, &key).await?;
        rows.push((key, teams));
    }
    if as_json {
        let keys = rows.iter().map(|(key, teams)| {
            json!({
                "id": key.id.as_str(), "role": key.role, "label": key.label, "owner": key.owner,
                "owner_name": key.owner_name, "teams": teams, "scopes": key.scopes, "created_at": shown(key.created_at),
                "expires_at": key.expires_at.map(shown), "revoked_at": key.revoked_at.map(shown),
            })
        });
        writeln!(out, "{}", terminal::json(&keys.collect::<Vec<_>>())?)?;
        return Ok(());
    }
    let mut table =
        columns(["ID", "ROLE", "ACTS AS", "TEAMS", "SCOPES", "LABEL", "CREATED", "EXPIRES", "REVOKED"], &[]);
    for (key, teams) in rows {
        table.add_row([
            key.id.to_string(),
            key.role.to_string(),
            printable(&key.owner_name),
            printable(&teams.join(", ")),
            key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(", "),
            printable(key.label.as_deref().unwrap_or_default()),
            shown(key.created_at),
            key.expires_at.map(shown).unwrap_or_default(),
            key.revoked_at.map(shown).unwrap_or_default(),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

/// The handles of the owner's teams.
async fn teams(desk: &Desk, key: &ApiKey) -> anyhow::Result<Vec<String>> {
    let mut handles = Vec::new();
    for team in &key.teams {
        handles.extend(desk.team_handle(*team).await?.map(|handle| handle.to_string()));
    }
    handles.sort();
    Ok(handles)
}

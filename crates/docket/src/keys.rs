//! `docket keys`: API keys.

use shared_kernel::{Role, TeamId};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use chrono::SecondsFormat;
use clap::{Args, Subcommand, ValueEnum};
use desk::{KeyId, Keys, NewKey};
use serde_json::json;

use crate::hint::hint;
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
    /// Revoke a key; every process refuses it within 5 s
    Revoke {
        /// Key id: the 16 digits in `dk_<id>_…`
        id: String,
    },
}

/// Create a key and print it, once
///
/// The key goes to stdout, and a note to stderr, so that `KEY=$(docket keys create …)` holds the key.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    docket keys create --role agent --name ada --team facilities\n  \
    docket keys create --role requester --email grace@example.com --name Grace")]
pub(crate) struct Create {
    /// Role of the owner
    #[arg(long)]
    role: KeyRole,
    /// Name of the owner; for staff it is the agent's id
    #[arg(long, required_if_eq_any([("role", "agent"), ("role", "lead"), ("role", "admin")]))]
    name: Option<String>,
    /// Address of a requester
    #[arg(long, required_if_eq("role", "requester"))]
    email: Option<String>,
    /// Team of an agent; may be repeated
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<String>,
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

pub(crate) async fn run(keys: &Keys, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(create) => self::create(keys, create).await?,
        Command::List { json } => list(keys, *json).await?,
        Command::Revoke { id } => {
            let parsed = KeyId::parse(id)
                .ok_or_else(|| hint(format!("{id:?} is not a key id"), "A key id has 16 hexadecimal digits."))?;
            if !keys.revoke(&parsed, now()).await? {
                return Err(hint(format!("there is no key {id}"), "`docket keys list` shows all keys."));
            }
            writeln!(anstream::stderr(), "Revoked {id}.")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(keys: &Keys, create: &Create) -> anyhow::Result<()> {
    let key = new_key(create)?;
    let minted = keys.create(&key, now()).await?;
    let mut out = anstream::stdout();
    if create.json {
        writeln!(out, "{}", json!({"id": minted.id.as_str(), "key": minted.token}))?;
    } else {
        writeln!(anstream::stderr(), "Key {} (it can't be shown again):", minted.id)?;
        writeln!(out, "{}", minted.token)?;
    }
    Ok(())
}

fn new_key(create: &Create) -> anyhow::Result<NewKey> {
    let teams = create.teams.iter().map(|team| TeamId::parse(team)).collect::<Result<BTreeSet<_>, _>>()?;
    let role = match create.role {
        KeyRole::Requester => {
            let email = create.email.as_deref().unwrap_or_default();
            return NewKey::requester(email, create.name.as_deref()).context("the requester's --email or --name");
        }
        KeyRole::Agent => Role::Agent,
        KeyRole::Lead => Role::Lead,
        KeyRole::Admin => Role::Admin,
    };
    NewKey::staff(role, create.name.as_deref().unwrap_or_default(), teams).context("the --name")
}

async fn list(keys: &Keys, as_json: bool) -> anyhow::Result<()> {
    let keys = keys.list().await?;
    let time = |t: chrono::DateTime<chrono::Utc>| t.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut out = anstream::stdout();
    if as_json {
        let keys = keys.iter().map(|key| {
            json!({
                "id": key.id.as_str(), "role": key.role, "name": key.name, "actor": key.actor, "teams": key.teams,
                "created_at": time(key.created_at), "revoked_at": key.revoked_at.map(time),
            })
        });
        writeln!(out, "{}", terminal::json(&keys.collect::<Vec<_>>())?)?;
        return Ok(());
    }
    let mut table = columns(["ID", "ROLE", "NAME", "ACTS AS", "TEAMS", "CREATED", "REVOKED"], &[]);
    for key in keys {
        table.add_row([
            key.id.to_string(),
            key.role.to_string(),
            printable(&key.name),
            printable(&key.actor),
            printable(&key.teams.join(", ")),
            time(key.created_at),
            key.revoked_at.map(time).unwrap_or_default(),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(())
}

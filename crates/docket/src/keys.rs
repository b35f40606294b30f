//! `docket keys`: who may call.

use shared_kernel::{Role, TeamId};
use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, bail};
use chrono::SecondsFormat;
use clap::{Args, Subcommand, ValueEnum};
use desk::{KeyId, Keys, NewKey};
use serde_json::json;

use crate::telemetry::now;
use crate::terminal::{self, columns, printable};

#[derive(Subcommand)]
pub(crate) enum Command {
    Create(Create),
    /// List all keys; secrets are not kept, so none is shown
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key; every instance refuses it within 5 seconds
    Revoke {
        /// The key's id: the part between the underscores of `dk_<id>_…`
        id: String,
    },
}

/// Make a key and print it, once
///
/// The key goes to stdout, what belongs to it to stderr: `KEY=$(docket keys create …)` holds the key.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    docket keys create --role agent --name ada --team facilities\n  \
    docket keys create --role requester --email grace@example.com --name Grace")]
pub(crate) struct Create {
    /// What its owner may do
    #[arg(long)]
    role: KeyRole,
    /// The name that its owner acts under: for staff it is the agent's id
    #[arg(long, required_if_eq_any([("role", "agent"), ("role", "lead"), ("role", "admin")]))]
    name: Option<String>,
    /// A requester's address: they see the tickets that they asked for or follow
    #[arg(long, required_if_eq("role", "requester"))]
    email: Option<String>,
    /// A team of the agent's; can be given several times
    #[arg(long = "team", value_name = "TEAM")]
    teams: Vec<String>,
    /// As JSON: id, key, role, name
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum KeyRole {
    /// Sees and writes to their own tickets
    Requester,
    /// Works on the tickets of their teams
    Agent,
    /// Sees all tickets, assigns others
    Lead,
    /// A lead who also runs the desk
    Admin,
}

pub(crate) async fn run(keys: &Keys, command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(create) => self::create(keys, create).await?,
        Command::List { json } => list(keys, *json).await?,
        Command::Revoke { id } => {
            let parsed = KeyId::parse(id).with_context(|| format!("{id:?} is no key id: 16 hexadecimal digits are"))?;
            if !keys.revoke(&parsed, now()).await? {
                bail!("there is no key {id}; `docket keys list` shows those there are");
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
        writeln!(anstream::stderr(), "Key {} (shown this once):", minted.id)?;
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

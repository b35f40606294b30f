//! What `serve` prints at its start.

use std::io::Write;
use std::path::Path;

use crate::config::{Component, Config, redacted, redacted_nats};
use crate::database::Database;
use crate::endpoints::Endpoints;

/// Says where everything is, and how to begin.
pub(super) fn print(
    endpoints: &Endpoints,
    key: Option<&Path>,
    database: &Database,
    config: &Config,
) -> std::io::Result<()> {
    let mut out = anstream::stderr();
    let url = &endpoints.api;
    writeln!(out, "\n  Docket listens on  {url}")?;
    writeln!(out, "  API documentation  {url}/docs/")?;
    match &database.private {
        Some(postgres) => writeln!(out, "  PostgreSQL         private, in {}", postgres.data_dir().display())?,
        None => writeln!(out, "  PostgreSQL         {}", redacted(&database.url))?,
    }
    match &endpoints.nats {
        Some(nats) => writeln!(
            out,
            "  NATS               {}{}",
            if config.nats_url.is_none() { "private, at " } else { "" },
            redacted_nats(nats)
        )?,
        None if config.has(Component::Relay) => {
            writeln!(out, "  NATS               none; events are published once there is one (NATS_URL)")?;
        }
        None => {}
    }
    writeln!(out, "  endpoints          {}", config.data_dir.join("endpoints.json").display())?;
    if let Some(key) = key {
        let key = key.display();
        writeln!(out, "  admin key          {key}\n\n  Open a ticket:\n")?;
        writeln!(out, "    curl -i {url}/v1/tickets \\")?;
        writeln!(out, "      -H \"Authorization: Bearer $(cat {key})\" \\")?;
        writeln!(out, "      -H 'Content-Type: application/json' \\")?;
        writeln!(out, "      -d '{{\"subject\": \"The printer is on fire\", \"body\": \"Please come with water.\"}}'")?;
    }
    writeln!(out)
}

//! Docket: the one binary.
#![forbid(unsafe_code)]

mod audit;
mod backoff;
mod client;
mod config;
mod database;
mod endpoints;
mod events;
#[cfg(feature = "failpoints")]
mod failpoints;
mod hint;
mod import;
mod keys;
mod names;
mod open_files;
mod operator;
mod private;
mod projections;
mod relay;
mod serve;
mod status;
mod telemetry;
mod terminal;
mod ticket;
mod timers;

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

use config::Config;
use database::Database;
use hint::Hinted;
use terminal::printable_lines;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Docket is a helpdesk backend on an append-only log.
///
/// Start with `docket serve`. Without configuration it runs a private PostgreSQL and NATS, creates an admin key and prints
/// where everything is. The other commands find the server by the folder `.docket`.
#[derive(Parser)]
#[command(name = "docket", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    config: Config,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Migrate the database's schema, and exit
    Migrate,
    /// Create, list, rotate and revoke API keys
    #[command(subcommand)]
    Keys(keys::Command),
    /// Audit the log: replay a record, verify the invariants, compare the broker
    #[command(subcommand)]
    Audit(Audit),
    /// Print events of the log
    #[command(subcommand)]
    Events(events::Command),
    Import(import::Args),
    /// Inspect, rebuild and repair the read models
    #[command(subcommand)]
    Projections(projections::Command),
    /// List, show, open and change tickets, over HTTP
    #[command(subcommand)]
    Ticket(Box<ticket::Command>),
    Status(status::Status),
    /// Print the effective configuration, without secrets
    Config,
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Print the AsyncAPI document of the events on NATS JetStream
    Asyncapi,
    /// Print a completion script: `source <(docket completions bash)`
    Completions {
        /// Shell to complete for
        shell: Shell,
    },
}

#[derive(Subcommand)]
enum Audit {
    Relay(audit::relay::Args),
    Replay(audit::replay::Args),
    Verify(audit::verify::Args),
}

fn main() -> ExitCode {
    #[cfg(feature = "failpoints")]
    failpoints::arm();
    match parse().and_then(run) {
        Ok(code) => code,
        // `docket audit replay … | head`: the reader has closed the pipe
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // an error may quote an event, a file or a URL
            let causes = error.chain().skip(1).map(|source| format!("\n  caused by: {source}"));
            let hint = error.downcast_ref::<Hinted>().map(|hinted| format!("\n\n{}", hinted.hint)).unwrap_or_default();
            let text = printable_lines(&format!("{error}{}{hint}", causes.collect::<String>()));
            writeln!(anstream::stderr(), "error: {}", api::mask_keys(&text)).ok();
            ExitCode::FAILURE
        }
    }
}

fn parse() -> anyhow::Result<Cli> {
    let matches = config::with_file(Cli::command(), std::env::args_os())?.get_matches();
    Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()))
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let config = cli.config.checked()?;
    if let Command::Completions { shell } = cli.command {
        // writing to a closed pipe directly would panic
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "docket", &mut script);
        anstream::stdout().write_all(&script)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Openapi = cli.command {
        writeln!(anstream::stdout(), "{:#}", api::openapi())?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Command::Asyncapi = cli.command {
        writeln!(anstream::stdout(), "{:#}", api::asyncapi())?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(execute(&config, cli.command));
    // blocking tasks that still run, such as a key verification, are not worth waiting for
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

async fn execute(config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    if let Command::Serve = command {
        return serve::run(config).await;
    }
    if let Command::Config = command {
        writeln!(anstream::stdout(), "{}", config.shown()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let _telemetry = telemetry::quiet(config)?;
    // over HTTP: the database is the server's
    match &command {
        Command::Ticket(command) => return ticket::run(config, command).await,
        Command::Status(args) => return status::run(config, args).await,
        _ => {}
    }
    let creates = creates_data(&command);
    let database = if creates { Database::find(config).await? } else { Database::existing(config).await? };
    let result = with(&database, config, command).await;
    database.close().await;
    result
}

/// Whether a command may create the data that it works on. `serve` may, too.
fn creates_data(command: &Command) -> bool {
    matches!(command, Command::Migrate | Command::Import(_) | Command::Keys(keys::Command::Create(_)))
}

async fn with(database: &Database, config: &Config, command: Command) -> anyhow::Result<ExitCode> {
    // audits don't change anything, not even the schema
    let reads_only = matches!(command, Command::Audit(_) | Command::Events(_));
    let creates = creates_data(&command);
    if !creates {
        database.check_schema().await?;
    }
    let migrates = database.private.is_some() || (config.migrate && creates);
    if matches!(command, Command::Migrate) || (migrates && !reads_only) {
        database.migrate().await?;
    }
    let desk = database.desk(config).await?;
    let code = match command {
        Command::Migrate => {
            writeln!(anstream::stdout(), "The schema is up to date.")?;
            ExitCode::SUCCESS
        }
        Command::Keys(command) => keys::run(&desk, &command).await?,
        Command::Audit(Audit::Relay(args)) => audit::relay::run(&desk, config, &args).await?,
        Command::Audit(Audit::Replay(args)) => audit::replay::run(&desk, &args).await?,
        Command::Audit(Audit::Verify(args)) => {
            audit::verify::run(&desk, &database.projections(&desk, config).await?, &args).await?
        }
        Command::Events(command) => events::run(&desk, &command).await?,
        Command::Import(args) => import::run(&desk, &args).await?,
        Command::Projections(command) => {
            projections::run(&desk, database.projections(&desk, config).await?, &command).await?
        }
        // handled before the database is opened
        Command::Serve
        | Command::Config
        | Command::Openapi
        | Command::Asyncapi
        | Command::Completions { .. }
        | Command::Ticket(_)
        | Command::Status(_) => ExitCode::SUCCESS,
    };
    desk.store().close().await;
    Ok(code)
}

//! The arguments of `docket ticket`.

use clap::{Args, Subcommand, ValueEnum};

use crate::client::ServerArgs;

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
    pub(super) status: Option<String>,
    /// Priorities, separated by commas: low, normal, high, urgent
    #[arg(long)]
    pub(super) priority: Option<String>,
    /// Team, or `none`
    #[arg(long)]
    pub(super) team: Option<String>,
    /// Agent, or `none`
    #[arg(long)]
    pub(super) assignee: Option<String>,
    /// Requester's e-mail address or id
    #[arg(long)]
    pub(super) requester: Option<String>,
    /// Words to search for
    #[arg(long, value_name = "WORDS")]
    pub(super) q: Option<String>,
    /// Sort order, with a minus for descending
    #[arg(long, value_name = "ORDER")]
    pub(super) sort: Option<String>,
    /// Number of tickets, at most 200
    #[arg(long, short = 'n', default_value_t = 50, value_name = "N")]
    pub(super) limit: u8,
    /// Print the server's JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// Show a ticket and its conversation
#[derive(Args)]
pub(crate) struct Show {
    /// Ticket number (1042 or '#1042') or id
    pub(super) ticket: String,
    /// Print a JSON object: ticket, conversation
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// Open a ticket
#[derive(Args)]
#[command(
    after_help = "Example:\n  docket ticket open --subject 'The printer is on fire' --body - --requester grace@example.com < mail.txt"
)]
pub(crate) struct Open {
    #[arg(long)]
    pub(super) subject: String,
    /// First message; `-` reads it from stdin
    #[arg(long)]
    pub(super) body: String,
    /// E-mail address of the person who asks
    #[arg(long, value_name = "ADDRESS")]
    pub(super) requester: Option<String>,
    /// Their name
    #[arg(long, value_name = "NAME", requires = "requester")]
    pub(super) requester_name: Option<String>,
    /// Team whose queue it goes to
    #[arg(long)]
    pub(super) team: Option<String>,
    #[arg(long)]
    pub(super) priority: Option<Priority>,
    #[arg(long)]
    pub(super) category: Option<String>,
    /// May be repeated
    #[arg(long = "tag", value_name = "TAG")]
    pub(super) tags: Vec<String>,
    /// Print the server's JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Priority {
    Low,
    Normal,
    High,
    Urgent,
}

/// A ticket to be changed.
#[derive(Args)]
pub(crate) struct Change {
    /// Ticket number (1042 or '#1042') or id
    #[arg(index = 1)]
    pub(super) ticket: String,
    /// Only if the ticket is at this version
    #[arg(long, value_name = "N")]
    pub(super) if_version: Option<i64>,
    /// Print the server's JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

#[derive(Args)]
pub(crate) struct Message {
    /// Text; `-` reads it from stdin
    #[arg(long)]
    pub(super) body: String,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Args)]
pub(crate) struct Assign {
    /// Agent's handle or id
    #[arg(index = 2)]
    pub(super) agent: String,
    /// Also beyond the agent's capacity
    #[arg(long = "override")]
    pub(super) over_capacity: bool,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Args)]
pub(crate) struct Route {
    /// Team's handle or id
    #[arg(index = 2)]
    pub(super) team: String,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Args)]
pub(crate) struct Hold {
    /// What the ticket waits for
    #[arg(long)]
    pub(super) reason: String,
    /// When it goes on by itself, such as 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) wake_at: Option<String>,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Args)]
pub(crate) struct Resolve {
    /// How it was solved
    #[arg(long, default_value = "solved")]
    pub(super) code: String,
    /// Note for agents
    #[arg(long)]
    pub(super) note: Option<String>,
    #[command(flatten)]
    pub(super) change: Change,
}

#[derive(Args)]
pub(crate) struct Reopen {
    /// Why
    #[arg(long)]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) change: Change,
}

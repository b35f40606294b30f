//! Why a command was refused.

use chrono::{DateTime, SecondsFormat, Utc};
use shared_kernel::{AgentId, RejectionKind, Role, StreamVersion, TeamId, TicketId};

use crate::command::CommandKind;
use crate::value::{ResolutionCode, Status};

/// Why a command is refused: data to act on; `Display` is a sentence that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The role may not do this in any state.
    #[error("the role {role} may not {command}; ask someone who may")]
    Forbidden {
        /// What was tried.
        command: CommandKind,
        /// As whom.
        role: Role,
    },
    /// A requester may act on their own tickets only, and reply to those they follow.
    #[error("this is someone else's ticket; act on your own")]
    NotOwnTicket,
    /// A requester may open tickets for themselves only.
    #[error("open the ticket in your own name; only agents open tickets for others")]
    OpenForAnother,
    /// Only staff may set this when a ticket is opened.
    #[error("only agents set {field} when a ticket is opened; leave it out")]
    ReservedForStaff {
        /// Which member of the command.
        field: &'static str,
    },
    /// A plain agent may take tickets and give back their own, not dispose of others.
    #[error("that agent is not you; take the ticket yourself or ask a lead to assign others")]
    AssignOthers {
        /// The agent whose ticket it would become or cease to be.
        agent: AgentId,
    },

    /// A text is blank that must say something.
    #[error("{field} is blank; write something")]
    Blank {
        /// Which member of the command.
        field: &'static str,
    },
    /// A text is too long.
    #[error("{field} is too long; use at most {limit} characters")]
    TooLong {
        /// Which member of the command.
        field: &'static str,
        /// In characters (Unicode scalar values).
        limit: usize,
    },
    /// A text holds a character that can't be stored or mailed.
    #[error("{field} contains a control character, or one that reorders text; remove it")]
    ControlCharacter {
        /// Which member of the command.
        field: &'static str,
    },
    /// The ticket would have more tags than it may.
    #[error("a ticket has at most {limit} tags; remove some first")]
    TooManyTags {
        /// How many it may have.
        limit: usize,
    },
    /// The ticket would have more followers than it may.
    #[error("a ticket has at most {limit} followers; remove some first")]
    TooManyFollowers {
        /// How many it may have.
        limit: usize,
    },
    /// The ticket would have more links than it may. (Either of the two that a link joins.)
    #[error("a ticket has at most {limit} links; remove some from it or from the other one first")]
    TooManyLinks {
        /// How many it may have.
        limit: usize,
    },
    /// The time to wake at is not in the future.
    #[error("wake_at {} is not in the future; choose a later time", time(wake_at))]
    WakeAtInPast {
        /// The time that was given.
        wake_at: DateTime<Utc>,
    },
    /// An agent must say why.
    #[error("give a reason; only the requester may reopen without one")]
    ReasonRequired,
    /// The code belongs to the requester's own confirmation.
    #[error("the code {code} is the requester's own; choose another")]
    ReservedCode {
        /// The code that was given.
        code: ResolutionCode,
    },
    /// A ticket can't be linked to itself.
    #[error("a ticket can't be linked to itself; name another one")]
    LinkToItself,

    /// There is no ticket yet.
    #[error("there is no such ticket yet; open it first")]
    NotOpened,
    /// There is a ticket already.
    #[error("the ticket is open already; use a new id")]
    AlreadyOpened,
    /// The state machine has no such step for this role.
    #[error("can't {command} a ticket that is {status}; {}", alternatives(allowed))]
    IllegalTransition {
        /// What was tried.
        command: CommandKind,
        /// Where the ticket stands.
        status: Status,
        /// What may be tried instead.
        allowed: Vec<CommandKind>,
    },
    /// The ticket is over, the requester's words are not lost: open a new ticket with `follow_up_of`.
    #[error("the ticket is {status} for good; open a new one that follows up on it")]
    FollowUpNeeded {
        /// `closed`, or `resolved` past the deadline.
        status: Status,
    },
    /// The assignee is not in the ticket's team.
    #[error("the agent is not in the ticket's team; choose a member or route the ticket first")]
    NotTeamMember {
        /// Who would get it.
        assignee: AgentId,
        /// Whose ticket it is.
        team: TeamId,
    },
    /// There is nothing that the requester could answer.
    #[error("no agent has replied since the requester last wrote; reply first")]
    NoReplySinceRequester,
    /// Nobody has the ticket.
    #[error("nobody has the ticket; assign it first")]
    NoAssignee,
    /// Tickets that this one waits for are not solved.
    #[error("blocked by unresolved tickets ({}); resolve or unlink them first", list(tickets))]
    OpenBlockers {
        /// Which.
        tickets: Vec<TicketId>,
    },
    /// It is too late to reopen.
    #[error("it could be reopened until {}; open a new ticket", time(reopen_until))]
    ReopenDeadlinePassed {
        /// Until when it was possible.
        reopen_until: DateTime<Utc>,
    },
    /// It is too early to close.
    #[error("the requester may reopen it until {}; close it after that", time(reopen_until))]
    ReopenWindowOpen {
        /// From when it is possible.
        reopen_until: DateTime<Utc>,
    },
    /// What an agent answered is no spam.
    #[error("an agent has replied to it, so it is no spam; resolve it instead")]
    AgentAlreadyReplied,
    /// The hold is not over.
    #[error("the hold is not over; resume it by hand or wait for its time")]
    WakeNotDue {
        /// When it is.
        wake_at: DateTime<Utc>,
    },
    /// The timer was cancelled or set anew since.
    #[error("the timer that version {set_by} set is no longer in force; nothing is left to do for it")]
    TimerSuperseded {
        /// The version of the event that set the timer.
        set_by: StreamVersion,
        /// The version of the event that set the one in force, if there is one.
        in_force: Option<StreamVersion>,
    },
}

impl Rejection {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "forbidden",
            Self::NotOwnTicket => "not_own_ticket",
            Self::OpenForAnother => "open_for_another",
            Self::ReservedForStaff { .. } => "reserved_for_staff",
            Self::AssignOthers { .. } => "assign_others",
            Self::Blank { .. } => "blank",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter { .. } => "control_character",
            Self::TooManyTags { .. } => "too_many_tags",
            Self::TooManyFollowers { .. } => "too_many_followers",
            Self::TooManyLinks { .. } => "too_many_links",
            Self::WakeAtInPast { .. } => "wake_at_in_past",
            Self::ReasonRequired => "reason_required",
            Self::ReservedCode { .. } => "reserved_code",
            Self::LinkToItself => "link_to_itself",
            Self::NotOpened => "not_opened",
            Self::AlreadyOpened => "already_opened",
            Self::IllegalTransition { .. } => "illegal_transition",
            Self::FollowUpNeeded { .. } => "follow_up_needed",
            Self::NotTeamMember { .. } => "not_team_member",
            Self::NoReplySinceRequester => "no_reply_since_requester",
            Self::NoAssignee => "no_assignee",
            Self::OpenBlockers { .. } => "open_blockers",
            Self::ReopenDeadlinePassed { .. } => "reopen_deadline_passed",
            Self::ReopenWindowOpen { .. } => "reopen_window_open",
            Self::AgentAlreadyReplied => "agent_already_replied",
            Self::WakeNotDue { .. } => "wake_not_due",
            Self::TimerSuperseded { .. } => "timer_superseded",
        }
    }

    /// Forbidden, invalid or conflict.
    pub const fn kind(&self) -> RejectionKind {
        match self {
            Self::Forbidden { .. }
            | Self::NotOwnTicket
            | Self::OpenForAnother
            | Self::ReservedForStaff { .. }
            | Self::AssignOthers { .. } => RejectionKind::Forbidden,
            Self::Blank { .. }
            | Self::TooLong { .. }
            | Self::ControlCharacter { .. }
            | Self::WakeAtInPast { .. }
            | Self::ReasonRequired
            | Self::ReservedCode { .. }
            | Self::LinkToItself => RejectionKind::Invalid,
            Self::NotOpened
            | Self::TooManyTags { .. }
            | Self::TooManyFollowers { .. }
            | Self::TooManyLinks { .. }
            | Self::AlreadyOpened
            | Self::IllegalTransition { .. }
            | Self::FollowUpNeeded { .. }
            | Self::NotTeamMember { .. }
            | Self::NoReplySinceRequester
            | Self::NoAssignee
            | Self::OpenBlockers { .. }
            | Self::ReopenDeadlinePassed { .. }
            | Self::ReopenWindowOpen { .. }
            | Self::AgentAlreadyReplied
            | Self::WakeNotDue { .. }
            | Self::TimerSuperseded { .. } => RejectionKind::Conflict,
        }
    }
}

fn time(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn list(tickets: &[TicketId]) -> String {
    let ids: Vec<String> = tickets.iter().map(TicketId::to_string).collect();
    ids.join(", ")
}

fn alternatives(allowed: &[CommandKind]) -> String {
    if allowed.is_empty() {
        return "there is nothing more you can do with it".to_owned();
    }
    let words: Vec<&str> = allowed.iter().map(|command| command.as_str()).collect();
    format!("you can: {}", words.join(", "))
}

//! What one can ask of a ticket.

use shared_kernel::{AgentId, PersonId, StreamVersion, TeamId, TicketId, string_enum};
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::value::{Channel, LinkKind, Priority, ResolutionCode, Tag, TicketNumber};

/// An intent, that [`decide`](shared_kernel::Aggregate::decide) may refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Open the ticket.
    Open(Open),
    /// Write to the requester, or as the requester.
    Reply {
        /// 1 to 65,536 characters.
        body: String,
        /// The id that the message has where it came from; the same again records nothing.
        source_id: Option<String>,
    },
    /// Write for agents only.
    Note {
        /// 1 to 65,536 characters.
        body: String,
    },
    /// Give the ticket to an agent.
    Assign {
        /// Whom.
        assignee: AgentId,
    },
    /// Take the ticket from its agent.
    Unassign,
    /// Put the ticket into a team's queue; its agent, if any, loses it.
    Route {
        /// Whose queue.
        team: TeamId,
    },
    /// Change the priority.
    Prioritize {
        /// To which.
        priority: Priority,
        /// At most 1,000 characters.
        reason: Option<String>,
    },
    /// Change the category.
    Categorize {
        /// 1 to 100 characters.
        category: String,
    },
    /// Change the subject.
    Rename {
        /// 1 to 300 characters, one line.
        subject: String,
    },
    /// Say that another person is the one who asks.
    ChangeRequester {
        /// Who.
        requester: PersonId,
        /// At most 1,000 characters.
        reason: Option<String>,
    },
    /// Add tags.
    Tag {
        /// Those already there are passed over.
        tags: BTreeSet<Tag>,
    },
    /// Remove tags.
    Untag {
        /// Those not there are passed over.
        tags: BTreeSet<Tag>,
    },
    /// Let someone follow the ticket; a follower with an e-mail address gets the replies.
    Follow {
        /// Who.
        follower: PersonId,
    },
    /// Stop someone from following.
    Unfollow {
        /// Who.
        follower: PersonId,
    },
    /// Take up work on a new ticket.
    Start,
    /// Wait for the requester's answer.
    AwaitRequester,
    /// Wait for something else.
    Hold {
        /// 1 to 1,000 characters.
        reason: String,
        /// When to go on by itself; never, if none.
        wake_at: Option<DateTime<Utc>>,
    },
    /// Stop waiting.
    Resume,
    /// Declare the ticket solved.
    Resolve {
        /// How it was solved.
        code: ResolutionCode,
        /// A note for agents, recorded with it.
        note: Option<String>,
    },
    /// The requester declares the ticket solved.
    Confirm,
    /// Take up a resolved ticket again.
    Reopen {
        /// Agents must give one.
        reason: Option<String>,
    },
    /// End a resolved ticket for good.
    Close,
    /// End a ticket that was never a request.
    Spam,
    /// Link another ticket.
    Link {
        /// What the other is to this one.
        kind: LinkKind,
        /// The other.
        other: TicketId,
    },
    /// Remove such a link.
    Unlink {
        /// What the other is to this one.
        kind: LinkKind,
        /// The other.
        other: TicketId,
    },
    /// The timer of a hold is due.
    Wake {
        /// The version of the event that set the timer.
        set_by: StreamVersion,
    },
    /// The timer of a resolution is due.
    AutoClose {
        /// The version of the event that set the timer.
        set_by: StreamVersion,
    },
}

/// What a new ticket starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The number people will know it by; the caller sees to its uniqueness.
    pub number: TicketNumber,
    /// 1 to 300 characters, one line.
    pub subject: String,
    /// 1 to 65,536 characters.
    pub body: String,
    /// Who asks. None: the requester who acts; nobody, when an agent does.
    pub requester: Option<PersonId>,
    /// The way by which it came.
    pub channel: Channel,
    /// How urgent it is.
    pub priority: Priority,
    /// 1 to 100 characters.
    pub category: Option<String>,
    /// Whose queue it goes to.
    pub team: Option<TeamId>,
    /// At most 100.
    pub tags: BTreeSet<Tag>,
    /// The id that the request has where it came from; the caller sees to its uniqueness among tickets.
    pub source_id: Option<String>,
    /// The closed ticket that this one goes on from.
    pub follow_up_of: Option<TicketId>,
}

string_enum! {
    /// The name of a command: the last word of its HTTP path.
    CommandKind("command") {
        /// See [`Command::Open`].
        Open = "open",
        /// See [`Command::Reply`].
        Reply = "reply",
        /// See [`Command::Note`].
        Note = "note",
        /// See [`Command::Assign`].
        Assign = "assign",
        /// See [`Command::Unassign`].
        Unassign = "unassign",
        /// See [`Command::Route`].
        Route = "route",
        /// See [`Command::Prioritize`].
        Prioritize = "prioritize",
        /// See [`Command::Categorize`].
        Categorize = "categorize",
        /// See [`Command::Rename`].
        Rename = "rename",
        /// See [`Command::ChangeRequester`].
        ChangeRequester = "requester",
        /// See [`Command::Tag`].
        Tag = "tag",
        /// See [`Command::Untag`].
        Untag = "untag",
        /// See [`Command::Follow`].
        Follow = "follow",
        /// See [`Command::Unfollow`].
        Unfollow = "unfollow",
        /// See [`Command::Start`].
        Start = "start",
        /// See [`Command::AwaitRequester`].
        AwaitRequester = "await-requester",
        /// See [`Command::Hold`].
        Hold = "hold",
        /// See [`Command::Resume`].
        Resume = "resume",
        /// See [`Command::Resolve`].
        Resolve = "resolve",
        /// See [`Command::Confirm`].
        Confirm = "confirm",
        /// See [`Command::Reopen`].
        Reopen = "reopen",
        /// See [`Command::Close`].
        Close = "close",
        /// See [`Command::Spam`].
        Spam = "spam",
        /// See [`Command::Link`].
        Link = "link",
        /// See [`Command::Unlink`].
        Unlink = "unlink",
        /// See [`Command::Wake`].
        Wake = "wake",
        /// See [`Command::AutoClose`].
        AutoClose = "auto-close",
    }
}

impl Command {
    /// Its name.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Open(_) => CommandKind::Open,
            Self::Reply { .. } => CommandKind::Reply,
            Self::Note { .. } => CommandKind::Note,
            Self::Assign { .. } => CommandKind::Assign,
            Self::Unassign => CommandKind::Unassign,
            Self::Route { .. } => CommandKind::Route,
            Self::Prioritize { .. } => CommandKind::Prioritize,
            Self::Categorize { .. } => CommandKind::Categorize,
            Self::Rename { .. } => CommandKind::Rename,
            Self::ChangeRequester { .. } => CommandKind::ChangeRequester,
            Self::Tag { .. } => CommandKind::Tag,
            Self::Untag { .. } => CommandKind::Untag,
            Self::Follow { .. } => CommandKind::Follow,
            Self::Unfollow { .. } => CommandKind::Unfollow,
            Self::Start => CommandKind::Start,
            Self::AwaitRequester => CommandKind::AwaitRequester,
            Self::Hold { .. } => CommandKind::Hold,
            Self::Resume => CommandKind::Resume,
            Self::Resolve { .. } => CommandKind::Resolve,
            Self::Confirm => CommandKind::Confirm,
            Self::Reopen { .. } => CommandKind::Reopen,
            Self::Close => CommandKind::Close,
            Self::Spam => CommandKind::Spam,
            Self::Link { .. } => CommandKind::Link,
            Self::Unlink { .. } => CommandKind::Unlink,
            Self::Wake { .. } => CommandKind::Wake,
            Self::AutoClose { .. } => CommandKind::AutoClose,
        }
    }
}

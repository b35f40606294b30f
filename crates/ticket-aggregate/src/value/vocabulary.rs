//! Closed vocabularies. The words are stored and sent: they are frozen.

use shared_kernel::string_enum;

string_enum! {
    /// How urgent a ticket is; ordered from least to most.
    #[derive(Default)]
    Priority("priority") {
        /// Can wait.
        Low = "low",
        /// The default.
        #[default]
        Normal = "normal",
        /// Before the normal ones.
        High = "high",
        /// Now.
        Urgent = "urgent",
    }
}

string_enum! {
    /// Where a ticket stands.
    Status("status") {
        /// Opened, nobody has taken it up.
        New = "new",
        /// Being worked on.
        Open = "open",
        /// Waits for the requester.
        Pending = "pending",
        /// Waits for something else.
        OnHold = "on_hold",
        /// Solved; may be reopened until the deadline.
        Resolved = "resolved",
        /// The end.
        Closed = "closed",
    }
}

impl Status {
    /// Every status but the terminal one.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Closed)
    }
}

string_enum! {
    /// What another ticket is to this one.
    LinkKind("link kind") {
        /// The two have to do with each other.
        RelatesTo = "relates_to",
        /// The other can't be resolved before this one.
        Blocks = "blocks",
        /// This one can't be resolved before the other.
        BlockedBy = "blocked_by",
        /// This one reports the same as the other.
        Duplicates = "duplicates",
        /// The other reports the same as this one.
        DuplicatedBy = "duplicated_by",
        /// The other is a part of this one.
        ParentOf = "parent_of",
        /// This one is a part of the other.
        ChildOf = "child_of",
    }
}

impl LinkKind {
    /// What this ticket is to the other: `blocks` ↔ `blocked_by`.
    #[must_use]
    pub const fn inverse(self) -> Self {
        match self {
            Self::RelatesTo => Self::RelatesTo,
            Self::Blocks => Self::BlockedBy,
            Self::BlockedBy => Self::Blocks,
            Self::Duplicates => Self::DuplicatedBy,
            Self::DuplicatedBy => Self::Duplicates,
            Self::ParentOf => Self::ChildOf,
            Self::ChildOf => Self::ParentOf,
        }
    }
}

string_enum! {
    /// How an agent came to a ticket.
    AssignmentMethod("assignment method") {
        /// They took it themselves.
        OwnChoice = "self",
        /// A lead or an admin gave it to them.
        Manual = "manual",
        /// A policy chose them.
        Automatic = "automatic",
    }
}

string_enum! {
    /// What set a waiting or resolved ticket going again.
    Trigger("trigger") {
        /// The requester, or a follower, wrote.
        RequesterReply = "requester_reply",
        /// The requester asked for it.
        Requester = "requester",
        /// An agent did it.
        Agent = "agent",
        /// A policy did it.
        System = "system",
        /// The time of waiting was over.
        Timer = "timer",
    }
}

string_enum! {
    /// Why a ticket is closed.
    ClosedReason("closed reason") {
        /// It had been resolved.
        Resolved = "resolved",
        /// It was never a request.
        Spam = "spam",
    }
}

string_enum! {
    /// What a ticket's timer does when it is due.
    DueKind("timer") {
        /// A ticket on hold goes on: [`Command::Wake`](crate::Command::Wake).
        Wake = "wake",
        /// A resolved ticket is closed: [`Command::AutoClose`](crate::Command::AutoClose).
        Close = "close",
    }
}

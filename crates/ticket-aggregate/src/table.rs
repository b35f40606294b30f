//! The state machine of a ticket, as one table.
//!
//! `decide`, `allowed_commands`, `legal_step` and the diagram ask it what is legal. Where a command leads follows from the
//! events it records; a test tries every command in every status as every role, and holds that they lead where the
//! table says.

use crate::command::CommandKind;
use crate::value::Status;
use shared_kernel::Role;

/// What a command does to the status when its guards let it pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It becomes this.
    To(Status),
    /// It stays.
    Stays,
    /// Nothing happens to this ticket; a new one goes on from it.
    FollowUp,
}

/// Who may try what, in which status, and where it leads. `from` is empty for the command that opens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) command: CommandKind,
    pub(crate) roles: &'static [Role],
    pub(crate) from: &'static [Status],
    pub(crate) effect: Effect,
}

const ANYONE: &[Role] = Role::ALL;
const STAFF: &[Role] = &[Role::Agent, Role::Lead, Role::Admin, Role::System];
const REQUESTER: &[Role] = &[Role::Requester];
const TIMER: &[Role] = &[Role::System];
/// Plain agents leave a resolved ticket to the clock.
const CLOSERS: &[Role] = &[Role::Requester, Role::Lead, Role::Admin, Role::System];

use Status::{Closed, New, OnHold, Pending, Resolved};

const NEW: &[Status] = &[New];
const LIVE: &[Status] = &[New, Status::Open, Pending, OnHold, Resolved];
const TAKEN_UP: &[Status] = &[Status::Open, Pending, OnHold, Resolved];
const UNRESOLVED: &[Status] = &[New, Status::Open, Pending, OnHold];
const WAITING: &[Status] = &[Pending, OnHold];
const RESOLVED: &[Status] = &[Resolved];

const fn row(command: CommandKind, roles: &'static [Role], from: &'static [Status], effect: Effect) -> Row {
    Row { command, roles, from, effect }
}

/// Every row. A triple of command, role and status stands in at most one of them.
pub(crate) const TABLE: &[Row] = {
    use CommandKind as C;
    use Effect::{FollowUp, Stays, To};
    &[
        row(C::Open, ANYONE, &[], To(New)),
        row(C::Reply, STAFF, NEW, To(Status::Open)),
        row(C::Reply, STAFF, TAKEN_UP, Stays),
        row(C::Reply, REQUESTER, &[New, Status::Open], Stays),
        row(C::Reply, REQUESTER, WAITING, To(Status::Open)),
        row(C::Reply, REQUESTER, RESOLVED, To(Status::Open)),
        row(C::Reply, REQUESTER, &[Closed], FollowUp),
        row(C::Note, STAFF, LIVE, Stays),
        row(C::Assign, STAFF, NEW, To(Status::Open)),
        row(C::Assign, STAFF, TAKEN_UP, Stays),
        row(C::Unassign, STAFF, LIVE, Stays),
        row(C::Route, STAFF, LIVE, Stays),
        row(C::Prioritize, STAFF, LIVE, Stays),
        row(C::Categorize, STAFF, LIVE, Stays),
        row(C::Rename, STAFF, LIVE, Stays),
        row(C::ChangeRequester, STAFF, LIVE, Stays),
        row(C::Tag, STAFF, LIVE, Stays),
        row(C::Untag, STAFF, LIVE, Stays),
        row(C::Follow, STAFF, LIVE, Stays),
        row(C::Unfollow, STAFF, LIVE, Stays),
        row(C::Start, STAFF, NEW, To(Status::Open)),
        row(C::AwaitRequester, STAFF, &[Status::Open], To(Pending)),
        row(C::Hold, STAFF, &[New, Status::Open, Pending], To(OnHold)),
        row(C::Resume, STAFF, WAITING, To(Status::Open)),
        row(C::Resolve, STAFF, UNRESOLVED, To(Resolved)),
        row(C::Confirm, REQUESTER, &[Status::Open, Pending, OnHold], To(Resolved)),
        row(C::Reopen, ANYONE, RESOLVED, To(Status::Open)),
        row(C::Close, CLOSERS, RESOLVED, To(Closed)),
        row(C::Spam, STAFF, LIVE, To(Closed)),
        row(C::Link, STAFF, Status::ALL, Stays),
        row(C::Unlink, STAFF, Status::ALL, Stays),
        row(C::Wake, TIMER, &[OnHold], To(Status::Open)),
        row(C::AutoClose, TIMER, RESOLVED, To(Closed)),
    ]
};

/// Whether someone of this role may ever try the command.
pub(crate) fn may_ever(role: Role, command: CommandKind) -> bool {
    TABLE.iter().any(|row| row.command == command && row.roles.contains(&role))
}

/// The row that lets someone of this role try the command on a ticket in this status.
pub(crate) fn find(status: Status, role: Role, command: CommandKind) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.command == command && row.roles.contains(&role) && row.from.contains(&status))
}

/// The commands that someone of this role may try on a ticket in this status.
pub(crate) fn allowed(status: Status, role: Role) -> Vec<CommandKind> {
    let legal = |command: &CommandKind| find(status, role, *command).is_some();
    CommandKind::ALL.iter().copied().filter(legal).collect()
}

impl CommandKind {
    /// Whether someone of this role may ever issue the command, in whatever status.
    pub fn is_open_to(self, role: Role) -> bool {
        may_ever(role, self)
    }
}

//! Which events a command records, or why it is refused.

mod assignment;
mod conversation;
mod detail;
mod lifecycle;
mod opening;
mod permission;
mod personal;
mod validation;

use crate::command::{Command, CommandKind};
use crate::context::Context;
use crate::event::Event;
use crate::rejection::Rejection;
use crate::table;
use crate::ticket::Ticket;
use shared_kernel::Actor;

pub(crate) fn decide(ticket: Option<&Ticket>, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    permission::check(ticket, command, &context.actor)?;
    validation::check(command, context)?;
    match (ticket, command) {
        (None, Command::Open(open)) => Ok(vec![opening::open(open, context)]),
        (Some(_), Command::Open(_)) => Err(Rejection::AlreadyOpened),
        (None, _) => Err(Rejection::NotOpened),
        (Some(ticket), _) if conversation::is_repeated(ticket, command) => Ok(Vec::new()),
        (Some(ticket), _) => {
            check_table(ticket, command, context)?;
            record(ticket, command, context)
        }
    }
}

/// Whether the actor may issue such a command to the ticket, whatever its status: what `decide` checks first, for a
/// caller who wants to know it before the rest. Of a command that could not be read its kind is known at least.
pub fn permitted(
    ticket: &Ticket,
    kind: CommandKind,
    command: Option<&Command>,
    actor: &Actor,
) -> Result<(), Rejection> {
    permission::on(Some(ticket), kind, command, actor)
}

fn check_table(ticket: &Ticket, command: &Command, context: &Context) -> Result<(), Rejection> {
    let role = context.actor.role;
    match table::find(ticket.status, role, command.kind()) {
        Some(_) => Ok(()),
        None => Err(Rejection::IllegalTransition {
            command: command.kind(),
            status: ticket.status,
            allowed: ticket.allowed_commands(role),
        }),
    }
}

/// The events of a command that role and status let pass; what is left to check are the guards.
fn record(ticket: &Ticket, command: &Command, context: &Context) -> Result<Vec<Event>, Rejection> {
    match command {
        Command::Open(_) => Err(Rejection::AlreadyOpened),
        Command::Reply { body, source_id } => conversation::reply(ticket, body, source_id.as_ref(), context),
        Command::Note { body } => Ok(vec![conversation::note(ticket, body, context)]),
        Command::Assign { assignee } => assignment::assign(ticket, *assignee, context),
        Command::Unassign => Ok(assignment::unassign(ticket)),
        Command::Route { team } => Ok(assignment::route(ticket, *team)),
        Command::Prioritize { priority, reason } => Ok(detail::prioritize(ticket, *priority, reason.as_ref())),
        Command::Categorize { category } => Ok(detail::categorize(ticket, category)),
        Command::Rename { subject } => Ok(detail::rename(ticket, subject, context)),
        Command::ChangeRequester { requester, reason } => {
            Ok(detail::change_requester(ticket, *requester, reason.as_ref()))
        }
        Command::Tag { tags } => detail::tag(ticket, tags),
        Command::Untag { tags } => Ok(detail::untag(ticket, tags)),
        Command::Follow { follower } => detail::follow(ticket, *follower),
        Command::Unfollow { follower } => Ok(detail::unfollow(ticket, *follower)),
        Command::Start => Ok(vec![Event::WorkStarted {}]),
        Command::AwaitRequester => lifecycle::await_requester(ticket),
        Command::Hold { reason, wake_at } => Ok(vec![lifecycle::hold(reason, *wake_at)]),
        Command::Resume => Ok(lifecycle::resume(ticket, context)),
        Command::Wake { set_by } => lifecycle::wake(ticket, *set_by, context),
        Command::AutoClose { set_by } => lifecycle::auto_close(ticket, *set_by, context),
        Command::Resolve { code, note } => lifecycle::resolve(ticket, code, note.as_deref(), context),
        Command::Confirm => lifecycle::confirm(ticket, context),
        Command::Reopen { reason } => lifecycle::reopen(ticket, reason.as_ref(), context),
        Command::Close => lifecycle::close(ticket, context),
        Command::Spam => lifecycle::spam(ticket),
        Command::Link { kind, other } => detail::link(ticket, *kind, *other),
        Command::Unlink { kind, other } => Ok(detail::unlink(ticket, *kind, *other)),
    }
}

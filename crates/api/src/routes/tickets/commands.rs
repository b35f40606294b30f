//! `POST /v1/tickets/{id}/commands`: several commands to a ticket as one unit.

use std::marker::PhantomData;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::post;
use desk::TicketCommand;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use ticket_aggregate::{CommandKind, TicketId};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::command::{CommandBody, execute};
use super::view::{TICKET, TicketView};
use super::{
    add_follower, add_tags, assign, await_requester, categorize, change_requester, close, confirm, hold, link, note,
    prioritize, remove_follower, remove_tags, rename, reopen, reply, resolve, resume, route as route_to, spam, start,
    unassign, unlink,
};
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::command::CommandRequest;
use crate::extract::path::PathId;
use crate::guard::Guard;
use crate::problem::{Code, Faults, FieldError, Problem};
use crate::respond::ANSWER_HEADERS;
use crate::route::{CommandStyle, Route};

/// The member that says which command an item is.
const WORD: &str = "command";
/// Where the faults are of which it isn't known which command they belong to.
const PLACE: &str = "/commands";

/// Commands to a ticket, in the order in which they are carried out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TicketCommands {
    #[schema(min_items = 1, max_items = 20, value_type = Vec<AnyCommand>)]
    commands: Vec<Map<String, Value>>,
}

/// A command that an item can be.
struct Entry {
    kind: CommandKind,
    only_adds: bool,
    name: fn() -> String,
    schema: fn() -> RefOr<Schema>,
    also: fn(&mut Vec<(String, RefOr<Schema>)>),
    parse: fn(Value) -> Result<TicketCommand, FieldError>,
}

fn entry<C: CommandBody>() -> Entry {
    Entry {
        kind: C::KIND,
        only_adds: matches!(C::STYLE, CommandStyle::AddItem | CommandStyle::Add),
        name: || Item::<C>::name().into_owned(),
        schema: Item::<C>::schema,
        also: C::schemas,
        parse: |body| {
            let body: C = serde_json::from_value(body).map_err(|error| FieldError::new("", error.to_string()))?;
            body.into_command()
        },
    }
}

fn entries() -> [Entry; 24] {
    [
        entry::<reply::Reply>(),
        entry::<note::Note>(),
        entry::<add_tags::AddTags>(),
        entry::<remove_tags::RemoveTags>(),
        entry::<add_follower::Follow>(),
        entry::<remove_follower::Unfollow>(),
        entry::<assign::Assign>(),
        entry::<unassign::Unassign>(),
        entry::<route_to::RouteTo>(),
        entry::<prioritize::Prioritize>(),
        entry::<categorize::Categorize>(),
        entry::<rename::Rename>(),
        entry::<change_requester::ChangeRequester>(),
        entry::<start::Start>(),
        entry::<await_requester::AwaitRequester>(),
        entry::<hold::Hold>(),
        entry::<resume::Resume>(),
        entry::<resolve::Resolve>(),
        entry::<confirm::Confirm>(),
        entry::<reopen::Reopen>(),
        entry::<close::Close>(),
        entry::<spam::Spam>(),
        entry::<link::Link>(),
        entry::<unlink::Unlink>(),
    ]
}

pub(super) fn route() -> Route {
    let example = json!({"commands": [
        {"command": "reply", "body": "We replaced the fuser."},
        {"command": "resolve", "code": "solved"},
    ]});
    // which roles may issue a command is checked with the record, for each of them
    Route::new(Method::POST, "/v1/tickets/{id}/commands", Guard::Principal, LoadClass::Command, post(handle))
        .operation(
            "command_ticket",
            "tickets",
            "Carry out several commands",
            "All or nothing, in one unit, each judged on what the ones before it leave. `If-Match` is needed unless all of them \
             only add. A reply that would open another ticket is refused.",
        )
        .resource(TICKET)
        .command::<TicketCommands>(CommandStyle::Several, example)
        .returns::<TicketView>(
            StatusCode::OK,
            "The ticket after the commands.",
            ANSWER_HEADERS,
            &TicketView::example(),
        )
        .errors(&[
            Code::IllegalTransition,
            Code::CommandRefused,
            Code::NoAssignee,
            Code::NotTeamMember,
            Code::AgentAtCapacity,
            Code::PersonBlocked,
            Code::NoReplySinceRequester,
            Code::OpenBlockers,
            Code::ReopenDeadlinePassed,
            Code::ReopenWindowOpen,
            Code::AgentAlreadyReplied,
        ])
}

async fn handle(
    State(app): State<App>,
    PathId(ticket): PathId,
    request: CommandRequest<TicketCommands>,
) -> Result<Response, Problem> {
    let CommandRequest { body, context } = request;
    let (commands, only_add) = parse(body).map_err(|faults| Problem::faults(Code::ValidationFailed, faults))?;
    if !only_add {
        context.require_if_match()?;
    }
    execute(&app, TicketId(ticket), commands, context).await
}

/// The commands, and whether all of them only add.
fn parse(body: TicketCommands) -> Result<(Vec<TicketCommand>, bool), Faults> {
    let entries = entries();
    let (mut commands, mut only_add, mut faults) = (Vec::new(), true, Faults::default());
    for (index, mut item) in body.commands.into_iter().enumerate() {
        let word = item.remove(WORD);
        let word = word.as_ref().and_then(Value::as_str);
        let entry = entries.iter().find(|entry| Some(entry.kind.as_str()) == word);
        let entry = entry.expect("the schema admits no other command");
        only_add &= entry.only_adds;
        let command = (entry.parse)(Value::Object(item));
        commands.extend(faults.take(command.map_err(|fault| fault.below(&format!("{PLACE}/{index}")))));
    }
    if faults.is_empty() { Ok((commands, only_add)) } else { Err(faults) }
}

/// The schema of a command as an item: its body, and the word that names it.
struct Item<C>(PhantomData<C>);

impl<C: CommandBody> PartialSchema for Item<C> {
    fn schema() -> RefOr<Schema> {
        let mut schema = json!(C::schema());
        schema["properties"][WORD] = json!({"type": "string", "enum": [C::KIND.as_str()]});
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        schema["required"] = std::iter::once(json!(WORD)).chain(required).collect();
        serde_json::from_value(schema).expect("a schema with one more member is a schema")
    }
}

impl<C: CommandBody> ToSchema for Item<C> {
    fn name() -> std::borrow::Cow<'static, str> {
        format!("{}Command", C::name()).into()
    }
}

/// Any of the commands, told apart by `command`.
struct AnyCommand;

impl PartialSchema for AnyCommand {
    fn schema() -> RefOr<Schema> {
        let place = |entry: &Entry| format!("#/components/schemas/{}", (entry.name)());
        let entries = entries();
        let mapping = entries.iter().map(|entry| (entry.kind.as_str().to_owned(), json!(place(entry))));
        let mapping: Map<_, _> = mapping.collect();
        let alternatives = entries.iter().map(|entry| json!({"$ref": place(entry)})).collect::<Vec<_>>();
        let schema = json!({"oneOf": alternatives, "discriminator": {"propertyName": WORD, "mapping": mapping}});
        serde_json::from_value(schema).expect("this is a schema")
    }
}

impl ToSchema for AnyCommand {
    fn name() -> std::borrow::Cow<'static, str> {
        "AnyCommand".into()
    }

    fn schemas(found: &mut Vec<(String, RefOr<Schema>)>) {
        for entry in entries() {
            found.push(((entry.name)(), (entry.schema)()));
            (entry.also)(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(commands: &Value) -> Result<(Vec<TicketCommand>, bool), Faults> {
        parse(serde_json::from_value(json!({"commands": commands})).unwrap())
    }

    #[test]
    fn every_command_but_open_and_timers_is_an_item() {
        let mut kinds = entries().map(|entry| entry.kind).to_vec();
        kinds.extend([CommandKind::Open, CommandKind::Wake, CommandKind::AutoClose]);
        kinds.sort_unstable();
        let mut all = CommandKind::ALL.to_vec();
        all.sort_unstable();
        assert_eq!(kinds, all);
    }

    #[test]
    fn if_match_is_needed_unless_all_only_add() {
        let (reply, start) = (json!({"command": "reply", "body": "x"}), json!({"command": "start"}));
        assert_eq!(parsed(&json!([reply, reply])).map(|(commands, adds)| (commands.len(), adds)), Ok((2, true)));
        assert_eq!(parsed(&json!([reply, start])).map(|(commands, adds)| (commands.len(), adds)), Ok((2, false)));
    }

    #[test]
    fn fault_names_the_item() {
        let hold = json!({"command": "hold", "reason": "x", "wake_at": "9999-12-31T23:59:59-23:59"});
        let faults = parsed(&json!([{"command": "start"}, hold])).unwrap_err();
        assert_eq!(faults, FieldError::new("/commands/1/wake_at", "must not be after the year 9999 of UTC").into());
    }
}

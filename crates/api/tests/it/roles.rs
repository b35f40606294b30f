//! Who may issue which command: a test over the list of routes, held against the table of the aggregate.

use http::Method;
use serde_json::{Value, json};
use shared_kernel::Role;
use ticket_aggregate::CommandKind;

use crate::world::{World, path_of};

/// The command behind a path.
fn kind(method: &Method, command: &str) -> CommandKind {
    match (method, command) {
        (_, "replies") => CommandKind::Reply,
        (_, "notes") => CommandKind::Note,
        (&Method::DELETE, "tags") => CommandKind::Untag,
        (_, "tags") => CommandKind::Tag,
        (&Method::DELETE, "followers") => CommandKind::Unfollow,
        (_, "followers") => CommandKind::Follow,
        (_, word) => word.parse().unwrap(),
    }
}

/// The last segment of a path that takes one command.
fn command_of(route: &api::RouteInfo) -> Option<&'static str> {
    matches!(route.guard, api::Guard::Command(_)).then(|| route.path.strip_prefix("/v1/tickets/{id}/")).flatten()
}

#[tokio::test]
async fn every_command_is_forbidden_to_the_roles_that_the_table_does_not_name() {
    let world = World::new().await;
    let grace = world.requester("grace@example.com").await;
    let staff = [Role::Agent, Role::Lead, Role::Admin];
    let mut clients = vec![(Role::Requester, grace.clone())];
    for role in staff {
        clients.push((role, world.staff(role, role.as_str(), &[]).await));
    }
    world.examples().await;
    let document = api::openapi();
    let mut tried = 0;
    for route in api::routes() {
        let Some(command) = command_of(&route) else { continue };
        let example = &document["paths"][route.path][route.method.as_str().to_lowercase()]["requestBody"]["content"]["application/json"]
            ["example"];
        for (role, client) in &clients {
            let ticket = grace.open(&json!({})).await;
            let path = format!("{ticket}/{command}");
            let offered = client.get(&ticket).await.json()["allowed_commands"].clone();
            // 403 goes before 415, 428, 400 and 422
            let bare = client.call(route.method.clone(), &path).await;
            let full = client.call(route.method.clone(), &path).json(example).header("if-match", "*").await;
            let may = kind(&route.method, command).is_open_to(*role);
            assert_eq!(bare.status == 403, !may, "{role} {command} {}", bare.text());
            // what a role may try, the state or the one who is named can still forbid
            let allowed = full.status != 403 || (*role == Role::Agent && command == "assign");
            assert_eq!(allowed, may, "{role} {command} {}", full.text());
            if !may {
                let problem = full.problem(403, "forbidden");
                assert_eq!(problem["details"]["rule"], "forbidden");
                assert_eq!(grace.version(&ticket).await, 1, "nothing was recorded");
            }
            let offers = offered.as_array().unwrap().contains(&json!(kind(&route.method, command).as_str()));
            assert!(may || !offers, "{role} is offered {command}, which they may never");
            tried += 1;
        }
    }
    assert!(tried > 80, "{tried}");
}

#[tokio::test]
async fn allowed_commands_are_the_names_of_paths() {
    let world = World::new().await;
    let admin = world.admin().await;
    let ticket = admin.open(&json!({})).await;
    let offered = admin.get(&ticket).await.json()["allowed_commands"].clone();
    let kinds = api::routes().into_iter().filter_map(|route| {
        let command = command_of(&route)?;
        Some(json!(kind(&route.method, command).as_str()))
    });
    let kinds = kinds.collect::<Vec<Value>>();
    assert!(offered.as_array().unwrap().iter().all(|command| kinds.contains(command)), "{offered}");
}

#[tokio::test]
async fn only_leads_and_admins_dispose_of_others() {
    let world = World::new().await;
    let lead = world.staff(Role::Lead, "lena", &[]).await;
    let (ada, bob) = (world.agent("ada", &[]).await, world.agent("bob", &[]).await);
    let ticket = lead.open(&json!({})).await;
    let refused = ada.command(&ticket, "assign", &json!({"assignee": "bob"})).await.problem(403, "forbidden");
    assert_eq!(refused["details"]["rule"], "assign_others");
    ada.command(&ticket, "assign", &json!({"assignee": "ada"})).await.ok(200);
    bob.command(&ticket, "unassign", &json!({})).await.problem(403, "forbidden");
    lead.command(&ticket, "assign", &json!({"assignee": "bob"})).await.ok(200);
    bob.command(&ticket, "unassign", &json!({})).await.ok(200);
    let grace = world.requester("grace@example.com").await;
    let for_another = json!({"subject": "x", "body": "x", "requester": {"email": "eve@example.com"}});
    let refused = grace.post("/v1/tickets", &for_another).await.problem(403, "forbidden");
    assert_eq!(refused["details"]["rule"], "open_for_another");
}

/// Who may call what is no command to a ticket: all, or these roles. (What of it they see is another matter.)
const STAFF: Option<&[Role]> = Some(&[Role::Agent, Role::Lead, Role::Admin]);
const LEADS: Option<&[Role]> = Some(&[Role::Lead, Role::Admin]);
const ADMINS: Option<&[Role]> = Some(&[Role::Admin]);
const OTHERS: [(&str, Option<&[Role]>); 39] = [
    ("get_caller", None),
    ("create_person", STAFF),
    ("list_people", STAFF),
    ("get_person", STAFF),
    ("get_person_history", STAFF),
    ("rename_person", STAFF),
    ("add_identity", STAFF),
    ("remove_identity", STAFF),
    ("merge_person", LEADS),
    ("block_person", LEADS),
    ("unblock_person", LEADS),
    ("register_agent", ADMINS),
    ("list_agents", STAFF),
    ("get_agent", STAFF),
    ("get_agent_history", STAFF),
    ("rename_agent", ADMINS),
    ("join_team", LEADS),
    ("leave_team", LEADS),
    ("set_skills", LEADS),
    ("set_capacity", LEADS),
    // of others, for leads and admins
    ("set_presence", STAFF),
    ("create_team", ADMINS),
    ("list_teams", STAFF),
    ("get_team", STAFF),
    ("get_team_history", STAFF),
    ("revise_team", ADMINS),
    ("retire_team", ADMINS),
    ("get_ticket_by_number", None),
    ("command_ticket", None),
    ("open_ticket", None),
    ("list_tickets", None),
    ("get_ticket", None),
    ("get_ticket_history", None),
    ("get_ticket_conversation", None),
    ("list_events", None),
    ("list_ticket_events", None),
    ("get_queues_report", STAFF),
    ("list_projections", ADMINS),
    ("rebuild_projection", ADMINS),
];

#[tokio::test]
async fn every_other_route_is_for_the_roles_that_are_named_here() {
    let world = World::new().await;
    let grace = world.requester("grace@example.com").await;
    let mut clients = vec![(Role::Requester, grace.clone())];
    for role in [Role::Agent, Role::Lead, Role::Admin] {
        clients.push((role, world.staff(role, role.as_str(), &[]).await));
    }
    let ticket = grace.open(&json!({})).await;
    let mut named = OTHERS.to_vec();
    for route in api::routes().into_iter().filter(|route| !route.guard.is_public()) {
        if command_of(&route).is_some() {
            continue;
        }
        let place = named.iter().position(|(id, _)| *id == route.operation_id);
        let (id, roles) = named.remove(place.unwrap_or_else(|| panic!("say who may call {}", route.operation_id)));
        let path = path_of(route.path, &ticket);
        for (role, client) in &clients {
            let answer = client.call(route.method.clone(), &path).await;
            let may = roles.is_none_or(|roles| roles.contains(role));
            assert_eq!(answer.status == 403, !may, "{role} {id}: {}", answer.text());
            if !may {
                answer.problem(403, "forbidden");
            }
        }
    }
    assert!(named.is_empty(), "no routes any more: {named:?}");
}

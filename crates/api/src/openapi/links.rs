//! Where an answer leads: the OpenAPI links by which tools (and people) go from a ticket to what can be done with it.

use serde_json::{Map, Value, json};

use crate::route::Route;

const TICKET: &str = "/v1/tickets/{id}";
/// Where a list's next page begins, and the parameter that takes it.
const PAGES: [(&str, &str); 5] = [
    ("list_tickets", "cursor"),
    ("list_events", "after"),
    ("list_ticket_events", "after"),
    ("get_ticket_history", "cursor"),
    ("get_ticket_conversation", "cursor"),
];

/// From a ticket to every operation on it, and from a page to the next one.
pub(super) fn all(routes: &[Route]) -> Map<String, Value> {
    let mut links = Map::new();
    for route in routes.iter().filter(|route| route.path.starts_with(TICKET)) {
        let operation = &route.operation;
        let mut parameters = json!({"id": "$response.body#/id"});
        if operation.parameters.iter().any(|p| p["name"] == "If-Match" && p["required"] == true) {
            parameters["If-Match"] = "$response.header.ETag".into();
        }
        let link = json!({
            "operationId": operation.id, "parameters": parameters,
            "description": format!("{}: the ticket that was answered.", operation.summary),
        });
        links.insert(operation.id.to_owned(), link);
    }
    for (id, parameter) in PAGES {
        let mut parameters = json!({parameter: "$response.body#/next_cursor"});
        if routes.iter().any(|route| route.operation.id == id && route.path.starts_with(TICKET)) {
            parameters["id"] = "$request.path.id".into();
        }
        links.insert(
            next_page(id),
            json!({"operationId": id, "parameters": parameters, "description": "The next page."}),
        );
    }
    links
}

/// Puts the links to the answers from which they lead.
pub(super) fn join(paths: &mut Map<String, Value>) {
    let operations = |paths: &Map<String, Value>| {
        let under = paths.iter().filter(|(path, _)| path.starts_with(TICKET));
        let ids = under.flat_map(|(_, item)| item.as_object().into_iter().flat_map(Map::values));
        ids.filter_map(|operation| operation["operationId"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let of_a_ticket = operations(paths);
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut) {
        let id = operation["operationId"].as_str().unwrap_or_default().to_owned();
        for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            if schema == "#/components/schemas/Ticket" {
                response["links"] = references(of_a_ticket.iter().map(String::as_str));
            } else if PAGES.iter().any(|(paged, _)| *paged == id) && schema.is_string() {
                response["links"] = references([next_page(&id).as_str()].into_iter());
            }
        }
    }
}

fn next_page(id: &str) -> String {
    format!("{id}_next")
}

fn references<'a>(links: impl Iterator<Item = &'a str>) -> Value {
    links
        .map(|link| (link.to_owned(), json!({"$ref": format!("#/components/links/{link}")})))
        .collect::<Map<_, _>>()
        .into()
}

//! OpenAPI links: from a record to the operations on it, and from a page to the next one.

use serde_json::{Map, Value, json};

use crate::route::{ResourceType, Route};

/// Every link.
pub(super) fn all(routes: &[Route]) -> Map<String, Value> {
    let to_records = routes.iter().filter_map(|route| route.resource.map(|resource| to_record(route, resource)));
    let to_pages = routes.iter().filter_map(|route| route.operation.next_page.map(|cursor| to_page(route, cursor)));
    to_records.chain(to_pages).collect()
}

fn to_record(route: &Route, resource: ResourceType) -> (String, Value) {
    let operation = &route.operation;
    let mut parameters = json!({"id": "$response.body#/id"});
    // a command may change another record than the one that its path names
    let answers = operation
        .success
        .iter()
        .filter_map(|success| success.content["application/json"]["schema"]["$ref"].as_str()?.rsplit('/').next());
    let changes_it = answers.into_iter().any(|schema| schema == resource.schema);
    if changes_it && operation.parameters.iter().any(|p| p["name"] == "If-Match" && p["required"] == true) {
        parameters["If-Match"] = "$response.header.ETag".into();
    }
    let description = format!("{}: the {} of this answer.", operation.summary, resource.name);
    (
        operation.id.to_owned(),
        json!({"operationId": operation.id, "parameters": parameters, "description": description}),
    )
}

fn to_page(route: &Route, cursor: &str) -> (String, Value) {
    let id = route.operation.id;
    let mut parameters = json!({cursor: "$response.body#/next_cursor"});
    if route.resource.is_some() {
        parameters["id"] = "$request.path.id".into();
    }
    (next_page(id), json!({"operationId": id, "parameters": parameters, "description": "The next page."}))
}

/// Adds to each answer the links that lead from it.
pub(super) fn join(paths: &mut Map<String, Value>, routes: &[Route]) {
    for route in routes {
        let operation = &mut paths[route.path][route.method.as_str().to_lowercase()];
        for response in operation["responses"].as_object_mut().into_iter().flat_map(Map::values_mut) {
            let schema = &response["content"]["application/json"]["schema"]["$ref"];
            let schema = schema.as_str().and_then(|place| place.rsplit('/').next()).map(str::to_owned);
            let leads_to = |other: &&Route| other.resource.is_some_and(|r| Some(r.schema) == schema.as_deref());
            let mut links: Vec<_> = routes.iter().filter(leads_to).map(|other| other.operation.id.to_owned()).collect();
            if route.operation.next_page.is_some() && schema.is_some() && links.is_empty() {
                links.push(next_page(route.operation.id));
            }
            if !links.is_empty() {
                response["links"] = references(&links);
            }
        }
    }
}

fn next_page(id: &str) -> String {
    format!("{id}_next")
}

fn references(links: &[String]) -> Value {
    let references = links.iter().map(|link| (link.clone(), json!({"$ref": format!("#/components/links/{link}")})));
    Value::Object(references.collect())
}

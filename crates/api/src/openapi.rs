//! The OpenAPI 3.1 document, made from the routes and the types that the handlers use.

mod links;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::guard::Guard;
use crate::problem::{Code, ProblemBody};
use crate::route::{Operation, Route};
use crate::routes::tickets::commands;
use crate::{telemetry, validation, view};

pub(crate) fn document(routes: &[Route]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let documented: Vec<_> = routes.iter().filter(|route| route.documented).cloned().collect();
    let routes = documented.as_slice();
    for route in routes {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_lowercase()] = operation(&route.operation, route.guard);
    }
    links::join(&mut paths);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Docket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A helpdesk whose tickets are append-only records. The ETag of a ticket is the version \
                            of its record; a command says with If-Match which version it has seen; an \
                            Idempotency-Key makes a repetition harmless; every error is application/problem+json.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "The operator of this server"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [
            {"name": "tickets", "description": "One request for help each: read it, write to it, command it."},
            {"name": "events", "description": "The log in order, as pages or live."},
            {"name": "reports", "description": "Figures over all tickets."},
            {"name": "operations", "description": "For operators and balancers."},
            {"name": "documentation", "description": "The contract itself."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "headers": headers(),
            "links": links::all(routes),
            "examples": examples(routes),
            "securitySchemes": {"key": {
                "type": "http", "scheme": "bearer", "bearerFormat": "dk_<key id>_<secret><checksum>",
                "description": "An API key, made by an administrator with `docket keys create`.",
            }},
        },
    })
}

fn operation(operation: &Operation, guard: Guard) -> Value {
    let mut value = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": operation.parameters.iter().cloned().chain([telemetry::parameter()]).collect::<Vec<_>>(),
        "responses": responses(operation, guard),
        "security": if guard.is_public() { json!([]) } else { json!([{"key": []}]) },
    });
    if let Some(body) = &operation.body {
        value["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {
                "schema": {"$ref": format!("#/components/schemas/{}", body.schema)},
                "example": body.example,
            }},
        });
    }
    value
}

fn responses(operation: &Operation, guard: Guard) -> Value {
    let mut responses = Map::new();
    for success in &operation.success {
        let mut response = success.clone();
        let status = response["status"].take();
        if let Some(members) = response.as_object_mut() {
            members.remove("status");
        }
        responses.insert(status.to_string(), response);
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes(operation, guard) {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), error_response(&codes));
    }
    if !guard.is_public() {
        // 401 is answered before it is known whose bucket to take from
        for (_, response) in responses.iter_mut().filter(|(status, _)| *status != "401") {
            for name in ["RateLimit-Policy", "RateLimit"] {
                response["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
            }
        }
    }
    Value::Object(responses)
}

/// Its own errors, and those that any operation has.
fn codes(operation: &Operation, guard: Guard) -> Vec<Code> {
    let mut codes = operation.errors.clone();
    codes.extend([Code::UriTooLong, Code::HeadersTooLarge]);
    // whether the process is alive is told whatever else is asked
    if operation.id != "get_liveness" {
        codes.push(Code::Overloaded);
    }
    if !guard.is_public() {
        codes.extend([Code::Unauthorized, Code::RateLimited, Code::Unavailable, Code::RequestTimeout]);
    }
    codes
}

fn error_response(codes: &[Code]) -> Value {
    let titles = codes.iter().map(|c| format!("{} (`{}`)", c.title(), c.as_str())).collect::<Vec<_>>();
    let examples: Map<_, _> = codes
        .iter()
        .map(|code| (code.as_str().to_owned(), json!({"$ref": format!("#/components/examples/{}", code.as_str())})))
        .collect();
    let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}});
    if codes.iter().any(|code| matches!(code.status().as_u16(), 408 | 429 | 503 | 504)) {
        headers["Retry-After"] = json!({"$ref": "#/components/headers/Retry-After"});
    }
    json!({
        "description": format!("{}.", titles.join("; ")),
        "headers": headers,
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": examples,
        }},
    })
}

/// Of every error that an operation can have one, by its code.
fn examples(routes: &[Route]) -> Map<String, Value> {
    let codes = routes.iter().flat_map(|route| codes(&route.operation, route.guard));
    let example = |code: Code| json!({"summary": code.title(), "value": view::problem_example(code)});
    codes.map(|code| (code.as_str().to_owned(), example(code))).collect()
}

fn schemas() -> Value {
    let mut found = Vec::new();
    add::<view::TicketView>(&mut found);
    add::<view::HistoryView>(&mut found);
    add::<view::ConversationView>(&mut found);
    add::<view::EventsView>(&mut found);
    add::<view::TicketListView>(&mut found);
    add::<crate::routes::reports::QueuesView>(&mut found);
    add::<crate::routes::projections::ProjectionsView>(&mut found);
    add::<ProblemBody>(&mut found);
    commands::schemas(&mut found);
    let schemas: Map<_, _> = found.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    let mut schemas = Value::Object(schemas);
    validation::spell_out_patterns(&mut schemas);
    schemas
}

/// Adds a type's schema, and those that it refers to.
pub(crate) fn add<T: ToSchema + PartialSchema>(found: &mut Vec<(String, RefOr<Schema>)>) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({"description": description, "schema": schema});
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "format": "int64", "minimum": 0});
    json!({
        "ETag": header("The version of the ticket, quoted. Send it back in If-Match.", text.clone()),
        "Link": header("`<…>; rel=\"next\"`: the next page (RFC 8288). Absent on the last one.", text.clone()),
        "Preference-Applied": header("The `wait` of `Prefer` that was heeded (RFC 7240).", text.clone()),
        "Location": header("Where the ticket is.", text.clone()),
        "Link": header("The next page: `rel=\"next\"` (RFC 8288).", text.clone()),
        "Docket-Position": header("The position in the log of the ticket's last event.", number),
        "Idempotent-Replayed": header("`true`: this repeats the answer that the key was given first.", text.clone()),
        "RateLimit-Policy": header(
            "How many requests your key may send (`q`) in how many seconds (`w`); draft-ietf-httpapi-ratelimit-headers. Absent where there is no limit.",
            json!({"type": "string", "pattern": "^\"default\";q=[0-9]+;w=[0-9]+$", "example": "\"default\";q=10000;w=10"}),
        ),
        "RateLimit": header(
            "How many requests are left to your key (`r`), and in how many seconds all may be sent again (`t`).",
            json!({"type": "string", "pattern": "^\"default\";r=[0-9]+;t=[0-9]+$", "example": "\"default\";r=9999;t=1"}),
        ),
        "Retry-After": header("After how many seconds to try again.", json!({"type": "integer", "minimum": 1})),
        "X-Request-Id": header("The request's id, echoed or made.", text),
    })
}

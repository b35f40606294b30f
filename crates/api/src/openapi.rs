//! The OpenAPI 3.1 document, generated from the routes and the types that the handlers use.

mod links;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::problem::{Code, ProblemBody};
use crate::route::{Operation, Route};
use crate::{schema, validation};

/// The document of those routes that are part of the contract.
pub(crate) fn document(routes: &[Route]) -> Value {
    let routes: Vec<_> = routes.iter().filter(|route| route.is_documented()).cloned().collect();
    let routes = routes.as_slice();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        item[route.method.as_str().to_lowercase()] = operation(route);
    }
    links::join(&mut paths, routes);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Docket",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A helpdesk whose tickets are append-only streams of events. The ETag of a ticket is the version \
                            of its stream. A command names the version that it has seen in If-Match. An Idempotency-Key \
                            makes a retry safe. Every error is application/problem+json (RFC 9457).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "The operator of this server"},
        },
        "servers": [{"url": "/", "description": "This server."}],
        "tags": [
            {"name": "tickets", "description": "Requests for help: read them, write to them, command them."},
            {"name": "people", "description": "Those who ask, and those who help: names, addresses, merging, blocking."},
            {"name": "agents", "description": "Those who help: teams, skills, capacity, presence."},
            {"name": "teams", "description": "Queues of tickets and their members."},
            {"name": "callers", "description": "Who calls."},
            {"name": "events", "description": "The log in order, in pages or live."},
            {"name": "reports", "description": "Figures over all tickets."},
            {"name": "operations", "description": "For operators and balancers."},
            {"name": "documentation", "description": "The contract itself."},
        ],
        "paths": paths,
        "components": {
            "schemas": schemas(routes),
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

fn operation(route: &Route) -> Value {
    let operation = &route.operation;
    let on_behalf_of = (!route.guard.is_public()).then(schema::on_behalf_of_parameter);
    let parameters = operation.parameters.iter().cloned().chain(on_behalf_of).chain([request_id_parameter()]);
    let mut value = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": parameters.collect::<Vec<_>>(),
        "responses": responses(route),
        "security": if route.guard.is_public() { json!([]) } else { json!([{"key": []}]) },
    });
    if let Some(body) = &operation.body {
        value["requestBody"] = json!({"required": true, "content": schema::json_of(&body.schema, &body.example)});
    }
    value
}

fn request_id_parameter() -> Value {
    schema::header_parameter(
        "X-Request-Id",
        false,
        "An id of yours for this request, echoed in the answer and written to the log.",
        "order-77.retry-1",
    )
}

fn responses(route: &Route) -> Value {
    let Operation { success, .. } = &route.operation;
    let mut responses: Map<_, _> =
        success.iter().map(|success| (success.status.as_u16().to_string(), success.response())).collect();
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in route.codes() {
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    for (status, codes) in by_status {
        responses.insert(status.to_string(), error_response(&codes));
    }
    if !route.guard.is_public() {
        // 401 is answered before it is known whose bucket to take from
        for (_, response) in responses.iter_mut().filter(|(status, _)| *status != "401") {
            for name in ["RateLimit-Policy", "RateLimit"] {
                response["headers"][name] = json!({"$ref": format!("#/components/headers/{name}")});
            }
        }
    }
    Value::Object(responses)
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

/// One example of every error that an operation can answer, by its code.
fn examples(routes: &[Route]) -> Map<String, Value> {
    let codes = routes.iter().flat_map(Route::codes);
    codes.map(|code| (code.as_str().to_owned(), json!({"summary": code.title(), "value": example(code)}))).collect()
}

fn example(code: Code) -> Value {
    json!({
        "type": format!("https://docket.example/problems/{}", code.as_str()),
        "title": code.title(), "status": code.status().as_u16(), "detail": code.title(), "message": code.title(),
        "instance": "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11", "error_code": code.as_str(), "details": {},
    })
}

fn schemas(routes: &[Route]) -> Value {
    let mut found = Vec::new();
    schema::add::<ProblemBody>(&mut found);
    routes.iter().flat_map(|route| &route.operation.schemas).for_each(|add| add(&mut found));
    let schemas: Map<_, _> = found.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
    let mut schemas = Value::Object(schemas);
    validation::spell_out_patterns(&mut schemas);
    schemas
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| json!({"description": description, "schema": schema});
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "format": "int64", "minimum": 0});
    json!({
        "ETag": header("The version of the record, quoted. Send it back in If-Match.", text.clone()),
        "Preference-Applied": header("The `wait` of `Prefer` that was heeded (RFC 7240).", text.clone()),
        "Location": header("Where the record is.", text.clone()),
        "Content-Location": header("The path of the record by its id (RFC 9110).", text.clone()),
        "Link": header("`<…>; rel=\"next\"`: the next page (RFC 8288). Absent on the last one.", text.clone()),
        "Docket-Position": header("The position in the log of the record's last event.", number),
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

//! The OpenAPI document says what the server does.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Map, Value, json};

use crate::world::{World, path_of};

const ID: &str = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";

/// Every operation: its path, its method, itself.
fn operations(document: &Value) -> Vec<(String, Method, Map<String, Value>)> {
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(move |(method, operation)| {
            (path.clone(), method.to_uppercase().parse().unwrap(), operation.as_object().unwrap().clone())
        })
    });
    operations.collect()
}

/// A validator of one of the document's schemas.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[tokio::test]
async fn the_served_document_is_the_one_of_the_code() {
    let world = World::new().await;
    let answer = world.anyone().get("/openapi.json").await.ok(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), api::openapi());
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn every_operation_is_described_in_full() {
    let document = api::openapi();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        for member in ["operationId", "summary", "description"] {
            assert!(operation[member].as_str().is_some_and(|text| text.len() > 3), "{what} has no {member}");
        }
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
            "{what}: its operationId is another's"
        );
        for parameter in operation["parameters"].as_array().unwrap() {
            let example = &parameter["example"];
            assert!(!(example.is_null() || example.is_array() || example.is_object()), "{what} {parameter}");
            assert!(!parameter["description"].as_str().unwrap().is_empty(), "{what} {parameter}");
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(body["content"]["application/json"]["example"].is_object(), "{what}");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{what} {status}");
            let Some(content) = response.get("content") else {
                assert_eq!(status, "304", "{what}");
                continue;
            };
            for (media, content) in content.as_object().unwrap() {
                let error = status.starts_with(['4', '5']);
                assert_eq!(media == "application/problem+json", error, "{what} {status} is {media}");
                assert!(content.get("example").is_some() || content.get("examples").is_some(), "{what} {status}");
            }
        }
    }
}

#[test]
fn every_operation_names_all_its_errors() {
    for (path, method, operation) in operations(&api::openapi()) {
        let responses = operation["responses"].as_object().unwrap();
        let mut expected = vec!["500"];
        if path.starts_with("/v1/") {
            expected.extend(["401", "429", "400", "503", "504"]);
        }
        if path.contains('{') {
            expected.push("404");
        }
        if method != Method::GET {
            expected.push("403");
        }
        if operation.contains_key("requestBody") {
            expected.extend(["408", "413", "415", "422"]);
        }
        if path.starts_with("/v1/") && !path.starts_with("/v1/projections") && method != Method::GET {
            expected.push("409");
        }
        if path.contains("{id}") && method != Method::GET {
            expected.push("412");
        }
        for status in expected {
            assert!(responses.contains_key(status), "{method} {path} does not name {status}");
        }
    }
}

#[test]
fn examples_are_valid_by_their_schemas() {
    let document = api::openapi();
    let mut checked = 0;
    let mut check = |what: &str, content: &Value| {
        let validator = validator(&document, &content["schema"]);
        let several = content["examples"].as_object().into_iter().flatten();
        let several = several.map(|(_, example)| {
            let place = example["$ref"].as_str().unwrap().trim_start_matches('#');
            &document.pointer(place).unwrap()["value"]
        });
        for example in content.get("example").into_iter().chain(several) {
            let faults = validator.iter_errors(example).map(|e| e.to_string()).collect::<Vec<_>>();
            assert!(faults.is_empty(), "{what}: {faults:?}");
            checked += 1;
        }
    };
    for (path, method, operation) in operations(&document) {
        if let Some(body) = operation.get("requestBody") {
            check(&format!("{method} {path}"), &body["content"]["application/json"]);
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            check(&format!("{method} {path} {}", parameter["name"]), parameter);
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            for content in response["content"].as_object().into_iter().flat_map(Map::values) {
                check(&format!("{method} {path} {status}"), content);
            }
        }
    }
    assert!(checked > 300, "{checked}");
}

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let world = World::new().await;
    let admin = world.admin().await;
    world.examples().await;
    let document = api::openapi();
    for (index, (path, method, operation)) in operations(&document).into_iter().enumerate() {
        // a ticket of its own for each, on which most examples can be carried out
        let ticket = admin.open(&json!({"tags": ["printer"], "requester": {"email": "grace@example.com"}})).await;
        let person = world.person(&format!("{index}@example.com")).await;
        let served = path
            .replace("/v1/people/{id}", &format!("/v1/people/{person}"))
            .replace("/v1/agents/{id}", "/v1/agents/ada")
            .replace("/v1/teams/{id}", "/v1/teams/facilities");
        let served = path_of(&served, &ticket);
        let call = admin.call(method.clone(), &served).header("if-match", "*");
        let answer = match operation.get("requestBody") {
            Some(body) => call.json(&body["content"]["application/json"]["example"]).await,
            None => call.await,
        };
        let response = &operation["responses"][answer.status.to_string()];
        assert!(
            response.is_object(),
            "{method} {path} answers {}, which it does not say: {}",
            answer.status,
            answer.text()
        );
        let (media, content) = response["content"].as_object().unwrap().iter().next().unwrap();
        assert!(answer.header("content-type").starts_with(media), "{method} {path}: {}", answer.header("content-type"));
        if media.ends_with("json") {
            let faults = validator(&document, &content["schema"])
                .iter_errors(&answer.json())
                .map(|e| e.to_string())
                .collect::<Vec<_>>();
            assert!(faults.is_empty(), "{method} {path}: {faults:?}");
        }
        let declared = response["headers"].as_object().into_iter().flat_map(Map::keys).collect::<Vec<_>>();
        for header in ["etag", "location", "docket-position"] {
            let says = declared.iter().any(|name| name.eq_ignore_ascii_case(header));
            assert!(says || answer.find(header).is_none(), "{method} {path} does not say that it sends {header}");
        }
    }
}

#[tokio::test]
async fn what_is_documented_is_served_and_what_is_served_is_documented() {
    let world = World::new().await;
    let admin = world.admin().await;
    let document = api::openapi();
    let documented =
        operations(&document).into_iter().map(|(path, method, _)| (path, method.to_string())).collect::<BTreeSet<_>>();
    let listed = api::routes()
        .into_iter()
        .map(|route| (route.path.to_owned(), route.method.to_string()))
        .collect::<BTreeSet<_>>();
    assert_eq!(documented, listed);
    // a method that a path does not take is answered with those that it takes
    let ticket = admin.open(&json!({})).await;
    let paths = documented.iter().map(|(path, _)| path).collect::<BTreeSet<_>>();
    for path in paths {
        let real = path_of(path, &ticket);
        let answer = admin.call(Method::TRACE, &real).await;
        answer.problem(405, "method_not_allowed");
        let served = answer
            .header("allow")
            .split(',')
            .map(str::trim)
            .filter(|m| *m != "HEAD")
            .map(str::to_owned)
            .collect::<BTreeSet<_>>();
        let said = documented.iter().filter(|(p, _)| p == path).map(|(_, m)| m.clone()).collect::<BTreeSet<_>>();
        assert_eq!(served, said, "{path}");
    }
    // names that the contract has for later, or has not
    for path in
        ["/v1/webhooks", "/v1/api-keys", "/v1/tickets/x/merge", &format!("{ticket}/wake"), &format!("/v1/ticket/{ID}")]
    {
        admin.get(path).await.problem(404, "not_found");
    }
}

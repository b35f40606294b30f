//! The contract for people and machines: `/openapi.json`, `/asyncapi.json`, `/docs` (works offline), `/problems/{code}`.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::Extension;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Value, json};
use utoipa_swagger_ui::{Config, Url};

use crate::admission::LoadClass;
use crate::app::App;
use crate::endpoint::Endpoint;
use crate::guard::Guard;
use crate::problem::{Code, Problem};
use crate::route::Route;

/// A page may load what this server serves, and nothing else.
const PAGE_POLICY: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

pub(super) fn routes() -> Vec<Route> {
    let document = |example: Value| json!({"application/json": {"schema": {"type": "object"}, "example": example}});
    let html = json!({"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>"}});
    let described = |path, handler, id, summary, description| {
        public(path, handler).operation(id, "documentation", summary, description)
    };
    let code = json!({
        "name": "code", "in": "path", "required": true, "description": "An error_code.",
        "schema": {"type": "string"}, "example": "precondition_failed",
    });
    vec![
        described(
            "/openapi.json",
            get(openapi),
            "get_openapi",
            "This document",
            "The OpenAPI 3.1 document of this API.",
        )
        .success(StatusCode::OK, "The document.", &[], document(json!({"openapi": "3.1.0"}))),
        described(
            "/asyncapi.json",
            get(asyncapi),
            "get_asyncapi",
            "The events on NATS JetStream",
            "The AsyncAPI 3.1 document of every message that is published there.",
        )
        .success(StatusCode::OK, "The document.", &[], document(json!({"asyncapi": "3.1.0"}))),
        described(
            "/problems",
            get(problems),
            "list_problems",
            "List the errors",
            "A page that lists every error_code.",
        )
        .success(StatusCode::OK, "The page.", &[], html.clone()),
        described(
            "/problems/{code}",
            get(problem),
            "get_problem",
            "Explain an error",
            "The page that the `type` of a problem leads to.",
        )
        .parameter(code)
        .success(StatusCode::OK, "The page.", &[], html)
        .errors(&[Code::NotFound]),
        public("/", get(|| async { Redirect::temporary("/docs/") })),
        public("/docs", get(|| async { Redirect::permanent("/docs/") })),
        public("/docs/", get(|| async { asset(None) })),
        public("/docs/{*file}", get(file)),
    ]
}

/// Without an operation it is a page for people, and no part of the API.
fn public(path: &'static str, handler: MethodRouter<App>) -> Route {
    Route::new(Method::GET, path, Guard::Public, LoadClass::Public, handler)
}

async fn file(file: Result<Path<String>, PathRejection>) -> Response {
    file.map_or_else(|_| StatusCode::NOT_FOUND.into_response(), |Path(file)| asset(Some(&file)))
}

async fn openapi(Extension(endpoint): Extension<Endpoint>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], endpoint.contract.document.clone()).into_response()
}

async fn asyncapi() -> Response {
    static DOCUMENT: LazyLock<String> = LazyLock::new(|| crate::asyncapi::document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// Swagger UI, compiled in: the page needs no other server.
fn asset(file: Option<&str>) -> Response {
    static CONFIG: LazyLock<std::sync::Arc<Config<'static>>> =
        LazyLock::new(|| std::sync::Arc::new(Config::new([Url::new("Docket", "/openapi.json")]).validator_url("none")));
    let found = utoipa_swagger_ui::serve(file.unwrap_or("index.html"), CONFIG.clone());
    match found {
        Ok(Some(file)) => {
            let headers =
                [(header::CONTENT_TYPE, file.content_type), (header::CONTENT_SECURITY_POLICY, PAGE_POLICY.into())];
            (headers, file.bytes.into_owned()).into_response()
        }
        Ok(None) | Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn problems() -> Response {
    let mut list = String::new();
    for code in Code::ALL {
        let (status, name) = (code.status().as_u16(), code.as_str());
        let title = code.title();
        write!(list, "<li>{status} <a href=\"/problems/{name}\"><code>{name}</code></a>: {title}</li>")
            .expect("writing to a string can't fail");
    }
    page("Errors", &format!("<p>Every error is <code>application/problem+json</code> (RFC 9457).</p><ul>{list}</ul>"))
}

async fn problem(code: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let code = Code::ALL
        .iter()
        .find(|known| code.as_ref().is_ok_and(|Path(code)| known.as_str() == code))
        .ok_or_else(|| Problem::new(Code::NotFound, "There is no error with this code; see /problems."))?;
    let body = format!(
        "<p><code>{}</code>, status {}</p><p>{}</p><p><a href=\"/problems\">All errors</a> · <a href=\"/docs/\">The API</a></p>",
        code.as_str(),
        code.status(),
        code.advice().replace('<', "&lt;"),
    );
    Ok(page(code.title(), &body))
}

fn page(title: &str, body: &str) -> Response {
    let style = "body{font:1rem/1.5 system-ui;max-width:42rem;margin:3rem auto;padding:0 1rem}code{background:#eee;padding:.1em .3em}";
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title} – Docket</title><style>{style}</style>\
         <h1>{title}</h1>{body}</html>"
    );
    ([(header::CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(html)).into_response()
}

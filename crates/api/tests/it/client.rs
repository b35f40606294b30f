//! A client: short ways to send a request and to look at its answer.

use std::future::{Future, IntoFuture};
use std::pin::Pin;

use http::{HeaderMap, Method};
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) token: Option<String>,
}

/// A request; to await it is to send it.
pub(crate) struct Call(reqwest::RequestBuilder);

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(url: String, token: Option<String>) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { http, url, token }
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let request = self.http.request(method, format!("{}{path}", self.url));
        Call(match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        })
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    /// A command on a ticket, whatever its version is.
    pub(crate) fn command(&self, ticket: &str, command: &str, body: &Value) -> Call {
        self.post(&format!("{ticket}/{command}"), body).header("if-match", "*")
    }

    /// Opens a ticket; the answer is its path.
    pub(crate) async fn open(&self, more: &Value) -> String {
        let mut body = json!({"subject": "The printer is on fire", "body": "Please come with water."});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let opened = self.post("/v1/tickets", &body).await.ok(201);
        opened.header("location").to_owned()
    }

    pub(crate) async fn version(&self, ticket: &str) -> i64 {
        self.get(ticket).await.ok(200).json()["version"].as_i64().unwrap()
    }

    /// The types of its events, in order, as the client sees them.
    pub(crate) async fn events(&self, ticket: &str) -> Vec<String> {
        let history = self.get(&format!("{ticket}/history?limit=200")).await.ok(200).json();
        assert!(history["next_cursor"].is_null(), "more events than a page has");
        let types = history["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap().to_owned());
        types.collect()
    }
}

impl Call {
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value))
    }

    pub(crate) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string()).header("content-type", "application/json")
    }

    /// A body as it is, without a content type.
    pub(crate) fn bytes(self, body: impl Into<Vec<u8>>) -> Self {
        Self(self.0.body(body.into()))
    }

    pub(crate) async fn send(self) -> Answer {
        let answer = self.0.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        Answer { status, headers, body: answer.bytes().await.unwrap().to_vec() }
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.find(name).unwrap_or_else(|| panic!("no header {name} in {self:?}"))
    }

    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next();
        assert!(values.next().is_none(), "two headers {name}");
        value.map(|v| v.to_str().unwrap())
    }

    /// The answer, if it has the status.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The problem, after it has been held to the form that every error has.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        let problem = self.json();
        assert_eq!(problem["error_code"], code, "{text}");
        assert_eq!(problem["status"], status);
        let kind = problem["type"].as_str().unwrap();
        assert!(kind.starts_with("http://") && kind.ends_with(&format!("/problems/{code}")), "{kind}");
        assert!(!problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty());
        assert_eq!(problem["instance"], self.header("x-request-id"), "the instance is the request's id");
        assert_eq!(problem["message"], problem["detail"]);
        assert!(problem["details"].is_object(), "{text}");
        let members = ["type", "title", "status", "detail", "message", "instance", "error_code", "details", "errors"];
        assert!(problem.as_object().unwrap().keys().all(|m| members.contains(&m.as_str())), "{text}");
        problem
    }

    /// The places of the faults that a problem names.
    #[track_caller]
    pub(crate) fn pointers(&self, status: u16, code: &str) -> Vec<String> {
        let problem = self.problem(status, code);
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors in {problem}"));
        assert!(errors.iter().all(|e| e["detail"].as_str().is_some_and(|d| !d.is_empty())), "{problem}");
        let mut pointers = errors.iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        pointers.sort();
        pointers
    }
}

//! The routes as one service. The router checks every request in this order before a handler sees it: who calls (401),
//! how often (429), whether there is such a path (404) and method (405), and the route's guard (403). The fallbacks
//! authenticate as well, so that a caller without a key learns nothing about paths.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::admission::LoadClass;
use crate::app::App;
use crate::endpoint::{Contract, Endpoint};
use crate::extract::caller::{Authenticated, authenticate, principal};
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::Route;
use crate::validation::Validators;
use crate::{middleware, openapi};

/// What the router enforces around a handler.
#[derive(Clone)]
struct Gate {
    app: App,
    guard: Guard,
    load: LoadClass,
    endpoint: Endpoint,
    /// Whether it leads to a route. Nobody is looked up, or registered, for a request that leads nowhere.
    routed: bool,
}

/// A service of these routes, with the checks and the error handling of the whole API.
pub fn router_of(app: &App, routes: Vec<Route>) -> Router {
    let document = openapi::document(&routes);
    let validators = Validators::compile(&document, &routes);
    let contract = Arc::new(Contract { document: document.to_string(), validators });
    let open_paths: HashSet<_> =
        routes.iter().filter(|route| route.guard.is_public()).map(|route| route.path).collect();
    let nothing = Endpoint { resource: None, style: None, body: None, codes: None, contract: contract.clone() };
    let not_found =
        Gate { app: app.clone(), guard: Guard::Principal, load: LoadClass::Exempt, endpoint: nothing, routed: false };
    let wrong_method = not_found.clone();
    let mut service = Router::new();
    for route in routes {
        let endpoint = Endpoint {
            resource: route.resource,
            style: route.style,
            body: route.operation.body.as_ref().map(|body| body.schema.as_str().into()),
            codes: route.is_documented().then(|| route.codes().into()),
            contract: contract.clone(),
        };
        let gate = Gate { app: app.clone(), guard: route.guard, load: route.load, endpoint, routed: true };
        service = service.route(route.path, route.handler.route_layer(from_fn_with_state(gate, enforce)));
    }
    service
        .fallback(move |request: Request| {
            let gate = not_found.clone();
            async move { gate.pass(request, async |_| StatusCode::NOT_FOUND.into_response()).await }
        })
        .method_not_allowed_fallback(move |path: MatchedPath, request: Request| {
            let guard = if open_paths.contains(path.as_str()) { Guard::Public } else { Guard::Principal };
            let gate = Gate { guard, ..wrong_method.clone() };
            async move { gate.pass(request, async |_| StatusCode::METHOD_NOT_ALLOWED.into_response()).await }
        })
        .with_state(app.clone())
        .layer(from_fn_with_state(app.clone(), middleware::layer))
}

async fn enforce(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    gate.pass(request, async |request| next.run(request).await).await
}

impl Gate {
    /// Answers the request, if its caller may make it.
    async fn pass(&self, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
        let response = self.checked(request, answer).await;
        if let (Some(codes), Some(problem)) = (&self.endpoint.codes, response.extensions().get::<Problem>()) {
            debug_assert!(
                codes.contains(&problem.code),
                "a route answers {:?}, which it does not declare",
                problem.code
            );
        }
        response
    }

    async fn checked(&self, mut request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
        request.extensions_mut().insert(self.endpoint.clone());
        if self.guard.is_public() {
            return self.admitted(request, answer).await;
        }
        let caller = match authenticate(&self.app, request.headers()).await {
            Ok(caller) => caller,
            Err(problem) => return problem.into_response(),
        };
        // what counts is the key, also where it acts for many people
        let key = caller.key.clone().unwrap_or_else(|| caller.scope());
        tracing::Span::current().record("caller", tracing::field::display(&key));
        let taken = self.app.rate.as_ref().map(|rate| rate.take(&key));
        let (state, refusal) = taken.map_or((None, None), |(state, refusal)| (Some(state), refusal));
        let checked = match refusal {
            Some(refusal) => Err(refusal),
            None if self.routed => {
                principal(&self.app, self.guard, caller, request.headers(), request.extensions()).await
            }
            None => Ok(caller),
        };
        let mut response = match checked {
            Ok(caller) => {
                request.extensions_mut().insert(Authenticated(caller));
                self.admitted(request, answer).await
            }
            Err(problem) => problem.into_response(),
        };
        if let Some(state) = state {
            state.write(response.headers_mut());
        }
        response
    }

    async fn admitted(&self, request: Request, answer: impl AsyncFnOnce(Request) -> Response) -> Response {
        // a command takes its permit when its body has arrived
        let class = if self.load == LoadClass::Command { LoadClass::Exempt } else { self.load };
        match self.app.admission.enter(class) {
            Ok(_permit) => answer(request).await,
            Err(problem) => Problem::into_response(problem),
        }
    }
}

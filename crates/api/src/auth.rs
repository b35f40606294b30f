//! Who calls: the first of all checks, before it is even looked whether the path is there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use desk::Caller;

use crate::App;
use crate::error::unauthorized;
use crate::problem::Problem;

/// Whoever has shown a valid key.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated(pub(crate) Arc<Caller>);

/// Lets only those with a valid key pass.
pub(crate) async fn layer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match authenticate(&app, request.headers()).await {
        Ok(caller) => {
            tracing::Span::current().record("caller", tracing::field::display(&caller.scope));
            let Some(rate) = app.rate.as_ref() else {
                request.extensions_mut().insert(Authenticated(caller));
                return next.run(request).await;
            };
            let mut taken = rate.take(&caller.scope);
            request.extensions_mut().insert(Authenticated(caller));
            let response = match taken.refusal.take() {
                Some(refusal) if refusal.at_once => refusal.problem.into_response(),
                Some(refusal) => {
                    request.extensions_mut().insert(refusal);
                    next.run(request).await
                }
                None => next.run(request).await,
            };
            taken.tell(response)
        }
        Err(problem) => problem.into_response(),
    }
}

async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unauthorized("The request needs one header 'Authorization: Bearer dk_…' with an API key."));
    };
    let (scheme, token) = value.to_str().ok().and_then(|v| v.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(unauthorized("The Authorization header must have the form 'Bearer dk_…'."));
    }
    Ok(app.desk.keys().verify(token.trim()).await?)
}

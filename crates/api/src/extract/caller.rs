//! Who calls.

use std::sync::Arc;

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use shared_kernel::Principal;

use crate::app::App;
use crate::problem::{Problem, unauthorized};

/// The caller, whom the router has authenticated.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Arc<Principal>);

impl FromRequestParts<App> for Authenticated {
    type Rejection = Problem;

    /// A handler of a public route has no caller: asking for one is answered with 401.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = Extension::<Self>::from_request_parts(parts, app).await;
        caller.map(|Extension(caller)| caller).map_err(|_| unauthorized("The request needs an API key."))
    }
}

/// The caller behind the one `Authorization` header of a request.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Arc<Principal>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unauthorized("The request needs one header 'Authorization: Bearer dk_…' with an API key."));
    };
    match value.to_str().ok().and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(app.desk.keys().verify(token.trim()).await?)
        }
        _ => Err(unauthorized("The Authorization header must have the form 'Bearer dk_…'.")),
    }
}

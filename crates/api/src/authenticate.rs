//! Who calls: the first of all checks, before it is even looked whether the path is there.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use desk::Caller;

use crate::App;
use crate::error::unauthorized;
use crate::problem::Problem;

/// Whoever has shown a valid key.
#[derive(Clone, Debug)]
pub(crate) struct Authenticated(pub(crate) Arc<Caller>);

/// The caller behind the one `Authorization` header of a request.
pub(crate) async fn authenticate(app: &App, headers: &HeaderMap) -> Result<Arc<Caller>, Problem> {
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

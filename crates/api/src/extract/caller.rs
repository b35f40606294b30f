//! Who calls, and for whom.

use std::sync::Arc;

use axum::Extension;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, header};
use desk::{AuthError, Call, PersonName};
use shared_kernel::{PersonId, Principal, Role, ValueError};

use crate::app::App;
use crate::guard::Guard;
use crate::problem::{Code, Problem, unauthorized};
use crate::telemetry::{RequestId, Trace};

/// Names the person for whom a request is made.
pub(crate) const ON_BEHALF_OF: &str = "docket-on-behalf-of";

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
            Ok(app.desk.keys().verify(token.trim(), (app.config.now)()).await?)
        }
        _ => Err(unauthorized("The Authorization header must have the form 'Bearer dk_…'.")),
    }
}

/// The principal of a request that passes the guard: its caller, or the person on whose behalf they call.
pub(crate) async fn principal(
    app: &App,
    guard: Guard,
    caller: Arc<Principal>,
    headers: &HeaderMap,
    extensions: &Extensions,
) -> Result<Arc<Principal>, Problem> {
    if !headers.contains_key(ON_BEHALF_OF) {
        guard.check(caller.role)?;
        return Ok(caller);
    }
    if !caller.acts_for_others {
        let detail = "Docket-On-Behalf-Of is for keys with the scope act-for-others.";
        return Err(Problem::new(Code::Forbidden, detail).with("rule", "act_for_others"));
    }
    // before anybody is looked up, or registered
    guard.check(Role::Requester)?;
    let name = on_behalf_of(headers)?;
    let person = match &name {
        PersonName::Id(_) => app.desk.person_id(&name).await?.ok_or_else(|| invalid("There is no such person."))?,
        PersonName::Email(address, _) => {
            let call = Call {
                correlation_id: extensions.get().map(|id: &RequestId| id.as_str().to_owned()),
                traceparent: extensions.get().and_then(Trace::parent),
                ..Call::new((*caller).clone(), (app.config.now)(), app.config.new_id)
            };
            app.desk.ensure_person(address, None, call).await?
        }
    };
    Ok(Arc::new(app.desk.keys().on_behalf(&caller, person).await?))
}

/// Whether a caller who was let in would still be, with the same key and for the same person.
pub(crate) async fn recheck(app: &App, token: &str, admitted: &Principal) -> Result<(), AuthError> {
    let caller = app.desk.keys().verify(token, (app.config.now)()).await?;
    match acted_for(admitted) {
        Some(_) if !caller.acts_for_others => Err(AuthError::Invalid),
        Some(person) => app.desk.keys().on_behalf(&caller, person).await.map(drop),
        None => Ok(()),
    }
}

fn acted_for(principal: &Principal) -> Option<PersonId> {
    principal.via.as_ref().and_then(|_| principal.person())
}

/// The person whom the header names.
fn on_behalf_of(headers: &HeaderMap) -> Result<PersonName, Problem> {
    let mut lines = headers.get_all(ON_BEHALF_OF).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Err(invalid("There is more than one Docket-On-Behalf-Of; send one."));
    };
    // addresses may have letters beyond ASCII (RFC 6532)
    let text = std::str::from_utf8(line.as_bytes()).map_err(|_| invalid("Docket-On-Behalf-Of must be UTF-8."))?;
    text.parse().map_err(|error: ValueError| invalid(&format!("Docket-On-Behalf-Of: {error}.")))
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::InvalidOnBehalfOf, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&[u8]]) -> Result<PersonName, ()> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ON_BEHALF_OF, http::HeaderValue::from_bytes(line).unwrap());
        }
        on_behalf_of(&headers).map_err(|_| ())
    }

    #[test]
    fn on_behalf_of_is_one_id_or_address() {
        for name in ["01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11", "grace@example.com", "jörg@bücher.example"] {
            assert_eq!(parse(&[name.as_bytes()]), Ok(name.parse().unwrap()), "{name}");
        }
        for bad in [&b""[..], b"grace", b"\xff@example.com"] {
            assert_eq!(parse(&[bad]), Err(()), "{bad:?}");
        }
        assert_eq!(parse(&[b"a@b.c", b"a@b.c"]), Err(()));
    }
}

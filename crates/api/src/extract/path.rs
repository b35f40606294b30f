//! The id in a path.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use uuid::Uuid;

use crate::app::App;
use crate::endpoint::Endpoint;
use crate::problem::Problem;

/// The id of the record that a path names: a hyphenated UUID in either case. Anything else names no record: 404.
#[derive(Clone, Copy, Debug)]
pub struct PathId(pub Uuid);

impl FromRequestParts<App> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let id = Path::<String>::from_request_parts(parts, app).await.ok().and_then(|Path(id)| parse(&id));
        id.map(Self).ok_or_else(|| Endpoint::of(&parts.extensions).not_found())
    }
}

fn parse(id: &str) -> Option<Uuid> {
    // braces, "urn:uuid:" and no hyphens at all are other spellings that `Uuid` would read
    (id.len() == uuid::fmt::Hyphenated::LENGTH).then(|| id.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_either_case() {
        let id = "01935b1e-90aa-7b7e-8a54-0c8d8f1f2a11";
        assert_eq!(parse(id), parse(&id.to_uppercase()));
        assert!(parse(id).is_some());
        for bad in
            ["", "7", &id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), "x".repeat(36).as_str()]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

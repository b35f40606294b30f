//! `?version=` and `?at=`: a record as it was.

use desk::AsOf;
use eventstore::Version;
use serde_json::json;

use crate::extract::query::{Query, both, invalid_query};
use crate::problem::{Code, Problem};
use crate::route::Route;
use crate::schema::query_parameter;

/// The route of a record that can be read as it was.
pub(super) fn described(route: Route) -> Route {
    let version = json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX});
    let at = json!({"type": "string", "format": "date-time"});
    route
        .parameter(query_parameter("version", "The record at this version.", &version, &json!(3)))
        .parameter(query_parameter("at", "The record at this time (RFC 3339).", &at, &json!("2026-01-31T09:32:10Z")))
        .errors(&[Code::NoSuchVersion, Code::InvalidQuery])
}

/// The moment that a query asks for.
pub(super) fn as_of(query: Option<&str>) -> Result<AsOf, Problem> {
    let query = Query::read(query, &["version", "at"])?;
    match both(query.positive("version"), query.time("at"))? {
        (Some(_), Some(_)) => Err(invalid_query("version", "give version or at, not both")),
        (Some(version), None) => Ok(AsOf::Version(Version(version))),
        (None, Some(time)) => Ok(AsOf::Time(time)),
        (None, None) => Ok(AsOf::Now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_at_exclude_each_other() {
        assert_eq!(as_of(None).unwrap(), AsOf::Now);
        assert_eq!(as_of(Some("version=3")).unwrap(), AsOf::Version(Version(3)));
        assert!(matches!(as_of(Some("at=2026-01-31T09:32:10Z")), Ok(AsOf::Time(_))));
        for bad in ["version=3&at=2026-01-31T09:32:10Z", "version=0", "at=today", "x=1"] {
            assert!(as_of(Some(bad)).is_err(), "{bad}");
        }
    }
}

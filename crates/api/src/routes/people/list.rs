//! `GET /v1/people`.

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use desk::PersonName;
use person_aggregate::Person;
use projections::PersonQuery;
use serde::Serialize;
use serde_json::json;
use shared_kernel::{EmailAddress, PersonId};
use utoipa::ToSchema;

use super::view::PersonView;
use crate::admission::LoadClass;
use crate::app::App;
use crate::extract::query::{Query, invalid_query};
use crate::guard::Guard;
use crate::problem::Problem;
use crate::route::Route;
use crate::routes::lists::{LIST_HEADERS, described, linked, page_of};
use crate::routes::read_model::Freshness;
use crate::routes::records::Resource;
use crate::schema::query_parameter;
use crate::validation::pattern;

/// A page of people.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PersonList)]
struct PersonListView {
    items: Vec<PersonView>,
    /// The start of the next page: send it as `cursor`. Null on the last page.
    next_cursor: Option<String>,
}

pub(super) fn route() -> Route {
    let text = json!({"type": "string", "minLength": 1, "pattern": r"^[^\x00]*[^\s\x00][^\x00]*$"});
    let address = json!({"type": "string", "maxLength": 254, "pattern": pattern("address")});
    let route = Route::new(Method::GET, Person::PATH, Guard::Staff, LoadClass::Query, get(handle)).operation(
        "list_people",
        "people",
        "List and search people",
        "In the order of their registration, without those who were merged into others; from a read model: `Docket-Position` \
         says how far it has read the log. All filters must match.",
    );
    let route = route
        .parameter(query_parameter(
            "q",
            "Words that follow each other in a name or an address; the last one may go on.",
            &text,
            &json!("grace hop"),
        ))
        .parameter(query_parameter(
            "email",
            "The person with this address, or the one into whom they were merged.",
            &address,
            &json!("grace@example.com"),
        ))
        .parameter(query_parameter(
            "blocked",
            "true: only those who are blocked; false: only the others.",
            &json!({"type": "boolean"}),
            &json!(false),
        ));
    described(route).returns::<PersonListView>(
        StatusCode::OK,
        "A page of the list.",
        LIST_HEADERS,
        &json!({"items": [Person::example()], "next_cursor": null}),
    )
}

async fn handle(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Result<Response, Problem> {
    let given = Query::read(query.as_deref(), &["q", "email", "blocked", "limit", "cursor"])?;
    let (limit, cursor) = page_of(&given)?;
    let q = given.text("q").map(str::to_owned);
    if q.as_ref().is_some_and(|q| q.trim().is_empty()) {
        return Err(invalid_query("q", "must not be blank"));
    }
    let (email, blocked) = (given.parsed::<EmailAddress>("email")?, given.flag("blocked")?);
    let asked = Freshness::read(&headers)?;
    let ids = match email {
        Some(address) => {
            let name = PersonName::Email(address, None);
            // an address that leads to nobody leads to no row
            vec![app.desk.person_id(&name).await?.unwrap_or(PersonId::NOBODY)]
        }
        None => Vec::new(),
    };
    let query = PersonQuery { ids, address: None, q, merged: Some(false), blocked, limit, cursor };
    let page = app.read_models.people(&query, asked.at_least).await?;
    let items = page.items.iter().map(|row| PersonView::new(row.id, row.version, &row.record)).collect();
    let response = Json(PersonListView { items, next_cursor: page.next.clone() }).into_response();
    let response = linked(Person::PATH, &given, page.next.as_ref(), response);
    Ok(asked.answered(response, page.position))
}

//! `/v1/people`.

mod add_identity;
mod block;
mod create;
mod list;
mod merge;
mod remove_identity;
mod rename;
mod unblock;
mod view;
mod vocabulary;

use person_aggregate::Person;

use crate::route::Route;
use crate::routes::records;

pub(super) use rename::RenamePerson;
pub(super) use view::PersonView;

pub(super) fn routes() -> Vec<Route> {
    let get = records::get_route::<Person>("/v1/people/{id}");
    let history = records::history_route::<Person>("/v1/people/{id}/history");
    vec![
        create::route(),
        list::route(),
        get.operation(
            "get_person",
            "people",
            "Read a person",
            "As they are, or as they were. Somebody who was merged into another is still there; `merged_into` names the other.",
        ),
        history.operation("get_person_history", "people", "Read the history of a person", "Their events in order."),
        rename::route(),
        add_identity::route(),
        remove_identity::route(),
        merge::route(),
        block::route(),
        unblock::route(),
    ]
}

//! `/v1/agents`.

mod capacity;
mod join_team;
mod leave_team;
mod list;
mod presence;
mod register;
mod rename;
mod skills;
mod view;
mod vocabulary;

use agent_aggregate::Agent;

use crate::route::Route;
use crate::routes::records;

pub(super) fn routes() -> Vec<Route> {
    let get = records::get_route::<Agent>("/v1/agents/{id}");
    let history = records::history_route::<Agent>("/v1/agents/{id}/history");
    vec![
        register::route(),
        list::route(),
        get.operation("get_agent", "agents", "Read an agent", "As they are, or as they were."),
        history.operation("get_agent_history", "agents", "Read the history of an agent", "Their events in order."),
        rename::route(),
        join_team::route(),
        leave_team::route(),
        skills::route(),
        capacity::route(),
        presence::route(),
    ]
}

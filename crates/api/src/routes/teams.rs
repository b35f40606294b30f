//! `/v1/teams`.

mod create;
mod list;
mod retire;
mod revise;
mod view;

use crate::route::Route;
use crate::routes::records;

use view::TeamSetting;

pub(super) fn routes() -> Vec<Route> {
    let get = records::get_route::<TeamSetting>("/v1/teams/{id}");
    let history = records::history_route::<TeamSetting>("/v1/teams/{id}/history");
    vec![
        create::route(),
        list::route(),
        get.operation("get_team", "teams", "Read a team", "As it is, or as it was."),
        history.operation("get_team_history", "teams", "Read the history of a team", "Its events in order."),
        revise::route(),
        retire::route(),
    ]
}

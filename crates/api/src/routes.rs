//! Every route. The folder says the URL, and the file says the verb.

mod agents;
mod as_of;
mod docs;
mod events;
mod health;
mod history;
mod lists;
mod me;
mod pages;
mod people;
mod problem;
mod projections;
mod read_model;
mod records;
mod reports;
mod teams;
mod tickets;

use axum::Router;

use crate::app::App;
use crate::route::Route;
use crate::router::router_of;

/// All of them.
pub(crate) fn all() -> Vec<Route> {
    let all = [
        tickets::routes(),
        people::routes(),
        agents::routes(),
        teams::routes(),
        me::routes(),
        events::routes(),
        reports::routes(),
        projections::routes(),
        operations(),
        docs::routes(),
    ];
    all.into_iter().flatten().collect()
}

/// What a process serves that has other work than answering clients.
fn operations() -> Vec<Route> {
    health::routes()
}

/// The API as a service.
pub fn router(app: &App) -> Router {
    router_of(app, if app.config.operations_only { operations() } else { all() })
}

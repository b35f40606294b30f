//! Every route: the folder says the URL.

pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod health;
pub(crate) mod projections;
pub(crate) mod read_model;
pub(crate) mod reports;
pub(crate) mod tickets;

use crate::route::Route;

pub(crate) fn all() -> Vec<Route> {
    [tickets::routes(), events::routes(), reports::routes(), projections::routes(), health::routes(), docs::routes()]
        .into_iter()
        .flatten()
        .collect()
}

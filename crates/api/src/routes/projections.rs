//! `/v1/projections`: the state of the read models, and rebuilding them.

mod list;
mod rebuild;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![list::route(), rebuild::route()]
}

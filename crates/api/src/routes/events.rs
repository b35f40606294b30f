//! The log in order, as pages or as server-sent events (WHATWG HTML, section 9.2).

mod filter;
mod list;
mod live;
mod page;
mod view;

use crate::route::Route;

pub(super) fn routes() -> Vec<Route> {
    vec![list::of_all(), list::of_ticket()]
}

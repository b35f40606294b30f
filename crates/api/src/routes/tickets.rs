//! `/v1/tickets`.

mod add_follower;
mod add_tags;
mod asker;
mod assign;
mod await_requester;
mod categorize;
mod change_requester;
mod close;
mod command;
mod commands;
mod confirm;
mod conversation;
mod get;
mod get_by_number;
mod history;
mod hold;
mod link;
mod list;
mod note;
mod open;
mod prioritize;
mod problem;
mod remove_follower;
mod remove_tags;
mod rename;
mod reopen;
mod reply;
mod resolve;
mod resume;
mod route;
mod spam;
mod start;
mod unassign;
mod unlink;
mod view;
pub(super) mod vocabulary;

use crate::route::Route;

pub(crate) use view::TICKET;

pub(super) fn routes() -> Vec<Route> {
    vec![
        open::route(),
        list::route(),
        get::route(),
        get_by_number::route(),
        history::route(),
        conversation::route(),
        commands::route(),
        reply::route(),
        note::route(),
        add_tags::route(),
        remove_tags::route(),
        add_follower::route(),
        remove_follower::route(),
        assign::route(),
        unassign::route(),
        route::route(),
        prioritize::route(),
        categorize::route(),
        rename::route(),
        change_requester::route(),
        start::route(),
        await_requester::route(),
        hold::route(),
        resume::route(),
        resolve::route(),
        confirm::route(),
        reopen::route(),
        close::route(),
        spam::route(),
        link::route(),
        unlink::route(),
    ]
}

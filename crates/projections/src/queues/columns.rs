//! The columns of `queues`: DDL, writer, query and audit go by these lists. No team and no assignee are null.

use uuid::Uuid;

use crate::table::table;

table! {
    /// A queue that is not empty.
    #[derive(sqlx::FromRow)]
    "queues": QueueRow, QueueRows {
        (fixed) team: Option<Uuid> = "uuid",
        (fixed) status: String = "text not null",
        (fixed) assignee: Option<Uuid> = "uuid",
        (fixed) priority: String = "text not null",
        /// The number of its tickets; in a writer, by how many it changes.
        count: i64 = "bigint not null",
    }
}

table! {
    /// The queue that a ticket is counted in.
    #[derive(sqlx::FromRow)]
    "queues_tickets": QueuedTicket, QueuedTickets {
        (fixed) ticket_id: Uuid = "uuid not null",
        /// The version at which the ticket came to this queue.
        version: i64 = "bigint not null",
        team: Option<Uuid> = "uuid",
        status: String = "text not null",
        assignee: Option<Uuid> = "uuid",
        priority: String = "text not null",
    }
}

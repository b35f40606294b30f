//! The closed vocabularies of tickets, as schemas.

use crate::schema::enum_schema;

enum_schema!(
    /// How urgent a ticket is.
    Priority = ticket_aggregate::Priority::ALL
);
enum_schema!(
    /// The states of the state machine.
    TicketStatus = ticket_aggregate::Status::ALL
);
enum_schema!(
    /// What another ticket is to this one.
    LinkKind = ticket_aggregate::LinkKind::ALL
);

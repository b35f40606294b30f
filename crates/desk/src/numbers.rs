//! Ticket numbers: `#1042`. A sequence hands them out without a lock; the alias taken with the
//! opening makes them unique, whatever the sequence does. A number whose opening was refused is
//! not used.

use ticket_aggregate::{TicketId, TicketNumber};

use crate::execute::aliases::{NUMBER_SCOPE, number_alias};
use crate::{Desk, DeskError};

impl Desk {
    /// A number that no ticket has yet.
    pub async fn next_number(&self) -> Result<TicketNumber, DeskError> {
        let number: i64 = sqlx::query_scalar("select nextval('ticket_numbers')").fetch_one(&self.pool).await?;
        TicketNumber::try_from(number).map_err(|_| DeskError::Contended)
    }

    /// Hands out again the numbers above the last one that a ticket took: an import that goes on gives
    /// the numbers that it would have given, had it not been killed in between. (It is not only the one
    /// number that its opener held: a sequence of a server that was killed goes on up to 32 further.)
    /// Should somebody be about to take one of them after all, the alias decides, and the other gets
    /// the next one.
    pub async fn reclaim_last_number(&self) -> Result<(), DeskError> {
        let last: Option<i64> = sqlx::query_scalar("select last_value from ticket_numbers where is_called")
            .fetch_optional(&self.pool)
            .await?;
        if let Some(last) = last
            && self.store.resolve(NUMBER_SCOPE, &last.to_string()).await?.is_none()
        {
            sqlx::query("select setval('ticket_numbers', $1, false)").bind(last).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// The ticket with a number.
    pub async fn by_number(&self, number: TicketNumber) -> Result<TicketId, DeskError> {
        let stream = self.store.resolve(NUMBER_SCOPE, &number_alias(number)).await?;
        stream.map(|id| TicketId(id.0)).ok_or(DeskError::NotFound)
    }
}

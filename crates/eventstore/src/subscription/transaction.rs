use sqlx::{PgConnection, Postgres, Transaction};

use super::{SubscriptionError, lost};
use crate::{Checkpoint, Position};

/// A transaction that moves the checkpoint when it is committed. Dropped without, it is rolled back.
#[derive(Debug)]
pub struct SubscriptionTransaction<'a> {
    pub(super) transaction: Transaction<'a, Postgres>,
    pub(super) name: &'a str,
    pub(super) position: &'a mut Position,
    pub(super) delivered: &'a mut Position,
}

impl SubscriptionTransaction<'_> {
    /// The connection, for the effect.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Gives up the effect.
    ///
    /// # Errors
    /// If the connection is lost.
    pub async fn rollback(self) -> Result<(), SubscriptionError> {
        let Self { transaction, name, .. } = self;
        transaction.rollback().await.map_err(|error| lost(name, error.into()))
    }

    /// Commits the effect and the checkpoint together.
    ///
    /// # Errors
    /// [`SubscriptionError::LeadershipLost`] if another process has moved the checkpoint, or the connection was lost; in the
    /// latter case the effect may be committed, and the checkpoint with it.
    pub async fn commit(self, through: Position) -> Result<(), SubscriptionError> {
        let Self { mut transaction, name, position, delivered } = self;
        let moved = Checkpoint::advance(&mut *transaction, name, *position, through).await;
        if !moved.map_err(|error| lost(name, error))? {
            return Err(SubscriptionError::LeadershipLost { name: name.to_owned(), source: None });
        }
        transaction.commit().await.map_err(|error| lost(name, error.into()))?;
        *position = through;
        *delivered = through.max(*delivered);
        Ok(())
    }
}

use eventstore::EventStore;
use sqlx::PgPool;

use crate::progress::Progress;
use crate::read_model::ReadModel;

/// What the projector and the rebuilds of one read model work with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) store: EventStore,
    pub(crate) pool: PgPool,
    pub(crate) model: &'static dyn ReadModel,
    pub(crate) progress: Progress,
}

impl Context {
    pub(crate) fn name(&self) -> &'static str {
        self.model.name()
    }
}

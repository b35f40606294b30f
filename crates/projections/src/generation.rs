use std::fmt;

/// The number of a generation: one set of a read model's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(pub(crate) i32);

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Generation {
    /// The name of its checkpoint.
    pub(crate) fn checkpoint(self, model: &str) -> String {
        format!("{model}@{self}")
    }

    /// A script of a read model, for this generation.
    pub(crate) fn script(self, sql: &str) -> String {
        sql.replace("GENERATION", &self.to_string())
    }
}

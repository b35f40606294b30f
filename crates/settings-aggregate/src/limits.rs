//! How long the texts of settings may be, in characters (Unicode scalar values).

/// The description of a team.
pub const DESCRIPTION: usize = 1_000;

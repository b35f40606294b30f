//! How much an agent may have.

/// How many teams an agent may be in.
pub const TEAMS: usize = 100;
/// How many skills an agent may have.
pub const SKILLS: usize = 100;
/// The largest finite capacity.
pub const CAPACITY: u32 = 10_000;

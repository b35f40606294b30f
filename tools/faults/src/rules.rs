//! The invariants, by their numbers.

/// What must hold.
pub(crate) const RULES: &[(u8, &str)] = &[
    (ACKNOWLEDGED, "what was acknowledged is in the log exactly once, as it was sent, side by side"),
    (REFUSED, "a refused command left nothing, and nobody's events are in the log"),
    (GAPLESS, "positions and versions have no gap, recorded_at never runs backwards"),
    (ORDER, "position order is commit order, and keeps the order of acknowledgements"),
    (CONDITIONAL, "of one If-Match version one succeeds; no read is older than what was acknowledged"),
    (READ_MODELS, "a read model is the fold of the log, a rebuild gives the same, positions don't go back"),
    (BROKER, "the broker holds the log, each event once and in order"),
    (RETRIES, "a retry gets the same answer"),
    (UNKNOWN, "an unknown outcome is found out, or said to be unknown"),
    (RECOVERY, "after a fault everything goes on by itself, and in time"),
    (IMMUTABLE, "the database refuses changes, and the audit finds what a superuser did"),
    (ANSWERS, "no 500, no panic; reads go on while nothing can be written"),
];

pub(crate) const ACKNOWLEDGED: u8 = 1;
pub(crate) const REFUSED: u8 = 2;
pub(crate) const GAPLESS: u8 = 3;
pub(crate) const ORDER: u8 = 4;
pub(crate) const CONDITIONAL: u8 = 5;
pub(crate) const READ_MODELS: u8 = 6;
pub(crate) const BROKER: u8 = 7;
pub(crate) const RETRIES: u8 = 8;
pub(crate) const UNKNOWN: u8 = 9;
pub(crate) const RECOVERY: u8 = 10;
pub(crate) const IMMUTABLE: u8 = 11;
pub(crate) const ANSWERS: u8 = 12;

//! Bugs planted in Docket, to see whether the checker catches them: only then is it to be trusted.

use clap::ValueEnum;

use crate::faults::Fault;
use crate::report::Report;
use crate::rules;

/// Every bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Bug {
    /// An append that ignores the expected version
    BlindAppend,
    /// Positions from a sequence, given out before the commit
    Sequence,
    /// An answer before the commit
    EarlyAnswer,
    /// A relay without its fence
    UnfencedRelay,
}

impl Bug {
    /// What arms it.
    pub(crate) fn failpoint(self) -> &'static str {
        match self {
            Self::BlindAppend => "planted.blind_append=return",
            Self::Sequence => "planted.sequence=return",
            Self::EarlyAnswer => "planted.early_answer=return",
            Self::UnfencedRelay => "planted.unfenced_relay=return",
        }
    }

    /// What brings it to light.
    pub(crate) fn faults(self) -> &'static [Fault] {
        match self {
            Self::BlindAppend => &[],
            Self::Sequence => &[Fault::Kill, Fault::BackendTerminate],
            Self::EarlyAnswer => &[Fault::SlowPostgres, Fault::CutPostgres, Fault::PostgresKill, Fault::Kill],
            Self::UnfencedRelay => &[Fault::Kill, Fault::NatsKill],
        }
    }

    /// Which of the invariants it breaks: at least one of these must be found broken.
    fn breaks(self) -> &'static [u8] {
        match self {
            Self::BlindAppend => &[rules::CONDITIONAL],
            Self::Sequence => &[rules::GAPLESS, rules::ORDER],
            Self::EarlyAnswer => &[rules::ACKNOWLEDGED, rules::CONDITIONAL],
            Self::UnfencedRelay => &[rules::BROKER],
        }
    }

    /// Whether a run has found it.
    pub(crate) fn is_caught_by(self, report: &Report) -> bool {
        self.breaks().iter().any(|rule| report.broken.contains_key(rule))
    }
}

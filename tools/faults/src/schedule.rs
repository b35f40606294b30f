//! Which faults come when: each alone first, then two at a time as well. The same seed, the same schedule.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::faults::Fault;

/// Faults that strike at once, each with the seed that decides to whom and for how long, and the quiet before them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) quiet: Duration,
    pub(crate) faults: Vec<(Fault, u64)>,
}

/// An endless schedule.
#[derive(Debug)]
pub(crate) struct Schedule {
    rng: StdRng,
    faults: Vec<Fault>,
    waiting: Vec<Fault>,
    /// How often each has had its turn.
    rounds: u32,
}

impl Schedule {
    pub(crate) fn new(seed: u64, faults: &[Fault]) -> Self {
        let mut faults = faults.to_vec();
        faults.sort();
        faults.dedup();
        Self { rng: StdRng::seed_from_u64(seed), faults, waiting: Vec::new(), rounds: 0 }
    }
}

impl Iterator for Schedule {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.waiting.is_empty() {
            self.waiting.clone_from(&self.faults);
            self.waiting.shuffle(&mut self.rng);
            self.rounds += 1;
        }
        let first = self.waiting.pop()?;
        let mut faults = vec![(first, self.rng.random())];
        if self.rounds > 1 && self.rng.random_ratio(1, 2) {
            // two hands on one server would only hinder each other
            let others: Vec<_> = self.faults.iter().filter(|other| other.strikes() != first.strikes()).collect();
            if !others.is_empty() {
                let second = *others[self.rng.random_range(0..others.len())];
                faults.push((second, self.rng.random()));
            }
        }
        Some(Step { quiet: Duration::from_millis(self.rng.random_range(200..1_500)), faults })
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn seed_determines_schedule() {
        let all = Fault::value_variants();
        let steps: Vec<_> = Schedule::new(7, all).take(100).collect();
        assert_eq!(steps, Schedule::new(7, all).take(100).collect::<Vec<_>>());
        assert_ne!(steps, Schedule::new(8, all).take(100).collect::<Vec<_>>());
        let (first, later) = steps.split_at(all.len());
        assert!(first.iter().all(|step| step.faults.len() == 1));
        let mut seen: Vec<_> = first.iter().map(|step| step.faults[0].0).collect();
        seen.sort();
        assert_eq!(seen, all);
        assert!(later.iter().any(|step| step.faults.len() == 2));
    }
}

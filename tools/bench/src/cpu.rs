//! Who used the processor: what a figure is made of, where client and servers share a machine.

use std::fs;
use std::time::Duration;

/// The processor time of some processes and their children, up to now.
#[derive(Clone, Debug)]
pub struct CpuTimes(Vec<Duration>);

impl CpuTimes {
    /// Of these processes, each with its children, living and dead; of the bench itself, without: they are the servers.
    /// Zero where the system doesn't tell (it is Linux's `/proc` that is asked).
    #[must_use]
    pub fn of(pids: &[u32]) -> Self {
        let all: Vec<Stat> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Stat::read)
            .collect();
        let ticks = |pid: u32| -> u64 {
            if pid == std::process::id() {
                return all.iter().filter(|stat| stat.pid == pid).map(|stat| stat.own).sum();
            }
            let family = all.iter().filter(|stat| stat.pid == pid || stat.parent == pid);
            family.map(|stat| stat.own + stat.children).sum()
        };
        Self(pids.iter().map(|pid| Duration::from_millis(10 * ticks(*pid))).collect())
    }

    /// What each has used since.
    #[must_use]
    pub fn since(&self, before: &Self) -> Vec<Duration> {
        self.0.iter().zip(&before.0).map(|(now, then)| now.saturating_sub(*then)).collect()
    }
}

struct Stat {
    pid: u32,
    parent: u32,
    /// Hundredths of a second.
    own: u64,
    /// The same, of children that have ended.
    children: u64,
}

impl Stat {
    fn read(pid: u32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // the name, in parentheses, may hold anything
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let sum = |fields: &[&str]| fields.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
        let (own, children) = (sum(fields.get(11..13)?), sum(fields.get(13..15)?));
        Some(Self { pid, parent: fields.get(1)?.parse().ok()?, own, children })
    }
}

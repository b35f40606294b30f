//! The log by itself, and what followers saw of it.

use std::collections::HashMap;

use super::Kept;
use crate::follow::Seen;
use crate::rules;
use crate::world::World;

/// Positions and versions without a gap, times that don't run backwards.
pub(super) fn sound(world: &World, kept: &Kept) {
    let mut versions = HashMap::new();
    let mut before = 0;
    for (number, event) in (1..).zip(&kept.events) {
        if event.position != number {
            world.findings.add(rules::GAPLESS, format!("event {number} of the log has position {}", event.position));
            // what follows would only repeat it
            break;
        }
    }
    for event in &kept.events {
        let version = versions.entry(event.stream_id).or_insert(0);
        *version += 1;
        if event.version != *version {
            let what = format!(
                "{} has version {} at position {}, after {}",
                event.stream_id,
                event.version,
                event.position,
                *version - 1
            );
            world.findings.add(rules::GAPLESS, what);
        }
        if event.recorded_at < before {
            let what = format!("position {} was recorded before the one below it", event.position);
            world.findings.add(rules::GAPLESS, what);
        }
        before = event.recorded_at;
    }
}

/// What was seen at a position is what is there now, and nothing was passed over.
pub(super) fn seen(world: &World, kept: &Kept, seen: &[Seen]) {
    for (follower, seen) in seen.iter().enumerate() {
        for (position, essence) in (1..).zip(seen) {
            let there = kept.by_position.get(&position).map(|index| {
                let event = &kept.events[*index];
                format!("{} {} {}", event.stream_id, event.version, event.kind)
            });
            if there.as_ref() != Some(essence) {
                let what = format!("follower {follower} saw {essence} at {position}, where the log has {there:?}");
                world.findings.add(rules::ORDER, what);
            }
        }
        if seen.len() < kept.events.len() {
            let what = format!("follower {follower} saw {} of {} events", seen.len(), kept.events.len());
            world.findings.add(rules::RECOVERY, what);
        }
    }
}

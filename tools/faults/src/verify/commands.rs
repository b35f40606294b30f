//! Every command against the log: acknowledged, refused, unknown; lost, doubled, unexpected.

use std::collections::{HashMap, HashSet};

use super::{Event, Kept};
use crate::history::{Command, Known, Outcome};
use crate::report::Account;
use crate::rules;
use crate::world::World;

pub(super) fn all(world: &World, kept: &Kept, commands: &[Command], account: &mut Account) {
    let words = words(kept);
    for command in commands {
        one(world, kept, command, &words, account);
    }
    nobody_else(world, kept, commands, account);
    in_order_of_acknowledgement(world, commands);
}

/// At which positions each nonce stands in a payload.
fn words(kept: &Kept) -> HashMap<&str, Vec<i64>> {
    let mut words: HashMap<&str, Vec<i64>> = HashMap::new();
    for event in &kept.events {
        let mut found = HashSet::new();
        // what a change replaces is repeated in it as `from`
        let replaced = event
            .payload
            .find("\"from\"")
            .map(|at| (at, event.payload[at..].find(',').map_or(usize::MAX, |end| at + end)));
        for (at, _) in event.payload.match_indices("zq") {
            let is_old = replaced.is_some_and(|(begin, end)| (begin..end).contains(&at));
            if let Some(word) = event.payload.get(at..at + NONCE).filter(|word| !is_old && found.insert(*word)) {
                words.entry(word).or_default().push(event.position);
            }
        }
    }
    words
}

/// How long a nonce is: `World::nonce`.
const NONCE: usize = 15;

fn one(world: &World, kept: &Kept, command: &Command, words: &HashMap<&str, Vec<i64>>, account: &mut Account) {
    let nonce = &command.nonce;
    let unit = kept.unit(nonce);
    let standing = words.get(nonce.as_str()).map_or(&[][..], Vec::as_slice);
    if standing.len() > 1 {
        account.doubled += 1;
        world.findings.add(rules::ACKNOWLEDGED, format!("{nonce} stands at positions {standing:?}"));
    }
    match command.known() {
        Known::Acknowledged => {
            if let Some(unit) = unit {
                acknowledged(world, kept, command, unit, standing, account);
            } else {
                account.lost += 1;
                let what = format!("{nonce} ({}) was acknowledged, and is not in the log", command.path);
                world.findings.add(rules::ACKNOWLEDGED, what);
            }
        }
        Known::Refused => {
            if unit.is_some() || !standing.is_empty() {
                account.unexpected += 1;
                let undone = command.attempts.iter().any(|a| matches!(a.outcome, Outcome::Undone(_)));
                let rule = if undone { rules::UNKNOWN } else { rules::REFUSED };
                let answers: Vec<_> = command.attempts.iter().map(|a| &a.outcome).collect();
                world
                    .findings
                    .add(rule, format!("{nonce} is in the log at {standing:?}, and was answered {answers:?}"));
            }
        }
        Known::Unknown => {
            let there = unit.is_some();
            if there == standing.is_empty() && command.text.is_some() {
                let what = format!("{nonce}: receipt {there}, in the log at {standing:?}");
                world.findings.add(rules::ACKNOWLEDGED, what);
            }
        }
    }
    if let (Some(unit), Some(expected)) = (unit, command.if_match) {
        from_its_version(world, kept, command, unit, expected);
    }
}

fn acknowledged(
    world: &World,
    kept: &Kept,
    command: &Command,
    unit: &[usize],
    standing: &[i64],
    account: &mut Account,
) {
    let nonce = &command.nonce;
    let events: Vec<&Event> = unit.iter().map(|index| &kept.events[*index]).collect();
    if events.windows(2).any(|two| two[1].position != two[0].position + 1) {
        let positions: Vec<_> = events.iter().map(|event| event.position).collect();
        world.findings.add(rules::ACKNOWLEDGED, format!("the events of {nonce} stand at {positions:?}"));
    }
    if let Some(text) = &command.text {
        let written = serde_json::to_string(text).unwrap_or_default();
        let whole = events.iter().any(|event| event.payload.contains(&written));
        if standing.is_empty() || !whole {
            account.lost += 1;
            world.findings.add(rules::ACKNOWLEDGED, format!("what was sent as {nonce} is not in its events"));
        }
    }
    let Some(answer) = command.answer() else { return };
    let at = kept.by_position.get(&answer.position).map(|index| &kept.events[*index]);
    let right = at.is_some_and(|event| {
        Some(event.stream_id) == answer.ticket()
            && event.version == answer.version()
            && events[0].command_id == event.command_id
    });
    if !right {
        let what = format!(
            "{nonce} was answered version {} at position {}, where {at:?} stands",
            answer.version(),
            answer.position
        );
        world.findings.add(rules::ACKNOWLEDGED, what);
    }
}

/// What was to proceed from a version has that version's next: no two can.
fn from_its_version(world: &World, kept: &Kept, command: &Command, unit: &[usize], expected: i64) {
    let first = unit.iter().map(|index| &kept.events[*index]).find(|event| Some(event.stream_id) == command.ticket);
    if let Some(first) = first
        && first.version != expected + 1
    {
        let what = format!(
            "{} had If-Match \"{expected}\", and became version {} of {}",
            command.nonce, first.version, first.stream_id
        );
        world.findings.add(rules::CONDITIONAL, what);
    }
}

/// Every unit in the log has a receipt, whose key is one of ours, or a timer's; those of the first start have none.
fn nobody_else(world: &World, kept: &Kept, commands: &[Command], account: &mut Account) {
    let ours: HashSet<&str> = commands.iter().map(|command| command.nonce.as_str()).collect();
    let mut asked: HashMap<&str, u32> = HashMap::new();
    for receipt in kept.receipts.values() {
        let event = kept.by_position.get(&receipt.position).map(|index| &kept.events[*index]);
        match event {
            Some(event) if ours.contains(receipt.key.as_str()) => *asked.entry(&event.command_id).or_default() += 1,
            Some(_) => {
                account.unexpected += 1;
                world
                    .findings
                    .add(rules::REFUSED, format!("there is a receipt for {}, which nobody sent", receipt.key));
            }
            None => world.findings.add(
                rules::ACKNOWLEDGED,
                format!("the receipt of {} points at position {}, where nothing is", receipt.key, receipt.position),
            ),
        }
    }
    for receipt in &kept.timers {
        if let Some(index) = kept.by_position.get(&receipt.position) {
            *asked.entry(&kept.events[*index].command_id).or_default() += 1;
        }
    }
    for (command, events) in &kept.units {
        match asked.get(command.as_str()) {
            Some(1) => {}
            Some(times) => {
                account.doubled += 1;
                world.findings.add(rules::ACKNOWLEDGED, format!("{times} receipts stand for command {command}"));
            }
            None => {
                let position = kept.events[events[0]].position;
                if position <= world.setup || world.poisoned().contains_key(&position) {
                    continue;
                }
                account.unexpected += 1;
                world.findings.add(rules::REFUSED, format!("nobody asked for position {position} (command {command})"));
            }
        }
    }
}

/// If A was acknowledged before B was sent, A's position is lower.
fn in_order_of_acknowledgement(world: &World, commands: &[Command]) {
    let mut sent: Vec<_> = Vec::new();
    let mut told: Vec<_> = Vec::new();
    for command in commands {
        // what a retry repeats was done before
        let Some((answer, at)) = command.acknowledged() else { continue };
        let Some(first) = command.attempts.first() else { continue };
        sent.push((first.sent, answer.position, &command.nonce));
        told.push((at, answer.position, &command.nonce));
    }
    sent.sort_unstable();
    told.sort_unstable();
    let mut told = told.into_iter().peekable();
    let mut highest: Option<(i64, &String)> = None;
    for (at, position, nonce) in sent {
        while let Some((_, position, nonce)) = told.next_if(|(told, ..)| *told < at) {
            if highest.is_none_or(|(highest, _)| position > highest) {
                highest = Some((position, nonce));
            }
        }
        if let Some((highest, before)) = highest
            && position <= highest
        {
            let what =
                format!("{before} was acknowledged at {highest} before {nonce} was sent, which stands at {position}");
            world.findings.add(rules::ORDER, what);
        }
    }
}

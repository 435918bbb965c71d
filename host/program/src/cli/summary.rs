//! Answers for people.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use offermatch::{Explanations, answer_digest, visible, visible_name};

use super::cycle::Cycle;
use crate::LONGEST_MESSAGE;

/// Characters of a full bar.
const BAR: usize = 40;
/// Sentences that a summary has of what would help.
const MOST_REMEDIES: usize = 10;
/// Thousandths of a whole device.
const WHOLE: u128 = 1000;

/// How much was placed, where the time went, how full the offers are and why tasks were not placed.
pub(super) fn text(cycle: &Cycle) -> String {
    let description = cycle.matcher.description();
    let taken = taken(cycle);
    let mut text = format!(
        "{} of {} tasks placed on {} of {} offers, {}, by {} {} ({})\nanswer {}\n\n",
        count(cycle.assignments.tasks.len()),
        count(cycle.tasks.len()),
        count(taken.iter().filter(|&&taken| taken).count()),
        count(cycle.offers.len()),
        cycle.mode,
        visible_name(&description.name),
        visible_name(&description.version),
        visible_name(&description.policy),
        answer_digest(&cycle.assignments),
    );
    if let Some(bound) = &cycle.bound {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "at most {} tasks could be placed, by any matcher\n", count(bound.tasks));
    }
    stages(&mut text, cycle);
    text.push('\n');
    utilisation(&mut text, cycle, &taken);
    if cycle.by_score > 0 {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{}", too_high(cycle.by_score));
    }
    if let Some(unplaced) = &cycle.unplaced {
        reasons(&mut text, unplaced);
        remedies(&mut text, cycle, unplaced);
    } else if cycle.assignments.tasks.len() < cycle.tasks.len() {
        text.push_str("\n--explain says why tasks were not placed\n");
    }
    text
}

/// What is said of tasks that only the maximal score kept from an offer.
pub(super) fn too_high(tasks: usize) -> String {
    format!("{} tasks found only offers whose score is not below the maximal one (--max-score)", count(tasks))
}

/// Adds one line for each stage.
fn stages(text: &mut String, cycle: &Cycle) {
    let stages = &cycle.stages;
    let mut line = |name: &str, time: Duration| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<52}{:>10.2} ms", time.as_secs_f64() * 1000.0);
    };
    line("read: files or sample to rows", stages.read);
    line("columns: rows to columns, with every check of a value", stages.columns);
    line("load: matcher compiled and judged", stages.load);
    line("open: instance made, offers across the border", stages.pool.open);
    line("assign: tasks across, matched, answer back", stages.pool.assign);
    line("verify: answer against the host's own tables", stages.pool.verify);
    if cycle.bound.is_some() {
        line("bound: what could have been placed at most", stages.relax);
    }
    if cycle.unplaced.is_some() {
        line("explain: why tasks were not placed", stages.explain);
    }
}

/// Whether each offer took a task.
fn taken(cycle: &Cycle) -> Vec<bool> {
    let mut taken = vec![false; cycle.offers.len()];
    for &offer in &cycle.assignments.offers {
        taken[offer as usize] = true;
    }
    taken
}

/// Adds a bar for each dimension: what the placed tasks use of all offers, and of those that took one.
fn utilisation(text: &mut String, cycle: &Cycle, taken: &[bool]) {
    let table = cycle.offers.table();
    let dimensions: Vec<_> = cycle.offers.catalog().dimensions().iter().map(|name| visible_name(name)).collect();
    let capacity = if table.capacity.is_empty() { &table.available } else { &table.capacity };
    let names = dimensions.iter().map(AsRef::as_ref).chain(["offers", "devices"]);
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    let mut line = |name: &str, part: u128, whole: u128, note: &str| {
        let _ = writeln!(text, "  {name:<width$}  {}{note}", bar(part, whole));
    };
    let whole = taken.len() as u128;
    line("offers", taken.iter().filter(|&&taken| taken).count() as u128, whole, " of the offers took a task");
    let placed = || cycle.assignments.tasks.iter().map(|&task| task as usize);
    let mut dimension = |name: &str, used: u128, of: &dyn Fn(usize) -> u128| {
        let all = (0..taken.len()).map(of).sum();
        let those_taken = (0..taken.len()).filter(|&offer| taken[offer]).map(of).sum();
        line(name, used, all, " used of all offers");
        line("", used, those_taken, " of those that took a task");
    };
    for (at, name) in dimensions.iter().enumerate() {
        let used = placed().map(|task| u128::from(cycle.tasks.table().demand[task * dimensions.len() + at])).sum();
        dimension(name, used, &|offer| u128::from(capacity[offer * dimensions.len() + at]));
    }
    if (0..taken.len()).any(|offer| !table.devices.of(offer).is_empty()) {
        let asked = &cycle.tasks.table().devices;
        let used = placed().map(|task| u128::from(asked.get(task).copied().unwrap_or(0))).sum();
        dimension("devices", used, &|offer| table.devices.of(offer).len() as u128 * WHOLE);
    }
}

/// A bar and the percentage behind it.
fn bar(part: u128, whole: u128) -> String {
    let share = if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) };
    let full = (share * BAR as f64).round() as usize;
    format!("{}{} {:>5.1} %", "█".repeat(full), "░".repeat(BAR - full), share * 100.0)
}

/// Adds how many unplaced tasks each reason concerns most.
fn reasons(text: &mut String, unplaced: &Explanations) {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for found in unplaced.iter() {
        let mut reasons: Vec<(String, u64)> = Vec::new();
        for (name, check) in &found.by_dimension {
            reasons.push((format!("mostly too little {}", visible_name(name)), u64::from(check.fails)));
        }
        let by_requirement = found.by_requirement.iter().map(|check| u64::from(check.fails)).sum();
        reasons.push(("mostly a requirement".to_owned(), by_requirement));
        reasons.push(("mostly devices".to_owned(), found.by_devices.fails.into()));
        let grouped = found.by_together.iter().chain(&found.by_limit).map(|check| u64::from(check.fails)).sum();
        reasons.push(("mostly a rule of its group".to_owned(), grouped));
        reasons.push(("mostly the score".to_owned(), found.by_score.fails.into()));
        // The first of equals, in the order of the checks.
        let most = reasons.into_iter().rev().max_by_key(|(_, offers)| *offers);
        let none = if found.candidates > 0 { "too few members of its group" } else { "no offers left" };
        let most = most.filter(|(_, offers)| *offers > 0 && found.candidates == 0);
        let reason = most.map_or(none.to_owned(), |(reason, _)| reason);
        *counted.entry(reason).or_default() += 1;
    }
    if counted.is_empty() {
        return;
    }
    text.push_str("\nunplaced tasks, by what most of the remaining offers fail on\n");
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, tasks)| std::cmp::Reverse(*tasks));
    for (reason, tasks) in counted {
        let _ = writeln!(text, "  {:>11}  {reason}", count(tasks));
    }
}

/// Adds what would help, the sentence that concerns most tasks first.
fn remedies(text: &mut String, cycle: &Cycle, unplaced: &Explanations) {
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for found in unplaced.iter() {
        let remedies = cycle.task_rows.get(found.task).map(|task| found.remedies(task, &cycle.units));
        for sentence in remedies.unwrap_or_default() {
            *counted.entry(sentence).or_default() += 1;
        }
    }
    if counted.is_empty() {
        return;
    }
    text.push_str("\nwhat would help, by the number of tasks\n");
    let mut counted: Vec<_> = counted.into_iter().collect();
    counted.sort_by_key(|(_, tasks)| std::cmp::Reverse(*tasks));
    for (sentence, tasks) in counted.iter().take(MOST_REMEDIES) {
        let _ = writeln!(text, "  {:>11}  {}", count(*tasks), visible(sentence, LONGEST_MESSAGE));
    }
    if let Some(more) = counted.len().checked_sub(MOST_REMEDIES).filter(|more| *more > 0) {
        let _ = writeln!(text, "  {:>11}  other sentences; --output json has them all", count(more));
    }
}

/// A count with separators between thousands.
fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

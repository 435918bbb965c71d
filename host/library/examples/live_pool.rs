//! Plays the life of a pool and prints what each task gets, one line a task; tests compare the hosts with it.
//!
//! `live_pool STORY MATCHER [OTHER]`: a story is `{"offers": [...], "cycles": [{"removed": [...], "changed": [...],
//! "added": [...], "tasks": [...]}]}`, with the rows of `docs/formats.md`. With another matcher the pool is opened through a
//! slot, and that one is promoted half way.

use std::error::Error;

use offermatch::{
    Catalog, FallbackMatcher, Format, Matcher, Matching, Mode, Offers, Settings, Slot, Tasks, Update, parse_offers,
    parse_tasks,
};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [story, matcher, other @ ..] = arguments.as_slice() else {
        return Err("live_pool STORY MATCHER [OTHER]".into());
    };
    let story: Value = serde_json::from_str(&std::fs::read_to_string(story)?)?;
    let rows = parse_offers(&story["offers"].to_string(), Format::Json, "offers")?;
    let catalog = Catalog::new(["cpu"], [""; 0]);
    let offers = |rows: &Value| -> Result<Option<Offers>, offermatch::Error> {
        let rows = if rows.is_null() { Vec::new() } else { parse_offers(&rows.to_string(), Format::Json, "offers")? };
        Offers::new(&rows, &catalog).map(Some)
    };
    let settings = Settings { mode: Mode::Shared, ..Settings::default() };
    let slot = Slot::new(Matcher::load(matcher)?);
    let mut pool = match other {
        [] => FallbackMatcher::new(slot.current()).open(&Offers::new(&rows, &catalog)?, &settings)?,
        _ => slot.open(&Offers::new(&rows, &catalog)?, &settings)?,
    };
    let cycles = story["cycles"].as_array().ok_or("a story has cycles")?;
    for (number, cycle) in cycles.iter().enumerate() {
        if let ([other], true) = (other, number == cycles.len() / 2) {
            slot.promote(Matcher::load(other)?, 0);
        }
        let removed = cycle["removed"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        let update = Update {
            removed: removed.collect(),
            changed: offers(&cycle["changed"])?,
            added: offers(&cycle["added"])?,
            ..Update::default()
        };
        pool.update(&update)?;
        let tasks = parse_tasks(&cycle["tasks"].to_string(), Format::Json, "tasks")?;
        let tasks = Tasks::new(&tasks, &catalog)?;
        let answer = pool.assign(&tasks)?;
        let contract = &answer.matcher.description().contract;
        let placed = &answer.assignments;
        for ((&task, &offer), score) in placed.tasks.iter().zip(&placed.offers).zip(&placed.scores) {
            let (task, offer) = (&tasks.names()[task as usize], &pool.offers()[offer as usize]);
            println!("{contract} {task} {offer} {:016x}", score.to_bits());
        }
    }
    Ok(())
}

//! The core, compiled natively into this program: the yardstick of the sandbox, and the plain loop.

use std::time::Duration;

use offermatch::{Assignments, Matcher, Timings};
use offermatch_core::{BestFit, Method, Pool, Shape};

use super::input::Input;
use super::measure::{least, timed};

/// The width of an input's tables.
pub(crate) fn shape(input: &Input) -> Shape {
    let catalog = input.offers.catalog();
    let width = |names: &[String]| u32::try_from(names.len()).expect("few columns");
    // The host gives every table at least one attribute.
    Shape {
        dimensions: width(catalog.dimensions()),
        attributes: width(catalog.attributes()).max(1),
        ..Shape::default()
    }
}

/// An open pool of the native core.
pub(crate) fn open(input: &Input, method: Method) -> anyhow::Result<Pool<BestFit>> {
    let settings = input.settings.columns(input.offers.catalog())?;
    Ok(Pool::open(BestFit, shape(input), input.offers.table(), &settings.columns)?.with_method(method))
}

/// One round of the native core.
pub(crate) fn once(input: &Input, method: Method) -> anyhow::Result<(Duration, Assignments)> {
    timed(|| Ok(open(input, method)?.assign(input.tasks.table())?))
}

/// What a component takes in its best round.
pub(crate) struct Component {
    /// Opening, assigning and verifying in one.
    pub(crate) total: Duration,
    /// The parts of it.
    pub(crate) timings: Timings,
    pub(crate) assignments: Assignments,
}

impl Component {
    /// Opening and assigning, without what the host does afterwards.
    pub(crate) fn matching(&self) -> Duration {
        self.timings.open + self.timings.assign
    }
}

/// A component: its least time for a cycle in a pool of its own. Loading is left out.
pub(crate) fn component(matcher: &Matcher, input: &Input) -> anyhow::Result<Component> {
    let mut best = None;
    least(|| cycle(matcher, input, &mut best))?;
    Ok(best.expect("there is at least one round"))
}

/// Components and the native core by turns, so that all meet the same neighbours: the least time of each.
///
/// # Errors
/// When their answers differ.
pub(crate) fn components_and_core<const N: usize>(
    matchers: [&Matcher; N],
    input: &Input,
) -> anyhow::Result<([Component; N], Duration)> {
    let mut best = [const { None }; N];
    let mut native = Duration::MAX;
    let (_, answer) = least(|| {
        let mut total = Duration::ZERO;
        for (matcher, best) in matchers.into_iter().zip(&mut best) {
            total += cycle(matcher, input, best)?.0;
        }
        let (time, answer) = once(input, Method::Automatic)?;
        native = native.min(time);
        Ok((total, answer))
    })?;
    let best = best.map(|best| best.expect("there is at least one round"));
    for component in &best {
        check_equal("native core", &answer, &component.assignments)?;
    }
    Ok((best, native))
}

/// One cycle of a component, which may be its best.
fn cycle(matcher: &Matcher, input: &Input, best: &mut Option<Component>) -> anyhow::Result<(Duration, ())> {
    let (total, answer) = timed(|| matcher.match_tasks(&input.tasks, &input.offers, &input.settings))?;
    if best.as_ref().is_none_or(|best| total < best.total) {
        *best = Some(Component { total, timings: answer.timings, assignments: answer.assignments });
    }
    Ok((total, ()))
}

/// Refuses to compare times of different answers.
///
/// # Errors
/// When the answers differ.
pub(crate) fn check_equal(what: &str, answer: &Assignments, expected: &Assignments) -> anyhow::Result<()> {
    anyhow::ensure!(answer == expected, "{what}: the answers differ, so that their times cannot be compared");
    Ok(())
}

/// The mode of an input, as a row has it.
pub(crate) fn mode(input: &Input) -> String {
    input.settings.mode.to_string()
}

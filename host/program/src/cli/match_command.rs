//! `offermatch-host match`.

use std::io::Write as _;

use offermatch::{BadRow, visible};

use super::cycle::cycle;
use super::{MatchArguments, OutputArgument, output, summary};
use crate::LONGEST_MESSAGE;

/// Runs the command.
pub(super) fn run(arguments: MatchArguments) -> anyhow::Result<Vec<u8>> {
    let (kind, timings) = (arguments.output, arguments.timings);
    let cycle = cycle(arguments)?;
    for BadRow { error, .. } in &cycle.left_out {
        writeln!(std::io::stderr(), "left out[{}]: {}", error.code(), visible(&error.to_string(), LONGEST_MESSAGE))?;
    }
    for remark in &cycle.remarks {
        writeln!(std::io::stderr(), "remark: {}", visible(remark, LONGEST_MESSAGE))?;
    }
    if cycle.by_score > 0 {
        // Not by the log, which is silent unless it is asked for.
        writeln!(std::io::stderr(), "warning: {}", summary::too_high(cycle.by_score))?;
    }
    match kind {
        OutputArgument::Json => output::json(&cycle, timings),
        OutputArgument::Csv => output::csv(&cycle),
        OutputArgument::Summary => Ok(summary::text(&cycle).into_bytes()),
    }
}

//! `offermatch-host conformance`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use offermatch::{Level, Report, Skips, Suite, Trial};

use super::matcher::{limits, load};
use super::trust::Differs;
use crate::unwritable;

/// Examples for `--help`.
pub(super) const EXAMPLES: &str = "\
A matcher conforms to the contract when every answer is valid, whatever its policy; it is the reference when every answer is
the one of best-fit, bit for bit. Without --level the reference is asked of a matcher whose policy is best-fit, the contract of
any other. The exit code is 0 where the level asked is reached, 1 where it is not. docs/conformance.md has it all.

Examples:
  offermatch-host conformance matcher.wasm
  offermatch-host conformance --level contract --junit report.xml matcher.wasm
  offermatch-host conformance --generated 100000 bundled
  offermatch-host conformance --against again.wasm matcher.wasm    (two builds of one source answer the same)
  offermatch-host conformance --quick matcher.wasm    (seconds, also for an interpreter in a component)
  offermatch-host conformance --generated 1 --seed 4711 matcher.wasm    (the generated case of one seed)";

/// What `conformance` takes.
#[derive(Debug, Args)]
pub(crate) struct ConformanceArguments {
    /// Who is judged: a component, or `reference`, the plain loop
    #[arg(value_name = "PATH|POLICY|bundled|reference", default_value = "bundled")]
    matcher: PathBuf,
    /// The level to reach; otherwise the one that the matcher's policy claims
    #[arg(long, value_enum)]
    level: Option<LevelArgument>,
    /// How many cases to generate, beyond those of the suite, and as many again with every rule mixed
    #[arg(long, value_name = "NUMBER", default_value_t = 300)]
    generated: u64,
    /// The seed of the first generated case; the next ones count up
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How many rounds of calls it has to answer in the memory of a few dozen; 0 for none
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    endurance: u64,
    /// Leave the cases of more than 1,000 rows out, as a slot does: for matchers that take seconds for them
    #[arg(long)]
    quick: bool,
    /// A directory of cases instead of those that come with the program
    #[arg(long, value_name = "DIRECTORY")]
    cases: Option<PathBuf>,
    /// Cases to leave out: GROUP/CASE and the reason, one a line
    #[arg(long, value_name = "FILE")]
    skip: Option<PathBuf>,
    /// Another build of the matcher, which has to answer the same, bit for bit
    #[arg(long, value_name = "PATH")]
    against: Option<PathBuf>,
    /// Write the report as JSON; `-` for standard output, in place of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the report as JUnit has it
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// A JSON object of limits on what a component may use; docs/trust.md lists them
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
}

/// Levels by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LevelArgument {
    /// Every answer is valid, whatever the policy
    Contract,
    /// Every answer is the one of best-fit
    Reference,
}

impl From<LevelArgument> for Level {
    fn from(level: LevelArgument) -> Self {
        match level {
            LevelArgument::Contract => Self::Contract,
            LevelArgument::Reference => Self::Reference,
        }
    }
}

/// Judges a matcher.
///
/// # Errors
/// [`Differs`], with what is to be printed, where the level asked is not reached.
pub(super) fn run(arguments: &ConformanceArguments) -> anyhow::Result<Vec<u8>> {
    let suite = arguments.cases.as_ref().map_or_else(Suite::shipped, Suite::read)?;
    let suite = if arguments.quick { suite.quick() } else { suite };
    let limits = limits(arguments.limits.as_deref())?;
    let trial = Trial {
        level: arguments.level.map(Level::from),
        generated: arguments.generated,
        seed: arguments.seed,
        skips: arguments.skip.as_ref().map_or_else(|| Ok(Skips::default()), Skips::read)?,
        laws: true,
        endurance: arguments.endurance,
        against: arguments.against.as_ref().map(|path| load(path, &limits)).transpose()?,
    };
    let matcher = load(&arguments.matcher, &limits)?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} cases, {eta} left") {
        bar.set_style(style);
    }
    let report = suite.judge(&matcher, &trial, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let output = written(arguments, &report)?.into_bytes();
    if report.conforms { Ok(output) } else { Err(Differs(output).into()) }
}

/// Writes the files that are asked for; what is left for standard output.
fn written(arguments: &ConformanceArguments, report: &Report) -> anyhow::Result<String> {
    if let Some(path) = &arguments.junit {
        std::fs::write(path, report.to_junit()).map_err(unwritable(path))?;
    }
    match &arguments.json {
        Some(path) if path.as_os_str() == "-" => Ok(report.to_json()),
        Some(path) => {
            std::fs::write(path, report.to_json()).map_err(unwritable(path))?;
            Ok(report.to_text())
        }
        None => Ok(report.to_text()),
    }
}

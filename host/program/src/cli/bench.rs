//! `offermatch-host bench`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use offermatch::{DEFAULT_POLICY, Limits, Matcher};
use serde_json::{Value, json};

use super::matcher::load;
use super::progress::Progress;
use crate::bench::report::Report;
use crate::bench::{Bench, border, cores, fenzo, growth, kinds, live, memory, simd, small, start, swap, talk, update};
use crate::unwritable;

/// Examples for `bench --help`.
pub(super) const EXAMPLES: &str = "\
Answers are compared before times are: whatever is measured gives the same answer as everything it is compared with. Times are
the least of several rounds in one run on this machine; compare them with each other, not with those of another machine.

Examples:
  offermatch-host bench talk
  offermatch-host bench kinds --fraction 0.1
  offermatch-host bench all --json figures.json
  offermatch bench draw figures.json --svg plots
  offermatch-host bench simd with-simd128.wasm without.wasm";

/// What `bench` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// What to measure
    #[command(subcommand)]
    what: What,
    /// Write the figures to a file as JSON; `-` prints them instead of the table
    #[arg(long, global = true, value_name = "FILE|-")]
    json: Option<PathBuf>,
    /// Measure the plain loops on this part of the tasks, spread over the cycle
    #[arg(long, global = true, value_name = "PART", default_value_t = 0.1, value_parser = part)]
    fraction: f64,
    /// Measure inputs a twentieth of the size, to see that it works
    #[arg(long, global = true)]
    quick: bool,
    /// The component that is measured
    #[arg(long, global = true, value_name = "PATH|POLICY|bundled", default_value = "bundled")]
    matcher: PathBuf,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
enum What {
    /// The talk's loop natively, on one thread and on all, beside the component
    Talk,
    /// How cost grows from 1,000 to 1,000,000 tasks
    Growth,
    /// Every kind of input in both modes: plain loop, native core, component
    Kinds,
    /// Small inputs, where an index could cost more than it saves
    Small,
    /// Compiling, starting from the cache, instances, calls
    Start,
    /// A cycle that sends what has changed, beside one that sends everything
    Update,
    /// Netflix Fenzo's case: a cluster filled batch by batch
    Fenzo,
    /// The border between host and component alone
    Border,
    /// Two partitions of a cycle on one thread and on two
    Cores,
    /// Memory of the largest input
    Memory,
    /// A pool all of whose offers are replaced in each of 50,000 cycles: time and memory of every thousand
    Live,
    /// Two components side by side
    Simd {
        /// A component, such as one with simd128
        first: PathBuf,
        /// Another one, such as one without
        second: PathBuf,
    },
    /// A swap every 50 ms under four calling threads; what verification costs
    Swap {
        /// The matcher that takes turns; otherwise the same one under another digest
        #[arg(long, value_name = "PATH")]
        other: Option<PathBuf>,
        /// How long to call with swaps; without them, three times a third of it
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// All of these but `live`, `simd` and `swap`
    All,
}

/// Runs the command.
pub(super) fn run(arguments: &BenchArguments) -> anyhow::Result<Vec<u8>> {
    let progress = Progress::new("compiling the matcher");
    let matcher = load(&arguments.matcher, &Limits::in_force()?)?;
    let bench = Bench { quick: arguments.quick, fraction: arguments.fraction, progress: &|what| progress.stage(what) };
    let single = |name: &What| one(&bench, name, &matcher, &arguments.matcher);
    // Memory comes first, while nothing else has been allocated.
    let all = [
        What::Memory,
        What::Talk,
        What::Kinds,
        What::Small,
        What::Growth,
        What::Update,
        What::Fenzo,
        What::Border,
        What::Cores,
        What::Start,
    ];
    let reports = match &arguments.what {
        What::All => all.iter().map(single).collect::<anyhow::Result<Vec<_>>>()?,
        name => vec![single(name)?],
    };
    drop(progress);
    let document = document(&reports, &matcher, arguments);
    let tables: Vec<String> = reports.iter().map(Report::text).collect();
    printed(arguments, &document, tables.join("\n"))
}

/// What is printed: the figures for machines where these are asked for, else the tables.
fn printed(arguments: &BenchArguments, document: &Value, tables: String) -> anyhow::Result<Vec<u8>> {
    let document = format!("{document:#}\n").into_bytes();
    match &arguments.json {
        Some(path) if path == Path::new("-") => return Ok(document),
        Some(path) => {
            if let Some(folder) = path.parent() {
                make(folder)?;
            }
            std::fs::write(path, document).map_err(unwritable(path))?;
        }
        None => {}
    }
    Ok(tables.into_bytes())
}

/// Runs one benchmark.
fn one(bench: &Bench<'_>, what: &What, matcher: &Matcher, name: &Path) -> anyhow::Result<Report> {
    match what {
        What::Talk => talk::run(bench, matcher),
        What::Growth => growth::run(bench, matcher),
        What::Kinds => {
            let limits = Limits { call_milliseconds: None, ..*matcher.limits() };
            kinds::run(bench, matcher, &load(name, &limits)?)
        }
        What::Small => small::run(bench),
        What::Start if name == Path::new("bundled") => {
            start::run(bench, Matcher::bundled_bytes(DEFAULT_POLICY)?, "bundled")
        }
        What::Start => start::run(bench, &std::fs::read(name)?, &name.display().to_string()),
        What::Update => update::run(bench, matcher),
        What::Fenzo => fenzo::run(bench, matcher),
        What::Border => border::run(bench, matcher),
        What::Cores => cores::run(bench, matcher),
        What::Memory => memory::run(bench, matcher),
        What::Live => live::run(bench, matcher),
        What::Simd { first, second } => {
            let (named, other) = (first.display().to_string(), second.display().to_string());
            simd::run(bench, (&named, &Matcher::load(first)?), (&other, &Matcher::load(second)?))
        }
        What::Swap { other, seconds } => {
            let bundled = || Matcher::bundled_bytes(DEFAULT_POLICY).map(<[u8]>::to_vec);
            let first = if name == Path::new("bundled") { bundled()? } else { std::fs::read(name)? };
            let second = other.as_ref().map_or_else(|| Ok(again(&first)), std::fs::read)?;
            swap::run(bench, matcher, [&first, &second], *seconds)
        }
        What::All => unreachable!("all is the others"),
    }
}

/// The same component under another digest: with an empty custom section behind it.
fn again(bytes: &[u8]) -> Vec<u8> {
    // Section 0, of two bytes: a name of one letter.
    [bytes, &[0, 2, 1, b'2']].concat()
}

/// The figures for machines: one object, or, for all of them, a list of objects.
fn document(reports: &[Report], matcher: &Matcher, arguments: &BenchArguments) -> Value {
    let machine = json!({
        "threads": std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "matcher": matcher.digest(),
        "quick": arguments.quick,
        "fraction": arguments.fraction,
    });
    match reports {
        [report] => {
            let mut document = report.document();
            document["machine"] = machine;
            document
        }
        reports => json!({"machine": machine, "benches": reports.iter().map(Report::document).collect::<Vec<_>>()}),
    }
}

/// Makes a folder, where it is not there.
fn make(folder: &Path) -> anyhow::Result<()> {
    Ok(std::fs::create_dir_all(folder).map_err(unwritable(folder))?)
}

/// A part of a whole.
fn part(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(part) if part > 0.0 && part <= 1.0 => Ok(part),
        _ => Err("not above 0 and at most 1".to_owned()),
    }
}

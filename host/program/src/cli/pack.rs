//! `offermatch-host pack`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use offermatch::{Catalog, Offers, Packing, Problem, Reader, Rows, Sample, Tasks, Units};
use serde_json::json;

use super::progress::Progress;
use super::{FormatArgument, OutputArgument, pair, source};

/// Examples for `pack --help`.
pub(super) const EXAMPLES: &str = "\
This is no matcher: it sees all tasks at once, puts them in an order of its own and looks for as few offers as it can for the
time that it is given. Each offer is used once, or with --unlimited as often as needed: how many servers of these kinds do I need?
A time of 0 is first-fit of the largest tasks, at once. docs/pack.md has the rules.

Examples:
  offermatch-host pack --tasks tasks.json --offers offers.csv --output summary
  offermatch-host pack --tasks tasks.json --offers server.json --unlimited --seconds 60
  offermatch-host pack --sample uniform:2000x2000 --rounds 10000     (the same on every machine)";

/// What `pack` takes.
#[derive(Debug, Args)]
pub(crate) struct PackArguments {
    /// Tasks to pack
    #[arg(long, value_name = "FILE", requires = "offers", required_unless_present = "sample")]
    tasks: Option<PathBuf>,
    /// Offers to pack them on
    #[arg(long, value_name = "FILE", requires = "tasks")]
    offers: Option<PathBuf>,
    /// Format of both files
    #[arg(long, value_enum, default_value_t = FormatArgument::Auto)]
    format: FormatArgument,
    /// Generate input instead, as `match` does
    #[arg(long, value_name = "KIND:TASKSxOFFERS[:SEED]", conflicts_with_all = ["tasks", "offers"])]
    sample: Option<Sample>,
    /// What the numbers of a dimension are in, such as cpu=millicores or scratch=bytes; docs/formats.md
    #[arg(long, value_name = "DIMENSION=UNIT", value_parser = pair)]
    unit: Vec<(String, String)>,
    /// Use each offer as often as needed
    #[arg(long)]
    unlimited: bool,
    /// How long to search; 0 takes what first-fit finds
    #[arg(long, value_name = "N", default_value_t = 10)]
    seconds: u64,
    /// Search for so many rounds instead of a time
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    rounds: Option<u64>,
    /// Where the search begins
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// What to print
    #[arg(long, value_enum, default_value_t = OutputArgument::Json)]
    output: OutputArgument,
}

/// Runs the command.
pub(super) fn run(arguments: &PackArguments) -> anyhow::Result<Vec<u8>> {
    let units = Units::new(arguments.unit.iter().map(|(dimension, unit)| (dimension.as_str(), unit)))?;
    let reader = Reader { format: arguments.format.into(), units };
    let (task_rows, offer_rows) = match (&arguments.sample, &arguments.tasks, &arguments.offers) {
        (None, Some(tasks), Some(offers)) => reader.read_tables(tasks, offers)?,
        (Some(sample), ..) => {
            let (tasks, offers) = sample.rows();
            let (tasks, offers) = (Rows::from(tasks), Rows::from(offers));
            reader.check_units(&tasks, &offers)?;
            (tasks.into_parts().0, offers.into_parts().0)
        }
        _ => unreachable!("the arguments are checked to hold a sample or two files"),
    };
    let catalog = Catalog::of(&offer_rows, &task_rows);
    let tasks = Tasks::from_source(&task_rows, &catalog, &source(arguments.tasks.as_deref(), "tasks"))?;
    let offers = Offers::from_source(&offer_rows, &catalog, &source(arguments.offers.as_deref(), "offers"))?;
    let progress = Progress::new("packing");
    let begin = Instant::now();
    let limit = Duration::from_secs(arguments.seconds);
    let goes_on = |rounds: u64| match arguments.rounds {
        Some(most) => rounds < most,
        // The clock is looked at now and then.
        None => begin.elapsed() < limit,
    };
    let (found, problem) = Packing::find(&tasks, &offers, arguments.unlimited, arguments.seed, goes_on)?;
    drop(progress);
    let names = used(&found, &problem, &offers, arguments.unlimited);
    Ok(match arguments.output {
        OutputArgument::Json => document(&found, &names, &tasks).into_bytes(),
        OutputArgument::Csv => csv(&found, &names, &tasks)?,
        OutputArgument::Summary => summary(&found, &tasks).into_bytes(),
    })
}

/// The name of each offer in use; the second and later ones of one offer bear a number.
fn used(found: &Packing, problem: &Problem, offers: &Offers, is_unlimited: bool) -> Vec<String> {
    let mut taken = vec![0_usize; problem.kinds.len()];
    let name = |&(kind, _): &(usize, Vec<usize>)| {
        let (rows, at) = (&problem.kinds[kind].rows, taken[kind]);
        taken[kind] += 1;
        if is_unlimited { format!("{}#{}", offers.names()[rows[0]], at + 1) } else { offers.names()[rows[at]].clone() }
    };
    found.offers.iter().map(name).collect()
}

/// By how much the packing may be above the fewest.
fn gap(found: &Packing) -> f64 {
    if found.bound == 0 { 0.0 } else { (found.offers.len() as f64 - found.bound as f64) / found.bound as f64 }
}

fn document(found: &Packing, names: &[String], tasks: &Tasks) -> String {
    let pairs = found.offers.iter().zip(names).flat_map(|((_, rows), offer)| rows.iter().map(move |&row| (row, offer)));
    let assignments = pairs.map(|(row, offer)| json!({"task": tasks.names()[row], "offer": offer}));
    let unplaced: Vec<&String> = found.unplaced.iter().map(|&row| &tasks.names()[row]).collect();
    let document = json!({
        "offers": found.offers.len(),
        "at_once": found.at_once,
        "at_least": u64::try_from(found.bound).unwrap_or(u64::MAX),
        "gap": gap(found),
        "rounds": found.rounds,
        "tasks": tasks.len(),
        "assignments": assignments.collect::<Vec<_>>(),
        "unplaced": unplaced,
    });
    format!("{document}\n")
}

fn csv(found: &Packing, names: &[String], tasks: &Tasks) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["task", "offer"])?;
    for ((_, rows), offer) in found.offers.iter().zip(names) {
        for &row in rows {
            writer.write_record([&tasks.names()[row], offer])?;
        }
    }
    Ok(writer.into_inner()?)
}

fn summary(found: &Packing, tasks: &Tasks) -> String {
    format!(
        "{} of {} tasks packed on {} offers; {} at once, before the search of {} rounds\n\
         at least {} are needed: the gap is {:.1} %\n",
        tasks.len() - found.unplaced.len(),
        tasks.len(),
        found.offers.len(),
        found.at_once,
        found.rounds,
        found.bound,
        gap(found) * 100.0
    )
}

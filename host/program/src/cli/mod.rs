//! What the program takes, and the commands behind it.

mod bench;
mod conformance;
mod cycle;
mod inspect;
mod manifest;
mod match_command;
mod matcher;
mod new;
mod numbers;
mod output;
mod pack;
mod progress;
mod summary;
pub(crate) mod trust;

use std::env;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use offermatch::{Format, Mode, Sample, visible};

/// Match tasks to resource offers with a WebAssembly matcher.
#[derive(Debug, Parser)]
#[command(name = "offermatch-host", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Log what is done, to standard error (OFFERMATCH_LOG sets it in detail)
    #[arg(long, global = true)]
    pub(crate) verbose: bool,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  offermatch-host match --tasks tasks.json --offers offers.csv --output summary
  offermatch-host match --sample uniform:2000x1000 --mode shared --output summary
  offermatch-host match --format openb --tasks pods.csv --offers nodes.csv --mode shared --explain
  offermatch-host inspect matcher.wasm
  offermatch-host conformance matcher.wasm
  offermatch-host new my-policy
  offermatch-host bench talk

The scheduler, and its tasks, store and agents, are in the Python program `offermatch`; `offermatch-stage` copies data.";

/// Examples for `match --help`.
const MATCH_EXAMPLES: &str = "\
An offer is feasible for a task when every demand fits, every requirement holds and its devices serve the task. Among the
feasible ones the lowest score wins, if it is below the maximal score. In exclusive mode an offer takes one task, in shared
mode it stays with what is left. docs/formats.md describes the files, docs/semantics.md the rules.

Examples:
  offermatch-host match --tasks tasks.json --offers offers.csv
  offermatch-host match --sample realistic:20000x20000:7 --output summary
  offermatch-host match --sample ties:10x4 --mode shared --weight cpu=2 --scale memory=256GiB --output csv
  offermatch-host match --tasks tasks.json --offers offers.csv --matcher strand --workload typical.csv
  offermatch-host match --sample uniform:100x100 --matcher reference     (the plain loop, to compare with)";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Match tasks to offers and print who takes what
    Match(MatchArguments),
    /// Find as few offers as can be for all tasks, offline: how many servers are needed
    #[command(after_help = pack::EXAMPLES)]
    Pack(pack::PackArguments),
    /// Say what a .wasm file is, and whether this host serves it
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(InspectArguments),
    /// Write a new matcher: a policy of ten lines, with all that builds, tests and judges it
    #[command(after_help = new::EXAMPLES)]
    New(new::NewArguments),
    /// Measure the matcher beside what might be used instead
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::BenchArguments),
    /// Answer a recording anew and say what differs; exit code 1 where anything does
    #[command(after_help = trust::REPLAY_EXAMPLES)]
    Replay(trust::ReplayArguments),
    /// Run the conformance cases on a matcher and say which level it reaches; exit code 1 where it misses the one asked
    #[command(after_help = conformance::EXAMPLES)]
    Conformance(conformance::ConformanceArguments),
    /// Write the manifest of a component
    #[command(after_help = manifest::EXAMPLES)]
    Manifest(manifest::ManifestArguments),
    /// Judge what a manifest asks for, as a slot would; exit code 0 where it would be promoted
    #[command(after_help = trust::SWAP_EXAMPLES)]
    Swap(trust::SwapArguments),
}

/// What `match` takes.
#[derive(Debug, Args)]
#[command(after_help = MATCH_EXAMPLES, group = ArgGroup::new("input").required(true).multiple(true))]
pub(crate) struct MatchArguments {
    /// Tasks to place, in order; - is standard input
    #[arg(long, value_name = "FILE", group = "input", requires = "offers")]
    pub(crate) tasks: Option<PathBuf>,
    /// Offers to place them on
    #[arg(long, value_name = "FILE", group = "input", requires = "tasks")]
    pub(crate) offers: Option<PathBuf>,
    /// Format of both files
    #[arg(long, value_enum, default_value_t = FormatArgument::Auto)]
    pub(crate) format: FormatArgument,
    /// Generate input instead: uniform, realistic, ties, nothing-fits, constrained or devices
    #[arg(long, value_name = "KIND:TASKSxOFFERS[:SEED]", group = "input", conflicts_with_all = ["tasks", "offers"])]
    pub(crate) sample: Option<Sample>,
    /// What happens to an offer that takes a task
    #[arg(long, value_enum, default_value_t = ModeArgument::Exclusive)]
    pub(crate) mode: ModeArgument,
    /// Choose an offer only if its score is below this; otherwise there is no limit
    #[arg(long, value_name = "SCORE", allow_negative_numbers = true)]
    pub(crate) max_score: Option<f64>,
    /// The weight of a dimension, such as cpu=2.0, or of devices
    #[arg(long, value_name = "DIMENSION=NUMBER", value_parser = weight)]
    pub(crate) weight: Vec<(String, f64)>,
    /// The scale of a dimension, such as memory=256GiB; or devices=8; otherwise the largest capacity
    #[arg(long, value_name = "DIMENSION=QUANTITY", value_parser = pair)]
    pub(crate) scale: Vec<(String, String)>,
    /// What the matcher's policy takes, such as used-first=1, which opens an untouched offer only where no used one will
    /// do; `inspect` lists its parameters
    #[arg(long, value_name = "NAME=NUMBER", value_parser = weight)]
    pub(crate) parameter: Vec<(String, f64)>,
    /// The tasks that are to be expected, for a policy that looks ahead: rows of tasks, each with its share
    #[arg(long, value_name = "FILE")]
    pub(crate) workload: Option<PathBuf>,
    /// What the numbers of a dimension are in, such as cpu=millicores or scratch=bytes; docs/formats.md
    #[arg(long, value_name = "DIMENSION=UNIT", value_parser = pair)]
    pub(crate) unit: Vec<(String, String)>,
    /// The resource dimensions and their order; otherwise those of the offers
    #[arg(long, value_name = "NAME,...", value_parser = names)]
    pub(crate) dimensions: Option<Names>,
    /// Refuse the files where rows cannot be used, or leave these out, say which, and place the others
    #[arg(long, value_enum, default_value_t = BadRowsArgument::Refuse)]
    pub(crate) bad_rows: BadRowsArgument,
    /// The order in which tasks are placed
    #[arg(long, value_enum, default_value_t = OrderArgument::Given)]
    pub(crate) order: OrderArgument,
    /// Say how many tasks could have been placed at most, and how much of the offers they could have used
    #[arg(long)]
    pub(crate) bound: bool,
    /// Say of each unplaced task why it found no offer, and what would help it
    #[arg(long)]
    pub(crate) explain: bool,
    /// Say in the JSON where the time went
    #[arg(long)]
    pub(crate) timings: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = OutputArgument::Json)]
    pub(crate) output: OutputArgument,
    /// A component, a policy such as `strand`, `bundled`, or `reference`, the plain loop
    #[arg(long, value_name = "PATH|POLICY|bundled|reference", default_value = "bundled")]
    pub(crate) matcher: PathBuf,
    /// A JSON object of limits on what a component may use; docs/trust.md lists them
    #[arg(long, value_name = "FILE")]
    pub(crate) limits: Option<PathBuf>,
    /// Write down what was asked and answered, for `offermatch-host replay`
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// What `inspect` takes.
#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// A .wasm file; otherwise the bundled matcher
    pub(crate) path: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// A JSON object of limits on what a component may use; docs/trust.md lists them
    #[arg(long, value_name = "FILE")]
    pub(crate) limits: Option<PathBuf>,
}

/// What happens to rows that cannot be used, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BadRowsArgument {
    /// The files are refused
    Refuse,
    /// They are left out
    LeaveOut,
}

/// Orders by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderArgument {
    /// As they stand
    Given,
    /// The largest first
    Size,
}

/// Formats by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormatArgument {
    /// By the ending of each file
    Auto,
    /// An array of objects
    Json,
    /// An object a line
    Jsonl,
    /// A line of column names, then rows
    Csv,
    /// Alibaba's OpenB trace
    Openb,
    /// Pods and nodes as kubectl prints them, JSON or YAML
    Kubernetes,
    /// What squeue --json and scontrol show node --json print
    Slurm,
}

impl From<FormatArgument> for Format {
    fn from(format: FormatArgument) -> Self {
        match format {
            FormatArgument::Auto => Self::Auto,
            FormatArgument::Json => Self::Json,
            FormatArgument::Jsonl => Self::JsonLines,
            FormatArgument::Csv => Self::Csv,
            FormatArgument::Openb => Self::Openb,
            FormatArgument::Kubernetes => Self::Kubernetes,
            FormatArgument::Slurm => Self::Slurm,
        }
    }
}

/// Modes by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ModeArgument {
    /// It takes no other task
    Exclusive,
    /// It stays with what is left
    Shared,
}

impl From<ModeArgument> for Mode {
    fn from(mode: ModeArgument) -> Self {
        match mode {
            ModeArgument::Exclusive => Self::Exclusive,
            ModeArgument::Shared => Self::Shared,
        }
    }
}

/// Outputs by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OutputArgument {
    /// One object
    Json,
    /// task,offer,score
    Csv,
    /// For people
    Summary,
}

impl Arguments {
    /// What the command line says. Ends the process where it says something wrong, and where it asks for help.
    pub(crate) fn of_command_line() -> Self {
        Self::try_parse().unwrap_or_else(|error| {
            // What is wrong is told with the arguments as they can be shown.
            let shown =
                env::args_os().map(|argument| visible(&argument.to_string_lossy(), LONGEST_ARGUMENT).into_owned());
            let mut error = Self::try_parse_from(shown).err().unwrap_or(error);
            let asked = match error.get(ContextKind::InvalidSubcommand) {
                Some(ContextValue::String(asked)) => asked.as_str(),
                _ => "",
            };
            if let Some((_, program)) = ELSEWHERE.iter().find(|(commands, _)| commands.contains(&asked)) {
                let help = format!("{asked} is a command of another program: {program}").into();
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![help]));
            }
            error.exit()
        })
    }
}

/// Characters of an argument that are shown.
const LONGEST_ARGUMENT: usize = 500;

/// Commands of the other programs, and how they are called there.
const ELSEWHERE: [(&[&str], &str); 3] = [
    (
        &["submit", "run", "tasks", "cluster", "queues", "store", "kubernetes-scheduler", "day", "agent", "trace"],
        "offermatch, which comes with the Python package (pip install 'offermatch[scheduler]')",
    ),
    (
        &["policies", "demo", "sign", "pull", "push", "doctor"],
        "offermatch, which comes with the Python package (pip install offermatch)",
    ),
    (&["stage"], "offermatch-stage SOURCE... TARGET"),
];

/// Runs a command and gives what is to be printed.
pub(crate) fn run(command: Command) -> anyhow::Result<Vec<u8>> {
    match command {
        Command::Match(arguments) => match_command::run(arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::New(arguments) => new::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Replay(arguments) => trust::replay(&arguments),
        Command::Conformance(arguments) => conformance::run(&arguments),
        Command::Manifest(arguments) => manifest::run(&arguments),
        Command::Swap(arguments) => trust::swap(&arguments),
    }
}

/// What errors call the table that is read from a file, or from none.
fn source(path: Option<&Path>, otherwise: &str) -> String {
    path.map_or_else(|| otherwise.to_owned(), |path| path.display().to_string())
}

/// A name and what it is set to.
fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("not NAME=VALUE".to_owned()),
    }
}

/// Names of dimensions, each once.
#[derive(Debug, Clone)]
pub(crate) struct Names(pub(crate) Vec<String>);

/// Names separated by commas.
fn names(text: &str) -> Result<Names, String> {
    let names: Vec<String> = text.split(',').map(|name| name.trim_matches(' ').to_owned()).collect();
    let twice = names.iter().enumerate().any(|(at, name)| name.is_empty() || names[..at].contains(name));
    if twice { Err("not a list of different names".to_owned()) } else { Ok(Names(names)) }
}

/// A name and its weight.
fn weight(text: &str) -> Result<(String, f64), String> {
    let (name, value) = pair(text)?;
    let weight = value.parse().map_err(|_| format!("{value} is not a number"))?;
    Ok((name, weight))
}

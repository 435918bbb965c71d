//! The command line of the copy engine. Data goes to standard output; notes, logs and errors go to standard error.

mod bench;

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use offermatch_stage::{
    Counts, Digest, Direct, Engine, Keep, Options, Outcome, Request, StageError, Sync, Watch, stage,
};
use serde_json::{Value, json};
use signal_hook::consts::{SIGINT, SIGTERM};
use tracing_subscriber::{EnvFilter, fmt};

use bench::BenchArguments;

/// Examples for `--help`.
const EXAMPLES: &str = "\
Copies files and trees into TARGET. Nothing unfinished ever has its final name; the same command again goes on where a
broken copy stopped and skips what is whole. docs/staging.md describes engines, guarantees and the JSON lines.

Examples:
  offermatch-stage inputs/ weights.bin /mnt/node/task-7
  offermatch-stage --exact model-v3/ /mnt/node/model
  offermatch-stage --checksum --sync each dataset/ /mnt/node
  offermatch-stage --engine io-uring --direct always big.bin /mnt/node
  offermatch-stage --bandwidth 200MB --progress json dataset/ /mnt/node
  offermatch-stage bench --files 100000 /mnt/node        (a source of that name is ./bench)";

/// How often progress is told.
const TICK: Duration = Duration::from_millis(200);

/// Copy a task's data to where it will run.
#[derive(Debug, Parser)]
#[command(
    name = "offermatch-stage",
    version,
    after_help = EXAMPLES,
    arg_required_else_help = true,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    subcommand_negates_reqs = true
)]
struct Arguments {
    /// Something else than a copy
    #[command(subcommand)]
    command: Option<Command>,
    /// Log what is done, to standard error (OFFERMATCH_LOG sets it in detail)
    #[arg(long)]
    verbose: bool,
    /// Files and directory trees to copy
    #[arg(required = true, value_name = "SOURCE")]
    sources: Vec<PathBuf>,
    /// The directory they go into; made if it is not there
    #[arg(required = true, value_name = "TARGET")]
    target: Option<PathBuf>,
    /// TARGET is the name of the copy itself
    #[arg(long)]
    exact: bool,
    /// Who moves the data
    #[arg(long, value_enum, default_value_t = EngineArgument::Auto)]
    engine: EngineArgument,
    /// Pass the page cache by (O_DIRECT)
    #[arg(long, value_enum, default_value_t = DirectArgument::Auto)]
    direct: DirectArgument,
    /// Bytes of one read or write
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = quantity)]
    block: u64,
    /// Blocks of one file under way at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1024))]
    depth: u16,
    /// Files under way at once
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: u16,
    /// The most bytes written in a second, such as 200MB
    #[arg(long, value_name = "BYTES", value_parser = quantity)]
    bandwidth: Option<u64>,
    /// What to keep beside the data
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,...",
          default_values_t = [KeepArgument::Permissions, KeepArgument::Times, KeepArgument::Xattrs, KeepArgument::Sparse,
                              KeepArgument::HardLinks, KeepArgument::Symlinks])]
    keep: Vec<KeepArgument>,
    /// When data must have reached the device
    #[arg(long, value_enum, default_value_t = SyncArgument::Never)]
    sync: SyncArgument,
    /// Digest each file while it is copied, read the copy back and compare
    #[arg(long)]
    checksum: bool,
    /// The BLAKE3 digest that the only source, a file, must have
    #[arg(long, value_name = "DIGEST")]
    expect: Option<Digest>,
    /// How to tell progress
    #[arg(long, value_enum, default_value_t = ProgressArgument::Auto)]
    progress: ProgressArgument,
}

/// What the program does besides copying.
#[derive(Debug, Subcommand)]
enum Command {
    /// Measure ways to copy on a device, with cp and fio beside them
    Bench(BenchArguments),
}

/// Engines by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineArgument {
    /// What the kernel and the file system offer
    Auto,
    /// Read a block, write it, go on
    Blocking,
    /// Asynchronous reads and writes on tokio
    Tokio,
    /// A reflink, or copy_file_range: data stays in the kernel
    CopyFileRange,
    /// io_uring with registered memory
    IoUring,
}

/// When to pass the page cache by.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DirectArgument {
    /// For what would fill half of the memory
    Auto,
    /// For every file of at least one block
    Always,
    /// For none
    Never,
}

/// What to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeepArgument {
    /// Permission bits
    Permissions,
    /// Times of access and modification
    Times,
    /// Owner and group
    Owner,
    /// Extended attributes
    Xattrs,
    /// Holes
    Sparse,
    /// Several names of one file
    HardLinks,
    /// Symbolic links, instead of what they point to
    Symlinks,
    /// Nothing
    None,
}

/// When to synchronise.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SyncArgument {
    /// When the kernel sees fit
    Never,
    /// Before the command ends
    End,
    /// Each file before it takes its name
    Each,
}

/// How to tell progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProgressArgument {
    /// A bar on a terminal, nothing elsewhere
    Auto,
    /// JSON lines on standard output
    Json,
    /// Nothing
    None,
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let directive = if arguments.verbose { "offermatch=debug" } else { "offermatch=error" };
    let filter = EnvFilter::try_from_env("OFFERMATCH_LOG").unwrap_or_else(|_| EnvFilter::new(directive));
    fmt().with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).with_env_filter(filter).init();
    let result = match &arguments.command {
        Some(Command::Bench(what)) => bench::run(what),
        None => copy(arguments),
    };
    match result.and_then(|output| print(&output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

/// Prints data. A reader that closes the pipe early has all it wanted.
fn print(output: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(output).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(StageError::Failed { doing: "write to", path: "standard output".into(), source }.into())
        }
        _ => Ok(()),
    }
}

/// Prints an error as `docs/errors.md` shows it. Gives the exit code: 130, as a shell has it, for a copy that was stopped.
fn complain(error: &anyhow::Error) -> ExitCode {
    let known = error.downcast_ref::<StageError>();
    let text = match known {
        Some(known) => format!("error[{}]: {known}\nhint: {}\n", known.code(), known.hint()),
        None => format!("error: {error:#}\n"),
    };
    // Standard error may be gone.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(if matches!(known, Some(StageError::Cancelled { .. })) { 130 } else { 1 })
}

/// Copies.
fn copy(arguments: Arguments) -> anyhow::Result<Vec<u8>> {
    let watch = Watch::default();
    for signal in [SIGINT, SIGTERM] {
        // The second signal ends the process at once, as if nobody listened.
        signal_hook::flag::register_conditional_default(signal, watch.flag())?;
        signal_hook::flag::register(signal, watch.flag())?;
    }
    let json = arguments.progress == ProgressArgument::Json;
    let bar = arguments.progress == ProgressArgument::Auto && io::stderr().is_terminal();
    let options = options(&arguments);
    let request =
        Request { sources: arguments.sources, target: arguments.target.unwrap_or_default(), exact: arguments.exact };
    if json {
        let sources: Vec<_> = request.sources.iter().map(|source| source.to_string_lossy()).collect();
        tell(&json!({"event": "start", "sources": sources, "target": request.target.to_string_lossy()}));
    }
    let over = Arc::new(AtomicBool::new(false));
    let teller = (json || bar).then(|| {
        let (watch, over) = (watch.clone(), Arc::clone(&over));
        thread::spawn(move || if json { tell_lines(&watch, &over) } else { draw(&watch, &over) })
    });
    let result = stage(&request, &options, &watch);
    over.store(true, Ordering::Relaxed);
    if let Some(teller) = teller {
        teller.thread().unpark();
        // Progress that cannot be told is no reason to fail.
        let _ = teller.join();
    }
    let notices = watch.take_notices();
    if json {
        for notice in notices {
            tell(&json!({"event": "notice", "code": notice.code, "message": notice.message}));
        }
        tell(&counts("progress", watch.counts()));
    } else {
        for notice in notices {
            // Standard error may be gone.
            let _ = writeln!(io::stderr(), "note[{}]: {}", notice.code, notice.message);
        }
    }
    match result {
        Ok(outcome) => Ok(if json { line(&done(&outcome)) } else { summary(&outcome).into_bytes() }),
        Err(error) => {
            if json {
                let (code, hint) = (error.code(), error.hint());
                tell(&json!({"event": "error", "code": code, "message": error.to_string(), "hint": hint}));
            }
            Err(error.into())
        }
    }
}

/// The options in the arguments.
fn options(arguments: &Arguments) -> Options {
    let keeps = |what| arguments.keep.contains(&what);
    Options {
        engine: match arguments.engine {
            EngineArgument::Auto => None,
            EngineArgument::Blocking => Some(Engine::Blocking),
            EngineArgument::Tokio => Some(Engine::Tokio),
            EngineArgument::CopyFileRange => Some(Engine::CopyFileRange),
            EngineArgument::IoUring => Some(Engine::IoUring),
        },
        direct: match arguments.direct {
            DirectArgument::Auto => Direct::Auto,
            DirectArgument::Always => Direct::Always,
            DirectArgument::Never => Direct::Never,
        },
        // A block beyond memory is refused with the other options.
        block: usize::try_from(arguments.block).unwrap_or(usize::MAX),
        depth: arguments.depth.into(),
        jobs: arguments.jobs.into(),
        bandwidth: arguments.bandwidth,
        keep: Keep {
            permissions: keeps(KeepArgument::Permissions),
            times: keeps(KeepArgument::Times),
            owner: keeps(KeepArgument::Owner),
            xattrs: keeps(KeepArgument::Xattrs),
            sparse: keeps(KeepArgument::Sparse),
            hard_links: keeps(KeepArgument::HardLinks),
            symlinks: keeps(KeepArgument::Symlinks),
        },
        sync: match arguments.sync {
            SyncArgument::Never => Sync::Never,
            SyncArgument::End => Sync::End,
            SyncArgument::Each => Sync::Each,
        },
        checksum: arguments.checksum,
        expect: arguments.expect,
    }
}

/// A number of bytes above 0.
fn quantity(text: &str) -> Result<u64, String> {
    match text.parse()? {
        ByteSize(0) => Err("0 bytes are too few".to_owned()),
        ByteSize(bytes) => Ok(bytes),
    }
}

/// Draws a bar until the stage is over.
fn draw(watch: &Watch, over: &AtomicBool) {
    let bar = ProgressBar::new(0);
    let look = "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {msg}";
    if let Ok(style) = ProgressStyle::with_template(look) {
        bar.set_style(style);
    }
    while !over.load(Ordering::Relaxed) {
        let counts = watch.counts();
        bar.set_length(counts.bytes_found);
        bar.set_position(counts.bytes_done);
        bar.set_message(format!("{}/{} files", counts.files_done, counts.files_found));
        thread::park_timeout(TICK);
    }
    bar.finish_and_clear();
}

/// Prints a line now and then until the stage is over.
fn tell_lines(watch: &Watch, over: &AtomicBool) {
    let mut next = Instant::now() + TICK;
    while !over.load(Ordering::Relaxed) {
        thread::park_timeout(next.saturating_duration_since(Instant::now()));
        if Instant::now() < next {
            continue;
        }
        next += TICK;
        for notice in watch.take_notices() {
            tell(&json!({"event": "notice", "code": notice.code, "message": notice.message}));
        }
        tell(&counts("progress", watch.counts()));
    }
}

/// Prints a line of JSON. Who reads no longer has what it wanted.
fn tell(value: &Value) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(&line(value)).and_then(|()| stdout.flush());
}

/// A line of JSON.
fn line(value: &Value) -> Vec<u8> {
    let mut text = value.to_string().into_bytes();
    text.push(b'\n');
    text
}

/// An event with files and bytes.
fn counts(event: &str, counts: Counts) -> Value {
    json!({
        "event": event,
        "files_found": counts.files_found,
        "files_done": counts.files_done,
        "files_skipped": counts.files_skipped,
        "bytes_found": counts.bytes_found,
        "bytes_done": counts.bytes_done,
        "bytes_skipped": counts.bytes_skipped,
    })
}

/// The last event.
fn done(outcome: &Outcome) -> Value {
    let items: Vec<Value> = outcome
        .items
        .iter()
        .map(|item| {
            let digest = item.digest.map(|digest| digest.to_string());
            json!({"source": item.source.to_string_lossy(), "target": item.target.to_string_lossy(), "digest": digest})
        })
        .collect();
    let mut event = counts("done", outcome.counts);
    event["seconds"] = json!(outcome.elapsed.as_secs_f64());
    event["engines"] = json!(outcome.engines);
    event["items"] = json!(items);
    event
}

/// What was done, for people.
fn summary(outcome: &Outcome) -> String {
    let counts = outcome.counts;
    let written = counts.bytes_done - counts.bytes_skipped;
    let seconds = outcome.elapsed.as_secs_f64();
    let rate = written as f64 / seconds.max(1e-9) / 1e6;
    let mut text = format!(
        "{} files, {} ({} files and {} there already) in {seconds:.2} s, {rate:.0} MB/s\n",
        counts.files_done,
        HumanBytes(counts.bytes_done),
        counts.files_skipped,
        HumanBytes(counts.bytes_skipped),
    );
    for engine in &outcome.engines {
        text.push_str(&format!("data by {engine}\n"));
    }
    for item in &outcome.items {
        match item.digest {
            Some(digest) => text.push_str(&format!("{} {digest}\n", item.target.display())),
            None => text.push_str(&format!("{}\n", item.target.display())),
        }
    }
    text
}

//! The command line: arguments in, exit code out. Data goes to standard output, and only when everything worked; logs and
//! errors go to standard error.

mod bench;
mod cli;
mod project;
mod telemetry;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use offermatch::visible;
use project::ProjectError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// Characters of an error that are shown; one may name several rows.
pub(crate) const LONGEST_MESSAGE: usize = 4000;

fn main() -> ExitCode {
    offermatch::compile_elsewhere();
    let arguments = cli::Arguments::of_command_line();
    let directive = if arguments.verbose { "offermatch=debug" } else { "offermatch=error" };
    let filter = EnvFilter::try_from_env("OFFERMATCH_LOG").unwrap_or_else(|_| EnvFilter::new(directive));
    let log = fmt::layer().with_writer(|| VisibleLog).with_ansi(false).with_filter(filter);
    let traces = telemetry::Traces::from_environment();
    tracing_subscriber::registry().with(log).with(traces.layer()).init();
    let result = traces.root().in_scope(|| cli::run(arguments.command));
    traces.end();
    let (result, code) = match result {
        Ok(output) => (print(&output), ExitCode::SUCCESS),
        Err(error) => match error.downcast::<cli::trust::Differs>() {
            Ok(cli::trust::Differs(output)) => (print(&output), ExitCode::FAILURE),
            Err(error) => (Err(error), ExitCode::FAILURE),
        },
    };
    result.map_or_else(
        |error| {
            complain(&error);
            ExitCode::FAILURE
        },
        |()| code,
    )
}

/// Standard error, on which each event of the log is one line that can be seen, whatever strangers have put into it.
struct VisibleLog;

impl Write for VisibleLog {
    /// Writes one event, which comes whole.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = format!("{}\n", visible(text.trim_end_matches('\n'), LONGEST_MESSAGE));
        io::stderr().write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Prints data. A reader that closes the pipe early has all it wanted.
fn print(output: &[u8]) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(output).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(unwritable(Path::new("standard output"))(error).into())
        }
        _ => Ok(()),
    }
}

/// The error of a file that cannot be written.
pub(crate) fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> offermatch::Error {
    |error| offermatch::Error::FileUnwritable { file: path.display().to_string(), error }
}

/// Prints an error as `docs/errors.md` shows it.
fn complain(error: &anyhow::Error) {
    let known = error.downcast_ref::<offermatch::Error>().map(|known| (known.code(), known.hint()));
    let known = known.or_else(|| error.downcast_ref::<ProjectError>().map(|known| (known.code(), known.hint())));
    let shown = |text: &str| visible(text, LONGEST_MESSAGE).into_owned();
    let text = match known {
        Some((code, hint)) => format!("error[{code}]: {}\nhint: {hint}\n", shown(&error.to_string())),
        None => format!("error: {}\n", shown(&format!("{error:#}"))),
    };
    // There is nobody left to tell when standard error is gone.
    let _ = io::stderr().write_all(text.as_bytes());
}

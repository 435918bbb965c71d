//! Who copies.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context as _;
use serde_json::Value;

/// Bytes of one read or write of the Python programs, as the talk has it.
const PYTHON_BLOCK: &str = "16777216";

/// Whether the source is in memory when a contender begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cache {
    /// It is not.
    Cold,
    /// It is, as far as memory goes.
    Warm,
}

impl Cache {
    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cold => "cold",
            Self::Warm => "warm",
        }
    }
}

/// Under what conditions a contender copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Whether the source is in memory.
    pub(super) cache: Cache,
    /// Whether it ends with the data on the device, instead of in the page cache.
    pub(super) synchronised: bool,
}

/// Somebody who copies.
pub(super) struct Contender {
    /// Its name.
    pub(super) name: &'static str,
    /// What the talk says of this way, in units of 1,000,000 bytes a second.
    pub(super) published: Option<u32>,
    /// How it copies.
    way: Way,
}

/// How somebody copies.
enum Way {
    /// A Python program.
    Python(&'static str),
    /// GNU or other `cp`.
    Cp(&'static [&'static str]),
    /// This program, with these options.
    Stage(&'static [&'static str]),
    /// `fio` reads the source while it writes a file as long, both by `O_DIRECT`: what the device gives such a pattern.
    Fio,
}

/// Contenders for one large file.
pub(super) const LARGE: [Contender; 10] = [
    Contender { name: "Python blocking", published: Some(682), way: Way::Python(include_str!("blocking.py")) },
    Contender { name: "Python asynchronous", published: Some(820), way: Way::Python(include_str!("asynchronous.py")) },
    Contender { name: "cp", published: None, way: Way::Cp(&[]) },
    Contender { name: "stage auto", published: None, way: Way::Stage(&[]) },
    Contender {
        name: "stage blocking",
        published: Some(689),
        way: Way::Stage(&["--engine", "blocking", "--block", "16MiB"]),
    },
    Contender {
        name: "stage tokio",
        published: Some(830),
        way: Way::Stage(&["--engine", "tokio", "--block", "4MiB", "--depth", "4"]),
    },
    Contender { name: "stage copy-file-range", published: None, way: Way::Stage(&["--engine", "copy-file-range"]) },
    Contender {
        name: "stage io-uring, buffered",
        published: None,
        way: Way::Stage(&["--engine", "io-uring", "--direct", "never"]),
    },
    Contender {
        name: "stage io-uring, direct",
        published: Some(1170),
        way: Way::Stage(&["--engine", "io-uring", "--direct", "always"]),
    },
    Contender { name: "fio, both at once, direct", published: Some(1200), way: Way::Fio },
];

/// Contenders for many small files.
pub(super) const SMALL: [Contender; 3] = [
    Contender { name: "cp -r", published: None, way: Way::Cp(&["-r"]) },
    Contender { name: "cp -a", published: None, way: Way::Cp(&["-a"]) },
    Contender { name: "stage auto", published: None, way: Way::Stage(&[]) },
];

impl Contender {
    /// Copies once; gives the seconds, or none if the contender is not there.
    pub(super) fn run(&self, source: &Path, target: &Path, state: State) -> anyhow::Result<Option<f64>> {
        rustix::fs::sync();
        match state.cache {
            Cache::Cold => drop_caches()?,
            Cache::Warm => {
                // What earlier copies left in memory would slow down whoever comes later; without root it stays.
                let _ = drop_caches();
                warm(source)?;
            }
        }
        let mut command = match &self.way {
            Way::Fio => return fio(source, target),
            Way::Python(program) => {
                let mut command = Command::new("python3");
                command.args(["-c", program]).args([source, target]).arg(PYTHON_BLOCK);
                command
            }
            Way::Cp(options) => {
                let mut command = Command::new("cp");
                command.args(*options).args([source, target]);
                command
            }
            Way::Stage(options) => {
                let mut command = Command::new(std::env::current_exe()?);
                let sync = if state.synchronised { "end" } else { "never" };
                command.args(["--exact", "--sync", sync]).args(*options).args([source, target]);
                command
            }
        };
        let begin = Instant::now();
        let output = match command.stdout(Stdio::null()).stderr(Stdio::piped()).output() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            output => output.with_context(|| format!("{} cannot be run", self.name))?,
        };
        if state.synchronised && matches!(self.way, Way::Cp(_)) {
            rustix::fs::sync();
        }
        let seconds = begin.elapsed().as_secs_f64();
        let complaint = String::from_utf8_lossy(&output.stderr);
        if complaint.contains("error[engine-unavailable]") {
            return Ok(None);
        }
        anyhow::ensure!(output.status.success(), "{} failed: {}", self.name, complaint.trim());
        Ok(Some(seconds))
    }
}

/// Lets `fio` read the source and write as much at once; the slower of the two counts, as in a copy.
fn fio(source: &Path, target: &Path) -> anyhow::Result<Option<f64>> {
    let size = fs::metadata(source)?.len();
    let named = |path: &Path| {
        let mut argument = OsString::from("--filename=");
        argument.push(path);
        argument
    };
    let mut command = Command::new("fio");
    command.args(["--output-format=json", "--direct=1", "--ioengine=io_uring", "--bs=1M", "--iodepth=16"]);
    command.arg(format!("--size={size}"));
    command.args(["--name=read", "--rw=read"]).arg(named(source));
    command.args(["--name=write", "--rw=write", "--fallocate=native", "--end_fsync=1"]).arg(named(target));
    let output = match command.output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        output => output.context("fio cannot be run")?,
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "fio failed: {}", complaint.trim());
    // What fio notes stands before the object.
    let found: Value = serde_json::from_str(&text[text.find('{').unwrap_or(0)..]).context("fio said no JSON")?;
    let milliseconds = found["jobs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|job| job["job_runtime"].as_u64())
        .max()
        .context("fio said no times")?;
    Ok(Some(milliseconds as f64 / 1e3))
}

/// Empties the page cache, which takes root.
pub(super) fn drop_caches() -> io::Result<()> {
    rustix::fs::sync();
    fs::write("/proc/sys/vm/drop_caches", "3")
}

/// Reads everything once.
fn warm(source: &Path) -> anyhow::Result<()> {
    if source.is_dir() {
        for entry in fs::read_dir(source)? {
            warm(&entry?.path())?;
        }
        return Ok(());
    }
    io::copy(&mut fs::File::open(source)?, &mut io::sink())?;
    Ok(())
}

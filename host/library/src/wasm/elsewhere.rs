//! A process of its own in which a component is compiled, with bounds on memory and time.
//!
//! ```text
//! this process ── bytes ──> this program once more ── machine code, as an entry of the cache ──> checked and loaded here
//!                               └── a reason, or killed: at the deadline, when nobody waits any more, with its parent
//! ```
//!
//! A compiler cannot be stopped on a thread, and what it allocates is not counted. A process can, and what it leaves behind is
//! a file.

use std::cell::RefCell;
use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::component::Component;

use crate::limits::Limits;
use crate::wasm::cache::Cache;
use crate::wasm::engine;

/// The environment variable that names the folder of a job, and that makes this program do it.
const VARIABLE: &str = "OFFERMATCH_COMPILE";
/// The files of a job.
const COMPONENT: &str = "component.wasm";
const LIMITS: &str = "limits.json";
const REFUSED: &str = "refused";
/// After so long a wait looks whether it is to end.
const TICK: Duration = Duration::from_millis(10);

/// This program, where it compiles in processes of its own.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

thread_local! {
    /// Set when nobody waits any more for what this thread does.
    static STOPPED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Has components compiled in processes of their own, with `compile_memory_bytes` and `compile_milliseconds` as bounds.
///
/// To be called first in `main`: the process that compiles is this program once more, and does not come back from here.
/// Without it components are compiled on a thread, which has no bound on memory, and ends on its own where it takes too long.
///
/// ```no_run
/// offermatch::compile_elsewhere();
/// // what else `main` does
/// ```
pub fn compile_elsewhere() {
    if let Some(folder) = env::var_os(VARIABLE) {
        std::process::exit(serve(Path::new(&folder)));
    }
    if let Ok(program) = env::current_exe() {
        // Said twice, it is the same.
        let _ = PROGRAM.set(program);
    }
}

/// This program, where it compiles in processes of its own.
pub(crate) fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

/// Does something that is given up once the flag is set, if it compiles then.
pub(crate) fn unless_stopped<T>(stopped: &Arc<AtomicBool>, run: impl FnOnce() -> T) -> T {
    STOPPED.set(Some(stopped.clone()));
    let result = run();
    STOPPED.set(None);
    result
}

/// Whether nobody waits any more for what this thread does.
pub(crate) fn is_stopped() -> bool {
    STOPPED.with_borrow(|stopped| stopped.as_ref().is_some_and(|stopped| stopped.load(Ordering::Relaxed)))
}

/// How compiling ended without a component.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It is no component, and why.
    Malformed(String),
    /// It took longer than the limit.
    Late(Duration),
    /// The process was ended, as it is when it is given no more memory.
    Killed(ExitStatus),
    /// Nobody waits for it any more.
    Stopped,
    /// There is no process to be had, or no room for its files.
    Unavailable(io::Error),
}

impl From<io::Error> for Ended {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(error)
    }
}

/// Compiles a component in a process of its own, for the engine of these limits.
///
/// # Errors
/// [`Ended`].
pub(crate) fn compiled(program: &Path, bytes: &[u8], limits: &Limits) -> Result<Component, Ended> {
    let folder = tempfile::Builder::new().prefix("offermatch-").tempdir()?;
    fs::write(folder.path().join(COMPONENT), bytes)?;
    let set = limits.entries().map(|(name, value)| (name.to_owned(), value.into()));
    fs::write(folder.path().join(LIMITS), serde_json::Value::Object(set.collect()).to_string())?;
    let child = Command::new(program)
        .env(VARIABLE, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let status = waited(&mut Ending(child), Duration::from_millis(limits.compile_milliseconds))?;
    if let Ok(reason) = fs::read_to_string(folder.path().join(REFUSED)) {
        return Err(Ended::Malformed(reason));
    }
    if !status.success() {
        return Err(Ended::Killed(status));
    }
    let entry = Cache::at(folder.path()).kept(engine::of(limits), bytes);
    entry.ok_or_else(|| io::Error::other("the machine code that was left cannot be used").into())
}

/// A process that is ended when nobody waits for it any more.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // One that has ended already cannot be ended, which is just as well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How a process has ended within some time.
fn waited(Ending(child): &mut Ending, most: Duration) -> Result<ExitStatus, Ended> {
    let begin = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if is_stopped() {
            return Err(Ended::Stopped);
        }
        if begin.elapsed() >= most {
            return Err(Ended::Late(begin.elapsed()));
        }
        thread::sleep(TICK);
    }
}

/// Does the job in a folder. Gives the exit code.
fn serve(folder: &Path) -> i32 {
    // The parent holds the other end of the standard input for as long as it lives.
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    match job(folder) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Does the job in a folder: leaves machine code, or the reason why there is none.
fn job(folder: &Path) -> io::Result<()> {
    let bytes = fs::read(folder.join(COMPONENT))?;
    let limits = Limits::from_file(&folder.join(LIMITS)).map_err(|error| io::Error::other(error.to_string()))?;
    bound_memory(limits.compile_memory_bytes)?;
    let engine = engine::of(&limits);
    match Component::from_binary(engine, &bytes) {
        Ok(component) => Cache::at(folder).keep(engine, &bytes, &component).map_err(io::Error::other),
        Err(error) => fs::write(folder.join(REFUSED), error.root_cause().to_string()),
    }
}

/// Bounds what this process may write to. Address space that is only reserved does not count.
#[cfg(unix)]
fn bound_memory(most: u64) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let maximum = getrlimit(Resource::Data).maximum;
    let most = maximum.map_or(most, |maximum| most.min(maximum));
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    Ok(setrlimit(Resource::Data, Rlimit { current: Some(most), maximum })?)
}

/// Elsewhere nothing bounds it but the time.
#[cfg(not(unix))]
fn bound_memory(_: u64) -> io::Result<()> {
    Ok(())
}

//! Another process for what cannot be stopped or bounded in this one: compiling a component, and judging a candidate.
//!
//! ```text
//! this process ── bytes, limits ──> this program once more (`worker.rs`) ── machine code, as an entry of the cache ──> checked and loaded here
//!                                   └── a reason, or killed: at the deadline, when nobody waits any more, with its parent
//! ```
//!
//! A compiler cannot be stopped on a thread, and what it allocates is not counted. A process can, and what it leaves behind is
//! a file.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use wasmtime::component::Component;

use crate::error::Error;
use crate::limit::Limit;
use crate::limits::{Limits, exceeded};
use crate::visible::visible;
use crate::wasm::cache::Cache;
use crate::wasm::engine;

/// The environment variable that names the folder of a job, and that makes this program do it.
pub(crate) const VARIABLE: &str = "OFFERMATCH_COMPILE";
/// The files of a job.
pub(crate) const COMPONENT: &str = "component.wasm";
pub(crate) const LIMITS: &str = "limits.json";
pub(crate) const REFUSED: &str = "refused";
const LOG: &str = "log";
/// The exit code of a process that could not do its job, for a reason that is not the component's.
pub(crate) const UNABLE: i32 = 3;
/// So many bytes at the end of its log are read.
const MOST_OF_A_LOG: u64 = 1 << 14;
/// Characters of a compiler's own words that are shown.
const MOST_WORDS: usize = 300;
/// After so long a wait looks whether it is to end.
const TICK: Duration = Duration::from_millis(10);

/// This program, where it does jobs in processes of its own.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

thread_local! {
    /// Set when nobody waits any more for what this thread does.
    static STOPPED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Remembers that this program does jobs when it is started once more.
pub(crate) fn serves(program: PathBuf) {
    // Said twice, it is the same.
    let _ = PROGRAM.set(program);
}

/// This program, where it does jobs in processes of its own.
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

/// How a job ended that was not done.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It took longer than the limit.
    Late(Duration),
    /// It needed more memory than the limit.
    OutOfMemory,
    /// The process gave up, and its own words.
    GaveUp(String),
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

impl Ended {
    /// The error of a component with which the job had to do; `worker` is what gave up, where that is so.
    ///
    /// # Errors
    /// Why there is no process to be had: the job can be done in this one.
    pub(crate) fn error(self, worker: &str, origin: &str, limits: &Limits) -> Result<Error, io::Error> {
        Ok(match self {
            Self::Late(time) => late(time, origin, limits),
            Self::OutOfMemory => {
                let value = limits.compile_memory_bytes;
                exceeded(Limit::CompileMemoryBytes, value, value.saturating_add(1), origin)
            }
            Self::GaveUp(words) => gave_up(worker, &words, origin),
            Self::Stopped => unwanted(origin),
            Self::Unavailable(error) => return Err(error),
        })
    }
}

/// The error of a component that was still being compiled or judged when its time was over.
pub(crate) fn late(time: Duration, origin: &str, limits: &Limits) -> Error {
    let asked = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    exceeded(Limit::CompileMilliseconds, limits.compile_milliseconds, asked, origin)
}

/// The error of a component that is not wanted any more.
pub(crate) fn unwanted(origin: &str) -> Error {
    let reason = "nobody waits for it any more".to_owned();
    Error::InstanceUnavailable { matcher: origin.to_owned(), reason }
}

/// The error of a component with which a compiler or a judge gave up.
pub(crate) fn gave_up(worker: &str, words: &str, origin: &str) -> Error {
    Error::CompilerFailed { origin: origin.to_owned(), reason: format!("{worker} gave up: {words}") }
}

/// A job for another process: a folder that only this user can reach, and that goes with it.
pub(crate) struct Job(TempDir);

impl Job {
    /// The job of compiling these bytes for the engine of these limits.
    ///
    /// # Errors
    /// There is no room for its files.
    pub(crate) fn new(bytes: &[u8], limits: &Limits) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("offermatch-").tempdir()?;
        fs::write(folder.path().join(COMPONENT), bytes)?;
        let set = limits.entries().map(|(name, value)| (name.to_owned(), value.into()));
        fs::write(folder.path().join(LIMITS), serde_json::Value::Object(set.collect()).to_string())?;
        Ok(Self(folder))
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// Has the job done; why the component is refused, where it is.
    ///
    /// # Errors
    /// [`Ended`].
    pub(crate) fn done(&self, program: &Path, limits: &Limits) -> Result<Option<String>, Ended> {
        let log = self.folder().join(LOG);
        let child = Command::new(program)
            .env(VARIABLE, self.folder())
            // An allocation that fails while a backtrace is made waits for ever for the lock of that backtrace.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let status = waited(&mut Ending(child), Duration::from_millis(limits.compile_milliseconds))?;
        if let Ok(reason) = fs::read_to_string(self.folder().join(REFUSED)) {
            return Ok(Some(reason));
        }
        if status.success() { Ok(None) } else { Err(why(status, &end_of(&log)?)) }
    }
}

/// Compiles a component in a process of its own, for the engine of these limits; or the reason why it is none.
///
/// # Errors
/// [`Ended`].
pub(crate) fn compiled(program: &Path, bytes: &[u8], limits: &Limits) -> Result<Result<Component, String>, Ended> {
    let job = Job::new(bytes, limits)?;
    if let Some(reason) = job.done(program, limits)? {
        return Ok(Err(reason));
    }
    let entry = Cache::at(job.folder()).kept(engine::of(limits), bytes);
    entry.map(Ok).ok_or_else(|| io::Error::other("the machine code that was left cannot be used").into())
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

/// The last of what a process said on standard error.
fn end_of(log: &Path) -> io::Result<String> {
    let mut log = fs::File::open(log)?;
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(MOST_OF_A_LOG)))?;
    let mut end = Vec::new();
    log.take(MOST_OF_A_LOG).read_to_end(&mut end)?;
    Ok(String::from_utf8_lossy(&end).into_owned())
}

/// Why a process ended before its job was done.
fn why(status: ExitStatus, said: &str) -> Ended {
    // Nothing here sends this signal before the process is given up. The system does, when memory runs short.
    #[cfg(unix)]
    let ended_by_the_system = {
        use std::os::unix::process::ExitStatusExt as _;
        status.signal() == Some(rustix::process::Signal::KILL.as_raw())
    };
    #[cfg(not(unix))]
    let ended_by_the_system = false;
    if ended_by_the_system || tells_of_memory(said) {
        return Ended::OutOfMemory;
    }
    let words = last_words(said);
    if status.code() == Some(UNABLE) {
        return Ended::Unavailable(io::Error::other(words.into_owned()));
    }
    Ended::GaveUp(if words.is_empty() { format!("it ended with {status}") } else { words.into_owned() })
}

/// Whether an allocator, or the system, says in a text that there is no more memory; of the stack of a thread, the last says so.
pub(crate) fn tells_of_memory(text: &str) -> bool {
    [
        "memory allocation of ",
        "Cannot allocate memory",
        "OutOfMemory",
        "out of memory",
        "Resource temporarily unavailable",
    ]
    .iter()
    .any(|words| text.contains(words))
}

/// What a panic says, without where in the compiler it was; or else the last line.
fn last_words(said: &str) -> Cow<'_, str> {
    let panic = said.rfind(" panicked at ").and_then(|at| said[at..].split_once('\n')).map(|(_, message)| message);
    let message = panic.and_then(|message| message.lines().find(|line| !line.trim().is_empty()));
    let line = message.or_else(|| said.lines().rfind(|line| !line.trim().is_empty()));
    visible(line.unwrap_or_default().trim(), MOST_WORDS)
}

/// What a panic on a thread of this process said.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str);
    let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it gave no reason");
    visible(said.lines().next().unwrap_or_default(), MOST_WORDS).into_owned()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// Why a process ended that ran these commands of a shell.
    fn ended(commands: &str) -> Ended {
        let output = Command::new("sh").args(["-c", commands]).output().unwrap();
        why(output.status, &String::from_utf8_lossy(&output.stderr))
    }

    #[test]
    fn a_compiler_that_gives_up_has_its_own_words() {
        let panic =
            "printf \"\\nthread 'a' panicked at /src/fact.rs:7:9:\\nno adapter\\nnote: run with\\n\" >&2; exit 101";
        for (commands, words) in [
            (panic, "no adapter"),
            ("echo one >&2; printf 'two\\033[2J\\n\\n' >&2; kill -ABRT $$", "two\\x1b[2J"),
            ("exit 7", "it ended with exit status: 7"),
        ] {
            let Ended::GaveUp(found) = ended(commands) else { panic!("{commands}") };
            assert_eq!(found, words);
        }
    }

    #[test]
    fn only_an_allocator_or_the_system_tells_of_memory() {
        for commands in [
            "echo 'memory allocation of 17 bytes failed' >&2; kill -ABRT $$",
            "echo 'mmap failed: Cannot allocate memory (os error 12)' >&2; exit 101",
            "echo 'Os { code: 11, message: \"Resource temporarily unavailable\" }' >&2; kill -ABRT $$",
            "kill -KILL $$",
        ] {
            assert!(matches!(ended(commands), Ended::OutOfMemory), "{commands}");
        }
    }

    #[test]
    fn what_is_not_the_components_fault_is_told_apart() {
        let Ended::Unavailable(error) = ended("echo 'No space left on device' >&2; exit 3") else { panic!() };
        assert_eq!(error.to_string(), "No space left on device");
    }

    #[test]
    fn a_panic_on_a_thread_has_its_words() {
        for (panic, words) in [
            (std::panic::catch_unwind(|| panic!("no {}", "adapter")), "no adapter"),
            (std::panic::catch_unwind(|| panic!("plain")), "plain"),
            (std::panic::catch_unwind(|| std::panic::panic_any(7)), "it gave no reason"),
        ] {
            assert_eq!(words_of(&*panic.unwrap_err()), words);
        }
    }
}

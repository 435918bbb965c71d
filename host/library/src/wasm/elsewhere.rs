//! A process of its own in which a component is compiled, with bounds on memory and time.
//!
//! ```text
//! this process ── bytes ──> this program once more ── machine code, as an entry of the cache ──> checked and loaded here
//!                               └── a reason, or killed: at the deadline, when nobody waits any more, with its parent
//! ```
//!
//! A compiler cannot be stopped on a thread, and what it allocates is not counted. A process can, and what it leaves behind is
//! a file.

use std::any::Any;
use std::borrow::Cow;
use std::cell::RefCell;
use std::env;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use wasmtime::component::Component;

use crate::limits::Limits;
use crate::visible::visible;
use crate::wasm::cache::Cache;
use crate::wasm::engine;

/// The environment variable that names the folder of a job, and that makes this program do it.
const VARIABLE: &str = "OFFERMATCH_COMPILE";
/// The files of a job.
const COMPONENT: &str = "component.wasm";
const LIMITS: &str = "limits.json";
const REFUSED: &str = "refused";
const LOG: &str = "log";
/// The exit code of a process that could not do its job, for a reason that is not the component's.
const UNABLE: i32 = 3;
/// So many bytes at the end of its log are read.
const MOST_OF_A_LOG: u64 = 1 << 14;
/// Characters of a compiler's own words that are shown.
const MOST_WORDS: usize = 300;
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
    /// It needed more memory than the limit.
    OutOfMemory,
    /// The compiler gave up, and its own words.
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

/// Compiles a component in a process of its own, for the engine of these limits.
///
/// # Errors
/// [`Ended`].
pub(crate) fn compiled(program: &Path, bytes: &[u8], limits: &Limits) -> Result<Component, Ended> {
    let folder = tempfile::Builder::new().prefix("offermatch-").tempdir()?;
    fs::write(folder.path().join(COMPONENT), bytes)?;
    let set = limits.entries().map(|(name, value)| (name.to_owned(), value.into()));
    fs::write(folder.path().join(LIMITS), serde_json::Value::Object(set.collect()).to_string())?;
    let log = folder.path().join(LOG);
    let child = Command::new(program)
        .env(VARIABLE, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .spawn()?;
    let status = waited(&mut Ending(child), Duration::from_millis(limits.compile_milliseconds))?;
    if let Ok(reason) = fs::read_to_string(folder.path().join(REFUSED)) {
        return Err(Ended::Malformed(reason));
    }
    if !status.success() {
        return Err(why(status, &end_of(&log)?));
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

/// Whether an allocator, or the system, says in a text that there is no more memory.
fn tells_of_memory(text: &str) -> bool {
    ["memory allocation of ", "Cannot allocate memory", "OutOfMemory", "out of memory"]
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

/// Does the job in a folder. Gives the exit code.
fn serve(folder: &Path) -> i32 {
    // The parent holds the other end of the standard input for as long as it lives.
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    match job(folder) {
        Ok(()) => 0,
        Err(error) => {
            // The log of the job, which the parent reads.
            let _ = writeln!(io::stderr(), "{error}");
            UNABLE
        }
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
        Err(error) if tells_of_memory(&format!("{error:#}")) => Err(io::ErrorKind::OutOfMemory.into()),
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

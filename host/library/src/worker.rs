//! This program once more, as the other process: it compiles a component, judges a candidate, and leaves what it found.

use std::env;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::thread;

use crate::limits::Limits;
use crate::slot::judge;
use crate::wasm::cache::Cache;
use crate::wasm::elsewhere::{self, COMPONENT, LIMITS, REFUSED, UNABLE, VARIABLE, tells_of_memory};
use crate::wasm::engine;

/// How far a judge stands back behind those who call meanwhile.
#[cfg(unix)]
const NICE: i32 = 10;

/// Has components compiled, and the candidates of a slot judged, in processes of their own, with `compile_memory_bytes` and
/// `compile_milliseconds` as bounds of each.
///
/// To be called first in `main`: that process is this program once more, and does not come back from here. Without it
/// components are compiled on a thread, which has no bound on memory and ends on its own where it takes too long, and
/// candidates are judged on the slot's thread.
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
        elsewhere::serves(program);
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
        Err(error) => {
            // The log of the job, which the parent reads.
            let _ = writeln!(io::stderr(), "{error}");
            UNABLE
        }
    }
}

/// Does the job in a folder: leaves machine code, or the reason why there is none; where the job has questions to a
/// candidate, the first that it fails.
fn job(folder: &Path) -> io::Result<()> {
    let bytes = fs::read(folder.join(COMPONENT))?;
    let limits = Limits::from_file(&folder.join(LIMITS)).map_err(|error| io::Error::other(error.to_string()))?;
    let questions = judge::Questions::left_in(folder)?;
    let of_a_candidate = questions.as_ref().map_or(0, |_| limits.memory_bytes);
    bound_memory(limits.compile_memory_bytes.saturating_add(of_a_candidate))?;
    let (engine, cache) = (engine::of(&limits), Cache::at(folder));
    let component = match cache.component(engine, &bytes) {
        Ok((component, _)) => component,
        Err(error) if tells_of_memory(&format!("{error:#}")) => return Err(io::ErrorKind::OutOfMemory.into()),
        Err(error) => return fs::write(folder.join(REFUSED), error.root_cause().to_string()),
    };
    let Some(questions) = questions else { return Ok(()) };
    stand_back();
    match questions.ask(&component, &bytes, &limits)? {
        Some(refusal) => fs::write(folder.join(REFUSED), refusal),
        None => Ok(()),
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

/// Stands back behind those who call meanwhile, where the system has a word for that.
#[cfg(unix)]
fn stand_back() {
    // One that may not still judges.
    let _ = rustix::process::nice(NICE);
}

/// Elsewhere it runs as everything else.
#[cfg(not(unix))]
fn stand_back() {}

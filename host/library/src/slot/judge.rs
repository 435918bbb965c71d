//! Whether a candidate may be used: its bytes, its world, what it says of itself, and its answers.

use std::borrow::Cow;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use wasmtime::component::Component;

use super::manifest::{Manifest, WantedLevel};
use crate::conformance::{Level, Suite};
use crate::digest::sha256;
use crate::error::Error;
use crate::limits::Limits;
use crate::pool::matcher::Matcher;
use crate::recording::Recording;
use crate::visible::visible_name;
use crate::wasm::cache::Cache;
use crate::wasm::component;
use crate::wasm::elsewhere::{self, COMPONENT, Ended, Job};
use crate::wasm::engine;

/// In the folder of a job: the level that a candidate has to reach, and the recordings that it has to answer.
const LEVEL: &str = "level";
const RECORDINGS: &str = "recordings";

/// The candidate that a manifest asks for, once it has been found good. Nothing of it is compiled before its bytes are
/// known to be those that were asked for.
///
/// # Errors
/// [`Error::DigestMismatch`], [`Error::ManifestMalformed`] where it is another matcher than the manifest says, and those
/// of [`Matcher::load`] and [`Questions::require`].
pub(super) fn judge(manifest: &Manifest, limits: &Limits, cases: &[Recording]) -> Result<Matcher, Error> {
    let (bytes, origin) = component::read(&manifest.path, limits)?;
    check_digest(&bytes, &origin, &manifest.digest)?;
    let matcher = Matcher::from_bytes_with(&bytes, &origin, limits)?;
    let said = matcher.description();
    let claims = [
        ("matcher", &manifest.matcher, &said.name),
        ("version", &manifest.version, &said.version),
        ("policy", &manifest.policy, &said.policy),
    ];
    for (name, wanted, found) in claims {
        if wanted != found {
            let (wanted, found) = (visible_name(wanted).into_owned(), visible_name(found).into_owned());
            let reason = format!("{name} {wanted} is wanted, and the component says that it is {found}");
            let hint = "correct the manifest, or give it the component it means";
            return Err(Error::ManifestMalformed { origin, reason, hint });
        }
    }
    let level = manifest.conformance.level(&said.policy);
    Questions { level, cases: Cow::Borrowed(cases) }.require(&matcher, &bytes, &origin)?;
    Ok(matcher)
}

/// What a candidate has to answer.
pub(crate) struct Questions<'a> {
    /// The level that it has to reach; none where the shipped cases are not asked.
    level: Option<Level>,
    /// The recordings that it has to answer as recorded.
    cases: Cow<'a, [Recording]>,
}

impl Questions<'_> {
    /// Refuses a matcher that does not answer them: asked in a process of its own, where the program has asked for that.
    ///
    /// # Errors
    /// [`Error::ConformanceFailed`]; [`Error::LimitExceeded`] and [`Error::CompilerFailed`] of that process, and
    /// [`Error::InstanceUnavailable`] where nobody waits for it any more.
    fn require(&self, matcher: &Matcher, bytes: &[u8], origin: &str) -> Result<(), Error> {
        if self.level.is_none() && self.cases.is_empty() {
            return Ok(());
        }
        let (Some(program), Some(component)) = (elsewhere::program(), matcher.component()) else {
            return self.are_answered(matcher);
        };
        let limits = matcher.limits();
        let ended = match self.asked_elsewhere(program, component, bytes, limits) {
            Ok(None) => return Ok(()),
            Ok(Some(Refusal { matcher, case, reason })) => {
                return Err(Error::ConformanceFailed { matcher, case, reason });
            }
            Err(ended) => ended,
        };
        match ended.error("the process that judged it", origin, limits) {
            Ok(error) => Err(error),
            Err(unavailable) => {
                tracing::warn!(origin, %unavailable, "judged in this process");
                self.are_answered(matcher)
            }
        }
    }

    /// Has them asked by another process, which takes the machine code from here.
    fn asked_elsewhere(
        &self,
        program: &Path,
        component: &Component,
        bytes: &[u8],
        limits: &Limits,
    ) -> Result<Option<Refusal>, Ended> {
        let job = Job::new(bytes, limits)?;
        Cache::at(job.folder()).keep(engine::of(limits), bytes, component).map_err(io::Error::other)?;
        self.leave_in(job.folder())?;
        let refused = job.done(program, limits)?;
        Ok(refused.map(|text| serde_json::from_str(&text)).transpose().map_err(io::Error::other)?)
    }

    /// Leaves them in the folder of a job.
    fn leave_in(&self, folder: &Path) -> io::Result<()> {
        let recordings = folder.join(RECORDINGS);
        fs::create_dir(&recordings)?;
        for (number, case) in self.cases.iter().enumerate() {
            case.write(recordings.join(format!("{number:09}.recording.json"))).map_err(io::Error::other)?;
        }
        fs::write(folder.join(LEVEL), self.level.map_or("none", Level::name))
    }

    /// Those that were left in the folder of a job, if any were.
    pub(crate) fn left_in(folder: &Path) -> io::Result<Option<Self>> {
        let level = match fs::read_to_string(folder.join(LEVEL)) {
            Ok(level) => WantedLevel::try_from(level).map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let cases = Recording::read_all(folder.join(RECORDINGS)).map_err(io::Error::other)?;
        Ok(Some(Self { level: level.level(""), cases: Cow::Owned(cases) }))
    }

    /// Asks them in this process, of a compiled component; the first that it fails, as text for the one that waits.
    pub(crate) fn ask(&self, component: &Component, bytes: &[u8], limits: &Limits) -> io::Result<Option<String>> {
        let matcher = Matcher::from_component(component, bytes, COMPONENT, limits).map_err(io::Error::other)?;
        match self.are_answered(&matcher) {
            Ok(()) => Ok(None),
            Err(Error::ConformanceFailed { matcher, case, reason }) => {
                Ok(Some(serde_json::to_string(&Refusal { matcher, case, reason })?))
            }
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Refuses a matcher that does not answer them.
    ///
    /// # Errors
    /// [`Error::ConformanceFailed`].
    fn are_answered(&self, matcher: &Matcher) -> Result<(), Error> {
        if let Some(level) = self.level {
            Suite::shipped()?.quick().require(matcher, level)?;
        }
        conforms(matcher, &self.cases)
    }
}

/// The question that a candidate failed, on its way from the other process.
#[derive(Serialize, Deserialize)]
struct Refusal {
    matcher: String,
    case: String,
    reason: String,
}

/// Refuses bytes of another digest.
///
/// # Errors
/// [`Error::DigestMismatch`].
pub(super) fn check_digest(bytes: &[u8], origin: &str, expected: &str) -> Result<(), Error> {
    let found = sha256(bytes);
    if found == expected {
        return Ok(());
    }
    Err(Error::DigestMismatch { origin: origin.to_owned(), expected: expected.to_owned(), found })
}

/// Refuses a matcher that does not answer as the conformance cases say.
///
/// # Errors
/// [`Error::ConformanceFailed`].
pub(super) fn conforms(matcher: &Matcher, cases: &[Recording]) -> Result<(), Error> {
    for (number, case) in cases.iter().enumerate() {
        let reason = match case.replay(matcher) {
            Ok(replay) => match replay.differences.first() {
                None => continue,
                Some(difference) => difference.to_string(),
            },
            Err(error) => error.to_string(),
        };
        let case =
            if case.name.is_empty() { format!("number {number}") } else { visible_name(&case.name).into_owned() };
        return Err(Error::ConformanceFailed { matcher: matcher.name(), case, reason });
    }
    Ok(())
}

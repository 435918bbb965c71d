//! A loaded matcher.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use offermatch_core::{BestFit, Mode, Policy};

use crate::answer::{Answer, Timings, sha256};
use crate::bindings::MatcherPre;
use crate::cache::Cache;
use crate::component;
use crate::contract;
use crate::description::Description;
use crate::engine::HostState;
use crate::error::{Error, shortened};
use crate::offers::Offers;
use crate::pool::{Pool, failed};
use crate::session::{self, Session};
use crate::settings::Settings;
use crate::tasks::Tasks;
use crate::verify::Ledger;

/// The component that is built with this crate.
pub(crate) static BUNDLED: &[u8] = include_bytes!(env!("OFFERMATCH_COMPONENT_PATH"));

/// One version of a matcher, compiled and judged. Cheap to clone; threads can share it.
///
/// ```
/// use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
///
/// let matcher = Matcher::bundled()?;
/// let servers = [Offer::new("large", [("cpu", 4000)]), Offer::new("small", [("cpu", 2000)])];
/// let catalog = Catalog::of(&servers, &[]);
/// let offers = Offers::new(&servers, &catalog)?;
/// let tasks = Tasks::new(&[Task::new("render-1", [("cpu", 1000)])], &catalog)?;
///
/// let answer = matcher.match_tasks(&tasks, &offers, &Settings::default())?;
/// assert_eq!(answer.assignments.offers, [1]);
/// assert_eq!(answer.assignments.scores, [0.25]);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Clone)]
pub struct Matcher {
    /// What all clones share.
    inner: Arc<Inner>,
}

/// What all clones of a matcher share.
struct Inner {
    /// What it says of itself.
    description: Description,
    /// What runs.
    code: Code,
}

/// What runs when a matcher is called.
enum Code {
    /// A component.
    Component {
        /// Compiled, linked and type-checked.
        pre: MatcherPre<HostState>,
        /// The SHA-256 of its bytes.
        digest: String,
        /// How many bytes it has.
        size: usize,
    },
    /// The reference, compiled into this host.
    Native,
}

impl Matcher {
    /// The matcher that comes with this crate.
    ///
    /// # Errors
    /// Those of [`Matcher::from_bytes`], when the crate was built with a component that is not a matcher.
    pub fn bundled() -> Result<Self, Error> {
        Self::from_bytes(BUNDLED, "the bundled matcher")
    }

    /// The component that comes with this crate, as bytes.
    #[must_use]
    pub fn bundled_bytes() -> &'static [u8] {
        BUNDLED
    }

    /// The reference, compiled into this host: what every matcher with the best-fit policy has to agree with.
    #[must_use]
    pub fn native() -> Self {
        let description = Description {
            name: "native".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: BestFit::NAME.to_owned(),
            contract: contract::CONTRACT.to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
        };
        Self { inner: Arc::new(Inner { description, code: Code::Native }) }
    }

    /// The matcher in a file.
    ///
    /// # Errors
    /// [`Error::ComponentUnreadable`], and those of [`Matcher::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let (bytes, origin) = read_component(path.as_ref())?;
        Self::from_bytes(&bytes, &origin)
    }

    /// The matcher in these bytes. `origin` says in errors where they came from.
    ///
    /// # Errors
    /// [`Error::ComponentMalformed`], [`Error::WrongWorld`], [`Error::ContractVersion`] and, when it cannot even say what
    /// it is, [`Error::MatcherTrapped`] or [`Error::InstanceUnavailable`].
    ///
    /// ```
    /// let error = offermatch::Matcher::from_bytes(b"\0asm\x01\0\0\0", "core.wasm").unwrap_err();
    /// assert_eq!(error.code(), "component-malformed");
    /// ```
    pub fn from_bytes(bytes: &[u8], origin: &str) -> Result<Self, Error> {
        Self::from_bytes_cached(bytes, origin, &Cache::from_environment())
    }

    /// As [`Matcher::from_bytes`], with compiled components kept elsewhere than the environment says.
    ///
    /// # Errors
    /// As [`Matcher::from_bytes`]. Whatever is wrong with the cache is no error: the component is compiled.
    pub fn from_bytes_cached(bytes: &[u8], origin: &str, cache: &Cache) -> Result<Self, Error> {
        let begin = Instant::now();
        let component = component::compile(bytes, origin, cache)?;
        let matcher = Self::from_component(&component, bytes, origin)?;
        tracing::debug!(origin, elapsed = ?begin.elapsed(), "matcher loaded");
        Ok(matcher)
    }

    /// The matcher that a compiled component is.
    pub(crate) fn from_component(
        compiled: &wasmtime::component::Component,
        bytes: &[u8],
        origin: &str,
    ) -> Result<Self, Error> {
        let pre = component::link(compiled, origin)?;
        let code = Code::Component { pre: pre.clone(), digest: sha256(bytes), size: bytes.len() };
        let nameless = Description {
            name: origin.to_owned(),
            version: String::new(),
            policy: String::new(),
            contract: String::new(),
            modes: Vec::new(),
        };
        let mut matcher = Inner { description: nameless, code };
        match session::describe(&pre) {
            Ok(description) => matcher.description = description,
            Err(failure) => return Err(failed(&Self { inner: Arc::new(matcher) }, "describe", failure)),
        }
        if !contract::is_served(&matcher.description.contract) {
            return Err(component::version_error(origin, &shortened(&matcher.description.contract)));
        }
        Ok(Self { inner: Arc::new(matcher) })
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// The SHA-256 of the component's bytes, as `sha256:` and hexadecimal digits; none for the native reference.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match &self.inner.code {
            Code::Component { digest, .. } => Some(digest),
            Code::Native => None,
        }
    }

    /// How many bytes the component has; none for the native reference.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        match &self.inner.code {
            Code::Component { size, .. } => Some(*size),
            Code::Native => None,
        }
    }

    /// The matcher's name, cut to what fits a message.
    pub(crate) fn name(&self) -> String {
        shortened(&self.inner.description.name)
    }

    /// A pool of these offers, listed in the order of their rows.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`], [`Error::TooManyRows`], [`Error::MatcherTrapped`], [`Error::AnswerRefused`] and
    /// [`Error::InstanceUnavailable`].
    #[tracing::instrument(level = "debug", skip_all, fields(matcher = self.inner.description.name, offers = offers.len()))]
    pub fn open(&self, offers: &Offers, settings: &Settings) -> Result<Pool, Error> {
        let begin = Instant::now();
        self.check_mode(settings.mode)?;
        let settings = settings.columns(offers.catalog())?;
        let shape = offers.catalog().shape();
        let session = match &self.inner.code {
            Code::Component { pre, .. } => Session::open_component(pre, shape, offers.table(), &settings),
            Code::Native => Session::open_native(shape, offers.table(), &settings),
        };
        let session = session.map_err(|failure| failed(self, "open", failure))?;
        let opened = begin.elapsed();
        let begin = Instant::now();
        let ledger = Ledger::new(shape, offers.table(), &settings);
        let timings = Timings { open: opened, verify: begin.elapsed(), ..Timings::default() };
        Ok(Pool::new(self.clone(), session, ledger, offers, timings))
    }

    /// Refuses a mode that the matcher does not have.
    fn check_mode(&self, mode: Mode) -> Result<(), Error> {
        let modes = &self.inner.description.modes;
        if modes.contains(&mode) {
            return Ok(());
        }
        let names: Vec<String> = modes.iter().map(ToString::to_string).collect();
        Err(Error::SettingMalformed {
            setting: "mode".to_owned(),
            value: mode.to_string(),
            reason: format!("matcher {} has only {}", self.name(), names.join(", ")),
        })
    }

    /// Matches tasks to offers in a pool of their own.
    ///
    /// # Errors
    /// Those of [`Matcher::open`] and [`Pool::assign`].
    pub fn match_tasks(&self, tasks: &Tasks, offers: &Offers, settings: &Settings) -> Result<Answer, Error> {
        let mut pool = self.open(offers, settings)?;
        let assignments = pool.assign(tasks)?;
        Ok(Answer { assignments, timings: pool.timings() })
    }
}

/// The bytes of a component file, and what errors call it.
pub(crate) fn read_component(path: &Path) -> Result<(Vec<u8>, String), Error> {
    let origin = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => Ok((bytes, origin)),
        Err(source) => Err(Error::ComponentUnreadable { path: origin, source }),
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let description = &self.inner.description;
        f.debug_struct("Matcher")
            .field("name", &description.name)
            .field("version", &description.version)
            .field("digest", &self.digest())
            .finish_non_exhaustive()
    }
}

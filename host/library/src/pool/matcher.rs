//! A loaded matcher.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use offermatch_core::{BestFit, Mode, OfferTable, Policy, Settings as Columns, Shape};

use crate::digest::sha256;
use crate::error::Error;
use crate::limits::Limits;
use crate::pool::backend::{self, Backend, Component, Reference};
use crate::pool::description::{Description, Parameter};
use crate::table::rule::Rule;
use crate::trust::Trust;
use crate::visible::visible_name;
use crate::wasm::cache::Cache;
use crate::wasm::component::{self, Linked};
use crate::wasm::contract;
use crate::wasm::failure::Failure;

/// The components that are built with this crate, by policy.
static COMPONENTS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// The policy of a matcher where none is named.
pub const DEFAULT_POLICY: &str = BestFit::NAME;

/// One version of a matcher, compiled and judged. Cheap to clone; threads can share it.
///
/// ```
/// use offermatch::{Catalog, Matcher, Offer, Offers, Settings, Task, Tasks};
///
/// let matcher = Matcher::bundled("best-fit")?;
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
    /// How much of everything it gets.
    limits: Limits,
    code: Code,
}

/// What runs when a matcher is called.
enum Code {
    /// A component.
    Component {
        /// Compiled, linked and type-checked.
        linked: Linked,
        /// The SHA-256 of its bytes.
        digest: String,
        /// How many bytes it has.
        size: usize,
    },
    /// The reference, compiled into this host.
    Reference,
}

impl Matcher {
    /// The matcher of a policy that comes with this crate; [`Matcher::policies`] lists them.
    ///
    /// ```
    /// let matcher = offermatch::Matcher::bundled("strand")?;
    /// assert_eq!(matcher.description().policy, "strand");
    /// assert_eq!(offermatch::Matcher::bundled("best").unwrap_err().code(), "policy-unknown");
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::PolicyUnknown`], and those of [`Matcher::from_bytes`], when the crate was built with a component that is not
    /// a matcher.
    pub fn bundled(policy: &str) -> Result<Self, Error> {
        Self::bundled_with(policy, &Limits::in_force()?)
    }

    /// The matcher of a policy that comes with this crate, with these limits.
    ///
    /// # Errors
    /// As [`Matcher::bundled`].
    pub fn bundled_with(policy: &str, limits: &Limits) -> Result<Self, Error> {
        Self::from_bytes_with(Self::bundled_bytes(policy)?, &format!("the bundled matcher {policy}"), limits)
    }

    /// The component of a policy that comes with this crate, as bytes.
    ///
    /// # Errors
    /// [`Error::PolicyUnknown`].
    pub fn bundled_bytes(policy: &str) -> Result<&'static [u8], Error> {
        let found = COMPONENTS.iter().find(|(name, _)| *name == policy);
        let unknown = || Error::PolicyUnknown {
            policy: visible_name(policy).into_owned(),
            known: Self::policies().collect::<Vec<_>>().join(", "),
        };
        found.map(|(_, bytes)| *bytes).ok_or_else(unknown)
    }

    /// The policies whose matchers come with this crate, in alphabetical order.
    pub fn policies() -> impl Iterator<Item = &'static str> {
        COMPONENTS.iter().map(|(policy, _)| *policy)
    }

    /// The reference, compiled into this host: what every matcher with the best-fit policy has to agree with.
    #[must_use]
    pub fn reference() -> Self {
        Self::reference_of(contract::CONTRACT)
    }

    /// The reference that answers as a matcher of this contract does. One of 0.2.0 explains by the first check and keeps the
    /// scales of opening; it serves all rules either way.
    ///
    /// ```
    /// let reference = offermatch::Matcher::reference_of("0.2.0");
    /// assert_eq!(reference.description().contract, "0.2.0");
    /// ```
    #[must_use]
    pub fn reference_of(contract: &str) -> Self {
        let contract = if contract::keeps_scales(contract) { contract } else { contract::CONTRACT };
        let description = Description {
            name: "offermatch-reference".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: BestFit::NAME.to_owned(),
            contract: contract.to_owned(),
            modes: vec![Mode::Exclusive, Mode::Shared],
            rules: Rule::ALL.to_vec(),
            parameters: vec![Parameter::used_first()],
        };
        Self { inner: Arc::new(Inner { description, limits: Limits::default(), code: Code::Reference }) }
    }

    /// The matcher in a file.
    ///
    /// # Errors
    /// [`Error::ComponentUnreadable`], [`Error::TrustMalformed`], [`Error::SignatureRefused`], and those of
    /// [`Matcher::from_bytes`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::load_with(path, &Limits::in_force()?)
    }

    /// The matcher in a file, with these limits.
    ///
    /// # Errors
    /// As [`Matcher::load`].
    pub fn load_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, Error> {
        let (bytes, origin) = component::read(path.as_ref(), limits)?;
        Self::from_bytes_with(&bytes, &origin, limits)
    }

    /// The matcher in a file that a key in use signed. [`Matcher::load`] asks it of every file where `OFFERMATCH_TRUST` names
    /// a trust file.
    ///
    /// # Errors
    /// [`Error::SignatureRefused`], and those of [`Matcher::load`].
    pub fn load_trusted(path: impl AsRef<Path>, trust: &Trust, limits: &Limits) -> Result<Self, Error> {
        let (bytes, origin) = component::read_trusted(path.as_ref(), trust, limits)?;
        Self::from_bytes_with(&bytes, &origin, limits)
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
        Self::from_bytes_with(bytes, origin, &Limits::in_force()?)
    }

    /// The matcher in these bytes, with these limits.
    ///
    /// # Errors
    /// As [`Matcher::from_bytes`].
    pub fn from_bytes_with(bytes: &[u8], origin: &str, limits: &Limits) -> Result<Self, Error> {
        Self::judged(bytes, origin, limits, &Cache::from_environment())
    }

    /// As [`Matcher::from_bytes`], with compiled components kept elsewhere than the environment says.
    ///
    /// # Errors
    /// As [`Matcher::from_bytes`]. Whatever is wrong with the cache is no error: the component is compiled.
    pub fn from_bytes_cached(bytes: &[u8], origin: &str, cache: &Cache) -> Result<Self, Error> {
        Self::judged(bytes, origin, &Limits::in_force()?, cache)
    }

    /// The matcher in these bytes, compiled, linked and asked what it is.
    fn judged(bytes: &[u8], origin: &str, limits: &Limits, cache: &Cache) -> Result<Self, Error> {
        let begin = Instant::now();
        let component = component::compile(bytes, origin, limits, cache)?;
        let matcher = Self::from_component(&component, bytes, origin, limits)?;
        tracing::debug!(origin, elapsed = ?begin.elapsed(), "matcher loaded");
        Ok(matcher)
    }

    /// The matcher that a compiled component is.
    pub(crate) fn from_component(
        compiled: &wasmtime::component::Component,
        bytes: &[u8],
        origin: &str,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let linked = component::link(compiled, origin)?;
        let spoken = linked.contract.version;
        let code = Code::Component { linked: linked.clone(), digest: sha256(bytes), size: bytes.len() };
        let description = backend::describe(&linked, limits);
        let description =
            description.map_err(|failure| failure.error(visible_name(origin).into_owned(), "describe"))?;
        if description.contract != spoken {
            let mut found = visible_name(&description.contract).into_owned();
            if contract::newest_served(&[&found]).is_some() {
                found = format!("{found} by its description and {spoken} by its exports");
            }
            return Err(component::version_error(origin, &found));
        }
        Ok(Self { inner: Arc::new(Inner { description, limits: *limits, code }) })
    }

    /// What the matcher says of itself.
    #[must_use]
    pub fn description(&self) -> &Description {
        &self.inner.description
    }

    /// The SHA-256 of the component's bytes, as `sha256:` and hexadecimal digits; none for the reference.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match &self.inner.code {
            Code::Component { digest, .. } => Some(digest),
            Code::Reference => None,
        }
    }

    /// How many bytes the component has; none for the reference.
    #[must_use]
    pub fn size(&self) -> Option<usize> {
        match &self.inner.code {
            Code::Component { size, .. } => Some(*size),
            Code::Reference => None,
        }
    }

    /// The compiled component; none for the reference.
    pub(crate) fn component(&self) -> Option<&wasmtime::component::Component> {
        match &self.inner.code {
            Code::Component { linked, .. } => Some(linked.pre.component()),
            Code::Reference => None,
        }
    }

    /// How much of everything it gets. The reference is code of this host, which nothing limits.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Whether the other is the same matcher, not one that was loaded from the same component.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The matcher's name, cut to what fits a message.
    pub(crate) fn name(&self) -> String {
        visible_name(&self.inner.description.name).into_owned()
    }

    /// Its version, likewise.
    pub(crate) fn version(&self) -> String {
        visible_name(&self.inner.description.version).into_owned()
    }

    /// An open pool, of columns that nobody has checked.
    pub(crate) fn backend(&self, shape: Shape, offers: &OfferTable, settings: &Columns) -> Result<Backend, Failure> {
        self.backend_within(self.limits(), shape, offers, settings)
    }

    /// The same, with other limits on what the pool may use.
    pub(crate) fn backend_within(
        &self,
        limits: &Limits,
        shape: Shape,
        offers: &OfferTable,
        settings: &Columns,
    ) -> Result<Backend, Failure> {
        match &self.inner.code {
            Code::Component { linked, .. } => {
                let component = Component::open(linked, limits, shape, offers, settings)?;
                Ok(Backend::Component(Box::new(component)))
            }
            Code::Reference => {
                let reference = Reference::open(shape, offers, settings, self.keeps_scales())?;
                Ok(Backend::Reference(Box::new(reference)))
            }
        }
    }

    /// Whether the matcher keeps the scales that a pool was opened with, as those of contract 0.2.0 do.
    pub(crate) fn keeps_scales(&self) -> bool {
        match &self.inner.code {
            Code::Component { linked, .. } => !linked.contract.is_current,
            Code::Reference => contract::keeps_scales(&self.inner.description.contract),
        }
    }

    /// Refuses rules that the matcher does not serve.
    pub(crate) fn check_rules(&self, mut rules: impl Iterator<Item = Rule>) -> Result<(), Error> {
        let served = &self.inner.description.rules;
        match rules.find(|rule| !served.contains(rule)) {
            Some(rule) => Err(Error::RuleUnsupported { matcher: self.name(), rule }),
            None => Ok(()),
        }
    }

    /// Refuses a mode that the matcher does not have.
    pub(crate) fn check_mode(&self, mode: Mode) -> Result<(), Error> {
        let modes = &self.inner.description.modes;
        if modes.contains(&mode) {
            return Ok(());
        }
        let names: Vec<String> = modes.iter().map(ToString::to_string).collect();
        Err(Error::SettingMalformed {
            setting: "mode".to_owned(),
            message: format!("{} does not have the mode {mode}", self.name()),
            hint: format!("it has {}", names.join(", ")),
        })
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

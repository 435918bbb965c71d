//! What a WebAssembly file is, whether it is a matcher or not.

use std::path::Path;

use crate::digest::sha256;
use crate::error::Error;
use crate::limits::Limits;
use crate::pool::description::Description;
use crate::pool::matcher::Matcher;
use crate::wasm::cache::Cache;
use crate::wasm::component;
use crate::wasm::contract;

/// What a component is.
#[derive(Debug)]
#[non_exhaustive]
pub struct Inspection {
    /// The file.
    pub path: String,
    /// How many bytes it has.
    pub size: usize,
    /// The SHA-256 of its bytes.
    pub digest: String,
    /// The world it is made for, where it is a matcher's.
    pub world: Option<String>,
    /// The contract version in the name of its matching interface, where it exports one.
    pub contract: Option<String>,
    /// What it imports, each with the functions and types in it.
    pub imports: Vec<(String, Vec<String>)>,
    /// What it exports, each with the functions and types in it.
    pub exports: Vec<(String, Vec<String>)>,
    /// How much of everything it gets here.
    pub limits: Limits,
    /// What it says of itself, or why it cannot be used here.
    pub verdict: Result<Description, Error>,
}

impl Inspection {
    /// What the component in a file is. It is asked to describe itself, and for nothing else.
    ///
    /// # Errors
    /// [`Error::ComponentUnreadable`] and [`Error::ComponentMalformed`]. A component that is no matcher is no error: its
    /// verdict says what is missing.
    ///
    /// ```no_run
    /// let inspection = offermatch::Inspection::of("matcher.wasm")?;
    /// println!("{} {:?}", inspection.digest, inspection.imports);
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn of(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::of_with(path, &Limits::in_force()?)
    }

    /// As [`Inspection::of`], with these limits.
    ///
    /// # Errors
    /// As [`Inspection::of`].
    pub fn of_with(path: impl AsRef<Path>, limits: &Limits) -> Result<Self, Error> {
        let (bytes, path) = component::read(path.as_ref(), limits)?;
        Self::of_bytes(&bytes, path, limits)
    }

    /// What the matcher of a policy that comes with this crate is.
    ///
    /// # Errors
    /// [`Error::PolicyUnknown`], and [`Error::ComponentMalformed`], when the crate was built with bytes that are no component.
    ///
    /// ```
    /// let inspection = offermatch::Inspection::bundled("best-fit")?;
    /// assert!(inspection.imports.iter().any(|(name, _)| name.starts_with("wasi:otel/tracing@")));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn bundled(policy: &str) -> Result<Self, Error> {
        Self::bundled_with(policy, &Limits::in_force()?)
    }

    /// As [`Inspection::bundled`], with these limits.
    ///
    /// # Errors
    /// As [`Inspection::bundled`].
    pub fn bundled_with(policy: &str, limits: &Limits) -> Result<Self, Error> {
        Self::of_bytes(Matcher::bundled_bytes(policy)?, format!("the bundled matcher {policy}"), limits)
    }

    /// What the component in these bytes is.
    fn of_bytes(bytes: &[u8], path: String, limits: &Limits) -> Result<Self, Error> {
        let compiled = component::compile(bytes, &path, limits, &Cache::from_environment())?;
        let face = component::face(&compiled);
        let contract = face.exports.iter().find_map(|(name, _)| contract::interface_version(name)).map(str::to_owned);
        let verdict =
            Matcher::from_component(&compiled, bytes, &path, limits).map(|matcher| matcher.description().clone());
        Ok(Self {
            size: bytes.len(),
            digest: sha256(bytes),
            world: contract.as_ref().map(|version| format!("{}@{version}", contract::WORLD)),
            contract,
            imports: face.imports,
            exports: face.exports,
            verdict,
            limits: *limits,
            path,
        })
    }
}

//! What can go wrong, as one typed error: every code of `docs/errors.md` is a variant.
//!
//! One table of all that can go wrong, longer than other files because every field is documented. The message says what is wrong, where and with which value; [`Error::hint`] says what to do about it.

use std::borrow::Cow;
use std::fmt;
use std::io;

use crate::limit::Exceeded;
use crate::remedy;
use crate::table::quantity::QuantityError;
use crate::table::rule::Rule;
use crate::trust::refusal::SignatureRefusal;
use crate::visible::visible_name;

/// The remedy for a file of which no better one is known.
pub(crate) const SEE_FORMATS: Cow<'static, str> =
    Cow::Borrowed("docs/formats.md shows the formats of tables, and docs/conformance.md those of cases");

/// Where in the input something stands.
///
/// ```
/// use offermatch::{Catalog, Error, Task, Tasks};
///
/// let catalog = Catalog::new(["cpu"], [""; 0]);
/// let Err(Error::UnknownDimension { place, .. }) = Tasks::new(&[Task::new("a", [("gpu", 1)])], &catalog) else {
///     panic!("there is no such dimension")
/// };
/// assert_eq!((place.row, place.to_string().as_str()), (Some(0), "tasks, row 0 (a), demand.gpu"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file, or what else the rows came from (`tasks`, `offers`).
    pub source: String,
    /// The row, counted from 0.
    pub row: Option<usize>,
    /// The name of the task or offer in that row.
    pub name: Option<String>,
    /// The column, such as `demand.cpu`.
    pub column: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        if let Some(name) = &self.name {
            write!(f, " ({})", visible_name(name))?;
        }
        if !self.column.is_empty() {
            write!(f, ", {}", self.column)?;
        }
        Ok(())
    }
}

/// A call in which a matcher wanted more than its limits allow.
///
/// Example: [`Exceeded`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overrun {
    /// The matcher.
    pub matcher: String,
    /// The function that was called.
    pub call: &'static str,
    /// What it wanted, and what it may have.
    pub exceeded: Exceeded,
    /// What it printed, as the message shows it; empty where it printed nothing.
    pub printed: String,
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matcher, call, exceeded, printed } = self;
        write!(f, "matcher {matcher} in {call} {exceeded}{printed}")
    }
}

/// What went wrong.
///
/// ```
/// let error = offermatch::Matcher::load("nowhere.wasm").unwrap_err();
/// assert_eq!(error.code(), "component-unreadable");
/// println!("{error}; {}", error.hint());
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value is no quantity of its dimension.
    #[error("{place}: {error}")]
    Quantity {
        /// Where it stands.
        place: Box<Place>,
        /// Why it is none.
        error: QuantityError,
    },
    /// Something stands where a table of another program writes that nothing is there.
    #[error("{place}: {value} is how a missing number is written")]
    ValueMissing {
        /// Where it stands.
        place: Box<Place>,
        /// What stands there.
        value: String,
    },
    /// A part of a row is of the wrong type, a row of another system's file is not as that system writes it or asks what no
    /// task can ask, or a file does not say its format.
    #[error("{place}: {message}")]
    RowMalformed {
        /// Where it stands.
        place: Box<Place>,
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// Several rows cannot be used.
    #[error("{first}. {rows} rows cannot be used: this one; {others}")]
    BadRows {
        /// The error of the first of them, whose code and hint this error has.
        first: Box<Error>,
        /// How many they are.
        rows: usize,
        /// The errors of the next nine, and how many there are beyond.
        others: String,
    },
    /// A column, or the name of a row, is missing.
    #[error("{place}: missing")]
    MissingColumn {
        /// Where it should stand.
        place: Box<Place>,
        /// What to do about it.
        hint: &'static str,
    },
    /// A column or key that the format does not have.
    #[error("{place}: unknown; known are {known}")]
    UnknownColumn {
        /// Where it stands; the place's column is the unknown one.
        place: Box<Place>,
        /// What the format has.
        known: &'static str,
    },
    /// A policy whose matcher does not come with this crate.
    #[error("there is no policy {policy:?} in this crate")]
    PolicyUnknown {
        /// What was asked for.
        policy: String,
        /// The policies that there are.
        known: String,
    },
    /// Two tasks, or two offers, of one name.
    #[error("{place}: the name of row {first} again")]
    DuplicateName {
        /// The second of the two.
        place: Box<Place>,
        /// The row of the first.
        first: usize,
    },
    /// A dimension that the offers do not have.
    #[error("{place}: {reason}")]
    UnknownDimension {
        /// Where it is asked for.
        place: Box<Place>,
        /// Why it is none.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// An update's offer has an attribute that the pool was not opened with.
    #[error("{place}: the pool was not opened with this attribute; its attributes are {known}")]
    UnknownAttribute {
        /// Where it stands.
        place: Box<Place>,
        /// The attributes there are.
        known: String,
    },
    /// A condition on an attribute, or on a measure, that no offer has, where such are refused.
    #[error("{place}: no offer has the {kind} '{name}'")]
    ConditionUnknown {
        /// Where it stands.
        place: Box<Place>,
        /// `attribute` or `measure`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Those that offers have, as the hint shows them.
        known: String,
    },
    /// More is available than there is.
    #[error("{place}: {available} available is above the capacity of {capacity}")]
    CapacityExceeded {
        /// Where it stands.
        place: Box<Place>,
        /// What is said to be available.
        available: u64,
        /// What there is in all.
        capacity: u64,
    },
    /// Devices that cannot be.
    #[error("{place}: {reason}")]
    DevicesMalformed {
        /// Where they stand.
        place: Box<Place>,
        /// What is wrong with them.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A measure of an offer, or the bound of one, that is no number; or a measure that the pool was not opened with.
    #[error("{place}: {value}: {reason}")]
    MeasureMalformed {
        /// Where it stands.
        place: Box<Place>,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The weight of a preference is negative, not finite or no number.
    #[error("{place}: {value} is not a finite number of 0 or more")]
    PreferenceMalformed {
        /// Where it stands.
        place: Box<Place>,
        /// What stands there.
        value: String,
    },
    /// A group that asks what it cannot ask, or two groups of one name.
    #[error("{place}: {reason}")]
    GroupMalformed {
        /// Where it stands.
        place: Box<Place>,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The share of a typical task is negative, not finite or no number, or all shares are zero.
    #[error("{place}: {reason}")]
    WorkloadMalformed {
        /// Where it stands.
        place: Box<Place>,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A parameter that the matcher's policy does not take.
    #[error("parameters: {matcher} takes no parameter {parameter:?}")]
    ParameterUnknown {
        /// The matcher.
        matcher: String,
        /// The parameter.
        parameter: String,
        /// The parameters there are, as the hint shows them.
        known: String,
    },
    /// A parameter that is out of its range.
    #[error("parameter {parameter}: {value} is not within {minimum} to {maximum}")]
    ParameterMalformed {
        /// The parameter.
        parameter: String,
        /// Its value.
        value: f64,
        /// The least that it may be.
        minimum: f64,
        /// The most that it may be.
        maximum: f64,
    },
    /// A number in a column is out of its range.
    #[error("{place}: {value} is not within {minimum} to {maximum}")]
    ValueOutOfRange {
        /// Where it stands.
        place: Box<Place>,
        /// What was found.
        value: u64,
        /// The least that may stand there.
        minimum: u64,
        /// The most that may stand there.
        maximum: u64,
    },
    /// Columns that do not fit together.
    #[error("column {column} has {found} values, not {expected}")]
    ColumnLength {
        /// The column.
        column: String,
        /// How many values it should have.
        expected: u64,
        /// How many it has.
        found: u64,
    },
    /// A setting that cannot be used.
    #[error("{setting}: {message}")]
    SettingMalformed {
        /// The setting.
        setting: String,
        /// What is wrong with it, with its value.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// Not the JSON or CSV it should be.
    #[error("{file}, line {line}{}: {message}", if *column > 0 { format!(", column {column}") } else { String::new() })]
    FileMalformed {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1; 0 where the whole line is meant.
        column: usize,
        /// What is wrong there.
        message: String,
        /// What to do about it.
        hint: Cow<'static, str>,
    },
    /// A file that cannot be read.
    #[error("{file}: {error}")]
    FileUnreadable {
        /// The file.
        file: String,
        /// What the operating system says. It is part of the text, and so no source.
        error: io::Error,
    },
    /// A file that cannot be written.
    #[error("{file} cannot be written: {error}")]
    FileUnwritable {
        /// The file.
        file: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// An update names an offer that the pool does not have.
    #[error("the update names {name}, an offer that the pool does not have")]
    RowUnknown {
        /// The offer.
        name: String,
    },
    /// An update names an offer twice.
    #[error("the update names {name} twice")]
    RowRepeated {
        /// The offer.
        name: String,
    },
    /// More rows than the matcher takes.
    #[error("{asked} rows are above the matcher's limit of {limit}")]
    TooManyRows {
        /// How many there would be.
        asked: u64,
        /// How many there may be.
        limit: u64,
    },
    /// A table that is too large to be read.
    #[error("{table}: the table has more than {limit} {counted}")]
    TableTooLarge {
        /// The file, or what else the rows came from.
        table: String,
        /// `rows` or `bytes`.
        counted: &'static str,
        /// How many it may have.
        limit: u64,
    },
    /// Tables that were not built for one another.
    #[error("these {table} were built for the catalog of another pool")]
    ForeignTable {
        /// `tasks` or `offers`.
        table: &'static str,
    },
    /// A table that uses a rule which the matcher does not serve.
    #[error("matcher {matcher} does not serve the rule {rule}")]
    RuleUnsupported {
        /// The matcher.
        matcher: String,
        /// The rule.
        rule: Rule,
    },
    /// A task of a group that is to be packed offline.
    #[error("{place}: groups are not packed offline")]
    GroupUnpacked {
        /// Where the group stands.
        place: Box<Place>,
    },
    /// A component file that cannot be read.
    #[error("{path}: {error}")]
    ComponentUnreadable {
        /// The file.
        path: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A component of a registry that the cache has no room or no right for.
    #[error("{folder}: it cannot be kept: {error}")]
    ComponentNotKept {
        /// The folder of the cache.
        folder: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A text that begins as the reference of a registry does, and names nothing in one.
    #[error("{text:?} names nothing in a registry")]
    ReferenceMalformed {
        /// The text.
        text: String,
    },
    /// A registry that does not answer, or breaks off.
    #[error("{reference}: {reason}")]
    RegistryUnreachable {
        /// What was to be fetched.
        reference: String,
        /// What is known of it.
        reason: String,
    },
    /// A registry that wants credentials, does not have the name, or answers with an error.
    #[error("{reference}: {reason}")]
    RegistryRefused {
        /// What was to be fetched.
        reference: String,
        /// What it says.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A registry whose bytes are not those of the digest, the size or the kind that it stated. Nothing of them is used.
    #[error("{reference}: {reason}")]
    RegistryLied {
        /// What was to be fetched.
        reference: String,
        /// What it sent, and in place of what.
        reason: String,
    },
    /// What only a feature of this crate can do, which it was built without.
    #[error("{wanted} needs the feature {feature} of the crate offermatch")]
    FeatureMissing {
        /// The feature.
        feature: &'static str,
        /// What was asked for.
        wanted: String,
    },
    /// Not a WebAssembly component.
    #[error("{origin} is not a WebAssembly component: {reason}")]
    ComponentMalformed {
        /// The file the bytes came from.
        origin: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The compiler, or the process that judges a candidate, gave up on a component. No limit is to blame, and the component
    /// may be valid.
    #[error("{origin} cannot be used: {reason}")]
    CompilerFailed {
        /// The file the component came from.
        origin: String,
        /// Who gave up, and its own words.
        reason: String,
    },
    /// A component of another world.
    #[error("{origin} is not a matcher: {reason}")]
    WrongWorld {
        /// The file the component came from.
        origin: String,
        /// What it lacks, or asks for.
        reason: String,
    },
    /// A matcher of a contract version that this host does not serve.
    #[error("{origin} speaks contract {found}; this host serves {served}")]
    ContractVersion {
        /// The file the matcher came from.
        origin: String,
        /// The version it speaks.
        found: String,
        /// The versions this host serves.
        served: &'static str,
    },
    /// The component trapped. Its instance is thrown away.
    #[error("matcher {matcher} trapped in {call}: {reason}")]
    MatcherTrapped {
        /// The matcher.
        matcher: String,
        /// The function that was called.
        call: &'static str,
        /// What WebAssembly says.
        reason: String,
    },
    /// The component wanted more than its limits allow. Its instance is thrown away.
    #[error("{0}")]
    LimitExceeded(Box<Overrun>),
    /// Limits that cannot be read.
    #[error("{origin}: {reason}")]
    LimitMalformed {
        /// The file or the environment variable.
        origin: String,
        /// What is wrong there.
        reason: String,
    },
    /// A pool that is used after its instance was thrown away. The code is that of the failure.
    #[error("this pool of matcher {matcher} was thrown away after {call} failed: {reason}")]
    PoolLost {
        /// The matcher.
        matcher: String,
        /// The call that failed.
        call: &'static str,
        /// The code of its failure.
        code: &'static str,
        /// What it failed with.
        reason: String,
    },
    /// No instance can be made: too many pools are open, or memory is short.
    #[error("matcher {matcher} cannot be instantiated: {reason}")]
    InstanceUnavailable {
        /// The matcher.
        matcher: String,
        /// What is missing.
        reason: String,
    },
    /// The bytes of a candidate are not those that were asked for.
    #[error("{origin} has the digest {found}; {expected} was asked for")]
    DigestMismatch {
        /// The file.
        origin: String,
        /// The digest that was asked for.
        expected: String,
        /// The digest of the bytes.
        found: String,
    },
    /// A manifest that cannot be followed, or that says otherwise than its component.
    #[error("{origin}: {reason}")]
    ManifestMalformed {
        /// The manifest, or the component that says otherwise.
        origin: String,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// The file that says whose matchers may be loaded.
    #[error("{place}: {reason}")]
    TrustMalformed {
        /// The file.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A component whose signature is not good enough; nothing of it was compiled.
    #[error("{origin}: {reason}")]
    SignatureRefused {
        /// The component.
        origin: String,
        /// Why.
        refusal: SignatureRefusal,
        /// Why, with who signed it and who was asked to.
        reason: String,
    },
    /// A candidate does not answer as a conformance case says.
    #[error("matcher {matcher} fails conformance case {case}: {reason}")]
    ConformanceFailed {
        /// The candidate.
        matcher: String,
        /// The case.
        case: String,
        /// The first thing that differs, or what went wrong.
        reason: String,
    },
    /// A candidate answered otherwise in shadow than the matcher in use.
    #[error("matcher {matcher} differs in shadow: {reason}")]
    ShadowDiffers {
        /// The candidate.
        matcher: String,
        /// The first difference.
        reason: String,
    },
    /// There is no matcher before the one in use.
    #[error("there is no matcher before {matcher}, which is in use")]
    NothingToRollBack {
        /// The matcher in use.
        matcher: String,
    },
    /// The answer does not hold against the host's own tables.
    #[error("the answer of matcher {matcher} is refused: {reason}")]
    AnswerRefused {
        /// The matcher.
        matcher: String,
        /// What does not hold.
        reason: String,
    },
}

impl Error {
    /// The code of `docs/errors.md`, the same in both hosts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Quantity { error, .. } => error.code(),
            Self::BadRows { first, .. } => first.code(),
            Self::MissingColumn { .. } => "missing-column",
            Self::UnknownColumn { .. } => "unknown-column",
            Self::PolicyUnknown { .. } => "policy-unknown",
            Self::DuplicateName { .. } => "duplicate-name",
            Self::UnknownDimension { .. } => "unknown-dimension",
            Self::UnknownAttribute { .. } | Self::ConditionUnknown { .. } => "unknown-attribute",
            Self::CapacityExceeded { .. } => "capacity-exceeded",
            Self::DevicesMalformed { .. } => "devices-malformed",
            Self::MeasureMalformed { .. } => "measure-malformed",
            Self::PreferenceMalformed { .. } => "preference-malformed",
            Self::GroupMalformed { .. } => "group-malformed",
            Self::WorkloadMalformed { .. } => "workload-malformed",
            Self::ParameterUnknown { .. } => "parameter-unknown",
            Self::ParameterMalformed { .. } => "parameter-malformed",
            Self::ValueOutOfRange { .. } => "value-out-of-range",
            Self::ColumnLength { .. } => "column-length",
            Self::SettingMalformed { .. } => "setting-malformed",
            Self::FileMalformed { .. } | Self::RowMalformed { .. } | Self::ValueMissing { .. } => "file-malformed",
            Self::FileUnreadable { .. } => "file-unreadable",
            Self::FileUnwritable { .. } => "file-unwritable",
            Self::RowUnknown { .. } => "row-unknown",
            Self::RowRepeated { .. } => "row-repeated",
            Self::TooManyRows { .. } | Self::TableTooLarge { .. } => "too-many-rows",
            Self::ForeignTable { .. } => "foreign-table",
            Self::RuleUnsupported { .. } | Self::GroupUnpacked { .. } => "rule-unserved",
            Self::ComponentUnreadable { .. } | Self::ComponentNotKept { .. } => "component-unreadable",
            Self::ReferenceMalformed { .. } => "reference-malformed",
            Self::RegistryUnreachable { .. } => "registry-unreachable",
            Self::RegistryRefused { .. } => "registry-refused",
            Self::RegistryLied { .. } => "registry-lied",
            Self::FeatureMissing { .. } => "feature-missing",
            Self::ComponentMalformed { .. } => "component-malformed",
            Self::CompilerFailed { .. } => "compiler-failed",
            Self::WrongWorld { .. } => "wrong-world",
            Self::ContractVersion { .. } => "contract-version",
            Self::MatcherTrapped { .. } => "matcher-trapped",
            Self::PoolLost { code, .. } => code,
            Self::LimitExceeded(overrun) => overrun.exceeded.limit.code(),
            Self::LimitMalformed { .. } => "limit-malformed",
            Self::DigestMismatch { .. } => "digest-mismatch",
            Self::ManifestMalformed { .. } => "manifest-malformed",
            Self::TrustMalformed { .. } => "trust-malformed",
            Self::SignatureRefused { refusal, .. } => refusal.code(),
            Self::ConformanceFailed { .. } => "conformance-failed",
            Self::ShadowDiffers { .. } => "shadow-differs",
            Self::NothingToRollBack { .. } => "nothing-to-roll-back",
            Self::InstanceUnavailable { .. } => "instance-unavailable",
            Self::AnswerRefused { .. } => "answer-refused",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::Quantity { error, .. } => error.hint(),
            Self::BadRows { first, .. } => first.hint(),
            Self::RowMalformed { hint, .. }
            | Self::MissingColumn { hint, .. }
            | Self::UnknownDimension { hint, .. }
            | Self::DevicesMalformed { hint, .. }
            | Self::MeasureMalformed { hint, .. }
            | Self::GroupMalformed { hint, .. }
            | Self::WorkloadMalformed { hint, .. }
            | Self::ManifestMalformed { hint, .. }
            | Self::RegistryRefused { hint, .. } => hint,
            Self::ValueMissing { .. } => "leave the cell empty where nothing is meant",
            Self::UnknownColumn { place, .. } if remedy::SUBMISSION_COLUMNS.contains(&place.column.as_str()) => {
                remedy::SUBMIT
            }
            Self::UnknownColumn { .. } => "correct the spelling or take it out; docs/formats.md lists what is read",
            Self::PolicyUnknown { known, .. } => known,
            Self::DuplicateName { .. } => "names tell rows apart: give each its own",
            Self::UnknownAttribute { .. } => "name every attribute when the pool is opened, or open a new pool",
            Self::ConditionUnknown { known, .. } => known,
            Self::CapacityExceeded { .. } => "an offer has at most its capacity available: correct one of the two",
            Self::PreferenceMalformed { .. } => {
                "a weight is what is added to the score where the preference does not hold: a finite number, 0 or more"
            }
            Self::ParameterUnknown { known, .. } => known,
            Self::ParameterMalformed { .. } => "give a number of the range, or leave the parameter out",
            Self::ValueOutOfRange { .. } => {
                "offsets rise from 0 to the length of their column; attributes and values are numbers of the catalog"
            }
            Self::ColumnLength { .. } => "every column needs one value for each row",
            Self::SettingMalformed { hint, .. } => hint,
            Self::FileMalformed { hint, .. } => hint,
            Self::FileUnreadable { .. } | Self::ComponentUnreadable { .. } => remedy::CHECK_PATH,
            Self::FileUnwritable { .. } => "name a place that can be written to",
            Self::RowUnknown { .. } => "add the offer before it is changed or removed",
            Self::RowRepeated { .. } => "name an offer at most once in an update",
            Self::TooManyRows { .. } => "split the input, or take a matcher with a higher limit",
            Self::TableTooLarge { .. } => "split the table, or see that it is the right one",
            Self::GroupUnpacked { .. } => "leave groups to a matcher",
            Self::RuleUnsupported { .. } => "use a matcher whose description lists the rule, or leave the rule out",
            Self::ForeignTable { .. } => "build tasks and updates from the pool's own catalog",
            Self::ComponentNotKept { .. } => "make room, or name another folder with OFFERMATCH_CACHE",
            Self::ReferenceMalformed { .. } => {
                "oci://REGISTRY/NAME:TAG or oci://REGISTRY/NAME@sha256:DIGEST, names in lower case"
            }
            Self::RegistryUnreachable { .. } => {
                "try again later, or load a digest that was fetched before, which needs no registry"
            }
            Self::RegistryLied { .. } => "ask who runs the registry; nothing of it was used",
            Self::FeatureMissing { feature: "yaml", .. } => {
                "build the program with the feature, or give the table as JSON"
            }
            Self::FeatureMissing { .. } => {
                "build the program with the feature, or fetch the file with `offermatch pull --output`"
            }
            Self::ComponentMalformed { .. } => {
                "a matcher is a WebAssembly component, not a core module; docs/write-a-matcher.md builds one"
            }
            Self::CompilerFailed { .. } => {
                "no limit is to blame: build the component otherwise, by other versions of its tools or of fewer parts, and \
                 report it to the makers of wasmtime"
            }
            Self::WrongWorld { .. } => {
                "a matcher exports offermatch:matcher/matching and imports what its contract allows, or an empty wasi; docs/contract.md has the versions"
            }
            Self::ContractVersion { .. } => "rebuild the matcher against wit/matcher.wit of this version",
            Self::MatcherTrapped { .. } => {
                "the instance is thrown away; the next call gets a new one; docs/other-languages.md#when-a-guest-fails says \
                 which mistake of each language ends so"
            }
            Self::LimitExceeded(overrun) => overrun.exceeded.limit.hint(),
            Self::DigestMismatch { .. } => "the file is damaged or another one: fetch it again, or correct the digest",
            Self::TrustMalformed { .. } => "docs/provenance.md describes the file",
            Self::SignatureRefused { refusal, .. } => refusal.hint(),
            Self::ConformanceFailed { .. } => "do not use this matcher, or correct the case: docs/recordings.md",
            Self::NothingToRollBack { .. } => "promote another matcher",
            Self::ShadowDiffers { .. } => "look at the difference; promote it by hand if it is wanted",
            Self::LimitMalformed { .. } => {
                "limits are whole numbers from 1 to 9223372036854775807; docs/trust.md lists them"
            }
            Self::PoolLost { .. } => "open a new pool",
            Self::InstanceUnavailable { .. } => "drop pools that are no longer used",
            Self::AnswerRefused { .. } => "do not use this matcher: it breaks the rules of docs/semantics.md",
        }
    }

    /// Where in the input it stands, if it has a place there.
    pub(crate) fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Self::Quantity { place, .. }
            | Self::ValueMissing { place, .. }
            | Self::RowMalformed { place, .. }
            | Self::MissingColumn { place, .. }
            | Self::UnknownColumn { place, .. }
            | Self::DuplicateName { place, .. }
            | Self::UnknownDimension { place, .. }
            | Self::UnknownAttribute { place, .. }
            | Self::ConditionUnknown { place, .. }
            | Self::CapacityExceeded { place, .. }
            | Self::DevicesMalformed { place, .. }
            | Self::MeasureMalformed { place, .. }
            | Self::PreferenceMalformed { place, .. }
            | Self::GroupMalformed { place, .. }
            | Self::GroupUnpacked { place }
            | Self::WorkloadMalformed { place, .. }
            | Self::ValueOutOfRange { place, .. } => Some(place),
            _ => None,
        }
    }

    /// The same error, of a setting that stands in a file.
    pub(crate) fn within(self, source: &str) -> Self {
        match self {
            Self::SettingMalformed { setting, message, hint } => {
                Self::SettingMalformed { setting: format!("{source}, {setting}"), message, hint }
            }
            other => other,
        }
    }

    /// Whether the instance that gave this error is of no more use.
    pub(crate) fn is_fatal(&self) -> bool {
        matches!(self, Self::MatcherTrapped { .. } | Self::LimitExceeded(_) | Self::AnswerRefused { .. })
    }

    /// Whether a matcher is to blame, and another one might do better.
    pub(crate) fn is_the_matchers(&self) -> bool {
        self.is_fatal()
            || matches!(
                self,
                Self::PoolLost { .. }
                    | Self::InstanceUnavailable { .. }
                    | Self::ComponentUnreadable { .. }
                    | Self::ComponentMalformed { .. }
                    | Self::CompilerFailed { .. }
                    | Self::WrongWorld { .. }
                    | Self::ContractVersion { .. }
            )
    }

    /// Whether another matcher might do better: a matcher is to blame, or it refused what the host cannot judge.
    pub(crate) fn may_be_the_matchers(&self) -> bool {
        self.is_the_matchers()
            || matches!(self, Self::TooManyRows { .. } | Self::SettingMalformed { .. } | Self::RuleUnsupported { .. })
    }
}

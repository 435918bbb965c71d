//! One limit on what a matcher may use, and how it was exceeded.

use std::fmt;

/// One of the limits.
///
/// Example: [`Exceeded`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// `memory_bytes`
    MemoryBytes,
    /// `table_elements`
    TableElements,
    /// `call_milliseconds`
    CallMilliseconds,
    /// `output_rows`
    OutputRows,
    /// `output_text_bytes`
    OutputTextBytes,
    /// `fuel`
    Fuel,
    /// `component_bytes`
    ComponentBytes,
    /// `compile_milliseconds`
    CompileMilliseconds,
    /// `compile_memory_bytes`
    CompileMemoryBytes,
    /// The memories of one instance, which are not for anybody to set.
    Memories,
    /// The tables of one instance, which are not for anybody to set.
    Tables,
    /// The core instances that one instance is made of, which are not for anybody to set.
    Instances,
}

impl Limit {
    /// All that can be set, in the order of `docs/trust.md`.
    pub(crate) const ALL: [Self; 9] = [
        Self::MemoryBytes,
        Self::TableElements,
        Self::CallMilliseconds,
        Self::OutputRows,
        Self::OutputTextBytes,
        Self::Fuel,
        Self::ComponentBytes,
        Self::CompileMilliseconds,
        Self::CompileMemoryBytes,
    ];

    /// Its name in files and errors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MemoryBytes => "memory_bytes",
            Self::TableElements => "table_elements",
            Self::CallMilliseconds => "call_milliseconds",
            Self::OutputRows => "output_rows",
            Self::OutputTextBytes => "output_text_bytes",
            Self::Fuel => "fuel",
            Self::ComponentBytes => "component_bytes",
            Self::CompileMilliseconds => "compile_milliseconds",
            Self::CompileMemoryBytes => "compile_memory_bytes",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::Instances => "instances",
        }
    }

    /// What to do about a matcher that wants more.
    pub(crate) fn hint(self) -> &'static str {
        if Self::ALL.contains(&self) {
            "raise the limit if the matcher is to be trusted with more; docs/trust.md lists them"
        } else {
            "nobody can set this limit: build the matcher from fewer parts"
        }
    }

    /// The code of the error of a matcher that wants more.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::MemoryBytes | Self::Memories => "limit-memory",
            Self::TableElements | Self::Tables => "limit-table",
            Self::CallMilliseconds => "limit-time",
            Self::OutputRows | Self::OutputTextBytes => "limit-output",
            Self::Fuel => "limit-fuel",
            Self::ComponentBytes | Self::CompileMilliseconds | Self::CompileMemoryBytes | Self::Instances => {
                "limit-component"
            }
        }
    }
}

/// A limit that was not enough.
///
/// ```
/// use offermatch::{Error, Limit, Limits, Matcher};
///
/// let small = Limits { component_bytes: 1000, ..Limits::default() };
/// let Err(Error::LimitExceeded(overrun)) = Matcher::bundled_with("best-fit", &small) else { panic!("it has more bytes") };
/// assert_eq!((overrun.call, overrun.exceeded.limit, overrun.exceeded.value), ("load", Limit::ComponentBytes, 1000));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exceeded {
    /// Which.
    pub limit: Limit,
    /// Its value.
    pub value: u64,
    /// What was asked; for time and fuel what was used when the call was ended. How much memory a compiler would have needed
    /// is not known: it is one more than the limit.
    pub asked: u64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, value, asked } = self;
        let (what, unit) = match limit {
            Limit::CompileMemoryBytes => {
                return write!(f, "needed more memory to be compiled or judged; the limit {} is {value}", limit.name());
            }
            Limit::MemoryBytes => ("asked for", "bytes of memory"),
            Limit::TableElements => ("asked for", "table elements"),
            Limit::CallMilliseconds => ("ran for", "milliseconds"),
            Limit::OutputRows => ("answered with", "rows"),
            Limit::OutputTextBytes => ("answered with", "bytes of text"),
            Limit::Fuel => ("used", "units of fuel"),
            Limit::ComponentBytes => ("came with", "bytes"),
            Limit::CompileMilliseconds => ("was still being compiled or judged after", "milliseconds"),
            Limit::Memories => ("asked for", "memories"),
            Limit::Tables => ("asked for", "tables"),
            Limit::Instances => ("asked for", "core instances"),
        };
        write!(f, "{what} {asked} {unit}; the limit {} is {value}", limit.name())
    }
}

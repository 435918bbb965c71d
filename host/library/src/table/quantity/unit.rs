//! What the numbers of a dimension are in.

use super::{QuantityError, QuantityErrorKind};
use crate::error::Error;
use crate::visible::visible_name;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Cores, kept as millicores.
    Cores,
    /// Bytes.
    Bytes,
    /// Anything.
    Count,
    /// Whole devices, or thousandths of one; these are fields of their own, and no dimension.
    Devices,
}

impl Kind {
    /// The kind as a message names it.
    fn named(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::Bytes => "bytes",
            Self::Count | Self::Devices => "a count",
        }
    }
}

/// What the numbers of a dimension are in: what a bare number is, and which units may stand behind one.
///
/// ```
/// use offermatch::Unit;
///
/// assert_eq!(Unit::of("cpu"), Unit::CORES);
/// assert_eq!(Unit::of("gpu_memory"), Unit::BYTES);
/// assert_eq!(Unit::of("licences"), Unit::COUNT);
/// assert_eq!(Unit::named("MiB").unwrap().name(), "MiB");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// As it is declared.
    name: &'static str,
    kind: Kind,
    /// What a bare 1 is, in the smallest unit.
    bare: u64,
    /// The number of decimal places that the smallest unit adds to a core, a byte, one of what is counted.
    places: u32,
}

/// Units that can be declared, besides the steps.
const NAMED: [Unit; 17] = [
    Unit::CORES,
    Unit { name: "millicores", kind: Kind::Cores, bare: 1, places: 3 },
    Unit::BYTES,
    multiple("kB", 1000),
    multiple("MB", 1000_u64.pow(2)),
    multiple("GB", 1000_u64.pow(3)),
    multiple("TB", 1000_u64.pow(4)),
    multiple("PB", 1000_u64.pow(5)),
    multiple("EB", 1000_u64.pow(6)),
    multiple("KiB", 1 << 10),
    Unit::MEBIBYTES,
    multiple("GiB", 1 << 30),
    multiple("TiB", 1 << 40),
    multiple("PiB", 1 << 50),
    multiple("EiB", 1 << 60),
    Unit::COUNT,
    Unit { name: "0.1", kind: Kind::Count, bare: 10, places: 1 },
];

/// Steps of a count, from hundredths on.
const STEPS: [&str; 8] = ["0.01", "0.001", "0.0001", "0.00001", "0.000001", "0.0000001", "0.00000001", "0.000000001"];

/// A multiple of a byte.
const fn multiple(name: &'static str, bytes: u64) -> Unit {
    Unit { name, kind: Kind::Bytes, bare: bytes, places: 0 }
}

impl Unit {
    /// Cores, kept as millicores.
    pub const CORES: Self = Self { name: "cores", kind: Kind::Cores, bare: 1000, places: 3 };
    /// Bytes.
    pub const BYTES: Self = multiple("bytes", 1);
    /// Whole numbers of something.
    pub const COUNT: Self = Self { name: "count", kind: Kind::Count, bare: 1, places: 0 };
    /// MiB, in which the OpenB trace and Slurm count.
    pub(crate) const MEBIBYTES: Self = multiple("MiB", 1 << 20);
    /// A count in steps of a thousandth.
    pub(crate) const THOUSANDTHS_OF_ONE: Self = Self { name: "0.001", kind: Kind::Count, bare: 1000, places: 3 };
    /// Whole devices.
    pub(crate) const DEVICES: Self = Self { name: "devices", kind: Kind::Devices, bare: 1, places: 0 };
    /// Thousandths of one device.
    pub(crate) const THOUSANDTHS: Self = Self { name: "thousandths", kind: Kind::Devices, bare: 1, places: 0 };

    /// What a dimension is in where nothing is declared for it.
    #[must_use]
    pub fn of(dimension: &str) -> Self {
        let ends = |end: &str| {
            let (name, end) = (dimension.as_bytes(), end.as_bytes());
            name.len() >= end.len() && name[name.len() - end.len()..].eq_ignore_ascii_case(end)
        };
        if dimension.eq_ignore_ascii_case("cpu") {
            Self::CORES
        } else if ["_bytes", "memory", "disk", "storage"].into_iter().any(ends) {
            Self::BYTES
        } else {
            Self::COUNT
        }
    }

    /// The unit that can be declared by this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if let Some(unit) = NAMED.iter().find(|unit| unit.name == name) {
            return Some(*unit);
        }
        let at = STEPS.iter().position(|step| *step == name)?;
        let places = u32::try_from(at).ok()? + 2;
        Some(Self { name: STEPS[at], kind: Kind::Count, bare: 10_u64.pow(places), places })
    }

    /// The name by which it is declared.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name
    }

    /// What a bare 1 is, in the smallest unit.
    #[must_use]
    pub fn bare(self) -> u64 {
        self.bare
    }

    /// Whether numbers in the smallest unit of either mean the same.
    pub(crate) fn is_comparable(self, other: Self) -> bool {
        self.places == other.places
    }

    /// What a suffix stands for in the smallest unit, as a factor and a power of ten.
    pub(super) fn suffix(self, suffix: &str) -> Option<(u64, i64)> {
        let (factor, exponent) = factor(self.kind, suffix)?;
        Some((factor, exponent + i64::from(self.places)))
    }

    /// How a quantity is written.
    pub(super) fn form(self) -> String {
        match (self.kind, self.name) {
            (Kind::Cores, "cores") => "write cores as 2, 0.5 or \"500m\"".to_owned(),
            (Kind::Cores, _) => "write millicores as 500, or say \"0.5 cores\"".to_owned(),
            (Kind::Bytes, "bytes") => "write bytes as 1024, \"512MB\" or \"512MiB\"".to_owned(),
            (Kind::Bytes, name) => format!("write {name} as 512, or say \"512MB\" or \"512MiB\""),
            (Kind::Devices, "devices") => "devices are whole; device_share asks for thousandths of one".to_owned(),
            (Kind::Devices, _) => "write a whole number of thousandths of one device".to_owned(),
            (Kind::Count, name) if self.places > 0 => format!("write a number in steps of {name}"),
            (Kind::Count, _) => "write a whole number, such as 4".to_owned(),
        }
    }

    /// What the smallest unit is called, with a blank before it; empty for a plain count.
    pub(super) fn smallest(self) -> String {
        match self.kind {
            Kind::Cores => " millicores".to_owned(),
            Kind::Bytes => " bytes".to_owned(),
            Kind::Count if self.places > 0 => format!(" steps of {}", self.name),
            Kind::Count | Kind::Devices => String::new(),
        }
    }

    /// The remedy for a quantity that lies between `below` and the next.
    pub(super) fn nearest(self, below: u64) -> String {
        if self.kind == Kind::Devices {
            return self.form();
        }
        let more =
            if self == Self::COUNT { "; for parts of one, declare a step such as 0.001 as its unit" } else { "" };
        format!("the nearest are {} and {}{more}", self.shown(below), self.shown(below + 1))
    }

    /// A quantity as people say it: bytes to two places in the largest unit of 1024 that there is one of, rounded up.
    pub(crate) fn said(self, quantity: u64) -> String {
        match self.kind {
            Kind::Cores if quantity == 1000 => "1 core".to_owned(),
            Kind::Cores => format!("{} cores", decimal(quantity.into(), 1000)),
            Kind::Bytes => {
                let sizes = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
                let (name, places) =
                    sizes.into_iter().find(|(_, places)| quantity >> places > 0).unwrap_or(("bytes", 0));
                let hundredths = (u128::from(quantity) * 100).div_ceil(1 << places);
                format!("{} {name}", decimal(hundredths, 100))
            }
            Kind::Count | Kind::Devices => self.shown(quantity),
        }
    }

    /// A text that stands for a quantity in this unit whatever is declared.
    fn shown(self, quantity: u64) -> String {
        match self.kind {
            Kind::Cores => format!("{quantity}m"),
            Kind::Bytes => format!("{quantity}B"),
            Kind::Count if self.places > 0 => decimal(quantity.into(), 10_u128.pow(self.places)),
            Kind::Count | Kind::Devices => quantity.to_string(),
        }
    }

    /// The error of a suffix that is none of this unit's.
    pub(super) fn refused_suffix(self, text: &str, number: &str, suffix: &str) -> QuantityError {
        let known = match self.kind {
            Kind::Cores => "the units of cores are core, cores and m".to_owned(),
            Kind::Bytes => {
                "the units of bytes are B, k to E and Ki to Ei, each with or without B; case matters".to_owned()
            }
            Kind::Count => "the units of a count are k to E and Ki to Ei; case matters".to_owned(),
            Kind::Devices => self.form(),
        };
        let kinds = [Kind::Cores, Kind::Bytes, Kind::Count];
        let Some(kind) = kinds.into_iter().find(|&kind| factor(kind, suffix).is_some()) else {
            let wrong = format!("has the unknown unit {}", visible_name(suffix));
            return QuantityError::new(QuantityErrorKind::UnknownUnit, text, &wrong, known);
        };
        if self.kind == Kind::Bytes && matches!(suffix, "m" | "u" | "n") {
            let number = visible_name(number).into_owned();
            let hint = format!("m is a thousandth; say {number}MB or {number}MiB");
            return QuantityError::new(QuantityErrorKind::WrongUnit, text, "is a part of a byte", hint);
        }
        let wrong = format!("is in {}, where {} should be", kind.named(), self.kind.named());
        QuantityError::new(QuantityErrorKind::WrongUnit, text, &wrong, known)
    }
}

/// A fraction whose denominator is a power of ten, in decimal digits.
fn decimal(numerator: u128, denominator: u128) -> String {
    let width = denominator.ilog10() as usize;
    let text = format!("{}.{:0width$}", numerator / denominator, numerator % denominator);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a suffix stands for behind a number of a kind: a factor and a power of ten.
fn factor(kind: Kind, suffix: &str) -> Option<(u64, i64)> {
    let parts = match suffix {
        "m" => Some(-3),
        "u" => Some(-6),
        "n" => Some(-9),
        _ => None,
    };
    match kind {
        Kind::Cores => match suffix {
            "core" | "cores" => Some((1, 0)),
            "millicore" | "millicores" => Some((1, -3)),
            _ => parts.map(|exponent| (1, exponent)),
        },
        Kind::Bytes if matches!(suffix, "B" | "byte" | "bytes") => Some((1, 0)),
        Kind::Bytes if suffix == "KB" => Some((1000, 0)),
        Kind::Bytes => multiplier(suffix.strip_suffix('B').unwrap_or(suffix)),
        Kind::Count => parts.map(|exponent| (1, exponent)).or_else(|| multiplier(suffix)),
        // A number of devices may be written as Kubernetes prints it: 2000 as 2k, 3 as 3000m.
        Kind::Devices => factor(Kind::Count, suffix),
    }
}

/// What `k` to `E` and `Ki` to `Ei` stand for.
fn multiplier(suffix: &str) -> Option<(u64, i64)> {
    let (letter, base) = match suffix.strip_suffix('i') {
        Some("k") => return None,
        Some("K") => ("k", 1024_u64),
        Some(letter) => (letter, 1024),
        None => (suffix, 1000),
    };
    let power = ["k", "M", "G", "T", "P", "E"].iter().position(|known| *known == letter)?;
    Some((base.pow(u32::try_from(power).ok()? + 1), 0))
}

/// What the dimensions of some tables are in, where that is declared.
///
/// ```
/// use offermatch::{Unit, Units};
///
/// let units = Units::new([("cpu", "millicores"), ("scratch", "bytes")])?;
/// assert_eq!(units.of("cpu").bare(), 1);
/// assert_eq!(units.of("memory"), Unit::BYTES);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Units {
    declared: Vec<(String, Unit)>,
    /// The file that declares them.
    source: Option<String>,
}

impl Units {
    /// Units by the names of dimensions; of two for one dimension the last counts.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`] for a unit that cannot be declared, and for one of bytes where the name of the dimension
    /// says cores, or of cores where it says bytes.
    pub fn new<D: Into<String>, U: AsRef<str>>(declared: impl IntoIterator<Item = (D, U)>) -> Result<Self, Error> {
        let mut units = Self::default();
        for (dimension, unit) in declared {
            let (dimension, name) = (dimension.into(), unit.as_ref());
            let malformed = |message, hint: &str| Error::SettingMalformed {
                setting: format!("unit of {}", visible_name(&dimension)),
                message,
                hint: hint.to_owned(),
            };
            let unit = Unit::named(name).ok_or_else(|| {
                let hint =
                    "declare cores, millicores, bytes, kB to EB, KiB to EiB, count, or a step from 0.1 to 0.000000001";
                malformed(format!("'{}' is not a unit", visible_name(name)), hint)
            })?;
            match (Unit::of(&dimension).kind, unit.kind) {
                (usual @ Kind::Cores, Kind::Bytes) | (usual @ Kind::Bytes, Kind::Cores) => {
                    let message = format!("{name} are {}, where {} should be", unit.kind.named(), usual.named());
                    let hint = match usual {
                        Kind::Cores => "declare cores, millicores or count, or call the dimension otherwise",
                        _ => "declare bytes, kB to EB, KiB to EiB or count, or call the dimension otherwise",
                    };
                    return Err(malformed(message, hint));
                }
                _ => {}
            }
            units.declare(dimension, unit);
        }
        Ok(units)
    }

    /// The same, as a file declares them.
    pub(crate) fn of_file<D: Into<String>, U: AsRef<str>>(
        source: &str,
        declared: impl IntoIterator<Item = (D, U)>,
    ) -> Result<Self, Error> {
        let mut units = Self::new(declared).map_err(|error| error.within(source))?;
        units.source = Some(source.to_owned());
        Ok(units)
    }

    /// What a dimension is in.
    #[must_use]
    pub fn of(&self, dimension: &str) -> Unit {
        self.declared
            .iter()
            .find(|(known, _)| known == dimension)
            .map_or_else(|| Unit::of(dimension), |(_, unit)| *unit)
    }

    /// These units, and those of `others` where these have none.
    pub(crate) fn or(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (dimension, unit) in &others.declared {
            if !self.declared.iter().any(|(known, _)| known == dimension) {
                all.declared.push((dimension.clone(), *unit));
            }
        }
        all
    }

    /// Refuses a unit of a dimension that is none of these: it is misspelt.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`].
    pub fn check<'a>(&self, dimensions: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
        if self.declared.is_empty() {
            return Ok(());
        }
        let known: Vec<String> = crate::table::catalog::distinct(dimensions);
        match self.declared.iter().find(|(dimension, _)| !known.contains(dimension)) {
            None => Ok(()),
            Some((dimension, _)) => {
                let error = Error::SettingMalformed {
                    setting: "units".to_owned(),
                    message: format!("there is no dimension '{}'", visible_name(dimension)),
                    hint: format!(
                        "correct the spelling or leave the unit out; the dimensions are {}",
                        crate::table::catalog::listed(&known)
                    ),
                };
                Err(self.source.iter().fold(error, |error, source| error.within(source)))
            }
        }
    }

    /// Declares what a dimension is in.
    pub(crate) fn declare(&mut self, dimension: String, unit: Unit) {
        self.declared.retain(|(known, _)| *known != dimension);
        self.declared.push((dimension, unit));
    }
}

//! Quantities as people write them, converted exactly to the smallest unit of their dimension.
//!
//! ```text
//! dimension, declared units ──> Units::of ──> Unit ──> parse_quantity ──> u64
//! ```
//!
//! `cpu` is in cores and kept as millicores; memory and disk are in bytes; everything else is a plain count.
//! `docs/formats.md` lists the units, `tests/cases/quantities` what each text becomes. The product of number and unit is
//! computed in decimal digits, so nothing is rounded on the way.

mod decimal;
mod unit;

pub use unit::{Unit, Units};

use crate::visible::visible_name;
use decimal::{Number, Unfit};

/// Why a text is not a quantity.
///
/// Example: [`QuantityError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuantityErrorKind {
    /// Below 0.
    Negative,
    /// Not a whole number of the smallest unit.
    Fractional,
    /// Infinite, or not a number.
    NotFinite,
    /// Above 2^64 - 1 in the smallest unit.
    TooLarge,
    /// A unit that `docs/formats.md` does not have.
    UnknownUnit,
    /// A unit of another kind of dimension.
    WrongUnit,
    /// Not a number at all.
    Malformed,
}

/// A text that is not a quantity of its dimension, with the reason and the remedy.
///
/// ```
/// use offermatch::{QuantityErrorKind, Unit, parse_quantity};
///
/// let error = parse_quantity("-1", Unit::CORES).unwrap_err();
/// assert_eq!((error.kind(), error.code()), (QuantityErrorKind::Negative, "quantity-negative"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QuantityError {
    kind: QuantityErrorKind,
    /// The value and what is wrong with it.
    message: String,
    /// What to write instead.
    hint: String,
    /// The next lower quantity of one that lies between two.
    below: u64,
}

impl QuantityError {
    /// An error about a value, which is shortened.
    fn new(kind: QuantityErrorKind, value: &str, wrong: &str, hint: String) -> Self {
        Self { kind, message: format!("{} {wrong}", visible_name(value)), hint, below: 0 }
    }

    /// The next lower quantity, where the text lies between two.
    pub(crate) fn below(&self) -> u64 {
        self.below
    }

    /// Why the text is none.
    #[must_use]
    pub fn kind(&self) -> QuantityErrorKind {
        self.kind
    }

    /// The stable name of the mistake.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            QuantityErrorKind::Negative => "quantity-negative",
            QuantityErrorKind::Fractional => "quantity-fractional",
            QuantityErrorKind::NotFinite => "quantity-not-finite",
            QuantityErrorKind::TooLarge => "quantity-too-large",
            QuantityErrorKind::UnknownUnit => "quantity-unknown-unit",
            QuantityErrorKind::WrongUnit => "quantity-wrong-unit",
            QuantityErrorKind::Malformed => "quantity-malformed",
        }
    }

    /// What to write instead.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// White space around and within a quantity.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The quantity that a text stands for in a dimension of this unit, as a number of its smallest unit.
///
/// # Errors
/// [`QuantityError`], which names the values that would do.
///
/// ```
/// use offermatch::{Unit, parse_quantity};
///
/// assert_eq!(parse_quantity("2", Unit::CORES), Ok(2000));
/// assert_eq!(parse_quantity("500m", Unit::CORES), Ok(500));
/// assert_eq!(parse_quantity("1.5TiB", Unit::BYTES), Ok(1_649_267_441_664));
///
/// let error = parse_quantity("1.1Gi", Unit::BYTES).unwrap_err();
/// assert_eq!(error.hint(), "the nearest are 1181116006B and 1181116007B");
/// ```
pub fn parse_quantity(text: &str, unit: Unit) -> Result<u64, QuantityError> {
    use QuantityErrorKind::{Fractional, Malformed, Negative, NotFinite, TooLarge};
    let text = text.trim_matches(SPACE);
    let refused = |kind, wrong: &str| QuantityError::new(kind, text, wrong, unit.form());
    if decimal::is_not_finite(text) {
        return Err(refused(NotFinite, "is not finite"));
    }
    let number = Number::split(text).ok_or_else(|| refused(Malformed, "is not a quantity"))?;
    let suffix = number.rest.trim_start_matches(SPACE);
    let (factor, exponent) = if suffix.is_empty() {
        (unit.bare(), 0)
    } else if suffix.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        unit.suffix(suffix).ok_or_else(|| unit.refused_suffix(text, number.written, suffix))?
    } else {
        return Err(refused(Malformed, "is not a quantity"));
    };
    number.times(factor, exponent).map_err(|unfit| match unfit {
        Unfit::Negative => refused(Negative, "is below 0"),
        Unfit::TooLarge => {
            let hint = format!("the most is 18446744073709551615{}", unit.smallest());
            QuantityError::new(TooLarge, text, "is too large", hint)
        }
        Unfit::Fractional(below) => {
            let of = if unit.smallest().is_empty() { String::new() } else { format!(" of{}", unit.smallest()) };
            let error =
                QuantityError::new(Fractional, text, &format!("is not a whole number{of}"), unit.nearest(below));
            QuantityError { below, ..error }
        }
    })
}

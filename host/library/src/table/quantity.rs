//! Quantities as people write them, converted exactly.
//!
//! A quantity is a number (sign, digits, point, digits, exponent, all but one digit optional, all ASCII), white space, and a
//! unit. The product of number and unit is computed in decimal digits, so nothing is rounded on the way.

/// White space around and within a quantity.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantityError {
    /// Below 0.
    #[error("below 0")]
    Negative,
    /// Not a whole number of the smallest unit.
    #[error("not a whole number of the smallest unit")]
    Fractional,
    /// Infinite, or not a number.
    #[error("not finite")]
    NotFinite,
    /// Above 2^64 - 1.
    #[error("above 18446744073709551615")]
    TooLarge,
    /// A unit that is not in the table of `docs/formats.md`.
    #[error("the unit {0} is unknown")]
    UnknownUnit(String),
    /// Not a number at all.
    #[error("not a quantity")]
    Malformed,
}

/// The quantity that a text stands for, in the smallest unit of its dimension.
///
/// # Errors
/// [`QuantityError`], one kind for each thing that can be wrong.
///
/// ```
/// use offermatch::{QuantityError, parse_quantity};
///
/// assert_eq!(parse_quantity("500m"), Ok(500));
/// assert_eq!(parse_quantity("0.5 cores"), Ok(500));
/// assert_eq!(parse_quantity("1.5TiB"), Ok(1_649_267_441_664));
/// assert_eq!(parse_quantity("0.5"), Err(QuantityError::Fractional));
/// ```
pub fn parse_quantity(text: &str) -> Result<u64, QuantityError> {
    let text = text.trim_matches(SPACE);
    let number = split_number(text)?;
    let factor = if number.unit.is_empty() {
        1
    } else {
        unit_factor(number.unit).ok_or_else(|| QuantityError::UnknownUnit(number.unit.to_owned()))?
    };
    number.times(factor)
}

/// A number taken apart: `integer.fraction * 10^exponent`, then the unit.
struct Number<'a> {
    /// Whether there is a minus sign.
    negative: bool,
    /// The digits before the point.
    integer: &'a str,
    /// The digits behind the point.
    fraction: &'a str,
    /// The power of ten, saturated.
    exponent: i64,
    /// What follows the number, without the white space between.
    unit: &'a str,
}

impl Number<'_> {
    /// The number times `factor`, exactly.
    fn times(&self, factor: u64) -> Result<u64, QuantityError> {
        let mut digits: Vec<u8> = self.integer.bytes().chain(self.fraction.bytes()).map(|digit| digit - b'0').collect();
        if digits.iter().all(|&digit| digit == 0) {
            return Ok(0);
        }
        if self.negative {
            return Err(QuantityError::Negative);
        }
        multiply(&mut digits, factor);
        let shift = self.exponent.saturating_sub(i64::try_from(self.fraction.len()).unwrap_or(i64::MAX));
        if shift < 0 {
            let behind = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
            let whole = digits.len().saturating_sub(behind);
            if digits[whole..].iter().any(|&digit| digit != 0) {
                return Err(QuantityError::Fractional);
            }
            digits.truncate(whole);
        }
        let mut value: u64 = 0;
        for &digit in &digits {
            value = value.checked_mul(10).and_then(|v| v.checked_add(digit.into())).ok_or(QuantityError::TooLarge)?;
        }
        let zeros = u32::try_from(shift.max(0)).unwrap_or(u32::MAX);
        let power = 10_u64.checked_pow(zeros).ok_or(QuantityError::TooLarge)?;
        value.checked_mul(power).ok_or(QuantityError::TooLarge)
    }
}

/// Multiplies a number in decimal digits, the highest first.
fn multiply(digits: &mut Vec<u8>, factor: u64) {
    let mut carry: u128 = 0;
    for digit in digits.iter_mut().rev() {
        carry += u128::from(*digit) * u128::from(factor);
        *digit = (carry % 10) as u8;
        carry /= 10;
    }
    let mut high = Vec::new();
    while carry > 0 {
        high.push((carry % 10) as u8);
        carry /= 10;
    }
    high.reverse();
    digits.splice(0..0, high);
}

/// Takes a text apart into number and unit.
fn split_number(text: &str) -> Result<Number<'_>, QuantityError> {
    let (negative, unsigned) = split_sign(text);
    if is_not_finite(unsigned) {
        return Err(QuantityError::NotFinite);
    }
    let (integer, rest) = split_digits(unsigned);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if integer.is_empty() && fraction.is_empty() {
        return Err(QuantityError::Malformed);
    }
    let (exponent, rest) = split_exponent(rest).unwrap_or((0, rest));
    Ok(Number { negative, integer, fraction, exponent, unit: rest.trim_start_matches(SPACE) })
}

/// Whether there is a minus sign, and what follows the sign.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Whether a text is one of the ways to write infinity or not-a-number.
fn is_not_finite(text: &str) -> bool {
    ["nan", "inf", "infinity"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The ASCII digits at the beginning, and the rest.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The exponent at the beginning, saturated, and the rest. None where the `E` is a unit (exa).
fn split_exponent(text: &str) -> Option<(i64, &str)> {
    let behind = text.strip_prefix(['e', 'E'])?;
    let (negative, behind) = split_sign(behind);
    let (digits, rest) = split_digits(behind);
    if digits.is_empty() {
        return None;
    }
    let exponent = digits.parse().unwrap_or(i64::MAX);
    Some((if negative { -exponent } else { exponent }, rest))
}

/// What a unit stands for.
fn unit_factor(unit: &str) -> Option<u64> {
    const DECIMAL: u64 = 1000;
    const BINARY: u64 = 1024;
    Some(match unit {
        "m" | "B" => 1,
        "core" | "cores" => DECIMAL,
        "k" | "kB" | "KB" => DECIMAL,
        "M" | "MB" => DECIMAL.pow(2),
        "G" | "GB" => DECIMAL.pow(3),
        "T" | "TB" => DECIMAL.pow(4),
        "P" | "PB" => DECIMAL.pow(5),
        "E" | "EB" => DECIMAL.pow(6),
        "Ki" | "KiB" => BINARY,
        "Mi" | "MiB" => BINARY.pow(2),
        "Gi" | "GiB" => BINARY.pow(3),
        "Ti" | "TiB" => BINARY.pow(4),
        "Pi" | "PiB" => BINARY.pow(5),
        "Ei" | "EiB" => BINARY.pow(6),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_convert_exactly() {
        for (text, expected) in [
            ("0", 0),
            (" 42 ", 42),
            ("18446744073709551615", u64::MAX),
            ("1e3m", 1000),
            ("1E3", 1000),
            ("1E", 1_000_000_000_000_000_000),
            ("1 EiB", 1 << 60),
            ("0.5 cores", 500),
            ("1.5TiB", 1_649_267_441_664),
            ("200GiB", 200 << 30),
            ("-0", 0),
            ("0e999999999999999999999", 0),
            ("1.0", 1),
            ("0.000000000000000000867361737988403547205962240695953369140625EiB", 1),
            ("16e-3 core", 16),
            ("+5", 5),
            (".5 cores", 500),
            ("5.", 5),
        ] {
            assert_eq!(parse_quantity(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_apart() {
        for (text, expected) in [
            ("-5", QuantityError::Negative),
            ("-0.5", QuantityError::Negative),
            ("0.5", QuantityError::Fractional),
            ("0.0001 cores", QuantityError::Fractional),
            ("1e-400", QuantityError::Fractional),
            ("18446744073709551616", QuantityError::TooLarge),
            ("16EiB", QuantityError::TooLarge),
            ("1e400", QuantityError::TooLarge),
            ("1e99999999999999999999999", QuantityError::TooLarge),
            ("nan", QuantityError::NotFinite),
            ("-Infinity", QuantityError::NotFinite),
            ("5 parsecs", QuantityError::UnknownUnit("parsecs".into())),
            ("5 gib", QuantityError::UnknownUnit("gib".into())),
            ("", QuantityError::Malformed),
            ("many", QuantityError::Malformed),
            ("1,5", QuantityError::UnknownUnit(",5".into())),
            ("1_000", QuantityError::UnknownUnit("_000".into())),
            ("1 2", QuantityError::UnknownUnit("2".into())),
            (".", QuantityError::Malformed),
            ("e5", QuantityError::Malformed),
            ("--5", QuantityError::Malformed),
        ] {
            assert_eq!(parse_quantity(text), Err(expected), "{text}");
        }
    }
}

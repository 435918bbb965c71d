//! Decimal numbers, multiplied exactly.

/// A number taken apart: `integer.fraction * 10^exponent`, and what stands behind it.
pub(super) struct Number<'a> {
    /// The number as written.
    pub(super) written: &'a str,
    /// What stands behind the number.
    pub(super) rest: &'a str,
    negative: bool,
    integer: &'a str,
    fraction: &'a str,
    /// The power of ten, saturated.
    exponent: i64,
}

/// Why a product is no 64-bit number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Negative,
    TooLarge,
    /// It lies between this number and the next.
    Fractional(u64),
}

impl<'a> Number<'a> {
    /// The number at the beginning of a text: sign, digits, point, digits, exponent, all but one digit optional, all ASCII.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let (negative, unsigned) = split_sign(text);
        let (integer, rest) = split_digits(unsigned);
        let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
        if integer.is_empty() && fraction.is_empty() {
            return None;
        }
        let (exponent, rest) = split_exponent(rest).unwrap_or((0, rest));
        Some(Self { written: &text[..text.len() - rest.len()], rest, negative, integer, fraction, exponent })
    }

    /// The number times `factor * 10^exponent`, exactly.
    pub(super) fn times(&self, factor: u64, exponent: i64) -> Result<u64, Unfit> {
        let mut digits: Vec<u8> = self.integer.bytes().chain(self.fraction.bytes()).map(|digit| digit - b'0').collect();
        if digits.iter().all(|&digit| digit == 0) {
            return Ok(0);
        }
        if self.negative {
            return Err(Unfit::Negative);
        }
        multiply(&mut digits, factor);
        let behind = i64::try_from(self.fraction.len()).unwrap_or(i64::MAX);
        let shift = self.exponent.saturating_add(exponent).saturating_sub(behind);
        let cut = usize::try_from(shift.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let (whole, parts) = digits.split_at(digits.len().saturating_sub(cut));
        let mut value: u64 = 0;
        for &digit in whole {
            value = value.checked_mul(10).and_then(|v| v.checked_add(digit.into())).ok_or(Unfit::TooLarge)?;
        }
        if value != 0 {
            let zeros = u32::try_from(shift.max(0)).unwrap_or(u32::MAX);
            let power = 10_u64.checked_pow(zeros).ok_or(Unfit::TooLarge)?;
            value = value.checked_mul(power).ok_or(Unfit::TooLarge)?;
        }
        match parts.iter().any(|&digit| digit != 0) {
            false => Ok(value),
            true if value == u64::MAX => Err(Unfit::TooLarge),
            true => Err(Unfit::Fractional(value)),
        }
    }
}

/// Whether a text is one of the ways to write infinity or not-a-number.
pub(super) fn is_not_finite(text: &str) -> bool {
    let (_, unsigned) = split_sign(text);
    ["nan", "inf", "infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word))
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

/// Whether there is a minus sign, and what follows the sign.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
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

//! Doubles as text, by one rule in both hosts.

/// A double as Python's `repr` has it: of the shortest texts that read back as the same double the nearest to it, with an
/// exponent below 1e-4 and from 1e16 on.
///
/// # Panics
/// Never: a number that is written with an exponent has one.
///
/// ```
/// use offermatch::shown_number;
///
/// assert_eq!([0.1 + 0.2, 31.0, 1e16, 5e-5].map(shown_number), ["0.30000000000000004", "31.0", "1e+16", "5e-05"]);
/// ```
#[must_use]
pub fn shown_number(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return number.to_string();
    }
    let shortest = format!("{number:e}");
    let digits = shortest.bytes().take_while(|&byte| byte != b'e').filter(u8::is_ascii_digit).count();
    // Of two texts that are as short and as near, the standard library takes the larger where it looks for the shortest, and
    // the even one, as Python does, where it knows how many digits there are.
    let nearest = format!("{number:.*e}", digits - 1);
    let (mantissa, exponent) = nearest.split_once('e').expect("it was written with an exponent");
    let exponent: i32 = exponent.parse().expect("it was written as a number");
    if number != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let behind_the_point = (i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent).max(1);
    format!("{number:.*}", behind_the_point.unsigned_abs() as usize)
}

#[cfg(test)]
mod tests {
    use super::shown_number;

    #[test]
    fn doubles_are_written_as_python_writes_them() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.25, "0.25"),
            (31.0, "31.0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e-4, "0.0001"),
            (0.000_123_4, "0.0001234"),
            (9.999e-5, "9.999e-05"),
            (5.453_441_982_074_037e-5, "5.453441982074037e-05"),
            (1e-5, "1e-05"),
            (1e-10, "1e-10"),
            (5e-324, "5e-324"),
            (123_456_789.0, "123456789.0"),
            (1e15, "1000000000000000.0"),
            (9_999_999_999_999_998.0, "9999999999999998.0"),
            (2_038_314_262_288_348.0 + 0.25, "2038314262288348.2"),
            (2_038_314_262_288_348.0 + 0.75, "2038314262288348.8"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(shown_number(number), expected);
        }
    }
}

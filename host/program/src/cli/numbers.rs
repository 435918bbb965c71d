//! Numbers as every output has them, the same in both hosts: the shortest digits that read back as the same double, with an
//! exponent below 1e-4 and from 1e16 on.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A double as text, as Python's `repr` has it.
pub(super) fn shown(number: f64) -> String {
    let shortest = format!("{number:e}");
    match shortest.split_once('e').map(|(digits, exponent)| (digits, exponent.parse::<i32>())) {
        Some((digits, Ok(exponent))) if number != 0.0 && !(-4..16).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        // Debug writes a point, and an exponent only where there is one above.
        _ => format!("{number:?}"),
    }
}

/// A value as JSON on one line.
pub(super) fn to_json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Numbers))?;
    Ok(text)
}

/// Writes doubles as [`shown`] does.
struct Numbers;

impl Formatter for Numbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(shown(value).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

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
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(shown(number), expected);
        }
    }
}

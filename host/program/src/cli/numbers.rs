//! JSON with the numbers of every output.

use std::io;

use offermatch::shown_number;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// A value as JSON on one line.
pub(super) fn to_json(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut text, Numbers))?;
    Ok(text)
}

/// Writes doubles as [`shown_number`] does.
struct Numbers;

impl Formatter for Numbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(shown_number(value).as_bytes())
    }
}

//! What the readers of other systems' files have in common: values whose types those systems choose.

use serde_json::Value;

use crate::error::{Error, Place};
use crate::table::quantity::{QuantityErrorKind, Unit, parse_quantity};

/// An object of a file, with where it stands.
#[derive(Clone)]
pub(super) struct At {
    source: String,
    row: usize,
    name: Option<String>,
}

impl At {
    pub(super) fn new(source: &str, row: usize) -> Self {
        Self { source: source.to_owned(), row, name: None }
    }

    pub(super) fn named(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    pub(super) fn place(&self, column: impl Into<String>) -> Box<Place> {
        Box::new(Place {
            source: self.source.clone(),
            row: Some(self.row),
            name: self.name.clone(),
            column: column.into(),
        })
    }

    pub(super) fn malformed(&self, column: &str, message: impl Into<String>, hint: &'static str) -> Error {
        Error::RowMalformed { place: self.place(column), message: message.into(), hint }
    }

    /// The quantity that a value stands for.
    pub(super) fn quantity(&self, column: &str, value: &str, unit: Unit) -> Result<u64, Error> {
        parse_quantity(value, unit).map_err(|error| Error::Quantity { place: self.place(column), error })
    }

    /// The quantity that a value stands for, where a part of the smallest unit counts as one.
    pub(super) fn rounded_up(&self, column: &str, value: &str, unit: Unit) -> Result<u64, Error> {
        match parse_quantity(value, unit) {
            Err(error) if error.kind() == QuantityErrorKind::Fractional => Ok(error.below() + 1),
            other => other.map_err(|error| Error::Quantity { place: self.place(column), error }),
        }
    }
}

/// A scalar as text; empty for what is none.
pub(super) fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(value)) => value.to_string(),
        _ => String::new(),
    }
}

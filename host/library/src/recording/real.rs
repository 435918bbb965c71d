//! Doubles as recordings have them.

use serde::{Deserialize, Serialize};

/// A double. One that JSON does not have is written as text, so that cases can ask what a matcher makes of it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(into = "WrittenReal", try_from = "WrittenReal")]
pub(super) struct Real(pub(super) f64);

/// A double as it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenReal {
    /// Finite.
    Number(f64),
    /// `NaN`, `Infinity` or `-Infinity`.
    Text(String),
}

impl From<Real> for WrittenReal {
    fn from(Real(number): Real) -> Self {
        if number.is_finite() {
            Self::Number(number)
        } else if number.is_nan() {
            Self::Text("NaN".to_owned())
        } else {
            Self::Text(if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned())
        }
    }
}

impl TryFrom<WrittenReal> for Real {
    type Error = String;

    fn try_from(written: WrittenReal) -> Result<Self, String> {
        match written {
            WrittenReal::Number(number) => Ok(Self(number)),
            WrittenReal::Text(text) => match text.as_str() {
                "NaN" => Ok(Self(f64::NAN)),
                "Infinity" => Ok(Self(f64::INFINITY)),
                "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
                _ => Err(format!("{text:?} is not a number, NaN, Infinity or -Infinity")),
            },
        }
    }
}

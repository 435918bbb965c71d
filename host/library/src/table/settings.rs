//! How a pool ranks its offers, by name.

use offermatch_core::{Mode, Settings as Columns};

use crate::error::Error;
use crate::table::catalog::Catalog;

/// The name of the free device thousandths among weights and scales.
pub const DEVICES: &str = "devices";

/// How a pool ranks its offers.
///
/// ```
/// use offermatch::{Mode, Settings};
///
/// let settings = Settings { mode: Mode::Shared, weights: vec![("cpu".into(), 2.0)], ..Settings::default() };
/// assert_eq!(settings.max_score, None);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// What happens to an offer that takes a task.
    pub mode: Mode,
    /// An offer is chosen only if its score is below this; none for no limit.
    pub max_score: Option<f64>,
    /// The weight of a dimension, or of [`DEVICES`]; 1.0 where left out.
    pub weights: Vec<(String, f64)>,
    /// The scale of a dimension, or of [`DEVICES`]; 0, or left out, for the largest capacity in that dimension.
    pub scales: Vec<(String, u64)>,
}

impl Settings {
    /// The settings as the columns of a pool with this catalog.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`] for a name that is no dimension and for a number that is negative or not finite.
    pub fn columns(&self, catalog: &Catalog) -> Result<Columns, Error> {
        check_number("max-score", self.max_score.unwrap_or(0.0))?;
        for (name, weight) in &self.weights {
            check_number(&format!("weight of {name}"), *weight)?;
        }
        Ok(Columns {
            mode: self.mode,
            max_score: self.max_score,
            weights: column(&self.weights, "weight", 1.0, catalog)?,
            scales: column(&self.scales, "scale", 0, catalog)?,
            ..Columns::default()
        })
    }
}

/// One number for each dimension and then for the devices; none where none is given.
fn column<T: Copy>(given: &[(String, T)], what: &str, default: T, catalog: &Catalog) -> Result<Vec<T>, Error> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let dimensions = catalog.dimensions();
    if catalog.dimension(DEVICES).is_some() {
        return Err(Error::SettingMalformed {
            setting: what.to_owned(),
            value: DEVICES.to_owned(),
            reason: "a dimension is called as the devices are".to_owned(),
        });
    }
    let mut column = vec![default; dimensions.len() + 1];
    for (name, value) in given {
        let devices = (name == DEVICES).then_some(dimensions.len());
        let Some(at) = catalog.dimension(name).or(devices) else {
            return Err(Error::SettingMalformed {
                setting: what.to_owned(),
                value: name.clone(),
                reason: format!("not a dimension; the names are {}, {DEVICES}", dimensions.join(", ")),
            });
        };
        column[at] = *value;
    }
    Ok(column)
}

/// Refuses a number that is negative or not finite.
fn check_number(setting: &str, value: f64) -> Result<(), Error> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::SettingMalformed {
        setting: setting.to_owned(),
        value: value.to_string(),
        reason: "not finite, or negative".to_owned(),
    })
}

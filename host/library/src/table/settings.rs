//! How a pool ranks its offers, by name.

use offermatch_core::{Mode, OfferTable, Settings as Columns, Shape, Workload};

use crate::error::{Error, Place};
use crate::pool::description::Description;
use crate::remedy;
use crate::table::catalog::Catalog;
use crate::table::offers::Offers;
use crate::table::rows::{DEVICES, Task, WHOLE};
use crate::table::tasks::Tasks;
use crate::visible::visible_name;

/// How a pool ranks its offers.
///
/// ```
/// use offermatch::{Mode, Settings, Task};
///
/// let settings = Settings { mode: Mode::Shared, weights: vec![("cpu".into(), 2.0)], ..Settings::default() };
/// assert_eq!(settings.max_score, None);
///
/// let expected = vec![(Task::new("small", [("cpu", 1000)]), 0.75), (Task::new("large", [("cpu", 8000)]), 0.25)];
/// let settings = Settings { workload: Some(expected), parameters: vec![("alpha".into(), 0.5)], ..settings };
/// assert_eq!(settings.parameters.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    /// What happens to an offer that takes a task.
    pub mode: Mode,
    /// An offer is chosen only if its score is below this; none for no limit.
    pub max_score: Option<f64>,
    /// The weight of a dimension, or of [`DEVICES`]; 1.0 where left out.
    pub weights: Vec<(String, f64)>,
    /// The scale of a dimension, in its smallest unit, or of [`DEVICES`], in thousandths; 0, or left out, for the largest
    /// capacity in that dimension.
    pub scales: Vec<(String, u64)>,
    /// What the policy takes, by the names in its description; the default where left out.
    pub parameters: Vec<(String, f64)>,
    /// The tasks that are to be expected, each with its share of all, in proportion to the sum of the shares; for a policy
    /// that looks ahead. None: nothing is known of them.
    pub workload: Option<Vec<(Task, f64)>>,
}

/// Settings as the columns of a pool, with the parameters by name until the matcher that opens the pool puts them in the
/// order of its description.
///
/// ```
/// use offermatch::{Catalog, Mode, Settings};
///
/// let settings = Settings { mode: Mode::Shared, parameters: vec![("alpha".into(), 0.5)], ..Settings::default() };
/// let columns = settings.columns(&Catalog::new(["cpu"], [""; 0]))?;
/// assert_eq!((columns.columns.mode, columns.parameters.len()), (Mode::Shared, 1));
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PoolSettings {
    /// All but the parameters.
    pub columns: Columns,
    /// The parameters by name.
    pub parameters: Vec<(String, f64)>,
    /// Whether a parameter that the matcher does not have is left out, as for a fallback, and not refused.
    pub is_lenient: bool,
}

impl PoolSettings {
    /// The same for a matcher that stands in for another one, whose parameters it may not have.
    pub(crate) fn lenient(&self) -> Self {
        Self { is_lenient: true, ..self.clone() }
    }

    /// The columns for the matcher of this description.
    ///
    /// # Errors
    /// [`Error::ParameterUnknown`] and [`Error::ParameterMalformed`].
    pub(crate) fn of(&self, description: &Description) -> Result<Columns, Error> {
        let known = &description.parameters;
        let mut parameters: Vec<f64> = known.iter().map(|parameter| parameter.default).collect();
        let mut is_set = false;
        for (name, value) in &self.parameters {
            let Some(at) = known.iter().position(|parameter| parameter.name == *name) else {
                if self.is_lenient {
                    continue;
                }
                let known: Vec<&str> = known.iter().map(|parameter| parameter.name.as_str()).collect();
                return Err(Error::ParameterUnknown {
                    matcher: visible_name(&description.name).into_owned(),
                    parameter: visible_name(name).into_owned(),
                    known: format!("it takes {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") }),
                });
            };
            let (minimum, maximum) = (known[at].minimum, known[at].maximum);
            if !(*value >= minimum && *value <= maximum) {
                return Err(Error::ParameterMalformed { parameter: name.clone(), value: *value, minimum, maximum });
            }
            parameters[at] = *value;
            is_set = true;
        }
        // Parameters by their numbers, as recordings have them, stay where none is named.
        let parameters = if is_set { parameters } else { self.columns.parameters.clone() };
        Ok(Columns { parameters, ..self.columns.clone() })
    }
}

impl From<Columns> for PoolSettings {
    fn from(columns: Columns) -> Self {
        Self { columns, ..Self::default() }
    }
}

impl Settings {
    /// The settings as the columns of a pool with this catalog.
    ///
    /// # Errors
    /// [`Error::SettingMalformed`] for a name that is no dimension and for a number that is negative or not finite;
    /// [`Error::WorkloadMalformed`], and as [`Tasks::new`] for a typical task.
    pub fn columns(&self, catalog: &Catalog) -> Result<PoolSettings, Error> {
        check_number("max_score", self.max_score.unwrap_or(0.0))?;
        for (name, weight) in &self.weights {
            check_number(&format!("weight of {name}"), *weight)?;
        }
        let columns = Columns {
            mode: self.mode,
            max_score: self.max_score,
            weights: column(&self.weights, "weights", 1.0, catalog)?,
            scales: column(&self.scales, "scales", 0, catalog)?,
            workload: self.workload.as_ref().map(|given| workload(given, catalog)).transpose()?,
            ..Columns::default()
        };
        Ok(PoolSettings { columns, parameters: self.parameters.clone(), is_lenient: false })
    }

    /// The same settings with the scales that a pool of these offers has when it is opened, for pools that hold a part of them.
    ///
    /// # Errors
    /// As [`Settings::columns`].
    pub fn with_scales_of(&self, offers: &Offers) -> Result<Self, Error> {
        let catalog = offers.catalog();
        let scales = scales_of_opening(catalog.shape(), offers.table(), &self.columns(catalog)?.columns.scales);
        let names = catalog.dimensions().iter().cloned().chain([DEVICES.to_owned()]);
        Ok(Self { scales: names.zip(scales).collect(), ..self.clone() })
    }
}

/// Typical tasks as columns.
///
/// # Errors
/// [`Error::WorkloadMalformed`], and as [`Tasks::new`].
pub(crate) fn workload(given: &[(Task, f64)], catalog: &Catalog) -> Result<Workload, Error> {
    let place = |row: Option<usize>, column: &str| {
        let name = row.map(|row| given[row].0.name.clone());
        Box::new(Place { source: "workload".to_owned(), row, name, column: column.to_owned() })
    };
    for (row, (task, share)) in given.iter().enumerate() {
        if !(share.is_finite() && *share >= 0.0) {
            let reason = format!("the share {share} is not a finite number of 0 or more");
            return Err(Error::WorkloadMalformed { place: place(Some(row), "share"), reason, hint: remedy::SHARE });
        }
        if task.group.is_some() {
            let reason = "a typical task belongs to no group".to_owned();
            let hint = "leave the group out: shares say how often such a task comes";
            return Err(Error::WorkloadMalformed { place: place(Some(row), "group"), reason, hint });
        }
    }
    let shares: Vec<f64> = given.iter().map(|(_, share)| *share).collect();
    let sum: f64 = shares.iter().sum();
    if !(given.is_empty() || sum > 0.0 && sum.is_finite()) {
        let (reason, hint) = (format!("the shares add up to {sum}"), "give one of them a share above 0");
        return Err(Error::WorkloadMalformed { place: place(None, ""), reason, hint });
    }
    let rows: Vec<Task> = given.iter().map(|(task, _)| task.clone()).collect();
    Ok(Workload { tasks: Tasks::from_source(&rows, catalog, "workload")?.into_table(), shares })
}

/// The scales that a pool of these offers has when it is opened: those given, and the largest capacity where none is.
pub(crate) fn scales_of_opening(shape: Shape, offers: &OfferTable, given: &[u64]) -> Vec<u64> {
    let mut scales = vec![1; shape.dimensions as usize + 1];
    raise_scales(&mut scales, shape, offers, given);
    scales
}

/// Raises scales that are not given to the capacities of these offers.
pub(crate) fn raise_scales(scales: &mut [u64], shape: Shape, offers: &OfferTable, given: &[u64]) {
    let width = shape.dimensions as usize;
    for row in capacities(offers).chunks(width.max(1)) {
        scales.iter_mut().zip(row).for_each(|(scale, &capacity)| *scale = capacity.max(*scale));
    }
    scales[width] = scales[width].max(u64::from(offers.devices.most()) * u64::from(WHOLE));
    for (scale, &given) in scales.iter_mut().zip(given) {
        *scale = if given > 0 { given } else { *scale };
    }
}

/// What the offers of a table have in all.
pub(crate) fn capacities(offers: &OfferTable) -> &[u64] {
    if offers.capacity.is_empty() { &offers.available } else { &offers.capacity }
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
            message: format!("a dimension is called '{DEVICES}', as the devices are"),
            hint: "give the dimension another name".to_owned(),
        });
    }
    let mut column = vec![default; dimensions.len() + 1];
    for (name, value) in given {
        let devices = (name == DEVICES).then_some(dimensions.len());
        let Some(at) = catalog.dimension(name).or(devices) else {
            return Err(Error::SettingMalformed {
                setting: what.to_owned(),
                message: format!("{} is not a dimension of the offers", visible_name(name)),
                hint: format!("the names are {}", [dimensions, &[DEVICES.to_owned()]].concat().join(", ")),
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
        message: format!("{value} cannot be used"),
        hint: "give a finite number, 0 or more".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pool::description::Parameter;
    use crate::pool::matcher::Matcher;

    #[test]
    fn parameters_go_where_the_description_has_them() {
        let parameter = |name: &str, default| Parameter { name: name.to_owned(), default, minimum: 0.0, maximum: 1.0 };
        let parameters = vec![parameter("alpha", 0.25), parameter("beta", 0.75)];
        let description = Description { parameters, ..Matcher::reference().description().clone() };
        let named = |given: &[(&str, f64)]| PoolSettings {
            parameters: given.iter().map(|&(name, value)| (name.to_owned(), value)).collect(),
            ..PoolSettings::default()
        };
        assert_eq!(named(&[("beta", 1.0)]).of(&description).unwrap().parameters, [0.25, 1.0]);
        assert_eq!(named(&[]).of(&description).unwrap().parameters, [0.0; 0]);
        for value in [-0.1, 1.1, f64::NAN] {
            let error = named(&[("alpha", value)]).of(&description).unwrap_err();
            assert_eq!(error.code(), "parameter-malformed");
        }
        let unknown = named(&[("gamma", 1.0), ("alpha", 0.5)]);
        let error = unknown.of(&description).unwrap_err();
        assert_eq!((error.code(), error.hint()), ("parameter-unknown", "it takes alpha, beta"));
        assert_eq!(unknown.lenient().of(&description).unwrap().parameters, [0.5, 0.75]);
    }
}

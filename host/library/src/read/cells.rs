//! What all formats have in common: where a row comes from, and what its cells stand for.

use crate::error::{Error, Place};
use crate::remedy;
use crate::table::catalog::refuse_devices;
use crate::table::quantity::{Unit, Units, parse_quantity};
use crate::visible::visible_name;

/// The most devices of one task or offer: their thousandths cross as 32-bit numbers.
const MOST_DEVICES: u32 = u32::MAX / 1000;

/// A number of devices that a task may ask for and an offer may have.
pub(super) fn devices(asked: u64, place: impl FnOnce() -> Box<Place>) -> Result<u32, Error> {
    let devices = u32::try_from(asked).ok().filter(|devices| *devices <= MOST_DEVICES);
    devices.ok_or_else(|| Error::DevicesMalformed {
        place: place(),
        reason: format!("{asked} devices cannot be"),
        hint: remedy::DEVICES,
    })
}

/// A row of a file, for errors.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) source: &'a str,
    /// The row, counted from 0.
    pub(super) number: usize,
    /// The row's name, once it is known.
    pub(super) name: Option<&'a str>,
    /// What the numbers are in.
    pub(super) units: &'a Units,
}

impl Row<'_> {
    /// A place in the row.
    pub(super) fn place(self, column: impl Into<String>) -> Place {
        Place {
            source: self.source.to_owned(),
            row: Some(self.number),
            name: self.name.map(str::to_owned),
            column: column.into(),
        }
    }

    /// The quantity that a text stands for in a dimension.
    pub(super) fn quantity(self, column: &str, dimension: &str, text: &str) -> Result<u64, Error> {
        self.refuse_devices(dimension, || column.to_owned())?;
        self.in_unit(column, self.units.of(dimension), text)
    }

    /// Refuses a dimension that is called as the devices are; the fault is of the whole column.
    pub(super) fn refuse_devices(self, dimension: &str, column: impl FnOnce() -> String) -> Result<(), Error> {
        let place = || Place { source: self.source.to_owned(), column: column(), ..Place::default() };
        refuse_devices(dimension, place)
    }

    /// The quantity that a text stands for in a unit.
    pub(super) fn in_unit(self, column: &str, unit: Unit, text: &str) -> Result<u64, Error> {
        parse_quantity(text, unit).map_err(|error| Error::Quantity { place: Box::new(self.place(column)), error })
    }

    /// The error of a column that is not there.
    pub(super) fn missing(self, column: impl Into<String>, hint: &'static str) -> Error {
        Error::MissingColumn { place: Box::new(self.place(column)), hint }
    }

    /// Refuses devices.
    pub(super) fn devices_malformed(self, column: &str, reason: String, hint: &'static str) -> Error {
        Error::DevicesMalformed { place: Box::new(self.place(column)), reason, hint }
    }

    /// A number of whole devices that a task asks for.
    pub(super) fn whole_devices(self, text: &str) -> Result<u32, Error> {
        devices(self.in_unit("devices", Unit::DEVICES, text)?, || Box::new(self.place("devices")))
    }

    /// The share of one device that a task asks for.
    pub(super) fn device_share(self, text: &str) -> Result<u32, Error> {
        self.thousandths("device_share", text, 999, |asked| format!("a share of {asked}"), remedy::DEVICE_SHARE)
    }

    /// A number of wholly free devices, as the free thousandths of each.
    pub(super) fn free_devices(self, text: &str) -> Result<Vec<u32>, Error> {
        Ok(vec![1000; self.whole_devices(text)? as usize])
    }

    /// The free thousandths of one device.
    pub(super) fn free_thousandths(self, text: &str) -> Result<u32, Error> {
        self.thousandths("devices", text, 1000, |free| format!("{free} free thousandths"), remedy::FREE_THOUSANDTHS)
    }

    /// A measure, or the bound of one.
    pub(super) fn measure(self, column: &str, text: &str) -> Result<f64, Error> {
        text.parse().ok().filter(|number: &f64| !number.is_nan()).ok_or_else(|| Error::MeasureMalformed {
            place: Box::new(self.place(column)),
            value: visible_name(text).into_owned(),
            reason: "not a number".to_owned(),
            hint: remedy::MEASURE,
        })
    }

    /// The weight of a preference.
    pub(super) fn weight(self, column: &str, text: &str) -> Result<f64, Error> {
        let weight = text.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
        weight.ok_or_else(|| Error::PreferenceMalformed {
            place: Box::new(self.place(column)),
            value: visible_name(text).into_owned(),
        })
    }

    /// The share of a typical task.
    pub(super) fn share(self, column: &str, text: &str) -> Result<f64, Error> {
        let share = text.parse().ok().filter(|share: &f64| share.is_finite() && *share >= 0.0);
        share.ok_or_else(|| Error::WorkloadMalformed {
            place: Box::new(self.place(column)),
            reason: format!("{} is not a finite number of 0 or more", visible_name(text)),
            hint: remedy::SHARE,
        })
    }

    /// A number of members of a group.
    pub(super) fn members(self, column: &str, text: &str, least: u32) -> Result<u32, Error> {
        let members = text.parse().ok().filter(|&members: &u32| members >= least && !text.starts_with('+'));
        members.ok_or_else(|| {
            let reason = format!("{} is not a whole number within {least} to {}", visible_name(text), u32::MAX);
            let hint = if least == 0 { "give a whole number from 0 to 4294967295" } else { remedy::AT_LEAST_ONE };
            Error::GroupMalformed { place: Box::new(self.place(column)), reason, hint }
        })
    }

    /// Refuses a group without a name.
    pub(super) fn nameless_group(self) -> Error {
        let (place, reason) = (Box::new(self.place("group")), "a group needs a name".to_owned());
        Error::GroupMalformed { place, reason, hint: remedy::NAMELESS_GROUP }
    }

    /// Thousandths of a device, not above `most`.
    fn thousandths(
        self,
        column: &str,
        text: &str,
        most: u32,
        words: fn(u64) -> String,
        hint: &'static str,
    ) -> Result<u32, Error> {
        let quantity = self.in_unit(column, Unit::THOUSANDTHS, text)?;
        match u32::try_from(quantity) {
            Ok(number) if number <= most => Ok(number),
            _ => Err(self.devices_malformed(column, format!("{} cannot be", words(quantity)), hint)),
        }
    }
}

//! What all formats have in common: where a row comes from, and what its cells stand for.

use crate::error::{Error, Place, shortened};
use crate::quantity::parse_quantity;

/// The most devices that an offer can be given by their number.
pub(super) const MOST_DEVICES: u64 = 65_535;

/// A row of a file, for errors.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// The file.
    pub(super) source: &'a str,
    /// The row, counted from 0.
    pub(super) number: usize,
    /// The row's name, once it is known.
    pub(super) name: Option<&'a str>,
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

    /// The quantity that a text stands for.
    pub(super) fn quantity(self, column: &str, text: &str) -> Result<u64, Error> {
        parse_quantity(text).map_err(|error| Error::quantity(error, text.trim(), self.place(column)))
    }

    /// Refuses devices.
    pub(super) fn devices_malformed(self, column: &str, value: &str, reason: &'static str) -> Error {
        Error::DevicesMalformed { place: Box::new(self.place(column)), value: shortened(value), reason }
    }

    /// A number of whole devices that a task asks for.
    pub(super) fn whole_devices(self, text: &str) -> Result<u32, Error> {
        parse_whole(text).ok_or_else(|| self.devices_malformed("devices", text, "not a number of whole devices"))
    }

    /// The share of one device that a task asks for.
    pub(super) fn device_share(self, text: &str) -> Result<u32, Error> {
        parse_whole(text).filter(|&share| share < 1000).ok_or_else(|| {
            self.devices_malformed("device_share", text, "a share is 1 to 999 thousandths of one device")
        })
    }

    /// A number of wholly free devices, as the free thousandths of each.
    pub(super) fn free_devices(self, text: &str) -> Result<Vec<u32>, Error> {
        match parse_whole(text) {
            Some(count) if u64::from(count) <= MOST_DEVICES => Ok(vec![1000; count as usize]),
            _ => Err(self.devices_malformed("devices", text, "not a number of devices, 0 to 65535")),
        }
    }

    /// The free thousandths of one device.
    pub(super) fn free_thousandths(self, text: &str) -> Result<u32, Error> {
        parse_whole(text)
            .filter(|&free| free <= 1000)
            .ok_or_else(|| self.devices_malformed("devices", text, "a device has 0 to 1000 free thousandths"))
    }
}

/// A small whole number, exactly as a quantity without a unit.
fn parse_whole(text: &str) -> Option<u32> {
    let bare = !text.contains(|c: char| c.is_alphabetic() && !c.eq_ignore_ascii_case(&'e'));
    parse_quantity(text).ok().filter(|_| bare && !text.trim_end().ends_with(['e', 'E'])).and_then(|n| u32::try_from(n).ok())
}

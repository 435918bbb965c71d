//! What to do about bad input, where several places say it. The Python host says the same: `tests/cases/refused` holds both to it.

/// For a number of members that cannot be, of a rule that is there.
pub(crate) const AT_LEAST_ONE: &str = "give a whole number from 1 to 4294967295";

/// For a file that cannot be read.
pub(crate) const CHECK_PATH: &str = "check the path and its permissions";

/// For a requirement or a preference that lacks a part.
pub(crate) const CONDITION: &str =
    "a requirement has attribute with in or not_in, or measure with at_least or at_most; a preference also weight";

/// For a number of devices that cannot be.
pub(crate) const DEVICES: &str = "give 0 to 4294967";

/// For devices that cannot be free.
pub(crate) const FREE_THOUSANDTHS: &str = "each number is the free thousandths of one device, 0 to 1000";

/// For a dimension that no offer has.
pub(crate) const DIMENSION: &str = "correct the spelling, or give the dimension to an offer";

/// For a dimension that is called as the devices are.
pub(crate) const DIMENSION_DEVICES: &str = "give devices in their own field or column, and a dimension another name";

/// For a row without a name.
pub(crate) const NAMELESS: &str = "every task and every offer needs a name";

/// For a group without a name.
pub(crate) const NAMELESS_GROUP: &str = "name it, or leave the group out";

/// For what is no measure.
pub(crate) const MEASURE: &str = "give a number, or leave it out where it is not known";

/// For the share of a typical task that is missing.
pub(crate) const NO_SHARE: &str = "say how often such a task comes";

/// For a share of a device that cannot be.
pub(crate) const DEVICE_SHARE: &str = "a share is 1 to 999 thousandths of one device; use devices for whole ones";

/// For the share of a typical task that cannot be.
pub(crate) const SHARE: &str = "give a finite number, 0 or more";

/// For a column that rows of a submission have, and no other rows.
pub(crate) const SUBMIT: &str = "take it out: only 'offermatch submit' reads it";

/// What rows of a submission have beyond a task's columns.
pub(crate) const SUBMISSION_COLUMNS: [&str; 8] =
    ["priority", "needs", "payload", "inputs", "retries", "queue", "time_limit", "fails_together"];

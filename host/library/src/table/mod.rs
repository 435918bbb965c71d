//! Rows with names become columns of numbers.

pub(crate) mod bad;
pub(crate) mod bound;
pub(crate) mod catalog;
pub(crate) mod columns;
pub(crate) mod groups;
pub(crate) mod names;
pub(crate) mod offers;
pub(crate) mod partition;
pub(crate) mod quantity;
mod remarks;
pub(crate) mod requirements;
pub(crate) mod rows;
pub(crate) mod rule;
pub(crate) mod settings;
pub(crate) mod tasks;

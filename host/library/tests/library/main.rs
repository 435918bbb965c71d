//! The library as a program uses it. One crate for all, so that the engine is linked once.

mod agreement;
mod bad_input;
mod built;
mod components;
mod conformance;
#[cfg(target_os = "linux")]
mod endurance;
mod fallback;
mod faults;
mod hostile_rules;
mod limits_add_up;
mod living;
mod meter;
mod partitions;
mod policies;
mod quantities;
mod recordings;
mod rules;
mod scripted;
mod slot;
mod trust;

//! Matches tasks to resource offers.
#![no_std]
extern crate alloc;

//! The best-fit matcher as a component of world `offermatch:matcher/matcher`.
//!
//! `no_std`, so that the component imports nothing: the standard library would bring files, environment, clocks and
//! randomness along.
#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

mod bindings;
mod conversion;
mod digits;
mod matcher;
#[cfg(target_arch = "wasm32")]
mod runtime;

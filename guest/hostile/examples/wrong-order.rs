//! Takes an offer out of the list and keeps the others in their order.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::vec::Vec;

use offermatch_hostile::{Rules, ruled};

/// Closes ranks instead of moving the last one.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-order";

    fn leave(list: &mut Vec<usize>, position: usize) {
        list.remove(position);
    }
}

ruled!(Wrong);

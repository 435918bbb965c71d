//! Follows another policy: every task goes to the first offer that can take it. Valid, and another matcher.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

use alloc::borrow::ToOwned;

use offermatch_hostile::{Behaviour, Description, Honest, OfferTable, Settings, Shape, Verdict, hostile};

/// Gives every task the first offer that can take it.
struct FirstFit;

/// The honest description.
struct Obedient;

impl Behaviour for Obedient {}

impl Behaviour for FirstFit {
    fn describe() -> Description {
        Description { name: "first-fit".to_owned(), policy: "first-fit".to_owned(), ..Obedient::describe() }
    }

    fn open(shape: Shape, offers: OfferTable, mut settings: Settings) -> Verdict<Honest> {
        // Where nothing has weight, every score is zero and the first offer wins. Weights that cannot be used are refused.
        if settings.weights.is_empty() {
            settings.weights = alloc::vec![0.0; shape.dimensions as usize + 1];
        }
        settings
            .weights
            .iter_mut()
            .filter(|weight| weight.is_finite() && **weight > 0.0)
            .for_each(|weight| *weight = 0.0);
        Honest::open(shape, &offers, &settings)
    }
}

hostile!(FirstFit);

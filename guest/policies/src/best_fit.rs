//! The tightest offer: the default, and the policy of the reference.

pub use offermatch_core::BestFit;

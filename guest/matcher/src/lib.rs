//! The best-fit matcher as a component of world `offermatch:matcher/packed-matcher`.
#![cfg_attr(target_arch = "wasm32", no_std)]

offermatch_kit::export!(offermatch_kit::BestFit);

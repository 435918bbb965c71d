//! The fragmentation matcher as a component.
#![cfg_attr(target_arch = "wasm32", no_std)]

offermatch_kit::export!(offermatch_kit::policies::Fragmentation as "offermatch-fragmentation");

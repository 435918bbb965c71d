//! The strand matcher as a component.
#![cfg_attr(target_arch = "wasm32", no_std)]

offermatch_kit::export!(offermatch_kit::policies::Strand as "offermatch-strand");

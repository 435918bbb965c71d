//! Finds the matcher component that is bundled with this crate.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=OFFERMATCH_COMPONENT");
    let root = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
    let default = || Path::new(&root).join("../../target/matcher.wasm");
    let path = env::var_os("OFFERMATCH_COMPONENT").map_or_else(default, PathBuf::from);
    println!("cargo::rerun-if-changed={}", path.display());
    match path.canonicalize() {
        Ok(path) if path.is_file() => println!("cargo::rustc-env=OFFERMATCH_COMPONENT_PATH={}", path.display()),
        _ => println!(
            "cargo::error=the matcher component {} is missing: run `make component`, or set OFFERMATCH_COMPONENT to one",
            path.display()
        ),
    }
}

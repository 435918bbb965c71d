//! Finds the matcher component that is bundled with this crate.
//!
//! A published crate has it inside. In a checkout it is the one in `target/`, which is built where there is none, so that a
//! path or git dependency works without another step. `OFFERMATCH_COMPONENT` names another one.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=OFFERMATCH_COMPONENT");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is"));
    let found = match env::var_os("OFFERMATCH_COMPONENT") {
        Some(path) => named(PathBuf::from(path)),
        None if root.join("../../guest/build.sh").is_file() => of_checkout(&root.join("../..")),
        None => named(root.join("matcher.wasm")),
    };
    match found {
        Ok(path) => println!("cargo::rustc-env=OFFERMATCH_COMPONENT_PATH={}", path.display()),
        Err(reason) => println!("cargo::error=there is no matcher component: {reason}"),
    }
}

/// A file that has to be there.
fn named(path: PathBuf) -> Result<PathBuf, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let missing = |_| format!("{} is missing; set OFFERMATCH_COMPONENT to a matcher", path.display());
    path.canonicalize().map_err(missing)
}

/// The component of a checkout, built where it is missing.
fn of_checkout(checkout: &Path) -> Result<PathBuf, String> {
    let path = checkout.join("target/matcher.wasm");
    if !path.is_file() {
        let mut build = Command::new("bash");
        build.arg("guest/build.sh").current_dir(checkout).env("OFFERMATCH_SYSTEM_PACKAGES", "no");
        // What cargo tells this script is not meant for the build of another target.
        for (name, _) in env::vars_os() {
            let told = name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME");
            if told || ["RUSTFLAGS", "TARGET", "HOST", "RUSTC", "RUSTC_LINKER"].iter().any(|other| name == *other) {
                build.env_remove(name);
            }
        }
        let built = build.output().map_err(|error| format!("guest/build.sh cannot be run: {error}"))?;
        if !built.status.success() {
            let said = String::from_utf8_lossy(&built.stderr);
            let last: Vec<&str> = said.lines().rev().take(3).collect();
            return Err(format!(
                "guest/build.sh failed ({}); run `rustup target add wasm32-unknown-unknown`, or set OFFERMATCH_COMPONENT to a matcher",
                last.into_iter().rev().collect::<Vec<_>>().join(" / ")
            ));
        }
    }
    named(path)
}

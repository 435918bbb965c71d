//! Finds the matcher components, one a policy, that are bundled with this crate.
//!
//! A published crate has them inside. In a checkout they are those in `target/policies`, which are built where there are none,
//! so that a path or git dependency works without another step. `OFFERMATCH_COMPONENT` names another one for the default
//! policy.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The policy that `OFFERMATCH_COMPONENT` replaces.
const DEFAULT: &str = "best-fit";

fn main() {
    println!("cargo::rerun-if-env-changed=OFFERMATCH_COMPONENT");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the folder of the crate"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo names a folder for what is made"));
    let written = components(&root).and_then(|found| fs::write(out.join("components.rs"), table(&found)).map_err(said));
    if let Err(reason) = written {
        println!("cargo::error=there is no matcher component: {reason}");
    }
}

/// The components by policy, in alphabetical order.
fn components(root: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let folder = if root.join("../../guest/build.sh").is_file() {
        of_checkout(&root.join("../.."))?
    } else {
        root.join("policies")
    };
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(said)?.path();
        if path.extension().is_some_and(|ending| ending == "wasm") {
            let policy = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            found.push((policy, named(&path)?));
        }
    }
    if let Some(path) = env::var_os("OFFERMATCH_COMPONENT") {
        found.retain(|(policy, _)| policy != DEFAULT);
        found.push((DEFAULT.to_owned(), named(Path::new(&path))?));
    }
    found.sort();
    if found.iter().any(|(policy, _)| policy == DEFAULT) {
        Ok(found)
    } else {
        Err(format!("{} has no {DEFAULT}.wasm; set OFFERMATCH_COMPONENT to a matcher", folder.display()))
    }
}

/// The table of them, as a Rust expression.
fn table(found: &[(String, PathBuf)]) -> String {
    let mut text = String::from("&[\n");
    for (policy, path) in found {
        writeln!(text, "    ({policy:?}, include_bytes!({path:?})),").expect("text can be written to");
    }
    text + "]\n"
}

/// A file that has to be there.
fn named(path: &Path) -> Result<PathBuf, String> {
    println!("cargo::rerun-if-changed={}", path.display());
    let missing = |_| format!("{} is missing; set OFFERMATCH_COMPONENT to a matcher", path.display());
    path.canonicalize().map_err(missing)
}

/// The folder of the components of a checkout, built where they are missing.
fn of_checkout(checkout: &Path) -> Result<PathBuf, String> {
    let folder = checkout.join("target/policies");
    for (what, built) in [("matcher", checkout.join("target/matcher.wasm")), ("policies", folder.join("best-fit.wasm"))]
    {
        if built.is_file() {
            continue;
        }
        let mut build = Command::new("bash");
        build.args(["guest/build.sh", what]).current_dir(checkout).env("OFFERMATCH_SYSTEM_PACKAGES", "no");
        // What cargo tells this script is not meant for the build of another target.
        for (name, _) in env::vars_os() {
            let cargos = name.to_str().is_some_and(|name| name.starts_with("CARGO_") && name != "CARGO_HOME");
            if cargos || ["RUSTFLAGS", "TARGET", "HOST", "RUSTC", "RUSTC_LINKER"].iter().any(|other| name == *other) {
                build.env_remove(name);
            }
        }
        let output = build.output().map_err(|error| format!("guest/build.sh cannot be run: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let last: Vec<&str> = said.lines().rev().take(3).collect();
            return Err(format!(
                "guest/build.sh {what} failed ({}); run `rustup target add wasm32-unknown-unknown`, or set OFFERMATCH_COMPONENT to a matcher",
                last.into_iter().rev().collect::<Vec<_>>().join(" / ")
            ));
        }
    }
    Ok(folder)
}

/// What went wrong, as text.
fn said(error: io::Error) -> String {
    error.to_string()
}

//! Lists the policies, which are the files of `src`, and exports one of them where a component is built.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// Names the policy of which a component is made: the name of its file.
const COMPONENT: &str = "OFFERMATCH_POLICY";

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-env-changed={COMPONENT}");
    let entries = fs::read_dir("src").expect("the sources can be read");
    let mut modules: Vec<String> = entries
        .map(|entry| entry.expect("the sources can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().and_then(|name| name.to_str()).expect("a plain name").to_owned())
        .filter(|name| name != "lib")
        .collect();
    modules.sort();
    let folder = env::current_dir().expect("cargo says where the crate is").join("src");
    // Writing to a string cannot fail.
    let mut text = String::new();
    for module in &modules {
        let path = folder.join(module).with_extension("rs");
        let _ = writeln!(text, "#[path = {path:?}]\nmod {module};\npub use {module}::{};", type_of(module));
    }
    text += "\n/// Calls a macro with the types of all policies, separated by commas.\n#[macro_export]\n";
    text += "macro_rules! with_policies {\n    ($call:ident) => {\n        $call! {";
    for module in &modules {
        let _ = write!(text, " $crate::{},", type_of(module));
    }
    text += " }\n    };\n}\n";
    if let Ok(policy) = env::var(COMPONENT) {
        let module = policy.replace('-', "_");
        assert!(modules.contains(&module), "{COMPONENT} names {policy:?}, but there are {modules:?}");
        let _ = writeln!(text, "offermatch_kit::export!({} as \"offermatch-{policy}\");", type_of(&module));
    }
    let folder = env::var_os("OUT_DIR").expect("cargo says where to write");
    fs::write(Path::new(&folder).join("policies.rs"), text).expect("cargo's folder can be written to");
}

/// The name of the type in a file: `first_fit` holds `FirstFit`.
fn type_of(module: &str) -> String {
    let word = |word: &str| word[..1].to_ascii_uppercase() + &word[1..];
    module.split('_').map(word).collect()
}

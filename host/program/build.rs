//! Bundles the sources that `offermatch-host new` writes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the crate is");
    bundle_kit(&Path::new(&root).join("../.."));
}

/// What of the kit is written into a new project.
const KIT: [&str; 10] = [
    "guest/build.sh",
    "guest/core/Cargo.toml",
    "guest/core/benches",
    "guest/core/src",
    "guest/kit/Cargo.toml",
    "guest/kit/src",
    "guest/kit/wit",
    "guest/policies/Cargo.toml",
    "guest/policies/build.rs",
    "guest/policies/src",
];

/// Writes `KIT`, an array of paths and texts: the kit's sources, and a workspace around them.
fn bundle_kit(root: &Path) {
    let mut files = Vec::new();
    for path in KIT {
        println!("cargo::rerun-if-changed={}", root.join(path).display());
        list(root, Path::new(path), &mut files);
    }
    files.sort();
    let workspace = root.join("Cargo.toml");
    println!("cargo::rerun-if-changed={}", workspace.display());
    let workspace = fs::read_to_string(&workspace).expect("the workspace has a manifest");
    let members = "members = [\"guest/core\", \"guest/kit\", \"guest/policies\"]";
    let workspace: Vec<&str> =
        workspace.lines().map(|line| if line.starts_with("members = ") { members } else { line }).collect();

    let mut text = String::from("/// The kit: paths and texts.\nconst KIT: &[(&str, &str)] = &[\n");
    let mut entry = |path: &str, content: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    ({path:?}, {content}),");
    };
    entry("Cargo.toml", &format!("{:?}", workspace.join("\n") + "\n"));
    for file in files {
        let path = file.to_str().expect("the kit's files have plain names").replace('\\', "/");
        let absolute = root.join(&file).canonicalize().expect("the file is there");
        entry(&path, &format!("include_str!({absolute:?})"));
    }
    text.push_str("];\n");
    let folder = env::var_os("OUT_DIR").expect("cargo says where to write");
    fs::write(Path::new(&folder).join("kit.rs"), text).expect("cargo's folder can be written to");
}

/// The files at and below a path.
fn list(root: &Path, path: &Path, files: &mut Vec<PathBuf>) {
    if !root.join(path).is_dir() {
        files.push(path.to_owned());
        return;
    }
    for entry in fs::read_dir(root.join(path)).expect("the folder can be read") {
        list(root, &path.join(entry.expect("the folder can be read").file_name()), files);
    }
}

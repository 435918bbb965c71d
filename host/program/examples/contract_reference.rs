//! Prints the reference of a contract as Markdown: every item of the WIT with its documentation.

use anyhow::Context;
use wit_bindgen_core::{Files, wit_parser::Resolve};
use wit_bindgen_markdown::Opts;

/// Reads the WIT folder and the world that the command line names.
fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, world] = arguments.as_slice() else {
        anyhow::bail!("usage: contract_reference WIT-FOLDER WORLD");
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(folder)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let mut files = Files::default();
    Opts::default().build().generate(&mut resolve, world, &mut files)?;
    let (_, page) = files.iter().find(|(name, _)| name.ends_with(".md")).context("no page was written")?;
    print!("{}", str::from_utf8(page)?);
    Ok(())
}

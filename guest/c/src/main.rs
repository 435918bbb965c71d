//! Makes a component of a matcher in C.
//!
//! ```text
//! the contract ──bindings──> matcher.h, matcher.c, matcher_component_type.o ──the C compiler──> core module ──encode──> component
//! ```

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use wit_bindgen_core::Files;
use wit_component::ComponentEncoder;
use wit_parser::Resolve;

/// Makes a component of a matcher in C.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes the contract as C has it: a header, the functions that free and convert, and the type of the component
    Bindings {
        /// The folder of the contract
        #[arg(value_name = "WIT")]
        contract: PathBuf,
        /// Where to write
        #[arg(value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Encodes the core module that the C compiler made as a component
    Encode {
        #[arg(value_name = "MODULE")]
        module: PathBuf,
        #[arg(value_name = "COMPONENT")]
        component: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Bindings { contract, out } => {
            let mut resolve = Resolve::default();
            let (package, _) = resolve.push_dir(&contract)?;
            let world = resolve.select_world(&[package], Some("matcher"))?;
            let mut files = Files::default();
            let options = wit_bindgen_c::Opts { no_helpers: false, ..wit_bindgen_c::Opts::default() };
            options.build().generate(&mut resolve, world, &mut files)?;
            fs::create_dir_all(&out)?;
            for (name, content) in files.iter() {
                fs::write(out.join(name), content)
                    .with_context(|| format!("{} cannot be written", out.join(name).display()))?;
            }
        }
        Command::Encode { module, component } => {
            let bytes = fs::read(&module).with_context(|| format!("{} cannot be read", module.display()))?;
            let encoded = ComponentEncoder::default().validate(true).module(&bytes)?.encode()?;
            fs::write(&component, encoded).with_context(|| format!("{} cannot be written", component.display()))?;
        }
    }
    Ok(())
}

//! `offermatch-host manifest`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use offermatch::{Manifest, WantedLevel, visible};

use super::matcher::limits;
use crate::LONGEST_MESSAGE;

/// Examples for `--help`.
pub(super) const EXAMPLES: &str = "\
What the component says of itself, its path and its digest. A slot and `offermatch-host swap` follow it, as `offermatch run
--manifest` does. docs/trust.md has its keys.

Examples:
  offermatch-host manifest /etc/offermatch/strand.wasm --write /etc/offermatch/manifest.json
  offermatch-host swap --manifest /etc/offermatch";

/// What `manifest` takes.
#[derive(Debug, Args)]
pub(crate) struct ManifestArguments {
    /// A file, or oci://REGISTRY/NAME:TAG
    component: PathBuf,
    /// Where to, or the directory for a manifest.json; at once whole, so that nobody reads a half; otherwise it is printed
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Compare for so many cycles before
    #[arg(long, value_name = "N", default_value_t = 0)]
    shadow_cycles: u64,
    /// Take it back if it fails in so many
    #[arg(long, value_name = "N", default_value_t = 10)]
    probation_cycles: u64,
    /// What it has to reach
    #[arg(long, value_enum, default_value_t = LevelArgument::Claimed)]
    conformance: LevelArgument,
    /// A JSON object of limits on what a component may use; docs/trust.md lists them
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
}

/// Wanted levels by name.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum LevelArgument {
    /// The one that its policy claims
    Claimed,
    /// None: it is not asked the cases
    None,
    /// That of every policy
    Contract,
    /// That of best-fit
    Reference,
}

impl From<LevelArgument> for WantedLevel {
    fn from(level: LevelArgument) -> Self {
        match level {
            LevelArgument::Claimed => Self::Claimed,
            LevelArgument::None => Self::None,
            LevelArgument::Contract => Self::Contract,
            LevelArgument::Reference => Self::Reference,
        }
    }
}

/// Writes the manifest of a component.
pub(super) fn run(arguments: &ManifestArguments) -> anyhow::Result<Vec<u8>> {
    let found = Manifest {
        shadow_cycles: arguments.shadow_cycles,
        probation_cycles: arguments.probation_cycles,
        conformance: arguments.conformance.into(),
        ..Manifest::of(&arguments.component, &limits(arguments.limits.as_deref())?)?
    };
    let Some(file) = &arguments.write else {
        return Ok(found.text(Path::new("manifest.json"))?.into_bytes());
    };
    let file = Manifest::file(file);
    found.write(&file)?;
    let Manifest { matcher, version, policy, digest, .. } = found;
    let line = format!("{}: {matcher} {version}, policy {policy}, {digest}", file.display());
    Ok(format!("{}\n", visible(&line, LONGEST_MESSAGE)).into_bytes())
}

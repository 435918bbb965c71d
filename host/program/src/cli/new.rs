//! `offermatch-host new`.

use std::path::PathBuf;

use clap::Args;

use crate::project::Project;

/// Examples for `new --help`.
pub(super) const EXAMPLES: &str = "\
The project has a policy of ten lines with its tests, and everything that it is built with but Rust itself. `make` in it
runs the tests, builds the component and judges it with `offermatch-host conformance`. docs/write-a-matcher.md goes through it.

Examples:
  offermatch-host new my-policy && make -C my-policy
  offermatch-host new my-policy --path src/matchers/my-policy";

/// What `new` takes.
#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The name of the policy, and of the crate: a to z, 0 to 9, - and _
    name: String,
    /// The folder to write; otherwise one of the policy's name, here
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(arguments: &NewArguments) -> anyhow::Result<Vec<u8>> {
    let project = Project::new(&arguments.name)?;
    let folder = arguments.path.clone().unwrap_or_else(|| PathBuf::from(project.name()));
    project.write(&folder)?;
    Ok(format!("{}\n", folder.display()).into_bytes())
}

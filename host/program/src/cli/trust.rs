//! `offermatch-host replay` and `offermatch-host swap`.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use offermatch::{Difference, Manifest, Matcher, Recording, Slot, visible, visible_name};
use serde_json::{Value, json};

use super::matcher::{limits, load};

/// Examples for `--help`.
pub(super) const REPLAY_EXAMPLES: &str = "\
Examples:
  offermatch-host match --sample ties:200x100 --record cycle.recording.json
  offermatch-host replay cycle.recording.json
  offermatch-host replay --matcher candidate.wasm recordings/*.recording.json.gz";

/// Examples for `--help`.
pub(super) const SWAP_EXAMPLES: &str = "\
The manifest names a component by its path and digest, and says what it has to pass: conformance, shadow cycles, probation.
docs/trust.md has its keys.

Examples:
  offermatch-host swap --manifest manifest.json
  offermatch-host swap --manifest /etc/offermatch --conformance recordings/";

/// What `replay` takes.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// Recordings; docs/recordings.md has the format
    #[arg(required = true, value_name = "FILE")]
    recordings: Vec<PathBuf>,
    /// Who answers: a component, `bundled`, or `reference`, the plain loop
    #[arg(long, value_name = "PATH|POLICY|bundled|reference", default_value = "bundled")]
    matcher: PathBuf,
    /// A JSON object of limits on what a component may use; docs/trust.md lists them
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What `swap` takes.
#[derive(Debug, Args)]
pub(crate) struct SwapArguments {
    /// The manifest, or the directory that has it
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// A recording that the matcher has to answer as recorded, or a directory of them
    #[arg(long, value_name = "FILE")]
    conformance: Vec<PathBuf>,
    /// A JSON object of limits on what a component may use; docs/trust.md lists them
    #[arg(long, value_name = "FILE")]
    limits: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Characters of a difference that are shown.
const LONGEST_REASON: usize = 500;

/// There is output, and the exit code says that something differs.
#[derive(Debug)]
pub(crate) struct Differs(pub(crate) Vec<u8>);

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answers differ")
    }
}

impl std::error::Error for Differs {}

/// Answers recordings anew.
///
/// # Errors
/// [`Differs`], with what is to be printed, where an answer is another one.
pub(super) fn replay(arguments: &ReplayArguments) -> anyhow::Result<Vec<u8>> {
    let matcher = load(&arguments.matcher, &limits(arguments.limits.as_deref())?)?;
    let mut found: Vec<(String, Vec<Difference>)> = Vec::new();
    for path in &arguments.recordings {
        let replay = Recording::read(path)?.replay(&matcher)?;
        found.push((path.display().to_string(), replay.differences));
    }
    let differing = found.iter().filter(|(_, differences)| !differences.is_empty()).count();
    let text = if arguments.json {
        let shown: Vec<Value> = found
            .iter()
            .map(|(recording, differences)| {
                let differences: Vec<Value> = differences
                    .iter()
                    .map(|difference| json!({"step": difference.step, "what": difference.to_string()}))
                    .collect();
                json!({"recording": recording, "differences": differences})
            })
            .collect();
        format!("{:#}\n", json!({"recordings": found.len(), "differing": differing, "found": shown}))
    } else {
        let mut text = String::new();
        for (recording, differences) in &found {
            for difference in differences {
                writeln!(text, "{}: {}", visible_name(recording), visible(&difference.to_string(), LONGEST_REASON))?;
            }
        }
        let description = matcher.description();
        let (name, version) = (visible_name(&description.name), visible_name(&description.version));
        writeln!(text, "{differing} of {} recordings differ with {name} {version}", found.len())?;
        text
    };
    if differing > 0 {
        return Err(Differs(text.into_bytes()).into());
    }
    Ok(text.into_bytes())
}

/// Judges what a manifest asks for, as a slot would.
pub(super) fn swap(arguments: &SwapArguments) -> anyhow::Result<Vec<u8>> {
    let manifest = Manifest::read(&arguments.manifest)?;
    let mut cases = Vec::new();
    for path in &arguments.conformance {
        cases.extend(Recording::read_all(path)?);
    }
    let count = cases.len();
    let slot = Slot::with(Matcher::reference(), cases, limits(arguments.limits.as_deref())?);
    let matcher = slot.judge(&manifest)?;
    let said = matcher.description();
    let cycles = manifest.shadow_cycles;
    if arguments.json {
        let would = if cycles == 0 { "promote" } else { "shadow" };
        let document = json!({
            "matcher": said.name, "version": said.version, "policy": said.policy, "digest": manifest.digest, "would": would,
        });
        return Ok(format!("{document:#}\n").into_bytes());
    }
    let then = if cycles == 0 { "at once".to_owned() } else { format!("after {cycles} cycles in shadow") };
    let text = format!(
        "{} {}, policy {}\ndigest    {}\njudged    loaded, of contract {}, {count} recordings answered as recorded\n\
         would be promoted {then}, on probation for {} cycles\n",
        visible_name(&said.name),
        visible_name(&said.version),
        visible_name(&said.policy),
        manifest.digest,
        visible_name(&said.contract),
        manifest.probation_cycles
    );
    Ok(text.into_bytes())
}

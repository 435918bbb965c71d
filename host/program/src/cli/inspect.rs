//! `offermatch-host inspect`.

use std::fmt::Write as _;

use offermatch::{CONTRACT, DEFAULT_POLICY, Inspection, Parameter, visible};
use serde_json::{Value, json};

use super::InspectArguments;

/// Characters of a line that are shown.
const LONGEST_LINE: usize = 500;

/// Examples for `--help`.
pub(super) const EXAMPLES: &str = "\
It is loaded and described, in a sandbox, but asked nothing else. What is refused is told with the reason.

Examples:
  offermatch-host inspect
  offermatch-host inspect --json target/my-policy.wasm";

/// Runs the command.
pub(super) fn run(arguments: &InspectArguments) -> anyhow::Result<Vec<u8>> {
    let limits = super::matcher::limits(arguments.limits.as_deref())?;
    let found = match &arguments.path {
        Some(path) => Inspection::of_with(path, &limits)?,
        None => Inspection::bundled_with(DEFAULT_POLICY, &limits)?,
    };
    let text = if arguments.json { format!("{:#}\n", document(&found)) } else { text(&found) };
    Ok(text.into_bytes())
}

/// The names of interfaces and functions.
fn names(items: &[(String, Vec<String>)]) -> Vec<&str> {
    items.iter().map(|(name, _)| name.as_str()).collect()
}

/// A parameter of a policy.
fn parameter(of: &Parameter) -> Value {
    json!({"name": of.name, "default": of.default, "minimum": of.minimum, "maximum": of.maximum})
}

/// What a component is, as one JSON object.
fn document(found: &Inspection) -> Value {
    let description = found.verdict.as_ref().ok().map(|description| {
        json!({
            "name": description.name,
            "version": description.version,
            "policy": description.policy,
            "contract": description.contract,
            "modes": description.modes.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "parameters": description.parameters.iter().map(parameter).collect::<Vec<_>>(),
        })
    });
    let refused = found
        .verdict
        .as_ref()
        .err()
        .map(|error| json!({"code": error.code(), "message": error.to_string(), "hint": error.hint()}));
    json!({
        "path": found.path,
        "size": found.size,
        "digest": found.digest,
        "world": found.world,
        "contract": found.contract,
        "imports": names(&found.imports),
        "exports": names(&found.exports),
        "limits": serde_json::Map::from_iter(found.limits.entries().map(|(name, value)| (name.to_owned(), json!(value)))),
        "description": description,
        "refused": refused,
    })
}

/// What a component is, for people.
fn text(found: &Inspection) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:<10}{}", visible(value, LONGEST_LINE));
    };
    line("path", &found.path);
    line("size", &format!("{} bytes", found.size));
    line("digest", &found.digest);
    line("world", found.world.as_deref().unwrap_or("not a matcher"));
    let contract = found.contract.as_deref().unwrap_or("none");
    line("contract", &format!("{contract} (this host is built against {CONTRACT})"));
    for (what, items) in [("imports", &found.imports), ("exports", &found.exports)] {
        if items.is_empty() {
            line(what, "nothing");
        }
        for (name, inside) in items {
            line(what, name);
            if !inside.is_empty() {
                line("", &format!("  {}", inside.join(", ")));
            }
        }
    }
    for (at, (name, value)) in found.limits.entries().enumerate() {
        let value = value.map_or_else(|| "none".to_owned(), |value| value.to_string());
        line(if at == 0 { "limits" } else { "" }, &format!("{name} {value}"));
    }
    match &found.verdict {
        Ok(description) => {
            let (name, version, policy) = (&description.name, &description.version, &description.policy);
            line("matcher", &format!("{name} {version}, policy {policy}"));
            let modes: Vec<String> = description.modes.iter().map(ToString::to_string).collect();
            line("modes", &modes.join(", "));
            for (at, of) in description.parameters.iter().enumerate() {
                let shown = format!("{} {} ({} to {})", of.name, of.default, of.minimum, of.maximum);
                line(if at == 0 { "takes" } else { "" }, &shown);
            }
        }
        Err(error) => {
            line("refused", &format!("{}: {error}", error.code()));
            line("hint", error.hint());
        }
    }
    text
}

//! Jobs as `squeue --json` and nodes as `scontrol show node --json` print them; `docs/formats.md` has each field.
//!
//! Both texts are read together: a job's partitions and features are said as the sets of them that nodes have.

use serde_json::Value;

use crate::error::{Error, Place};
use crate::read::cells::devices;
use crate::read::foreign::{At, text};
use crate::read::strict_json::{self, Tree};
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::quantity::Unit;
use crate::table::rows::{Offer, Requirement, Task};
use crate::visible::visible_name;

/// Why a job waits for something else than room.
const WAITS_FOR_OTHERS: [&str; 5] =
    ["Dependency", "DependencyNeverSatisfied", "JobHeldUser", "JobHeldAdmin", "BeginTime"];
/// States of nodes that take jobs.
const USABLE: [&str; 3] = ["IDLE", "MIXED", "ALLOCATED"];
/// States that keep a node from taking jobs, beside those.
const UNUSABLE: [&str; 16] = [
    "DRAIN",
    "DRAINED",
    "DRAINING",
    "DOWN",
    "FAIL",
    "MAINT",
    "NOT_RESPONDING",
    "POWERING_DOWN",
    "RESERVED",
    "FUTURE",
    "REBOOT_ISSUED",
    "REBOOT_REQUESTED",
    "UNKNOWN",
    "ERROR",
    "INVALID_REG",
    "INVALID",
];
/// The remedy for what Slurm does not print.
const GIVE: &str = "give what 'squeue --json' prints as tasks, and what 'scontrol show node --json' prints as offers";
/// What an attribute says of a node without any.
const NONE: &str = "(none)";
/// The most tasks of an array that are read.
const MOST_TASKS: usize = 4_000_001;

/// A set of partitions or of features, as an attribute has it and taken apart.
type Sets = Vec<(String, Vec<String>)>;

/// The waiting jobs of one text, and the nodes of the other that can take some.
pub(super) fn tables(jobs: (&str, &str), nodes: (&str, &str)) -> Result<(Rows<Task>, Rows<Offer>), Error> {
    let (mut asking, mut offered) = (Rows::none(), Rows::none());
    let (mut partitions, mut features) = (Sets::new(), Sets::new());
    for (row, node) in rows(nodes, "nodes")?.iter().enumerate() {
        let read = offer(node, At::new(nodes.1, row), &mut partitions, &mut features);
        if let Some(Some(offer)) = offered.take(nodes.1, row, &text(node.get("name")), read) {
            offered.add(row, offer);
        }
    }
    let mut tasks = Vec::new();
    for (row, job) in rows(jobs, "jobs")?.iter().enumerate() {
        let name = text(job.get("job_id"));
        let read = waiting(job, &At::new(jobs.1, row).named(&name), &partitions, &features);
        let read = asking.take(jobs.1, row, &name, read).unwrap_or_default();
        tasks.extend(read.into_iter().map(|(order, task)| (order, row, task)));
    }
    tasks.sort_by_key(|(order, ..)| *order);
    for (_, row, task) in tasks {
        asking.add(row, task);
    }
    Ok((asking, offered))
}

/// What tasks are ordered by: the highest priority first, then the number of the job.
type Order = (std::cmp::Reverse<u64>, u64);

/// The tasks of a job that waits for room; none of one that does not.
fn waiting(job: &Value, at: &At, partitions: &Sets, features: &Sets) -> Result<Vec<(Order, Task)>, Error> {
    let waits = words(at, job, "job_state")?.iter().any(|state| state == "PENDING")
        && !WAITS_FOR_OTHERS.contains(&word(at, job, "state_reason")?.as_str());
    let priority = number(at, job, "priority")?;
    if !waits || priority == Some(0) {
        return Ok(Vec::new());
    }
    let order = (std::cmp::Reverse(priority.unwrap_or(0)), number(at, job, "job_id")?.unwrap_or(0));
    Ok(tasks_of(job, at, partitions, features)?.into_iter().map(|task| (order, task)).collect())
}

/// The rows under a key.
fn rows((content, source): (&str, &str), key: &str) -> Result<Vec<Value>, Error> {
    let tree: Tree = strict_json::parse(content, source)?;
    match tree.0.get(key) {
        Some(Value::Array(rows)) if rows.iter().all(Value::is_object) => Ok(rows.clone()),
        _ => {
            let place = Box::new(Place { source: source.to_owned(), ..Place::default() });
            Err(Error::RowMalformed { place, message: format!("there is no array of {key}"), hint: GIVE })
        }
    }
}

/// A node as an offer; none where it takes no jobs.
fn offer(node: &Value, at: At, partitions: &mut Sets, features: &mut Sets) -> Result<Option<Offer>, Error> {
    let name = text(node.get("name"));
    if name.is_empty() {
        return Err(Error::MissingColumn { place: at.place("name"), hint: remedy::NAMELESS });
    }
    let at = at.named(&name);
    let mut states = words(&at, node, "state")?;
    states.extend(words(&at, node, "state_flags")?);
    // A star, a tilde and the like behind a state say more of it.
    let states = states.iter().map(|state| state.trim_end_matches(|c| "*~#!%$@^-+".contains(c)).to_uppercase());
    let states: Vec<String> = states.collect();
    let is_one_of = |known: &[&str]| states.iter().any(|state| known.contains(&state.as_str()));
    if !is_one_of(&USABLE) || is_one_of(&UNUSABLE) {
        return Ok(None);
    }
    let known = |key: &str| number(&at, node, key).map(|number| number.unwrap_or(0));
    let cores = if known("effective_cpus")? > 0 { known("effective_cpus")? } else { known("cpus")? };
    let memory = known("real_memory")?.saturating_sub(known("specialized_memory")?);
    let listed = |key: &str| gres(&at, key, &word(&at, node, key)?);
    let (there, used) = (listed("gres")?, listed("gres_used")?);
    let bytes = |mebibytes: u64| at.quantity("real_memory", &mebibytes.to_string(), Unit::MEBIBYTES);
    let cpu = |cores: u64| at.quantity("cpus", &cores.to_string(), Unit::CORES);
    let mut offer = Offer::new(
        name.as_str(),
        [
            ("cpu", cpu(cores.saturating_sub(known("alloc_cpus")?))?),
            ("memory", bytes(memory.saturating_sub(known("alloc_memory")?))?),
        ],
    );
    offer.capacity = vec![("cpu".to_owned(), cpu(cores)?), ("memory".to_owned(), bytes(memory)?)];
    offer.attributes.push(("node".to_owned(), name.clone()));
    if there.iter().filter(|gres| gres.kind == "gpu").count() > 1 {
        return Err(Error::DevicesMalformed {
            place: at.place("gres"),
            reason: format!("the node has GPUs of several types: {}", visible_name(&text(node.get("gres")))),
            hint: "give a node one type of GPU, or leave it out",
        });
    }
    for Gres { kind, model, count } in there {
        let taken = used.iter().filter(|gres| gres.kind == kind).map(|gres| gres.count);
        let free = taken.fold(count, u64::saturating_sub);
        if kind == "gpu" {
            offer.devices = vec![1000; devices(free, || at.place("gres"))? as usize];
            offer.attributes.push(("gpu".to_owned(), model));
        } else {
            offer.capacity.push((format!("gres/{kind}"), count));
            offer.available.push((format!("gres/{kind}"), free));
        }
    }
    let in_partitions = words(&at, node, "partitions")?;
    let active = words(&at, node, "active_features")?;
    let listed = if active.is_empty() { words(&at, node, "features")? } else { active };
    for (attribute, sets, mut listed) in [("partitions", partitions, in_partitions), ("features", features, listed)] {
        listed.sort();
        listed.dedup();
        let written = if listed.is_empty() { NONE.to_owned() } else { listed.join(",") };
        if !sets.iter().any(|(known, _)| *known == written) {
            sets.push((written.clone(), listed));
        }
        offer.attributes.push((attribute.to_owned(), written));
    }
    Ok(Some(offer))
}

/// The tasks of a job: one, or those of an array that may start.
fn tasks_of(job: &Value, at: &At, partitions: &Sets, features: &Sets) -> Result<Vec<Task>, Error> {
    let (mut task, mut nodes) = (Task::default(), None);
    let asked = word(at, job, "tres_req_str")?;
    for part in asked.split(',').filter(|part| !part.is_empty()) {
        let (name, amount) = part.split_once('=').unwrap_or((part, ""));
        let column = format!("tres_req_str, {name}");
        match name {
            "node" => nodes = Some(at.quantity(&column, amount, Unit::COUNT)?),
            "cpu" => task.demand.push(("cpu".to_owned(), at.quantity(&column, amount, Unit::CORES)?)),
            "mem" => task.demand.push(("memory".to_owned(), memory(at, &column, amount)?)),
            _ => {
                let Some(kind) = name.strip_prefix("gres/") else { continue };
                let count = at.quantity(&column, amount, Unit::COUNT)?;
                match kind.split_once(':') {
                    Some(("gpu", model)) => {
                        task.devices = task.devices.max(devices(count, || at.place(column.as_str()))?);
                        task.requirements.push(Requirement::is_in("gpu", [model]));
                    }
                    None if kind == "gpu" => task.devices = devices(count, || at.place(column.as_str()))?,
                    other => {
                        let kind = other.map_or(kind, |(kind, _)| kind);
                        set(&mut task.demand, format!("gres/{kind}"), count);
                    }
                }
            }
        }
    }
    let nodes = match nodes {
        Some(nodes) => nodes,
        None => number(at, job, "node_count")?.unwrap_or(1),
    };
    if nodes > 1 {
        let hint = "ask for one node a task, or leave the job out";
        return Err(at.malformed("node_count", format!("a job of {nodes} nodes cannot be said as a task"), hint));
    }
    if !asked.contains("gres/") {
        // Where the accounting does not count them, what is asked for a node stands apart.
        let per_node = word(at, job, "tres_per_node")?;
        let parts = per_node
            .split(',')
            .map(|part| part.strip_prefix("gres:").or_else(|| part.strip_prefix("gres/")).unwrap_or(part));
        for Gres { kind, model, count } in gres(at, "tres_per_node", &parts.collect::<Vec<_>>().join(","))? {
            if kind == "gpu" {
                task.devices = devices(count.saturating_add(u64::from(task.devices)), || at.place("tres_per_node"))?;
                if !model.is_empty() {
                    task.requirements.push(Requirement::is_in("gpu", [model]));
                }
            } else {
                set(&mut task.demand, format!("gres/{kind}"), count);
            }
        }
    }
    let wanted = words(at, job, "partition")?;
    if !wanted.is_empty() {
        task.requirements.push(among("partitions", partitions, |found| wanted.iter().any(|one| found.contains(one))));
    }
    let asked = word(at, job, "features")?;
    if !asked.is_empty() {
        if asked.contains(['(', ')', '[', ']', '*', '!']) || (asked.contains('&') && asked.contains('|')) {
            let hint = "join features by & or by |, not by both, without counts and brackets";
            let message = format!("the features {asked} cannot be said as a requirement");
            return Err(at.malformed("features", message, hint));
        }
        let has = |found: &[String], one: &str| found.iter().any(|known| known == one);
        task.requirements.push(among("features", features, |found| match asked.contains('|') {
            true => asked.split('|').any(|one| has(found, one)),
            false => asked.split('&').all(|one| has(found, one)),
        }));
    }
    let name = text(job.get("job_id"));
    let array = word(at, job, "array_task_string")?;
    if array.is_empty() {
        return Ok(vec![Task { name, ..task }]);
    }
    let indices = indices(at, &array)?;
    Ok(indices.into_iter().map(|index| Task { name: format!("{name}_{index}"), ..task.clone() }).collect())
}

/// The requirement that an attribute is one of the sets for which something holds.
fn among(attribute: &str, sets: &Sets, holds: impl Fn(&[String]) -> bool) -> Requirement {
    Requirement::is_in(attribute, sets.iter().filter(|(_, found)| holds(found)).map(|(written, _)| written.as_str()))
}

/// A quantity under a name, instead of an earlier one.
fn set(demand: &mut Vec<(String, u64)>, name: String, count: u64) {
    demand.retain(|(known, _)| *known != name);
    demand.push((name, count));
}

/// Bytes: Slurm's K, M, G, T and P are powers of 1024, and a bare number is MiB.
fn memory(at: &At, column: &str, amount: &str) -> Result<u64, Error> {
    for (suffix, unit) in [("K", "KiB"), ("M", "MiB"), ("G", "GiB"), ("T", "TiB"), ("P", "PiB")] {
        if let Some(number) = amount.strip_suffix(suffix) {
            return at.quantity(column, number, Unit::named(unit).unwrap_or(Unit::BYTES));
        }
    }
    at.quantity(column, amount, Unit::MEBIBYTES)
}

/// Generic resources of a kind and a type.
struct Gres {
    kind: String,
    model: String,
    count: u64,
}

/// What stands in `gpu:a100:4(S:0-1),shard:8`; what stands in parentheses says which ones they are.
fn gres(at: &At, key: &str, written: &str) -> Result<Vec<Gres>, Error> {
    let mut depth = 0;
    let plain: String = written
        .chars()
        .filter(|c| {
            depth += i32::from(*c == '(');
            let kept = depth == 0;
            depth -= i32::from(*c == ')');
            kept
        })
        .collect();
    let refused = || Error::DevicesMalformed {
        place: at.place(key),
        reason: format!("{} is no list of resources", visible_name(written)),
        hint: "as in gpu:a100:4",
    };
    let mut found: Vec<Gres> = Vec::new();
    for part in plain.split(',').filter(|part| !part.is_empty()) {
        let words: Vec<&str> = part.split(':').collect();
        let (kind, model, count) = match words.as_slice() {
            [kind] => (*kind, "", Some(1)),
            [kind, last] => count(last).map_or((*kind, *last, Some(1)), |count| (*kind, "", Some(count))),
            [kind, model, last] => (*kind, *model, count(last)),
            _ => return Err(refused()),
        };
        let count = count.filter(|_| !kind.is_empty()).ok_or_else(refused)?;
        match found.iter_mut().find(|gres| gres.kind == kind && gres.model == model) {
            Some(gres) => gres.count = gres.count.checked_add(count).ok_or_else(refused)?,
            None => found.push(Gres { kind: kind.to_owned(), model: model.to_owned(), count }),
        }
    }
    Ok(found)
}

/// A number of up to nine digits, and K, M, G or T behind it.
fn count(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let power = match &text[digits.len()..] {
        "" => 0,
        "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return None,
    };
    let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse::<u64>().ok()?.checked_mul(1024_u64.pow(power))).flatten()
}

/// The tasks of an array that may start: `0-9:2,20%4`, of which four run at a time.
fn indices(at: &At, array: &str) -> Result<Vec<usize>, Error> {
    let refused =
        || at.malformed("array_task_string", format!("{array} is no list of tasks"), "as in 0-9, 1,3,5 or 0-99%10");
    let (ranges, most) = array.split_once('%').unwrap_or((array, ""));
    let number = |text: &str| -> Result<usize, Error> {
        let plain = (1..=7).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().ok_or_else(refused)
    };
    let mut found = Vec::new();
    for part in ranges.split(',') {
        let (range, step) = match part.split_once(':') {
            Some((range, step)) if range.contains('-') => (range, number(step)?),
            Some(_) => return Err(refused()),
            None => (part, 1),
        };
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        if step == 0 {
            return Err(refused());
        }
        found.extend((number(first)?..=number(last)?).step_by(step));
        if found.len() > MOST_TASKS {
            return Err(refused());
        }
    }
    if let Ok(most) = most.parse::<usize>()
        && most > 0
    {
        found.truncate(most);
    }
    Ok(found)
}

/// A number as Slurm's versions print it: bare, or an object that says whether it is set.
fn number(at: &At, whole: &Value, key: &str) -> Result<Option<u64>, Error> {
    let value = match whole.get(key) {
        Some(Value::Object(object)) => {
            let says = |key: &str, usual: bool| object.get(key).and_then(Value::as_bool).unwrap_or(usual);
            object.get("number").filter(|_| says("set", true) && !says("infinite", false))
        }
        other => other,
    };
    match text(value).as_str() {
        "" => Ok(None),
        written => at.quantity(key, written, Unit::COUNT).map(Some),
    }
}

/// Words as Slurm's versions print them: in an array, or joined by commas.
fn words(at: &At, whole: &Value, key: &str) -> Result<Vec<String>, Error> {
    match whole.get(key) {
        Some(Value::Array(words)) => words.iter().map(|word| written(at, Some(word), key)).collect(),
        other => {
            let joined = written(at, other, key)?;
            Ok(joined.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect())
        }
    }
}

/// The text under a key; empty where there is none. What cannot be read may be what keeps a job from a node.
fn word(at: &At, whole: &Value, key: &str) -> Result<String, Error> {
    written(at, whole.get(key), key)
}

/// A value as text, or the error of another one.
fn written(at: &At, value: Option<&Value>, key: &str) -> Result<String, Error> {
    match value {
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => Err(at.malformed(key, "not text", GIVE)),
        other => Ok(text(other)),
    }
}

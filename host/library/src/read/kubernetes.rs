//! Pods and nodes as `kubectl get -o json` or `-o yaml` prints them; `docs/formats.md` says what becomes of each field.
//!
//! ```text
//! pods that wait ──> tasks         nodes ──> offers, less what the pods on them hold
//! ```

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::error::{Error, Place};
use crate::read::foreign::{At, text};
use crate::read::ports::{self, MOST, Port};
use crate::read::strict_json::{self, Tree};
use crate::read::yaml;
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::quantity::Unit;
use crate::table::rows::{Offer, Requirement, Task};
use crate::visible::visible_name;

/// Stands for the empty value of a label, which Kubernetes tells apart from a label that is not there.
const EMPTY: &str = "(empty)";
const YES: &str = "yes";
const GIVE: &str = "give what 'kubectl get pods -A -o json' and 'kubectl get nodes -o json' print";
/// What may be asked for a pod as a whole.
const POD_LEVEL: [&str; 3] = ["cpu", "memory", "hugepages-"];

/// Resources in the smallest unit, by name.
type Amounts = BTreeMap<String, u64>;

/// The waiting pods of one text and the nodes of the other; pods of either hold what they run on. A node is of no use where
/// what a pod on it holds cannot be read.
pub(super) fn tables(tasks: (&str, &str), offers: (&str, &str)) -> Result<(Rows<Task>, Rows<Offer>), Error> {
    let (given_pods, given_nodes) = (objects(tasks.0, tasks.1)?, objects(offers.0, offers.1)?);
    has_kind(&given_pods, "Pod", tasks.1)?;
    has_kind(&given_nodes, "Node", offers.1)?;
    let (mut asking, mut offered) = (Rows::none(), Rows::none());
    let mut unclear = Unclear::new();
    let pods = read(&given_pods, "Pod", tasks.1, Pod::new, &mut asking, &mut unclear);
    let known: HashSet<&str> = pods.iter().map(|(_, pod)| pod.name.as_str()).collect();
    let mut beside = read(&given_nodes, "Pod", offers.1, Pod::new, &mut offered, &mut unclear);
    beside.retain(|(_, pod)| !known.contains(pod.name.as_str()));
    let nodes = read(&given_nodes, "Node", offers.1, Node::new, &mut offered, &mut Unclear::new());
    let mut held = BTreeMap::new();
    hold(&pods, tasks.1, &mut asking, &mut held, &mut unclear);
    hold(&beside, offers.1, &mut offered, &mut held, &mut unclear);
    let mut there = Vec::new();
    for (row, node) in nodes {
        let known = match unclear.get(&node.name) {
            None => Ok(()),
            Some(pod) => {
                let message = format!("what {} holds of it cannot be read", visible_name(pod));
                let at = At::new(offers.1, row).named(&node.name);
                Err(at.malformed("", message, "mend the pod, or leave the node out"))
            }
        };
        if offered.take(offers.1, row, &node.name.clone(), known).is_some() {
            there.push((row, node));
        }
    }
    let mut taints: Vec<&Taint> = Vec::new();
    for taint in there.iter().flat_map(|(_, node)| &node.taints) {
        if !taints.contains(&taint) {
            taints.push(taint);
        }
    }
    let mut names: BTreeSet<String> = there.iter().flat_map(|(_, node)| node.allocatable.keys().cloned()).collect();
    let mut waiting: Vec<&(usize, Pod<'_>)> = pods.iter().filter(|(_, pod)| pod.waits).collect();
    waiting.sort_by_key(|(_, pod)| std::cmp::Reverse(pod.priority));
    for (row, pod) in waiting {
        if let Some(task) = asking.take(tasks.1, *row, &pod.name, pod.task(&there, &taints)) {
            names.extend(task.demand.iter().map(|(name, _)| name.clone()));
            asking.add(*row, task);
        }
    }
    let nothing = Amounts::new();
    for (row, node) in &there {
        offered.add(*row, node.offer(&names, held.get(&node.name).unwrap_or(&nothing)));
    }
    Ok((asking, offered))
}

/// The nodes of which it is not known what they have left, each with the pod on it that cannot be read.
type Unclear = BTreeMap<String, String>;

/// The objects of a kind, each with its row; notes which nodes those that cannot be used are on.
fn read<'o, T, R>(
    objects: &'o [Object],
    kind: &str,
    source: &str,
    make: impl Fn(&'o Object) -> Result<T, Error>,
    found: &mut Rows<R>,
    unclear: &mut Unclear,
) -> Vec<(usize, T)> {
    let mut made = Vec::new();
    for (row, object) in objects.iter().enumerate().filter(|(_, object)| object.kind == kind) {
        let name = object.written_name();
        match found.take(source, row, &name, make(object)) {
            Some(one) => made.push((row, one)),
            None => {
                let node = text(object.value.get("spec").and_then(|spec| spec.get("nodeName")));
                if !node.is_empty() {
                    let pod = if name.is_empty() { format!("the pod in row {row}") } else { name };
                    unclear.entry(node).or_insert(pod);
                }
            }
        }
    }
    made
}

/// Adds up what pods hold of their nodes; notes which nodes those are on that cannot be read.
fn hold<R>(
    pods: &[(usize, Pod<'_>)],
    source: &str,
    found: &mut Rows<R>,
    held: &mut BTreeMap<String, Amounts>,
    unclear: &mut Unclear,
) {
    for (row, pod) in pods.iter().filter(|(_, pod)| !pod.node.is_empty() && !pod.ended) {
        match found.take(source, *row, &pod.name, pod.asked()) {
            Some(asked) => add(held.entry(pod.node.clone()).or_default(), asked),
            None => drop(unclear.entry(pod.node.clone()).or_insert_with(|| pod.name.clone())),
        }
    }
}

/// An object and where it stands.
struct Object {
    kind: String,
    value: Value,
    at: At,
}

impl Object {
    /// Its name as far as it can be read; empty where it has none.
    fn written_name(&self) -> String {
        let metadata = self.value.get("metadata");
        let part = |key: &str| text(metadata.and_then(|metadata| metadata.get(key)));
        let name = part("name");
        if name.is_empty() || self.kind != "Pod" { name } else { in_namespace(&part("namespace"), &name) }
    }
}

/// The name of a pod, with its namespace.
fn in_namespace(namespace: &str, name: &str) -> String {
    format!("{}/{name}", if namespace.is_empty() { "default" } else { namespace })
}

/// The objects of a text, lists taken apart.
fn objects(content: &str, source: &str) -> Result<Vec<Object>, Error> {
    let mut found = Vec::new();
    for mut document in documents(content, source)? {
        let list = text(document.get("kind"));
        let items = match document.get_mut("items").map(Value::take) {
            None => vec![document],
            Some(Value::Array(items)) => items,
            Some(_) => {
                let place = Place { source: source.to_owned(), column: "items".to_owned(), ..Place::default() };
                return Err(Error::RowMalformed {
                    place: Box::new(place),
                    message: "not an array".to_owned(),
                    hint: GIVE,
                });
            }
        };
        for value in items {
            let at = At::new(source, found.len());
            if !value.is_object() {
                return Err(at.malformed("", "not an object", GIVE));
            }
            // In a list of one kind, as the API gives it, the items do not say theirs.
            let kind = value
                .get("kind")
                .map_or_else(|| list.strip_suffix("List").unwrap_or(&list).to_owned(), |kind| text(Some(kind)));
            found.push(Object { kind, value, at });
        }
    }
    Ok(found)
}

/// The documents of a text, JSON or YAML.
fn documents(content: &str, source: &str) -> Result<Vec<Value>, Error> {
    if !content.trim_start().starts_with(['{', '[']) {
        return yaml::documents(content, source);
    }
    let tree: Tree = strict_json::parse(content, source)?;
    Ok(match tree.0 {
        Value::Array(documents) => documents,
        document => vec![document],
    })
}

/// Refuses a file that has other objects only: it is the wrong one.
fn has_kind(objects: &[Object], kind: &str, source: &str) -> Result<(), Error> {
    if objects.is_empty() || objects.iter().any(|object| object.kind == kind) {
        return Ok(());
    }
    Err(At::new(source, 0).malformed("", format!("there is no {kind}"), GIVE))
}

/// Key, value and effect.
type Taint = (String, String, String);

struct Node {
    name: String,
    labels: BTreeMap<String, String>,
    allocatable: Amounts,
    taints: Vec<Taint>,
}

impl Node {
    fn new(object: &Object) -> Result<Self, Error> {
        let (name, at, metadata) = identity(object, |_, name| name.to_owned())?;
        let (spec, status) = (at.part(&object.value, "spec")?, at.part(&object.value, "status")?);
        let labels = entries(at.part(metadata, "labels")?).map(|(key, value)| (key.clone(), text(Some(value))));
        let there = status.get("allocatable").filter(|there| !is_nothing(there)).or_else(|| status.get("capacity"));
        let taints = at.list(spec, "taints")?.iter();
        let taints = taints.map(|one| (text(one.get("key")), text(one.get("value")), text(one.get("effect"))));
        let mut taints: Vec<Taint> =
            taints.filter(|(_, _, effect)| matches!(effect.as_str(), "NoSchedule" | "NoExecute")).collect();
        let unschedulable = ("node.kubernetes.io/unschedulable".to_owned(), String::new(), "NoSchedule".to_owned());
        if text(spec.get("unschedulable")).eq_ignore_ascii_case("true") && !taints.contains(&unschedulable) {
            taints.push(unschedulable);
        }
        let allocatable = amounts(&at, "status.allocatable", there)?;
        Ok(Self { name, labels: labels.collect(), allocatable, taints })
    }

    /// What is left of the node once the pods on it have their part.
    fn offer(&self, names: &BTreeSet<String>, held: &Amounts) -> Offer {
        let there = |name: &String| ports::room(name).or_else(|| self.allocatable.get(name).copied()).unwrap_or(0);
        let free = |name: &String| there(name).saturating_sub(held.get(name).copied().unwrap_or(0));
        let mut attributes = vec![("metadata.name".to_owned(), self.name.clone())];
        for (key, value) in &self.labels {
            attributes.push((key.clone(), or_empty(value)));
            attributes.push((format!("exists:{key}"), YES.to_owned()));
        }
        attributes.extend(self.taints.iter().map(|taint| (attribute_of(taint), YES.to_owned())));
        Offer {
            capacity: names.iter().map(|name| (name.clone(), there(name))).collect(),
            attributes,
            ..Offer::new(self.name.as_str(), names.iter().map(|name| (name.clone(), free(name))))
        }
    }
}

struct Pod<'o> {
    name: String,
    node: String,
    ended: bool,
    waits: bool,
    priority: i64,
    spec: &'o Value,
    at: At,
}

impl<'o> Pod<'o> {
    fn new(object: &'o Object) -> Result<Self, Error> {
        let (name, at, metadata) = identity(object, in_namespace)?;
        let (spec, status) = (at.part(&object.value, "spec")?, at.part(&object.value, "status")?);
        let node = text(spec.get("nodeName"));
        let ended = matches!(text(status.get("phase")).as_str(), "Succeeded" | "Failed");
        let priority = match text(spec.get("priority")).as_str() {
            "" => 0,
            written => written.parse().map_err(|_| at.malformed("spec.priority", "not a whole number", GIVE))?,
        };
        // A pod with a gate is not scheduled before the gate is gone, and one that is being deleted never is.
        let deleted = !text(metadata.get("deletionTimestamp")).is_empty();
        let waits = node.is_empty() && !ended && !deleted && at.list(spec, "schedulingGates")?.is_empty();
        Ok(Self { name, node, ended, waits, priority, spec, at })
    }

    /// What the pod asks in all, as Kubernetes counts it: init containers run one after the other, before the containers;
    /// those with restartPolicy Always stay beside all that comes after them. Overhead is added; what is asked for the pod
    /// as a whole replaces the sum.
    fn asked(&self) -> Result<Amounts, Error> {
        let (mut containers, mut beside, mut most) = (Amounts::new(), Amounts::new(), Amounts::new());
        for one in self.at.list(self.spec, "containers")? {
            add(&mut containers, self.container(one)?);
        }
        for one in self.at.list(self.spec, "initContainers")? {
            let mut now = self.container(one)?;
            if text(one.get("restartPolicy")) == "Always" {
                add(&mut containers, now.clone());
                add(&mut beside, now);
                now = beside.clone();
            } else {
                add(&mut now, beside.clone());
            }
            at_least(&mut most, now);
        }
        at_least(&mut containers, most);
        let mut total = containers;
        let whole = self.resources("spec.resources", self.at.part(self.spec, "resources")?)?;
        total.extend(whole.into_iter().filter(|(name, _)| POD_LEVEL.iter().any(|start| name.starts_with(start))));
        add(&mut total, amounts(&self.at, "spec.overhead", self.spec.get("overhead"))?);
        total.insert("pods".to_owned(), 1);
        total.extend(ports::amounts(self.ports()?));
        Ok(total)
    }

    /// The ports of the host that the pod asks for. Sidecars count, other init containers do not.
    fn ports(&self) -> Result<Vec<Port>, Error> {
        let first = self.at.list(self.spec, "initContainers")?.iter();
        let beside = first.filter(|one| text(one.get("restartPolicy")) == "Always");
        let mut found = Vec::new();
        for container in self.at.list(self.spec, "containers")?.iter().chain(beside) {
            for port in self.at.list(container, "ports")? {
                let written = text(port.get("hostPort"));
                let is_number = written.bytes().all(|digit| digit.is_ascii_digit());
                let number = if written.is_empty() { Some(0) } else { written.parse().ok().filter(|_| is_number) };
                match number.filter(|number| *number <= MOST) {
                    Some(0) => {}
                    Some(number) => found.push((number, text(port.get("protocol")), text(port.get("hostIP")))),
                    None => {
                        let column = format!("container {}, ports.hostPort", text(container.get("name")));
                        let message = format!("{} is no port", visible_name(&written));
                        return Err(self.at.malformed(&column, message, "a port is 1 to 65535"));
                    }
                }
            }
        }
        Ok(found)
    }

    /// The pod as a task, on these nodes with these taints.
    fn task(&self, nodes: &[(usize, Node)], taints: &[&Taint]) -> Result<Task, Error> {
        let asked = self.asked()?;
        Ok(Task { requirements: self.requirements(nodes, taints)?, ..Task::new(self.name.as_str(), asked) })
    }

    fn container(&self, one: &Value) -> Result<Amounts, Error> {
        self.resources(&format!("container {}", text(one.get("name"))), self.at.part(one, "resources")?)
    }

    /// What is requested; where only a limit is set, the limit, as the API server has it.
    fn resources(&self, column: &str, resources: &Value) -> Result<Amounts, Error> {
        let mut found = amounts(&self.at, &format!("{column}, limits"), resources.get("limits"))?;
        found.extend(amounts(&self.at, &format!("{column}, requests"), resources.get("requests"))?);
        Ok(found)
    }

    /// What a node must have: labels, names, and no taint that the pod does not tolerate.
    fn requirements(&self, nodes: &[(usize, Node)], taints: &[&Taint]) -> Result<Vec<Requirement>, Error> {
        let selector = self.at.part(self.spec, "nodeSelector")?;
        let mut found: Vec<Requirement> =
            entries(selector).map(|(key, value)| Requirement::is_in(key, [or_empty(&text(Some(value)))])).collect();
        let affinity = self.at.part(self.spec, "affinity")?;
        self.refuse_other_rules(affinity)?;
        let node = self.at.part(affinity, "nodeAffinity")?;
        let required = self.at.part(node, REQUIRED)?;
        if required.as_object().is_some_and(|required| !required.is_empty()) {
            found.extend(self.terms(self.at.list(required, "nodeSelectorTerms")?, nodes)?);
        }
        let tolerations = self.at.list(self.spec, "tolerations")?;
        let hard = taints.iter().filter(|taint| !tolerations.iter().any(|each| tolerates(each, taint)));
        found.extend(hard.map(|taint| Requirement::not_in(attribute_of(taint), [YES])));
        Ok(found)
    }

    /// The requirements of terms, one of which must hold. Where they cannot be said of labels, because there are several or
    /// numbers are compared, they are said of the names of the nodes for which they hold.
    fn terms(&self, terms: &[Value], nodes: &[(usize, Node)]) -> Result<Vec<Requirement>, Error> {
        let mut each: Vec<Vec<&Value>> = Vec::new();
        for term in terms {
            let expressions = self.at.list(term, "matchExpressions")?.iter();
            each.push(expressions.chain(self.at.list(term, "matchFields")?).collect());
        }
        // A term without an expression matches nothing.
        each.retain(|expressions| !expressions.is_empty());
        if let [only] = each.as_slice()
            && let Some(said) = only.iter().map(|one| said(one)).collect::<Option<Vec<_>>>()
        {
            return Ok(said);
        }
        let mut names = Vec::new();
        for (_, node) in nodes {
            let mut holds = false;
            for expressions in &each {
                let mut all = true;
                for one in expressions {
                    all = all && self.holds(one, node)?;
                }
                holds = holds || all;
            }
            if holds {
                names.push(node.name.as_str());
            }
        }
        Ok(vec![Requirement::is_in("metadata.name", names)])
    }

    fn holds(&self, one: &Value, node: &Node) -> Result<bool, Error> {
        let (key, operator) = (text(one.get("key")), text(one.get("operator")));
        let value = if key == "metadata.name" { Some(&node.name) } else { node.labels.get(&key) };
        let values: Vec<String> = self.at.list(one, "values")?.iter().map(|value| text(Some(value))).collect();
        match (operator.as_str(), values.as_slice()) {
            ("In", _) => Ok(value.is_some_and(|value| values.contains(value))),
            ("NotIn", _) => Ok(!value.is_some_and(|value| values.contains(value))),
            ("Exists", _) => Ok(value.is_some()),
            ("DoesNotExist", _) => Ok(value.is_none()),
            // A label that is no whole number fails both.
            ("Gt" | "Lt", [bound]) => Ok(match (value.and_then(|value| whole(value)), whole(bound)) {
                (Some(value), Some(bound)) => {
                    if operator == "Gt" {
                        value > bound
                    } else {
                        value < bound
                    }
                }
                _ => false,
            }),
            _ => {
                let hint = "the operators are In, NotIn, Exists, DoesNotExist, and Gt and Lt with one value";
                let column = format!("spec.affinity, {key}");
                Err(self.at.malformed(&column, format!("{operator:?} is no operator"), hint))
            }
        }
    }

    fn refuse_other_rules(&self, affinity: &Value) -> Result<(), Error> {
        let unsupported =
            |what: &str, hint| self.at.malformed("spec", format!("{what} cannot be said as a task"), hint);
        for rule in ["podAffinity", "podAntiAffinity"] {
            if !self.at.list(self.at.part(affinity, rule)?, REQUIRED)?.is_empty() {
                return Err(unsupported(&format!("required {rule}"), "prefer it, or leave the pod out"));
            }
        }
        let spread = self.at.list(self.spec, "topologySpreadConstraints")?;
        if spread.iter().any(|one| text(one.get("whenUnsatisfiable")) != "ScheduleAnyway") {
            let hint = "let it schedule anyway, or leave the pod out";
            return Err(unsupported("a topology spread constraint", hint));
        }
        if !self.at.list(self.spec, "resourceClaims")?.is_empty() {
            return Err(unsupported("a resource claim", "ask for an extended resource, or leave the pod out"));
        }
        Ok(())
    }
}

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";

impl At {
    /// The object under a key; an empty one where there is none.
    fn part<'v>(&self, whole: &'v Value, key: &str) -> Result<&'v Value, Error> {
        match whole.get(key) {
            None | Some(Value::Null) => Ok(&Value::Null),
            Some(Value::String(text)) if text.is_empty() => Ok(&Value::Null),
            Some(found @ Value::Object(_)) => Ok(found),
            Some(_) => Err(self.malformed(key, "not an object", GIVE)),
        }
    }

    /// The array under a key; an empty one where there is none.
    fn list<'v>(&self, whole: &'v Value, key: &str) -> Result<&'v [Value], Error> {
        match whole.get(key) {
            None | Some(Value::Null) => Ok(&[]),
            Some(Value::String(text)) if text.is_empty() => Ok(&[]),
            Some(Value::Array(found)) if key == "values" || found.iter().all(Value::is_object) => Ok(found),
            Some(Value::Array(_)) => Err(self.malformed(key, "not an array of objects", GIVE)),
            Some(_) => Err(self.malformed(key, "not an array", GIVE)),
        }
    }
}

/// Name, place and metadata of an object.
fn identity(object: &Object, named: impl Fn(&str, &str) -> String) -> Result<(String, At, &Value), Error> {
    let metadata = object.at.part(&object.value, "metadata")?;
    let name = text(metadata.get("name"));
    if name.is_empty() {
        return Err(Error::MissingColumn { place: object.at.place("metadata.name"), hint: remedy::NAMELESS });
    }
    let name = named(&text(metadata.get("namespace")), &name);
    let at = object.at.clone().named(&name);
    Ok((name, at, metadata))
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

/// An expression as a requirement on a label; none where it is none.
fn said(one: &Value) -> Option<Requirement> {
    let key = text(one.get("key"));
    let values = one.get("values").and_then(Value::as_array).into_iter().flatten();
    let values = values.map(|value| or_empty(&text(Some(value))));
    match text(one.get("operator")).as_str() {
        "In" => Some(Requirement::is_in(key, values)),
        "NotIn" => Some(Requirement::not_in(key, values)),
        "Exists" => Some(Requirement::is_in(format!("exists:{key}"), [YES])),
        "DoesNotExist" => Some(Requirement::not_in(format!("exists:{key}"), [YES])),
        _ => None,
    }
}

fn tolerates(toleration: &Value, (key, value, effect): &Taint) -> bool {
    let (wanted, of_effect) = (text(toleration.get("key")), text(toleration.get("effect")));
    if !(of_effect.is_empty() || of_effect == *effect) || !(wanted.is_empty() || wanted == *key) {
        return false;
    }
    match text(toleration.get("operator")).as_str() {
        "Exists" => true,
        "" | "Equal" => !wanted.is_empty() && text(toleration.get("value")) == *value,
        _ => false,
    }
}

fn attribute_of((key, value, effect): &Taint) -> String {
    format!("taint:{key}={value}:{effect}")
}

fn or_empty(value: &str) -> String {
    if value.is_empty() { EMPTY.to_owned() } else { value.to_owned() }
}

/// A whole number of at most 18 digits.
fn whole(text: &str) -> Option<i64> {
    let digits = text.trim_start_matches(['+', '-']);
    (digits.len() <= 18).then(|| text.parse().ok()).flatten()
}

/// Resources in the smallest unit; a part of it counts as one, as it does for Kubernetes.
fn amounts(at: &At, column: &str, given: Option<&Value>) -> Result<Amounts, Error> {
    let Some(given) = given.filter(|given| !is_nothing(given)) else { return Ok(Amounts::new()) };
    if !given.is_object() {
        return Err(at.malformed(column, "not an object", GIVE));
    }
    // Kubernetes knows every suffix for every resource; a thousandth of a core is the smallest that it schedules by.
    let unit = |name: &str| if name == "cpu" { Unit::THOUSANDTHS_OF_ONE } else { Unit::COUNT };
    entries(given)
        .map(|(name, amount)| {
            let written = text(Some(amount));
            Ok((name.clone(), at.rounded_up(&format!("{column}.{name}"), &written, unit(name))?))
        })
        .collect()
}

/// Whether a value stands for nothing: YAML writes that as an empty text, too.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value == ""
}

fn add(amounts: &mut Amounts, more: Amounts) {
    for (name, amount) in more {
        let sum = amounts.entry(name).or_default();
        *sum = sum.saturating_add(amount);
    }
}

fn at_least(amounts: &mut Amounts, least: Amounts) {
    for (name, amount) in least {
        let most = amounts.entry(name).or_default();
        *most = (*most).max(amount);
    }
}

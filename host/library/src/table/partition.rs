//! Independent partitions of one cycle: tasks and offers that nothing connects.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::table::offers::Offers;
use crate::table::requirements::{Required, alike, required};
use crate::table::tasks::Tasks;

/// Tasks, and the offers that they alone may take.
///
/// A task is connected with every offer that meets its requirements on attributes, and with the other members of its group.
/// Tasks and offers that are not connected, over any number of steps, cannot take room from one another.
///
/// ```
/// use offermatch::{Catalog, Offer, Offers, Partition, Requirement, Task, Tasks};
///
/// let (mut tasks, mut offers) = (Vec::new(), Vec::new());
/// for zone in ["a", "b"] {
///     tasks.push(Task { requirements: vec![Requirement::is_in("zone", [zone])], ..Task::new(zone, [("cpu", 1)]) });
///     offers.push(Offer { attributes: vec![("zone".into(), zone.into())], ..Offer::new(zone, [("cpu", 4)]) });
/// }
/// let catalog = Catalog::of(&offers, &tasks);
/// let (tasks, offers) = (Tasks::new(&tasks, &catalog)?, Offers::new(&offers, &catalog)?);
/// let parts = Partition::all(&tasks, &offers);
/// assert_eq!(parts.len(), 2);
/// assert_eq!(parts[1].offers.names(), ["b"]);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Partition {
    /// The tasks, in the order in which they stood.
    pub tasks: Tasks,
    /// The offers, likewise.
    pub offers: Offers,
}

impl Partition {
    /// The partitions of a cycle, in the order of their first tasks. A task that no offer can take stands in the first one; an
    /// offer that no task can take stands in none. Requirements on measures and preferences do not part tasks from offers.
    #[must_use]
    pub fn all(tasks: &Tasks, offers: &Offers) -> Vec<Self> {
        let one = |(tasks_of, offers_of): &(Vec<u32>, Vec<u32>)| Self {
            tasks: tasks.select(tasks_of).with_present_groups(),
            offers: offers.select(offers_of),
        };
        parts(tasks, offers).iter().map(one).collect()
    }
}

/// Which of some nodes are connected (disjoint sets: Tarjan, 1975).
struct Connected(Vec<usize>);

impl Connected {
    /// The node that stands for all that this one is connected with.
    fn of(&mut self, mut node: usize) -> usize {
        while self.0[node] != node {
            self.0[node] = self.0[self.0[node]];
            node = self.0[node];
        }
        node
    }

    /// Connects two nodes.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[other] = one;
    }
}

/// The rows of tasks and of offers that are connected.
fn parts(tasks: &Tasks, offers: &Offers) -> Vec<(Vec<u32>, Vec<u32>)> {
    let table = tasks.table();
    let required: Vec<Vec<Required>> = (0..tasks.len()).map(|row| required(table, row)).collect();
    let subjects: BTreeSet<usize> = required.iter().flatten().map(|one| one.attribute).collect();
    let subjects: Vec<usize> = subjects.into_iter().collect();
    // Offers that requirements do not tell apart are one node; a group is one.
    let alike = alike(offers.table(), offers.catalog().attributes().len(), &subjects);
    let mut nodes = Connected((0..alike.len() + tasks.group_names().len()).collect());
    let group_node = |group: usize| alike.len() + group;
    let mut node_of = vec![0; offers.len()];
    alike.iter().enumerate().for_each(|(node, (_, rows))| rows.iter().for_each(|&row| node_of[row] = node));
    let numbers: HashMap<&str, usize> = tasks.group_names().iter().map(String::as_str).zip(0..).collect();
    for (row, &node) in node_of.iter().enumerate() {
        for (group, _) in offers.occupants().on(row as u32).into_iter().flatten() {
            if let Some(&group) = numbers.get(group.as_str()) {
                nodes.join(group_node(group), node);
            }
        }
    }
    let mut meeting: HashMap<&[Required], Option<usize>> = HashMap::new();
    let mut nodes_of_tasks = Vec::with_capacity(tasks.len());
    for (row, required) in required.iter().enumerate() {
        let met = *meeting.entry(required).or_insert_with(|| {
            let mut met = (0..alike.len()).filter(|&node| required.iter().all(|one| one.holds(&alike[node].0)));
            let first = met.next();
            first.inspect(|&first| met.for_each(|node| nodes.join(first, node)))
        });
        let group = table.group(row).map(group_node);
        if let (Some(group), Some(met)) = (group, met) {
            nodes.join(group, met);
        }
        nodes_of_tasks.push(group.or(met));
    }
    let mut found: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    let mut nowhere = Vec::new();
    for (row, node) in (0..).zip(nodes_of_tasks) {
        let Some(node) = node else {
            nowhere.push(row);
            continue;
        };
        let place = *places.entry(nodes.of(node)).or_insert_with(|| {
            found.push((Vec::new(), Vec::new()));
            found.len() - 1
        });
        found[place].0.push(row);
    }
    for (row, node) in (0..).zip(node_of) {
        if let Some(&place) = places.get(&nodes.of(node)) {
            found[place].1.push(row);
        }
    }
    if !nowhere.is_empty() {
        match found.first_mut() {
            Some((first, _)) => {
                first.append(&mut nowhere);
                first.sort_unstable();
            }
            None => found.push((nowhere, Vec::new())),
        }
    }
    found
}

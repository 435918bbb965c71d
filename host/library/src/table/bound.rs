//! An upper bound on what any matcher could place: what is left unplaced above it is nobody's fault.
//!
//! A relaxation: each dimension counts alone, a demand may be cut up among offers, and tasks with the same requirements share the
//! offers that meet these. Maximal scores, preferences and groups are not looked at. Whatever holds here holds for
//! every answer, so no policy places more; `docs/semantics.md` has the rule.

use std::collections::HashMap;
use std::hash::Hash;

use offermatch_core::{Mode, OfferTable, TaskTable};

use crate::table::catalog::Catalog;
use crate::table::offers::Offers;
use crate::table::requirements::Values;
use crate::table::rows::WHOLE;
use crate::table::tasks::Tasks;

/// Lists of requirements that are looked at, the most frequent ones; tasks with others count as tasks without any.
const KINDS: usize = 32;
/// What a dimension as a whole counts where dimensions are added up.
const SHARES: u128 = 1 << 40;

/// What no answer is above.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bound {
    /// How many tasks could be placed.
    pub tasks: usize,
    /// How much of each dimension of the catalog the placed tasks could use, in the smallest unit.
    pub used: Vec<u128>,
    /// How many device thousandths they could use; none where no task asks for any.
    pub devices: Option<u128>,
}

impl Bound {
    /// The bound for these tasks on these offers.
    ///
    /// ```
    /// use offermatch::{Bound, Catalog, Mode, Offer, Offers, Task, Tasks};
    ///
    /// let offers = [Offer::new("a", [("cpu", 4_000)]), Offer::new("b", [("cpu", 2_000)])];
    /// let tasks: Vec<Task> = (0..9).map(|at| Task::new(format!("{at}"), [("cpu", 1_500)])).collect();
    /// let catalog = Catalog::of(&offers, &tasks);
    /// let (tasks, offers) = (Tasks::new(&tasks, &catalog)?, Offers::new(&offers, &catalog)?);
    /// let bound = Bound::of(&tasks, &offers, Mode::Shared);
    /// // Three find room; as if a task could be cut up, so do four.
    /// assert_eq!((bound.tasks, bound.used), (4, vec![6_000]));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    #[must_use]
    pub fn of(tasks: &Tasks, offers: &Offers, mode: Mode) -> Self {
        let dimensions = tasks.catalog().dimensions().len();
        let columns = columns(tasks.table(), offers.table(), dimensions);
        let kinds = kinds(tasks.table(), offers.table(), tasks.catalog());
        let (mut placed, mut everybody) = (0, Vec::new());
        let mut used = vec![0_u128; columns.len()];
        for (allowed, rows) in &kinds {
            let tops: Vec<Option<u64>> =
                columns.iter().map(|column| allowed.iter().map(|&offer| column.most[offer]).max()).collect();
            let fitting: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|&row| {
                    columns.iter().zip(&tops).all(|(column, top)| top.is_some_and(|top| column.asked[row] <= top))
                })
                .collect();
            placed += most(&columns, &fitting, allowed, mode);
            for (used, column) in used.iter_mut().zip(&columns) {
                *used += sum(&column.asked, &fitting).min(sum(&column.free, allowed));
            }
            everybody.extend(fitting);
        }
        let every: Vec<usize> = (0..offers.len()).collect();
        if kinds.len() > 1 {
            placed = placed.min(most(&columns, &everybody, &every, mode));
        }
        let mut used = used.into_iter().zip(&columns).map(|(used, column)| used.min(sum(&column.free, &every)));
        let found: Vec<u128> = used.by_ref().take(dimensions).collect();
        Self { tasks: placed, used: found, devices: used.next() }
    }
}

/// What is asked of one thing by each task, what each offer has of it, and the most that one task can get on an offer.
struct Column {
    asked: Vec<u64>,
    free: Vec<u64>,
    most: Vec<u64>,
}

/// The dimensions; the thousandths of devices, the devices that are wholly free, and the shares of one.
fn columns(tasks: &TaskTable, offers: &OfferTable, dimensions: usize) -> Vec<Column> {
    let every = |table: &[u64], at: usize| table.iter().skip(at).step_by(dimensions).copied().collect::<Vec<u64>>();
    let mut columns: Vec<Column> = (0..dimensions)
        .map(|at| {
            let free = every(&offers.available, at);
            Column { asked: every(&tasks.demand, at), most: free.clone(), free }
        })
        .collect();
    if tasks.devices.is_empty() {
        return columns;
    }
    let rows = offers.rows as usize;
    let of_offers = |of: &dyn Fn(&[u32]) -> u64| (0..rows).map(|row| of(offers.devices.of(row))).collect::<Vec<u64>>();
    let of_tasks = |of: &dyn Fn(u32) -> u32| tasks.devices.iter().map(|&asked| of(asked).into()).collect::<Vec<u64>>();
    let free = of_offers(&|free| free.iter().copied().map(u64::from).sum());
    let whole = of_offers(&|free| free.iter().filter(|&&free| free == WHOLE).count() as u64);
    let largest = of_offers(&|free| free.iter().copied().max().unwrap_or(0).into());
    columns.push(Column { asked: of_tasks(&|asked| asked), most: free.clone(), free: free.clone() });
    columns.push(Column { asked: of_tasks(&|asked| asked / WHOLE), most: whole.clone(), free: whole });
    columns.push(Column { asked: of_tasks(&|asked| if asked < WHOLE { asked } else { 0 }), most: largest, free });
    columns
}

/// For each set of offers that requirements allow, these offers and the tasks.
fn kinds(tasks: &TaskTable, offers: &OfferTable, catalog: &Catalog) -> Vec<(Vec<usize>, Vec<usize>)> {
    let rows = offers.rows as usize;
    if tasks.requirement_offsets.is_empty() {
        return vec![((0..rows).collect(), (0..tasks.rows as usize).collect())];
    }
    let (attributes, measures) = (catalog.attributes().len(), catalog.measures().len());
    let alike = grouped(rows, |row| Values::of(offers, row, attributes, measures));
    let mut asking = grouped(tasks.rows as usize, |row| required(tasks, row));
    asking.sort_by_key(|(_, rows)| std::cmp::Reverse(rows.len()));
    let mut found: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    let mut numbers: HashMap<Vec<usize>, usize> = HashMap::new();
    for (at, (_, rows)) in asking.into_iter().enumerate() {
        let serves = |values: &Values| at >= KINDS || values.serve(tasks, rows[0]);
        let groups: Vec<usize> = (0..alike.len()).filter(|&group| serves(&alike[group].0)).collect();
        let number = *numbers.entry(groups).or_insert_with_key(|groups| {
            found.push((groups.iter().flat_map(|&group| &alike[group].1).copied().collect(), Vec::new()));
            found.len() - 1
        });
        found[number].1.extend(rows);
    }
    found
}

/// The requirements of a task, so that equal ones are found.
fn required(tasks: &TaskTable, row: usize) -> Vec<(u32, u32, u64, &[u32])> {
    let required = tasks.requirements(row).filter(|&at| !tasks.is_preference(at));
    let one = |at: usize| {
        let bound = tasks.requirement_bounds.get(at).copied().unwrap_or(0.0).to_bits();
        (tasks.requirement_kinds[at], tasks.requirement_subjects[at], bound, tasks.values(at))
    };
    required.map(one).collect()
}

/// The rows of a table by a key, in the order of their first rows.
fn grouped<K: Clone + Eq + Hash>(rows: usize, key: impl Fn(usize) -> K) -> Vec<(K, Vec<usize>)> {
    let mut found: Vec<(K, Vec<usize>)> = Vec::new();
    let mut numbers: HashMap<K, usize> = HashMap::new();
    for row in 0..rows {
        let number = *numbers.entry(key(row)).or_insert_with_key(|key| {
            found.push((key.clone(), Vec::new()));
            found.len() - 1
        });
        found[number].1.push(row);
    }
    found
}

/// How many of some tasks some offers could take, by the column that says the least.
fn most(columns: &[Column], tasks: &[usize], offers: &[usize], mode: Mode) -> usize {
    let sorted = |column: &[u64], rows: &[usize]| {
        let mut values: Vec<u64> = rows.iter().map(|&row| column[row]).collect();
        values.sort_unstable();
        values
    };
    if mode == Mode::Exclusive {
        // One task an offer: the smallest demand takes the smallest offer that has enough.
        let one_each = |column: &Column| {
            let asked = sorted(&column.asked, tasks);
            sorted(&column.most, offers)
                .into_iter()
                .fold(0, |taken, free| taken + usize::from(asked.get(taken).is_some_and(|&asked| asked <= free)))
        };
        return columns.iter().map(one_each).min().unwrap_or(usize::MAX).min(tasks.len()).min(offers.len());
    }
    // The smallest ones, as long as all offers together have enough.
    let prefix = |mut sizes: Vec<u128>, total: u128| {
        sizes.sort_unstable();
        let mut sum = 0_u128;
        sizes
            .iter()
            .take_while(|&&size| {
                sum += size;
                sum <= total
            })
            .count()
    };
    // What nobody asks for says nothing, and would only make room in the sum.
    let columns: Vec<&Column> =
        columns.iter().filter(|column| tasks.iter().any(|&row| column.asked[row] > 0)).collect();
    let totals: Vec<u128> = columns.iter().map(|column| sum(&column.free, offers)).collect();
    let mut found = tasks.len();
    let mut is_scarce = false;
    for (&column, &total) in columns.iter().zip(&totals) {
        if sum(&column.asked, tasks) > total {
            is_scarce = true;
            found = found.min(prefix(tasks.iter().map(|&row| column.asked[row].into()).collect(), total));
        }
    }
    if is_scarce {
        // The same for all dimensions together, each in shares of what there is: any sum of the conditions holds, too.
        let weights: Vec<u128> = totals.iter().map(|&total| SHARES.checked_div(total).unwrap_or(0)).collect();
        let size = |&row: &usize| {
            columns.iter().zip(&weights).map(|(column, weight)| weight * u128::from(column.asked[row])).sum()
        };
        let total = weights.iter().zip(&totals).map(|(weight, total)| weight * total).sum();
        found = found.min(prefix(tasks.iter().map(size).collect(), total));
    }
    found
}

/// The sum of some rows of a column.
fn sum(column: &[u64], rows: &[usize]) -> u128 {
    rows.iter().map(|&row| u128::from(column[row])).sum()
}

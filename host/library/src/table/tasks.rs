//! Tasks as a table: names, a catalog, columns.

use offermatch_core::TaskTable;

use crate::error::{Error, Place};
use crate::remedy;
use crate::table::bad::Rows;
use crate::table::catalog::Catalog;
use crate::table::groups::Groups;
use crate::table::names::Names;
use crate::table::offers::Offers;
use crate::table::remarks::{self, Unknown};
use crate::table::requirements;
use crate::table::rows::{Task, WHOLE, row_count};

/// Tasks, in the order in which they are to be placed. Checked: every table of this type can be given to a matcher.
#[derive(Debug, Clone)]
pub struct Tasks {
    /// What the columns are called.
    catalog: Catalog,
    /// Where the rows came from, for errors.
    source: String,
    /// What the rows are called.
    names: Names,
    table: TaskTable,
    /// What the groups are called, where they have names.
    groups: Groups,
    /// Conditions on what no offer has.
    unknown: Vec<Unknown>,
}

impl Tasks {
    /// A table of these tasks.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::DuplicateName`], [`Error::UnknownDimension`], [`Error::DevicesMalformed`],
    /// [`Error::MeasureMalformed`], [`Error::PreferenceMalformed`], [`Error::GroupMalformed`] and [`Error::TooManyRows`].
    ///
    /// ```
    /// use offermatch::{Catalog, Task, Tasks};
    ///
    /// let catalog = Catalog::new(["cpu"], ["zone"]);
    /// let tasks = Tasks::new(&[Task::new("render-1", [("cpu", 500)])], &catalog)?;
    /// assert_eq!(tasks.table().demand, [500]);
    ///
    /// let error = Tasks::new(&[Task::new("render-1", [("gpu", 1)])], &catalog).unwrap_err();
    /// assert_eq!(error.code(), "unknown-dimension");
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    pub fn new(rows: &[Task], catalog: &Catalog) -> Result<Self, Error> {
        Self::from_source(rows, catalog, "tasks")
    }

    /// As [`Tasks::new`]; errors say that the rows came from `source`.
    ///
    /// # Errors
    /// As [`Tasks::new`].
    pub fn from_source(rows: &[Task], catalog: &Catalog, source: &str) -> Result<Self, Error> {
        Self::build(rows, catalog, source).or_else(|_| {
            let mut rows = Rows::from(rows.to_vec());
            let built = Self::leaving_out(&mut rows, catalog, source)?;
            rows.refuse().map(|_| built)
        })
    }

    /// As [`Tasks::from_source`], without the rows that cannot be used, which are then left out of `rows` as well.
    ///
    /// # Errors
    /// What is wrong with the table and not with a row of it, such as [`Error::TooManyRows`].
    pub fn leaving_out(rows: &mut Rows<Task>, catalog: &Catalog, source: &str) -> Result<Self, Error> {
        let mut built = rows.leave_out(source, |task| &task.name, |rows| Self::build(rows, catalog, source))?;
        built.unknown.iter_mut().for_each(|unknown| unknown.renumber(rows.numbers()));
        built.groups.renumber(rows.numbers());
        Ok(built)
    }

    /// The table of rows, or the first of their errors.
    fn build(rows: &[Task], catalog: &Catalog, source: &str) -> Result<Self, Error> {
        let names = Names::new(rows.iter().map(|task| task.name.clone()).collect(), source)?;
        let dimensions = catalog.dimensions().len();
        let mut table = TaskTable { rows: row_count(rows.len())?, ..TaskTable::default() };
        table.demand = vec![0; rows.len() * dimensions];
        if rows.iter().any(|task| task.devices != 0 || task.device_share != 0) {
            table.devices = Vec::with_capacity(rows.len());
        }
        for (row, task) in rows.iter().enumerate() {
            let place = |column: String| {
                Box::new(Place { source: source.to_owned(), row: Some(row), name: Some(task.name.clone()), column })
            };
            for (name, quantity) in &task.demand {
                let dimension = catalog.dimension_at(name, || *place(format!("demand.{name}")))?;
                table.demand[row * dimensions + dimension] = *quantity;
            }
            let devices = thousandths(task).map_err(|(column, asked, hint)| Error::DevicesMalformed {
                place: place(column.to_owned()),
                reason: format!("{asked} cannot be"),
                hint,
            })?;
            if table.devices.capacity() > 0 {
                table.devices.push(devices);
            }
        }
        requirements::push(&mut table, rows, catalog, source)?;
        let groups = Groups::push(&mut table, rows, catalog, source)?;
        let unknown = remarks::unknown(rows, catalog, source);
        Ok(Self { catalog: catalog.clone(), source: source.to_owned(), names, table, groups, unknown })
    }

    /// A table of columns that are already there. Attribute values are numbered by [`Catalog::value`].
    ///
    /// # Errors
    /// [`Error::ColumnLength`], [`Error::DuplicateName`], [`Error::MissingColumn`] and, for numbers out of their range,
    /// [`Error::ValueOutOfRange`], [`Error::DevicesMalformed`] or [`Error::TooManyRows`].
    pub fn from_columns(names: Vec<String>, table: TaskTable, catalog: &Catalog) -> Result<Self, Error> {
        crate::table::columns::check_names(&names, table.rows)?;
        table.check(catalog.shape()).map_err(|error| crate::table::columns::refused(error, "tasks"))?;
        let names = Names::new(names, "tasks")?;
        let (groups, unknown) = (Groups::default(), Vec::new());
        Ok(Self { catalog: catalog.clone(), source: "tasks".to_owned(), names, table, groups, unknown })
    }

    /// How many tasks there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.rows as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names, by row.
    #[must_use]
    pub fn names(&self) -> &[String] {
        self.names.as_slice()
    }

    /// A remark for each attribute and each measure that the tasks ask for and no offer has, for
    /// [`Answer::remarks`](crate::Answer::remarks). Such a condition is served as it stands: a requirement that never holds,
    /// or that always does.
    ///
    /// ```
    /// use offermatch::{Catalog, Offer, Requirement, Task, Tasks};
    ///
    /// let offers = [Offer { attributes: vec![("zone".into(), "a".into())], ..Offer::new("a", [("cpu", 4000)]) }];
    /// let task = Task { requirements: vec![Requirement::not_in("zoen", ["a"])], ..Task::new("t", [("cpu", 1000)]) };
    /// let tasks = Tasks::new(&[task], &Catalog::of(&offers, &[]))?;
    /// let remark = "tasks, row 0 (t), requirements: no offer has the attribute 'zoen'";
    /// assert_eq!(tasks.remarks(), [remark]);
    ///
    /// let error = tasks.refuse_unknown().unwrap_err();
    /// assert_eq!((error.code(), error.hint()), ("unknown-attribute", "the attributes are zone"));
    /// # Ok::<(), offermatch::Error>(())
    /// ```
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.unknown.iter().map(|unknown| unknown.error(&self.catalog).to_string()).collect()
    }

    /// Refuses what is otherwise a remark.
    ///
    /// # Errors
    /// [`Error::ConditionUnknown`], of the first of them.
    pub fn refuse_unknown(&self) -> Result<(), Error> {
        self.unknown.first().map_or(Ok(()), |unknown| Err(unknown.error(&self.catalog)))
    }

    /// The place of a value in a row.
    pub(crate) fn place(&self, row: usize, column: &str) -> Box<Place> {
        let name = Some(self.names()[row].clone());
        Box::new(Place { source: self.source.clone(), row: Some(row), name, column: column.to_owned() })
    }

    /// What the groups are called, by row of the group table; none where the table was made of columns.
    #[must_use]
    pub fn group_names(&self) -> &[String] {
        self.groups.names()
    }

    /// What the groups are called, and where they came from.
    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The columns, without members of groups that run already, which a pool adds.
    #[must_use]
    pub fn table(&self) -> &TaskTable {
        &self.table
    }

    /// The columns alone.
    pub(crate) fn into_table(self) -> TaskTable {
        self.table
    }

    /// What the columns are called.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same tasks, the largest first: by the squares of what is asked in each dimension, over the largest capacity in it, and
    /// of the devices likewise, summed. Equal ones stay as they stood.
    #[must_use]
    pub fn largest_first(&self, offers: &Offers) -> Self {
        let dimensions = self.catalog.dimensions().len();
        let (mine, theirs) = (&self.table, offers.table());
        let capacity = if theirs.capacity.is_empty() { &theirs.available } else { &theirs.capacity };
        let mut sizes = vec![0.0_f64; self.len()];
        let mut add = |asked: &mut dyn Iterator<Item = u64>, most: u64| {
            for (size, asked) in sizes.iter_mut().zip(asked) {
                let share = asked as f64 / most.max(1) as f64;
                *size += share * share;
            }
        };
        for at in 0..dimensions {
            let most = capacity.iter().skip(at).step_by(dimensions).copied().max().unwrap_or(0);
            add(&mut mine.demand.iter().skip(at).step_by(dimensions).copied(), most);
        }
        let most = u64::from(WHOLE) * u64::from(theirs.devices.most());
        add(&mut mine.devices.iter().copied().map(u64::from), most);
        let mut rows: Vec<u32> = (0..mine.rows).collect();
        rows.sort_by(|&one, &other| sizes[other as usize].total_cmp(&sizes[one as usize]));
        self.select(&rows)
    }

    /// A table of some of the rows, in the order given. Groups stay as they are, also where not all members are among them.
    ///
    /// # Panics
    /// When a row is not below [`Tasks::len`], or given twice.
    #[must_use]
    pub fn select(&self, rows: &[u32]) -> Self {
        let dimensions = self.catalog.dimensions().len();
        let from = &self.table;
        let mut table = TaskTable { rows: u32::try_from(rows.len()).expect("a row twice"), ..TaskTable::default() };
        let mut names = Vec::with_capacity(rows.len());
        if !from.requirement_offsets.is_empty() {
            table.requirement_offsets.push(0);
            table.value_offsets.push(0);
        }
        for row in rows.iter().map(|&row| row as usize) {
            names.push(self.names.as_slice()[row].clone());
            table.demand.extend_from_slice(&from.demand[row * dimensions..(row + 1) * dimensions]);
            table.devices.extend(from.devices.get(row));
            table.group_of.extend(from.group_of.get(row));
            if from.requirement_offsets.is_empty() {
                continue;
            }
            for requirement in from.requirements(row) {
                table.requirement_subjects.push(from.requirement_subjects[requirement]);
                table.requirement_kinds.push(from.requirement_kinds[requirement]);
                table.requirement_bounds.extend(from.requirement_bounds.get(requirement));
                table.requirement_weights.extend(from.requirement_weights.get(requirement));
                table.values.extend_from_slice(from.values(requirement));
                table.value_offsets.push(u32::try_from(table.values.len()).expect("a row twice"));
            }
            table.requirement_offsets.push(u32::try_from(table.requirement_subjects.len()).expect("a row twice"));
        }
        table.groups = from.groups.clone();
        let names = Names::new(names, "tasks").expect("a row twice");
        let (groups, unknown) = (self.groups.clone(), self.unknown.clone());
        Self { catalog: self.catalog.clone(), source: self.source.clone(), names, table, groups, unknown }
    }

    /// The same tasks, with nothing asked of groups that have no member here.
    pub(super) fn with_present_groups(mut self) -> Self {
        let mut is_present = vec![false; self.table.groups.least.len()];
        for &group in self.table.group_of.iter().filter(|&&group| group > 0) {
            is_present.get_mut(group as usize - 1).into_iter().for_each(|is_present| *is_present = true);
        }
        for (least, is_present) in self.table.groups.least.iter_mut().zip(is_present) {
            *least = if is_present { *least } else { 0 };
        }
        self
    }
}

/// The device thousandths that a task asks for, or column, words and remedy of what it cannot ask.
fn thousandths(task: &Task) -> Result<u32, (&'static str, String, &'static str)> {
    match (task.devices, task.device_share) {
        (0, 0) => Ok(0),
        (0, share) if share < WHOLE => Ok(share),
        (0, share) => Err(("device_share", format!("a share of {share}"), remedy::DEVICE_SHARE)),
        (whole, 0) => whole.checked_mul(WHOLE).ok_or_else(|| ("devices", format!("{whole} devices"), remedy::DEVICES)),
        (whole, share) => Err((
            "devices",
            format!("{whole} devices and a share of {share}"),
            "a task asks for whole devices or for a share",
        )),
    }
}

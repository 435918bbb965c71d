//! One cycle as the arguments of `offermatch-host match` ask for it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use offermatch::{
    Answer, Assignments, BadRow, Bound, Catalog, DEVICES, Error, Explanations, Format, Matcher, Mode, Offers, Reader,
    Recorder, Settings, Task, Tasks, Timings, Unit, Units, parse_quantity, traced,
};

use super::matcher::{limits, load};
use super::progress::Progress;
use super::{BadRowsArgument, MatchArguments, Names, OrderArgument, source};

/// A cycle, with all that can be said of it.
pub(super) struct Cycle {
    /// Who matched.
    pub(super) matcher: Matcher,
    /// What happened to offers that took a task.
    pub(super) mode: Mode,
    /// The tasks.
    pub(super) tasks: Tasks,
    /// The offers.
    pub(super) offers: Offers,
    /// The rows that cannot be used, where they were to be left out.
    pub(super) left_out: Vec<BadRow>,
    /// What was done as asked, though it can hardly be meant.
    pub(super) remarks: Vec<String>,
    /// Who takes what.
    pub(super) assignments: Assignments,
    /// What no answer is above, where that was asked.
    pub(super) bound: Option<Bound>,
    /// Why the tasks that were not placed found no offer, where that was asked.
    pub(super) unplaced: Option<Explanations>,
    /// The tasks by name, where it was asked why they were not placed.
    pub(super) task_rows: HashMap<String, Task>,
    /// What the numbers of dimensions are in.
    pub(super) units: Units,
    /// How many tasks were not placed only because of the maximal score.
    pub(super) by_score: usize,
    /// Where the time went.
    pub(super) stages: Stages,
}

/// Where the time went.
pub(super) struct Stages {
    /// Reading files, or generating a sample.
    pub(super) read: Duration,
    /// Rows to columns.
    pub(super) columns: Duration,
    /// Compiling and judging the matcher.
    pub(super) load: Duration,
    /// In the pool.
    pub(super) pool: Timings,
    /// Explaining, where that was asked.
    pub(super) explain: Duration,
    /// The bound on what could have been placed, where that was asked.
    pub(super) relax: Duration,
}

/// Reads, matches and, where asked, explains.
pub(super) fn cycle(arguments: MatchArguments) -> Result<Cycle, Error> {
    let units = Units::new(arguments.unit.iter().map(|(dimension, unit)| (dimension.as_str(), unit)))?;
    let reader = Reader { format: arguments.format.into(), units: units.clone() };
    let progress = Progress::new("reading");
    let (rows, read) = timed(|| match (&arguments.sample, &arguments.tasks, &arguments.offers) {
        (Some(sample), ..) => {
            let (tasks, offers) = sample.rows();
            Ok((tasks.into(), offers.into()))
        }
        (None, Some(tasks), Some(offers)) => reader.read_rows(tasks, offers),
        _ => unreachable!("the arguments are checked to hold a sample or two files"),
    })?;
    let (mut task_rows, mut offer_rows) = rows;
    if arguments.bad_rows == BadRowsArgument::Refuse {
        (task_rows, offer_rows) = (task_rows.refused()?, offer_rows.refused()?);
    }
    reader.check_units(&task_rows, &offer_rows)?;
    let ((tasks, offers), columns) = timed(|| {
        let catalog = match &arguments.dimensions {
            Some(Names(dimensions)) => {
                let named = |(name, _): &(String, u64)| dimensions.contains(name);
                for offer in offer_rows.rows_mut() {
                    offer.available.retain(named);
                    offer.capacity.retain(named);
                }
                Catalog::with_dimensions(dimensions.clone(), offer_rows.rows(), task_rows.rows())
            }
            None => Catalog::of(offer_rows.rows(), task_rows.rows()),
        };
        let (task_source, offer_source) =
            (source(arguments.tasks.as_deref(), "tasks"), source(arguments.offers.as_deref(), "offers"));
        let (tasks, offers) = match arguments.bad_rows {
            BadRowsArgument::Refuse => (
                Tasks::from_source(task_rows.rows(), &catalog, &task_source)?,
                Offers::from_source(offer_rows.rows(), &catalog, &offer_source)?,
            ),
            BadRowsArgument::LeaveOut => (
                Tasks::leaving_out(&mut task_rows, &catalog, &task_source)?,
                Offers::leaving_out(&mut offer_rows, &catalog, &offer_source)?,
            ),
        };
        let tasks = if arguments.order == OrderArgument::Size { tasks.largest_first(&offers) } else { tasks };
        Ok((tasks, offers))
    })?;
    let (task_rows, mut left_out) = task_rows.into_parts();
    left_out.extend(offer_rows.into_parts().1);
    let task_rows = if arguments.explain { task_rows } else { Vec::new() };
    let mut settings = settings(&arguments, &units)?;
    let format: Format = arguments.format.into();
    let weightless = offers.catalog().dimensions().iter().filter(|name| format.is_weightless(name));
    // A weight that is given comes later, and counts.
    settings.weights.splice(0..0, weightless.map(|name| (name.clone(), 0.0)));
    progress.stage("compiling the matcher");
    let (matcher, load) = timed(|| load(&arguments.matcher, &limits(arguments.limits.as_deref())?))?;
    progress.stage("matching");
    let work = || {
        let (mut pool, recorder) = match &arguments.record {
            Some(_) => Recorder::open(&matcher, &offers, &settings).map(|(pool, recorder)| (pool, Some(recorder)))?,
            None => (matcher.open(&offers, &settings)?, None),
        };
        let answer = pool.assign(&tasks)?;
        Ok((pool, recorder, answer))
    };
    let (mut pool, recorder, answer) = traced(&tasks, &offers, work, |(_, _, answer)| answer)?;
    let Answer { assignments, timings, remarks, .. } = answer;
    let (bound, relax) = timed(|| Ok(arguments.bound.then(|| Bound::of(&tasks, &offers, settings.mode))))?;
    progress.stage("explaining");
    let (unplaced, explain) = timed(|| {
        // A maximal score explains itself: what it leaves without an offer is said on every output.
        let is_asked = arguments.explain || arguments.max_score.is_some();
        is_asked.then(|| pool.explain_unplaced(&tasks, &assignments)).transpose()
    })?;
    let by_score = unplaced.iter().flat_map(Explanations::iter);
    let by_score = by_score.filter(|found| found.candidates == 0 && found.by_score.fails > 0).count();
    let unplaced = unplaced.filter(|_| arguments.explain);
    if let (Some(path), Some(recorder)) = (&arguments.record, recorder) {
        recorder.recording().write(path)?;
    }
    let stages = Stages { read, columns, load, pool: timings, explain, relax };
    let task_rows = task_rows.into_iter().map(|task| (task.name.clone(), task)).collect();
    let mode = settings.mode;
    Ok(Cycle {
        matcher,
        mode,
        tasks,
        offers,
        left_out,
        remarks,
        assignments,
        bound,
        unplaced,
        task_rows,
        units,
        by_score,
        stages,
    })
}

/// The settings in the arguments.
fn settings(arguments: &MatchArguments, units: &Units) -> Result<Settings, Error> {
    let scales = arguments.scale.iter().map(|(name, quantity)| {
        // A scale of devices is in devices; the contract counts their thousandths.
        let unit = if name == DEVICES { Unit::named("0.001").unwrap_or(Unit::COUNT) } else { units.of(name) };
        let scale = parse_quantity(quantity, unit).map_err(|error| Error::SettingMalformed {
            setting: format!("scale of {name}"),
            message: error.to_string(),
            hint: error.hint().to_owned(),
        })?;
        Ok((name.clone(), scale))
    });
    // Typical tasks are rows of ours, whatever the tasks are.
    let format = match arguments.format.into() {
        format @ (Format::Json | Format::JsonLines | Format::Csv) => format,
        _ => Format::Auto,
    };
    let typical = Reader { format, units: units.clone() };
    Ok(Settings {
        mode: arguments.mode.into(),
        max_score: arguments.max_score,
        weights: arguments.weight.clone(),
        scales: scales.collect::<Result<_, Error>>()?,
        parameters: arguments.parameter.clone(),
        workload: arguments.workload.as_ref().map(|path| typical.read_workload(path)).transpose()?,
    })
}

/// What something gives, and how long it took.
fn timed<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<(T, Duration), Error> {
    let begin = Instant::now();
    let value = run()?;
    Ok((value, begin.elapsed()))
}

//! `offermatch-stage bench`: ways to copy a file, and many small ones, side by side on one device.
//!
//! Every contender for the large file ends with the data on the device, so that none is measured against memory; small
//! files are measured so, and without. Contenders take turns, so that a noisy machine is unfair to none, and the median
//! of the rounds counts.

mod contenders;
mod report;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use offermatch_stage::StageError;
use serde::Serialize;

use super::quantity;
use contenders::{Cache, Contender, State};

/// What `bench` takes.
#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// A directory on the device to measure; what is made there is removed
    directory: PathBuf,
    /// Bytes of the large file
    #[arg(long, value_name = "BYTES", default_value = "1GiB", value_parser = quantity)]
    size: u64,
    /// How many small files; 0 for none
    #[arg(long, value_name = "N", default_value_t = 0)]
    files: u32,
    /// Rounds, of which the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Write the figures to a file as JSON; `-` prints them instead of the table
    #[arg(long, value_name = "FILE|-")]
    json: Option<PathBuf>,
}

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The machine, the kernel and the file system.
    machine: String,
    /// Bytes of the large file.
    size_bytes: u64,
    /// Rounds, of which the median counts.
    rounds: u32,
    /// Whether the page cache could be emptied.
    caches_dropped: bool,
    /// The large file.
    large: Vec<Row>,
    /// How many small files there were.
    files: u32,
    /// The small files.
    small: Vec<Row>,
}

/// One contender with one state of the cache.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// Who copied.
    name: &'static str,
    /// `cold` if the source was not in memory, `warm` if it was.
    cache: &'static str,
    /// Whether it ended with the data on the device, instead of in the page cache.
    synchronised: bool,
    /// The seconds of each round; none if the contender is not there.
    seconds: Vec<f64>,
    /// Bytes a second of the median round, in units of 1,000,000.
    megabytes_per_second: Option<f64>,
    /// The same, as the talk says of another machine.
    published_megabytes_per_second: Option<u32>,
}

impl Row {
    /// The median round in seconds.
    fn median(&self) -> Option<f64> {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        let upper = seconds.len() / 2;
        let middle = seconds.get(upper.saturating_sub(usize::from(seconds.len().is_multiple_of(2)))..=upper)?;
        Some(middle.iter().sum::<f64>() / middle.len() as f64)
    }

    /// Whether both copied under the same conditions.
    fn is_beside(&self, other: &Self) -> bool {
        (self.cache, self.synchronised) == (other.cache, other.synchronised)
    }
}

/// The error of what the operating system refuses.
fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StageError {
    move |source| StageError::Failed { doing, path: path.to_path_buf(), source }
}

/// Measures, and gives what is to be printed.
pub(crate) fn run(arguments: &BenchArguments) -> anyhow::Result<Vec<u8>> {
    let place = arguments.directory.join(".offermatch-bench");
    fs::create_dir(&place).map_err(failed("make", &place))?;
    let measured = measure(arguments, &place);
    let removed = fs::remove_dir_all(&place);
    let report = measured?;
    removed.map_err(failed("remove", &place))?;
    let document = format!("{:#}\n", serde_json::to_value(&report)?).into_bytes();
    match &arguments.json {
        Some(path) if path == Path::new("-") => return Ok(document),
        Some(path) => fs::write(path, document).map_err(failed("write", path))?,
        None => {}
    }
    Ok(report.table().into_bytes())
}

/// Lets all contenders take turns.
fn measure(arguments: &BenchArguments, place: &Path) -> anyhow::Result<Report> {
    let source = place.join("large.bin");
    fill(&source, arguments.size)?;
    let caches_dropped = contenders::drop_caches().is_ok();
    let caches = if caches_dropped { vec![Cache::Cold, Cache::Warm] } else { vec![Cache::Warm] };
    let states = |ends: &[bool]| -> Vec<State> {
        ends.iter().flat_map(|&synchronised| caches.iter().map(move |&cache| State { cache, synchronised })).collect()
    };
    let large = turns(&contenders::LARGE, &source, arguments.size, arguments.rounds, &states(&[true]))?;
    let mut small = Vec::new();
    if arguments.files > 0 {
        let tree = place.join("small");
        let bytes = plant(&tree, arguments.files)?;
        small = turns(&contenders::SMALL, &tree, bytes, arguments.rounds, &states(&[false, true]))?;
    }
    let machine = report::machine(place);
    let (size_bytes, rounds, files) = (arguments.size, arguments.rounds, arguments.files);
    Ok(Report { machine, size_bytes, rounds, caches_dropped, large, files, small })
}

/// Measures contenders in turns, under each of these conditions.
fn turns(
    contenders: &[Contender],
    source: &Path,
    bytes: u64,
    rounds: u32,
    states: &[State],
) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (number, &state) in states.iter().enumerate() {
        let first = rows.len();
        for contender in contenders {
            rows.push(Row {
                name: contender.name,
                cache: state.cache.name(),
                synchronised: state.synchronised,
                seconds: Vec::new(),
                megabytes_per_second: None,
                published_megabytes_per_second: contender.published,
            });
        }
        for round in 0..rounds {
            for (index, contender) in contenders.iter().enumerate() {
                // A name of its own for each: a file system is slow where files were just removed.
                let target = source.with_file_name(format!("copy-{number}-{round}-{index}"));
                if let Some(seconds) = contender.run(source, &target, state)? {
                    rows[first + index].seconds.push(seconds);
                }
                if source.is_file() {
                    let _ = fs::remove_file(&target);
                    let _ = fs::remove_dir_all(&target);
                }
            }
        }
    }
    for row in &mut rows {
        row.megabytes_per_second = row.median().map(|seconds| bytes as f64 / seconds / 1e6);
    }
    Ok(rows)
}

/// Writes a file that no file system can shrink.
fn fill(path: &Path, size: u64) -> anyhow::Result<()> {
    let mut file = File::create(path).map_err(failed("make", path))?;
    let block = noise(1 << 20);
    let mut left = size;
    let mut number = 0_u64;
    while left > 0 {
        let mut part = block.clone();
        part[..8].copy_from_slice(&number.to_le_bytes());
        let length = left.min(part.len() as u64);
        file.write_all(&part[..length as usize])?;
        left -= length;
        number += 1;
    }
    Ok(file.sync_all()?)
}

/// Makes so many files of 200 to 12,200 bytes, 500 in a directory; gives the sum of their bytes.
fn plant(tree: &Path, files: u32) -> anyhow::Result<u64> {
    let bytes = noise(1 << 20);
    let mut sum = 0;
    for number in 0..files {
        let directory = tree.join(format!("{:03}/{:03}", number / 10_000, number / 500 % 20));
        if number % 500 == 0 {
            fs::create_dir_all(&directory)?;
        }
        let length = (number as usize).wrapping_mul(7919) % 12_000 + 200;
        let begin = number as usize % 1000 * 100;
        fs::write(directory.join(number.to_string()), &bytes[begin..begin + length])?;
        sum += length as u64;
    }
    rustix::fs::sync();
    Ok(sum)
}

/// Bytes that differ from place to place.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

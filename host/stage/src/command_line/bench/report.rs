//! What was measured, as a table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{Report, Row};

/// The machine, the kernel and the file system.
pub(super) fn machine(place: &Path) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let (arch, system) = (std::env::consts::ARCH, std::env::consts::OS);
    format!("{cores} cores, {arch}, {system} {}, {}", kernel.trim(), file_system(place))
}

/// The kind of the file system of a path, after the longest mount point above it.
fn file_system(place: &Path) -> String {
    let place = fs::canonicalize(place).unwrap_or_default();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let found = mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(point, _)| place.starts_with(point))
        .max_by_key(|(point, _)| point.len());
    found.map_or("an unknown file system", |(_, kind)| kind).to_owned()
}

impl Report {
    /// The table, for people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "{}\none file of {} bytes; median of {} rounds in turns; caches {}\n",
            self.machine,
            self.size_bytes,
            self.rounds,
            if self.caches_dropped { "dropped before each cold copy" } else { "not dropped: that takes root" },
        );
        rows(&mut text, &self.large, "cp");
        if !self.small.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n{} files of 200 to 12,200 bytes", self.files);
            rows(&mut text, &self.small, "cp -r");
        }
        if self.large.iter().any(|row| row.seconds.is_empty()) {
            text.push_str("\nnot here: fio is Debian's package fio; an engine needs a kernel that has it\n");
        }
        text
    }
}

impl Row {
    /// What the talk says of this way: of files well beyond its page cache, so of no warm one.
    fn published(&self) -> Option<f64> {
        self.published_megabytes_per_second.filter(|_| self.cache == "cold").map(f64::from)
    }

    /// The conditions in words.
    fn conditions(&self) -> String {
        format!("{}, {}", self.cache, if self.synchronised { "to the device" } else { "to the page cache" })
    }
}

/// Rows with their ratio to the one of this name under the same conditions.
fn rows(text: &mut String, rows: &[Row], basis: &str) {
    let ratio = format!("x {basis}");
    let _ = writeln!(text, "{:<26}{:<25}{:>9}{:>9}  {ratio:<9}{:>9}", "", "source, end", "seconds", "MB/s", "talk");
    for row in rows {
        let base = rows.iter().find(|other| other.name == basis && other.is_beside(row)).and_then(Row::median);
        let named = format!("{:<26}{:<25}", row.name, row.conditions());
        let published = row.published().map_or(String::new(), |rate| format!("{rate:.0}"));
        let line = match (row.median(), row.megabytes_per_second) {
            (Some(seconds), Some(rate)) => {
                let ratio = base.map_or(String::new(), |base| format!("{:.2}", base / seconds));
                format!("{named}{seconds:>9.3}{rate:>9.0}  {ratio:<9}{published:>9}")
            }
            _ => format!("{named}{:>9}", "not here"),
        };
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

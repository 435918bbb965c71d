//! What was measured, as a table and as a plot.

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
            "{}\none file of {} bytes; best of {} rounds in turns; data on the device at the end; caches {}\n",
            self.machine,
            self.size_bytes,
            self.rounds,
            if self.caches_dropped { "dropped before each cold copy" } else { "not dropped: that takes root" },
        );
        rows(&mut text, &self.large, "Python blocking");
        if !self.small.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n{} files of 200 to 12,200 bytes", self.files);
            rows(&mut text, &self.small, "cp -r");
        }
        text
    }

    /// A plot of bars, as SVG.
    pub(crate) fn plot(&self) -> String {
        const HEIGHT: usize = 22;
        const LABEL: usize = 250;
        const WIDTH: f64 = 420.0;
        let rows: Vec<&Row> = self.large.iter().chain(&self.small).collect();
        let tall = rows.len() * HEIGHT + 60;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"{tall}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"760\" height=\"{tall}\" fill=\"white\"/>\n\
             <text x=\"10\" y=\"20\" font-size=\"14\">Copying, in MB/s (best of {}; data on the device at the end)</text>\n\
             <text x=\"10\" y=\"38\" fill=\"#555\">{}</text>\n",
            self.rounds,
            self.machine.replace('&', "&amp;").replace('<', "&lt;"),
        );
        let most = rows.iter().filter_map(|row| row.megabytes_per_second).fold(1.0, f64::max);
        for (index, row) in rows.iter().enumerate() {
            let y = 50 + index * HEIGHT;
            let rate = row.megabytes_per_second.unwrap_or(0.0);
            let width = rate / most * WIDTH;
            let colour = if row.cache == "cold" { "#3b6ea5" } else { "#d98032" };
            let _ = writeln!(
                text,
                "<text x=\"10\" y=\"{}\">{} ({})</text><rect x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"16\" \
                 fill=\"{colour}\"/><text x=\"{:.1}\" y=\"{}\">{rate:.0}</text>",
                y + 13,
                row.name,
                row.cache,
                LABEL as f64 + width + 6.0,
                y + 13,
            );
        }
        text.push_str("</svg>\n");
        text
    }
}

/// Rows with their ratio to the one of this name and the same cache.
fn rows(text: &mut String, rows: &[Row], basis: &str) {
    let _ = writeln!(text, "{:<26}{:<6}{:>9}{:>9}  x {basis}", "", "cache", "seconds", "MB/s");
    for row in rows {
        let base = rows.iter().find(|other| other.name == basis && other.cache == row.cache).and_then(Row::best);
        match (row.best(), row.megabytes_per_second) {
            (Some(seconds), Some(rate)) => {
                let ratio = base.map_or(String::new(), |base| format!("{:.2}", base / seconds));
                let _ = writeln!(text, "{:<26}{:<6}{seconds:>9.3}{rate:>9.0}  {ratio}", row.name, row.cache);
            }
            _ => {
                let _ = writeln!(text, "{:<26}{:<6}{:>9}", row.name, row.cache, "not here");
            }
        }
    }
}

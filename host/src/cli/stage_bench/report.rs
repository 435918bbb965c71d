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

    /// A plot of bars, as SVG: what was measured, and outlined beside it what the talk says of its own machine.
    pub(crate) fn plot(&self) -> String {
        const HEIGHT: usize = 22;
        const LABEL: usize = 330;
        const WIDTH: f64 = 340.0;
        let rows: Vec<&Row> = self.large.iter().chain(&self.small).collect();
        let tall = rows.len() * HEIGHT + 80;
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"{tall}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"760\" height=\"{tall}\" fill=\"white\"/>\n\
             <text x=\"10\" y=\"20\" font-size=\"14\">Copying a file of {} bytes{}, in MB/s (median of {})</text>\n\
             <text x=\"10\" y=\"38\" fill=\"#555\">{}</text>\n\
             <text x=\"10\" y=\"54\" fill=\"#555\">outlined: what the talk says of another machine, with disks of \
             1,200 MB/s and a copy in production of 482</text>\n",
            self.size_bytes,
            if self.files > 0 { format!(" and {} small files", self.files) } else { String::new() },
            self.rounds,
            self.machine.replace('&', "&amp;").replace('<', "&lt;"),
        );
        let rates = rows.iter().flat_map(|row| [row.megabytes_per_second, row.published()]);
        let most = rates.flatten().fold(1.0, f64::max);
        for (index, row) in rows.iter().enumerate() {
            let y = 66 + index * HEIGHT;
            let rate = row.megabytes_per_second.unwrap_or(0.0);
            let width = rate / most * WIDTH;
            let colour = if row.cache == "cold" { "#3b6ea5" } else { "#d98032" };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "<text x=\"10\" y=\"{}\">{} ({})</text><rect x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"12\" \
                 fill=\"{colour}\"/>",
                y + 13,
                row.name,
                row.conditions(),
            );
            let mut end = width;
            if let Some(published) = row.published() {
                let width = published / most * WIDTH;
                end = end.max(width);
                let _ = writeln!(
                    text,
                    "<rect x=\"{LABEL}\" y=\"{y}\" width=\"{width:.1}\" height=\"16\" fill=\"none\" stroke=\"#333\"/>"
                );
            }
            let _ = writeln!(text, "<text x=\"{:.1}\" y=\"{}\">{rate:.0}</text>", LABEL as f64 + end + 6.0, y + 13);
        }
        text.push_str("</svg>\n");
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

#!/usr/bin/env bash
# Packages: humantime 2.4.0, duration-str 0.21.0 (crates.io), with Rust 1.95 from the machine.
# Guess: two parsers of durations that both read 1h30m read a unit in capitals alike, or refuse it; none takes what has no unit.
# Seen: 1M is a month of 30.44 days for humantime and a minute for duration-str; 1H and 1D are refused by the first and read by the second. A year differs by six hours. duration-str also counts: 1h30 is an hour and 30 seconds, 2h*3 is six hours, and 1h*30m, an hour times half an hour, is 75 days.
# Why it matters: much Rust that reads times of jobs uses one of them, through serde. Changing from one to the other changes a limit by 43,800 times, and 1h30, which people write for 90 minutes, ends the job after 60.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "durations"
edition = "2021"

[dependencies]
humantime = "=2.4.0"
duration-str = { version = "=0.21.0", default-features = false }
TOML
cat > src/main.rs <<'RUST'
use std::fmt::Debug;
use std::time::Duration;

fn seconds<E: Debug>(read: Result<Duration, E>) -> String {
    read.map_or("refused".to_owned(), |duration| duration.as_secs().to_string())
}

fn main() {
    for text in ["1h30m", "1M", "1H", "1D", "1y", "90", "1h30", "2h*3", "1h*30m"] {
        println!("{text} {} {}", seconds(humantime::parse_duration(text)), seconds(duration_str::parse(text)));
    }
}
RUST
CARGO_BUILD_JOBS=1 cargo run --quiet > seen.txt
cat seen.txt
diff seen.txt - <<'END'
1h30m 5400 5400
1M 2630016 60
1H refused 3600
1D refused 86400
1y 31557600 31536000
90 refused 90
1h30 refused 3630
2h*3 refused 21600
1h*30m refused 6480000
END

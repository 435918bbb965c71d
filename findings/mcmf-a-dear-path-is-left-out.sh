#!/usr/bin/env bash
# Packages: mcmf 2.0.0 (crates.io), with Rust 1.95 and the C++ compiler from the machine.
# Guess: the minimum cost maximum flow is the largest flow, whatever it costs, as long as "the total cost doesn't exceed 2^(31)-1", the limit in its documentation.
# Seen: a path that costs 2^30 or more is left out, and the flow is smaller than it could be: of two tasks with a place each, one is placed, for 5 in all. At 2^30 - 1 both are. It is the sum along the path that counts, so that two edges of 600,000,000 are too dear, too.
# Why it matters: a place that is to be taken only if there is no other one gets a very large cost. It is then never taken, and the task is not in the result; nothing says that the flow is no maximum.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "flows"
edition = "2021"

[dependencies]
mcmf = "=2.0.0"
TOML
cat > src/main.rs <<'RUST'
use mcmf::{Capacity, Cost, GraphBuilder, Vertex};

fn main() {
    // Two tasks and two nodes; the second node is the last resort.
    for (to_the_second, from_the_second) in [(1_000_000, 0), (1 << 29, 1 << 28), ((1 << 30) - 1, 0), (1 << 30, 0), (600_000_000, 600_000_000)] {
        let (cost, paths) = GraphBuilder::new()
            .add_edge(Vertex::Source, "task 1", Capacity(1), Cost(0))
            .add_edge(Vertex::Source, "task 2", Capacity(1), Cost(0))
            .add_edge("task 1", "node 1", Capacity(1), Cost(5))
            .add_edge("task 2", "node 2", Capacity(1), Cost(to_the_second))
            .add_edge("node 1", Vertex::Sink, Capacity(1), Cost(0))
            .add_edge("node 2", Vertex::Sink, Capacity(1), Cost(from_the_second))
            .mcmf();
        println!("5 and {}: {} placed for {cost}", to_the_second + from_the_second, paths.len());
    }
}
RUST
CARGO_BUILD_JOBS=1 cargo run --quiet > seen.txt
cat seen.txt
diff seen.txt - <<'END'
5 and 1000000: 2 placed for 1000005
5 and 805306368: 2 placed for 805306373
5 and 1073741823: 2 placed for 1073741828
5 and 1073741824: 1 placed for 5
5 and 1200000000: 1 placed for 5
END

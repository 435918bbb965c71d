#!/usr/bin/env bash
# Packages: kube_quantity 0.9.0, k8s-openapi 0.29.0 (crates.io), with Rust 1.95 from the machine.
# Guess: the crate that calculates with quantities of Kubernetes gives exact bytes, or None where there are none.
# Seen: to_bytes_i64 of 1.5Gi is 1,073,741,824: what is behind the point is cut before the unit is applied. to_bytes_f64 has the half. 1 + 1Gi is 1073742001, 176 too many, and 3 - 1Ki is -1021.0001, as a binary unit is turned into a decimal one by a rounded factor; 1Gi + 1 is right. 1E, an exabyte in Kubernetes' own grammar, is not read.
# Why it matters: a pod that asks for 1.5Gi counts as one that asks for 1Gi, and three of them are placed where two fit. The free memory of a node depends on the order in which its pods are added up.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "quantities"
edition = "2021"

[dependencies]
kube_quantity = "=0.9.0"
k8s-openapi = { version = "=0.29.0", features = ["latest"] }
TOML
cat > src/main.rs <<'RUST'
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube_quantity::ParsedQuantity;

fn parsed(text: &str) -> Option<ParsedQuantity> {
    ParsedQuantity::try_from(Quantity(text.to_string())).ok()
}

fn main() {
    for text in ["1Gi", "1.5Gi", "1.9Gi", "2.5G"] {
        let amount = parsed(text).unwrap();
        println!("{text}: {:?} {:?}", amount.to_bytes_i64(), amount.to_bytes_f64());
    }
    for (left, right) in [("1", "1Gi"), ("1Gi", "1")] {
        println!("{left} + {right} = {}", parsed(left).unwrap() + parsed(right).unwrap());
    }
    println!("3 - 1Ki = {}", parsed("3").unwrap() - parsed("1Ki").unwrap());
    println!("1P is read: {}, 1E: {}", parsed("1P").is_some(), parsed("1E").is_some());
}
RUST
CARGO_BUILD_JOBS=1 cargo run --quiet > seen.txt
cat seen.txt
diff seen.txt - <<'END'
1Gi: Some(1073741824) Some(1073741824.0)
1.5Gi: Some(1073741824) Some(1610612736.0)
1.9Gi: Some(1073741824) Some(2040109465.6)
2.5G: Some(2000000000) Some(2500000000.0)
1 + 1Gi = 1073742001
1Gi + 1 = 1073741825
3 - 1Ki = -1021.0001
1P is read: true, 1E: false
END

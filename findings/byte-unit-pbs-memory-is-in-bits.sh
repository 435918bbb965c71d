#!/usr/bin/env bash
# Packages: byte-unit 5.2.6, bytesize 2.7.0, parse-size 1.1.0 (crates.io), with Rust 1.95 from the machine.
# Guess: three parsers of amounts of bytes, whose types are called Byte and ByteSize, read the memory that PBS and Torque write, 4gb and 4194304kb, as bytes; at most 1000 and 1024 differ.
# Seen: for byte-unit a small b is a bit, if its flag to ignore case is false: 4gb is 500,000,000 bytes and 4194304kb 524,288,000, an eighth of what the other two give. A rest of bits is a whole byte: 1b is one byte and 9b are two. With the flag true, all three agree on 4,000,000,000.
# Why it matters: Torque's manuals, its users and qstat write the units in small letters, and mean powers of 1024. Eight jobs are placed where one fits, and the flag's name says nothing of bits.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir src
cat > Cargo.toml <<'TOML'
[package]
name = "sizes"
edition = "2021"

[dependencies]
byte-unit = "=5.2.6"
bytesize = "=2.7.0"
parse-size = "=1.1.0"
TOML
cat > src/main.rs <<'RUST'
use byte_unit::Byte;
use bytesize::ByteSize;

fn main() {
    for text in ["4gb", "4Gb", "4GB", "4g", "4Gib", "4194304kb", "1b", "9b"] {
        let exact = Byte::parse_str(text, false).unwrap().as_u64();
        let folded = Byte::parse_str(text, true).unwrap().as_u64();
        let bytesize: ByteSize = text.parse().unwrap();
        println!("{text} {exact} {folded} {} {}", bytesize.as_u64(), parse_size::parse_size(text).unwrap());
    }
}
RUST
CARGO_BUILD_JOBS=1 cargo run --quiet > seen.txt
cat seen.txt
diff seen.txt - <<'END'
4gb 500000000 4000000000 4000000000 4000000000
4Gb 500000000 4000000000 4000000000 4000000000
4GB 4000000000 4000000000 4000000000 4000000000
4g 4000000000 4000000000 4000000000 4000000000
4Gib 536870912 4294967296 4294967296 4294967296
4194304kb 524288000 4194304000 4194304000 4194304000
1b 1 1 1 1
9b 2 9 9 9
END

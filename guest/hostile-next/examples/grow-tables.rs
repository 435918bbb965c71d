//! Grows a table without end.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]
#![cfg_attr(target_arch = "wasm32", feature(asm_experimental_arch))]

use offermatch_hostile_next::{Assignments, Behaviour, Honest, TaskTable, Verdict, hostile};

/// Grows a table.
struct Hostile;

impl Behaviour for Hostile {
    fn assign(_: &mut Honest, _: TaskTable) -> Verdict<Assignments> {
        loop {
            let before = grow_hoard(1 << 12);
            assert!(before >= 0, "the table does not grow any more");
        }
    }
}

// Rust has no word for tables.
#[cfg(target_arch = "wasm32")]
core::arch::global_asm!(".tabletype hoard, funcref", ".globl hoard", "hoard:");

/// Grows the table by so many elements; the size before, or -1.
#[cfg(target_arch = "wasm32")]
#[inline(never)]
fn grow_hoard(elements: i32) -> i32 {
    let before: i32;
    // SAFETY: nothing uses the table, and growing one that nothing uses touches no memory.
    unsafe {
        core::arch::asm!(
            "ref.null_func",
            "local.get {elements}",
            "table.grow hoard",
            "local.set {before}",
            elements = in(local) elements,
            before = out(local) before,
        );
    }
    before
}

/// There are no tables outside WebAssembly.
#[cfg(not(target_arch = "wasm32"))]
fn grow_hoard(_: i32) -> i32 {
    -1
}

hostile!(Hostile);

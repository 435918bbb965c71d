//! Limits hold for an instance as a whole, however many parts it is made of.

use crate::scripted::{Script, scripted, with_instances};
use offermatch::{Limits, Matcher};

/// The code and the text that a matcher is refused with that has so many more instances of a module.
fn refused(module: &str, count: usize) -> (&'static str, String) {
    let limits = Limits { memory_bytes: 64 << 20, table_elements: 10_000, ..Limits::default() };
    let bytes = with_instances(scripted(&Script::default()), module, count);
    let error = Matcher::from_bytes_with(&bytes, "many parts", &limits).map(drop).unwrap_err();
    (error.code(), error.to_string())
}

/// Asserts that a matcher with so many more instances of a module is refused with this code and this text.
#[track_caller]
fn is_refused(module: &str, count: usize, code: &str, words: &str) {
    let (found, text) = refused(module, count);
    assert_eq!(found, code, "{text}");
    assert!(text.contains(words), "{words:?} is not in: {text}");
}

#[test]
fn a_few_parts_more_are_served() {
    let bytes = with_instances(scripted(&Script::default()), "(module (table 4000 funcref))", 2);
    let limits = Limits { table_elements: 10_000, ..Limits::default() };
    Matcher::from_bytes_with(&bytes, "two tables", &limits).unwrap();
}

#[test]
fn tables_that_are_each_below_the_limit_are_added_up() {
    let words = "asked for 12000 table elements; the limit table_elements is 10000";
    is_refused("(module (table 4000 funcref))", 3, "limit-table", words);
}

#[test]
fn tables_that_grow_are_added_up() {
    let module = "(module (table 1 funcref) (func $start
        (if (i32.eq (table.grow (ref.null func) (i32.const 3999)) (i32.const -1)) (then unreachable)))
        (start $start))";
    is_refused(module, 3, "limit-table", "asked for 12000 table elements; the limit table_elements is 10000");
}

#[test]
fn many_tables_are_refused() {
    is_refused("(module (table 0 funcref))", 60, "limit-table", "tables; the limit tables is 16");
}

#[test]
fn many_memories_are_refused() {
    is_refused("(module (memory 512))", 30, "limit-memory", "memories; the limit memories is 1");
}

#[test]
fn many_instances_are_refused() {
    is_refused("(module)", 100, "limit-component", "core instances; the limit instances is 64");
}

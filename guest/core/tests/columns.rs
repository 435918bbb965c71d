//! Errors about requirements name the columns of the contract, and those of the contract before for its matchers.

use offermatch_core::{Cell, Error, Shape, TaskTable};

/// One task with one requirement on the first of two attributes.
fn table() -> TaskTable {
    TaskTable {
        rows: 1,
        requirement_offsets: vec![0, 1],
        requirement_kinds: vec![0],
        requirement_subjects: vec![0],
        value_offsets: vec![0, 1],
        values: vec![1],
        ..TaskTable::default()
    }
}

fn refused(table: &TaskTable) -> Error {
    table.check(Shape { attributes: 2, ..Shape::default() }).expect_err("the table cannot be used")
}

#[test]
fn a_table_that_fits_is_taken() {
    assert_eq!(table().check(Shape { attributes: 2, ..Shape::default() }), Ok(()));
}

#[test]
fn a_column_of_kinds_has_one_number_for_each_subject() {
    for kinds in [vec![], vec![0, 1]] {
        let found = kinds.len() as u64;
        let refused = refused(&TaskTable { requirement_kinds: kinds, ..table() });
        assert_eq!(refused, Error::ColumnLength { column: "requirement-kinds", expected: 1, found });
    }
}

#[test]
fn offsets_end_where_the_subjects_do() {
    let refused = refused(&TaskTable { requirement_subjects: vec![0, 1], ..table() });
    assert_eq!(refused, Error::ColumnLength { column: "requirement-subjects", expected: 1, found: 2 });
}

#[test]
fn an_attribute_that_the_pool_has_not_is_named() {
    let refused = refused(&TaskTable { requirement_subjects: vec![2], ..table() });
    let cell = Cell { column: "requirement-subjects", row: 0, value: 2, minimum: 0, maximum: 1 };
    assert_eq!(refused, Error::OutOfRange(cell));
}

#[test]
fn contract_0_2_0_has_its_own_names_for_two_columns() {
    let cell = |column| Error::OutOfRange(Cell { column, row: 0, value: 2, minimum: 0, maximum: 1 });
    let length = |column| Error::ColumnLength { column, expected: 1, found: 2 };
    for (ours, theirs) in [
        ("requirement-subjects", "requirement-attributes"),
        ("requirement-kinds", "requirement-excludes"),
        ("values", "values"),
    ] {
        assert_eq!(cell(ours).with_columns_of_0_2_0(), cell(theirs));
        assert_eq!(length(ours).with_columns_of_0_2_0(), length(theirs));
    }
}

//! Columns of hexadecimal digits.

use offermatch_core::{Cell, Error};

use crate::digits::{Number, decode, encode};

/// What is decoded is encoded to the same digits, and what is refused has the mistake that the error names.
pub(crate) fn digits(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    both_ways::<u32>(&text);
    both_ways::<u64>(&text);
    let numbers: Vec<u64> = bytes.chunks_exact(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap())).collect();
    assert_eq!(decode("values", &encode(&numbers)), Ok(numbers), "what is encoded is decoded");
}

fn both_ways<N: Number>(text: &str) {
    let width = 8 * N::WORDS;
    match decode::<N>("values", text) {
        Ok(numbers) => {
            assert_eq!(numbers.len() * width, text.len());
            assert_eq!(encode(&numbers), text, "what is decoded is encoded to the same digits");
        }
        Err(Error::ColumnLength { expected, found, .. }) => {
            assert_eq!((found, expected), (text.len() as u64, text.len().next_multiple_of(width) as u64));
            assert_ne!(found, expected);
        }
        Err(Error::OutOfRange(Cell { row, value, .. })) => {
            let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let first = text.as_bytes().iter().position(|byte| !is_digit(byte)).expect("a character that is no digit");
            assert_eq!((row as usize, value), (first, text.as_bytes()[first].into()));
        }
        Err(other) => panic!("{other}"),
    }
}

//! Columns of numbers as hexadecimal digits, and back. Eight digits are decoded at once, as the bytes of one 64-bit number.

use alloc::string::String;
use alloc::vec::Vec;

use offermatch_core::{Cell, Error};

/// A byte of ones in every byte.
const EACH: u64 = 0x0101_0101_0101_0101;
/// Digits of a 32-bit number.
const WORD: usize = 8;

/// A number of a column.
pub(crate) trait Number: Copy {
    /// How many 32-bit words it has.
    const WORDS: usize;

    /// The number of these words, the lowest first.
    fn of_words(words: impl FnMut(usize) -> u32) -> Self;

    /// A word of the number, the lowest being word 0.
    fn word(self, at: usize) -> u32;
}

impl Number for u32 {
    const WORDS: usize = 1;

    fn of_words(mut words: impl FnMut(usize) -> u32) -> Self {
        words(0)
    }

    fn word(self, _: usize) -> u32 {
        self
    }
}

impl Number for u64 {
    const WORDS: usize = 2;

    fn of_words(mut words: impl FnMut(usize) -> u32) -> Self {
        Self::from(words(0)) | Self::from(words(1)) << 32
    }

    fn word(self, at: usize) -> u32 {
        (self >> (32 * at)) as u32
    }
}

impl Number for f64 {
    const WORDS: usize = u64::WORDS;

    fn of_words(words: impl FnMut(usize) -> u32) -> Self {
        Self::from_bits(u64::of_words(words))
    }

    fn word(self, at: usize) -> u32 {
        self.to_bits().word(at)
    }
}

impl Number for i32 {
    const WORDS: usize = 1;

    fn of_words(mut words: impl FnMut(usize) -> u32) -> Self {
        words(0).cast_signed()
    }

    fn word(self, _: usize) -> u32 {
        self.cast_unsigned()
    }
}

/// The numbers of a column.
///
/// # Errors
/// [`Error::ColumnLength`] where digits are left over, [`Error::OutOfRange`] where a character is no digit.
pub(crate) fn decode<N: Number>(column: &'static str, digits: &str) -> Result<Vec<N>, Error> {
    let digits = digits.as_bytes();
    let numbers = digits.chunks_exact(WORD * N::WORDS);
    if !numbers.remainder().is_empty() {
        let found = digits.len() as u64;
        return Err(Error::ColumnLength { column, expected: found.next_multiple_of((WORD * N::WORDS) as u64), found });
    }
    let mut wrong = 0;
    let decoded = numbers
        .map(|number| {
            let (words, _) = number.as_chunks::<WORD>();
            N::of_words(|at| {
                let digits = u64::from_le_bytes(words[at]);
                let word = word_of(digits);
                // Digits that do not come back as they were are none.
                wrong |= digits_of(word) ^ digits;
                word
            })
        })
        .collect();
    if wrong == 0 { Ok(decoded) } else { Err(no_digit(column, digits)) }
}

/// The digits of a column.
pub(crate) fn encode<N: Number>(column: &[N]) -> String {
    let mut digits = Vec::with_capacity(column.len() * WORD * N::WORDS);
    for &number in column {
        for at in 0..N::WORDS {
            digits.extend_from_slice(&digits_of(number.word(at)).to_le_bytes());
        }
    }
    String::from_utf8(digits).unwrap_or_default()
}

/// The number that eight digits stand for; anything where they are none.
fn word_of(digits: u64) -> u32 {
    // `0` to `9` are 0x30 to 0x39, `a` to `f` are 0x61 to 0x66: bit 6 tells letters, whose low bits want 9 more.
    let nibbles = (digits & (0x0f * EACH)).wrapping_add((digits >> 6 & EACH) * 9);
    let bytes = (nibbles << 4 | nibbles >> 8) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    (pairs | pairs >> 16) as u32
}

/// The eight digits of a number.
fn digits_of(word: u32) -> u64 {
    let pairs = u64::from(word) & 0xffff | (u64::from(word) & 0xffff_0000) << 16;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes >> 4 | bytes << 8) & (0x0f * EACH);
    // Nibbles above 9 are letters: 6 more carry into bit 4.
    let letters = (nibbles + 6 * EACH) >> 4 & EACH;
    nibbles + 0x30 * EACH + letters * 0x27
}

/// The error of the first character that is no digit.
#[cold]
fn no_digit(column: &'static str, digits: &[u8]) -> Error {
    let at = digits.iter().position(|digit| !matches!(digit, b'0'..=b'9' | b'a'..=b'f')).unwrap_or(0);
    let value = digits[at].into();
    Error::OutOfRange(Cell { column, row: at as u32, value, minimum: b'0'.into(), maximum: b'f'.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_undoes_encoding() {
        let mut number = 1_u64;
        let mut column = alloc::vec![0, u64::MAX, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210];
        for _ in 0..1000 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            column.push(number);
        }
        assert_eq!(decode::<u64>("demand", &encode(&column)), Ok(column.clone()));
        let halves: Vec<u32> = column.iter().map(|&number| number as u32).collect();
        assert_eq!(decode::<u32>("devices", &encode(&halves)), Ok(halves));
    }

    #[test]
    fn digits_are_those_of_little_endian_bytes() {
        assert_eq!(encode(&[1_u32, 0xabcd_ef09]), "0100000009efcdab");
        assert_eq!(encode(&[1_u64]), "0100000000000000");
    }

    #[test]
    fn every_character_that_is_no_digit_is_refused() {
        for other in (0..=u8::MAX).filter(|byte| byte.is_ascii() && !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            for at in 0..16 {
                let mut digits = *b"0123456789abcdef";
                digits[at] = other;
                let digits = core::str::from_utf8(&digits).expect("ASCII");
                let cell = Cell { column: "values", row: at as u32, value: other.into(), minimum: 48, maximum: 102 };
                assert_eq!(decode::<u64>("values", digits), Err(Error::OutOfRange(cell)), "{other:#x} at {at}");
            }
        }
        assert!(decode::<u32>("values", "0000000é").is_err());
    }

    #[test]
    fn digits_left_over_are_refused() {
        let error = Error::ColumnLength { column: "values", expected: 16, found: 9 };
        assert_eq!(decode::<u64>("values", "012345678"), Err(error));
        assert_eq!(decode::<u32>("values", ""), Ok(Vec::new()));
    }
}

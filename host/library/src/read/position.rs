//! Where a byte stands in a text.

/// Line and column of a byte, both counted from 1; columns count characters.
pub(super) fn of(text: &[u8], at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let begin = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let characters = before[begin..].iter().filter(|&&byte| byte & 0xc0 != 0x80);
    (line, characters.count() + 1)
}

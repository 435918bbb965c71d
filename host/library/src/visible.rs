//! Text of strangers, made visible and short: names, reasons, descriptions and paths that somebody else has written.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Characters of a name that are shown.
const LONGEST_NAME: usize = 120;

/// Text on one line, with what cannot be seen as escapes (`\n`, `\x1b`, `\u202e`), and cut behind so many characters.
///
/// What is printed, or logged, passes through here first, so that no text moves a cursor, forges a line, turns the direction
/// of what follows, or fills a screen.
///
/// ```
/// assert_eq!(offermatch::visible("a\n\u{1b}[2J", 100), "a\\n\\x1b[2J");
/// assert_eq!(offermatch::visible("abcdef", 3), "abc... (6 characters)");
/// ```
#[must_use]
pub fn visible(text: &str, most: usize) -> Cow<'_, str> {
    // Cut first: a text of many megabytes is not walked through.
    let end = text.char_indices().nth(most).map_or(text.len(), |(end, _)| end);
    let shown = &text[..end];
    if end == text.len() && shown.chars().all(is_visible) {
        return Cow::Borrowed(text);
    }
    let mut found = String::with_capacity(shown.len());
    for one in shown.chars() {
        if is_visible(one) {
            found.push(one);
        } else {
            escape(&mut found, one);
        }
    }
    if end < text.len() {
        // Writing to a string cannot fail.
        let _ = write!(found, "... ({} characters)", text.chars().count());
    }
    Cow::Owned(found)
}

/// As [`visible`], for a name or a path.
///
/// ```
/// assert_eq!(offermatch::visible_name("a\tb"), "a\\tb");
/// ```
#[must_use]
pub fn visible_name(name: &str) -> Cow<'_, str> {
    visible(name, LONGEST_NAME)
}

/// Whether a character is one that is seen, and seen as itself. Rust's own table knows, for all but quotes and backslashes,
/// and for marks that stand on the character before.
fn is_visible(one: char) -> bool {
    if one.is_ascii() {
        return !one.is_ascii_control();
    }
    let behind: String = ['a', one].into_iter().collect();
    behind.escape_debug().nth(1) == Some(one)
}

/// Adds a character as Python writes it, so that both programs show the same.
fn escape(text: &mut String, one: char) {
    // Writing to a string cannot fail.
    let _ = match (one, u32::from(one)) {
        ('\n', _) => write!(text, "\\n"),
        ('\r', _) => write!(text, "\\r"),
        ('\t', _) => write!(text, "\\t"),
        (_, code @ ..0x100) => write!(text, "\\x{code:02x}"),
        (_, code @ 0x100..0x1_0000) => write!(text, "\\u{code:04x}"),
        (_, code) => write!(text, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped_as_python_does() {
        let hostile = "a\nforged\r\u{1b}]0;t\u{7}\u{202e}back\u{2028}\u{200b}\u{e0001} <b>";
        let shown = "a\\nforged\\r\\x1b]0;t\\x07\\u202eback\\u2028\\u200b\\U000e0001 <b>";
        assert_eq!(visible(hostile, 100), shown);
    }

    #[test]
    fn what_can_be_seen_stays() {
        for text in ["", "render-1", "\"quoted\" 'and' \\n", "größer 東京 ¾ 🙂", "e\u{301}"] {
            assert!(matches!(visible(text, 100), Cow::Borrowed(found) if found == text), "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_how_long_it_was() {
        assert_eq!(visible(&"x".repeat(1_000_000), 3), "xxx... (1000000 characters)");
        assert_eq!(visible("äöü", 3), "äöü");
    }
}

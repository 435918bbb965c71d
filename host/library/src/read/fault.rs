//! Where a text stops being JSON, and what to do about it.
//!
//! A parser has refused the text already, and each parser names places and reasons of its own. So the text is read once more
//! by rules that both hosts share: `formats/fault.py` is the same in Python, and `tests/cases/json` has what both say.

use std::collections::HashSet;

use crate::error::Error;
use crate::read::position;
use crate::visible::visible_name;

/// How deep arrays and objects stand in one another at most.
const DEEPEST: usize = 127;

const VALUE: &str = "a value";
const NAME: &str = "a name in double quotes";
const COLON: &str = "a colon";

const COMMA: &str = "leave the comma out";
const CUT: &str = "the file is cut short: write it anew, or close what is open";
const CUT_LINE: &str = "a line of JSON lines is one whole value: write the row on one line";
const ESCAPE: &str =
    r#"a backslash is written \\; other escapes are \" \/ \b \f \n \r \t and \u with four hexadecimal digits"#;
const HALF: &str = r"an escape from \ud800 to \udfff stands for half a character";
const NUMBER: &str = "write a number as 10, -1, 0.5 or 1e3, or as text in double quotes";
const ONE: &str = "a text of JSON is one value: put several into an array, or each on a line of JSON lines";
const QUOTES: &str = "write names and texts in double quotes";
const SEPARATE: &str = "separate values by commas, and close each [ with ] and each { with }";

/// What is wrong with a text, and where.
struct Fault {
    /// The byte.
    at: usize,
    message: String,
    hint: &'static str,
}

/// The error of a text that is not JSON; none where only the shape of its values can be wrong.
pub(crate) fn of(text: &str, source: &str) -> Option<Error> {
    let fault = Scanner::new(text, false).document().err()?;
    Some(fault.error(text, 0, source))
}

/// As [`of`], for a text each of whose lines is JSON.
pub(super) fn of_lines(text: &str, source: &str) -> Option<Error> {
    lines(text).find_map(|line| {
        let begin = line.as_ptr() as usize - text.as_ptr() as usize;
        Some(Scanner::new(line, true).document().err()?.error(text, begin, source))
    })
}

/// The lines of a text that are not empty.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.trim_matches([' ', '\t', '\r']).is_empty())
}

impl Fault {
    fn error(self, text: &str, begin: usize, source: &str) -> Error {
        let (line, column) = position::of(text.as_bytes(), begin + self.at);
        let (message, hint) = (self.message, self.hint.into());
        Error::FileMalformed { file: source.to_owned(), line, column, message, hint }
    }
}

/// What is open: an array, or an object with the names that stand in it already.
type Open = Option<HashSet<String>>;

struct Scanner<'a> {
    text: &'a str,
    /// The next byte.
    at: usize,
    open: Vec<Open>,
    is_line: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, is_line: bool) -> Self {
        Self { text, at: 0, open: Vec::new(), is_line }
    }

    fn document(mut self) -> Result<(), Fault> {
        loop {
            if self.opens()? {
                continue;
            }
            loop {
                let end = self.at;
                let found = self.next();
                let (is_object, expected) = match self.open.last() {
                    None if found.is_none() => return Ok(()),
                    None => (false, "nothing more"),
                    Some(None) => (false, "a comma or ]"),
                    Some(Some(_)) => (true, "a comma or }"),
                };
                match found {
                    Some(b',') if !self.open.is_empty() => {
                        self.at += 1;
                        if self.next() == Some(if is_object { b'}' } else { b']' }) {
                            return Err(self.unexpected(if is_object { NAME } else { VALUE }, COMMA));
                        }
                        if is_object {
                            self.name()?;
                        }
                        break;
                    }
                    Some(b']') if !self.open.is_empty() && !is_object => self.close(),
                    Some(b'}') if is_object => self.close(),
                    _ => {
                        let is_behind_number =
                            self.at == end && self.text[..end].ends_with(|last: char| last.is_ascii_digit());
                        let hint = match found {
                            Some(b']' | b'}' | b',' | b':') => SEPARATE,
                            Some(_) if is_behind_number => NUMBER,
                            _ if self.open.is_empty() => ONE,
                            _ => SEPARATE,
                        };
                        return Err(self.unexpected(expected, hint));
                    }
                }
            }
        }
    }

    /// Reads a value, or the begin of one: whether another has to follow.
    fn opens(&mut self) -> Result<bool, Fault> {
        match self.next() {
            Some(bracket @ (b'[' | b'{')) => {
                if self.open.len() == DEEPEST {
                    let message = format!("nested deeper than {DEEPEST} arrays and objects");
                    return Err(self.fault(
                        self.at,
                        message,
                        "no table is nested so deep: see that it is the right file",
                    ));
                }
                self.at += 1;
                self.open.push((bracket == b'{').then(HashSet::new));
                let is_empty = self.next() == Some(bracket + 2);
                if is_empty {
                    self.close();
                } else if bracket == b'{' {
                    self.name()?;
                }
                return Ok(!is_empty);
            }
            Some(b'"') => self.string().map(drop)?,
            _ => match self.scalar() {
                Some(end) => self.at = end,
                None => return Err(self.unexpected(VALUE, QUOTES)),
            },
        }
        Ok(false)
    }

    fn close(&mut self) {
        self.open.pop();
        self.at += 1;
    }

    /// Reads a name and its colon.
    fn name(&mut self) -> Result<(), Fault> {
        if self.next() != Some(b'"') {
            return Err(self.unexpected(NAME, QUOTES));
        }
        let begin = self.at;
        let name = self.string()?;
        let shown = visible_name(&name).into_owned();
        if !self.open.last_mut().and_then(Option::as_mut).is_some_and(|names| names.insert(name)) {
            return Err(self.fault(begin, format!("the key {shown} stands twice in one object"), "keep one"));
        }
        if self.next() != Some(b':') {
            return Err(self.unexpected(COLON, "put a colon between name and value"));
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a text in double quotes.
    fn string(&mut self) -> Result<String, Fault> {
        let begin = self.at;
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            self.at += rest.find(|one| one == '"' || one == '\\' || one < ' ').unwrap_or(rest.len());
            match self.text.as_bytes().get(self.at) {
                None => return Err(self.ends()),
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(&control) => {
                    let message = format!("{} within a text", visible_name(&char::from(control).to_string()));
                    return Err(self.fault(
                        self.at,
                        message,
                        r#"close the text with ", or write an escape such as \n or \t"#,
                    ));
                }
            }
        }
        self.at += 1;
        // It was looked at character by character.
        Ok(serde_json::from_str(&self.text[begin..self.at]).unwrap_or_default())
    }

    /// Reads an escape; both halves of one that stands for half a character.
    fn escape(&mut self) -> Result<(), Fault> {
        let begin = self.at;
        let rest = &self.text[begin..];
        match rest.as_bytes().get(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                let unit = |from: usize| {
                    let digits = rest.get(from..from + 6)?.strip_prefix("\\u")?;
                    let is_hexadecimal = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                    u16::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)
                };
                self.at += match (unit(0), unit(6)) {
                    (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
                    (Some(0xd800..=0xdfff), _) => {
                        return Err(self.fault(begin, "half of a surrogate pair stands alone".to_owned(), HALF));
                    }
                    (Some(_), _) => 6,
                    (None, _) => return Err(self.no_escape(6)),
                };
            }
            _ => return Err(self.no_escape(2)),
        }
        Ok(())
    }

    /// The fault of a text without its last quote.
    fn ends(&self) -> Fault {
        let (what, hint) = self.whole();
        self.fault(self.text.len(), format!("the {what} ends within a text"), hint)
    }

    /// What is read, and what to do where it ends too early.
    fn whole(&self) -> (&'static str, &'static str) {
        if self.is_line { ("line", CUT_LINE) } else { ("file", CUT) }
    }

    /// The fault of a backslash and what stands behind it.
    fn no_escape(&self, length: usize) -> Fault {
        let rest = &self.text[self.at..];
        if rest.chars().count() < length && !rest.contains('"') {
            return self.ends();
        }
        let shown: String = rest.chars().take(length).take_while(|&one| one != '"').collect();
        self.fault(self.at, format!("{} is no escape", visible_name(&shown)), ESCAPE)
    }

    /// Where a number or a word of JSON ends that begins here.
    fn scalar(&self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let word = self.found();
        if matches!(word, "true" | "false" | "null") {
            return Some(self.at + word.len());
        }
        let digits =
            |from: usize| from + rest[from.min(rest.len())..].iter().take_while(|one| one.is_ascii_digit()).count();
        let sign = usize::from(rest.first() == Some(&b'-'));
        let whole = if rest.get(sign) == Some(&b'0') { sign + 1 } else { digits(sign) };
        let mut end = whole;
        if rest.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
        }
        if matches!(rest.get(end), Some(b'e' | b'E')) {
            let begin = end + 1 + usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            end = if digits(begin) > begin { digits(begin) } else { end };
        }
        (whole > sign).then_some(self.at + end)
    }

    /// The next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|one| b" \t\n\r".contains(one)).count();
        self.text.as_bytes().get(self.at).copied()
    }

    /// What stands here, up to the next blank, bracket, comma, colon or double quote.
    fn found(&self) -> &'a str {
        let rest = &self.text[self.at..];
        let is_end = |one: char| " \t\n\r[]{},:\"".contains(one);
        let first = rest.chars().next().map_or(0, char::len_utf8);
        &rest[..rest.find(is_end).unwrap_or(rest.len()).max(first)]
    }

    /// The fault of something else than was expected here; what is found may say a better remedy.
    fn unexpected(&self, expected: &str, hint: &'static str) -> Fault {
        let found = self.found();
        let first = found.chars().next();
        let hint = match (first, found.trim_start_matches(['+', '-'])) {
            (None, _) if self.text.trim_matches([' ', '\t', '\n', '\r']).is_empty() => {
                "nothing is in the file; an empty table is []"
            }
            (None, _) => self.whole().1,
            (_, "NaN" | "nan" | "Infinity" | "inf") => "JSON has no such number: leave it out",
            (_, "True" | "False" | "None") => "JSON writes true, false and null",
            (Some('\'' | '`' | '‘' | '’' | '“' | '”'), _) => QUOTES,
            (Some('/' | '#'), _) => "JSON has no comments: leave them out",
            (Some('+' | '-' | '.'), _) if expected == VALUE => NUMBER,
            (Some(','), _) if expected != COLON => COMMA,
            (Some(']' | '}'), _) if hint == QUOTES => "write a value, or close each [ with ] and each { with }",
            (Some('\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{feff}'), _) => {
                "only blanks, tabs and ends of lines stand between values"
            }
            _ => hint,
        };
        let message = match first {
            None => format!("expected {expected}, but the {} ends", self.whole().0),
            Some(_) => format!("expected {expected}, found {}", visible_name(found)),
        };
        self.fault(self.at, message, hint)
    }

    fn fault(&self, at: usize, message: String, hint: &'static str) -> Fault {
        Fault { at, message, hint }
    }
}

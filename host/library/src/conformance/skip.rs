//! Lists of cases that are left out, with the reason of each.

use std::path::Path;

use crate::error::{Error, SEE_FORMATS};
use crate::recording::Recording;

/// Cases that are left out. One a line: `group/case`, or `group/*`, then the reason; `#` begins a comment.
///
/// ```
/// let skips = offermatch::Skips::parse("# shares\ndevices/*  has no devices yet\n", "skip.txt")?;
/// assert_eq!(skips.len(), 1);
/// assert_eq!(offermatch::Skips::parse("devices/*", "skip.txt").unwrap_err().code(), "file-malformed");
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skips(Vec<(String, String, String)>);

impl Skips {
    /// The list in a file.
    ///
    /// # Errors
    /// [`Error::FileUnreadable`] and [`Error::FileMalformed`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = path.as_ref().display().to_string();
        match std::fs::read_to_string(path.as_ref()) {
            Ok(text) => Self::parse(&text, &file),
            Err(error) => Err(Error::FileUnreadable { file, error }),
        }
    }

    /// The list in a text. `origin` says in errors where it came from.
    ///
    /// # Errors
    /// [`Error::FileMalformed`] for a line without a reason.
    pub fn parse(text: &str, origin: &str) -> Result<Self, Error> {
        let mut list = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let found = line.split_once(char::is_whitespace).and_then(|(which, reason)| {
                let (group, case) = which.split_once('/')?;
                Some((group.to_owned(), case.to_owned(), reason.trim().to_owned()))
            });
            list.push(found.ok_or_else(|| Error::FileMalformed {
                file: origin.to_owned(),
                line: number + 1,
                column: 1,
                message: format!("{line:?} is not GROUP/CASE and a reason, such as \"devices/* has no devices yet\""),
                hint: SEE_FORMATS,
            })?);
        }
        Ok(Self(list))
    }

    /// How many lines there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is left out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why a case is left out, if it is.
    pub(super) fn reason(&self, case: &Recording) -> Option<&str> {
        let found = self.0.iter().find(|(group, name, _)| *group == case.group && (name == "*" || *name == case.name));
        found.map(|(_, _, reason)| reason.as_str())
    }
}

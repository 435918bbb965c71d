//! The names of the rows of a table.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, Place};
use crate::remedy;

/// Row names: each one once. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// The names, by row.
    rows: Arc<Vec<String>>,
}

impl Names {
    /// Names that are checked to be distinct. `source` says in errors where they came from.
    ///
    /// # Errors
    /// [`Error::DuplicateName`] and, for an empty name, [`Error::MissingColumn`].
    pub(crate) fn new(names: Vec<String>, source: &str) -> Result<Self, Error> {
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(names.len());
        for (row, name) in names.iter().enumerate() {
            let place =
                |name| Box::new(Place { source: source.to_owned(), row: Some(row), name, column: "name".to_owned() });
            if name.is_empty() {
                return Err(Error::MissingColumn { place: place(None), hint: remedy::NAMELESS });
            }
            if let Some(first) = seen.insert(name, row) {
                return Err(Error::DuplicateName { place: place(Some(name.clone())), first });
            }
        }
        Ok(Self { rows: Arc::new(names) })
    }

    /// The names, by row.
    pub(crate) fn as_slice(&self) -> &[String] {
        &self.rows
    }

    /// The row of each name.
    pub(crate) fn index(&self) -> HashMap<String, u32> {
        self.rows.iter().cloned().zip(0..).collect()
    }

    /// Puts names at the end.
    pub(crate) fn extend(&mut self, more: &[String]) {
        Arc::make_mut(&mut self.rows).extend_from_slice(more);
    }

    /// Gives a row another name, and tells the one before.
    pub(crate) fn replace(&mut self, row: usize, name: String) -> String {
        std::mem::replace(&mut Arc::make_mut(&mut self.rows)[row], name)
    }
}

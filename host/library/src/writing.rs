//! Writes files that others may read meanwhile.

use std::fs;
use std::path::Path;

use crate::error::Error;

/// Writes a file, all of it or nothing: whoever reads it sees what was there before or what is there now.
///
/// # Errors
/// [`Error::FileUnwritable`].
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), Error> {
    // Under another name first, in the same folder.
    let mut partial = path.as_os_str().to_owned();
    partial.push(format!(".{}.partial", std::process::id()));
    // No file takes the place of a device or a pipe, such as /dev/null.
    let written = if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        fs::write(path, content)
    } else {
        fs::write(&partial, content).and_then(|()| fs::rename(&partial, path))
    };
    written.map_err(|error| {
        // Nothing half written stays behind; where there was no place to write to, there is none.
        let _ = fs::remove_file(&partial);
        Error::FileUnwritable { file: path.display().to_string(), error }
    })
}

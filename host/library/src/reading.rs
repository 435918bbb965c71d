//! Reads files that strangers may have written: never more than is asked for, in time that grows with what is read.
//!
//! Everything passes here: components, manifests, limits, trust, recordings, and tables, of which the user may have taken the
//! wrong one, or one that does not end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Bytes of a file that a person writes.
pub(crate) const MOST_OF_A_DOCUMENT: u64 = 1 << 20;
/// Bytes of a recording, unpacked.
pub(crate) const MOST_OF_A_RECORDING: u64 = 1 << 30;
/// Bytes of a file of tasks or offers.
pub(crate) const MOST_OF_A_TABLE: u64 = 1 << 30;
/// What a file begins with that gzip has packed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of a file, and how many it has: where that is more than so many, they are cut off behind the first that is
/// too many.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read_up_to(path: &Path, most: u64) -> io::Result<(Vec<u8>, u64)> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let size = size.max(bytes.len() as u64);
    Ok((bytes, size))
}

/// The bytes of a file.
///
/// # Errors
/// It cannot be read, or has more bytes than it may.
pub(crate) fn read_bounded(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (bytes, _) = read_up_to(path, most)?;
    if bytes.len() as u64 > most { Err(too_long(most)) } else { Ok(bytes) }
}

/// What gzip has packed, one member after the other; the bytes as they are where they are not packed.
///
/// # Errors
/// They are packed wrongly, or unfold to more bytes than they may.
pub(crate) fn unpacked(bytes: Vec<u8>, most: u64) -> io::Result<Vec<u8>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut found = Vec::new();
    let read = MultiGzDecoder::new(&bytes[..]).take(most.saturating_add(1)).read_to_end(&mut found);
    read.map_err(|error| io::Error::new(error.kind(), format!("compressed wrongly: {error}")))?;
    if found.len() as u64 > most { Err(too_long(most)) } else { Ok(found) }
}

/// The error of what is too long.
fn too_long(most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {most} bytes"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn no_more_is_read_than_may_be() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(1 << 40).unwrap();
        let error = read_bounded(file.path(), 1000).unwrap_err();
        assert_eq!(error.to_string(), "it is longer than 1000 bytes");
        assert_eq!(read_up_to(file.path(), 1000).unwrap().1, 1 << 40);
        file.as_file().set_len(1000).unwrap();
        assert_eq!(read_bounded(file.path(), 1000).unwrap().len(), 1000);
    }

    #[test]
    fn no_more_is_unpacked_than_may_be() {
        let zeros = packed(&vec![0; 1 << 20]);
        assert!(zeros.len() < 2000);
        assert_eq!(unpacked(zeros.clone(), 1 << 20).unwrap().len(), 1 << 20);
        assert_eq!(unpacked(zeros, (1 << 20) - 1).unwrap_err().to_string(), "it is longer than 1048575 bytes");
    }

    #[test]
    fn members_follow_each_other_and_what_is_not_packed_stays() {
        let many = packed(b"ab").repeat(10_000);
        assert_eq!(unpacked(many, 20_000).unwrap(), b"ab".repeat(10_000));
        assert_eq!(unpacked(b"plain".to_vec(), 1).unwrap(), b"plain");
        let mut cut = packed(b"ab");
        cut.pop();
        assert!(unpacked(cut, 10).unwrap_err().to_string().starts_with("compressed wrongly: "));
    }
}

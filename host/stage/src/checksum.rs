//! BLAKE3 digests of contents.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::str::FromStr;

use super::buffer::Blocks;
use super::error::StageError;

/// The BLAKE3 digest of a file's bytes, written as 64 hexadecimal digits, also with `blake3:` before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "blake3:{}", blake3::Hash::from(self.0).to_hex())
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("blake3:").unwrap_or(text);
        let hash = blake3::Hash::from_hex(digits.to_ascii_lowercase());
        hash.map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| format!("{text:?} is not blake3: and 64 hexadecimal digits"))
    }
}

/// Digests contents that arrive in order, with holes between.
#[derive(Debug, Default)]
pub(super) struct ContentHash {
    /// The digest so far.
    hasher: blake3::Hasher,
    /// Bytes digested so far.
    position: u64,
}

impl ContentHash {
    /// Takes the bytes at this offset. What lies between is a hole.
    pub(super) fn update(&mut self, offset: u64, bytes: &[u8]) {
        self.hole(offset);
        self.hasher.update(bytes);
        self.position += bytes.len() as u64;
    }

    /// The digest of a file of this many bytes.
    pub(super) fn finish(mut self, size: u64) -> Digest {
        self.hole(size);
        Digest(*self.hasher.finalize().as_bytes())
    }

    /// Takes zeros up to this offset.
    fn hole(&mut self, offset: u64) {
        static ZEROS: [u8; 65536] = [0; 65536];
        while self.position < offset {
            let length = (offset - self.position).min(ZEROS.len() as u64);
            self.hasher.update(&ZEROS[..length as usize]);
            self.position += length;
        }
    }

    /// Takes what a file holds from here up to this offset.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or ends before.
    pub(super) fn read(&mut self, file: &File, end: u64) -> io::Result<()> {
        let mut blocks = Blocks::new(1, 1 << 20);
        while self.position < end {
            let buffer = blocks.get(0);
            // An O_DIRECT file takes whole blocks only; what lies behind the end is not digested.
            let found = match file.read_at(buffer, self.position) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                found => found?,
            };
            let length = (found as u64).min(end - self.position) as usize;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.update(self.position, &buffer[..length]);
        }
        Ok(())
    }
}

/// The digest of a file's bytes.
///
/// # Errors
///
/// [`StageError::SourceVanished`], [`StageError::PermissionRefused`] or [`StageError::Failed`] if it cannot be read.
pub fn digest_of(path: &Path) -> Result<Digest, StageError> {
    let failed = |error| StageError::of_source("read", path, error);
    let file = File::open(path).map_err(failed)?;
    of_file(&file).map_err(failed)
}

/// The digest of an open file's bytes.
pub(super) fn of_file(file: &File) -> io::Result<Digest> {
    let size = file.metadata()?.len();
    let mut hash = ContentHash::default();
    hash.read(file, size)?;
    Ok(hash.finish(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_zeros() {
        let mut with_holes = ContentHash::default();
        with_holes.update(100_000, b"x");
        let mut plain = vec![0; 100_001];
        plain[100_000] = b'x';
        plain.extend([0; 9]);
        assert_eq!(with_holes.finish(100_010).0, *blake3::hash(&plain).as_bytes());
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = ContentHash::default().finish(3);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("blake3:12".parse::<Digest>().is_err());
    }
}

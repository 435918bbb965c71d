//! Compiled components, kept from one process to the next.
//!
//! An entry is code that the host will run outside the sandbox, so it is believed only where nobody else can have written
//! it: the folder and the file belong to this user and only this user may write to them, the header says which component,
//! compiler and configuration the code is for, and the code has the SHA-256 that the header says. Whatever fails is compiled
//! anew and written over.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The environment variable that names the folder, or is [`OFF`].
const VARIABLE: &str = "OFFERMATCH_CACHE";
/// The value of [`VARIABLE`] that turns the cache off.
const OFF: &str = "off";
/// What an entry begins with. The number changes with the layout.
const MAGIC: &[u8; 16] = b"offermatch-aot/1";
/// Bytes before the code: the magic, the key, the SHA-256 of the code.
const HEADER: usize = MAGIC.len() + 2 * DIGEST;
/// Bytes of a SHA-256.
const DIGEST: usize = 32;
/// Bytes of the entries that stay; the oldest go first.
const MOST_BYTES: u64 = 1 << 30;

/// Where compiled components are kept.
///
/// ```
/// use offermatch::{Cache, Matcher};
///
/// let folder = std::env::temp_dir().join(format!("offermatch-cache-{}", std::process::id()));
/// let bytes = Matcher::bundled_bytes("best-fit")?;
/// let first = Matcher::from_bytes_cached(bytes, "the bundled matcher", &Cache::at(&folder))?;
/// let second = Matcher::from_bytes_cached(bytes, "the bundled matcher", &Cache::at(&folder))?; // milliseconds
/// assert_eq!(first.digest(), second.digest());
/// # let _ = std::fs::remove_dir_all(folder);
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    /// The folder; none where nothing is kept.
    folder: Option<PathBuf>,
}

/// Where a component came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// It was kept.
    Cache,
    /// It was compiled.
    Compiler,
}

impl Cache {
    /// No cache: everything is compiled.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// A cache in this folder, which is made when something is kept.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// The cache that the environment asks for: `OFFERMATCH_CACHE` names the folder or says `off`; otherwise it is
    /// `offermatch` in `XDG_CACHE_HOME` or in `~/.cache`.
    #[must_use]
    pub fn from_environment() -> Self {
        Self::chosen(|name| std::env::var_os(name).map(PathBuf::from))
    }

    /// The cache that these variables ask for.
    fn chosen(variable: impl Fn(&str) -> Option<PathBuf>) -> Self {
        let set = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
        match set(VARIABLE) {
            Some(value) if value.as_os_str().eq_ignore_ascii_case(OFF) => return Self::off(),
            Some(folder) => return Self::at(folder),
            None => {}
        }
        // The XDG base directory specification has relative paths ignored.
        let absolute = |name| set(name).filter(|path| path.is_absolute());
        let base = absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
            .or_else(|| absolute("LOCALAPPDATA"));
        Self { folder: base.map(|base| base.join("offermatch")) }
    }

    /// The folder; where nothing is kept, one of this user for what has to lie in a file.
    #[cfg(feature = "oci")]
    pub(crate) fn folder_or_temporary(&self) -> PathBuf {
        #[cfg(unix)]
        let user = rustix::process::getuid().as_raw();
        #[cfg(not(unix))]
        let user = 0;
        self.folder.clone().unwrap_or_else(|| std::env::temp_dir().join(format!("offermatch-{user}")))
    }

    /// The component that these bytes are, where the cache has it. Whatever is wrong with the cache is a debug event.
    pub(crate) fn kept(&self, engine: &Engine, bytes: &[u8]) -> Option<Component> {
        let folder = self.folder.as_ref()?;
        let key = key(engine, bytes);
        let path = entry(folder, &key);
        load(engine, folder, &path, &key).unwrap_or_else(|reason| {
            tracing::debug!(path = %path.display(), reason, "cache entry not believed");
            None
        })
    }

    /// Keeps what these bytes were compiled to, unless the cache is off.
    ///
    /// # Errors
    /// Why it is not kept.
    pub(crate) fn keep(&self, engine: &Engine, bytes: &[u8], component: &Component) -> Result<(), String> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let key = key(engine, bytes);
        let code = component.serialize().map_err(|error| error.to_string())?;
        store(folder, &entry(folder, &key), &key, &code).map_err(|error| error.to_string())
    }

    /// The component that these bytes are: from the cache, or compiled and put there.
    ///
    /// # Errors
    /// Those of the compiler. Whatever is wrong with the cache is a debug event.
    pub(crate) fn component(&self, engine: &Engine, bytes: &[u8]) -> wasmtime::Result<(Component, Source)> {
        if let Some(component) = self.kept(engine, bytes) {
            return Ok((component, Source::Cache));
        }
        let component = Component::from_binary(engine, bytes)?;
        if let Err(reason) = self.keep(engine, bytes, &component) {
            tracing::debug!(reason, "compiled component not kept");
        }
        Ok((component, Source::Compiler))
    }
}

/// The file of an entry.
fn entry(folder: &Path, key: &[u8; DIGEST]) -> PathBuf {
    folder.join(format!("{}.cwasm", hexadecimal(key)))
}

/// What the code of a component depends on: its bytes, the compiler's version and configuration, the target.
fn key(engine: &Engine, bytes: &[u8]) -> [u8; DIGEST] {
    let mut hasher = DigestHasher(Sha256::new());
    hasher.write(MAGIC);
    hasher.write(env!("CARGO_PKG_VERSION").as_bytes());
    hasher.write(&[0]);
    (std::env::consts::ARCH, std::env::consts::OS).hash(&mut hasher);
    // Wasmtime's version, the target, the compiler's flags and what they are tuned for.
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.write(&Sha256::digest(bytes));
    hasher.0.finalize().into()
}

/// SHA-256 for what can only be hashed: unlike the standard hashers it is the same in every build of this program, and
/// collisions cannot be made.
struct DigestHasher(Sha256);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(*digest.first_chunk().expect("a digest is longer than 8 bytes"))
    }
}

/// The component in an entry; none where there is no entry.
///
/// # Errors
/// Why the entry is not believed.
fn load(engine: &Engine, folder: &Path, path: &Path, key: &[u8; DIGEST]) -> Result<Option<Component>, String> {
    let mut file = match open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.to_string()),
    };
    check_owner("the folder", &fs::metadata(folder).map_err(|error| error.to_string())?)?;
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    check_owner("the file", &metadata)?;
    if !metadata.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut entry = Vec::new();
    file.read_to_end(&mut entry).map_err(|error| error.to_string())?;
    let code = code(&entry, key)?;
    // SAFETY: the code was written by this user's own host: nobody else can write to the file and its folder, the key
    // says that it was compiled from this component by this version of Wasmtime in this configuration, and the digest
    // that not a byte has changed since. Wasmtime checks version and configuration once more.
    unsafe { Component::deserialize(engine, code) }.map(Some).map_err(|error| error.to_string())
}

/// The code in an entry.
///
/// # Errors
/// Why it is not believed.
fn code<'a>(entry: &'a [u8], key: &[u8; DIGEST]) -> Result<&'a [u8], String> {
    let Some((header, code)) = entry.split_at_checked(HEADER) else {
        return Err(format!("it ends after {} bytes", entry.len()));
    };
    let (magic, digests) = header.split_at(MAGIC.len());
    let (found, digest) = digests.split_at(DIGEST);
    if magic != MAGIC {
        return Err("it is no cache entry of this version".to_owned());
    }
    if found != key {
        return Err("it is for another component, compiler or configuration".to_owned());
    }
    if digest != &Sha256::digest(code)[..] {
        return Err("it is damaged".to_owned());
    }
    Ok(code)
}

/// Writes an entry: under a name of its own first, so that nobody ever reads half of it.
fn store(folder: &Path, path: &Path, key: &[u8; DIGEST], code: &[u8]) -> io::Result<()> {
    /// Tells the threads of this process apart.
    static WRITES: AtomicU32 = AtomicU32::new(0);

    make_folder(folder)?;
    check_owner("the folder", &fs::metadata(folder)?).map_err(io::Error::other)?;
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(MAGIC)?;
        file.write_all(key)?;
        file.write_all(&Sha256::digest(code))?;
        file.write_all(code)
    });
    let kept = written.and_then(|()| fs::rename(&temporary, path));
    if kept.is_err() {
        // Whatever went wrong is told by the first error.
        let _ = fs::remove_file(&temporary);
    }
    kept?;
    prune(folder)
}

/// Removes the oldest entries, and what interrupted processes have left, where there are too many bytes of them. The newest
/// stays, however large it is.
fn prune(folder: &Path) -> io::Result<()> {
    let mut entries: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ours = path.extension().is_some_and(|extension| extension == "cwasm" || extension == "tmp");
        if ours && let Ok(found) = fs::metadata(&path) {
            entries.push((found.modified()?, found.len(), path));
        }
    }
    entries.sort_by(|one, other| other.cmp(one));
    let mut reached = 0_u64;
    for (place, (_, bytes, path)) in entries.iter().enumerate() {
        reached = reached.saturating_add(*bytes);
        if place > 0 && reached > MOST_BYTES {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Digits of a digest.
fn hexadecimal(digest: &[u8]) -> String {
    use std::fmt::Write as _;

    let mut text = String::new();
    for byte in digest {
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

/// Opens an entry, and no link to something else.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens an entry.
#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Makes a file that only this user can read and write.
fn create(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the folder, for this user only, where it is not there.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses what does not belong to this user, or what others can write to.
#[cfg(unix)]
pub(crate) fn check_owner(what: &str, metadata: &fs::Metadata) -> Result<(), String> {
    use std::os::unix::fs::MetadataExt;

    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(format!("{what} belongs to user {owner}, not to {user}"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(format!("others may write to {what} (mode {:o})", metadata.mode() & 0o777));
    }
    Ok(())
}

/// Elsewhere the folders of a user are the user's own by default.
#[cfg(not(unix))]
pub(crate) fn check_owner(_: &str, _: &fs::Metadata) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests;

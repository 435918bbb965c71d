//! A new matcher: a project that builds, tests and judges itself.
//!
//! The kit, the core and the contract are written into the project, so that it builds wherever crates.io can be reached, with
//! nothing but this program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

include!(concat!(env!("OUT_DIR"), "/kit.rs"));

/// What is written, with `@NAME@`, `@VERSION@` and `@PROGRAM@` where those of the project go.
const TEMPLATE: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../templates/matcher/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../templates/matcher/src/lib.rs")),
    ("Makefile", include_str!("../templates/matcher/Makefile")),
    ("README.md", include_str!("../templates/matcher/README.md")),
    (".gitignore", include_str!("../templates/matcher/gitignore")),
];
/// Where the kit goes.
const KIT_FOLDER: &str = "offermatch";
/// The longest name, in characters, that crates.io takes.
const LONGEST_NAME: usize = 64;
/// Names that a crate cannot have: keywords of Rust, and crates that every matcher uses.
const TAKEN: &str = "abstract alloc as async await become box break const continue core crate do dyn else enum extern false \
    final fn for gen if impl in let loop macro match mod move mut offermatch-core offermatch-kit offermatch_core offermatch_kit \
    override priv proc-macro proc_macro pub ref return self static std struct super test trait true try type typeof unsafe unsized \
    use virtual where while yield";

/// Why a new matcher is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProjectError {
    /// A name that a crate cannot have.
    #[error("a matcher cannot be named {name:?}: {reason}")]
    Name { name: String, reason: String },
    /// Something stands in the place of the folder.
    #[error("{} exists already", path.display())]
    Exists { path: PathBuf },
    /// The operating system refuses.
    #[error("{} cannot be written: {reason}", path.display())]
    Unwritable { path: PathBuf, reason: String },
}

impl ProjectError {
    /// The code of `docs/errors.md`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "project-name",
            Self::Exists { .. } => "project-exists",
            Self::Unwritable { .. } => "project-unwritable",
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Name { .. } => {
                "a name has up to 64 of a to z, 0 to 9, - and _, begins with a letter and is no keyword of Rust, such as my-policy"
            }
            Self::Exists { .. } => "choose another name, another folder with --path, or remove what is there",
            Self::Unwritable { .. } => "choose another folder with --path, or see that this one can be written to",
        }
    }
}

/// A matcher that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// The name of the crate, of the policy and of the matcher.
    name: String,
}

impl Project {
    /// A matcher of this name.
    ///
    /// # Errors
    /// [`ProjectError::Name`] where a crate cannot have this name.
    pub(crate) fn new(name: &str) -> Result<Self, ProjectError> {
        let refused = |reason: String| Err(ProjectError::Name { name: name.to_owned(), reason });
        let length = name.chars().count();
        if length > LONGEST_NAME {
            return refused(format!("it has {length} characters, more than {LONGEST_NAME}"));
        }
        if !name.starts_with(|first: char| first.is_ascii_lowercase()) {
            return refused("it does not begin with a letter from a to z".to_owned());
        }
        let allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
        if let Some(letter) = name.chars().find(|&letter| !allowed(letter)) {
            return refused(format!("{letter:?} is not one of a to z, 0 to 9, - and _"));
        }
        if TAKEN.split_whitespace().any(|taken| taken == name) {
            return refused("it is a word of Rust or a crate that every matcher uses".to_owned());
        }
        Ok(Self { name: name.to_owned() })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes the project into a new folder; the folders above it are made where they are missing.
    ///
    /// # Errors
    /// [`ProjectError::Exists`] where something stands there already, [`ProjectError::Unwritable`] where the operating system
    /// refuses. Nothing is then left behind but folders above.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), ProjectError> {
        let unwritable =
            |source: io::Error| ProjectError::Unwritable { path: folder.to_owned(), reason: source.to_string() };
        if let Some(above) = folder.parent() {
            fs::create_dir_all(above).map_err(unwritable)?;
        }
        match fs::create_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(ProjectError::Exists { path: folder.to_owned() });
            }
            made => made.map_err(unwritable)?,
        }
        self.fill(folder).map_err(|error| {
            // What is half written is of no use. If it cannot be removed either, the first error says more.
            let _ = fs::remove_dir_all(folder);
            unwritable(error)
        })
    }

    /// Writes every file.
    fn fill(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in TEMPLATE {
            write(&folder.join(path), &self.filled(text))?;
        }
        for (path, text) in KIT {
            write(&folder.join(KIT_FOLDER).join(path), text)?;
        }
        executable(&folder.join(KIT_FOLDER).join("guest/build.sh"))
    }

    /// A text of the template, filled in.
    fn filled(&self, text: &str) -> String {
        // Whoever has no program on the path has the one that writes this.
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("offermatch-host"));
        text.replace("@NAME@", &self.name)
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@PROGRAM@", &program.to_string_lossy().replace('$', "$$"))
    }
}

/// Writes a file, in folders that are made where they are missing.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

/// Makes a script one that can be run.
#[cfg(unix)]
fn executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Makes a script one that can be run: it is, as it stands.
#[cfg(not(unix))]
fn executable(_: &Path) -> io::Result<()> {
    Ok(())
}

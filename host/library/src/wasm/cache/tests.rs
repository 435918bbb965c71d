//! An entry is used when it is right, and rebuilt whatever else is true of it.

use std::cell::RefCell;

use super::*;
use wasmtime::Config;

/// A component in which nothing is.
fn component() -> Vec<u8> {
    wat::parse_str("(component (core module $m (func (export \"f\"))) (core instance (instantiate $m)))").unwrap()
}

/// A cache in a folder of its own, and a component that is kept in it.
struct Fixture {
    /// The folder above the cache's, removed when the test is done.
    _parent: tempfile::TempDir,
    folder: PathBuf,
    engine: Engine,
    bytes: Vec<u8>,
}

impl Fixture {
    /// With the component kept.
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("deep/cache");
        let fixture = Self { _parent: parent, folder, engine: Engine::default(), bytes: component() };
        assert_eq!(fixture.load(), Source::Compiler, "nothing is there at first");
        assert_eq!(fixture.load(), Source::Cache, "the second start finds it");
        fixture
    }

    /// Where the component comes from now.
    fn load(&self) -> Source {
        Cache::at(&self.folder).component(&self.engine, &self.bytes).unwrap().1
    }

    /// The only entry.
    fn entry(&self) -> PathBuf {
        let mut entries = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().path());
        let entry = entries.next().expect("something is kept");
        assert_eq!(entries.next(), None, "one entry, and nothing temporary");
        entry
    }

    /// Spoils the entry and checks that it is compiled anew, once.
    fn is_rebuilt_after(&self, what: &str, spoil: impl FnOnce(&Path)) {
        spoil(&self.entry());
        assert_eq!(self.load(), Source::Compiler, "{what}: not believed");
        assert_eq!(self.load(), Source::Cache, "{what}: rebuilt");
    }
}

#[test]
fn a_damaged_entry_is_rebuilt() {
    let fixture = Fixture::new();
    let length = fs::read(fixture.entry()).unwrap().len();
    for at in [0, MAGIC.len(), MAGIC.len() + DIGEST, HEADER, length / 2, length - 1] {
        fixture.is_rebuilt_after(&format!("byte {at} turned"), |path| {
            let mut entry = fs::read(path).unwrap();
            entry[at] ^= 1;
            fs::write(path, entry).unwrap();
        });
    }
    for left in [0, 10, HEADER, length - 1] {
        fixture.is_rebuilt_after(&format!("cut to {left} bytes"), |path| {
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(left as u64).unwrap();
        });
    }
    fixture.is_rebuilt_after("a byte more", |path| {
        let mut entry = fs::read(path).unwrap();
        entry.push(0);
        fs::write(path, entry).unwrap();
    });
}

#[test]
fn an_entry_for_something_else_is_rebuilt() {
    let fixture = Fixture::new();
    let other = wat::parse_str("(component (core module $other))").unwrap();
    let elsewhere = fixture.folder.with_file_name("elsewhere");
    Cache::at(&elsewhere).component(&fixture.engine, &other).unwrap();
    let foreign = fs::read_dir(&elsewhere).unwrap().next().unwrap().unwrap().path();
    fixture.is_rebuilt_after("another component's code under this one's name", |path| {
        fs::copy(foreign, path).unwrap();
    });
    fixture.is_rebuilt_after("code that is none, rightly labelled", |path| {
        store(&fixture.folder, path, &key(&fixture.engine, &fixture.bytes), b"no code").unwrap();
    });
}

#[test]
fn a_configuration_has_its_own_entries() {
    let fixture = Fixture::new();
    let mut config = Config::new();
    config.epoch_interruption(true);
    let other = Engine::new(&config).unwrap();
    let cache = Cache::at(&fixture.folder);
    assert_eq!(cache.component(&other, &fixture.bytes).unwrap().1, Source::Compiler);
    assert_eq!(cache.component(&other, &fixture.bytes).unwrap().1, Source::Cache);
    assert_eq!(fixture.load(), Source::Cache, "both are kept");
    assert_ne!(key(&fixture.engine, &fixture.bytes), key(&other, &fixture.bytes));
}

#[cfg(unix)]
#[test]
fn an_entry_that_others_can_write_is_rebuilt() {
    use std::os::unix::fs::PermissionsExt;

    let fixture = Fixture::new();
    assert_eq!(fs::metadata(fixture.entry()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(&fixture.folder).unwrap().permissions().mode() & 0o777, 0o700);
    for mode in [0o602, 0o620, 0o666] {
        fixture.is_rebuilt_after(&format!("mode {mode:o}"), |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        });
    }
    fixture.is_rebuilt_after("a link to a right entry", |path| {
        let aside = fixture.folder.with_file_name("aside");
        fs::rename(path, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, path).unwrap();
    });
    fs::set_permissions(&fixture.folder, fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(fixture.load(), Source::Compiler, "a folder of everybody is not believed");
    assert_eq!(fixture.load(), Source::Compiler, "and nothing is kept there");
}

#[cfg(unix)]
#[test]
fn what_belongs_to_somebody_else_is_not_believed() {
    // Only the superuser can give a file away.
    if rustix::process::geteuid().is_root() {
        let fixture = Fixture::new();
        fixture.is_rebuilt_after("of user 1", |path| std::os::unix::fs::chown(path, Some(1), None).unwrap());
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_no_error() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "not a folder").unwrap();
    let cache = Cache::at(file.join("cache"));
    for _ in 0..2 {
        assert_eq!(cache.component(&Engine::default(), &component()).unwrap().1, Source::Compiler);
    }
}

#[test]
fn an_error_of_the_compiler_is_told() {
    let parent = tempfile::tempdir().unwrap();
    assert!(Cache::at(parent.path().join("cache")).component(&Engine::default(), b"\0asm\x0d\0\x01\0broken").is_err());
    assert!(!parent.path().join("cache").exists(), "nothing is kept");
}

#[test]
fn old_entries_go() {
    let fixture = Fixture::new();
    let kept = fixture.entry();
    for number in 0..16 {
        let path = fixture.folder.join(format!("{number}.cwasm"));
        let long_ago = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(number);
        let file = File::create(&path).unwrap();
        file.set_len(MOST_BYTES / 16).unwrap(); // a hole, so that it takes no room
        file.set_modified(long_ago).unwrap();
    }
    fs::write(fixture.folder.join("notes.txt"), "somebody's").unwrap();
    prune(&fixture.folder).unwrap();
    assert!(kept.exists() && !fixture.folder.join("0.cwasm").exists() && fixture.folder.join("1.cwasm").exists());
    assert!(fixture.folder.join("notes.txt").exists(), "what is not ours stays");
}

#[test]
fn the_environment_chooses_the_folder() {
    let asked = RefCell::new(Vec::new());
    let chosen = |variables: &[(&str, &str)]| {
        Cache::chosen(|name| {
            asked.borrow_mut().push(name.to_owned());
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
        })
    };
    assert_eq!(chosen(&[("OFFERMATCH_CACHE", "off"), ("HOME", "/home/u")]), Cache::off());
    assert_eq!(chosen(&[("OFFERMATCH_CACHE", "/c"), ("HOME", "/home/u")]), Cache::at("/c"));
    assert_eq!(chosen(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/home/u")]), Cache::at("/x/offermatch"));
    assert_eq!(chosen(&[("XDG_CACHE_HOME", "x"), ("HOME", "/home/u")]), Cache::at("/home/u/.cache/offermatch"));
    assert_eq!(chosen(&[("OFFERMATCH_CACHE", ""), ("HOME", "/home/u")]), Cache::at("/home/u/.cache/offermatch"));
    assert_eq!(chosen(&[]), Cache::off(), "nowhere to keep anything");
    assert!(asked.borrow().iter().any(|name| name == VARIABLE));
}

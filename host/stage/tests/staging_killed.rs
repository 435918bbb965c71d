//! Staging that is killed at random points and goes on, 50 times in all: the copy equals the source every time, and at
//! no moment does anything unfinished have its final name.
#![cfg(unix)]

use std::collections::HashMap;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::TempDir;

#[path = "support/trees.rs"]
mod trees;

use trees::{Regular, assert_same};

/// How often a copy is killed in each of the two cases.
const KILLS: u32 = 25;

/// Every so often what goes on after a kill is killed, too.
const AGAIN: u32 = 2;

/// Bytes of the large file, which leaves a record at 64 MiB; most of it are holes.
const LARGE: u64 = 80 << 20;

/// Small and middling files, one large enough to leave a record, and whatever else a tree has.
fn plant(root: &Path) {
    for folder in 0..6_u32 {
        let inner = root.join(format!("folder-{folder}/inner"));
        fs::create_dir_all(&inner).unwrap();
        for number in 0..40_u32 {
            let length = if number == 0 { 1_500_000 } else { 500 + 150 * number as usize };
            let bytes = format!("{folder} {number} ").into_bytes();
            let path = inner.join(number.to_string());
            fs::write(&path, bytes.repeat(length / bytes.len() + 1)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600 + number % 0o200)).unwrap();
            let old = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789 + u64::from(number));
            let times = FileTimes::new().set_modified(old).set_accessed(old + Duration::from_secs(number.into()));
            File::open(&path).unwrap().set_times(times).unwrap();
            if number % 10 == 1 {
                attribute(&path);
                symlink(format!("inner/{number}"), root.join(format!("folder-{folder}/link-{number}"))).unwrap();
                fs::hard_link(&path, root.join(format!("second-{folder}-{number}"))).unwrap();
            }
        }
        attribute(&inner);
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o750)).unwrap();
    }
    let large = File::create(root.join("large")).unwrap();
    large.set_len(LARGE).unwrap();
    for part in [0..4_u64 << 20, 60 << 20..70 << 20, 76 << 20..LARGE] {
        let numbers: Vec<u8> = (part.start / 8..part.end / 8).flat_map(u64::to_le_bytes).collect();
        large.write_all_at(&numbers, part.start).unwrap();
    }
}

/// Gives it an extended attribute, where the file system has them.
#[cfg(target_os = "linux")]
fn attribute(path: &Path) {
    let _ = rustix::fs::setxattr(path, "user.offermatch.test", b"value", rustix::fs::XattrFlags::empty());
}

/// Other systems call for other names.
#[cfg(not(target_os = "linux"))]
fn attribute(_path: &Path) {}

/// The name of files that stand at the target before a copy replaces them.
const OLDER: &str = "0";

/// What these files hold, of another length than what replaces them.
fn older() -> Vec<u8> {
    b"older".repeat(300_000)
}

/// A look at what has its final name.
struct Look<'a> {
    /// The case.
    case: &'a Case,
    /// Files that were whole, by what changes with every write: number and time of change.
    whole: HashMap<PathBuf, [i64; 3]>,
    /// Looks that found something under a final name.
    found: u32,
}

impl Look<'_> {
    /// Fails if anything with a final name is not whole.
    fn look(&mut self) {
        let Case { source, copy, there, .. } = self.case;
        if *there {
            self.enter(source, copy);
        } else if copy.exists() && self.found == 0 {
            // A new tree appears as a whole.
            assert_same(source, copy);
            self.found += 1;
        }
    }

    /// Looks into a directory that grows.
    fn enter(&mut self, source: &Path, copy: &Path) {
        for entry in fs::read_dir(copy).unwrap() {
            let name = entry.unwrap().file_name();
            if name.to_string_lossy().starts_with('.') {
                continue;
            }
            let (one, other) = (source.join(&name), copy.join(&name));
            let meta = fs::symlink_metadata(&other).unwrap();
            if meta.is_dir() {
                self.enter(&one, &other);
            } else if meta.is_symlink() {
                assert_eq!(fs::read_link(&one).unwrap(), fs::read_link(&other).unwrap(), "{}", other.display());
            } else {
                let state = [meta.ino() as i64, meta.ctime(), meta.ctime_nsec()];
                if self.whole.get(&other) == Some(&state) {
                    continue;
                }
                let found = Regular::open(&other);
                if !(name == OLDER && found.holds(&older())) {
                    let differs = Regular::open(&one).difference(&found);
                    assert_eq!(differs, None, "half a file is visible: {}", other.display());
                    self.found += 1;
                }
                self.whole.insert(other, state);
            }
        }
    }
}

/// A tree that is copied again and again.
struct Case {
    /// Where everything is.
    _place: TempDir,
    /// The tree.
    source: PathBuf,
    /// What the program is told to copy into.
    target: PathBuf,
    /// The copy.
    copy: PathBuf,
    /// Options of the program.
    options: &'static [&'static str],
    /// Whether the root of the copy is there before, with some older files.
    there: bool,
}

impl Case {
    /// Plants the tree.
    fn new(options: &'static [&'static str], there: bool) -> Self {
        let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (source, target) = (place.path().join("source"), place.path().join("target"));
        plant(&source);
        Self { copy: target.join("source"), _place: place, source, target, options, there }
    }

    /// Removes what was copied before.
    fn begin(&self) {
        let _ = fs::remove_dir_all(&self.target);
        if self.there {
            for folder in 0..6 {
                let inner = self.copy.join(format!("folder-{folder}/inner"));
                fs::create_dir_all(&inner).unwrap();
                fs::write(inner.join(OLDER), older()).unwrap();
            }
        }
    }

    /// A first look.
    fn look(&self) -> Look<'_> {
        Look { case: self, whole: HashMap::new(), found: 0 }
    }

    /// Runs the program while somebody looks at the target all the time; gives what `wait` says of it, and how much was
    /// seen.
    fn run<T>(&self, wait: impl FnOnce(&mut Child) -> T) -> (T, u32) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-stage"));
        command.args(self.options).args([&self.source, &self.target]).stdout(Stdio::null());
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let mut look = self.look();
                while !over.load(Ordering::Relaxed) {
                    look.look();
                    thread::sleep(Duration::from_millis(2));
                }
                look.found
            });
            let said = wait(&mut command.spawn().unwrap());
            over.store(true, Ordering::Relaxed);
            (said, looking.join().expect("nothing unfinished is visible while a copy runs"))
        })
    }

    /// Kills the program after so long, and looks at what it leaves. Whether it was killed before its end, and how much
    /// was seen while it ran.
    fn kill_after(&self, delay: Duration) -> (bool, u32) {
        let (killed, seen) = self.run(|child| {
            thread::sleep(delay);
            let finished = child.try_wait().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            finished.is_none()
        });
        self.look().look();
        (killed, seen)
    }

    /// Lets the program go to its end, and compares. How long it took.
    fn finish(&self) -> Duration {
        let begin = Instant::now();
        let (status, _) = self.run(|child| child.wait().unwrap());
        let took = begin.elapsed();
        assert!(status.success());
        assert_same(&self.source, &self.copy);
        let left: Vec<_> = fs::read_dir(&self.target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["source"], "nothing temporary stays");
        took
    }

    /// Kills a new copy before its end. How much was seen while it ran.
    fn kill(&self, random: &mut impl FnMut() -> f64, longest: &mut Duration) -> u32 {
        loop {
            self.begin();
            let (killed, seen) = self.kill_after(longest.mul_f64(random()));
            if killed {
                return seen;
            }
            // A copy may be faster than those before it were.
            *longest = longest.mul_f64(0.8);
        }
    }

    /// Kills at random points and goes on to the end, so many times. How much was seen while the copies ran.
    fn kill_and_resume(&self, mut random: impl FnMut() -> f64) -> u32 {
        self.begin();
        let mut longest = self.finish();
        let mut longest_again = longest;
        let mut seen = 0;
        for kill in 1..=KILLS {
            seen += self.kill(&mut random, &mut longest);
            // What goes on may have little left to do, and reach its end first: then another one is killed in its place.
            while kill % AGAIN == 0 && !self.kill_after(longest_again.mul_f64(random())).0 {
                longest_again = longest_again.mul_f64(0.8);
                seen += self.kill(&mut random, &mut longest);
            }
            self.finish();
        }
        seen
    }
}

/// Numbers from 0 to 1 that look random, and are the same in each run.
fn random(mut state: u64) -> impl FnMut() -> f64 {
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    }
}

#[test]
fn a_new_tree_survives_kills() {
    Case::new(&["--direct", "always"], false).kill_and_resume(random(1));
}

#[test]
fn a_tree_that_is_there_survives_kills() {
    let seen = Case::new(&["--jobs", "2"], true).kill_and_resume(random(2));
    assert!(seen > 0, "files are seen to appear while a copy runs");
}

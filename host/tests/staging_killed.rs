//! Staging that is killed at random points, and goes on: the copy equals the source, and no half file is ever visible.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How often the program is killed in each case.
const KILLS: u32 = 25;

/// A tree of small and middling files and one large enough to leave a record.
fn tree(root: &Path) {
    for folder in 0..6_u32 {
        let inner = root.join(format!("folder-{folder}/inner"));
        fs::create_dir_all(&inner).unwrap();
        for number in 0..60_u32 {
            let length = if number == 0 { 1_500_000 } else { 500 + 97 * number as usize };
            let bytes = format!("{folder} {number} ").into_bytes();
            fs::write(inner.join(number.to_string()), bytes.repeat(length / bytes.len() + 1)).unwrap();
        }
    }
    let mut large = File::create(root.join("large")).unwrap();
    for number in 0..72_u64 << 17 {
        large.write_all(&number.to_le_bytes()).unwrap();
    }
}

/// Fails if anything with a final name differs from the source; gives how many files there are.
fn check(source: &Path, target: &Path) -> usize {
    let Ok(entries) = fs::read_dir(target) else { return 0 };
    let mut whole = 0;
    for entry in entries {
        // What is being renamed right now may be gone.
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let (one, other) = (source.join(&name), entry.path());
        if other.is_dir() {
            whole += check(&one, &other);
        } else if let Ok(found) = fs::read(&other) {
            assert!(found == fs::read(&one).unwrap(), "half a file is visible: {}", other.display());
            whole += 1;
        }
    }
    whole
}

/// Numbers that look random, and are the same in each run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Starts the program.
fn start(source: &Path, target: &Path, options: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch"));
    command.arg("stage").args(options).args([source, target]).stdout(Stdio::null());
    command.spawn().unwrap()
}

/// Kills and goes on, until it was killed often enough; what is finished is removed, and begun again.
fn kill_and_resume(options: &[&str], there: bool, seed: u64) {
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = place.path().join("source");
    tree(&source);
    let files = check(&source, &source);
    let target = place.path().join("target");
    let copy: PathBuf = target.join("source");
    let mut state = seed;
    let (mut kills, mut resumed) = (0, 0);
    let mut longest = 60;
    while kills < KILLS {
        if there {
            fs::create_dir_all(&copy).unwrap();
        }
        let mut child = start(&source, &target, options);
        thread::sleep(Duration::from_micros(random(&mut state) % (longest * 1000)));
        let finished = child.try_wait().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        kills += u32::from(finished.is_none());
        check(&source, &target.join("source"));
        // Every other time it may go to its end after the kill.
        if random(&mut state).is_multiple_of(2) {
            let begin = Instant::now();
            let status = start(&source, &target, options).wait().unwrap();
            assert!(status.success());
            longest = (begin.elapsed().as_millis() as u64).clamp(20, 400);
            assert_eq!(check(&source, &copy), files, "everything is there");
            let left: Vec<_> = fs::read_dir(&target).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["source"], "nothing temporary stays");
            fs::remove_dir_all(&copy).unwrap();
            resumed += 1;
        }
    }
    assert!(resumed > 0);
}

#[test]
fn a_new_tree_survives_kills() {
    kill_and_resume(&["--direct", "always"], false, 1);
}

#[test]
fn a_tree_that_is_there_survives_kills() {
    kill_and_resume(&["--jobs", "2"], true, 2);
}

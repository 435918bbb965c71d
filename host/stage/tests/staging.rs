//! Staging: every engine gives the same copy, and every mistake its own error with nothing half done.
#![cfg(unix)]

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use offermatch_stage::{Direct, Engine, Keep, Options, Outcome, Request, StageError, Watch, digest_of, stage};
use tempfile::TempDir;

#[path = "support/trees.rs"]
mod trees;

use trees::assert_same;

/// Every engine.
const ENGINES: [Option<Engine>; 5] =
    [None, Some(Engine::Blocking), Some(Engine::Tokio), Some(Engine::CopyFileRange), Some(Engine::IoUring)];

/// Options with this engine; small blocks, so that files have many.
fn with(engine: Option<Engine>) -> Options {
    Options { engine, block: 64 << 10, ..Options::default() }
}

/// Stages one source into a directory.
fn into(source: &Path, target: &Path, options: &Options) -> Result<Outcome, StageError> {
    let request = Request { sources: vec![source.to_owned()], target: target.to_owned(), exact: false };
    stage(&request, options, &Watch::default())
}

/// Whether this machine lacks an engine, which is said aloud.
fn is_missing(result: &Result<Outcome, StageError>) -> bool {
    let missing = matches!(result, Err(StageError::EngineUnavailable { .. }));
    if missing {
        eprintln!("skipped: {}", result.as_ref().unwrap_err());
    }
    missing
}

/// Bytes that differ from place to place.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        })
        .collect()
}

/// A tree with a bit of everything.
fn tree(place: &Path) -> PathBuf {
    let root = place.join("source");
    fs::create_dir_all(root.join("inner/deeper")).unwrap();
    for (name, length) in [("empty", 0), ("one", 1), ("page", 4096), ("odd", 300_001), ("large", 3_000_017)] {
        fs::write(root.join("inner").join(name), noise(length)).unwrap();
    }
    fs::write(root.join("inner/deeper/script"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(root.join("inner/deeper/script"), fs::Permissions::from_mode(0o751)).unwrap();
    fs::hard_link(root.join("inner/odd"), root.join("second-name")).unwrap();
    symlink("inner/one", root.join("link")).unwrap();
    symlink("nowhere", root.join("dangling")).unwrap();
    let mut sparse = File::create(root.join("sparse")).unwrap();
    sparse.set_len(8 << 20).unwrap();
    sparse.seek(SeekFrom::Start(4 << 20)).unwrap();
    sparse.write_all(&noise(10_000)).unwrap();
    let old = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_234_567_890_123_456_789);
    File::open(root.join("inner/page")).unwrap().set_modified(old).unwrap();
    fs::set_permissions(root.join("inner/deeper"), fs::Permissions::from_mode(0o555)).unwrap();
    root
}

/// What is in a directory.
fn names(path: &Path) -> Vec<String> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_engine_copies_every_kind_of_file() {
    for engine in ENGINES {
        for direct in [Direct::Never, Direct::Always] {
            for checksum in [false, true] {
                let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                let source = tree(place.path());
                let options = Options { direct, checksum, ..with(engine) };
                let result = into(&source, &place.path().join("target"), &options);
                if is_missing(&result) {
                    continue;
                }
                let outcome = result.unwrap_or_else(|error| panic!("{engine:?} {direct:?} {checksum}: {error}"));
                let copy = place.path().join("target/source");
                assert_same(&source, &copy);
                assert_eq!(outcome.counts.files_done, outcome.counts.files_found);
                assert_eq!(outcome.counts.bytes_done, outcome.counts.bytes_found);
                let first = fs::metadata(copy.join("inner/odd")).unwrap().ino();
                assert_eq!(fs::metadata(copy.join("second-name")).unwrap().ino(), first, "one file of two names");
                let sparse = fs::metadata(copy.join("sparse")).unwrap().blocks() * 512;
                assert!(sparse < 1 << 20, "{engine:?} {direct:?}: the holes take {sparse} bytes");
                assert_eq!(names(&place.path().join("target")), ["source"], "nothing temporary stays");
            }
        }
    }
}

#[test]
fn again_skips_what_is_there_and_mends_what_is_not() {
    let place = TempDir::new().unwrap();
    let source = tree(place.path());
    let target = place.path().join("target");
    into(&source, &target, &Options::default()).unwrap();
    let second = into(&source, &target, &Options::default()).unwrap();
    assert_eq!(second.counts.files_skipped, second.counts.files_done);
    fs::remove_file(target.join("source/inner/one")).unwrap();
    fs::write(target.join("source/inner/page"), "other").unwrap();
    fs::remove_file(target.join("source/link")).unwrap();
    symlink("elsewhere", target.join("source/link")).unwrap();
    into(&source, &target, &Options::default()).unwrap();
    assert_same(&source, &target.join("source"));
}

#[test]
fn a_link_that_has_no_times_yet_gets_them() {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

    let place = TempDir::new().unwrap();
    let source = tree(place.path());
    let target = place.path().join("target");
    into(&source, &target, &Options::default()).unwrap();
    // As a stage leaves it that is killed right after it made the link.
    let time = Timespec { tv_sec: 1, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, target.join("source/link"), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
    into(&source, &target, &Options::default()).unwrap();
    assert_same(&source, &target.join("source"));
}

#[test]
fn a_digest_tells_what_times_and_sizes_hide() {
    let place = TempDir::new().unwrap();
    let source = place.path().join("file");
    fs::write(&source, noise(100_000)).unwrap();
    let target = place.path().join("target");
    into(&source, &target, &Options::default()).unwrap();
    let copy = target.join("file");
    let modified = fs::metadata(&copy).unwrap().modified().unwrap();
    let damaged = File::options().write(true).open(&copy).unwrap();
    damaged.write_all_at(b"damage", 5000).unwrap();
    damaged.set_modified(modified).unwrap();
    let fast = into(&source, &target, &Options::default()).unwrap();
    assert_eq!(fast.counts.files_skipped, 1, "size and time are the same");
    let outcome = into(&source, &target, &Options { checksum: true, ..Options::default() }).unwrap();
    assert_eq!(outcome.counts.files_skipped, 0);
    assert_eq!(outcome.items[0].digest, Some(digest_of(&source).unwrap()));
    assert_eq!(digest_of(&copy).unwrap(), digest_of(&source).unwrap());
}

#[test]
fn other_bytes_than_promised_never_get_the_name() {
    let place = TempDir::new().unwrap();
    let (source, other) = (place.path().join("file"), place.path().join("other"));
    fs::write(&source, "some").unwrap();
    fs::write(&other, "else").unwrap();
    let expect = Some(digest_of(&other).unwrap());
    let target = place.path().join("target");
    let error = into(&source, &target, &Options { expect, ..Options::default() }).unwrap_err();
    assert_eq!(error.code(), "digest-mismatch");
    assert!(names(&target).is_empty(), "{:?}", names(&target));
}

#[test]
fn what_is_not_asked_for_is_not_kept() {
    let place = TempDir::new().unwrap();
    let source = tree(place.path());
    let no = false;
    let keep = Keep { permissions: no, times: no, owner: no, xattrs: no, sparse: no, hard_links: no, symlinks: no };
    fs::remove_file(source.join("dangling")).unwrap();
    into(&source, &place.path().join("target"), &Options { keep, ..Options::default() }).unwrap();
    let copy = place.path().join("target/source");
    assert!(fs::symlink_metadata(copy.join("link")).unwrap().is_file(), "what the link points to");
    assert_eq!(fs::metadata(copy.join("second-name")).unwrap().nlink(), 1);
    assert!(fs::metadata(copy.join("inner/page")).unwrap().modified().unwrap().elapsed().unwrap().as_secs() < 3600);
    assert_eq!(fs::metadata(copy.join("inner/deeper/script")).unwrap().mode() & 0o111, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn extended_attributes_are_kept() {
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = place.path().join("file");
    fs::write(&source, "data").unwrap();
    let none = rustix::fs::XattrFlags::empty();
    if rustix::fs::setxattr(&source, "user.offermatch.test", b"value", none).is_err() {
        eprintln!("skipped: this file system has no attributes");
        return;
    }
    into(&source, &place.path().join("target"), &Options::default()).unwrap();
    let mut value = [0; 16];
    let copy = place.path().join("target/file");
    let length = rustix::fs::getxattr(&copy, "user.offermatch.test", value.as_mut_slice()).unwrap();
    assert_eq!(&value[..length], b"value");
}

#[test]
fn a_target_inside_the_source_is_refused() {
    let place = TempDir::new().unwrap();
    let source = tree(place.path());
    for target in [source.clone(), source.join("inner"), source.join("new/newer"), place.path().to_owned()] {
        let error = into(&source, &target, &Options::default()).unwrap_err();
        assert_eq!(error.code(), "target-inside-source", "{}", target.display());
    }
    assert!(!source.join("new").exists(), "nothing is made before the check");
}

#[test]
fn a_missing_source_is_named() {
    let place = TempDir::new().unwrap();
    let error = into(&place.path().join("nothing"), &place.path().join("target"), &Options::default()).unwrap_err();
    assert_eq!(error.code(), "source-vanished");
    assert!(!place.path().join("target").exists());
}

#[test]
fn a_source_that_grows_is_refused_and_left_alone() {
    for engine in ENGINES {
        let place = TempDir::new().unwrap();
        let source = place.path().join("file");
        fs::write(&source, noise(2 << 20)).unwrap();
        let options = Options { bandwidth: Some(4 << 20), ..with(engine) };
        let target = place.path().join("target");
        let result = thread::scope(|scope| {
            let running = scope.spawn(|| into(&source, &target, &options));
            thread::sleep(Duration::from_millis(150));
            File::options().append(true).open(&source).unwrap().write_all(b"more").unwrap();
            running.join().unwrap()
        });
        if is_missing(&result) {
            continue;
        }
        assert_eq!(result.unwrap_err().code(), "source-changed", "{engine:?}");
        assert!(names(&target).is_empty(), "{engine:?} leaves {:?}", names(&target));
        assert_eq!(fs::metadata(&source).unwrap().len(), (2 << 20) + 4);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_source_keeps_its_times_of_access() {
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = tree(place.path());
    // An access before the modification is what a mount with relatime would write down anew.
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    File::open(source.join("inner/odd")).unwrap().set_times(fs::FileTimes::new().set_accessed(old)).unwrap();
    into(&source, &place.path().join("target"), &Options::default()).unwrap();
    assert_eq!(fs::metadata(source.join("inner/odd")).unwrap().accessed().unwrap(), old);
}

#[test]
fn a_source_that_shrinks_is_refused() {
    for engine in ENGINES {
        let place = TempDir::new().unwrap();
        let source = place.path().join("file");
        fs::write(&source, noise(2 << 20)).unwrap();
        let options = Options { bandwidth: Some(4 << 20), depth: 2, ..with(engine) };
        let target = place.path().join("target");
        let result = thread::scope(|scope| {
            let running = scope.spawn(|| into(&source, &target, &options));
            thread::sleep(Duration::from_millis(150));
            File::options().write(true).open(&source).unwrap().set_len(100_000).unwrap();
            running.join().unwrap()
        });
        if is_missing(&result) {
            continue;
        }
        assert_eq!(result.unwrap_err().code(), "source-changed", "{engine:?}");
        assert!(names(&target).is_empty(), "{engine:?} leaves {:?}", names(&target));
    }
}

#[test]
fn a_small_file_rewritten_at_the_same_size_is_refused() {
    for engine in ENGINES {
        let place = TempDir::new().unwrap();
        let source = place.path().join("file");
        fs::write(&source, noise(10_000)).unwrap();
        let options = Options { bandwidth: Some(20_000), ..with(engine) };
        let target = place.path().join("target");
        let result = thread::scope(|scope| {
            let running = scope.spawn(|| into(&source, &target, &options));
            thread::sleep(Duration::from_millis(150));
            File::options().write(true).open(&source).unwrap().write_all_at(&[7; 10_000], 0).unwrap();
            running.join().unwrap()
        });
        if is_missing(&result) {
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.code(), "source-changed", "{engine:?}");
        assert!(error.to_string().ends_with("it was written to"), "{engine:?}: {error}");
        assert!(names(&target).is_empty(), "{engine:?} leaves {:?}", names(&target));
        assert_eq!(fs::read(&source).unwrap(), [7; 10_000]);
    }
}

#[test]
fn a_file_that_vanishes_while_it_is_copied_gets_no_name() {
    for engine in ENGINES {
        for length in [10_000, 2 << 20] {
            let place = TempDir::new().unwrap();
            let source = place.path().join("file");
            fs::write(&source, noise(length)).unwrap();
            let options = Options { bandwidth: Some(2 * length as u64), depth: 2, ..with(engine) };
            let target = place.path().join("target");
            let result = thread::scope(|scope| {
                let running = scope.spawn(|| into(&source, &target, &options));
                thread::sleep(Duration::from_millis(150));
                fs::remove_file(&source).unwrap();
                running.join().unwrap()
            });
            if is_missing(&result) {
                continue;
            }
            match result.unwrap_err() {
                StageError::SourceVanished { path } => assert_eq!(path, source.canonicalize().unwrap_or(source)),
                error => panic!("{engine:?}, {length}: {error}"),
            }
            assert!(names(&target).is_empty(), "{engine:?}, {length} leaves {:?}", names(&target));
        }
    }
}

#[test]
fn a_file_that_vanishes_before_its_turn_ends_the_tree_and_the_next_call_goes_on() {
    let place = TempDir::new().unwrap();
    let source = place.path().join("source");
    fs::create_dir(&source).unwrap();
    // More files than are open at once, so that some are found long before they are opened.
    for number in 0..100 {
        fs::write(source.join(number.to_string()), noise(1000)).unwrap();
    }
    let target = place.path().join("target");
    let slow = Options { bandwidth: Some(100_000), jobs: 1, ..with(None) };
    let error = thread::scope(|scope| {
        let running = scope.spawn(|| into(&source, &target, &slow));
        thread::sleep(Duration::from_millis(300));
        // Which files are copied by now is the file system's affair: all but the first are gone, so some were not.
        for number in 1..100 {
            fs::remove_file(source.join(number.to_string())).unwrap();
        }
        running.join().unwrap().unwrap_err()
    });
    assert_eq!(error.code(), "source-vanished", "{error}");
    assert!(!target.join("source").exists(), "a tree of which something is missing is not visible");
    assert_eq!(fs::read(source.join("0")).unwrap(), noise(1000));
    for number in 1..100 {
        fs::write(source.join(number.to_string()), noise(2000)).unwrap();
    }
    into(&source, &target, &Options::default()).unwrap();
    assert_same(&source, &target.join("source"));
}

#[test]
fn cancel_ends_soon_and_the_next_call_goes_on() {
    let place = TempDir::new().unwrap();
    let source = tree(place.path());
    let target = place.path().join("target");
    let watch = Watch::default();
    let request = Request { sources: vec![source.clone()], target: target.clone(), exact: false };
    let slow = Options { bandwidth: Some(200_000), ..with(None) };
    let begin = Instant::now();
    let error = thread::scope(|scope| {
        let running = scope.spawn(|| stage(&request, &slow, &watch));
        thread::sleep(Duration::from_millis(200));
        watch.cancel();
        running.join().unwrap().unwrap_err()
    });
    assert_eq!(error.code(), "cancelled");
    assert!(begin.elapsed() < Duration::from_secs(3), "it took {:?}", begin.elapsed());
    assert!(!target.join("source").exists());
    into(&source, &target, &Options::default()).unwrap();
    assert_same(&source, &target.join("source"));
}

#[test]
fn a_large_file_goes_on_where_it_stopped() {
    let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let source = place.path().join("large");
    let block = noise(1 << 20);
    let mut file = File::create(&source).unwrap();
    for number in 0..160_u64 {
        file.write_all(&number.to_le_bytes()).unwrap();
        file.write_all(&block).unwrap();
    }
    drop(file);
    let target = place.path().join("target");
    let request = Request { sources: vec![source.clone()], target: target.clone(), exact: false };
    let watch = Watch::default();
    let options = Options { checksum: true, bandwidth: Some(300 << 20), direct: Direct::Always, ..Options::default() };
    let error = thread::scope(|scope| {
        let running = scope.spawn(|| stage(&request, &options, &watch));
        while watch.counts().bytes_done < 100 << 20 {
            thread::sleep(Duration::from_millis(1));
        }
        watch.cancel();
        running.join().unwrap().unwrap_err()
    });
    assert_eq!(error.code(), "cancelled");
    assert!(!target.join("large").exists());
    let watch = Watch::default();
    let outcome = stage(&request, &Options { bandwidth: None, ..options }, &watch).unwrap();
    assert!(outcome.counts.bytes_skipped >= 64 << 20, "only {} bytes were there", outcome.counts.bytes_skipped);
    assert!(watch.take_notices().iter().any(|notice| notice.code == "resumed"));
    assert_eq!(outcome.items[0].digest, Some(digest_of(&source).unwrap()));
    assert_eq!(names(&target), ["large"]);
}

#[test]
fn two_stages_of_one_target_do_not_meet() {
    let place = TempDir::new().unwrap();
    let source = tree(place.path());
    let target = place.path().join("target");
    let slow = Options { bandwidth: Some(2_000_000), ..with(None) };
    thread::scope(|scope| {
        let running = scope.spawn(|| into(&source, &target, &slow));
        thread::sleep(Duration::from_millis(200));
        let error = into(&source, &target, &Options::default()).unwrap_err();
        assert_eq!(error.code(), "target-busy");
        running.join().unwrap().unwrap();
    });
    assert_same(&source, &target.join("source"));
}

#[test]
fn something_else_in_the_place_is_refused() {
    let place = TempDir::new().unwrap();
    let (source, target) = (place.path().join("file"), place.path().join("target"));
    fs::write(&source, "data").unwrap();
    fs::create_dir_all(target.join("file")).unwrap();
    assert_eq!(into(&source, &target, &Options::default()).unwrap_err().code(), "target-conflict");
    let tree = tree(place.path());
    fs::write(target.join("source"), "a file").unwrap();
    assert_eq!(into(&tree, &target, &Options::default()).unwrap_err().code(), "target-conflict");
    assert_eq!(fs::read(target.join("source")).unwrap(), b"a file");
}

#[test]
fn the_rate_is_kept() {
    let place = TempDir::new().unwrap();
    let source = place.path().join("file");
    fs::write(&source, noise(1 << 20)).unwrap();
    let begin = Instant::now();
    into(&source, &place.path().join("target"), &Options { bandwidth: Some(2 << 20), ..with(None) }).unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    assert!(seconds > 0.4, "1 MiB at 2 MiB a second took {seconds} s");
}

//! Staging where the system refuses: a full device, a mount that is read-only, no permission. What needs root says so and is skipped without.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use offermatch_stage::{Engine, Options, Request, StageError, Watch, stage};
use tempfile::TempDir;

/// A small file system in memory, gone with this value.
struct Small(TempDir);

impl Small {
    /// Mounts so many bytes; none without the right to.
    fn mount(bytes: u64) -> Option<Self> {
        let place = TempDir::new().unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]).arg(place.path());
        let mounted = command.output().is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("skipped: only root may mount");
        }
        mounted.then(|| Self(place))
    }

    /// Mounts it again with other options.
    fn remount(&self, options: &str) {
        let mut command = Command::new("mount");
        assert!(command.args(["-o", &format!("remount,{options}")]).arg(self.path()).status().unwrap().success());
    }

    /// Where it is.
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

#[test]
fn a_full_device_leaves_the_source_whole_and_no_half_file() {
    let Some(small) = Small::mount(4 << 20) else { return };
    let place = TempDir::new().unwrap();
    let source = place.path().join("source");
    fs::create_dir(&source).unwrap();
    for number in 0..8 {
        fs::write(source.join(number.to_string()), vec![number; 1 << 20]).unwrap();
    }
    let request = Request { sources: vec![source.clone()], target: small.path().join("target"), exact: false };
    for engine in
        [None, Some(Engine::Blocking), Some(Engine::Tokio), Some(Engine::CopyFileRange), Some(Engine::IoUring)]
    {
        let options = Options { engine, ..Options::default() };
        let error = stage(&request, &options, &Watch::default()).unwrap_err();
        assert_eq!(error.code(), "target-full", "{engine:?}: {error}");
        assert!(!small.path().join("target/source").exists(), "{engine:?}");
    }
    for number in 0..8 {
        assert_eq!(fs::read(source.join(number.to_string())).unwrap(), vec![number; 1 << 20]);
    }
    small.remount("size=16m");
    let outcome = stage(&request, &Options::default(), &Watch::default()).unwrap();
    assert!(outcome.counts.files_skipped > 0, "what fitted is not copied again");
    for number in 0..8 {
        assert_eq!(
            fs::read(small.path().join("target/source").join(number.to_string())).unwrap(),
            vec![number; 1 << 20]
        );
    }
}

#[test]
fn a_read_only_target_is_refused_and_a_read_only_source_is_not() {
    let Some(small) = Small::mount(4 << 20) else { return };
    let place = TempDir::new().unwrap();
    let (plain, tree) = (place.path().join("plain"), place.path().join("tree"));
    fs::create_dir(&tree).unwrap();
    for file in [&plain, &tree.join("file")] {
        fs::write(file, "data").unwrap();
    }
    fs::create_dir(small.path().join("there")).unwrap();
    fs::write(small.path().join("there/plain"), "something older").unwrap();
    small.remount("ro");
    let into = |source: &Path, target: &Path, engine| {
        let request = Request { sources: vec![source.to_owned()], target: target.to_owned(), exact: false };
        stage(&request, &Options { engine, ..Options::default() }, &Watch::default())
    };
    for engine in [None, Some(Engine::Blocking), Some(Engine::Tokio), Some(Engine::CopyFileRange)] {
        for source in [&plain, &tree] {
            for target in [small.path().join("there"), small.path().join("new")] {
                match into(source, &target, engine).unwrap_err() {
                    StageError::PermissionRefused { path, .. } => assert!(path.starts_with(small.path())),
                    error => panic!("{engine:?} into {}: {error}", target.display()),
                }
            }
        }
    }
    assert_eq!(fs::read(&plain).unwrap(), b"data");
    assert_eq!(fs::read(tree.join("file")).unwrap(), b"data");
    assert_eq!(fs::read(small.path().join("there/plain")).unwrap(), b"something older");
    assert_eq!(fs::read_dir(small.path()).unwrap().count(), 1, "nothing new is there");
    into(&small.path().join("there"), &place.path().join("copy"), None).unwrap();
    assert_eq!(fs::read(place.path().join("copy/there/plain")).unwrap(), b"something older");
}

#[test]
fn no_permission_is_an_error_of_its_own() {
    // Root may everything, so the program runs as nobody.
    let place = TempDir::new_in("/tmp").unwrap();
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    open(place.path(), 0o755);
    let program = place.path().join("offermatch");
    // By another process: a program that this one wrote could still be open for writing in a child that another test has
    // just forked, and the kernel would refuse to run it.
    assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_offermatch-stage")).arg(&program).status().unwrap().success());
    open(&program, 0o755);
    let (secret, plain, free, closed) = (
        place.path().join("secret"),
        place.path().join("plain"),
        place.path().join("free"),
        place.path().join("closed"),
    );
    fs::write(&secret, "secret").unwrap();
    open(&secret, 0);
    fs::write(&plain, "plain").unwrap();
    open(&plain, 0o644);
    for folder in [&free, &closed] {
        fs::create_dir(folder).unwrap();
    }
    open(&free, 0o777);
    open(&closed, 0o555);
    for (source, target) in [(&secret, &free), (&plain, &closed)] {
        let mut command = Command::new(&program);
        command.args([source, target]);
        if is_root() {
            command.uid(65534).gid(65534);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.starts_with("error[permission-refused]: no permission to "), "{text}");
        assert!(text.contains("\nhint: "), "{text}");
        assert_eq!(fs::read_dir(target).unwrap().count(), 0);
    }
}

/// Whether this process may do everything.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

//! Components are compiled, and candidates judged, in a process of its own, which is bounded and never outlives its use.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use offermatch::{Limits, Manifest, Matcher, Recorder, Recording, Sample, Settings, Slot, Step, WantedLevel};
use wasm_encoder::{
    CodeSection, ComponentSection, Function, FunctionSection, Module, ModuleSection, TypeSection, ValType,
};

/// The bundled matcher with a further module of some megabytes, which takes seconds to compile.
fn large(folder: &Path) -> PathBuf {
    let mut body = Function::new([]);
    let mut instructions = body.instructions();
    instructions.local_get(0);
    for at in 0..400 {
        // Adds a constant, and the parameter to that.
        instructions.i32_const(at % 60).i32_add().local_get(0).i32_xor();
    }
    instructions.end();
    let (mut types, mut functions, mut code) = (TypeSection::new(), FunctionSection::new(), CodeSection::new());
    types.ty().function([ValType::I32], [ValType::I32]);
    for _ in 0..20_000_000 / body.byte_len() {
        functions.function(0);
        code.function(&body);
    }
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&code);
    let mut component = Matcher::bundled_bytes("best-fit").unwrap().to_vec();
    ModuleSection(&module).append_to_component(&mut component);
    let path = folder.join("large.wasm");
    fs::write(&path, component).unwrap();
    path
}

/// The program, about to inspect a component, with its files in a folder and nothing in the cache.
fn inspecting(folder: &Path, component: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-host"));
    command.arg("inspect").arg(component).env("TMPDIR", folder).env("OFFERMATCH_CACHE", folder.join("cache"));
    command.stdout(Stdio::null());
    command
}

/// What the program says of a component under a limit.
fn inspected(folder: &Path, component: &Path, limit: &str, value: &str) -> Output {
    inspecting(folder, component).env(limit, value).env("RUST_BACKTRACE", "1").output().unwrap()
}

/// Whether a process is there whose job lies in a folder.
fn is_at_work(folder: &Path) -> bool {
    let wanted = format!("OFFERMATCH_COMPILE={}", folder.display());
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .map(|process| fs::read(process.path().join("environ")).unwrap_or_default())
        .any(|environment| environment.split(|&byte| byte == 0).any(|variable| variable.starts_with(wanted.as_bytes())))
}

/// Waits until a process is there whose job lies in a folder, or is there no more.
fn until_at_work(folder: &Path, wanted: bool) {
    let begin = Instant::now();
    while is_at_work(folder) != wanted {
        assert!(begin.elapsed() < Duration::from_secs(60), "a process that compiles: {}", !wanted);
        sleep(Duration::from_millis(10));
    }
}

/// What the program left in its folder but for the component and the cache.
fn left(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"offermatch-"))
        .count()
}

#[test]
fn what_is_compiled_for_too_long_or_needs_too_much_memory_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let component = large(folder.path());
    for (limit, value) in [
        ("compile_milliseconds", "300"),
        ("compile_memory_bytes", "40000000"),
        ("compile_memory_bytes", "5000000"),
        ("compile_memory_bytes", "1"),
    ] {
        let output = inspected(folder.path(), &component, &format!("OFFERMATCH_{}", limit.to_uppercase()), value);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.starts_with("error[limit-component]: "), "{said}");
        assert!(said.contains(&format!("the limit {limit} is {value}")), "{said}");
        until_at_work(folder.path(), false);
        assert_eq!(left(folder.path()), 0);
    }
}

#[test]
fn what_is_compiled_elsewhere_is_kept_and_served() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("best-fit.wasm");
    fs::write(&component, Matcher::bundled_bytes("best-fit").unwrap()).unwrap();
    for _ in 0..2 {
        let output = inspecting(folder.path(), &component).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(fs::read_dir(folder.path().join("cache")).unwrap().count(), 1);
        assert_eq!(left(folder.path()), 0);
    }
}

#[test]
fn what_is_no_component_is_refused_by_its_own_code() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("broken.wasm");
    let bytes = Matcher::bundled_bytes("best-fit").unwrap();
    fs::write(&component, &bytes[..bytes.len() - 7]).unwrap();
    let output = inspecting(folder.path(), &component).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error[component-malformed]: "), "{said}");
}

#[test]
fn the_process_that_compiles_ends_with_the_one_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let component = large(folder.path());
    let mut parent = inspecting(folder.path(), &component).spawn().unwrap();
    until_at_work(folder.path(), true);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until_at_work(folder.path(), false);
}

// ---- candidates ----------------------------------------------------------------------------------------------------

/// A misbehaving matcher of `guest/hostile`, with a manifest that asks for it.
fn candidate(folder: &Path, name: &str) -> PathBuf {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../target/hostile/{name}.wasm"));
    let component = folder.join("candidate.wasm");
    fs::copy(built, &component).expect("run `make hostile`");
    let mut manifest = Manifest::of(&component, &Limits::default()).unwrap();
    manifest.conformance = WantedLevel::Contract;
    let file = folder.join("manifest.json");
    manifest.write(&file).unwrap();
    file
}

/// The program, about to judge what a manifest asks for, with its files in a folder.
fn judging(folder: &Path, manifest: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_offermatch-host"));
    command.arg("swap").arg("--manifest").arg(manifest).env("TMPDIR", folder);
    command.env("OFFERMATCH_CACHE", folder.join("cache")).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What the program says of a candidate that it refuses.
fn refused(mut judging: Command) -> String {
    let output = judging.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_candidate_that_is_judged_elsewhere_is_refused_as_in_this_process() {
    for name in ["wrong-ties", "trap", "over-commit"] {
        let folder = tempfile::tempdir().unwrap();
        let manifest = candidate(folder.path(), name);
        let here = Slot::new(Matcher::reference()).judge(&Manifest::read(&manifest).unwrap()).unwrap_err();
        let said = refused(judging(folder.path(), &manifest));
        assert!(said.starts_with(&format!("error[conformance-failed]: {here}\n")), "{said}");
        assert_eq!(left(folder.path()), 0);
    }
}

#[test]
fn a_candidate_has_to_answer_recordings_elsewhere_too() {
    let folder = tempfile::tempdir().unwrap();
    let (tasks, offers) = "uniform:30x20:2".parse::<Sample>().unwrap().tables().unwrap();
    let (mut pool, recorder) = Recorder::open(&Matcher::reference(), &offers, &Settings::default()).unwrap();
    pool.assign(&tasks).unwrap();
    let mut recording = Recording { name: "thirty".into(), ..recorder.recording() };
    let manifest = candidate(folder.path(), "honest");
    let file = folder.path().join("thirty.recording.json");
    for is_right in [true, false] {
        recording.write(&file).unwrap();
        let mut judging = judging(folder.path(), &manifest);
        judging.arg("--conformance").arg(&file);
        if is_right {
            assert!(judging.status().unwrap().success());
            let Step::Assign { answer: Ok(answer), .. } = &mut recording.steps[0] else { panic!() };
            answer.scores[0] += 1.0;
        } else {
            let said = refused(judging);
            assert!(
                said.contains("error[conformance-failed]: matcher hostile fails conformance case thirty: "),
                "{said}"
            );
        }
    }
}

#[test]
fn a_candidate_that_takes_too_long_to_judge_is_refused_and_its_judge_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = candidate(folder.path(), "spin-assign");
    // From here on only judging it takes time.
    assert!(inspecting(folder.path(), &folder.path().join("candidate.wasm")).status().unwrap().success());
    let mut judging = judging(folder.path(), &manifest);
    judging.env("OFFERMATCH_COMPILE_MILLISECONDS", "500");
    let said = refused(judging);
    assert!(said.starts_with("error[limit-component]: "), "{said}");
    assert!(said.contains("was still being compiled or judged after"), "{said}");
    until_at_work(folder.path(), false);
    assert_eq!(left(folder.path()), 0);
}

#[test]
fn the_judge_ends_with_the_one_that_waits() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = candidate(folder.path(), "spin-assign");
    assert!(inspecting(folder.path(), &folder.path().join("candidate.wasm")).status().unwrap().success());
    let mut parent = judging(folder.path(), &manifest).spawn().unwrap();
    until_at_work(folder.path(), true);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until_at_work(folder.path(), false);
}

//! Components that are not as they should be, made from the contract's own text.

use wasm_encoder::{ComponentSection, ComponentSectionId, InstanceSection, ModuleArg, RawSection};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, PackageId, Resolve, WorldId};

/// Contract 0.2.0, whose types take the least of a hand-written module.
pub(crate) const CONTRACT: &str = include_str!("../../../../wit/since-0.2.0/matcher.wit");
/// The folders of the interfaces that it may import, each after those it uses.
const IMPORTS: [&str; 2] = ["wasi-clocks-0.2.0", "wasi-otel-0.2.0-rc.2"];

/// A component of a world in which every function traps.
pub(crate) fn trapping(wit: &str) -> Vec<u8> {
    let (resolve, world) = resolved(wit);
    let module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    component(module, &resolve, world)
}

/// What a scripted matcher does when it is called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    /// The contract version that it claims to speak; as long as the real one.
    pub(crate) claims: &'static str,
    /// The answer to every `assign`: task rows, offer rows and scores.
    pub(crate) answer: (Vec<u32>, Vec<u32>, Vec<f64>),
    /// Whether `assign` traps.
    pub(crate) traps: bool,
    /// Whether it says that it has no exclusive mode.
    pub(crate) shared_only: bool,
    /// Whether `update` refuses row 7 as repeated.
    pub(crate) refuses_updates: bool,
    /// Whether it has another name whenever it is asked.
    pub(crate) changes_name: bool,
    /// Whether its name is empty.
    pub(crate) is_nameless: bool,
}

/// A matcher that describes itself well and then follows a script.
pub(crate) fn scripted(script: &Script) -> Vec<u8> {
    let claims = if script.claims.is_empty() { "0.2.0" } else { script.claims };
    assert_eq!(claims.len(), 5, "the text of the module has room for five characters");
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>();
    let u32s = |column: &[u32]| hex(column.iter().flat_map(|value| value.to_le_bytes()).collect());
    let f64s = |column: &[f64]| hex(column.iter().flat_map(|value| value.to_le_bytes()).collect());
    // Where each column of the answer stands, in bytes.
    let (tasks_at, offers_at, scores_at) = (1 << 17, 2 << 17, 3 << 17);
    let record = [
        tasks_at,
        script.answer.0.len() as u32,
        offers_at,
        script.answer.1.len() as u32,
        scores_at,
        script.answer.2.len() as u32,
    ];
    let modes = if script.shared_only { (526, 1) } else { (525, 2) };
    let interface = "offermatch:matcher/matching@0.2.0";
    let renamed = if script.changes_name {
        "(i32.store8 (i32.const 512) (i32.add (i32.load8_u (i32.const 512)) (i32.const 1)))"
    } else {
        ""
    };
    let assign = if script.traps { "unreachable" } else { "i32.const 2048" };
    let update = if script.refuses_updates { "i32.const 3072" } else { "i32.const 3584" };
    let columns = "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)";
    // Results: discriminant at 0, payload at 8. Strings of the description stand at 512.
    let text = format!(
        r#"(module
          (import "[export]{interface}" "[resource-new]pool" (func $new (param i32) (result i32)))
          (memory (export "memory") 64)
          (global $free (mut i32) (i32.const 655360))
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
            (global.set $free (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
          (func (export "{interface}#describe") (result i32) {renamed} (i32.const 256))
          (func (export "{interface}#set-traced") (param i32))
          (func (export "{interface}#[static]pool.open") (param i32) (result i32)
            (i32.store (i32.const 1032) (call $new (i32.const 1)))
            (i32.const 1024))
          (func (export "{interface}#[method]pool.assign") {columns} (result i32) {assign})
          (func (export "{interface}#[method]pool.update") (param i32) (result i32) {update})
          (func (export "{interface}#[method]pool.explain") {columns} (result i32) (i32.const 3712))
          (data (i32.const 256) "{description}")
          (data (i32.const 512) "liar{claims}lies\00\01")
          (data (i32.const 2056) "{record}")
          (data (i32.const 3072) "\01\00\00\00\00\00\00\00\04\00\00\00\00\00\00\00\07\00\00\00")
          (data (i32.const {tasks_at}) "{tasks}")
          (data (i32.const {offers_at}) "{offers}")
          (data (i32.const {scores_at}) "{scores}"))"#,
        // name, version, policy, contract, modes: pointer and length of each.
        description = u32s(&[512, if script.is_nameless { 0 } else { 4 }, 516, 5, 521, 4, 516, 5, modes.0, modes.1]),
        record = u32s(&record),
        tasks = u32s(&script.answer.0),
        offers = u32s(&script.answer.1),
        scores = f64s(&script.answer.2),
    );
    let (resolve, world) = resolved(CONTRACT);
    component(wat::parse_str(text).expect("the module is well-formed"), &resolve, world)
}

/// The world `matcher` of a WIT text, or the only one.
fn resolved(wit: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    for imported in IMPORTS {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit/since-0.2.0/deps").to_owned() + "/" + imported;
        resolve.push_dir(folder).expect("the WIT is well-formed");
    }
    let package: PackageId = resolve.push_str("matcher.wit", wit).expect("the WIT is well-formed");
    let matcher = wit.contains("world matcher {").then_some("matcher");
    let world = resolve.select_world(&[package], matcher).expect("the WIT has the world");
    (resolve, world)
}

/// A module as a component of a world.
fn component(mut module: Vec<u8>, resolve: &Resolve, world: WorldId) -> Vec<u8> {
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).expect("the world can be embedded");
    let encoder = ComponentEncoder::default().validate(true);
    encoder.module(&module).expect("the module fits the world").encode().expect("the component is well-formed")
}

/// A component with so many more core instances of a module that nothing of it uses.
pub(crate) fn with_instances(mut component: Vec<u8>, module: &str, count: usize) -> Vec<u8> {
    let (mut depth, mut modules) = (0, 0);
    for payload in Parser::new(0).parse_all(&component) {
        match payload.expect("the component is well-formed") {
            Payload::ModuleSection { .. } => {
                modules += u32::from(depth == 0);
                depth += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            _ => {}
        }
    }
    let module = wat::parse_str(module).expect("the module is well-formed");
    RawSection { id: ComponentSectionId::CoreModule.into(), data: &module }.append_to_component(&mut component);
    let mut instances = InstanceSection::new();
    for _ in 0..count {
        instances.instantiate(modules, Vec::<(&str, ModuleArg)>::new());
    }
    instances.append_to_component(&mut component);
    component
}

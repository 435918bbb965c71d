//! From bytes to a component that is known to be a matcher.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre, Linker};

use crate::error::Error;
use crate::limits::Limits;
use crate::reading;
use crate::registry;
use crate::trust::Trust;
use crate::wasm::cache::Cache;
use crate::wasm::contract::{self, Contract};
use crate::wasm::elsewhere::{self, late, unwanted};
use crate::wasm::exports::Indices;
use crate::wasm::state::HostState;
use crate::wasm::{engine, spans};

/// What the interfaces of WASI begin with.
const WASI: &str = "wasi:";
/// After so long a wait for the compiler looks whether it is to end.
const SLICE: Duration = Duration::from_millis(20);

/// The bytes of a component in a file or a registry, never more than one above the limit, and what errors call it.
///
/// # Errors
/// [`Error::ComponentUnreadable`], [`Error::LimitExceeded`], those of [`registry::local`] and, with a trust in force, those of
/// [`read_trusted`].
pub(crate) fn read(path: &Path, limits: &Limits) -> Result<(Vec<u8>, String), Error> {
    match Trust::in_force()? {
        Some(trust) => read_trusted(path, &trust, limits),
        None => read_any(&registry::local(path, limits)?, limits),
    }
}

/// As [`read`], of a component that a key in use signed.
///
/// # Errors
/// [`Error::SignatureRefused`], and those of [`read`].
pub(crate) fn read_trusted(path: &Path, trust: &Trust, limits: &Limits) -> Result<(Vec<u8>, String), Error> {
    let path = registry::local(path, limits)?;
    let (bytes, origin) = read_any(&path, limits)?;
    trust.require(&bytes, &path)?;
    Ok((bytes, origin))
}

/// As [`read`], whoever made it.
fn read_any(path: &Path, limits: &Limits) -> Result<(Vec<u8>, String), Error> {
    let origin = path.display().to_string();
    let read = reading::read_up_to(path, limits.component_bytes);
    let (bytes, size) = read.map_err(|error| Error::ComponentUnreadable { path: origin.clone(), error })?;
    limits.check_size(bytes.len() as u64, size, &origin)?;
    Ok((bytes, origin))
}

/// Compiles the bytes of a component for the engine of these limits, or takes from the cache what they were compiled to before.
/// In a process of its own, where the program has asked for that.
///
/// # Errors
/// [`Error::InstanceUnavailable`] when nobody waits for it any more, [`Error::ComponentMalformed`], naming what the bytes are
/// instead, [`Error::CompilerFailed`] and [`Error::LimitExceeded`].
pub(crate) fn compile(bytes: &[u8], origin: &str, limits: &Limits, cache: &Cache) -> Result<Component, Error> {
    let malformed = |reason: String| Error::ComponentMalformed { origin: origin.to_owned(), reason };
    match bytes {
        [b'\0', b'a', b's', b'm', version @ ..] => match version {
            [1, 0, 0, 0, ..] => return Err(malformed("it is a core module".to_owned())),
            [_, _, 1, 0, ..] => {}
            [_, _, _, _, ..] => return Err(malformed("its WebAssembly version is unknown".to_owned())),
            _ => return Err(malformed(format!("it ends after {} bytes", bytes.len()))),
        },
        [] => return Err(malformed("it is empty".to_owned())),
        _ => return Err(malformed("it is not WebAssembly".to_owned())),
    }
    limits.check_size(bytes.len() as u64, bytes.len() as u64, origin)?;
    let engine = engine::of(limits);
    let Some(program) = elsewhere::program() else { return compile_here(bytes, origin, limits, cache) };
    if let Some(component) = cache.kept(engine, bytes) {
        return Ok(component);
    }
    let ended = match elsewhere::compiled(program, bytes, limits) {
        Ok(Ok(component)) => {
            if let Err(reason) = cache.keep(engine, bytes, &component) {
                tracing::debug!(origin, reason, "compiled component not kept");
            }
            return Ok(component);
        }
        Ok(Err(reason)) => return Err(malformed(reason)),
        Err(ended) => ended,
    };
    match ended.error("the compiler", origin, limits) {
        Ok(error) => Err(error),
        Err(unavailable) => {
            tracing::warn!(origin, %unavailable, "compiled in this process, without a bound on memory");
            compile_here(bytes, origin, limits, cache)
        }
    }
}

/// Compiles a component on a thread of this process.
///
/// A compiler cannot be stopped: one that takes too long goes on in its thread, and what it makes is thrown away.
fn compile_here(bytes: &[u8], origin: &str, limits: &Limits, cache: &Cache) -> Result<Component, Error> {
    let malformed = |reason: String| Error::ComponentMalformed { origin: origin.to_owned(), reason };
    let (engine, bytes, cache): (_, Arc<[u8]>, _) = (engine::of(limits), bytes.into(), cache.clone());
    let (sender, receiver) = channel();
    let begin = Instant::now();
    let compiler = std::thread::Builder::new().name("offermatch-compile".to_owned());
    // Nobody listens any more to one that comes too late. What a panic leaves of the cache is not looked at.
    let run = AssertUnwindSafe(move || cache.component(engine, &bytes));
    let started = compiler.spawn(move || drop(sender.send(catch_unwind(run))));
    started.map_err(|error| malformed(format!("there is no thread to compile it on: {error}")))?;
    let most = Duration::from_millis(limits.compile_milliseconds);
    let compiled = loop {
        match receiver.recv_timeout(most.saturating_sub(begin.elapsed()).min(SLICE)) {
            Ok(compiled) => break compiled,
            Err(RecvTimeoutError::Timeout) if elsewhere::is_stopped() => return Err(unwanted(origin)),
            Err(RecvTimeoutError::Timeout) if begin.elapsed() >= most => {
                return Err(late(begin.elapsed(), origin, limits));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => unreachable!("a panic is caught and sent"),
        }
    };
    let compiled =
        compiled.map_err(|panic| elsewhere::gave_up("the compiler", &elsewhere::words_of(&*panic), origin))?;
    let (component, source) = compiled.map_err(|error| malformed(error.root_cause().to_string()))?;
    tracing::debug!(origin, ?source, "component compiled");
    Ok(component)
}

/// The names of what a component imports and exports, each interface with the functions and types in it.
pub(crate) struct Face {
    pub(crate) imports: Vec<(String, Vec<String>)>,
    pub(crate) exports: Vec<(String, Vec<String>)>,
}

/// What a component imports and exports.
pub(crate) fn face(component: &Component) -> Face {
    let engine = component.engine();
    let items = |item: ComponentItem| match item {
        ComponentItem::ComponentInstance(instance) => {
            instance.exports(engine).map(|(name, _)| name.to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let face = component.component_type();
    Face {
        imports: face.imports(engine).map(|(name, item)| (name.to_owned(), items(item.ty))).collect(),
        exports: face.exports(engine).map(|(name, item)| (name.to_owned(), items(item.ty))).collect(),
    }
}

/// A component that is linked as a matcher, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Linked {
    /// Linked with what it imports.
    pub(crate) pre: InstancePre<HostState>,
    pub(crate) indices: Indices,
    /// The contract that it speaks.
    pub(crate) contract: &'static Contract,
    /// Whether it gets an empty WASI.
    pub(crate) wasi: bool,
}

/// Links a component as a matcher.
///
/// # Errors
/// [`Error::WrongWorld`] and [`Error::ContractVersion`].
pub(crate) fn link(component: &Component, origin: &str) -> Result<Linked, Error> {
    let wrong = |reason: String| Error::WrongWorld { origin: origin.to_owned(), reason };
    let contract = spoken(component, origin)?;
    let mut linker = Linker::new(component.engine());
    let Imports { tracing, wasi, foreign } = imports(component, contract);
    if !foreign.is_empty() {
        let imports = foreign.join(", ");
        let may = contract.tracing.map_or_else(String::new, |tracing| format!("{tracing} and "));
        let version = contract.version;
        return Err(wrong(format!(
            "it imports {imports}, and a matcher of contract {version} may import nothing but {may}an empty wasi"
        )));
    }
    if wasi {
        link_wasi(&mut linker).map_err(|error| wrong(format!("there is no wasi for it: {error:#}")))?;
    }
    if tracing {
        let added = spans::add_to_linker(&mut linker, |state: &mut HostState| &mut state.spans);
        added.map_err(|error| wrong(format!("there is no tracing for it: {error:#}")))?;
    }
    let linked = linker.instantiate_pre(component).and_then(|pre| Ok((pre, Indices::of(component, contract)?)));
    let (pre, indices) = linked
        .map_err(|error| wrong(format!("its imports or exports are not those of {}: {error:#}", contract::WORLD)))?;
    Ok(Linked { pre, indices, contract, wasi })
}

/// Puts an empty WASI into a linker.
#[cfg(feature = "wasi")]
fn link_wasi(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    crate::wasm::lockdown::add_to_linker(linker)
}

/// Says that there is no WASI.
#[cfg(not(feature = "wasi"))]
fn link_wasi(_: &mut Linker<HostState>) -> wasmtime::Result<()> {
    wasmtime::bail!("this program was built without the feature wasi of the crate offermatch")
}

/// The newest contract that a component speaks and this host serves.
fn spoken(component: &Component, origin: &str) -> Result<&'static Contract, Error> {
    let exports = face(component).exports;
    let names: Vec<&str> = exports.iter().map(|(name, _)| name.as_str()).collect();
    let versions: Vec<&str> = names.iter().filter_map(|name| contract::interface_version(name)).collect();
    let Some(found) = versions.first() else {
        let interface = format!("{}@{}", contract::INTERFACE, contract::CONTRACT);
        let exports = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let reason = format!("it does not export {interface}; it exports {exports}");
        return Err(Error::WrongWorld { origin: origin.to_owned(), reason });
    };
    contract::newest_served(&versions).ok_or_else(|| version_error(origin, found))
}

/// What a component imports, by who has it.
struct Imports {
    /// Whether it tells of its work.
    tracing: bool,
    /// Whether it gets an empty WASI.
    wasi: bool,
    foreign: Vec<String>,
}

/// Sorts what a component imports.
fn imports(component: &Component, contract: &Contract) -> Imports {
    let engine = component.engine();
    let mut found = Imports { tracing: false, wasi: false, foreign: Vec::new() };
    for (name, item) in component.component_type().imports(engine) {
        // An interface of which only types are used asks for nothing.
        let asks = !matches!(&item.ty, ComponentItem::ComponentInstance(instance)
            if instance.exports(engine).all(|(_, item)| matches!(item.ty, ComponentItem::Type(_))));
        if Some(name) == contract.tracing {
            found.tracing = true;
        } else if !name.starts_with(WASI) || asks && spans::is_telemetry(name) {
            found.foreign.push(name.to_owned());
        } else {
            found.wasi |= asks;
        }
    }
    found
}

/// The error of a contract version that this host does not serve.
pub(crate) fn version_error(origin: &str, found: &str) -> Error {
    Error::ContractVersion { origin: origin.to_owned(), found: found.to_owned(), served: contract::SERVED }
}

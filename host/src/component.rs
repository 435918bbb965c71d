//! From bytes to a component that is known to be a matcher.

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::bindings::MatcherPre;
use crate::cache::Cache;
use crate::contract;
use crate::error::Error;
use crate::instance::HostState;
use crate::limits::Limits;
use crate::{engine, lockdown};

/// Compiles the bytes of a component for the engine of these limits, or takes from the cache what they were compiled to before.
///
/// # Errors
/// [`Error::ComponentMalformed`], naming what the bytes are instead.
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
    let compiled = cache.component(engine::of(limits), bytes);
    let (component, source) = compiled.map_err(|error| malformed(error.root_cause().to_string()))?;
    tracing::debug!(origin, ?source, "component compiled");
    Ok(component)
}

/// The names of what a component imports and exports, each interface with the functions and types in it.
pub(crate) struct Face {
    /// Imports.
    pub(crate) imports: Vec<(String, Vec<String>)>,
    /// Exports.
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
    /// Type-checked, with what it imports.
    pub(crate) pre: MatcherPre<HostState>,
    /// Whether it gets an empty WASI.
    pub(crate) wasi: bool,
}

/// Links a component as a matcher.
///
/// # Errors
/// [`Error::WrongWorld`] and [`Error::ContractVersion`].
pub(crate) fn link(component: &Component, origin: &str) -> Result<Linked, Error> {
    let wrong = |reason: String| Error::WrongWorld { origin: origin.to_owned(), reason };
    let face = face(component);
    let names = |items: &[(String, Vec<String>)]| {
        let names: Vec<&str> = items.iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let mut versions = face.exports.iter().filter_map(|(name, _)| contract::interface_version(name)).peekable();
    let Some(&found) = versions.peek() else {
        let interface = format!("{}@{}", contract::INTERFACE, contract::CONTRACT);
        return Err(wrong(format!("it does not export {interface}; it exports {}", names(&face.exports))));
    };
    if !versions.any(contract::is_served) {
        return Err(version_error(origin, found));
    }
    let (wasi, foreign): (Vec<_>, Vec<_>) = face.imports.into_iter().partition(|(name, _)| lockdown::is_wasi(name));
    if !foreign.is_empty() {
        let imports = names(&foreign);
        return Err(wrong(format!("it imports {imports}, and a matcher may import nothing but an empty wasi")));
    }
    let wasi = !wasi.is_empty();
    let mut linker = Linker::new(component.engine());
    if wasi {
        lockdown::add_to_linker(&mut linker).map_err(|error| wrong(format!("there is no wasi for it: {error:#}")))?;
    }
    let pre = linker.instantiate_pre(component).and_then(MatcherPre::new);
    let pre =
        pre.map_err(|error| wrong(format!("its imports or exports are not those of {}: {error:#}", contract::WORLD)))?;
    Ok(Linked { pre, wasi })
}

/// The error of a contract version that this host does not serve.
pub(crate) fn version_error(origin: &str, found: &str) -> Error {
    Error::ContractVersion { origin: origin.to_owned(), found: found.to_owned(), served: contract::SERVED }
}

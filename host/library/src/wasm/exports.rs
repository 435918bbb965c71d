//! The functions of a matcher, whichever contract it speaks.
//!
//! The generated bindings look for functions under the name of one version. Those of the versions before have the same types,
//! so they are found here by the version at hand, and their types are checked against the current ones.

use wasmtime::component::{Component, ComponentExportIndex, Func, Instance, ResourceAny};
use wasmtime::{Store, format_err};

use crate::wasm::bindings::exports::offermatch::matcher::matching::{
    Assignments, Changes, Description, Error, Explanations, OfferTable, Settings, Shape, TaskTable,
};
use crate::wasm::contract::{self, Contract};
use crate::wasm::state::HostState;

/// What a call gives: an answer or a refusal of the contract, or what went wrong on the way.
pub(crate) type Called<T> = wasmtime::Result<Result<T, Error>>;

/// Where the functions of a matcher are in its component.
#[derive(Clone)]
pub(crate) struct Indices {
    /// `describe`
    describe: ComponentExportIndex,
    /// `pool.open`
    open: ComponentExportIndex,
    /// `pool.assign`
    assign: ComponentExportIndex,
    /// `pool.update`
    update: ComponentExportIndex,
    /// `pool.explain`
    explain: ComponentExportIndex,
    /// `set-traced`, in contracts that have it
    set_traced: Option<ComponentExportIndex>,
}

impl Indices {
    /// Finds the functions of a component that speaks a contract.
    ///
    /// # Errors
    /// When one is missing.
    pub(crate) fn of(component: &Component, contract: &Contract) -> wasmtime::Result<Self> {
        let interface = format!("{}@{}", contract::INTERFACE, contract.version);
        let exported = component.get_export_index(None, &interface);
        let find = |name: &str| {
            let found = component.get_export_index(exported.as_ref(), name);
            found.ok_or_else(|| format_err!("its {interface} has no {name}"))
        };
        Ok(Self {
            describe: find("describe")?,
            open: find("[static]pool.open")?,
            assign: find("[method]pool.assign")?,
            update: find("[method]pool.update")?,
            explain: find("[method]pool.explain")?,
            set_traced: contract.tracing.map(|_| find("set-traced")).transpose()?,
        })
    }
}

/// The functions of an instance.
pub(crate) struct Exports {
    /// `describe`
    describe: Func,
    /// `pool.open`
    open: Func,
    /// `pool.assign`
    assign: Func,
    /// `pool.update`
    update: Func,
    /// `pool.explain`
    explain: Func,
    /// `set-traced`, in contracts that have it
    set_traced: Option<Func>,
}

impl Exports {
    /// The functions of an instance.
    ///
    /// # Errors
    /// When one has other types than the contract says.
    pub(crate) fn new(store: &mut Store<HostState>, instance: &Instance, indices: &Indices) -> wasmtime::Result<Self> {
        let mut find = |name: &str, index| {
            instance.get_func(&mut *store, index).ok_or_else(|| format_err!("its {name} is no function"))
        };
        let found = Self {
            describe: find("describe", &indices.describe)?,
            open: find("[static]pool.open", &indices.open)?,
            assign: find("[method]pool.assign", &indices.assign)?,
            update: find("[method]pool.update", &indices.update)?,
            explain: find("[method]pool.explain", &indices.explain)?,
            set_traced: indices.set_traced.as_ref().map(|index| find("set-traced", index)).transpose()?,
        };
        found.check(store)?;
        Ok(found)
    }

    /// Checks the types, so that no call finds them wrong.
    fn check(&self, store: &Store<HostState>) -> wasmtime::Result<()> {
        self.describe.typed::<(), (Description,)>(store)?;
        self.open.typed::<(Shape, OfferTable<'_>, Settings<'_>), (Result<ResourceAny, Error>,)>(store)?;
        self.assign.typed::<(ResourceAny, TaskTable<'_>), (Result<Assignments, Error>,)>(store)?;
        self.update.typed::<(ResourceAny, Changes<'_>), (Result<(), Error>,)>(store)?;
        self.explain.typed::<(ResourceAny, TaskTable<'_>), (Result<Explanations, Error>,)>(store)?;
        if let Some(set_traced) = &self.set_traced {
            set_traced.typed::<(bool,), ()>(store)?;
        }
        Ok(())
    }

    /// `describe`
    pub(crate) fn call_describe(&self, store: &mut Store<HostState>) -> wasmtime::Result<Description> {
        let (description,) = self.describe.typed::<(), (Description,)>(&*store)?.call(store, ())?;
        Ok(description)
    }

    /// `pool.open`
    pub(crate) fn call_open(
        &self,
        store: &mut Store<HostState>,
        shape: Shape,
        offers: OfferTable<'_>,
        settings: Settings<'_>,
    ) -> Called<ResourceAny> {
        let function = self.open.typed::<(Shape, OfferTable<'_>, Settings<'_>), (_,)>(&*store)?;
        Ok(function.call(store, (shape, offers, settings))?.0)
    }

    /// `pool.assign`
    pub(crate) fn call_assign(
        &self,
        store: &mut Store<HostState>,
        pool: ResourceAny,
        tasks: TaskTable<'_>,
    ) -> Called<Assignments> {
        let function = self.assign.typed::<(ResourceAny, TaskTable<'_>), (_,)>(&*store)?;
        Ok(function.call(store, (pool, tasks))?.0)
    }

    /// `pool.update`
    pub(crate) fn call_update(
        &self,
        store: &mut Store<HostState>,
        pool: ResourceAny,
        changes: Changes<'_>,
    ) -> Called<()> {
        let function = self.update.typed::<(ResourceAny, Changes<'_>), (_,)>(&*store)?;
        Ok(function.call(store, (pool, changes))?.0)
    }

    /// `pool.explain`
    pub(crate) fn call_explain(
        &self,
        store: &mut Store<HostState>,
        pool: ResourceAny,
        tasks: TaskTable<'_>,
    ) -> Called<Explanations> {
        let function = self.explain.typed::<(ResourceAny, TaskTable<'_>), (_,)>(&*store)?;
        Ok(function.call(store, (pool, tasks))?.0)
    }

    /// Whether the contract has `set-traced`.
    pub(crate) fn can_trace(&self) -> bool {
        self.set_traced.is_some()
    }

    /// `set-traced`; nothing where the contract has none.
    pub(crate) fn call_set_traced(&self, store: &mut Store<HostState>, traced: bool) -> wasmtime::Result<()> {
        match &self.set_traced {
            Some(function) => function.typed::<(bool,), ()>(&*store)?.call(store, (traced,)),
            None => Ok(()),
        }
    }
}

//! The functions of a matcher, whichever contract it speaks: the model goes in and comes out.

use offermatch_core::{Assignments, Changes, OfferTable, Plan, RunningTable, Settings, Shape, TaskTable};
use wasmtime::component::{Component, ComponentExportIndex, Func, Instance, ResourceAny};
use wasmtime::{Store, format_err};

use crate::pool::counts::Counts;
use crate::pool::description::Description;
use crate::wasm::bindings::current::exports::offermatch::matcher::{matching, preemption};
use crate::wasm::bindings::since_0_2_0::exports::offermatch::matcher::matching as before;
use crate::wasm::contract::{self, Contract};
use crate::wasm::refusal::Refused;
use crate::wasm::state::HostState;
use crate::wasm::{current, since_0_2_0};

/// What a call gives: an answer or a refusal, or what went wrong on the way.
pub(crate) type Called<T> = wasmtime::Result<Result<T, Refused>>;

/// Where the functions of a matcher are in its component.
#[derive(Clone)]
pub(crate) struct Indices {
    /// The contract that they are of.
    contract: &'static Contract,
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
    /// `preempt`, of matchers that have it
    preempt: Option<ComponentExportIndex>,
}

impl Indices {
    /// Finds the functions of a component that speaks a contract.
    ///
    /// # Errors
    /// When one is missing.
    pub(crate) fn of(component: &Component, contract: &'static Contract) -> wasmtime::Result<Self> {
        let exported = |interface: &str| {
            let face = component.component_type();
            let name = face.exports(component.engine()).map(|(name, _)| name.to_owned());
            name.into_iter().find(|name| contract.names(interface, name))
        };
        let missing = || format_err!("it has no {}@{}", contract::INTERFACE, contract.version);
        let interface = exported(contract::INTERFACE).ok_or_else(missing)?;
        let instance = component.get_export_index(None, &interface);
        let find = |name: &str| {
            let found = component.get_export_index(instance.as_ref(), name);
            found.ok_or_else(|| format_err!("its {interface} has no {name}"))
        };
        let preempt = |interface: String| {
            let instance = component.get_export_index(None, &interface);
            let found = component.get_export_index(instance.as_ref(), "preempt");
            found.ok_or_else(|| format_err!("its {interface} has no preempt"))
        };
        Ok(Self {
            contract,
            describe: find("describe")?,
            open: find("[static]pool.open")?,
            assign: find("[method]pool.assign")?,
            update: find("[method]pool.update")?,
            explain: find("[method]pool.explain")?,
            set_traced: contract.tracing.map(|_| find("set-traced")).transpose()?,
            preempt: exported(contract::PREEMPTION).filter(|_| contract.is_current).map(preempt).transpose()?,
        })
    }
}

/// The functions of an instance.
pub(crate) struct Exports {
    /// The contract that they are of.
    contract: &'static Contract,
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
    /// `preempt`, of matchers that have it
    preempt: Option<Func>,
}

/// Calls a function of the contract at hand with arguments and results of these types, and gives its result.
macro_rules! call {
    ($function:expr, $store:expr, ($($argument:ty),*), $result:ty, ($($given:expr),*)) => {
        $function.typed::<($($argument,)*), ($result,)>(&*$store)?.call(&mut *$store, ($($given,)*))?.0
    };
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
            contract: indices.contract,
            describe: find("describe", &indices.describe)?,
            open: find("[static]pool.open", &indices.open)?,
            assign: find("[method]pool.assign", &indices.assign)?,
            update: find("[method]pool.update", &indices.update)?,
            explain: find("[method]pool.explain", &indices.explain)?,
            set_traced: indices.set_traced.as_ref().map(|index| find("set-traced", index)).transpose()?,
            preempt: indices.preempt.as_ref().map(|index| find("preempt", index)).transpose()?,
        };
        found.check(store)?;
        Ok(found)
    }

    /// Checks the types, so that no call finds them wrong.
    fn check(&self, store: &Store<HostState>) -> wasmtime::Result<()> {
        if let Some(set_traced) = &self.set_traced {
            set_traced.typed::<(bool,), ()>(store)?;
        }
        if !self.contract.is_current {
            use before::{
                Assignments, Changes, Description, Error, Explanations, OfferTable, Settings, Shape, TaskTable,
            };
            self.describe.typed::<(), (Description,)>(store)?;
            self.open.typed::<(Shape, OfferTable<'_>, Settings<'_>), (Result<ResourceAny, Error>,)>(store)?;
            self.assign.typed::<(ResourceAny, TaskTable<'_>), (Result<Assignments, Error>,)>(store)?;
            self.update.typed::<(ResourceAny, Changes<'_>), (Result<(), Error>,)>(store)?;
            self.explain.typed::<(ResourceAny, TaskTable<'_>), (Result<Explanations, Error>,)>(store)?;
            return Ok(());
        }
        use matching::{
            Assignments, Changes, Description, Error, Explanations, OfferTable, Settings, Shape, TaskTable,
        };
        self.describe.typed::<(), (Description,)>(store)?;
        self.open.typed::<(Shape, OfferTable<'_>, Settings<'_>), (Result<ResourceAny, Error>,)>(store)?;
        self.assign.typed::<(ResourceAny, TaskTable<'_>), (Result<Assignments, Error>,)>(store)?;
        self.update.typed::<(ResourceAny, Changes<'_>), (Result<(), Error>,)>(store)?;
        self.explain.typed::<(ResourceAny, TaskTable<'_>), (Result<Explanations, Error>,)>(store)?;
        if let Some(preempt) = &self.preempt {
            type Arguments<'a> = (ResourceAny, TaskTable<'a>, &'a [i32], preemption::RunningTable<'a>);
            preempt.typed::<Arguments<'_>, (Result<preemption::Plan, Error>,)>(store)?;
        }
        Ok(())
    }

    /// `describe`
    pub(crate) fn call_describe(&self, store: &mut Store<HostState>) -> wasmtime::Result<Description> {
        if self.contract.is_current {
            let said = call!(self.describe, store, (), matching::Description, ());
            return Ok(current::description(said, self.preempt.is_some()));
        }
        Ok(since_0_2_0::description(call!(self.describe, store, (), before::Description, ())))
    }

    /// `pool.open`
    pub(crate) fn call_open(
        &self,
        store: &mut Store<HostState>,
        shape: Shape,
        offers: &OfferTable,
        settings: &Settings,
    ) -> Called<ResourceAny> {
        if self.contract.is_current {
            let given = (current::shape(shape), current::offers(offers), current::settings(settings));
            let opened = call!(
                self.open,
                store,
                (matching::Shape, matching::OfferTable<'_>, matching::Settings<'_>),
                Result<ResourceAny, matching::Error>,
                (given.0, given.1, given.2)
            );
            return Ok(opened.map_err(Refused::from));
        }
        let given = (since_0_2_0::shape(shape), since_0_2_0::offers(offers), since_0_2_0::settings(settings));
        let opened = call!(
            self.open,
            store,
            (before::Shape, before::OfferTable<'_>, before::Settings<'_>),
            Result<ResourceAny, before::Error>,
            (given.0, given.1, given.2)
        );
        Ok(opened.map_err(Refused::from))
    }

    /// `pool.assign`
    pub(crate) fn call_assign(
        &self,
        store: &mut Store<HostState>,
        pool: ResourceAny,
        tasks: &TaskTable,
    ) -> Called<Assignments> {
        if self.contract.is_current {
            type Answer = Result<matching::Assignments, matching::Error>;
            let lent = current::tasks(tasks);
            let answer = call!(self.assign, store, (ResourceAny, matching::TaskTable<'_>), Answer, (pool, lent));
            return Ok(answer.map(current::assignments).map_err(Refused::from));
        }
        type Answer = Result<before::Assignments, before::Error>;
        let excludes = since_0_2_0::excludes(tasks);
        let lent = since_0_2_0::tasks(tasks, &excludes);
        let answer = call!(self.assign, store, (ResourceAny, before::TaskTable<'_>), Answer, (pool, lent));
        Ok(answer.map(since_0_2_0::assignments).map_err(Refused::from))
    }

    /// `pool.update`
    pub(crate) fn call_update(&self, store: &mut Store<HostState>, pool: ResourceAny, changes: &Changes) -> Called<()> {
        if self.contract.is_current {
            type Answer = Result<(), matching::Error>;
            let lent = current::changes(changes);
            let answer = call!(self.update, store, (ResourceAny, matching::Changes<'_>), Answer, (pool, lent));
            return Ok(answer.map_err(Refused::from));
        }
        type Answer = Result<(), before::Error>;
        let lent = since_0_2_0::changes(changes);
        let answer = call!(self.update, store, (ResourceAny, before::Changes<'_>), Answer, (pool, lent));
        Ok(answer.map_err(Refused::from))
    }

    /// `pool.explain`
    pub(crate) fn call_explain(
        &self,
        store: &mut Store<HostState>,
        pool: ResourceAny,
        tasks: &TaskTable,
    ) -> Called<Counts> {
        if self.contract.is_current {
            type Answer = Result<matching::Explanations, matching::Error>;
            let lent = current::tasks(tasks);
            let answer = call!(self.explain, store, (ResourceAny, matching::TaskTable<'_>), Answer, (pool, lent));
            let counts = answer.map(|answer| Counts::ByCheck(Box::new(current::explanations(answer))));
            return Ok(counts.map_err(Refused::from));
        }
        type Answer = Result<before::Explanations, before::Error>;
        let excludes = since_0_2_0::excludes(tasks);
        let lent = since_0_2_0::tasks(tasks, &excludes);
        let answer = call!(self.explain, store, (ResourceAny, before::TaskTable<'_>), Answer, (pool, lent));
        let counts = answer.map(|answer| Counts::FirstFailures(since_0_2_0::explanations(answer)));
        Ok(counts.map_err(Refused::from))
    }

    /// `preempt`
    ///
    /// # Errors
    /// As every call, and when the matcher has no such function.
    pub(crate) fn call_preempt(
        &self,
        store: &mut Store<HostState>,
        pool: ResourceAny,
        (tasks, priorities): (&TaskTable, &[i32]),
        running: &RunningTable,
    ) -> Called<Plan> {
        type Answer = Result<preemption::Plan, matching::Error>;
        let function = self.preempt.ok_or_else(|| format_err!("it has no preempt"))?;
        let answer = call!(
            function,
            store,
            (ResourceAny, matching::TaskTable<'_>, &[i32], preemption::RunningTable<'_>),
            Answer,
            (pool, current::tasks(tasks), priorities, current::running(running))
        );
        Ok(answer.map(current::plan).map_err(Refused::from))
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

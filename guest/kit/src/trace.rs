//! The spans of a call, told to the host while it traces.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::bindings::wasi::clocks::wall_clock::Datetime;
use crate::bindings::wasi::otel::tracing::{self, SpanContext, SpanData, SpanKind, Status, TraceFlags};
use crate::bindings::wasi::otel::types::InstrumentationScope;
use crate::digits::encode;

/// Whether the host traces.
static TRACED: AtomicBool = AtomicBool::new(false);
/// How many spans there were. The next number is the id of the next.
static SPANS: AtomicU64 = AtomicU64::new(0);
/// The host takes the times.
const NO_TIME: Datetime = Datetime { seconds: 0, nanoseconds: 0 };

/// Says whether the calls that follow are traced.
pub(crate) fn set(traced: bool) {
    TRACED.store(traced, Ordering::Relaxed);
}

/// The span that a call is made in, where it is traced and sampled.
pub(crate) struct Trace(Option<SpanContext>);

impl Trace {
    /// The trace of the call that is being made.
    pub(crate) fn of_call() -> Self {
        if !TRACED.load(Ordering::Relaxed) {
            return Self(None);
        }
        let outer = tracing::outer_span_context();
        Self(outer.trace_flags.contains(TraceFlags::SAMPLED).then_some(outer))
    }

    /// Does a part of the work, in a span of its own.
    pub(crate) fn span<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        let Some(outer) = &self.0 else { return work() };
        let context = begin(outer);
        let done = work();
        end(outer, context, name);
        done
    }
}

/// Begins a span.
#[cold]
fn begin(outer: &SpanContext) -> SpanContext {
    let span_id = encode(&[SPANS.fetch_add(1, Ordering::Relaxed) + 1]);
    let context = SpanContext { span_id, is_remote: false, ..outer.clone() };
    tracing::on_start(&context);
    context
}

/// Ends a span.
#[cold]
fn end(outer: &SpanContext, span_context: SpanContext, name: &str) {
    tracing::on_end(&SpanData {
        span_context,
        parent_span_id: outer.span_id.clone(),
        span_kind: SpanKind::Internal,
        name: name.to_owned(),
        start_time: NO_TIME,
        end_time: NO_TIME,
        attributes: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: Some(String::from(env!("CARGO_PKG_VERSION"))),
            schema_url: None,
            attributes: Vec::new(),
        },
        dropped_attributes: 0,
        dropped_events: 0,
        dropped_links: 0,
    });
}

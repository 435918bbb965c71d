//! What a matcher tells of its work: spans, as children of the span that a call is made in.
//!
//! `on-start` opens a span of `tracing` and `on-end` closes it, so that its times are the host's and whoever listens to
//! `tracing` hears of it: a log, or an exporter by `tracing-opentelemetry`. `tracing` wants names that never change, so that
//! the name is in the field `otel.name`, which exporters take it from.

use opentelemetry::trace::{SpanContext, TraceContextExt};
use serde_json::Value;
use tracing::{Level, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use wasmtime::component::{HasSelf, Linker};

use crate::wasm::bindings::wasi::otel::tracing as contract;
use crate::wasm::instance::HostState;

/// The interfaces of telemetry, of which a matcher may have what its contract says.
const PREFIX: &str = "wasi:otel/";
/// What the spans of components are filtered by.
const TARGET: &str = "offermatch::component";
/// The spans of one call that are listened to.
const MOST_SPANS: usize = 1000;

/// Whether an import is one of telemetry.
pub(crate) fn is_telemetry(import: &str) -> bool {
    import.starts_with(PREFIX)
}

/// Puts the contract's tracing into a linker.
///
/// # Errors
/// When something of that name is there already.
pub(crate) fn add_to_linker(linker: &mut Linker<HostState>) -> wasmtime::Result<()> {
    contract::add_to_linker::<HostState, HasSelf<HostState>>(linker, |state| state)
}

/// What an instance tells of the call that is being made.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    /// The span that the call is made in, and how the contract calls it, while it is traced.
    outer: Option<(Span, contract::SpanContext)>,
    /// The spans that have begun and not ended, by their ids, the innermost last.
    open: Vec<(String, Span)>,
    /// How many have begun in this call.
    begun: usize,
    /// How many bytes of text this call may still have.
    text: u64,
}

impl Spans {
    /// Begins a call, of which so many bytes of text are listened to. Gives whether it is traced: whether anybody listens
    /// and, where a trace is recorded, whether this one is.
    pub(crate) fn begin(&mut self, text: u64) -> bool {
        self.outer = outer();
        (self.begun, self.text) = (0, text);
        self.outer.is_some()
    }

    /// Ends a call: what has no end by now is no span of the trace. To be called on the thread of the call.
    pub(crate) fn close(&mut self) {
        while let Some((_, span)) = self.open.pop() {
            exit(&span);
        }
    }

    /// A span begins.
    fn start(&mut self, id: String) {
        self.begun += 1;
        if self.begun > MOST_SPANS || !self.pays(id.len()) {
            return;
        }
        let Some((outer, _)) = &self.outer else { return };
        let parent = self.open.last().map_or(outer, |(_, span)| span);
        let span = tracing::debug_span!(
            target: TARGET, parent: parent, "component",
            otel.name = field::Empty, otel.status_code = field::Empty, otel.status_description = field::Empty,
        );
        enter(&span);
        self.open.push((id, span));
    }

    /// A span ends.
    fn stop(&mut self, data: contract::SpanData) {
        let Some(at) = self.open.iter().rposition(|(id, _)| *id == data.span_context.span_id) else { return };
        let (_, span) = self.open.remove(at);
        let attributes = data.attributes.iter().map(|entry| entry.key.len() + entry.value.len()).sum::<usize>();
        if self.pays(data.name.len() + attributes) {
            span.record("otel.name", &data.name);
            // An exporter reads the field of a span only until the span is entered.
            span.context().span().update_name(data.name);
            for entry in data.attributes {
                span.set_attribute(entry.key, attribute(&entry.value));
            }
        }
        if let contract::Status::Error(description) = &data.status {
            span.record("otel.status_code", "ERROR");
            if self.pays(description.len()) {
                span.record("otel.status_description", description);
            }
        }
        exit(&span);
    }

    /// Whether so many bytes more are within what this call may have.
    fn pays(&mut self, bytes: usize) -> bool {
        let left = self.text.checked_sub(bytes as u64);
        self.text = left.unwrap_or(self.text);
        left.is_some()
    }
}

impl contract::Host for HostState {
    fn on_start(&mut self, context: contract::SpanContext) {
        self.spans().start(context.span_id);
    }

    fn on_end(&mut self, span: contract::SpanData) {
        self.spans().stop(span);
    }

    fn outer_span_context(&mut self) -> contract::SpanContext {
        self.spans().outer.as_ref().map_or_else(|| crossing(&SpanContext::NONE), |(_, context)| context.clone())
    }
}

/// The span that calls are made in by this thread, where it is traced.
fn outer() -> Option<(Span, contract::SpanContext)> {
    if !tracing::span_enabled!(target: TARGET, Level::DEBUG, "component") {
        return None;
    }
    let span = Span::current();
    let context = span.context();
    let context = context.span().span_context().clone();
    if context.is_valid() {
        return context.is_sampled().then(|| (span, crossing(&context)));
    }
    // Somebody listens who has no traces, such as a log: the number of the span will do.
    let id = span.id().map_or(1, |id| id.into_u64());
    let sampled = contract::TraceFlags::SAMPLED;
    let context = contract::SpanContext {
        trace_id: format!("{id:032x}"),
        span_id: format!("{id:016x}"),
        trace_flags: sampled,
        is_remote: false,
        trace_state: Vec::new(),
    };
    Some((span, context))
}

/// A span's context for the contract.
fn crossing(context: &SpanContext) -> contract::SpanContext {
    let sampled = contract::TraceFlags::SAMPLED;
    let state = context.trace_state().header();
    let entries = state.split(',').filter_map(|entry| entry.split_once('='));
    contract::SpanContext {
        trace_id: context.trace_id().to_string(),
        span_id: context.span_id().to_string(),
        trace_flags: if context.is_sampled() { sampled } else { contract::TraceFlags::empty() },
        is_remote: context.is_remote(),
        trace_state: entries.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    }
}

/// The value of an attribute, which crosses as JSON.
fn attribute(json: &str) -> opentelemetry::Value {
    match serde_json::from_str(json) {
        Ok(Value::Bool(value)) => value.into(),
        Ok(Value::String(value)) => value.into(),
        Ok(Value::Number(number)) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            (None, number) => number.unwrap_or(f64::NAN).into(),
        },
        _ => json.to_owned().into(),
    }
}

/// Enters a span, until it is left by [`exit`]: a guard could not outlive a call of the host.
fn enter(span: &Span) {
    span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
}

/// Leaves a span.
fn exit(span: &Span) {
    span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(id: &str, name: &str) -> contract::SpanData {
        let none = crossing(&SpanContext::NONE);
        contract::SpanData {
            span_context: contract::SpanContext { span_id: id.to_owned(), ..none },
            parent_span_id: String::new(),
            span_kind: contract::SpanKind::Internal,
            name: name.to_owned(),
            start_time: contract::Datetime { seconds: 0, nanoseconds: 0 },
            end_time: contract::Datetime { seconds: 0, nanoseconds: 0 },
            attributes: Vec::new(),
            events: Vec::new(),
            links: Vec::new(),
            status: contract::Status::Unset,
            instrumentation_scope: contract::InstrumentationScope {
                name: String::new(),
                version: None,
                schema_url: None,
                attributes: Vec::new(),
            },
            dropped_attributes: 0,
            dropped_events: 0,
            dropped_links: 0,
        }
    }

    #[test]
    fn what_nobody_listens_to_is_not_kept() {
        let mut spans = Spans::default();
        assert!(!spans.begin(1000));
        spans.start("1".to_owned());
        spans.stop(data("1", "decode"));
        assert!(spans.open.is_empty());
    }

    #[test]
    fn a_flood_of_spans_and_spans_out_of_order_do_no_harm() {
        let mut spans = Spans { outer: Some((Span::none(), crossing(&SpanContext::NONE))), ..Spans::default() };
        spans.text = 1 << 20;
        spans.stop(data("never", "begun"));
        for number in 0..3 * MOST_SPANS {
            spans.start(number.to_string());
        }
        assert_eq!(spans.open.len(), MOST_SPANS);
        spans.stop(data("7", "in the middle"));
        spans.stop(data("7", "twice"));
        assert_eq!(spans.open.len(), MOST_SPANS - 1);
        spans.close();
        assert!(spans.open.is_empty());
    }

    #[test]
    fn text_beyond_the_limit_is_left_out() {
        let mut spans = Spans { outer: Some((Span::none(), crossing(&SpanContext::NONE))), ..Spans::default() };
        spans.text = 10;
        spans.start("12345678".to_owned());
        assert_eq!((spans.open.len(), spans.text), (1, 2));
        spans.start("123".to_owned());
        spans.stop(data("12345678", "name"));
        assert_eq!((spans.open.len(), spans.text), (0, 2));
    }

    #[test]
    fn attributes_are_read_as_json() {
        let read = ["true", "\"text\"", "-7", "0.5", "[1]", "not json"].map(attribute);
        let expected: [opentelemetry::Value; 6] =
            [true.into(), "text".into(), (-7_i64).into(), 0.5.into(), "[1]".into(), "not json".into()];
        assert_eq!(read, expected);
    }
}

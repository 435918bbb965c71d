//! What a matcher tells of its work: spans, as children of the span that a call is made in.
//!
//! `on-start` opens a span of `tracing` and `on-end` closes it, so that its times are the host's and whoever listens to
//! `tracing` hears of it: a log, or an exporter by `tracing-opentelemetry`. `tracing` wants names that never change, so that
//! the name is in the field `otel.name`, which exporters take it from.

use tracing::{Level, Span, field};
use wasmtime::component::{HasSelf, Linker};

use crate::wasm::bindings::current::wasi::otel::tracing as contract;
use crate::wasm::otel;

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
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    spans: for<'a> fn(&'a mut T) -> &'a mut Spans,
) -> wasmtime::Result<()> {
    contract::add_to_linker::<T, HasSelf<Spans>>(linker, spans)
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
            otel::describe(&span, data.name, data.attributes);
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

impl contract::Host for Spans {
    fn on_start(&mut self, context: contract::SpanContext) {
        self.start(context.span_id);
    }

    fn on_end(&mut self, span: contract::SpanData) {
        self.stop(span);
    }

    fn outer_span_context(&mut self) -> contract::SpanContext {
        self.outer.as_ref().map_or_else(nowhere, |(_, context)| context.clone())
    }
}

/// The span that calls are made in by this thread, where it is traced.
fn outer() -> Option<(Span, contract::SpanContext)> {
    if !tracing::span_enabled!(target: TARGET, Level::DEBUG, "component") {
        return None;
    }
    let span = Span::current();
    if let Some((context, sampled)) = otel::context(&span) {
        return sampled.then_some((span, context));
    }
    // Somebody listens who has no traces, such as a log: the number of the span will do.
    let id = span.id().map_or(1, |id| id.into_u64());
    let context = contract::SpanContext {
        trace_id: format!("{id:032x}"),
        span_id: format!("{id:016x}"),
        trace_flags: contract::TraceFlags::SAMPLED,
        is_remote: false,
        trace_state: Vec::new(),
    };
    Some((span, context))
}

/// The context of a call that is not traced.
fn nowhere() -> contract::SpanContext {
    contract::SpanContext {
        trace_id: format!("{:032x}", 0),
        span_id: format!("{:016x}", 0),
        trace_flags: contract::TraceFlags::empty(),
        is_remote: false,
        trace_state: Vec::new(),
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
        let none = nowhere();
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
        let mut spans = Spans { outer: Some((Span::none(), nowhere())), ..Spans::default() };
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
        let mut spans = Spans { outer: Some((Span::none(), nowhere())), ..Spans::default() };
        spans.text = 10;
        spans.start("12345678".to_owned());
        assert_eq!((spans.open.len(), spans.text), (1, 2));
        spans.start("123".to_owned());
        spans.stop(data("12345678", "name"));
        assert_eq!((spans.open.len(), spans.text), (0, 2));
    }
}

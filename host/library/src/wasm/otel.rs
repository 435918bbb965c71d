//! The spans of `tracing` as OpenTelemetry knows them, in the version that the feature `opentelemetry-0-33` names. Without it no
//! span has a trace, and a log still hears of every span.

use tracing::Span;

use crate::wasm::bindings::current::wasi::otel::tracing as contract;

#[cfg(not(feature = "opentelemetry-0-33"))]
pub(crate) use absent::{context, describe};
#[cfg(feature = "opentelemetry-0-33")]
pub(crate) use present::{context, describe};

#[cfg(not(feature = "opentelemetry-0-33"))]
mod absent {
    use super::{Span, contract};

    /// No span has a trace.
    pub(crate) fn context(_: &Span) -> Option<(contract::SpanContext, bool)> {
        None
    }

    /// Nothing is told that a log does not hear anyway.
    pub(crate) fn describe(_: &Span, _: String, _: Vec<contract::KeyValue>) {}
}

#[cfg(feature = "opentelemetry-0-33")]
mod present {
    use opentelemetry::trace::{SpanContext, TraceContextExt};
    use serde_json::Value;
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    use super::{Span, contract};

    /// The trace that a span belongs to, and whether it is recorded; none where the span has no trace.
    pub(crate) fn context(span: &Span) -> Option<(contract::SpanContext, bool)> {
        let context = span.context();
        let context = context.span().span_context().clone();
        context.is_valid().then(|| (crossing(&context), context.is_sampled()))
    }

    /// Gives a span, which may have been entered, its name and its attributes.
    pub(crate) fn describe(span: &Span, name: String, attributes: Vec<contract::KeyValue>) {
        span.context().span().update_name(name);
        for entry in attributes {
            span.set_attribute(entry.key, attribute(&entry.value));
        }
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

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn attributes_are_read_as_json() {
            let read = ["true", "\"text\"", "-7", "0.5", "[1]", "not json"].map(attribute);
            let expected: [opentelemetry::Value; 6] =
                [true.into(), "text".into(), (-7_i64).into(), 0.5.into(), "[1]".into(), "not json".into()];
            assert_eq!(read, expected);
        }
    }
}

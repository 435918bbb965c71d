//! What matchers, fallbacks and slots do, counted by the application's own meter, in the version of OpenTelemetry that the
//! feature `opentelemetry-0-33` names. Without it nobody counts. `docs/telemetry.md` has the names.

#[cfg(not(feature = "opentelemetry-0-33"))]
pub(crate) use absent::{answered, fell_back, happened};
#[cfg(feature = "opentelemetry-0-33")]
pub(crate) use present::{answered, fell_back, happened};

#[cfg(not(feature = "opentelemetry-0-33"))]
mod absent {
    use std::fmt::Display;
    use std::time::Duration;

    use crate::pool::matcher::Matcher;

    /// Nobody counts tasks.
    pub(crate) fn answered(_: &Matcher, _: usize, _: usize, _: Duration) {}

    /// Nobody counts fallbacks.
    pub(crate) fn fell_back(_: &'static str) {}

    /// Nobody counts events.
    pub(crate) fn happened(_: impl Display) {}
}

#[cfg(feature = "opentelemetry-0-33")]
mod present {
    use std::fmt::Display;
    use std::ptr;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use opentelemetry::metrics::{Counter, Histogram, MeterProvider};
    use opentelemetry::{KeyValue, global};

    use crate::pool::matcher::Matcher;

    /// The instruments of one provider.
    #[derive(Clone)]
    struct Instruments {
        tasks: Counter<u64>,
        duration: Histogram<f64>,
        fallbacks: Counter<u64>,
        events: Counter<u64>,
    }

    /// The provider that was asked last, and its instruments: a program sets one up and keeps it.
    static LAST: Mutex<Option<(Arc<dyn MeterProvider + Send + Sync>, Instruments)>> = Mutex::new(None);

    /// Counts the tasks that a matcher was asked about, and how long it took to place them.
    pub(crate) fn answered(matcher: &Matcher, asked: usize, placed: usize, took: Duration) {
        let said = matcher.description();
        let by = [KeyValue::new("matcher", said.name.clone()), KeyValue::new("policy", said.policy.clone())];
        let instruments = instruments();
        instruments.duration.record(took.as_secs_f64(), &by);
        let [matcher, policy] = by;
        for (result, number) in [("placed", placed), ("unplaced", asked - placed)] {
            let by = [matcher.clone(), policy.clone(), KeyValue::new("result", result)];
            instruments.tasks.add(number as u64, &by);
        }
    }

    /// Counts a call that a fallback answered, by the code of the reason.
    pub(crate) fn fell_back(reason: &'static str) {
        instruments().fallbacks.add(1, &[KeyValue::new("reason", reason)]);
    }

    /// Counts what happened to a slot.
    pub(crate) fn happened(what: impl Display) {
        instruments().events.add(1, &[KeyValue::new("what", what.to_string())]);
    }

    /// The instruments of the provider that the application has set by now.
    fn instruments() -> Instruments {
        let provider = global::meter_provider();
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((known, instruments)) if ptr::addr_eq(Arc::as_ptr(known), Arc::as_ptr(&provider)) => {
                instruments.clone()
            }
            _ => last.insert((provider.clone(), Instruments::of(&*provider))).1.clone(),
        }
    }

    impl Instruments {
        /// Instruments that this provider makes.
        fn of(provider: &dyn MeterProvider) -> Self {
            let meter = provider.meter("offermatch");
            Self {
                tasks: meter
                    .u64_counter("offermatch.match.tasks")
                    .with_unit("{task}")
                    .with_description("Tasks that a matcher was asked about, by whether it placed them")
                    .build(),
                duration: meter
                    .f64_histogram("offermatch.match.duration")
                    .with_unit("s")
                    .with_description("How long matchers take to place the tasks of a call")
                    .build(),
                fallbacks: meter
                    .u64_counter("offermatch.match.fallbacks")
                    .with_unit("{call}")
                    .with_description("Calls that a fallback answered, by reason")
                    .build(),
                events: meter
                    .u64_counter("offermatch.slot.events")
                    .with_unit("{event}")
                    .with_description("What happened to slots")
                    .build(),
            }
        }
    }
}

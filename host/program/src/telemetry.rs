//! Traces, sent by OTLP over HTTP to where `OTEL_EXPORTER_OTLP_ENDPOINT` says; where it says nothing there are none.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

/// The variables that say where traces go.
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// How long the program waits for whoever takes the traces.
const PATIENCE: Duration = Duration::from_secs(10);

/// The traces of this process.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// What the environment says. What is wrong with it is told on standard error, and there are no traces.
    pub(crate) fn from_environment() -> Self {
        let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.iter().any(set) || std::env::var("OTEL_SDK_DISABLED").is_ok_and(|off| off == "true") {
            return Self(None);
        }
        let agent = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).http_status_as_error(false).build();
        match SpanExporter::builder().with_http().with_http_client(Client(agent.into())).build() {
            Ok(exporter) => Self(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).build())),
            Err(error) => {
                eprintln!("warning: no traces: {error}");
                Self(None)
            }
        }
    }

    /// What listens to the spans of this program, its library and the matchers in it.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> Option<impl Layer<S> + use<S>> {
        let provider = self.0.as_ref()?;
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("offermatch"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        Some(layer.with_filter(Targets::new().with_target("offermatch", LevelFilter::DEBUG)))
    }

    /// The span of the whole command, a child of the one that `TRACEPARENT` names.
    pub(crate) fn root(&self) -> Span {
        if self.0.is_none() {
            return Span::none();
        }
        let span = tracing::debug_span!("offermatch");
        let variable = |name: &str| std::env::var(name.to_uppercase()).ok().map(|value| (name.to_owned(), value));
        let carrier: HashMap<String, String> = ["traceparent", "tracestate"].into_iter().filter_map(variable).collect();
        // A span that is not recorded has no parent, either.
        let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
        span
    }

    /// Sends what has not been sent.
    pub(crate) fn end(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown_with_timeout(PATIENCE)) {
            tracing::error!(%error, "the traces are lost");
        }
    }
}

/// Sends requests on the exporter's own thread.
#[derive(Debug)]
struct Client(ureq::Agent);

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let response = self.0.run(Request::from_parts(parts, body.to_vec()))?;
        let (parts, mut body) = response.into_parts();
        Ok(Response::from_parts(parts, body.read_to_vec()?.into()))
    }
}

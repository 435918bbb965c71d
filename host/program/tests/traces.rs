//! The program's traces, as whoever takes them sees them: by OTLP, over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::mpsc;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// The trace that the program is called in.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The span that the program is called in.
const PARENT: &str = "b7ad6b7169203331";

/// Runs the program, with whoever takes traces at hand, and gives what was sent.
fn traced(arguments: &[&str], variables: &[(&str, &str)]) -> (Output, Vec<Span>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, sent) = mpsc::channel();
    let server = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let (mut path, mut length) = (String::new(), 0);
            reader.read_line(&mut path).unwrap();
            if path.starts_with("QUIT") {
                return;
            }
            assert!(path.starts_with("POST /v1/traces "), "{path}");
            for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                if let Some((name, value)) = line.split_once(": ")
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            sender.send(ExportTraceServiceRequest::decode(body.as_slice()).unwrap()).unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    let output = Command::new(env!("CARGO_BIN_EXE_offermatch-host"))
        .args(arguments)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{address}"))
        .env("TRACEPARENT", format!("00-{TRACE}-{PARENT}-01"))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    std::net::TcpStream::connect(address).unwrap().write_all(b"QUIT\r\n").unwrap();
    server.join().unwrap();
    let spans = sent.into_iter().flat_map(|request| request.resource_spans).flat_map(|of| of.scope_spans);
    (output, spans.flat_map(|of| of.spans).collect())
}

/// The digest of an answer that has been given.
fn digest(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["answer_digest"].as_str().unwrap().to_owned()
}

/// A span by its name, and the names of its children in the order of their times.
fn family<'a>(spans: &'a [Span], name: &str) -> (&'a Span, Vec<&'a str>) {
    let mut named = spans.iter().filter(|span| span.name == name);
    let (Some(span), None) = (named.next(), named.next()) else { panic!("one span {name}: {spans:?}") };
    let mut children: Vec<&Span> = spans.iter().filter(|child| child.parent_span_id == span.span_id).collect();
    children.sort_unstable_by_key(|child| child.start_time_unix_nano);
    for child in &children {
        assert!(child.start_time_unix_nano >= span.start_time_unix_nano, "{} begins before {name}", child.name);
        assert!(child.end_time_unix_nano <= span.end_time_unix_nano, "{} ends after {name}", child.name);
        assert!(child.end_time_unix_nano >= child.start_time_unix_nano);
    }
    (span, children.iter().map(|child| child.name.as_str()).collect())
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

const SAMPLE: [&str; 5] = ["match", "--sample", "constrained:300x200", "--matcher", "bundled"];

#[test]
fn the_matchers_spans_are_children_of_the_programs() {
    let (output, spans) = traced(&SAMPLE, &[]);
    digest(&output);
    assert!(spans.iter().all(|span| hex(&span.trace_id) == TRACE), "one trace");
    let (root, children) = family(&spans, "offermatch");
    assert_eq!(hex(&root.parent_span_id), PARENT);
    assert!(children.contains(&"match_tasks_to_offers"), "{children:?}");
    assert_eq!(family(&spans, "match_tasks_to_offers").1, ["open", "assign"]);
    let told = &family(&spans, "match_tasks_to_offers").0.attributes;
    let mut names: Vec<&str> = told.iter().map(|one| one.key.as_str()).filter(|name| name.contains('.')).collect();
    names.retain(|name| name.starts_with("offermatch."));
    names.sort_unstable();
    let mut expected =
        ["tasks", "offers", "placed", "matcher", "policy", "matcher.digest"].map(|name| format!("offermatch.{name}"));
    expected.sort_unstable();
    assert_eq!(names, expected);
    let number = |name: &str| match told.iter().find(|one| one.key == name)?.value.as_ref()?.value.as_ref()? {
        any_value::Value::IntValue(number) => Some(*number),
        _ => None,
    };
    assert_eq!((number("offermatch.tasks"), number("offermatch.offers")), (Some(300), Some(200)));
    assert_eq!(family(&spans, "open").1, ["decode", "index"]);
    let assigned = spans.iter().find(|span| span.name == "assign" && hex(&span.parent_span_id) != PARENT).unwrap();
    let under: Vec<&Span> = spans.iter().filter(|span| span.name == "encode").collect();
    assert_eq!(under.len(), 1);
    let call = spans.iter().find(|span| span.span_id == under[0].parent_span_id).unwrap();
    assert_eq!((call.name.as_str(), assigned.name.as_str()), ("assign", "assign"));
    let mut told: Vec<&Span> = spans.iter().filter(|span| span.parent_span_id == call.span_id).collect();
    told.sort_unstable_by_key(|span| span.start_time_unix_nano);
    let names: Vec<&str> = told.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["decode", "index", "assign", "encode"]);
}

#[test]
fn what_is_not_sampled_is_not_sent_and_changes_no_answer() {
    let (sampled, spans) = traced(&SAMPLE, &[("OTEL_TRACES_SAMPLER", "always_on")]);
    assert!(!spans.is_empty());
    let (unsampled, spans) = traced(&SAMPLE, &[("OTEL_TRACES_SAMPLER", "always_off")]);
    assert!(spans.is_empty(), "{spans:?}");
    let (by_parent, spans) =
        traced(&SAMPLE, &[("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]);
    assert!(spans.is_empty(), "{spans:?}");
    assert_eq!([digest(&sampled), digest(&unsampled)], [digest(&by_parent), digest(&by_parent)]);
}

#[test]
fn nobody_who_takes_traces_is_no_reason_to_fail() {
    let output = Command::new(env!("CARGO_BIN_EXE_offermatch-host"))
        .args(SAMPLE)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .unwrap();
    digest(&output);
}

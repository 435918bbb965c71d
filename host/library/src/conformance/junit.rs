//! A report in the XML that build servers read.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Level;
use super::report::{Failure, GENERATED, GroupReport, LONGEST_REASON, Report};
use crate::visible::{visible, visible_name};

impl Report {
    /// The report as JUnit has it: a suite a group, a case a case; of generated cases those that failed, and one for all that
    /// passed.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        // A vector takes whatever is written.
        let _ = write(&mut writer, self);
        String::from_utf8(writer.into_inner()).unwrap_or_default() + "\n"
    }
}

/// Writes everything.
fn write(writer: &mut Writer<Vec<u8>>, report: &Report) -> io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let element = writer.create_element("testsuites").with_attribute(("name", &*visible_name(&report.matcher.name)));
    element.write_inner_content(|writer| {
        report.groups.iter().try_for_each(|group| write_group(writer, group, report.asked))
    })?;
    Ok(())
}

/// Writes a group: what misses the level that is asked is a failure, what was not run an error.
fn write_group(writer: &mut Writer<Vec<u8>>, group: &GroupReport, asked: Level) -> io::Result<()> {
    let mut failed: Vec<(&str, Vec<&Failure>)> = Vec::new();
    let mut passed: Vec<&str> = group.passed.iter().map(String::as_str).collect();
    for failure in &group.failures {
        if failure.level > asked {
            // Another policy's answer: nothing that is asked of it is missed, unless by another failure of the case.
            if !failed.iter().any(|(case, _)| *case == failure.case) {
                passed.push(&failure.case);
            }
            continue;
        }
        match failed.iter_mut().find(|(case, _)| *case == failure.case) {
            Some((_, failures)) => failures.push(failure),
            None => failed.push((&failure.case, vec![failure])),
        }
    }
    if GENERATED.contains(&group.group.as_str()) {
        passed = if passed.is_empty() { Vec::new() } else { vec!["all-others"] };
    }
    let tests = passed.len() + failed.len() + group.skipped.len() + usize::from(group.not_run > 0);
    let element = writer.create_element("testsuite").with_attributes([
        ("name", &*visible_name(&group.group)),
        ("tests", &tests.to_string()),
        ("failures", &failed.len().to_string()),
        ("errors", if group.not_run > 0 { "1" } else { "0" }),
        ("skipped", &group.skipped.len().to_string()),
    ]);
    element.write_inner_content(|writer| {
        for case in passed {
            case_element(writer, &group.group, case).write_empty()?;
        }
        for (case, failures) in failed {
            case_element(writer, &group.group, case).write_inner_content(|writer| {
                for Failure { level, step, what, expected, found, about, .. } in failures {
                    let place = step.map_or_else(|| "opening".to_owned(), |step| format!("step {step}"));
                    let message = format!("{place}, {what}: {expected} -> {found}");
                    let element = writer.create_element("failure");
                    let element = element
                        .with_attributes([("type", level.name()), ("message", &*visible(&message, LONGEST_REASON))]);
                    element.write_text_content(BytesText::new(&visible(about, LONGEST_REASON)))?;
                }
                Ok(())
            })?;
        }
        for skipped in &group.skipped {
            case_element(writer, &group.group, &skipped.case).write_inner_content(|writer| {
                let element = writer.create_element("skipped");
                element.with_attribute(("message", &*visible(&skipped.reason, LONGEST_REASON))).write_empty()?;
                Ok(())
            })?;
        }
        if group.not_run > 0 {
            case_element(writer, &group.group, "not-run").write_inner_content(|writer| {
                let message = format!("{} cases were not run: it trapped or ran into limits too often", group.not_run);
                let element = writer.create_element("error");
                element.with_attributes([("type", "not-run"), ("message", message.as_str())]).write_empty()?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// The element of a case.
fn case_element<'a>(
    writer: &'a mut Writer<Vec<u8>>,
    group: &str,
    case: &str,
) -> quick_xml::writer::ElementWriter<'a, Vec<u8>> {
    writer
        .create_element("testcase")
        .with_attributes([("classname", &*visible_name(group)), ("name", &*visible_name(case))])
}

//! The rules of the JUnit schema used by Jenkins and others: which elements are allowed where, in
//! which order, with which attributes, and that counts add up.

use quick_junit::Report;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// An element: its attributes (those with `!` are required), and its allowed children, in this
/// order.
const ELEMENTS: [(&str, &[&str], &[&str]); 10] = [
    (
        "testsuites",
        &["!name", "!tests", "!failures", "!errors", "skipped", "time", "timestamp", "uuid"],
        &["testsuite"],
    ),
    (
        "testsuite",
        &[
            "!name",
            "!tests",
            "!failures",
            "!errors",
            "disabled",
            "skipped",
            "time",
            "timestamp",
            "hostname",
            "id",
            "package",
        ],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &["property"]),
    ("property", &["!name", "!value"], &[]),
    (
        "testcase",
        &["!name", "classname", "time", "timestamp", "assertions", "status"],
        &["properties", "skipped", "error", "failure", "system-out", "system-err"],
    ),
    ("failure", &["message", "type"], &["#"]),
    ("error", &["message", "type"], &["#"]),
    ("skipped", &["message", "type"], &["#"]),
    ("system-out", &[], &["#"]),
    ("system-err", &[], &["#"]),
];

fn name_of(start: &BytesStart<'_>) -> String {
    String::from_utf8(start.name().as_ref().to_vec()).expect("UTF-8")
}

/// Panics if a file is not valid.
pub fn assert_valid(xml: &str) {
    let mut reader = Reader::from_str(xml);
    // The open elements, and how far each is in the order of its children.
    let mut open: Vec<(String, usize)> = vec![];
    loop {
        let event = reader.read_event().unwrap_or_else(|mistake| panic!("{mistake} in {xml}"));
        let is_empty = matches!(event, Event::Empty(_));
        match event {
            Event::Start(start) | Event::Empty(start) => {
                let name = name_of(&start);
                let (_, attributes, _) = ELEMENTS
                    .iter()
                    .find(|(known, ..)| *known == name)
                    .unwrap_or_else(|| panic!("<{name}> is unknown"));
                let found: Vec<String> = start
                    .attributes()
                    .map(|found| {
                        String::from_utf8(found.expect("well formed").key.as_ref().to_vec())
                            .expect("UTF-8")
                    })
                    .collect();
                for must in attributes.iter().filter_map(|attribute| attribute.strip_prefix('!')) {
                    assert!(found.iter().any(|found| found == must), "<{name}> has no {must}");
                }
                for found in &found {
                    assert!(
                        attributes.iter().any(|known| known.trim_start_matches('!') == found),
                        "<{name} {found}>"
                    );
                }
                match open.last_mut() {
                    None => assert_eq!(name, "testsuites"),
                    Some((parent, reached)) => {
                        let (.., children) = ELEMENTS
                            .iter()
                            .find(|(known, ..)| known == parent)
                            .expect("it was looked up");
                        let place = children
                            .iter()
                            .position(|child| *child == name)
                            .unwrap_or_else(|| panic!("<{name}> in <{parent}>"));
                        assert!(place >= *reached, "<{name}> comes too late in <{parent}>");
                        *reached = place;
                    }
                }
                if !is_empty {
                    open.push((name, 0));
                }
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(text) => {
                let is_blank = text.iter().all(u8::is_ascii_whitespace);
                let (parent, _) = open.last().cloned().unwrap_or_default();
                let takes_text = ELEMENTS
                    .iter()
                    .any(|(known, _, children)| *known == parent && children.contains(&"#"));
                assert!(is_blank || takes_text, "text in <{parent}>");
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let report = Report::deserialize_from_str(xml).expect("what was written can be read");
    let suites = &report.test_suites;
    assert_eq!(report.tests, suites.iter().map(|suite| suite.tests).sum::<usize>());
    assert_eq!(report.failures, suites.iter().map(|suite| suite.failures).sum::<usize>());
    assert_eq!(report.errors, suites.iter().map(|suite| suite.errors).sum::<usize>());
    assert!(suites.iter().all(|suite| suite.tests == suite.test_cases.len() && suite.tests > 0));
    assert!(
        suites.iter().all(|suite| suite
            .properties
            .iter()
            .any(|property| property.name.as_str() == "points"))
    );
}

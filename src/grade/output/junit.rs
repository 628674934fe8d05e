//! JUnit XML for continuous integration: a suite for each item, a case for each run.
//!
//! JUnit has no points, so they are properties: `points` of a suite is `2.5/3`, and `seed` of a
//! case is its seed. Characters that XML 1.0 does not allow are left out. No times are written,
//! because they depend on the machine.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::super::model::{Graded, ItemResult, Lang, SeedResult, SeedVerdict};
use super::super::texts::{meaning, phrases};
use super::view::{entries, state_words};
use super::view::{for_student, head, seed_words};

/// `junit.xml`.
pub static FORMAT: Format =
    Format { file: "junit.xml", reader: "continuous integration", make: Make::Student(junit_xml) };
use super::{Format, Make};

/// The file.
pub fn junit_xml(graded: &Graded, lang: Lang) -> Vec<u8> {
    let shown = for_student(graded);
    let mut report = Report::new(graded.assignment.name.as_str());
    for (item, entry) in shown.items.iter().zip(entries(graded, lang)) {
        let mut suite = TestSuite::new(item.name.as_str());
        suite.add_property(Property::new("points", points(&entry)));
        suite.add_property(Property::new("title", entry.title.as_str()));
        suite.add_property(Property::new("scenario", item.scenario.as_str()));
        if item.seeds.is_empty() {
            suite.add_test_case(without_runs(item, &shown, lang));
        }
        suite.add_test_cases(item.seeds.iter().map(|seed| case(item, seed, lang)));
        report.add_test_suite(suite);
    }
    if let Some(entry) = entries(graded, lang).get(shown.items.len()) {
        let mut suite = TestSuite::new(entry.name.as_str());
        suite.add_property(Property::new("points", points(entry)));
        let status = match entry.earned {
            None => TestCaseStatus::skipped(),
            Some(_) if entry.is_passed() => TestCaseStatus::success(),
            Some(_) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        };
        suite.add_test_case(TestCase::new(entry.name.as_str(), status));
        report.add_test_suite(suite);
    }
    // The heading concerns the whole submission; the only place for it in a report is a suite
    // without cases.
    if let Some(suite) = report.test_suites.first_mut() {
        suite.set_system_out(head(&shown, lang));
    }
    let mut bytes = Vec::new();
    // Writing to memory cannot fail, and no text can make it fail: invalid characters were left
    // out.
    if report.serialize(&mut bytes).is_err() {
        bytes.clear();
    }
    bytes
}

fn points(entry: &super::view::Entry) -> String {
    entry
        .earned
        .map_or_else(|| format!("?/{}", entry.max), |earned| format!("{earned}/{}", entry.max))
}

fn without_runs(item: &ItemResult, graded: &Graded, lang: Lang) -> TestCase {
    let mut status = if item.earned.is_some() {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    } else {
        TestCaseStatus::skipped()
    };
    status.set_message(
        state_words(item, graded, lang).unwrap_or_else(|| phrases(lang).not_graded.to_owned()),
    );
    TestCase::new(item.name.as_str(), status)
}

fn case(item: &ItemResult, seed: &SeedResult, lang: Lang) -> TestCase {
    let mut status = match seed.verdict {
        SeedVerdict::Ok => TestCaseStatus::success(),
        SeedVerdict::Unknown => TestCaseStatus::skipped(),
        SeedVerdict::InfraError => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    if seed.verdict != SeedVerdict::Ok {
        status.set_message(if seed.message.is_empty() {
            meaning(seed.verdict, lang)
        } else {
            &seed.message
        });
        if seed.verdict != SeedVerdict::Unknown {
            status.set_type(seed.verdict.word());
        }
        if let Some(loss) = &seed.loss {
            status.set_description(super::view::loss_lines(loss, lang).join("\n"));
        }
    }
    let mut case =
        TestCase::new(format!("{} · {}", item.name, seed_words(seed.seed, lang)), status);
    case.set_classname(item.name.as_str());
    case.add_property(Property::new("seed", seed.seed.to_string()));
    case.add_property(Property::new("verdict", seed.verdict.word()));
    case
}

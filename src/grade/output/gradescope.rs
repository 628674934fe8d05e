//! Gradescope's `results.json`.
//!
//! Two optional fields are left out: `execution_time`, which depends on the machine, and
//! `leaderboard`. Texts have the format `text`, not `md`, because a program's output is not markup.
//! Hidden items carry Gradescope's visibility, and nothing is said about them outside their own
//! test. A test that could not be graded has no score, and the text at the top says so.

use serde_json::{Map, Value, json};

use super::super::model::{Graded, Lang};
use super::view::{Entry, for_student, head, number, with_harmless_texts};

/// `results.json`.
pub static FORMAT: Format = Format {
    file: "results.json",
    reader: "Gradescope, which itself hides what is not visible",
    make: Make::Student(gradescope_json),
};
use super::{Format, Make};

/// The file.
pub fn gradescope_json(graded: &Graded, lang: Lang) -> Vec<u8> {
    let harmless = with_harmless_texts(graded);
    let tests = harmless.items.iter().enumerate().map(|(i, item)| {
        let entry = Entry::of(item, &harmless, lang);
        let mut test = Map::new();
        test.insert("name".into(), entry.title.clone().into());
        test.insert("number".into(), (i + 1).to_string().into());
        if let Some(earned) = entry.earned {
            test.insert("score".into(), number(earned));
            test.insert("max_score".into(), number(entry.max));
            test.insert("status".into(), if entry.is_passed() { "passed" } else { "failed" }.into());
        }
        test.insert("output".into(), entry.text.into());
        test.insert("output_format".into(), "text".into());
        test.insert("tags".into(), json!([item.name]));
        test.insert("visibility".into(), item.visibility.word().into());
        test.insert(
            "extra_data".into(),
            json!({ "item": item.name, "points": item.points.to_string(), "runs": item.seeds.len(), "runs_ok": item.ok_count() }),
        );
        Value::Object(test)
    });
    let tests: Vec<Value> = tests.collect();
    super::json(&json!({
        "score": number(graded.score),
        "output": head_without_points(graded, lang),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {
            "assignment": graded.assignment.name,
            "assignment_digest": graded.assignment.digest,
            "submission_digest": graded.submission.digest,
            "language": graded.submission.language.map(|language| language.word()),
            "seedbed": graded.seedbed,
            "outcome": graded.outcome.kind.word(),
            "complete": graded.is_complete(),
            "ungraded": graded.ungraded.to_string(),
        },
        "tests": tests,
    }))
}

/// The heading without the points: Gradescope shows those itself, as far as they are visible.
fn head_without_points(graded: &Graded, lang: Lang) -> String {
    let head = head(&for_student(graded), lang);
    head.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned())
}

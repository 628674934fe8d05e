//! CodeGrade's messages: one JSON object per line, first the tests, then the points.

use serde_json::{Value, json};

use super::super::model::{Graded, Lang};
use super::view::{Entry, entries};

/// `codegrade.jsonl`.
pub static FORMAT: Format =
    Format { file: "codegrade.jsonl", reader: "CodeGrade", make: Make::Student(codegrade_jsonl) };
use super::{Format, Make};

/// The file. A test's weight is its points; a test that was not graded is `skipped`.
pub fn codegrade_jsonl(graded: &Graded, lang: Lang) -> Vec<u8> {
    let case = |entry: &Entry| {
        let status = match entry.earned {
            None => "skipped",
            Some(_) if entry.is_passed() => "success",
            Some(_) => "failure",
        };
        json!({
            "id": entry.name,
            "name": entry.title,
            "status": status,
            "weight": super::view::number(entry.max),
            "description": entry.earned.map_or_else(|| format!("?/{}", entry.max), |earned| format!("{earned}/{}", entry.max)),
            "reason": entry.text,
        })
    };
    let cases: Vec<Value> = entries(graded, lang).iter().map(case).collect();
    let suite = json!({ "id": graded.assignment.name, "name": graded.assignment.title.get(lang), "testCases": cases });
    let lines = [
        json!({ "tag": "unit-test", "results": [suite] }),
        json!({ "tag": "points", "points": format!("{}/{}", graded.score, graded.max) }),
    ];
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

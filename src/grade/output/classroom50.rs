//! Classroom 50's `result.json`.
//!
//! Its scores are integers. If all points of an assignment are whole and no item gives a fraction
//! of them, they are written as they are; otherwise `score` and `max-score` are in hundredths of a
//! point, so that nobody loses a fraction by rounding. The choice depends on the assignment alone
//! and is the same for the whole class. `points` has the points as people write them.

use serde_json::json;

use super::super::model::{Graded, Lang, Points, Scoring};
use super::view::{Entry, entries};

/// `result.json`.
pub static FORMAT: Format = Format {
    file: "result.json",
    reader: "Classroom 50",
    make: Make::Student(|graded, lang| classroom50_json(graded, lang, &Classroom50::default())),
};
use super::{Format, Make};

/// What the course's workflow knows but a grading does not; every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classroom50 {
    /// The classroom.
    pub classroom: String,
    /// The commit that was graded.
    pub commit: String,
    /// The submitted release.
    pub release: String,
    /// Where the review takes place.
    pub review: String,
    /// When it was graded.
    pub datetime: String,
}

/// The file.
pub fn classroom50_json(graded: &Graded, lang: Lang, workflow: &Classroom50) -> Vec<u8> {
    let has_parts = graded
        .items
        .iter()
        .any(|item| !item.points.0.is_multiple_of(100) || item.scoring == Scoring::Fraction);
    let whole = |points: Points| if has_parts { points.0 } else { points.0 / 100 };
    let test = |entry: &Entry| {
        json!({
            "test-name": entry.title,
            "passed": entry.is_passed(),
            "score": whole(entry.earned.unwrap_or(Points::ZERO)),
            "max-score": whole(entry.max),
            "output": entry.text,
        })
    };
    super::json(&json!({
        "schema": "classroom50/result/v1",
        "classroom": workflow.classroom,
        "assignment": graded.assignment.name,
        "submission": graded.submission.id,
        "commit": workflow.commit,
        "release": workflow.release,
        "review": workflow.review,
        "datetime": workflow.datetime,
        "score": whole(graded.score),
        "max-score": whole(graded.max),
        "points": format!("{}/{}", graded.score, graded.max),
        "complete": graded.is_complete(),
        "tests": entries(graded, lang).iter().map(test).collect::<Vec<_>>(),
    }))
}

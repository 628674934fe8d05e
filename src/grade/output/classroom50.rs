//! Classroom 50's `result.json`.
//!
//! Its scores are integers. An assignment with whole points and no item that gives a share of them
//! is written as it is; any other one in hundredths of a point, `score` and `max-score` alike, so
//! that nobody loses a fraction by rounding. Which of the two it is depends on the assignment alone
//! and is the same for the whole class. The points as people write them stand in `points`.

use serde_json::json;

use super::super::model::{Graded, Lang, Points, Scoring};
use super::view::{Entry, entries};

/// What the course's workflow knows and a grading does not; each may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classroom50 {
    /// The classroom.
    pub classroom: String,
    /// The commit that was graded.
    pub commit: String,
    /// The release that was handed in.
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

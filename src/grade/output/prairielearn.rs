//! PrairieLearn's `results.json` of an external grader.
//!
//! `gradable` is false if part of the result is missing because the testbed failed: PrairieLearn
//! then counts no attempt and shows `message`.

use serde_json::{Value, json};

use super::super::model::{Graded, Lang, Points};
use super::view::{Entry, entries, for_student, head, number};

/// `prairielearn.json`.
pub static FORMAT: Format = Format {
    file: "prairielearn.json",
    reader: "PrairieLearn",
    make: Make::Student(prairielearn_json),
};
use super::{Format, Make};

/// The file.
pub fn prairielearn_json(graded: &Graded, lang: Lang) -> Vec<u8> {
    let test = |entry: &Entry| {
        json!({
            "name": entry.title,
            "points": number(entry.earned.unwrap_or(Points::ZERO)),
            "max_points": number(entry.max),
            "output": entry.text,
        })
    };
    let text = head(&for_student(graded), lang);
    let (message, output) = text.split_once('\n').unwrap_or((&text, ""));
    let is_gradable = graded.is_complete();
    super::json(&json!({
        "gradable": is_gradable,
        "score": share(graded.score, graded.max),
        "message": message,
        "output": output,
        "images": [],
        "tests": entries(graded, lang).iter().map(test).collect::<Vec<_>>(),
    }))
}

/// A fraction from 0 to 1. The quotient of two integers is the same on every machine.
pub(super) fn share(score: Points, max: Points) -> Value {
    if max == Points::ZERO { json!(0) } else { json!(f64::from(score.0) / f64::from(max.0)) }
}

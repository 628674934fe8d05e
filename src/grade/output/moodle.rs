//! Moodle's gradebook, for “Import grades”: `username,email,idnumber,<assignment>,<assignment>
//! (comments)`.
//!
//! A result that is not complete has no grade in it: an empty cell leaves a grade as it is.

use super::super::model::{Graded, ItemResult, Lang};
use super::super::texts::{fill, phrases};
use super::cells::csv;
use super::view::{for_student, is_visible};

/// The file. `semicolons`: `;` between the cells, and commas in the numbers.
pub fn moodle_csv(class: &[Graded], lang: Lang, semicolons: bool) -> Vec<u8> {
    let title = class.first().map_or("", |first| first.assignment.title.get(lang));
    let head = ["username", "email", "idnumber", title, &format!("{title} (comments)")]
        .map(str::to_owned)
        .into();
    // A row without a key would make Moodle refuse the whole file.
    let rows = class.iter().filter(|graded| has_key(graded)).map(|graded| {
        let student = &graded.student;
        vec![
            student.username.clone(),
            student.email.clone(),
            student.idnumber.clone(),
            grade(graded, semicolons),
            comment(graded, lang),
        ]
    });
    csv(std::iter::once(head).chain(rows), semicolons)
}

/// Whether anything tells Moodle whose result it is: the folders that it hands out have the full
/// name alone, which a worksheet has too.
pub fn has_key(graded: &Graded) -> bool {
    let student = &graded.student;
    [&student.username, &student.email, &student.idnumber].iter().any(|key| !key.is_empty())
}

/// The points as a cell; empty where they are not all decided, or not all was asked for.
pub(super) fn grade(graded: &Graded, comma: bool) -> String {
    let is_final = graded.is_complete() && graded.provisional.is_empty();
    let points = if is_final { graded.score.to_string() } else { String::new() };
    if comma { points.replace('.', ",") } else { points }
}

/// What a student reads beside the grade, on one line. Moodle takes it for HTML, so it has none:
/// the points of the items and the titles of the instructor, and nothing that a program has
/// printed.
pub(super) fn comment(graded: &Graded, lang: Lang) -> String {
    let say = phrases(lang);
    let mut parts = Vec::new();
    if !graded.is_complete() {
        parts.push(format!(
            "{} {}",
            say.not_final,
            fill(say.ungraded, &[("points", &for_student(graded).ungraded.to_string())])
        ));
    }
    let message = graded.outcome.message.get(lang);
    if !message.is_empty() {
        parts.push(format!("{message}: {}", graded.outcome.hint.get(lang)));
    }
    let item = |item: &ItemResult| {
        let earned = item.earned.map_or("?".to_owned(), |earned| earned.to_string());
        format!("{} {earned}/{}", item.title.get(lang), item.points)
    };
    parts.extend(graded.items.iter().filter(|item| is_visible(item)).map(item));
    let text = parts.join(" · ").replace(['\n', '\r', '\t'], " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

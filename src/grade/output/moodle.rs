//! Moodle's gradebook, for “Import grades”:
//! `username,email,idnumber,<assignment>,<assignment> (comments)`.
//!
//! An incomplete result gets an empty cell, which leaves the existing grade unchanged.

use super::super::model::{Graded, ItemResult, Lang};
use super::super::texts::{fill, phrases};
use super::cells::csv;
use super::view::{for_student, is_visible};

/// `moodle.csv`.
pub static FORMAT: Format = Format {
    file: "moodle.csv",
    reader: "Moodle's gradebook",
    make: Make::Class(|class, options| moodle_csv(class, options.lang, options.semicolons)),
};
use super::{Format, Make};

/// The file. `semicolons` selects `;` as separator and decimal commas.
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

/// Whether the result has a key by which Moodle finds the student: the folders that Moodle exports
/// have only the full name, which works for a worksheet.
pub fn has_key(graded: &Graded) -> bool {
    let student = &graded.student;
    [&student.username, &student.email, &student.idnumber].iter().any(|key| !key.is_empty())
}

/// The points as a cell; empty if they are not all decided or not everything was requested.
pub(super) fn grade(graded: &Graded, comma: bool) -> String {
    let is_final = graded.is_complete() && graded.provisional.is_empty();
    let points = if is_final { graded.score.to_string() } else { String::new() };
    if comma { points.replace('.', ",") } else { points }
}

/// The comment next to the grade, on one line. Moodle renders it as HTML, so it is escaped and has
/// only the items' points and the instructor's titles, never a program's output.
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

//! Canvas' gradebook: `Student,ID,SIS User ID,SIS Login ID,Section,<assignment>`.
//!
//! An incomplete result gets an empty cell, which leaves the existing grade unchanged. Only Canvas
//! knows `ID` and `Section`; it finds a student by one of the other columns.

use super::super::model::Graded;
use super::cells::csv;
use super::moodle::grade;

/// `canvas.csv`.
pub static FORMAT: Format = Format {
    file: "canvas.csv",
    reader: "Canvas' gradebook",
    make: Make::Class(|class, options| canvas_csv(class, options.points_possible)),
};
use super::{Format, Make};

/// The file. `points_possible` adds Canvas' second row with the possible points.
pub fn canvas_csv(class: &[Graded], points_possible: bool) -> Vec<u8> {
    let name = class.first().map_or("", |first| &first.assignment.name);
    let head =
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", name].map(str::to_owned).into();
    let max = class.first().map_or(String::new(), |first| first.max.to_string());
    let possible = points_possible
        .then(|| ["    Points Possible", "", "", "", "", &max].map(str::to_owned).into());
    let rows = class.iter().map(|graded| {
        let student = &graded.student;
        let named = [&student.name, &student.username, &student.email, &graded.submission.id]
            .into_iter()
            .find(|name| !name.is_empty());
        let login = if student.username.is_empty() { &student.email } else { &student.username };
        vec![
            named.cloned().unwrap_or_default(),
            String::new(),
            student.idnumber.clone(),
            login.clone(),
            String::new(),
            grade(graded, false),
        ]
    });
    csv(std::iter::once(head).chain(possible).chain(rows), false)
}

//! The result formats. Each is a pure function of [`Graded`] in its own file, and a line in
//! [`FORMATS`]: the name of the file that it makes, for whom it is, and whether there is one for
//! each student or one for the class.
//!
//! Beside them, `results/<id>.json` has everything, for a batch that resumes and for instructors,
//! and `worksheet.csv` is Moodle's grading worksheet filled in.
//!
//! Every file is written whole or not at all, after every child process has ended, whatever the
//! outcome of the submission. Formats without visibility have one entry for all hidden items, with
//! points and nothing else.

mod canvas;
mod cells;
mod class;
mod classroom50;
mod codegrade;
mod gradescope;
mod junit;
mod moodle;
pub mod page;
mod prairielearn;
mod view;
mod worksheet;

use std::fs;
use std::path::{Path, PathBuf};

use super::model::{Graded, Lang, Points};
use crate::error::{Error, Mistake};
use crate::report::{OTHER_FOLDER, replace_file};

pub use canvas::canvas_csv;
pub(crate) use class::reason;
pub use class::{class_csv, class_json, class_markdown};
pub use classroom50::{Classroom50, classroom50_json};
pub use codegrade::codegrade_jsonl;
pub use gradescope::gradescope_json;
pub use junit::junit_xml;
pub use moodle::{has_key, moodle_csv};
pub use prairielearn::prairielearn_json;
pub use view::for_student;
pub use worksheet::{Filled, check_worksheet, fill_worksheet};

/// An instructor's options for the files of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The language of texts.
    pub lang: Lang,
    /// Write Moodle's file with `;` as separator and decimal commas, as Spanish spreadsheets do.
    pub semicolons: bool,
    /// Write Canvas' file with a row of possible points.
    pub points_possible: bool,
    /// A grading worksheet downloaded from Moodle, to be filled in.
    pub worksheet: Option<PathBuf>,
}

/// The stored result of one submission, from which a batch resumes: `<out>/results/<id>.json`.
pub fn to_json(graded: &Graded) -> Vec<u8> {
    json(graded)
}

/// JSON in the style of all files: indented, with a final newline.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut json = serde_json::to_vec_pretty(value).unwrap_or_default();
    json.push(b'\n');
    json
}

/// A format of results.
pub struct Format {
    /// The name of its file, below `students/<id>/` or beside them.
    pub file: &'static str,
    /// Who reads it.
    pub reader: &'static str,
    /// What makes it.
    pub make: Make,
}

/// What makes the file of a format.
pub enum Make {
    /// One for each student, which says nothing of hidden items but their points.
    Student(fn(&Graded, Lang) -> Vec<u8>),
    /// One for the class, for instructors and gradebooks.
    Class(fn(&[Graded], &Options) -> Vec<u8>),
}

/// All formats, in the order in which their files are written.
pub static FORMATS: &[&Format] = &[
    &page::STUDENT,
    &view::GRADE,
    &gradescope::FORMAT,
    &classroom50::FORMAT,
    &junit::FORMAT,
    &prairielearn::FORMAT,
    &codegrade::FORMAT,
    &class::CSV,
    &class::MARKDOWN,
    &page::CLASS,
    &class::JSON,
    &moodle::FORMAT,
    &canvas::FORMAT,
];

/// The files of one student: names and contents.
pub fn student_files(graded: &Graded, lang: Lang) -> Vec<(&'static str, Vec<u8>)> {
    let file = |format: &&Format| match format.make {
        Make::Student(make) => Some((format.file, make(graded, lang))),
        Make::Class(_) => None,
    };
    FORMATS.iter().filter_map(file).collect()
}

/// The files of a class: names and contents.
pub fn class_files(graded: &[Graded], options: &Options) -> Vec<(&'static str, Vec<u8>)> {
    let file = |format: &&Format| match format.make {
        Make::Class(make) => Some((format.file, make(graded, options))),
        Make::Student(_) => None,
    };
    FORMATS.iter().filter_map(file).collect()
}

/// Write all files of one submission after it was graded, so that `out` is consistent at any time.
pub fn write_one(graded: &Graded, out: &Path, lang: Lang) -> Result<(), Error> {
    let folder = out.join("students").join(&graded.submission.id);
    for (name, bytes) in student_files(graded, lang) {
        replace_file(&folder.join(name), &bytes, OTHER_FOLDER)?;
    }
    // Last, because a resumed batch takes it as a sign that the others exist.
    replace_file(
        &out.join("results").join(format!("{}.json", graded.submission.id)),
        &to_json(graded),
        OTHER_FOLDER,
    )
}

/// Write the files of the class after all submissions: tables, and files for learning platforms.
pub fn write_all(graded: &[Graded], out: &Path, lang: Lang) -> Result<(), Error> {
    write_class(graded, out, &Options { lang, ..Options::default() }).map(drop)
}

/// Write the files of the class. Returns a line for each entry that did not fit into a worksheet.
pub fn write_class(graded: &[Graded], out: &Path, options: &Options) -> Result<Vec<String>, Error> {
    for (name, bytes) in class_files(graded, options) {
        replace_file(&out.join(name), &bytes, OTHER_FOLDER)?;
    }
    let Some(path) = &options.worksheet else { return Ok(vec![]) };
    let filled = fill_worksheet(&read_worksheet(path)?, graded, options.lang)
        .map_err(|mistake| in_worksheet(path, mistake))?;
    replace_file(&out.join("worksheet.csv"), &filled.bytes, OTHER_FOLDER)?;
    Ok(filled.left_out)
}

/// Refuse a worksheet that cannot be filled in, before anything is graded.
pub fn probe_worksheet(path: &Path, max: Points) -> Result<(), Error> {
    check_worksheet(&read_worksheet(path)?, max).map_err(|mistake| in_worksheet(path, mistake))
}

fn read_worksheet(path: &Path) -> Result<Vec<u8>, Error> {
    let hint = "give the worksheet as downloaded from Moodle: “Download grading worksheet”";
    fs::read(path).map_err(|cause| Error::io("read", path, &cause, hint))
}

fn in_worksheet(path: &Path, mistake: Mistake) -> Error {
    Error::from(mistake.note(format!("in `{}`", path.display())))
}

//! Fills in Moodle's grading worksheet: the file from “Download grading worksheet”, with two cells
//! of each row replaced.
//!
//! All other bytes stay as they are (byte order mark, quotes, line endings, order of columns),
//! because Moodle compares them with its own. So the file is not parsed and rewritten; its cells
//! are located, and those of grades and comments are replaced.

use std::collections::BTreeMap;
use std::ops::Range;

use super::super::model::{Graded, Lang, Points};
use super::super::submission::of_moodle;
use super::cells::harmless;
use super::moodle::{comment, grade};
use crate::error::{Mistake, excerpt};

/// The columns, by Moodle's names in English and Spanish.
const IDENTIFIER: [&str; 2] = ["identifier", "identificador"];
const NAME: [&str; 2] = ["full name", "nombre completo"];
const EMAIL: [&str; 4] =
    ["email address", "dirección de correo", "dirección email", "correo electrónico"];
const USERNAME: [&str; 3] = ["username", "nombre de usuario", "usuario"];
const ID_NUMBER: [&str; 4] = ["id number", "número de id", "número de identificación", "idnumber"];
const GRADE: [&str; 2] = ["grade", "calificación"];
const MAXIMUM: [&str; 2] = ["maximum grade", "calificación máxima"];
const CHANGEABLE: [&str; 4] = [
    "grade can be changed",
    "la calificación puede ser cambiada",
    "se puede cambiar la calificación",
    "la calificación se puede cambiar",
];
const COMMENTS: [&str; 4] = [
    "feedback comments",
    "comentarios de retroalimentación",
    "comentarios",
    "retroalimentación de comentarios",
];

/// A worksheet with the grades filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The file.
    pub bytes: Vec<u8>,
    /// A line for each grade that could not be entered: students without a row, rows whose grade
    /// must not be changed.
    pub left_out: Vec<String>,
}

/// A worksheet as downloaded.
struct Sheet<'a> {
    text: &'a str,
    delimiter: char,
    /// The places of all cells.
    rows: Vec<Row>,
    grade: usize,
    maximum: Option<usize>,
    changeable: Option<usize>,
    comments: Option<usize>,
    columns: Columns,
}

type Row = Vec<Range<usize>>;

impl<'a> Sheet<'a> {
    fn read(bytes: &'a [u8]) -> Result<Sheet<'a>, Mistake> {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(Mistake::new(
                "the worksheet is not UTF-8",
                "download it again and do not save it from a spreadsheet program",
            ));
        };
        let begin = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let delimiter = delimiter(&text[begin..]);
        let rows = cells(text, begin, delimiter);
        let column = |names: &[&str]| {
            let head = rows.first()?;
            head.iter()
                .position(|cell| names.contains(&value(text, cell).trim().to_lowercase().as_str()))
        };
        let (Some(grade), Some(_)) =
            (column(&GRADE), column(&IDENTIFIER).or(column(&EMAIL)).or(column(&NAME)))
        else {
            let found: Vec<String> = rows
                .first()
                .iter()
                .flat_map(|head| head.iter())
                .map(|cell| excerpt(&value(text, cell)))
                .collect();
            let message =
                "the worksheet has no column `Grade`, or none that identifies the students";
            let hint = "give the file from Moodle's “Download grading worksheet”, in English or \
                Spanish";
            return Err(
                Mistake::new(message, hint).note(format!("its columns: {}", found.join(", ")))
            );
        };
        let columns = Columns {
            identifier: column(&IDENTIFIER),
            name: column(&NAME),
            email: column(&EMAIL),
            username: column(&USERNAME),
            id_number: column(&ID_NUMBER),
        };
        let (maximum, changeable, comments) =
            (column(&MAXIMUM), column(&CHANGEABLE), column(&COMMENTS));
        Ok(Sheet { text, delimiter, rows, grade, maximum, changeable, comments, columns })
    }

    /// The maximum grade of a row; empty if it has none.
    fn maximum_of(&self, row: &Row) -> String {
        self.maximum
            .and_then(|column| row.get(column))
            .map(|cell| value(self.text, cell))
            .unwrap_or_default()
    }

    /// Check that every row with a maximum grade has this one.
    fn check_maximum(&self, max: Points) -> Result<(), Mistake> {
        let other = |found: &String| !found.is_empty() && hundredths(found) != Some(max);
        match self.rows.iter().skip(1).map(|row| self.maximum_of(row)).find(other) {
            None => Ok(()),
            Some(found) => Err(Mistake::new(
                format!(
                    "the worksheet's maximum grade is {}, but the assignment has {max} \
                    points",
                    excerpt(&found)
                ),
                "set the maximum grade in Moodle to the assignment's points, and download the \
                worksheet again",
            )),
        }
    }
}

/// Check, before anything is graded, that a file is a worksheet for an assignment with this number
/// of points.
pub fn check_worksheet(bytes: &[u8], max: Points) -> Result<(), Mistake> {
    Sheet::read(bytes)?.check_maximum(max)
}

/// Fill in a worksheet. Incomplete grades are not entered. Fails if the file is not a worksheet for
/// this assignment.
pub fn fill_worksheet(bytes: &[u8], class: &[Graded], lang: Lang) -> Result<Filled, Mistake> {
    let sheet = Sheet::read(bytes)?;
    if let Some(first) = class.first() {
        sheet.check_maximum(first.max)?;
    }
    let Sheet { text, delimiter, ref rows, changeable, comments, ref columns, .. } = sheet;
    let mut left_out = Vec::new();
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    // Which student's grade goes into which row.
    let mut entered: BTreeMap<usize, &str> = BTreeMap::new();
    for graded in class {
        let id = &graded.submission.id;
        let is_of = |row: &Row| {
            columns.is_of(graded, |column| row.get(column).map(|cell| value(text, cell)))
        };
        let Some((number, row)) = rows.iter().enumerate().skip(1).find(|(_, row)| is_of(row))
        else {
            left_out.push(format!("`{id}` is not in the worksheet"));
            continue;
        };
        let cell = |column: Option<usize>| column.and_then(|column| row.get(column));
        if cell(changeable).is_some_and(|cell| value(text, cell).trim().eq_ignore_ascii_case("no"))
        {
            left_out.push(format!("the worksheet says that the grade of `{id}` cannot be changed"));
            continue;
        }
        if !graded.is_complete() || !graded.provisional.is_empty() {
            left_out.push(format!("`{id}` is not fully graded"));
            continue;
        }
        if let Some(first) = entered.get(&number) {
            left_out.push(format!(
                "`{id}` has the same row as `{first}`, whose grade was entered: check which one \
                counts"
            ));
            continue;
        }
        entered.insert(number, id);
        // Use a decimal comma if the file has one, or if its separator is that of languages that
        // do.
        let max = sheet.maximum_of(row);
        let comma = max.contains(',') || (delimiter == ';' && !max.contains('.'));
        changes.extend(cell(Some(sheet.grade)).map(|cell| (cell.clone(), grade(graded, comma))));
        changes.extend(cell(comments).map(|cell| (cell.clone(), harmless(&comment(graded, lang)))));
    }
    changes.sort_by_key(|(place, _)| place.start);
    let mut filled = String::with_capacity(text.len());
    let mut done = 0;
    for (place, new) in changes {
        filled.push_str(&text[done..place.start]);
        filled.push_str(&quoted(&new, text[place.clone()].starts_with('"'), delimiter));
        done = place.end;
    }
    filled.push_str(&text[done..]);
    Ok(Filled { bytes: filled.into_bytes(), left_out })
}

/// The columns that identify the student of a row.
struct Columns {
    identifier: Option<usize>,
    name: Option<usize>,
    email: Option<usize>,
    username: Option<usize>,
    id_number: Option<usize>,
}

impl Columns {
    /// Whether a row is a student's: by Moodle's participant number, which is in the folder's name,
    /// otherwise by a unique key, otherwise by the full name.
    fn is_of(&self, graded: &Graded, cell: impl Fn(usize) -> Option<String>) -> bool {
        let is = |column: Option<usize>, known: &str| {
            !known.is_empty()
                && column
                    .and_then(&cell)
                    .is_some_and(|cell| cell.trim().to_lowercase() == known.trim().to_lowercase())
        };
        let student = &graded.student;
        if let (Some((_, number, _)), Some(column)) =
            (of_moodle(&graded.submission.id), self.identifier)
        {
            return cell(column).is_some_and(|cell| cell.rsplit(' ').next() == Some(number));
        }
        is(self.email, &student.email)
            || is(self.username, &student.username)
            || is(self.id_number, &student.idnumber)
            || is(self.name, &student.name)
    }
}

/// A number with a decimal point or comma, in hundredths.
fn hundredths(text: &str) -> Option<Points> {
    let text = text.trim().replace(',', ".");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let part = format!("{:0<2}", part.trim_end_matches('0'));
    if part.len() != 2 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    Some(Points(whole.checked_mul(100)?.checked_add(part.parse().ok()?)?))
}

/// The separator: the most frequent candidate in the first line, outside quotes.
fn delimiter(text: &str) -> char {
    let line = text.lines().next().unwrap_or("");
    let outside: String = line.split('"').step_by(2).collect();
    let count = |candidate: &char| outside.matches(*candidate).count();
    [';', '\t', ',']
        .into_iter()
        .max_by_key(count)
        .filter(|candidate| count(candidate) > 0)
        .unwrap_or(',')
}

/// The ranges of all cells, including their quotes.
fn cells(text: &str, begin: usize, delimiter: char) -> Vec<Row> {
    let (mut rows, mut row, mut start, mut is_quoted) = (Vec::new(), Vec::new(), begin, false);
    for (at, c) in text[begin..].char_indices().map(|(at, c)| (at + begin, c)) {
        match c {
            '"' => is_quoted = !is_quoted,
            c if c == delimiter && !is_quoted => {
                row.push(start..at);
                start = at + 1;
            }
            '\n' if !is_quoted => {
                row.push(start..at - usize::from(text[start..at].ends_with('\r')));
                rows.push(std::mem::take(&mut row));
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < text.len() || !row.is_empty() {
        row.push(start..text.len());
        rows.push(row);
    }
    rows
}

/// The value of a cell.
fn value(text: &str, cell: &Range<usize>) -> String {
    let cell = &text[cell.clone()];
    cell.strip_prefix('"')
        .and_then(|cell| cell.strip_suffix('"'))
        .map_or_else(|| cell.to_owned(), |inner| inner.replace("\"\"", "\""))
}

fn quoted(text: &str, always: bool, delimiter: char) -> String {
    let must = text.contains([delimiter, '"', '\n', '\r']) || text.contains(' ');
    if always || must { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

//! Moodle's grading worksheet: two cells of a row are replaced, and not a byte besides.

use super::sample::{awkward, broken, full};
use insta::assert_snapshot;
use seedbed::grade::model::{Graded, Lang, Points};
use seedbed::grade::output::{check_worksheet, fill_worksheet};

const ENGLISH: &str = "\u{feff}Identifier,\"Full name\",\"Email address\",Status,Grade,\"Maximum \
    Grade\",\"Grade can be changed\",\"Feedback comments\"\r\n\
    \"Participant 123\",\"Ana García\",ana@example.org,\"Submitted, for grading\",,14.00,Yes,\r\n\
    \"Participant 99\",\"Nobody \"\"N\"\" \
    Else\",no@example.org,\"two\r\nlines\",3,14.00,Yes,\"old\"\r\n\
    \"Participant 7\",Luis,luis@example.org,-,-,14.00,Yes,-\r\n";

fn luis() -> Graded {
    let mut luis = broken();
    luis.student.email = "LUIS@example.org".into();
    luis
}

/// Row by row: who is found by the participant's number or the address gets points and a comment;
/// who is not in the class stays as it was.
#[test]
fn a_worksheet_is_filled_in_and_otherwise_left_alone() {
    let filled = fill_worksheet(ENGLISH.as_bytes(), &[awkward(), full(), luis()], Lang::En)
        .expect("a worksheet");
    let text = String::from_utf8(filled.bytes).expect("UTF-8");
    assert_snapshot!(
        "worksheet",
        format!("{}\n---\n{}", text.replace('\r', "␍"), filled.left_out.join("\n"))
    );
    let lines = |text: &str| -> Vec<String> { text.split("\r\n").map(str::to_owned).collect() };
    let (before, after) = (lines(ENGLISH), lines(&text));
    assert_eq!(before.len(), after.len());
    for untouched in [0, 2, 3, 5] {
        assert_eq!(before[untouched], after[untouched]);
    }
    let nobody = fill_worksheet(ENGLISH.as_bytes(), &[], Lang::En).expect("a worksheet");
    assert_eq!(nobody.bytes, ENGLISH.as_bytes(), "with nobody to enter, all bytes are the same");
}

/// In Spanish the columns have other names, cells are parted by `;` and numbers have a comma.
#[test]
fn a_spanish_worksheet_gets_decimal_commas() {
    let text = "Identificador;\"Nombre completo\";\"Dirección de \
        correo\";Estado;Calificación;\"Calificación máxima\";\"La calificación puede ser \
        cambiada\"\n\
        Participante 123;Ana García;ana@example.org;Enviado;;14,00;Sí";
    let mut ana = full();
    ana.score = Points(1_350);
    let filled = fill_worksheet(text.as_bytes(), &[ana], Lang::Es).expect("a worksheet");
    assert_eq!(
        String::from_utf8(filled.bytes).expect("UTF-8"),
        text.replace("Enviado;;", "Enviado;13,5;")
    );
}

/// Two submissions of one student: one grade is entered, and of the other it is said.
#[test]
fn a_row_is_filled_in_once() {
    let mut other = full();
    other.submission.id = "Ana García_123_assignsubmission_onlinetext_".into();
    other.score = Points(0);
    let alone = fill_worksheet(ENGLISH.as_bytes(), &[full()], Lang::En).expect("a worksheet");
    let both = fill_worksheet(ENGLISH.as_bytes(), &[full(), other], Lang::En).expect("a worksheet");
    assert_eq!(String::from_utf8(both.bytes), String::from_utf8(alone.bytes));
    assert!(
        matches!(&both.left_out[..], [line] if line.contains("has the same row as")),
        "{:?}",
        both.left_out
    );
}

/// What cannot be entered is said, and what is not a worksheet of this assignment is refused before
/// anything is changed.
#[test]
fn a_worksheet_that_does_not_fit_is_refused() {
    let refused = |text: &[u8]| {
        let mistake = fill_worksheet(text, &[full()], Lang::En).expect_err("it does not fit");
        format!("{} / {} / {:?}", mistake.message, mistake.hint, mistake.notes)
    };
    let other_maximum = ENGLISH.replace("14.00", "20.00");
    let cases = [
        refused(b"name,points\nAna,3\n"),
        refused(other_maximum.as_bytes()),
        refused(b"\xff\xfe"),
        refused(b""),
    ];
    assert_snapshot!("worksheets_that_are_refused", cases.join("\n"));
    // The same before there is anything to enter.
    for (text, fits) in
        [(ENGLISH, true), (other_maximum.as_str(), false), ("name,points\nAna,3\n", false)]
    {
        assert_eq!(check_worksheet(text.as_bytes(), full().max).is_ok(), fits);
    }
    let locked = ENGLISH.replace(",Yes,", ",No,");
    let filled = fill_worksheet(locked.as_bytes(), &[full()], Lang::En).expect("a worksheet");
    assert_eq!(filled.bytes, locked.as_bytes());
    assert_eq!(filled.left_out.len(), 1);
}

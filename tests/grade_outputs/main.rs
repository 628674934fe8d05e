//! The output files of a grading, from one handmade result: golden texts, schemas, and what they
//! must never contain.

mod junit;
mod sample;
mod slices;
mod worksheet;

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use sample::{SECRET, awkward, broken, class, full};
use seedbed::grade::model::{Lang, Student};
use seedbed::grade::output::page::{class_page, page};
use seedbed::grade::output::{
    Classroom50, FORMATS, Make, Options, canvas_csv, class_csv, class_files, class_json,
    class_markdown, classroom50_json, codegrade_jsonl, for_student, gradescope_json, junit_xml,
    moodle_csv, prairielearn_json, student_files, write_class, write_one,
};
use serde_json::Value;

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("every file is UTF-8")
}

/// A page without its style, with one tag per line.
fn bare(page: &str) -> String {
    let (before, rest) = page.split_once("<style>").expect("a style");
    let (_, after) = rest.split_once("</style>").expect("its end");
    format!("{before}{after}").replace("><", ">\n<")
}

/// What a student reads, in each format. A change here changes what learning platforms get.
#[test]
fn every_format_of_a_student() {
    let graded = awkward();
    assert_snapshot!("gradescope", text(gradescope_json(&graded, Lang::En)));
    let workflow = Classroom50 {
        classroom: "cs".into(),
        datetime: "2026-01-01T00:00:00Z".into(),
        ..Classroom50::default()
    };
    assert_snapshot!("classroom50", text(classroom50_json(&graded, Lang::En, &workflow)));
    assert_snapshot!("junit", text(junit_xml(&graded, Lang::En)));
    assert_snapshot!("prairielearn", text(prairielearn_json(&graded, Lang::En)));
    assert_snapshot!("codegrade", text(codegrade_jsonl(&graded, Lang::Es)));
    assert_snapshot!("page_en", bare(&page(&graded, Lang::En)));
    assert_snapshot!("page_es", bare(&page(&graded, Lang::Es)));
    assert_snapshot!("page_of_a_program_that_does_not_compile", bare(&page(&broken(), Lang::En)));
}

/// What an instructor reads. Cells that a spreadsheet would take for a formula start with an
/// apostrophe.
#[test]
fn every_format_of_a_class() {
    let class = class();
    assert_snapshot!("class_csv", text(class_csv(&class)));
    assert_snapshot!("class_md", class_markdown(&class, Lang::En));
    assert_snapshot!("class_json", text(class_json(&class)));
    assert_snapshot!("class_html", bare(&class_page(&class, Lang::Es)));
    assert_snapshot!("moodle", text(moodle_csv(&class, Lang::En, false)));
    assert_snapshot!("moodle_with_semicolons", text(moodle_csv(&class, Lang::Es, true)));
    assert_snapshot!("canvas", text(canvas_csv(&class, true)));
}

/// A row without a key would make Moodle refuse the whole file, and a folder named by Moodle tells
/// only the full name.
#[test]
fn moodle_gets_no_row_without_a_key() {
    let mut class = class();
    let rows = |class: &[_]| text(moodle_csv(class, Lang::En, false)).lines().count();
    let before = rows(&class);
    class[0].student = Student { name: "Ana García".to_owned(), ..Student::default() };
    assert_eq!(rows(&class), before - 1);
}

/// An instructor reads names if they are known; equal names are distinguished, and links lead to
/// the files.
#[test]
fn a_class_is_shown_by_its_names() {
    let mut class = class();
    let pages = |class: &[_]| [class_page(class, Lang::En), class_markdown(class, Lang::En)];
    for page in pages(&class) {
        let seen = page.replace(
            "href=\"students/Ana%20Garc%C3%ADa_123_assignsubmission_file_/page.html\"",
            "",
        );
        assert!(
            seen.contains("Ana García")
                && seen.contains("luis")
                && !seen.contains("assignsubmission"),
            "{seen}"
        );
    }
    assert!(
        class_page(&class, Lang::En)
            .contains("students/Ana%20Garc%C3%ADa_123_assignsubmission_file_/page.html")
    );
    class[2].student.name = "Ana García".to_owned();
    for page in pages(&class) {
        let page = page.replace('\\', "");
        assert!(
            page.contains("Ana García (Ana García_123_assignsubmission_file_)")
                && page.contains("Ana García (luis)"),
            "{page}"
        );
    }
}

/// An instructor's text between backticks is code on a page and plain text elsewhere; nothing in it
/// is markup.
#[test]
fn code_is_shown_as_code() {
    let page = page(&awkward(), Lang::En);
    assert!(
        page.contains("Look at <code>&lt;votedFor&gt;</code> again &amp; save it `now."),
        "{page}"
    );
    assert!(page.contains("<code>node.py</code> has Windows line endings"), "{page}");
    // What a program prints is shown as it is.
    assert!(page.contains("| pipe `code` $x$"), "{page}");
    assert!(
        text(gradescope_json(&awkward(), Lang::En))
            .contains("Look at `<votedFor>` again & save it `now.")
    );
}

fn assert_valid(schema: &str, instance: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(schema);
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the schema is there"))
            .expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mistakes: Vec<String> = validator
        .iter_errors(instance)
        .map(|mistake| format!("{}: {mistake}", mistake.instance_path()))
        .collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
}

/// Every result, whatever its outcome, is valid for each platform.
#[test]
fn results_are_valid_under_their_schemas() {
    for graded in class() {
        for lang in [Lang::En, Lang::Es] {
            let json = |bytes: Vec<u8>| -> Value { serde_json::from_slice(&bytes).expect("JSON") };
            assert_valid("gradescope.json", &json(gradescope_json(&graded, lang)));
            assert_valid(
                "classroom50.json",
                &json(classroom50_json(&graded, lang, &Classroom50::default())),
            );
            assert_valid("prairielearn.json", &json(prairielearn_json(&graded, lang)));
            for line in text(codegrade_jsonl(&graded, lang)).lines() {
                assert_valid("codegrade.json", &serde_json::from_str(line).expect("JSON"));
            }
            junit::assert_valid(&text(junit_xml(&graded, lang)));
        }
    }
}

/// The tests' points add up to the total on every platform: no format loses or invents a fraction.
#[test]
fn the_tests_add_up_to_the_score() {
    for graded in class() {
        let json = |bytes: Vec<u8>| -> Value { serde_json::from_slice(&bytes).expect("JSON") };
        let sum = |tests: &Value, key: &str| -> f64 {
            tests.as_array().expect("tests").iter().filter_map(|test| test[key].as_f64()).sum()
        };
        let score = f64::from(graded.score.0) / 100.0;
        let gradescope = json(gradescope_json(&graded, Lang::En));
        assert_eq!(
            (sum(&gradescope["tests"], "score"), gradescope["score"].as_f64()),
            (score, Some(score))
        );
        let classroom = json(classroom50_json(&graded, Lang::En, &Classroom50::default()));
        assert_eq!(
            sum(&classroom["tests"], "score"),
            classroom["score"].as_f64().expect("a number")
        );
        assert_eq!(
            sum(&classroom["tests"], "max-score"),
            1_400.0,
            "an item with a share of its points: all in hundredths"
        );
        let prairielearn = json(prairielearn_json(&graded, Lang::En));
        assert_eq!(sum(&prairielearn["tests"], "points"), score);
        assert_eq!(prairielearn["gradable"], graded.is_complete());
    }
}

/// In a student's files, hidden items contribute only their points to the sum. Gradescope's file is
/// the exception: Gradescope hides them by their visibility.
#[test]
fn what_is_hidden_stays_hidden() {
    for (name, bytes) in student_files(&awkward(), Lang::En) {
        let text = text(bytes);
        let hides = name == "results.json";
        assert_eq!(text.contains(SECRET), hides, "{name}");
        assert_eq!(text.contains("4242"), hides, "{name}");
    }
    let gradescope: Value =
        serde_json::from_slice(&gradescope_json(&awkward(), Lang::En)).expect("JSON");
    for test in gradescope["tests"].as_array().expect("tests") {
        assert_eq!(test.to_string().contains(SECRET), test["visibility"] != "visible", "{test}");
    }
    assert!(
        !gradescope["output"].to_string().contains(SECRET)
            && !gradescope["extra_data"].to_string().contains(SECRET)
    );
    assert!(
        !text(moodle_csv(&class(), Lang::En, false)).contains(SECRET),
        "students read the comments of their grades"
    );
    let shown = for_student(&awkward());
    assert_eq!((shown.items.len(), shown.score.0, shown.max.0), (4, 275, 900));
}

/// Whatever a student's name or a program's output is, it stays text: every tag in a page comes
/// from the template.
#[test]
fn no_text_becomes_markup() {
    let known: BTreeSet<&str> = [
        "a",
        "article",
        "body",
        "caption",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "head",
        "header",
        "html",
        "li",
        "main",
        "meta",
        "meter",
        "p",
        "pre",
        "section",
        "span",
        "strong",
        "style",
        "svg",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ]
    .into();
    for lang in [Lang::En, Lang::Es] {
        assert!(
            !page(&awkward(), lang).contains('\u{202e}')
                && !page(&awkward(), lang).contains('\u{1b}'),
            "nothing turns the direction of writing"
        );
        for page in [
            page(&awkward(), lang),
            page(&full(), lang),
            page(&broken(), lang),
            class_page(&class(), lang),
        ] {
            let tags = page.split('<').skip(1).filter(|tag| !tag.starts_with(['/', '!']));
            for tag in tags {
                let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
                assert!(known.contains(name.as_str()), "<{tag}");
            }
            assert!(
                !page.contains("http://evil\"")
                    && !page.contains("src=")
                    && !page.contains("@import")
                    && !page.contains("url(")
            );
            assert!(page.starts_with("<!DOCTYPE html><html lang=\"e"));
        }
    }
    let markdown = class_markdown(&class(), Lang::En);
    assert!(!markdown.contains("<b>") && !markdown.contains("<script"), "{markdown}");
}

/// Every cell of every table is read back unchanged, except for the apostrophe before a formula.
#[test]
fn tables_are_read_back_as_they_were_written() {
    let class = class();
    for (bytes, delimiter) in [
        (class_csv(&class), b','),
        (moodle_csv(&class, Lang::En, true), b';'),
        (canvas_csv(&class, false), b','),
    ] {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(&bytes[..]);
        let width = reader.headers().expect("a head").len();
        let rows: Vec<csv::StringRecord> =
            reader.records().collect::<Result<_, _>>().expect("every row is as wide as the head");
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == width));
        let cells = rows.iter().flat_map(csv::StringRecord::iter);
        assert!(cells.into_iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])));
    }
}

/// All files are written whole, those for the next batch last, and writing them twice gives the
/// same bytes.
#[test]
fn everything_is_written() {
    let out = tempfile::tempdir().expect("a folder");
    let class = class();
    let list = || {
        for graded in &class {
            write_one(graded, out.path(), Lang::En).expect("writable");
        }
        let options = Options { points_possible: true, ..Options::default() };
        assert_eq!(write_class(&class, out.path(), &options).expect("writable"), [] as [&str; 0]);
        let mut folders = vec![out.path().to_owned()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("readable") {
                let path = entry.expect("readable").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((
                        path.strip_prefix(out.path()).expect("inside").display().to_string(),
                        std::fs::read(&path).expect("readable"),
                    ));
                }
            }
        }
        files.sort();
        files
    };
    let first = list();
    let of_student =
        FORMATS.iter().filter(|format| matches!(format.make, Make::Student(_))).count();
    let of_class = FORMATS.len() - of_student;
    assert_eq!(first.len(), 3 * (of_student + 1) + of_class);
    assert!(
        first.iter().any(|(name, _)| name == "students/luis/page.html")
            && first.iter().any(|(name, _)| name == "results/luis.json")
    );
    assert!(first == list(), "written again, every file has the same bytes");
    assert_eq!(
        class_files(&[], &Options::default()).len(),
        of_class,
        "a class without students has files too"
    );
}

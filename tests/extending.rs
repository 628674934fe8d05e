//! Extending is what `docs/extending.md` says, and no more: in a scratch copy of the source, a
//! system, a check, a fault, a plot and a format of grades are added by the steps of that page. The
//! files that change are exactly those that it names, and the copy compiles.
//!
//! What is added lies in `tests/extending/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a step does to a file of the copy.
enum Edit {
    /// A new file with the content of one of `tests/extending/`.
    New(&'static str),
    /// Further text, each before the first place that reads so.
    Before(&'static [(&'static str, &'static str)]),
}

/// One kind of extension: its section of the page, what the page's placeholders stand for, and what
/// is done.
struct Extension {
    section: &'static str,
    names: &'static [(&'static str, &'static str)],
    edits: &'static [(&'static str, Edit)],
}

const EXTENSIONS: &[Extension] = &[
    Extension {
        section: "A system",
        names: &[("<name>", "lamp")],
        edits: &[
            ("src/systems/lamp/mod.rs", Edit::New("system.rs")),
            ("src/systems/lamp/vocabulary.rs", Edit::New("vocabulary.rs")),
            ("src/systems/lamp/checks/mod.rs", Edit::New("checks.rs")),
            (
                "src/systems/mod.rs",
                Edit::Before(&[
                    ("pub mod p2p;", "pub mod lamp;\n"),
                    ("    &p2p::SYSTEM,", "    &lamp::SYSTEM,\n"),
                ]),
            ),
        ],
    },
    Extension {
        section: "A check",
        names: &[("<system>", "lamp"), ("<name>", "hears_others")],
        edits: &[
            ("src/systems/lamp/checks/hears_others.rs", Edit::New("check.rs")),
            (
                "src/systems/lamp/checks/mod.rs",
                Edit::Before(&[
                    ("use crate::checkers", "mod hears_others;\n\n"),
                    ("    &no_panic::CHECKER,", "    &hears_others::CHECKER,\n"),
                ]),
            ),
        ],
    },
    Extension {
        section: "A plot",
        names: &[("<system>", "raft"), ("<name>", "terms")],
        edits: &[
            ("src/systems/raft/plots/terms.rs", Edit::New("plot.rs")),
            (
                "src/systems/raft/plots/mod.rs",
                Edit::Before(&[
                    ("use crate::plots", "mod terms;\n\n"),
                    ("&LATENCY,", "&terms::TERMS, "),
                ]),
            ),
        ],
    },
    Extension {
        section: "A fault",
        names: &[("<group>", "processes"), ("<name>", "doze")],
        edits: &[
            ("src/faults/processes/doze.rs", Edit::New("fault.rs")),
            (
                "src/faults/processes/mod.rs",
                Edit::Before(&[("pub(crate) mod kill;", "pub(crate) mod doze;\n")]),
            ),
            (
                "src/faults/mod.rs",
                Edit::Before(&[("    &processes::kill::KILL,", "    &processes::doze::DOZE,\n")]),
            ),
        ],
    },
    Extension {
        section: "A format of grades",
        names: &[("<name>", "score")],
        edits: &[
            ("src/grade/output/score.rs", Edit::New("format.rs")),
            (
                "src/grade/output/mod.rs",
                Edit::Before(&[
                    ("mod view;", "mod score;\n"),
                    ("    &view::GRADE,", "    &score::FORMAT,\n"),
                ]),
            ),
        ],
    },
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder, by path, with their content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("readable");
            open.extend(entries.map(|entry| entry.expect("readable").path()));
        } else {
            found.insert(path.clone(), fs::read(&path).expect("readable"));
        }
    }
    found
}

/// A copy of everything that the library is made of.
fn copy(to: &Path) {
    let places = ["Cargo.toml", "Cargo.lock", ".cargo", "src", "sdk", "benches", "docs/library.md"];
    for place in places {
        for (path, bytes) in files(&root().join(place)) {
            let path = to.join(path.strip_prefix(root()).expect("inside"));
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            fs::write(path, bytes).expect("writable");
        }
    }
}

/// The files that a section of the page names, with its placeholders filled in. A folder stands for
/// all that is in it.
fn named(extension: &Extension) -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/extending.md")).expect("the page is there");
    let heading = format!("## {}\n", extension.section);
    let (_, rest) = page.split_once(&heading).expect(extension.section);
    let section = rest.split("\n## ").next().expect("a part");
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| new |") || line.starts_with("| a line |"));
    let path = |row: &str| row.split('`').nth(1).expect("a path").to_owned();
    let fill = |path: String| {
        extension.names.iter().fold(path, |path, (name, word)| path.replace(name, word))
    };
    rows.map(path).map(fill).collect()
}

fn apply(scratch: &Path, extension: &Extension) {
    for (path, edit) in extension.edits {
        let path = scratch.join(path);
        match edit {
            Edit::New(file) => {
                assert!(!path.exists(), "{} is there already", path.display());
                fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
                fs::copy(root().join("tests/extending").join(file), path).expect("writable");
            }
            Edit::Before(lines) => {
                let mut text = fs::read_to_string(&path).expect("readable");
                for (before, line) in *lines {
                    let at = text.find(before).unwrap_or_else(|| {
                        panic!("{} does not have `{before}`", path.display());
                    });
                    text.insert_str(at, line);
                }
                fs::write(&path, text).expect("writable");
            }
        }
    }
}

#[test]
fn an_extension_touches_what_the_page_names_and_compiles() {
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    copy(scratch.path());
    let mut before = files(scratch.path());
    for extension in EXTENSIONS {
        apply(scratch.path(), extension);
        let after = files(scratch.path());
        let touched: BTreeSet<String> = after
            .iter()
            .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
            .map(|(path, _)| path.strip_prefix(scratch.path()).expect("inside"))
            .map(|path| path.to_str().expect("UTF-8").replace('\\', "/"))
            .collect();
        let named = named(extension);
        let is_named = |path: &String| {
            named.iter().any(|name| name == path || name.ends_with('/') && path.starts_with(name))
        };
        let unnamed: Vec<&String> = touched.iter().filter(|path| !is_named(path)).collect();
        assert!(unnamed.is_empty(), "{}: the page lacks {unnamed:?}", extension.section);
        let untouched: Vec<&String> = named
            .iter()
            .filter(|name| !touched.iter().any(|path| path.starts_with(name.as_str())))
            .collect();
        assert!(untouched.is_empty(), "{}: no need of {untouched:?}", extension.section);
        before = after;
    }
    // The libraries that it needs are those of this build, in a folder of their own so that nobody
    // waits for a lock; after the first time only the copy itself is looked at.
    let output = Command::new(env!("CARGO"))
        .args(["check", "--lib", "--offline", "--locked"])
        .current_dir(scratch.path())
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("extending"))
        .env("RUSTFLAGS", "--cfg madsim -D warnings")
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

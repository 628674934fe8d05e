//! One word for one meaning (`defect`, not `flaw`), and English without the errors that came back
//! most often.
//!
//! Texts are read as streams of words: comments, docs and string literals, across line breaks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::source::{Source, root, sources};

/// Where a person reads what we wrote.
const PLACES: &[&str] = &["src", "tests", "benches", "sdk", "README.md", "docs", ".ci"];
const EXTENSIONS: &[&str] = &["rs", "md", "py", "c", "h", "css"];

/// What may still be wrong, by file; it only goes down, and is empty at the end.
const ALLOWANCE: &str = "tests/tidy/allowance.txt";

/// These name what they refuse.
const SELF: &[&str] = &["tests/tidy/words.rs", "tests/tidy/rooms.rs"];

/// A phrase that is refused, with what to write.
struct Phrase {
    /// In lower case, words separated by a blank; `*` is any word.
    words: &'static str,
    /// Right after one of these words it is good English.
    unless_after: &'static [&'static str],
    /// Right before one of these words it is good English.
    unless_before: &'static [&'static str],
    instead: &'static str,
}

const fn phrase(words: &'static str, instead: &'static str) -> Phrase {
    Phrase { words, unless_after: &[], unless_before: &[], instead }
}

/// "There is no answer" and "is no longer" are right.
const fn is_no(words: &'static str, instead: &'static str) -> Phrase {
    const MORE: &[&str] = &[
        "longer", "more", "less", "later", "earlier", "sooner", "older", "newer", "better",
        "worse", "larger", "smaller", "greater", "fewer", "other", "need", "way", "such", "one",
    ];
    Phrase { words, unless_after: &["there"], unless_before: MORE, instead }
}

const PHRASES: &[Phrase] = &[
    is_no("is no", "is not a"),
    is_no("are no", "are not"),
    is_no("was no", "was not a"),
    is_no("were no", "were not"),
    Phrase { unless_before: &["that"], ..phrase("so many", "this many, that many") },
    phrase("so much at", "this much"),
    phrase("so much as", "as much as"),
    phrase("of one's own", "your own, its own"),
    phrase("in place of", "instead of"),
    phrase("for want of", "because there is no"),
    phrase("where there is none", "if there is none"),
    phrase("where there are none", "if there are none"),
    Phrase {
        unless_after: &[
            "looked",
            "all",
            "two",
            "three",
            "four",
            "both",
            "many",
            "several",
            "everything",
            "much",
        ],
        ..phrase("at once", "immediately; at the same time")
    },
    phrase("the own", "its own"),
    phrase("an own", "its own"),
    phrase("mend", "fix"),
    phrase("mends", "fixes"),
    phrase("mended", "fixed"),
    phrase("mending", "fixing"),
    phrase("flaw", "defect"),
    phrase("flaws", "defects"),
    phrase("planted mistake", "defect"),
    phrase("planted mistakes", "defects"),
    phrase("mistakes that can be planted", "defects"),
    phrase("mutants", "defects"),
];

/// Names of types that said nothing to anybody who reads them for the first time.
const NAMES: &[&str] = &["Flaw", "Rules", "Deed", "Toll", "Hand", "Letter", "Leaves", "Asked"];

/// Files where "mistake" could only mean a defect.
const MISTAKE_IS_DEFECT: &[&str] = &["docs/defects.md", "/defects.rs"];

/// The words of a text, in lower case, with their lines; `.` where a sentence or a paragraph ends.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = ["///", "//!", "//", "#", "*", ">"]
            .iter()
            .find_map(|mark| line.strip_prefix(mark))
            .unwrap_or(line);
        if line.trim().is_empty() {
            words.push((number + 1, ".".to_owned()));
        }
        let mut word = String::new();
        for c in line.chars().chain(['\n']) {
            if c.is_alphanumeric() || c == '_' || c == '\'' && !word.is_empty() {
                word.extend(c.to_lowercase());
                continue;
            }
            if !word.is_empty() {
                words.push((number + 1, std::mem::take(&mut word)));
            }
            if !c.is_whitespace() && c != '\\' {
                words.push((number + 1, ".".to_owned()));
            }
        }
    }
    words
}

/// What is wrong in a file: line, what stands there, what to write.
fn offences(source: &Source) -> Vec<(usize, String, &'static str)> {
    let mut found = Vec::new();
    let words = words(&source.text);
    for phrase in PHRASES {
        let sought: Vec<&str> = phrase.words.split(' ').collect();
        for (at, window) in words.windows(sought.len()).enumerate() {
            let before = at.checked_sub(1).map_or("", |i| words[i].1.as_str());
            let after = words.get(at + sought.len()).map_or("", |(_, word)| word.as_str());
            if window.iter().zip(&sought).all(|((_, word), sought)| word == sought)
                && !phrase.unless_after.contains(&before)
                && !phrase.unless_before.contains(&after)
            {
                let shown = [before, phrase.words, after].join(" ");
                found.push((window[0].0, shown.trim().to_owned(), phrase.instead));
            }
        }
    }
    if source.path.ends_with(".rs") {
        for ident in source.words().0 {
            if NAMES.iter().any(|name| ident == name) {
                found.push((ident.span().start().line, ident.to_string(), "a name that says more"));
            }
        }
    }
    if MISTAKE_IS_DEFECT.iter().any(|end| source.path.ends_with(end)) {
        let mistakes = words.iter().filter(|(_, word)| word.starts_with("mistake"));
        found.extend(mistakes.map(|(line, word)| (*line, word.clone(), "defect")));
    }
    found.sort();
    found
}

/// `path count`, a line each.
fn allowance() -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(root().join(ALLOWANCE)).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(path, count)| (path.to_owned(), count.parse().expect("a count")))
        .collect()
}

#[test]
fn texts_use_the_words_of_this_house() {
    let mut allowed = allowance();
    let (mut wrong, mut left) = (String::new(), String::new());
    for source in
        sources(PLACES, EXTENSIONS).iter().filter(|source| !SELF.contains(&source.path.as_str()))
    {
        let found = offences(source);
        let allowed = allowed.remove(&source.path).unwrap_or(0);
        if found.len() > allowed {
            let _ = writeln!(wrong, "{}: {} of {allowed} allowed", source.path, found.len());
            for (line, shown, instead) in &found {
                let _ = writeln!(wrong, "  {}:{line}: “{shown}”: {instead}", source.path);
            }
        } else if found.len() < allowed {
            let _ = writeln!(wrong, "{}: lower the allowance to {}", source.path, found.len());
        }
        if !found.is_empty() {
            let _ = writeln!(left, "{} {}", source.path, found.len());
        }
    }
    for path in allowed.keys() {
        let _ = writeln!(wrong, "{path}: nothing is there to allow");
    }
    if std::env::var_os("SEEDBED_WRITE_ALLOWANCE").is_some() {
        std::fs::write(root().join(ALLOWANCE), left).expect("the allowance can be written");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_phrase_is_found_across_lines_and_told_from_good_english() {
    let check = |text: &str| {
        let source = Source { path: "docs/x.md".to_owned(), text: text.to_owned() };
        offences(&source).len()
    };
    assert_eq!(check("/// It is\n/// no leader."), 1);
    assert_eq!(check("There is no leader; it is no longer there."), 0);
    assert_eq!(check("Kept in place, of all."), 0);
    assert_eq!(check("A program in\n    place of a node."), 1);
    assert_eq!(check("All at once, then at once."), 1);
}

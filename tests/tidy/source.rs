//! The files of the project, as text and as tokens.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};

/// A file with its path from the project's root, separated by `/`.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// The folder of `Cargo.toml`.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below these files and folders whose names end so, sorted by path.
pub fn sources(places: &[&str], extensions: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = places.iter().map(|place| root().join(place)).collect();
    while let Some(path) = open.pop() {
        // What a link names is read where it lies.
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name == "target" || name == "__pycache__") {
                continue;
            }
            for entry in fs::read_dir(&path).expect("the folder is there") {
                open.push(entry.expect("readable").path());
            }
        } else if path
            .extension()
            .is_some_and(|found| extensions.iter().any(|extension| found == *extension))
        {
            let text = fs::read_to_string(&path).expect("source is UTF-8");
            let path = path.strip_prefix(root()).expect("inside").to_str().expect("UTF-8");
            found.push(Source { path: path.replace('\\', "/"), text });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no source below {places:?}");
    found
}

impl Source {
    /// Whether this is a file of unit tests.
    pub fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }

    /// The lines of the file before its tests, numbered from 1.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let code = self.text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&self.text);
        code.lines().enumerate().map(|(number, line)| (number + 1, line))
    }

    /// The tokens of a Rust file.
    pub fn tokens(&self) -> TokenStream {
        TokenStream::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.path))
    }

    /// All identifiers and literals of a Rust file, however deep; comments are not among them, but
    /// doc comments are, as literals.
    pub fn words(&self) -> (Vec<Ident>, Vec<Literal>) {
        let (mut idents, mut literals) = (Vec::new(), Vec::new());
        let mut open = vec![self.tokens()];
        while let Some(tokens) = open.pop() {
            for token in tokens {
                match token {
                    TokenTree::Group(group) => open.push(group.stream()),
                    TokenTree::Ident(ident) => idents.push(ident),
                    TokenTree::Literal(literal) => literals.push(literal),
                    TokenTree::Punct(_) => {}
                }
            }
        }
        (idents, literals)
    }
}

/// `path:line: text` of all lines of code, without comments and tests, that a rule refuses.
pub fn offences(folder: &str, rule: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources(&[folder], &["rs"]).iter().filter(|source| !source.is_test()) {
        let lines =
            source.code().filter(|(_, line)| !line.trim_start().starts_with("//") && rule(line));
        found.extend(
            lines.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())),
        );
    }
    found
}

/// Fail with what was found, except below the paths that are excused for now. An excuse that
/// nothing needs any more fails too, so that the list can only shrink.
pub fn refuse(why: &str, found: &[String], excused: &[&str]) {
    let excuse = |at: &String| excused.iter().find(|path| at.starts_with(**path));
    let wrong: Vec<&String> = found.iter().filter(|at| excuse(at).is_none()).collect();
    assert!(wrong.is_empty(), "{why}: {wrong:#?}");
    let unused: Vec<&&str> =
        excused.iter().filter(|path| !found.iter().any(|at| at.starts_with(**path))).collect();
    assert!(unused.is_empty(), "{why}: nothing is there to excuse in {unused:?}");
}

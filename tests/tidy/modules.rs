//! The module tree of `src/`, every path that is written in it, and what each path leads to.
//!
//! It reads token trees, not text: groups of imports, re-exports, `super::super`, `$crate` in
//! macros and paths inside of a macro's arguments are all paths. Items under `#[cfg(test)]` are not
//! read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};

use crate::source::root;

/// A path below the crate's root, without `crate`.
pub type ModulePath = Vec<String>;

/// What is declared at the top of a module.
#[derive(Default)]
struct Scope {
    /// Names that `use` brings in, and the path that is written there.
    uses: BTreeMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
    items: BTreeSet<String>,
}

/// A path as it stands in the source.
struct Written {
    file: String,
    line: usize,
    module: ModulePath,
    path: Vec<String>,
    /// In a `use`, where one name is a path; elsewhere one name alone says nothing new.
    import: bool,
}

/// A path that leads from a module to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    pub file: String,
    pub line: usize,
    /// The module that it is written in.
    pub from: ModulePath,
    /// The module that declares what it names.
    pub to: ModulePath,
    /// As it is written.
    pub shown: String,
}

/// All modules with all paths.
#[derive(Default)]
pub struct Crate {
    scopes: BTreeMap<ModulePath, Scope>,
    written: Vec<Written>,
}

impl Crate {
    /// Read `src/lib.rs` and all that it declares.
    pub fn read() -> Crate {
        let mut read = Crate::default();
        read.file(&root().join("src/lib.rs"), &root().join("src"), &[]);
        read
    }

    /// Every module, the root as an empty path.
    pub fn modules(&self) -> impl Iterator<Item = &ModulePath> {
        self.scopes.keys()
    }

    /// Every path between two modules of the crate.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges: Vec<Edge> = self
            .written
            .iter()
            .filter(|written| written.import || written.path.len() > 1)
            .filter_map(|written| {
                let to = self.resolve(&written.module, &written.path, 0)?;
                (to != written.module).then(|| Edge {
                    file: written.file.clone(),
                    line: written.line,
                    from: written.module.clone(),
                    to,
                    shown: written.path.join("::"),
                })
            })
            .collect();
        edges.sort();
        edges.dedup();
        edges
    }

    /// The module that declares what a path names; `None` if it leads out of the crate. Re-exports
    /// are followed to where the item is declared.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        assert!(depth < 40, "{}: {path:?} leads in a circle", from.join("::"));
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (vec![], &path[1..]),
            "self" => (from.to_vec(), &path[1..]),
            "super" => {
                let supers = path.iter().take_while(|segment| *segment == "super").count();
                (from[..from.len().checked_sub(supers)?].to_vec(), &path[supers..])
            }
            name => {
                let scope = &self.scopes[from];
                let local = scope.uses.get(name).is_some_and(|path| path[0] != name)
                    || self.is_module(&join(from, name));
                if !local {
                    return None;
                }
                (from.to_vec(), path)
            }
        };
        while let Some((name, after)) = rest.split_first() {
            let child = join(&at, name);
            let scope = &self.scopes[&at];
            if self.is_module(&child) {
                at = child;
                rest = after;
            } else if scope.items.contains(name) {
                return Some(at);
            } else if let Some(target) = scope.uses.get(name) {
                let target = [target.as_slice(), after].concat();
                return self.resolve(&at, &target, depth + 1).or(Some(at));
            } else {
                return Some(self.through_globs(&at, rest, depth).unwrap_or(at));
            }
        }
        Some(at)
    }

    /// What a name means that a module has by `use …::*`.
    fn through_globs(&self, at: &[String], rest: &[String], depth: usize) -> Option<ModulePath> {
        self.scopes[at].globs.iter().find_map(|glob| {
            let module = self.resolve(at, glob, depth + 1)?;
            let scope = &self.scopes[&module];
            let has = scope.items.contains(&rest[0])
                || scope.uses.contains_key(&rest[0])
                || self.is_module(&join(&module, &rest[0]));
            let path = [&["self".to_owned()], rest].concat();
            has.then(|| self.resolve(&module, &path, depth + 1)).flatten()
        })
    }

    fn is_module(&self, path: &[String]) -> bool {
        self.scopes.contains_key(path)
    }

    /// Read a file that holds a module, and the files of its children below `folder`.
    fn file(&mut self, path: &Path, folder: &Path, module: &[String]) {
        let text =
            fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tokens = TokenStream::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.strip_prefix(root()).expect("inside").to_str().expect("UTF-8");
        let file = file.replace('\\', "/");
        self.scopes.entry(module.to_vec()).or_default();
        Reader { all: self, file: &file, folder, module: module.to_vec() }.read(tokens, true);
    }
}

/// A path with one more name.
fn join(path: &[String], name: &str) -> ModulePath {
    path.iter().cloned().chain([name.to_owned()]).collect()
}

/// Reads the tokens of one module of one file.
struct Reader<'a> {
    all: &'a mut Crate,
    file: &'a str,
    folder: &'a Path,
    module: ModulePath,
}

impl Reader<'_> {
    fn scope(&mut self) -> &mut Scope {
        self.all.scopes.entry(self.module.clone()).or_default()
    }

    /// Read tokens, of which those of a module (`top`) declare its items.
    fn read(&mut self, tokens: TokenStream, top: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        let (mut other_file, mut is_exported) = (None, false);
        while at < tokens.len() {
            if let Some(attribute) = attribute(&tokens[at..]) {
                at += 2;
                if attribute == "cfg (test)" {
                    at += item_length(&tokens[at..]);
                } else if attribute.starts_with("macro_export") {
                    is_exported = true;
                } else if let Some(path) = attribute.strip_prefix("path = ") {
                    other_file = Some(path.trim_matches('"').to_owned());
                }
                continue;
            }
            // A lifetime: what follows is not a word, though it may read as one (`&'static Node`).
            if is_punct(&tokens[at], '\'') {
                at += 2;
                continue;
            }
            let (word, next) = (ident(&tokens[at..]), tokens.get(at + 1));
            match (word.as_deref(), next) {
                (Some("use"), Some(next)) if !is_punct(next, '<') => {
                    let length = tokens[at..].iter().take_while(|t| !is_punct(t, ';')).count();
                    self.import(&tokens[at + 1..at + length], &[]);
                    at += length;
                }
                (Some("mod"), Some(TokenTree::Ident(name))) if top => {
                    let name = name.to_string();
                    match tokens.get(at + 2) {
                        Some(TokenTree::Group(body)) => self.inline(&name, body),
                        _ => self.child(&name, other_file.take()),
                    }
                    at += 3;
                }
                _ => {
                    if top {
                        self.declare(&tokens[at..], std::mem::take(&mut is_exported));
                    }
                    at += self.path_or_token(&tokens[at..]);
                }
            }
        }
    }

    /// A module in a file of its own.
    fn child(&mut self, name: &str, file: Option<String>) {
        let module = join(&self.module, name);
        let below = self.folder.join(name);
        let candidates = match file {
            Some(file) => vec![self.folder.join(file)],
            None => vec![self.folder.join(format!("{name}.rs")), below.join("mod.rs")],
        };
        let path = candidates.iter().find(|path| path.is_file());
        let path = path.unwrap_or_else(|| panic!("{}: no file for `mod {name}`", self.file));
        self.all.file(path, &below, &module);
    }

    /// A module in the same file.
    fn inline(&mut self, name: &str, body: &Group) {
        let module = join(&self.module, name);
        self.all.scopes.entry(module.clone()).or_default();
        let folder = self.folder.join(name);
        Reader { all: self.all, file: self.file, folder: &folder, module }
            .read(body.stream(), true);
    }

    /// Note the name of an item that begins here. A macro that is exported has its name at the root
    /// too, wherever it is declared.
    fn declare(&mut self, tokens: &[TokenTree], is_exported: bool) {
        const ITEMS: [&str; 8] =
            ["fn", "struct", "enum", "const", "static", "type", "trait", "union"];
        let word = ident(tokens).unwrap_or_default();
        let name = match tokens.get(1) {
            Some(TokenTree::Ident(name)) if ITEMS.contains(&word.as_str()) => name,
            Some(TokenTree::Punct(_)) if word == "macro_rules" => match tokens.get(2) {
                Some(TokenTree::Ident(name)) => name,
                _ => return,
            },
            _ => return,
        };
        let name = name.to_string();
        if is_exported {
            let path = ["crate".to_owned()].into_iter().chain(self.module.iter().cloned());
            let path = path.chain([name.clone()]).collect();
            self.all.scopes.entry(vec![]).or_default().uses.insert(name.clone(), path);
        }
        self.scope().items.insert(name);
    }

    /// The tree of a `use`, below a prefix.
    fn import(&mut self, tokens: &[TokenTree], prefix: &[String]) {
        let mut path = prefix.to_vec();
        let mut name = None;
        let mut line = 0;
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            match token {
                TokenTree::Ident(ident) if *ident == "as" => {
                    name = tokens.get(at + 1).map(ToString::to_string);
                    at += 1;
                }
                TokenTree::Ident(ident) => {
                    line = ident.span().start().line;
                    if *ident != "self" || path.is_empty() {
                        path.push(ident.to_string());
                    }
                }
                TokenTree::Group(group) => {
                    let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                    for tree in inner.split(|token| is_punct(token, ',')) {
                        if !tree.is_empty() {
                            self.import(tree, &path);
                        }
                    }
                    return;
                }
                TokenTree::Punct(punct) if punct.as_char() == '*' => {
                    self.note(path.clone(), punct.span().start().line, true);
                    self.scope().globs.push(path);
                    return;
                }
                _ => {}
            }
            at += 1;
        }
        let Some(last) = path.last() else { return };
        let name = name.unwrap_or_else(|| last.clone());
        self.note(path.clone(), line, true);
        if name != "_" {
            self.scope().uses.entry(name).or_insert(path);
        }
    }

    /// Read what begins here: a path, a group, or a token that says nothing. Returns its length.
    fn path_or_token(&mut self, tokens: &[TokenTree]) -> usize {
        match &tokens[0] {
            TokenTree::Group(group) => {
                self.read(group.stream(), false);
                1
            }
            // `$name::x` in a macro is whatever the macro is given, and `<T>::x` belongs to a type.
            token if is_punct(token, '$') && ident(&tokens[1..]).is_some_and(|w| w != "crate") => 2,
            token if is_punct(token, ':') && is_colons(tokens) => {
                if ident(&tokens[2..]).is_some() {
                    3
                } else {
                    2
                }
            }
            TokenTree::Ident(first) => {
                let mut path = vec![first.to_string()];
                let mut at = 1;
                while is_colons(&tokens[at..]) {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(name)) => path.push(name.to_string()),
                        // In a macro: `$crate::{…}` would be a `use`, which is read elsewhere.
                        _ => break,
                    }
                    at += 3;
                }
                self.note(path, line_of(first), false);
                at
            }
            _ => 1,
        }
    }

    fn note(&mut self, path: Vec<String>, line: usize, import: bool) {
        let (file, module) = (self.file.to_owned(), self.module.clone());
        self.all.written.push(Written { file, line, module, path, import });
    }
}

fn line_of(ident: &Ident) -> usize {
    ident.span().start().line
}

fn ident(tokens: &[TokenTree]) -> Option<String> {
    match tokens.first()? {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    }
}

fn is_punct(token: &TokenTree, c: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == c)
}

fn is_colons(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [a, b, ..] if is_punct(a, ':') && is_punct(b, ':'))
}

/// What an attribute that begins here says.
fn attribute(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [hash, TokenTree::Group(group), ..]
            if is_punct(hash, '#') && group.delimiter() == Delimiter::Bracket =>
        {
            Some(group.stream().to_string())
        }
        _ => None,
    }
}

/// How many tokens an item takes: up to its `;` or its body.
fn item_length(tokens: &[TokenTree]) -> usize {
    let import = tokens.iter().take(4).any(|token| token.to_string() == "use");
    let is_end = |token: &TokenTree| {
        is_punct(token, ';')
            || !import && matches!(token, TokenTree::Group(g) if g.delimiter() == Delimiter::Brace)
    };
    tokens.iter().position(is_end).map_or(tokens.len(), |end| end + 1)
}

//! The course's SDKs, which replace those in every working copy: no submission runs with an edited
//! or outdated SDK.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::model::{Language, Text};
use super::tree::{File, Tree, without_returns};

/// A Python node is started for each run and after each crash, and would spend most of its start
/// compiling the SDK. The compiled form beside it is used without checking any timestamp, because
/// the SDK is the course's own.
const COMPILE: &str = "import py_compile, sys; print(sys.implementation.cache_tag); mode = \
    py_compile.PycInvalidationMode.UNCHECKED_HASH; \
     py_compile.compile(sys.argv[1], sys.argv[2], doraise=True, invalidation_mode=mode)";

pub(crate) const PYTHON: &str = include_str!("../../sdk/python/seedbed.py");
/// The ZooKeeper client, added if one of the submission's Python files names it.
pub(crate) const ZOOKEEPER: (&str, &str) =
    ("seedbed_zookeeper", include_str!("../../sdk/python/seedbed_zookeeper.py"));
const C: &str = include_str!("../../sdk/c/seedbed.h");
pub(crate) const RUST: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("../../sdk/rust/Cargo.toml")),
    ("src/lib.rs", include_str!("../../sdk/rust/src/lib.rs")),
    ("src/ctx.rs", include_str!("../../sdk/rust/src/ctx.rs")),
    ("src/machine.rs", include_str!("../../sdk/rust/src/machine.rs")),
    ("src/random.rs", include_str!("../../sdk/rust/src/random.rs")),
    ("src/zookeeper.rs", include_str!("../../sdk/rust/src/zookeeper.rs")),
    ("src/zookeeper/channel.rs", include_str!("../../sdk/rust/src/zookeeper/channel.rs")),
    ("src/zookeeper/types.rs", include_str!("../../sdk/rust/src/zookeeper/types.rs")),
];
/// The package of the Rust SDK, and the folder in which starting points have it.
pub(crate) const PACKAGE: &str = "seedbed-node";

/// Put a language's SDK into a working copy. `command` starts the program.
pub(super) fn place(
    tree: &mut Tree,
    language: Language,
    command: &[String],
    notes: &mut Vec<Text>,
) {
    let replaced = match language {
        Language::Python => place_python(tree, command),
        Language::Rust => place_rust(tree),
        Language::C => replace(tree, |path| path == "seedbed.h", &[("seedbed.h".to_owned(), C)]),
        Language::Other => None,
    };
    if let Some(first) = replaced {
        notes.push(Text::new(
            format!("`{first}` was replaced by the course's own SDK"),
            format!("`{first}` se sustituyó por el SDK de la asignatura"),
        ));
    }
}

/// Replace files. Returns the first one that differed from its replacement.
fn replace(
    tree: &mut Tree,
    is_of_sdk: impl Fn(&str) -> bool,
    files: &[(String, &str)],
) -> Option<String> {
    let own: Vec<String> = tree.files.keys().filter(|path| is_of_sdk(path)).cloned().collect();
    let mut replaced = None;
    for path in own {
        let bytes =
            tree.files.remove(&path).map(|file| without_returns(&file.bytes)).unwrap_or_default();
        if !files.iter().any(|(known, text)| *known == path && text.as_bytes() == bytes) {
            replaced.get_or_insert(path);
        }
    }
    tree.files.extend(files.iter().map(|(path, text)| {
        (path.clone(), File { bytes: text.as_bytes().to_vec(), executable: false })
    }));
    replaced
}

/// Place the SDK next to the program and at the top, and remove whatever Python would import
/// instead.
fn place_python(tree: &mut Tree, command: &[String]) -> Option<String> {
    let mut folders = BTreeSet::from([String::new()]);
    for word in command {
        let path = word.strip_prefix("./").unwrap_or(word);
        folders.extend(
            path.rsplit_once('/')
                .filter(|_| tree.has(path))
                .map(|(folder, _)| format!("{folder}/")),
        );
    }
    let (client, text) = ZOOKEEPER;
    let names_it = |(path, file): (&String, &File)| {
        path.ends_with(".py") && String::from_utf8_lossy(&file.bytes).contains(client)
    };
    let mut modules = vec![("seedbed", PYTHON)];
    if tree.files.iter().any(names_it) {
        modules.push((client, text));
    }
    // `seedbed.abi3.so` and the like take precedence over `seedbed.py`, and so does a package.
    let shadows = |path: &str| {
        folders.iter().any(|folder| {
            let Some(path) = path.strip_prefix(folder.as_str()) else { return false };
            modules.iter().any(|(module, _)| {
                let rest = path.strip_prefix(module).unwrap_or_default();
                rest.starts_with('/')
                    || (rest.starts_with('.')
                        && [".py", ".pyc", ".so"].iter().any(|end| rest.ends_with(end)))
            })
        })
    };
    let in_folder = |folder: &String| {
        modules
            .iter()
            .map(|(module, text)| (format!("{folder}{module}.py"), *text))
            .collect::<Vec<_>>()
    };
    let files: Vec<(String, &str)> = folders.iter().flat_map(in_folder).collect();
    let replaced = replace(tree, shadows, &files);
    for (module, text) in modules {
        let Some((name, bytes)) = compiled(module, text) else { continue };
        let file = File { bytes, executable: false };
        tree.files.extend(
            folders.iter().map(|folder| (format!("{folder}__pycache__/{name}"), file.clone())),
        );
    }
    replaced
}

/// A module as compiled by the local `python3`, with its file name. `None` if there is no Python or
/// the compilation fails: every start then compiles it.
fn compiled(module: &'static str, text: &str) -> Option<(String, Vec<u8>)> {
    type Compiled = BTreeMap<&'static str, Option<(String, Vec<u8>)>>;
    static KNOWN: Mutex<Compiled> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let compile = || {
        let folder = tempfile::tempdir().ok()?;
        let (source, cache) =
            (folder.path().join(format!("{module}.py")), folder.path().join("compiled"));
        fs::write(&source, text).ok()?;
        let mut python = Command::new("python3");
        python
            .args(["-I", "-S", "-c", COMPILE])
            .args([&source, &cache])
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        let tag = String::from_utf8(python.output().ok()?.stdout).ok()?;
        Some((format!("{module}.{}.pyc", tag.trim()), fs::read(&cache).ok()?))
    };
    known.entry(module).or_insert_with(compile).clone()
}

/// Place the SDK in the folder where starting points have it, and wherever else a package has its
/// name. A `Cargo.lock` is removed: only the versions that the testbed was built with are available
/// offline.
fn place_rust(tree: &mut Tree) -> Option<String> {
    let manifest = |path: &str| {
        let text = String::from_utf8_lossy(&tree.files.get(path)?.bytes).into_owned();
        text.trim_start_matches('\u{feff}').parse::<toml::Table>().ok()
    };
    let is_sdk = |path: &&String| {
        path.ends_with("/Cargo.toml")
            && manifest(path).is_some_and(|table| {
                table.get("package").and_then(|package| package.get("name")?.as_str())
                    == Some(PACKAGE)
            })
    };
    let mut folders: BTreeSet<String> = tree
        .files
        .keys()
        .filter(is_sdk)
        .map(|path| path.trim_end_matches("Cargo.toml").to_owned())
        .collect();
    let wants_it = manifest("Cargo.toml").is_some_and(|table| table.to_string().contains(PACKAGE));
    if wants_it {
        folders.insert(format!("{PACKAGE}/"));
    }
    tree.files.remove("Cargo.lock");
    let files: Vec<(String, &str)> = folders
        .iter()
        .flat_map(|folder| RUST.map(|(name, text)| (format!("{folder}{name}"), text)))
        .collect();
    let is_of_sdk = |path: &str| folders.iter().any(|folder| path.starts_with(folder.as_str()));
    // Other files in the folder (`Cargo.lock`, examples) do not count as edits of the SDK.
    let extra: Vec<String> = tree
        .files
        .keys()
        .filter(|path| is_of_sdk(path) && !files.iter().any(|(known, _)| known == *path))
        .cloned()
        .collect();
    for path in extra {
        tree.files.remove(&path);
    }
    replace(tree, is_of_sdk, &files)
}

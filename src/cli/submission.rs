//! `seedbed new submission`: a folder for a student to start from, with the assignment's starting
//! point, the SDK and the instructions.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use toml::Table;

use super::Refused;
use crate::error::Error;
use crate::grade::assignment::{ASSIGNMENTS_FOLDER, Assignment, find, read_file};
use crate::grade::explain::node_commands;
use crate::grade::model::{Lang as TextLang, Language, Visibility};
use crate::grade::sdk;
use crate::shipped;

/// The language of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// One file, `node.py`, and the SDK beside it.
    Python,
    /// A Cargo package, and the SDK in its folder.
    Rust,
}

impl Lang {
    fn language(self) -> Language {
        match self {
            Lang::Python => Language::Python,
            Lang::Rust => Language::Rust,
        }
    }

    fn name(self) -> &'static str {
        self.language().word()
    }
}

/// The starting points for assignments that have none of their own.
const STARTERS: [(&str, &str); 2] = [
    ("node.py", include_str!("../../sdk/python/examples/starter.py")),
    ("src/main.rs", include_str!("../../sdk/rust/examples/starter.rs")),
];

const MANIFEST: &str = r#"[package]
name = "node"
version = "0.1.0"
edition = "2021"

[dependencies]
seedbed-node = { path = "seedbed-node" }
serde = { version = "1", features = ["derive"] }
serde_json = "1"

[workspace]
"#;

/// Files of a starting point are small; larger ones are not part of it.
const STARTER_BYTES_MAX: u64 = 1 << 20;

/// Write the folder and return its path.
pub(super) fn write(assignment: &Path, lang: Lang, out: Option<&Path>) -> Result<PathBuf, Refused> {
    let path = find(assignment);
    let assignment = read_file(&path)?;
    let beside = path.with_extension("");
    check_language(&assignment, lang, &path)?;
    let mut files = starter(&beside, lang)?;
    let sdk: Vec<(String, &str)> = match lang {
        Lang::Python => vec![("seedbed.py".to_owned(), sdk::PYTHON)],
        Lang::Rust => sdk::RUST
            .iter()
            .map(|(name, text)| (format!("{}/{name}", sdk::PACKAGE), *text))
            .collect(),
    };
    files.extend(
        sdk.into_iter().map(|(name, text)| (PathBuf::from(name), text.as_bytes().to_vec())),
    );
    let (client, text) = sdk::ZOOKEEPER;
    if lang == Lang::Python
        && files.iter().any(|(_, file)| String::from_utf8_lossy(file).contains(client))
    {
        files.push((PathBuf::from(format!("{client}.py")), text.as_bytes().to_vec()));
    }
    for (language, text) in instructions(&assignment)? {
        files.push((PathBuf::from(format!("instructions.{language}.md")), text));
    }
    let folder = out.map_or_else(|| PathBuf::from(&assignment.name), Path::to_path_buf);
    let commands = commands(&folder, &path, &assignment, lang, &executable(&files));
    files.push((PathBuf::from("README.md"), readme(&assignment, &commands, lang).into_bytes()));
    write_folder(&folder, &files)?;
    Ok(folder)
}

fn check_language(assignment: &Assignment, lang: Lang, path: &Path) -> Result<(), Error> {
    if assignment.languages.is_empty() || assignment.languages.contains(&lang.language()) {
        return Ok(());
    }
    let taken: Vec<&str> = assignment.languages.iter().map(|language| language.word()).collect();
    Err(Error::new(
        format!("`{}` does not accept submissions in {}", path.display(), lang.name()),
        format!("use one of its languages, as in --lang {}", taken.join(" or --lang ")),
    ))
}

/// The assignment's starting point, or the generic one.
fn starter(beside: &Path, lang: Lang) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let mut files = vec![];
    let root = beside.join("starter").join(lang.name());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let failed = |cause: io::Error| {
            Error::io("read", &folder, &cause, "make the assignment's folder readable")
        };
        let entries = match fs::read_dir(&folder) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && folder == root => break,
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let hidden = path.file_name().is_none_or(|name| {
                name == "target" || name == "__pycache__" || name == "Cargo.lock"
            });
            match fs::symlink_metadata(&path).map_err(failed)? {
                info if info.is_dir() && !hidden => folders.push(path),
                info if info.is_file() && !hidden && info.len() <= STARTER_BYTES_MAX => {
                    let name = path.strip_prefix(&root).unwrap_or(&path).to_owned();
                    files.push((name, fs::read(&path).map_err(failed)?));
                }
                _ => {}
            }
        }
    }
    let has = |files: &[(PathBuf, Vec<u8>)], name: &str| {
        files.iter().any(|(known, _)| known == Path::new(name))
    };
    let (name, text) = STARTERS[usize::from(lang == Lang::Rust)];
    if !has(&files, name) {
        files.push((name.into(), text.into()));
    }
    if lang == Lang::Rust && !has(&files, "Cargo.toml") {
        files.push(("Cargo.toml".into(), MANIFEST.into()));
    }
    for (_, bytes) in files.iter_mut().filter(|(name, _)| name == Path::new("Cargo.toml")) {
        *bytes = with_own_sdk(&String::from_utf8_lossy(bytes)).into_bytes();
    }
    if lang == Lang::Rust {
        files.push((".gitignore".into(), b"/target\n".to_vec()));
    }
    // The order of a folder's entries differs between machines.
    files.sort();
    Ok(files)
}

/// In the repository a starting point is built with the testbed's SDK by path; a submission has its
/// own copy.
fn with_own_sdk(manifest: &str) -> String {
    let is_sdk =
        |line: &str| line.trim_start().starts_with("seedbed-node") && line.contains("path");
    let lines = manifest
        .lines()
        .map(|line| if is_sdk(line) { "seedbed-node = { path = \"seedbed-node\" }" } else { line });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The name of the executable that a package builds.
fn executable(files: &[(PathBuf, Vec<u8>)]) -> String {
    let manifest = files.iter().find(|(name, _)| name == Path::new("Cargo.toml"));
    let table =
        manifest.and_then(|(_, bytes)| String::from_utf8_lossy(bytes).parse::<Table>().ok());
    let name = table.as_ref().and_then(|table| table.get("package")?.get("name")?.as_str());
    name.unwrap_or("node").to_owned()
}

/// The path of the assignment, relative to the submission's folder.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let is_below =
        folder.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if path.is_relative() && is_below {
        let depth = folder.components().filter(|part| matches!(part, Component::Normal(_))).count();
        return std::iter::repeat_n("..", depth).collect::<PathBuf>().join(path);
    }
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn instructions(assignment: &Assignment) -> Result<Vec<(&'static str, Vec<u8>)>, Error> {
    let Some(files) = &assignment.instructions else { return Ok(vec![]) };
    let files = [("en", Some(&files.en)), ("es", files.es.as_ref())];
    let mut read = vec![];
    for (language, file) in files {
        let Some(file) = file.map(|file| assignment.folder.join(file)) else { continue };
        let text = fs::read(&file)
            .map_err(|cause| Error::io("read", &file, &cause, "make the file readable"))?;
        read.push((language, text));
    }
    Ok(read)
}

/// The commands with which a student tries a submission, run in its folder.
struct Commands {
    grade: String,
    run: String,
}

/// An assignment that ships is found by its name from everywhere; any other one by its path.
fn commands(
    folder: &Path,
    path: &Path,
    assignment: &Assignment,
    lang: Lang,
    executable: &str,
) -> Commands {
    let short = Path::new(ASSIGNMENTS_FOLDER).join(format!("{}.toml", assignment.name));
    let is_shipped = fs::canonicalize(shipped::locate(&short))
        .ok()
        .is_some_and(|place| fs::canonicalize(path).ok() == Some(place));
    let seen = if is_shipped { short } else { seen_from(folder, path) };
    let named = if is_shipped { assignment.name.clone() } else { seen.display().to_string() };
    let first = &assignment.scenarios[assignment.items[0].scenario];
    let scenario = seen.parent().unwrap_or(Path::new(".")).join(&first.written);
    let program: Vec<String> = match lang {
        Lang::Python => vec!["python3".to_owned(), "node.py".to_owned()],
        Lang::Rust => vec![format!("target/debug/{executable}")],
    };
    let plays = node_commands(first, &program);
    Commands {
        grade: format!("seedbed grade {named} ."),
        run: format!("seedbed run {}{plays}", scenario.display()),
    }
}

/// The submission's README: the task, the commands and the items.
fn readme(assignment: &Assignment, commands: &Commands, lang: Lang) -> String {
    let Commands { grade, run } = commands;
    let (program, sdk) = match lang {
        Lang::Python => ("node.py", "`seedbed.py`: its first page explains how to write a node"),
        Lang::Rust => (
            "src/main.rs",
            "`seedbed-node/`: its `src/lib.rs` explains how to write a node. Build with `cargo \
            build`",
        ),
    };
    let mut rows = String::new();
    for item in assignment.items.iter().filter(|item| item.visibility != Visibility::Hidden) {
        let (en, es) = (item.title.get(TextLang::En), item.title.get(TextLang::Es));
        rows.push_str(&format!("| `{}` | {en} | {es} | {} |\n", item.name, item.points));
    }
    let title = &assignment.title;
    let (en, es) = (title.get(TextLang::En), title.get(TextLang::Es));
    format!(
        r#"# {en}

The task is in `instructions.en.md`. Your program is `{program}`; next to it is the SDK, {sdk}.
Hand in this folder.

In this folder:

```text
# your points, and what is missing
{grade}
# one run, with a report
{run}
# everything that happens in a run, including what you print
{run} --seed 7 --log
```

---

# {es}

El enunciado está en `instructions.es.md`. Tu programa es `{program}`; junto a él está el SDK. Entrega esta carpeta. Los comandos de arriba muestran tus puntos y lo que falta, una ejecución con su informe, y todo lo que ocurre en ella, incluido lo que imprimes.

---

| item | what | qué | points |
|---|---|---|---|
{rows}"#
    )
}

/// Write all files into a folder that does not exist yet or is empty. It appears whole or not at
/// all.
fn write_folder(folder: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<(), Error> {
    let failed = |cause: &io::Error| {
        Error::io("write", folder, cause, "name a writable folder with --out DIR")
    };
    let is_taken = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
        Err(cause) => return Err(failed(&cause)),
    };
    if is_taken {
        let message = format!("`{}` already exists and is not overwritten", folder.display());
        return Err(Error::new(
            message,
            "name another folder with --out DIR, or move the existing one first",
        ));
    }
    let above =
        folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(above).map_err(|cause| failed(&cause))?;
    let whole = tempfile::Builder::new()
        .prefix(".seedbed-")
        .tempdir_in(above)
        .map_err(|cause| failed(&cause))?;
    let inside = whole.path().join("submission");
    for (name, bytes) in files {
        let path = inside.join(name);
        let parent = path.parent().unwrap_or(&inside);
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&path, bytes))
            .map_err(|cause| failed(&cause))?;
    }
    // An existing folder is empty here, and is replaced.
    let _ = fs::remove_dir(folder);
    fs::rename(&inside, folder).map_err(|cause| failed(&cause))
}

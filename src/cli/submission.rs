//! `seedbed new submission`: a folder in which a student can begin, with the assignment's starting
//! point, the SDK and the instructions.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, excerpt, name_hint};
use crate::grade::assignment::{ASSIGNMENTS_FOLDER, read_file};
use crate::grade::explain::node_commands;
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
    fn name(self) -> &'static str {
        match self {
            Lang::Python => "python",
            Lang::Rust => "rust",
        }
    }
}

/// Where the assignment has no starting point of its own.
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

/// Files of a starting point are small; what is larger is none.
const STARTER_BYTES_MAX: u64 = 1 << 20;

/// Write the folder. Returns where it is.
pub(super) fn write(assignment: &Path, lang: Lang, out: Option<&Path>) -> Result<PathBuf, Error> {
    let path = find(assignment)?;
    let table = read(&path)?;
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = path.with_extension("");
    check_language(&table, lang, &path)?;
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
    for (language, text) in instructions(&table, &path)? {
        files.push((PathBuf::from(format!("instructions.{language}.md")), text));
    }
    let folder = out.map_or_else(|| PathBuf::from(&name), Path::to_path_buf);
    let commands = commands(&folder, &path, &table, lang, &executable(&files));
    files.push((PathBuf::from("README.md"), readme(&table, &commands, lang).into_bytes()));
    write_folder(&folder, &files)?;
    Ok(folder)
}

/// The file of an assignment: given as it is, or by the name of one that ships.
fn find(assignment: &Path) -> Result<PathBuf, Error> {
    let known = shipped::locate(Path::new(ASSIGNMENTS_FOLDER));
    let found = crate::grade::assignment::find(assignment);
    if found.is_file() {
        return Ok(found);
    }
    let entries = fs::read_dir(known).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    let written = assignment.to_string_lossy();
    let message = format!("there is no assignment `{}`", excerpt(&written));
    if names.is_empty() {
        return Err(Error::new(message, "give the path of an assignment's .toml file"));
    }
    Err(Error::new(message, name_hint(&written, "assignments", names.iter().map(String::as_str))))
}

fn read(path: &Path) -> Result<Table, Error> {
    let text = fs::read_to_string(path).map_err(|cause| {
        Error::io(
            "read",
            path,
            &cause,
            "give the path of an assignment's .toml file that you may read",
        )
    })?;
    text.parse().map_err(|error: toml::de::Error| {
        let what = format!("`{}` is no TOML: {}", path.display(), error.message());
        Error::new(what, "give the path of an assignment's .toml file, as it was handed out")
    })
}

fn check_language(table: &Table, lang: Lang, path: &Path) -> Result<(), Error> {
    let Some(languages) = table.get("languages").and_then(Value::as_array) else { return Ok(()) };
    let languages: Vec<&str> = languages.iter().filter_map(Value::as_str).collect();
    if languages.contains(&lang.name()) {
        return Ok(());
    }
    let message = format!("`{}` is not written in {}", path.display(), lang.name());
    Err(Error::new(
        message,
        format!("use one of its languages, as in --lang {}", languages.join(" or --lang ")),
    ))
}

/// The assignment's starting point, or the one that every node can begin with.
fn starter(beside: &Path, lang: Lang) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let mut files = vec![];
    let root = beside.join("starter").join(lang.name());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        let failed = |cause: io::Error| {
            Error::io("read", &folder, &cause, "check that you may read the assignment's folder")
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
    // The order of a folder's entries differs from machine to machine.
    files.sort();
    Ok(files)
}

/// A starting point is built where it lies, with the SDK of the testbed; a submission has its own.
fn with_own_sdk(manifest: &str) -> String {
    let is_sdk =
        |line: &str| line.trim_start().starts_with("seedbed-node") && line.contains("path");
    let lines = manifest
        .lines()
        .map(|line| if is_sdk(line) { "seedbed-node = { path = \"seedbed-node\" }" } else { line });
    lines.map(|line| format!("{line}\n")).collect()
}

/// The name of the executable that a package makes.
fn executable(files: &[(PathBuf, Vec<u8>)]) -> String {
    let manifest = files.iter().find(|(name, _)| name == Path::new("Cargo.toml"));
    let table =
        manifest.and_then(|(_, bytes)| String::from_utf8_lossy(bytes).parse::<Table>().ok());
    let name = table.as_ref().and_then(|table| table.get("package")?.get("name")?.as_str());
    name.unwrap_or("node").to_owned()
}

/// The path of the assignment for somebody who works in the folder.
fn seen_from(folder: &Path, path: &Path) -> PathBuf {
    let is_below =
        folder.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if path.is_relative() && is_below {
        let depth = folder.components().filter(|part| matches!(part, Component::Normal(_))).count();
        return std::iter::repeat_n("..", depth).collect::<PathBuf>().join(path);
    }
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// A text of the assignment in its languages, English first: a plain one is English.
fn texts(value: Option<&Value>) -> Vec<(String, String)> {
    match value {
        Some(Value::String(text)) => vec![("en".to_owned(), text.clone())],
        Some(Value::Table(table)) => table
            .iter()
            .filter_map(|(language, text)| Some((language.clone(), text.as_str()?.to_owned())))
            .collect(),
        _ => vec![],
    }
}

fn text(value: Option<&Value>, language: &str) -> String {
    let texts = texts(value);
    let found = texts.iter().find(|(known, _)| known == language).or(texts.first());
    found.map_or(String::new(), |(_, text)| text.clone())
}

fn instructions(table: &Table, path: &Path) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut read = vec![];
    for (language, file) in texts(table.get("instructions")) {
        let file = folder.join(file);
        match fs::read(&file) {
            Ok(text) => read.push((language, text)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => {
                return Err(Error::io(
                    "read",
                    &file,
                    &cause,
                    "check that you may read the assignment's folder",
                ));
            }
        }
    }
    Ok(read)
}

/// How one tries a submission, standing in its folder.
struct Commands {
    grade: String,
    run: String,
}

/// An assignment that ships is found by its name from everywhere; another one by its path.
fn commands(folder: &Path, path: &Path, table: &Table, lang: Lang, executable: &str) -> Commands {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let short = Path::new(ASSIGNMENTS_FOLDER).join(format!("{name}.toml"));
    let is_shipped = fs::canonicalize(shipped::locate(&short))
        .ok()
        .is_some_and(|place| fs::canonicalize(path).ok() == Some(place));
    let seen = if is_shipped { short } else { seen_from(folder, path) };
    let assignment = if is_shipped { name } else { seen.display().to_string() };
    let first = table.get("item").and_then(Value::as_array).and_then(|items| items.first());
    let scenario = first
        .and_then(|item| item.get("scenario"))
        .and_then(Value::as_str)
        .unwrap_or("SCENARIO.toml");
    let scenario = seen.parent().unwrap_or(Path::new(".")).join(scenario);
    let program: Vec<String> = match lang {
        Lang::Python => vec!["python3".to_owned(), "node.py".to_owned()],
        Lang::Rust => vec![format!("target/debug/{executable}")],
    };
    // Of an assignment that has mistakes the student cannot be told more.
    let played = read_file(path).ok().and_then(|assignment| {
        assignment.scenarios.first().map(|played| node_commands(played, &program))
    });
    let plays = played.unwrap_or_else(|| format!(" --node-command '{}'", program.join(" ")));
    Commands {
        grade: format!("seedbed grade {assignment} ."),
        run: format!("seedbed run {}{plays}", scenario.display()),
    }
}

/// What there is to do, and with which commands.
fn readme(table: &Table, commands: &Commands, lang: Lang) -> String {
    let items: Vec<&Table> = table
        .get("item")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_table)
        .collect();
    let Commands { grade, run } = commands;
    let (program, sdk) = match lang {
        Lang::Python => ("node.py", "`seedbed.py`: its first page explains how a node is written"),
        Lang::Rust => (
            "src/main.rs",
            "`seedbed-node/`: its `src/lib.rs` explains how a node is written. Build with `cargo \
                build`",
        ),
    };
    let mut rows = String::new();
    let visible = |item: &&&Table| item.get("visibility").and_then(Value::as_str) != Some("hidden");
    for item in items.iter().filter(visible) {
        let points = item.get("points").map_or(String::new(), |points| points.to_string());
        let (en, es) = (text(item.get("title"), "en"), text(item.get("title"), "es"));
        let name = item.get("name").and_then(Value::as_str).unwrap_or("?");
        rows.push_str(&format!("| `{name}` | {en} | {es} | {points} |\n"));
    }
    let (en, es) = (text(table.get("title"), "en"), text(table.get("title"), "es"));
    format!(
        r#"# {en}

What is to be done stands in `instructions.en.md`. Your program is `{program}`; beside it is the SDK, {sdk}.
Hand in this folder.

In this folder:

```text
# your points, with what is missing
{grade}
# one run, with a report
{run}
# everything that happens in a run, and what you print
{run} --seed 7 --log
```

---

# {es}

Lo que hay que hacer está en `instructions.es.md`. Tu programa es `{program}`; a su lado está el SDK. Entrega esta carpeta. Las órdenes
de arriba muestran tus puntos y lo que falta, una ejecución con su informe, y todo lo que ocurre en ella junto con lo que imprimes.

---

| item | what | qué | points |
|---|---|---|---|
{rows}"#
    )
}

/// Write all files into a folder that is not there yet, or is empty. It appears whole, or not at
/// all.
fn write_folder(folder: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<(), Error> {
    let failed = |cause: &io::Error| {
        Error::io("write", folder, cause, "name a folder that you may write into with --out DIR")
    };
    let is_taken = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => false,
        Err(cause) => return Err(failed(&cause)),
    };
    if is_taken {
        let message = format!("`{}` exists, and is not overwritten", folder.display());
        return Err(Error::new(
            message,
            "name another folder with --out DIR, or move this one away first",
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
    // An empty folder gives way.
    let _ = fs::remove_dir(folder);
    fs::rename(&inside, folder).map_err(|cause| failed(&cause))
}

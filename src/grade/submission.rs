//! Turns what was handed in into a command that can be started.
//!
//! What runs is a copy of the folder or of the archive's content, without clutter, with the
//! course's own SDK next to the program, and with line endings that the system understands. The
//! student's files are read and never written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{ENDINGS, FOREIGN_ENDINGS, read_archive};
use super::compile::{Build, PROGRAM, compile};
use super::model::{Language, Outcome, OutcomeKind, Student, Text};
use super::sdk;
use super::tree::{File, Tree, failed, read_folder, without_returns, working_copy};
use crate::error::{Error, excerpt};
use crate::program::sandbox::Confined;
use crate::report::Temporary;

/// The file in which a submission declares how to start its program.
const DECLARATION: &str = "seedbed.toml";

/// A submission that can be run.
#[derive(Debug)]
pub struct Submission {
    /// The name of the folder, or of the archive without its ending.
    pub id: String,
    /// The working copy, which the program may read but not write.
    pub folder: PathBuf,
    /// The command that starts the program, run in `folder`.
    pub command: Vec<String>,
    /// Its language.
    pub language: Language,
    /// Digest of the names and contents of all its files as handed in, 32 hexadecimal digits.
    pub digest: String,
    /// Who handed it in, as far as the name tells.
    pub student: Student,
    /// Changes made to the copy that the student should know about.
    pub notes: Vec<Text>,
    /// Removes the working copy when it is dropped.
    pub unpacked: Option<Temporary>,
}

impl Submission {
    /// Restrict a Python program to the standard library: installed packages differ between
    /// machines, and points must not. It also starts several times faster.
    pub fn without_packages(&mut self) {
        let is_python = |word: &String| word.starts_with("python") && !word.contains('/');
        if self.command.first().is_some_and(is_python) {
            self.command.insert(1, "-S".to_owned());
        }
    }
}

/// Why a submission cannot be run.
#[derive(Debug)]
pub struct Unusable {
    /// The digest of its files; empty if they could not be read.
    pub digest: String,
    /// Its language, if known: when it is the wrong one, or when the program did not compile.
    pub language: Option<Language>,
    /// Who handed it in.
    pub student: Student,
    /// What is wrong.
    pub outcome: Outcome,
}

/// A path to be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Unique in a batch, ignoring case, and usable as a file name.
    pub id: String,
    /// A folder, an archive, or a single Python file.
    pub path: PathBuf,
}

/// The submissions to grade, ordered by id, and a line for each ambiguous path that says how it was
/// understood. Each path is a submission or a folder of submissions: one that is not a program
/// itself, but contains folders, archives or several Python programs.
pub fn gather(paths: &[PathBuf]) -> Result<(Vec<Handed>, Vec<String>), Error> {
    let (mut found, mut taken) = (Vec::new(), Vec::new());
    for path in paths {
        let unread = |cause: &std::io::Error| {
            Error::io("read", path, cause, "give folders or archives with submissions")
        };
        let info = fs::metadata(path).map_err(|cause| unread(&cause))?;
        if !info.is_dir() {
            found.push(path.clone());
            continue;
        }
        let inner: Vec<PathBuf> = entries(path).map_err(|cause| unread(&cause))?;
        let handed = handed_in(&inner);
        let (files, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
            handed.iter().partition(|inner| ending_is(inner, &[".py"]));
        let holding = |of: &[&PathBuf]| of.iter().filter(|inner| holds_program(inner)).count();
        let (programs, beside) = (holding(&files), holding(&others));
        let is_class = if inner.iter().any(|inner| is_of_program(inner)) {
            false
        } else if files.is_empty() {
            !handed.is_empty()
        } else {
            // A program may have its own modules, folders and tests, but no archives and no second
            // program next to it.
            programs > 1 || beside > 1 || others.iter().any(|other| is_archive(other))
        };
        let place = path.display();
        if is_class && !files.is_empty() {
            taken.push(format!(
                "`{place}` is taken as a folder of {} submissions, {} of which are single files",
                handed.len(),
                files.len()
            ));
        } else if !is_class && beside > 0 {
            let why = "contains a program next to folders or archives that contain one too";
            taken.push(format!(
                "`{place}` is taken as one submission: it {why}; if it is a whole class, move that \
                program elsewhere"
            ));
        }
        if is_class { found.extend(handed) } else { found.push(path.clone()) }
    }
    // A folder given twice is one submission.
    found.sort_by_cached_key(|path| (id_of(path), path.clone()));
    found.dedup();
    let mut known = BTreeSet::new();
    let mut distinct = |id: String| {
        let ids =
            std::iter::once(id.clone()).chain((2_u32..).map(|number| format!("{id}-{number}")));
        ids.into_iter().find(|id| known.insert(id.to_lowercase())).unwrap_or(id)
    };
    Ok((found.into_iter().map(|path| Handed { id: distinct(id_of(&path)), path }).collect(), taken))
}

/// The visible entries of a folder.
fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    Ok(fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|inner| !is_hidden(inner))
        .collect())
}

/// The submissions among the entries of a folder.
fn handed_in(inner: &[PathBuf]) -> Vec<PathBuf> {
    let kind = |path: &PathBuf| -> Option<(String, String)> {
        let name = path.file_name()?.to_string_lossy().into_owned();
        of_moodle(&name).map(|(_, number, kind)| (number.to_owned(), kind.to_owned()))
    };
    let with_files: BTreeSet<String> = inner
        .iter()
        .filter_map(kind)
        .filter(|(_, kind)| kind.starts_with("file"))
        .map(|(student, _)| student)
        .collect();
    // Moodle has a second folder for the text that a student typed in addition to the files.
    let is_beside = |path: &PathBuf| {
        kind(path).is_some_and(|(student, kind)| {
            kind.starts_with("onlinetext") && with_files.contains(&student)
        })
    };
    let is_handed = |path: &&PathBuf| {
        (path.is_dir() || is_archive(path) || ending_is(path, &[".py"])) && !is_beside(path)
    };
    inner.iter().filter(is_handed).cloned().collect()
}

/// Whether there is a program at this path, judging by names and imports.
fn holds_program(path: &Path) -> bool {
    if path.is_dir() {
        return entries(path).is_ok_and(|inner| {
            inner
                .iter()
                .any(|inner| is_of_program(inner) || inner.is_file() && holds_program(inner))
        });
    }
    let imports =
        || fs::read(path).is_ok_and(|bytes| imports_sdk(&String::from_utf8_lossy(&bytes)));
    is_archive(path) || ending_is(path, &[".py"]) && imports()
}

fn ending_is(path: &Path, endings: &[&str]) -> bool {
    let name =
        path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    path.is_file() && endings.iter().any(|ending| name.ends_with(ending))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_none_or(|name| {
        name.to_string_lossy().starts_with(['.', '_'])
            && !name.to_string_lossy().contains("assignsubmission")
    })
}

/// Whether a file marks its folder as a submission rather than a folder of submissions.
fn is_of_program(path: &Path) -> bool {
    let name =
        path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let signs = ["node.py", "main.py", "seedbed.py", DECLARATION, "cargo.toml", "makefile", "node"];
    ending_is(path, &[".rs", ".c", ".h"]) || path.is_file() && signs.contains(&name.as_str())
}

fn ending_of(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    ENDINGS.iter().chain(&FOREIGN_ENDINGS).copied().find(|ending| name.ends_with(ending))
}

fn is_archive(path: &Path) -> bool {
    path.is_file()
        && path.file_name().is_some_and(|name| ending_of(&name.to_string_lossy()).is_some())
}

/// The id under which a path is graded: the name of the folder, or of the archive without its
/// extension, with characters replaced that a file name should not contain.
pub fn id_of(path: &Path) -> String {
    const LONGEST: usize = 120;
    // `.` and `a/..` have no name of their own.
    let absolute = path.canonicalize().ok();
    let named = path.file_name().or_else(|| absolute.as_deref()?.file_name());
    let name = named.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let is_file = path.is_file();
    let ending = if is_file {
        ending_of(&name).or(name.to_lowercase().ends_with(".py").then_some(".py"))
    } else {
        None
    };
    let stem = &name[..name.len() - ending.map_or(0, str::len)];
    let mut id: String = stem.chars().map(|c| if is_awkward(c) { '_' } else { c }).collect();
    while id.len() > LONGEST {
        id.pop();
    }
    let id = id.trim().trim_end_matches('.');
    let id = id.strip_prefix('.').map_or_else(|| id.to_owned(), |rest| format!("_{rest}"));
    if id.is_empty() { "submission".to_owned() } else { id }
}

/// Characters that some file system refuses, or that make one name look like another: zero-width
/// marks and changes of writing direction.
fn is_awkward(c: char) -> bool {
    c.is_control()
        || "/\\<>:\"|?*".contains(c)
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

/// The parts of the name that Moodle gives to a submission's folder: the student's full name, the
/// participant's number, and the kind of content.
pub(super) fn of_moodle(id: &str) -> Option<(&str, &str, &str)> {
    let (student, kind) = id.split_once("_assignsubmission_")?;
    let (name, number) = student.rsplit_once('_')?;
    Some((name, number, kind))
}

/// Who handed it in, as far as the name tells: Moodle's folders have the full name, others the
/// login or the e-mail address.
fn student_of(id: &str) -> Student {
    match of_moodle(id) {
        Some((name, number, _)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            Student { name: name.to_owned(), ..Student::default() }
        }
        _ if id.contains('@') => Student { email: id.to_owned(), ..Student::default() },
        _ => Student { username: id.to_owned(), ..Student::default() },
    }
}

/// Read a submission, find its program and build it if necessary. `languages` are those that the
/// assignment accepts; empty means all.
pub fn open(path: &Path, languages: &[Language]) -> Result<Submission, Box<Unusable>> {
    open_confined(path, languages, None)
}

/// Like [`open`], with a confined compiler that has the restrictions of a program but higher
/// limits.
pub fn open_confined(
    path: &Path,
    languages: &[Language],
    confined: Option<&Confined>,
) -> Result<Submission, Box<Unusable>> {
    let id = id_of(path);
    let student = student_of(&id);
    let mut unusable = Unusable {
        digest: String::new(),
        language: None,
        student: student.clone(),
        outcome: Outcome::graded(),
    };
    match prepare(path, languages, confined, &mut unusable) {
        Ok(submission) => Ok(Submission { id, student, ..submission }),
        Err(outcome) => {
            unusable.outcome = outcome;
            Err(Box::new(unusable))
        }
    }
}

fn prepare(
    path: &Path,
    languages: &[Language],
    confined: Option<&Confined>,
    known: &mut Unusable,
) -> Result<Submission, Outcome> {
    let mut tree = read(path)?;
    known.digest = tree.digest();
    let mut found = find(&tree)?;
    known.language = found.first().map(|found| found.language);
    found.retain(|found| languages.is_empty() || languages.contains(&found.language));
    let Some(program) = found.into_iter().next() else {
        return Err(not_taken(&tree, known.language, languages));
    };
    known.language = Some(program.language);
    let mut notes = Vec::new();
    normalise(&mut tree, &program, &mut notes)?;
    sdk::place(&mut tree, program.language, &program.command, &mut notes);
    let executable = program.build.map(|build| compile(build, &tree, confined)).transpose()?;
    tree.files
        .extend(executable.map(|bytes| (PROGRAM.to_owned(), File { bytes, executable: true })));

    let unwritten = |cause: std::io::Error| {
        let message = Text::new(
            format!("cannot write the working copy: {cause}"),
            format!("no se puede escribir la copia de trabajo: {cause}"),
        );
        Outcome::not_graded(
            OutcomeKind::InternalError,
            message,
            Text::new("make room for temporary files", "libera espacio para archivos temporales"),
        )
    };
    let copy = working_copy().map_err(unwritten)?;
    tree.write(copy.path()).map_err(unwritten)?;
    Ok(Submission {
        id: String::new(),
        folder: copy.path().to_owned(),
        command: program.command,
        language: program.language,
        digest: known.digest.clone(),
        student: Student::default(),
        notes,
        unpacked: Some(copy),
    })
}

fn read(path: &Path) -> Result<Tree, Outcome> {
    let info = fs::metadata(path).map_err(|cause| failed(path, &cause))?;
    if info.is_dir() {
        let tree = read_folder(path)?;
        // Learning platforms hand out a folder for each student, with the archive that was uploaded
        // in it.
        return match tree.files.keys().next() {
            Some(only) if tree.files.len() == 1 && ending_of(only).is_some() => {
                read_archive(&path.join(only))
            }
            _ => Ok(tree),
        };
    }
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("py")) {
        let bytes = fs::read(path).map_err(|cause| failed(path, &cause))?;
        return Ok(Tree {
            files: [("node.py".to_owned(), File { bytes, executable: false })].into(),
        });
    }
    read_archive(path)
}

/// A program of the submission, and how to start it.
#[derive(Debug)]
struct Program {
    language: Language,
    command: Vec<String>,
    build: Option<Build>,
}

fn no_program(message: Text, hint: Text) -> Outcome {
    Outcome::not_graded(OutcomeKind::NoProgram, message, hint)
}

/// The programs of a submission, the most likely first; at least one.
fn find(tree: &Tree) -> Result<Vec<Program>, Outcome> {
    if let Some(file) = tree.files.get(DECLARATION) {
        return Ok(vec![declared(file)?]);
    }
    let mut found = Vec::new();
    let python = |file: &str| Program {
        language: Language::Python,
        command: vec!["python3".into(), file.into()],
        build: None,
    };
    let built = |language, build| Program {
        language,
        command: vec![format!("./{PROGRAM}")],
        build: Some(build),
    };
    let imports = |path: &str| {
        tree.files.get(path).is_some_and(|file| imports_sdk(&String::from_utf8_lossy(&file.bytes)))
    };
    let importing: Vec<&str> = tree
        .top()
        .filter(|path| path.ends_with(".py") && *path != "seedbed.py" && imports(path))
        .collect();
    let is_ambiguous = importing.len() > 1 && !tree.has("node.py");
    if tree.has("node.py") {
        found.push(python("node.py"));
    } else if let [only] = importing[..] {
        found.push(python(only));
    }
    if tree.has("Cargo.toml") {
        found.push(built(Language::Rust, Build::Cargo));
    }
    let sources: Vec<String> =
        tree.top().filter(|path| path.ends_with(".c")).map(str::to_owned).collect();
    if !sources.is_empty() && (tree.has("node.c") || tree.has("Makefile") || tree.has("makefile")) {
        found.push(built(Language::C, Build::C(sources)));
    }
    if tree.has("node") {
        found.push(Program {
            language: Language::Other,
            command: vec!["./node".into()],
            build: None,
        });
    }
    if !found.is_empty() {
        return Ok(found);
    }
    if is_ambiguous {
        let files = importing.join("`, `");
        return Err(no_program(
            Text::new(
                format!("several files could be the program: `{files}`"),
                format!("varios archivos podrían ser el programa: `{files}`"),
            ),
            Text::new("name the program `node.py`", "llama al programa `node.py`"),
        ));
    }
    let signs = ["node.py", "Cargo.toml", "node.c", "node"];
    let deeper = tree
        .files
        .keys()
        .find(|path| path.rsplit_once('/').is_some_and(|(_, name)| signs.contains(&name)));
    let hint = match deeper {
        Some(path) => Text::new(
            format!("move `{path}` and what it needs to the top level of the submission"),
            format!("mueve `{path}` y lo que necesite al nivel superior de la entrega"),
        ),
        None => Text::new(
            "hand in a `node.py`, a Cargo package or a `node.c`, or say in `seedbed.toml` how to \
            start it: `command = [\"…\"]`",
            "entrega un `node.py`, un paquete de Cargo o un `node.c`, o indica en `seedbed.toml` \
            cómo se inicia: `command = [\"…\"]`",
        ),
    };
    let few: Vec<String> =
        tree.files.keys().take(5).map(|path| format!("`{}`", excerpt(path))).collect();
    let (few, more) = (few.join(", "), if tree.files.len() > 5 { ", …" } else { "" });
    Err(no_program(
        Text::new(
            format!("it contains no program, only {few}{more}"),
            format!("no contiene ningún programa, solo {few}{more}"),
        ),
        hint,
    ))
}

/// Whether a Python source imports the SDK.
fn imports_sdk(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').lines().any(|line| {
        let mut modules =
            line.trim_start().strip_prefix("import ").into_iter().flat_map(|rest| rest.split(','));
        line.trim_start().starts_with("from seedbed import")
            || modules.any(|module| module.split_whitespace().next() == Some("seedbed"))
    })
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Declaration {
    command: Vec<String>,
    language: Option<Language>,
}

/// The program that `seedbed.toml` declares.
fn declared(file: &File) -> Result<Program, Outcome> {
    let text = String::from_utf8_lossy(&file.bytes);
    let declaration: Declaration =
        toml::from_str(text.trim_start_matches('\u{feff}')).map_err(|cause| {
            let message = Text::new(
                format!("`{DECLARATION}` cannot be read"),
                format!("no se puede leer `{DECLARATION}`"),
            );
            let hint = Text::new(
                "write `command = [\"python3\", \"node.py\"]`",
                "escribe `command = [\"python3\", \"node.py\"]`",
            );
            Outcome { detail: cause.to_string(), ..no_program(message, hint) }
        })?;
    let Some(first) = declaration.command.first().filter(|first| !first.is_empty()) else {
        let message = Text::new(
            format!("`command` in `{DECLARATION}` is empty"),
            format!("`command` está vacío en `{DECLARATION}`"),
        );
        return Err(no_program(
            message,
            Text::new("write `command = [\"./node\"]`", "escribe `command = [\"./node\"]`"),
        ));
    };
    let is_python = first.rsplit('/').next().is_some_and(|name| name.starts_with("python"));
    let language =
        declaration.language.unwrap_or(if is_python { Language::Python } else { Language::Other });
    Ok(Program { language, command: declaration.command, build: None })
}

fn not_taken(tree: &Tree, language: Option<Language>, languages: &[Language]) -> Outcome {
    let language = language.map_or("?", Language::word);
    let taken: Vec<&str> = languages.iter().map(|language| language.word()).collect();
    let taken = taken.join(", ");
    let message = Text::new(
        format!(
            "the program is in the wrong language: `{language}`; this assignment accepts {taken}"
        ),
        format!("el programa está en otro lenguaje: `{language}`; esta tarea admite {taken}"),
    );
    let hint = if tree.has(DECLARATION) && language == Language::Other.word() {
        Text::new(
            format!(
                "write it in one of these; if it already is, add `language = \"{}\"` to \
                `{DECLARATION}`",
                taken.split(',').next().unwrap_or("python")
            ),
            format!(
                "escríbelo en uno de estos; si ya lo está, añade `language = \"{}\"` a \
                    `{DECLARATION}`",
                taken.split(',').next().unwrap_or("python")
            ),
        )
    } else {
        Text::new(
            format!("write it in one of these: {taken}"),
            format!("escríbelo en uno de estos: {taken}"),
        )
    };
    Outcome::not_graded(OutcomeKind::WrongLanguage, message, hint)
}

/// Make the copy startable: with Windows line endings, `#!` names an interpreter that does not
/// exist, and archives made on Windows have no executable files.
fn normalise(tree: &mut Tree, program: &Program, notes: &mut Vec<Text>) -> Result<(), Outcome> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    for (path, file) in &mut tree.files {
        let is_named =
            program.command.iter().any(|word| word.strip_prefix("./").unwrap_or(word) == path);
        if is_named && (file.bytes.starts_with(b"\xff\xfe") || file.bytes.starts_with(b"\xfe\xff"))
        {
            let message =
                Text::new(format!("`{path}` is in UTF-16"), format!("`{path}` está en UTF-16"));
            return Err(no_program(message, Text::new("save it as UTF-8", "guárdalo en UTF-8")));
        }
        if file.bytes.strip_prefix(MARK).unwrap_or(&file.bytes).starts_with(b"#!") {
            let text = file.bytes.strip_prefix(MARK).unwrap_or(&file.bytes);
            let first = text.split(|byte| *byte == b'\n').next().unwrap_or(text);
            if text.len() < file.bytes.len() || first.ends_with(b"\r") {
                file.bytes = without_returns(text);
                notes.push(Text::new(
                    format!(
                        "`{path}` has Windows line endings; it was graded with Unix line endings"
                    ),
                    format!(
                        "`{path}` tiene los finales de línea de Windows; se calificó con los \
                        de Unix"
                    ),
                ));
            }
        }
        if is_named && (file.bytes.starts_with(b"#!") || file.bytes.starts_with(b"\x7fELF")) {
            file.executable = true;
        }
    }
    Ok(())
}

//! From what was handed in to a command that can be started.

use std::fs;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::model::{Language, Outcome, OutcomeKind, Student, Text};

/// A submission that can be run.
#[derive(Debug)]
pub struct Submission {
    /// The name of the folder, or of the archive without its ending.
    pub id: String,
    /// Where its files lie: the submission's own folder, or a temporary one for an archive.
    pub folder: PathBuf,
    /// How the program is started, in `folder`.
    pub command: Vec<String>,
    /// What it is written in.
    pub language: Language,
    /// Over the names and contents of all its files, 32 hexadecimal digits.
    pub digest: String,
    /// Who handed it in, as far as its name tells.
    pub student: Student,
    /// Keeps the files of an archive while they are needed.
    pub unpacked: Option<tempfile::TempDir>,
}

/// Why a submission cannot be run.
#[derive(Debug)]
pub struct Unusable {
    /// As far as it could be read; empty otherwise.
    pub digest: String,
    /// What it is written in, where that is what is wrong, or where it did not compile.
    pub language: Option<Language>,
    /// Who handed it in.
    pub student: Student,
    /// What is wrong.
    pub outcome: Outcome,
}

/// The name under which a path is graded.
pub fn id_of(path: &Path) -> String {
    path.file_name().map_or_else(|| "submission".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Read a submission, find its program and build it where it must be built. `languages`: those that the assignment takes; empty: all.
pub fn open(path: &Path, languages: &[Language]) -> Result<Submission, Box<Unusable>> {
    let unusable = |kind, message: Text, hint: Text| {
        let outcome = Outcome::not_graded(kind, message, hint);
        Box::new(Unusable { digest: String::new(), language: None, student: Student::default(), outcome })
    };
    let program = path.join("node.py");
    let Ok(bytes) = fs::read(&program) else {
        let message = Text::new("there is no program: no `node.py`", "no hay programa: falta `node.py`");
        return Err(unusable(OutcomeKind::NoProgram, message, Text::new("name it `node.py`", "llámelo `node.py`")));
    };
    if !languages.is_empty() && !languages.contains(&Language::Python) {
        let message = Text::new("the program is in Python", "el programa está en Python");
        return Err(unusable(OutcomeKind::WrongLanguage, message, Text::new("write it in another language", "escríbalo en otro lenguaje")));
    }
    let mut digest = Xxh3::new();
    digest.update(&bytes);
    Ok(Submission {
        id: id_of(path),
        folder: path.to_owned(),
        command: vec!["python3".to_owned(), "node.py".to_owned()],
        language: Language::Python,
        digest: format!("{:032x}", digest.digest128()),
        student: Student::default(),
        unpacked: None,
    })
}

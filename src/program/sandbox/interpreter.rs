//! Where a program's executable is, and what it must read to start.
//!
//! A confined program can read next to nothing, and an interpreter is more than its executable: a
//! Python of pyenv, of conda or of a virtual environment has its library elsewhere, and the word
//! `python3` may stand for a script that looks for the right one, for which it starts other
//! processes. So an interpreter that is found by its bare name, and is therefore the user's own, is
//! asked once, unconfined, where it really is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// An executable, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub executable: PathBuf,
    pub reads: Vec<PathBuf>,
}

/// Find the executable that a command means. A path is meant from the folder; a bare name is looked
/// for where programs are.
///
/// Only a bare name is asked anything: behind a path, and be it a link of the name `python3`, there
/// may be anything. What a path leads to has to be in the folder, or in what the program may read
/// anyway.
pub(super) fn locate(name: &str, folder: &Path) -> Option<Located> {
    if name.contains('/') {
        let executable = std::path::absolute(folder.join(name)).ok()?;
        return Some(Located { executable, reads: vec![] });
    }
    let executable = in_path(name)?;
    static KNOWN: Mutex<BTreeMap<PathBuf, Located>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    Some(known.entry(executable.clone()).or_insert_with(|| ask(executable)).clone())
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

fn ask(executable: PathBuf) -> Located {
    let is_python =
        executable.file_name().is_some_and(|name| name.to_string_lossy().starts_with("python"));
    let python = if is_python { ask_python(&executable) } else { None };
    python.unwrap_or_else(|| {
        let reads = tree_of(&executable);
        Located { executable, reads }
    })
}

fn ask_python(executable: &Path) -> Option<Located> {
    let script = "import sys; print(sys.executable, sys.prefix, sys.base_prefix, sep='\\n')";
    let output = Command::new(executable)
        .args(["-I", "-c", script])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines().map(PathBuf::from).filter(|path| path.is_absolute());
    let executable = lines.next()?;
    let mut reads = tree_of(&executable);
    // The prefix of a system's Python is `/usr`, which is read anyway; a prefix of `/` would be
    // everything.
    reads.extend(lines.filter(|prefix| prefix.components().count() > 2));
    Some(Located { executable, reads })
}

/// The executable, what it is a link to, and the folder of an installation whose `bin` holds it.
fn tree_of(executable: &Path) -> Vec<PathBuf> {
    let mut reads = vec![executable.to_path_buf()];
    if let Ok(file) = executable.canonicalize() {
        let folder = file.parent().filter(|folder| folder.ends_with("bin")).and_then(Path::parent);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        // A `bin` in the root or in the user's own folder is no installation.
        reads.extend(
            folder
                .filter(|folder| {
                    folder.components().count() > 2 && Some(*folder) != home.as_deref()
                })
                .map(Path::to_path_buf),
        );
        reads.push(file);
    }
    reads
}

/// Where an interpreter or compiler of this name is, and the first line that it says of its
/// version.
pub(crate) fn version(name: &str) -> Option<(PathBuf, String)> {
    let path = in_path(name)?;
    let output = Command::new(&path)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let said = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    Some((
        path,
        String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned(),
    ))
}

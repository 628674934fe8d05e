//! Finds a program's executable and the files it must read to start.
//!
//! A confined program can read next to nothing, and an interpreter is more than its executable: the
//! Python of pyenv, conda or a virtual environment has its library elsewhere, and `python3` may be
//! a script that starts other processes to find the right one. So an interpreter that is found by
//! its bare name, and hence belongs to the user, is asked once, unconfined, where it really is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// An executable, and the paths it must be able to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Located {
    pub executable: PathBuf,
    pub reads: Vec<PathBuf>,
}

/// Find the executable of a command. A path is relative to the folder; a bare name is searched in
/// PATH.
///
/// Only a bare name is executed to ask it anything: a path, even of a link named `python3`, may
/// lead to anything. The target of a path must be in the folder or among what the program may read
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
    // The prefix of the system's Python is `/usr`, which is readable anyway; a prefix of `/` would
    // be everything.
    reads.extend(lines.filter(|prefix| prefix.components().count() > 2));
    Some(Located { executable, reads })
}

/// The executable, the target of its link, and the installation whose `bin` contains it.
fn tree_of(executable: &Path) -> Vec<PathBuf> {
    let mut reads = vec![executable.to_path_buf()];
    if let Ok(file) = executable.canonicalize() {
        let folder = file.parent().filter(|folder| folder.ends_with("bin")).and_then(Path::parent);
        let home = std::env::var_os("HOME").map(PathBuf::from);
        // A `bin` in the root or in the user's home is not an installation.
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

/// The path of the interpreter or compiler with this name, and the first line of its version.
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

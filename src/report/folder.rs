//! Files and folders that appear whole or not at all.
//!
//! New content is written next to its target, under a name that starts with `.seedbed-`, and
//! renamed into place in one step. A reader, a full disk or an interrupt in between finds the old
//! content or none, never part of the new.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use crate::error::Error;

/// Unfinished files and folders, for [`remove_unfinished`].
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An unfinished file or folder, registered until it is dropped.
#[derive(Debug)]
struct Noted(PathBuf);

impl Noted {
    /// Create and register it in one critical section, so that an interrupt never sees one without
    /// the other.
    fn make<T>(
        make: impl FnOnce() -> io::Result<T>,
        path: impl Fn(&T) -> &Path,
    ) -> io::Result<(T, Noted)> {
        let mut unfinished = unfinished();
        let made = make()?;
        let path = path(&made).to_owned();
        unfinished.insert(path.clone());
        Ok((made, Noted(path)))
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

/// Remove all unfinished files and folders because the process is ending. Nothing new can be
/// started afterwards: threads that try block until the end.
pub fn remove_unfinished() {
    const TRIES: usize = 100;
    let unfinished = unfinished();
    for path in unfinished.iter() {
        // Another thread may still be writing to the folder, so removing it may fail at first.
        let gone = |path: &Path| {
            fs::remove_dir_all(path).is_ok() || fs::remove_file(path).is_ok() || !path.exists()
        };
        let _ = (0..TRIES).any(|_| gone(path));
    }
    std::mem::forget(unfinished);
}

/// The message to print if the process is interrupted.
static WORDS: Mutex<Option<String>> = Mutex::new(None);

/// Set the message to print if the process is interrupted from now on.
pub fn say_when_interrupted(words: Option<String>) {
    *WORDS.lock().unwrap_or_else(PoisonError::into_inner) = words;
}

/// The message last set with [`say_when_interrupted`].
pub fn words_of_interrupted() -> Option<String> {
    WORDS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A temporary folder, removed when it is dropped and when the process is interrupted.
#[derive(Debug)]
pub struct Temporary {
    folder: TempDir,
    _noted: Noted,
}

impl Temporary {
    /// Create one.
    pub fn make(make: impl FnOnce() -> io::Result<TempDir>) -> io::Result<Temporary> {
        let (folder, noted) = Noted::make(make, TempDir::path)?;
        Ok(Temporary { folder, _noted: noted })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// An unfinished folder. Dropped without [`Staged::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Staged {
    target: PathBuf,
    folder: TempDir,
    _noted: Noted,
    /// Declared after the folder, so that the parents are empty when it is dropped.
    _parents: MadeParents,
}

/// Parents that did not exist before, removed again if they stay empty.
#[derive(Debug)]
struct MadeParents(Vec<PathBuf>);

impl Drop for MadeParents {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // This intentionally fails if the folder is not empty by now.
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Staged {
    /// Start a folder that will end up at `target`, creating its parents.
    pub fn new(target: &Path) -> Result<Staged, Error> {
        if fs::symlink_metadata(target).is_ok_and(|found| !found.is_dir()) {
            let message = format!(
                "cannot write the report `{}`: this path exists and is not a folder",
                target.display()
            );
            return Err(Error::new(message, "move it away, or name another folder with `--out`"));
        }
        if is_foreign(target) {
            let message = format!(
                "cannot write the report `{}`: this folder has files but is not a report",
                target.display()
            );
            return Err(Error::new(message, "move it away, or name another folder with `--out`"));
        }
        let parent = target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let parents = make_parents(parent).map_err(|cause| cannot_make(target, &cause))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".seedbed-");
        #[cfg(unix)]
        {
            // A report is not secret: its folder gets the permissions that mkdir would give it.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let made = Noted::make(|| builder.tempdir_in(parent), TempDir::path);
        let (folder, noted) = made.map_err(|cause| cannot_make(target, &cause))?;
        Ok(Staged { target: target.to_owned(), folder, _noted: noted, _parents: parents })
    }

    /// The folder to write to.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Move the folder into place, replacing a previous one.
    pub fn commit(mut self) -> Result<(), Error> {
        let failed = |cause: io::Error| {
            Error::io("move the report to", &self.target, &cause, OTHER_FOLDER_OR_NONE)
        };
        if self.target.exists() {
            // From here on the temporary folder holds the old report, and both are removed.
            return exchange(self.folder.path(), &self.target).map_err(failed);
        }
        fs::rename(self.folder.path(), &self.target).map_err(failed)?;
        self.folder.disable_cleanup(true);
        Ok(())
    }
}

/// Whether a folder exists that is neither empty nor a report: it belongs to the user and must not
/// be replaced.
fn is_foreign(target: &Path) -> bool {
    let mut entries = fs::read_dir(target).into_iter().flatten();
    entries.next().is_some() && !target.join("results.json").is_file()
}

/// The hint if the output cannot be written.
pub const OTHER_FOLDER: &str = "name another folder with `--out`";
/// The hint for reports, which are optional.
pub(super) const OTHER_FOLDER_OR_NONE: &str =
    "name another folder with `--out`, or write no files with `--no-files`";

fn cannot_make(target: &Path, cause: &io::Error) -> Error {
    Error::io("create the folder", target, cause, OTHER_FOLDER_OR_NONE)
}

fn make_parents(parent: &Path) -> io::Result<MadeParents> {
    let missing: Vec<PathBuf> = parent
        .ancestors()
        .take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists())
        .map(Path::to_owned)
        .collect();
    let mut made = MadeParents(Vec::new());
    for folder in missing.into_iter().rev() {
        match fs::create_dir(&folder) {
            Ok(()) => made.0.push(folder),
            // Another run created it in the meantime.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(made)
}

/// Swap two folders in one step, so that there is a report at every moment.
#[cfg(target_os = "linux")]
fn exchange(new: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        // Some file systems, especially network ones, do not support the exchange.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP) => {
            exchange_in_steps(new, target)
        }
        result => Ok(result?),
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(new: &Path, target: &Path) -> io::Result<()> {
    exchange_in_steps(new, target)
}

/// Swap two folders in three renames. For a moment there is no report, but never part of one.
fn exchange_in_steps(new: &Path, target: &Path) -> io::Result<()> {
    let mut aside = new.as_os_str().to_owned();
    aside.push("-old");
    fs::rename(target, &aside)?;
    if let Err(cause) = fs::rename(new, target) {
        fs::rename(&aside, target)?;
        return Err(cause);
    }
    fs::rename(&aside, new)
}

/// Check that files can be created in a folder by creating and removing one, before work that may
/// take hours.
pub fn probe_folder(folder: &Path) -> Result<(), Error> {
    let failed = |cause: io::Error| Error::io("write to", folder, &cause, OTHER_FOLDER);
    let _parents = make_parents(folder).map_err(failed)?;
    tempfile::Builder::new().prefix(".seedbed-").tempfile_in(folder).map(drop).map_err(failed)
}

/// Write a file whole or not at all, replacing an earlier one and creating its folder. The hint is
/// shown if that fails.
pub fn replace_file(path: &Path, bytes: &[u8], hint: &str) -> Result<(), Error> {
    let failed = |cause: &io::Error| Error::io("write", path, cause, hint);
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let _parents = make_parents(parent).map_err(|cause| failed(&cause))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".seedbed-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let made = Noted::make(|| builder.tempfile_in(parent), tempfile::NamedTempFile::path);
    let (mut file, _noted) = made.map_err(|cause| failed(&cause))?;
    file.write_all(bytes).map_err(|cause| failed(&cause))?;
    file.persist(path).map_err(|cause| failed(&cause.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// A run that fails while writing must leave everything as it was, including parent folders.
    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let out = tempfile::tempdir().expect("a folder");
        let staged = Staged::new(&out.path().join("reports/raft/x/42")).expect("it can be made");
        fs::write(staged.path().join("half"), "half").expect("writable");
        drop(staged);
        assert_eq!(names(out.path()), [] as [&str; 0]);
    }

    /// Leftover files of an old report would be taken for the new one's, so the folder is replaced
    /// as a whole.
    #[test]
    fn a_report_is_replaced_as_a_whole_in_either_way() {
        for swap in [exchange, exchange_in_steps] {
            let out = tempfile::tempdir().expect("a folder");
            let (new, target) = (out.path().join("new"), out.path().join("42"));
            for (folder, file) in [(&new, "fresh"), (&target, "stale")] {
                fs::create_dir(folder).expect("writable");
                fs::write(folder.join(file), file).expect("writable");
            }
            swap(&new, &target).expect("both are there");
            assert_eq!(names(&target), ["fresh"]);
            assert_eq!(names(&new), ["stale"]);
            assert_eq!(names(out.path()), ["42", "new"]);
        }
    }

    /// Committed twice, only the second report remains, with the permissions that the umask allows.
    #[test]
    fn a_second_report_takes_the_place_of_the_first() {
        let out = tempfile::tempdir().expect("a folder");
        let target = out.path().join("raft/42");
        for file in ["first", "second"] {
            let staged = Staged::new(&target).expect("it can be made");
            fs::write(staged.path().join(file), file).expect("writable");
            fs::write(staged.path().join("results.json"), "{}").expect("writable");
            staged.commit().expect("it can be put there");
        }
        assert_eq!(names(&target), ["results.json", "second"]);
        assert_eq!(names(out.path().join("raft").as_path()), ["42"]);
    }

    /// A folder with other files was not written by a run and must not be lost.
    #[test]
    fn a_folder_that_is_no_report_is_not_replaced() {
        let out = tempfile::tempdir().expect("a folder");
        fs::write(out.path().join("thesis"), "mine").expect("writable");
        let error = Staged::new(out.path()).expect_err("somebody's folder").to_string();
        assert!(error.contains("is not a report"), "{error}");
        assert_eq!(names(out.path()), ["thesis"]);
    }

    /// A file in the way belongs to the user and is not removed for a report.
    #[test]
    fn a_file_in_the_way_is_an_error() {
        let out = tempfile::tempdir().expect("a folder");
        let target = out.path().join("42");
        fs::write(&target, "mine").expect("writable");
        let error = Staged::new(&target).expect_err("a file is in the way").to_string();
        assert!(error.contains("is not a folder"), "{error}");
        let below = Staged::new(&target.join("43")).expect_err("a file is in the way").to_string();
        assert!(below.contains("cannot create the folder"), "{below}");
        assert_eq!(fs::read_to_string(&target).expect("still there"), "mine");
    }
}

//! Files and folders that appear whole or not at all.
//!
//! The new content is made beside its place, under a name that begins with `.seedbed-`, and takes
//! the place by one rename. A reader, a full disk or an interrupt in between meets the old content
//! or none, never a part of the new.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use crate::error::Error;

/// What is in the making, for [`remove_unfinished`].
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something in the making, noted until it is dropped.
#[derive(Debug)]
struct Noted(PathBuf);

impl Noted {
    /// Make it and note it in one, so that an interrupt meets neither without the other.
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

/// Remove what is in the making, because the process ends. Nothing new can be begun afterwards:
/// whoever tries waits for the end.
pub fn remove_unfinished() {
    const TRIES: usize = 100;
    let unfinished = unfinished();
    for path in unfinished.iter() {
        // Another thread may still write into the folder, so that it is not empty when it is to go.
        let gone = |path: &Path| {
            fs::remove_dir_all(path).is_ok() || fs::remove_file(path).is_ok() || !path.exists()
        };
        let _ = (0..TRIES).any(|_| gone(path));
    }
    std::mem::forget(unfinished);
}

/// What is said where the process is interrupted.
static WORDS: Mutex<Option<String>> = Mutex::new(None);

/// Say this where the process is interrupted from now on, or nothing.
pub fn say_when_interrupted(words: Option<String>) {
    *WORDS.lock().unwrap_or_else(PoisonError::into_inner) = words;
}

/// What [`say_when_interrupted`] was told last.
pub fn words_of_interrupted() -> Option<String> {
    WORDS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A folder for a while: it is gone when it is dropped, and when the process is interrupted.
#[derive(Debug)]
pub struct Temporary {
    folder: TempDir,
    _noted: Noted,
}

impl Temporary {
    /// Make one.
    pub fn make(make: impl FnOnce() -> io::Result<TempDir>) -> io::Result<Temporary> {
        let (folder, noted) = Noted::make(make, TempDir::path)?;
        Ok(Temporary { folder, _noted: noted })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder in the making. Dropped without [`Staged::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct Staged {
    target: PathBuf,
    folder: TempDir,
    _noted: Noted,
    /// Declared after the folder, so that what it removes is empty by then.
    _parents: MadeParents,
}

/// Parents that did not exist before, to be removed again where they stay empty.
#[derive(Debug)]
struct MadeParents(Vec<PathBuf>);

impl Drop for MadeParents {
    fn drop(&mut self) {
        for folder in self.0.iter().rev() {
            // This fails where something lies in it by now, and that is what it should do.
            let _ = fs::remove_dir(folder);
        }
    }
}

impl Staged {
    /// Begin a folder that is to be at `target`, whose parents are made.
    pub fn new(target: &Path) -> Result<Staged, Error> {
        if fs::symlink_metadata(target).is_ok_and(|found| !found.is_dir()) {
            let message = format!(
                "cannot write the report `{}`: something that is no folder has this name",
                target.display()
            );
            return Err(Error::new(message, "move it away, or give another folder with `--out`"));
        }
        if is_foreign(target) {
            let message = format!(
                "cannot write the report `{}`: this folder has files, and is no report",
                target.display()
            );
            return Err(Error::new(message, "move it away, or give another folder with `--out`"));
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
            // A report is no secret: its folder gets what the umask leaves, as if made by mkdir.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let made = Noted::make(|| builder.tempdir_in(parent), TempDir::path);
        let (folder, noted) = made.map_err(|cause| cannot_make(target, &cause))?;
        Ok(Staged { target: target.to_owned(), folder, _noted: noted, _parents: parents })
    }

    /// Where to write.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Put the folder in its place. What was there before is removed.
    pub fn commit(mut self) -> Result<(), Error> {
        let failed = |cause: io::Error| {
            Error::io("put the report in its place at", &self.target, &cause, OTHER_FOLDER_OR_NONE)
        };
        if self.target.exists() {
            // From here on the temporary folder holds the old report, and goes with it.
            return exchange(self.folder.path(), &self.target).map_err(failed);
        }
        fs::rename(self.folder.path(), &self.target).map_err(failed)?;
        self.folder.disable_cleanup(true);
        Ok(())
    }
}

/// Whether a folder is there that holds something, but no report: that is somebody's, and not to be
/// replaced.
fn is_foreign(target: &Path) -> bool {
    let mut entries = fs::read_dir(target).into_iter().flatten();
    entries.next().is_some() && !target.join("results.json").is_file()
}

/// What to do where nothing can be written.
pub const OTHER_FOLDER: &str = "give another folder with `--out`";
/// The same for reports, which need not be written at all.
pub(super) const OTHER_FOLDER_OR_NONE: &str =
    "give another folder with `--out`, or write no files with `--no-files`";

fn cannot_make(target: &Path, cause: &io::Error) -> Error {
    Error::io("make the folder", target, cause, OTHER_FOLDER_OR_NONE)
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
            // Another run made it in between.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(made)
}

/// Swap two folders in one step, so that no moment is without a report.
#[cfg(target_os = "linux")]
fn exchange(new: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        // Some file systems, network ones above all, do not know the exchange.
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

/// The old folder moves into the new one's place by three renames. For a moment there is no report,
/// but never a part of one.
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

/// Whether a file can be made in a folder, found out by making one; nothing is left of it. Asked
/// before work that takes hours.
pub fn probe_folder(folder: &Path) -> Result<(), Error> {
    let failed = |cause: io::Error| Error::io("write into", folder, &cause, OTHER_FOLDER);
    let _parents = make_parents(folder).map_err(failed)?;
    tempfile::Builder::new().prefix(".seedbed-").tempfile_in(folder).map(drop).map_err(failed)
}

/// Write a file whole or not at all, in place of an earlier one; its folder is made. The hint is
/// for the case that it cannot be.
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

    /// A run that fails while it writes must leave the world as it found it, the folders made for
    /// it included.
    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let out = tempfile::tempdir().expect("a folder");
        let staged = Staged::new(&out.path().join("reports/raft/x/42")).expect("it can be made");
        fs::write(staged.path().join("half"), "half").expect("writable");
        drop(staged);
        assert_eq!(names(out.path()), [] as [&str; 0]);
    }

    /// Files of the old report that the new one lacks would be taken for the new one's: the folder
    /// is replaced as a whole.
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

    /// Committed twice, the second report stands alone, readable by everybody whom the umask
    /// allows.
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

    /// A folder with other things in it was not made by a run, and would be lost for ever.
    #[test]
    fn a_folder_that_is_no_report_is_not_replaced() {
        let out = tempfile::tempdir().expect("a folder");
        fs::write(out.path().join("thesis"), "mine").expect("writable");
        let error = Staged::new(out.path()).expect_err("somebody's folder").to_string();
        assert!(error.contains("is no report"), "{error}");
        assert_eq!(names(out.path()), ["thesis"]);
    }

    /// A file in the way is the user's, and is not removed for a report.
    #[test]
    fn a_file_in_the_way_is_an_error() {
        let out = tempfile::tempdir().expect("a folder");
        let target = out.path().join("42");
        fs::write(&target, "mine").expect("writable");
        let error = Staged::new(&target).expect_err("a file is in the way").to_string();
        assert!(error.contains("no folder has this name"), "{error}");
        let below = Staged::new(&target.join("43")).expect_err("a file is in the way").to_string();
        assert!(below.contains("cannot make the folder"), "{below}");
        assert_eq!(fs::read_to_string(&target).expect("still there"), "mine");
    }
}

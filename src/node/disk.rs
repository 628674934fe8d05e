//! A node's disk: files of bytes, durable after a sync.
//!
//! A disk is the durable content and a list of operations in the cache, in order. Reads see both. A
//! sync moves operations to the durable content; a crash throws the rest away, or keeps a part of
//! it as the scenario's crash policy says. The driver decides when syncs begin and end; this module
//! knows no time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::rng::Rng;

/// A file's name.
pub type FileName = Cow<'static, str>;

/// One operation on a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskOp {
    /// Append bytes; the file is made where it does not exist.
    Append {
        /// The file.
        file: FileName,
        /// What is appended.
        bytes: Vec<u8>,
    },
    /// Give a file a new content in one step: after a crash it has the old or the new one.
    Replace {
        /// The file.
        file: FileName,
        /// The new content.
        bytes: Vec<u8>,
    },
    /// Overwrite the file in place: a crash may leave a mixture of the old and the new content.
    Overwrite {
        /// The file.
        file: FileName,
        /// The new content.
        bytes: Vec<u8>,
    },
    /// Cut a file.
    Truncate {
        /// The file.
        file: FileName,
        /// Its new length, bytes; nothing happens where it is shorter.
        len: u64,
    },
    /// Give a file another name, instead of a file that has it.
    Rename {
        /// The old name.
        file: FileName,
        /// The new name.
        to: FileName,
    },
    /// Remove a file.
    Remove {
        /// The file.
        file: FileName,
    },
}

/// What a crash does to saves that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPolicy {
    /// All of them are gone.
    Lose,
    /// A drawn number of the first ones survive whole.
    Prefix,
    /// A drawn number of the first ones survive, and a part of the next.
    Torn,
}

/// What a crash has done to the operations that were not durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wreck {
    /// How many of the first ones reached the disk all the same.
    pub kept: usize,
    /// How many did not, or not wholly.
    pub lost: usize,
    /// The file whose operation was torn, and how many bytes of how many were written.
    pub torn: Option<(FileName, usize, usize)>,
}

impl fmt::Display for Wreck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crash with unsynced operations: {} kept, {} lost", self.kept, self.lost)?;
        match &self.torn {
            Some((file, written, of)) => {
                write!(f, "; the write of `{file}` is torn after {written} of {of} bytes")
            }
            None => Ok(()),
        }
    }
}

/// The files of one node.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    durable: BTreeMap<FileName, Vec<u8>>,
    cache: Vec<DiskOp>,
}

impl Disk {
    /// The content of a file as the running process sees it.
    pub fn read(&self, file: &str) -> Option<Vec<u8>> {
        if self.cache.is_empty() {
            return self.durable.get(file).cloned();
        }
        self.seen().remove(file)
    }

    /// The names of all files as the running process sees them, sorted.
    pub fn files(&self) -> Vec<String> {
        self.seen().into_keys().map(Cow::into_owned).collect()
    }

    /// What the running process sees. Made anew each time: nodes read when they boot, when the
    /// cache is empty, and rarely else.
    fn seen(&self) -> BTreeMap<FileName, Vec<u8>> {
        let mut files = self.durable.clone();
        for op in &self.cache {
            apply(&mut files, op.clone());
        }
        files
    }

    /// Put operations into the cache.
    pub(crate) fn write(&mut self, ops: impl IntoIterator<Item = DiskOp>) {
        self.cache.extend(ops);
    }

    /// Operations that are not yet durable.
    pub(crate) fn unsynced(&self) -> usize {
        self.cache.len()
    }

    /// Make the first `count` operations of the cache durable.
    pub(crate) fn sync(&mut self, count: usize) {
        for op in self.cache.drain(..count) {
            apply(&mut self.durable, op);
        }
    }

    /// The machine crashes: what the cache holds is lost, or a first part of it survives.
    pub(crate) fn crash(&mut self, policy: CrashPolicy, rng: &mut Rng) -> Wreck {
        let ops = std::mem::take(&mut self.cache);
        if ops.is_empty() || policy == CrashPolicy::Lose {
            return Wreck { kept: 0, lost: ops.len(), torn: None };
        }
        let kept = rng.below(ops.len() as u64 + 1) as usize;
        let lost = ops.len() - kept;
        let mut ops = ops.into_iter();
        for op in ops.by_ref().take(kept) {
            apply(&mut self.durable, op);
        }
        let torn = if policy == CrashPolicy::Torn {
            ops.next().and_then(|op| tear(&mut self.durable, op, rng))
        } else {
            None
        };
        Wreck { kept, lost, torn }
    }

    /// Bytes of all durable files.
    pub(crate) fn size(&self) -> u64 {
        self.durable.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// Everything is gone: a new, empty disk.
    pub(crate) fn wipe(&mut self) {
        *self = Disk::default();
    }

    /// The durable content, for a later [`Disk::restore`].
    pub(crate) fn snapshot(&self) -> BTreeMap<FileName, Vec<u8>> {
        self.durable.clone()
    }

    /// Put an earlier durable content back, as a restored backup does.
    pub(crate) fn restore(&mut self, snapshot: BTreeMap<FileName, Vec<u8>>) {
        *self = Disk { durable: snapshot, ..Disk::default() };
    }

    /// The durable content of a file to damage it, or of a random one. `None` where there is
    /// nothing.
    pub(crate) fn durable_mut(
        &mut self,
        file: Option<&str>,
        rng: &mut Rng,
    ) -> Option<&mut Vec<u8>> {
        let name = match file {
            Some(file) => file.to_owned(),
            None => {
                let names: Vec<&FileName> = self
                    .durable
                    .iter()
                    .filter(|(_, bytes)| !bytes.is_empty())
                    .map(|(name, _)| name)
                    .collect();
                rng.pick(&names)?.to_string()
            }
        };
        self.durable.get_mut(name.as_str())
    }
}

fn apply(files: &mut BTreeMap<FileName, Vec<u8>>, op: DiskOp) {
    match op {
        DiskOp::Append { file, bytes } => match files.get_mut(&file) {
            Some(content) => content.extend_from_slice(&bytes),
            None => {
                files.insert(file, bytes);
            }
        },
        DiskOp::Replace { file, bytes } | DiskOp::Overwrite { file, bytes } => {
            files.insert(file, bytes);
        }
        DiskOp::Truncate { file, len } => {
            if let Some(content) = files.get_mut(&file) {
                content.truncate(usize::try_from(len).unwrap_or(usize::MAX));
            }
        }
        DiskOp::Rename { file, to } => {
            if let Some(content) = files.remove(&file) {
                files.insert(to, content);
            }
        }
        DiskOp::Remove { file } => {
            files.remove(&file);
        }
    }
}

/// Apply a part of an operation, as a crash in its middle does. Renames, removals and truncations
/// are atomic in a journalling file system: they happened or not, and here they did not. Tells the
/// file, and how many bytes of how many were written.
fn tear(
    files: &mut BTreeMap<FileName, Vec<u8>>,
    op: DiskOp,
    rng: &mut Rng,
) -> Option<(FileName, usize, usize)> {
    match op {
        DiskOp::Append { file, bytes } => {
            let kept = rng.below(bytes.len() as u64 + 1) as usize;
            files.entry(file.clone()).or_default().extend_from_slice(&bytes[..kept]);
            Some((file, kept, bytes.len()))
        }
        DiskOp::Overwrite { file, bytes } => {
            let kept = rng.below(bytes.len() as u64 + 1) as usize;
            let content = files.entry(file.clone()).or_default();
            let old_tail = content.get(kept..).unwrap_or_default().to_vec();
            *content = bytes[..kept].to_vec();
            content.extend_from_slice(&old_tail);
            Some((file, kept, bytes.len()))
        }
        DiskOp::Replace { .. }
        | DiskOp::Truncate { .. }
        | DiskOp::Rename { .. }
        | DiskOp::Remove { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(text: &str) -> DiskOp {
        DiskOp::Append { file: "log".into(), bytes: text.as_bytes().to_vec() }
    }

    /// The process reads what it wrote; the crash takes what was not synced.
    #[test]
    fn a_crash_loses_what_was_not_synced() {
        let mut disk = Disk::default();
        disk.write([append("a")]);
        disk.sync(1);
        disk.write([append("b")]);
        assert_eq!(disk.read("log").as_deref(), Some(b"ab".as_slice()));
        assert_eq!(
            disk.crash(CrashPolicy::Lose, &mut Rng::named(1, "disk")),
            Wreck { kept: 0, lost: 1, torn: None }
        );
        assert_eq!(disk.read("log").as_deref(), Some(b"a".as_slice()));
    }

    /// Whatever the seed, a torn append is a prefix of what was written, and a replaced file is the
    /// old or the new one.
    #[test]
    fn a_torn_write_leaves_a_prefix_and_a_replacement_is_whole() {
        for seed in 0..200 {
            let mut disk = Disk::default();
            disk.write([DiskOp::Replace { file: "state".into(), bytes: b"old".to_vec() }]);
            disk.sync(1);
            disk.write([
                append("first"),
                DiskOp::Replace { file: "state".into(), bytes: b"new!".to_vec() },
                append("second"),
            ]);
            let wreck = disk.crash(CrashPolicy::Torn, &mut Rng::named(seed, "disk"));
            let log = disk.read("log").unwrap_or_default();
            assert!(b"firstsecond".starts_with(&log), "{log:?}");
            let (file, written, _) = wreck.torn.unwrap_or_default();
            let before = ["", "first", "first", "firstsecond"][wreck.kept];
            assert_eq!(
                log.len(),
                before.len() + if file == "log" { written } else { 0 },
                "{:?}",
                wreck.kept
            );
            let state = disk.read("state").expect("the file was durable");
            assert!(state == b"old" || (state == b"new!" && log.len() >= 5), "{state:?} {log:?}");
        }
    }
}

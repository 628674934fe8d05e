//! The watchdog: how long a program has worked, and how much it has written.
//!
//! Real time decides only when the watchdog looks and whether a run is aborted. The clock is read
//! by a direct system call, because the simulation has replaced the library's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::StallKind;

/// How often the watchdog looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// For a busy program that the machine lets run only now and then, the patience is multiplied by
/// this.
const PATIENCE_SLOW: u32 = 10;

/// A scratch folder with more files than this counts as full.
const FILES_MAX: usize = 10_000;

/// Real time since an arbitrary moment.
pub(super) fn real_time() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// The watch over one turn.
pub(super) struct Watch {
    patience: Duration,
    begun: Duration,
    looked: Duration,
    /// Processor time at the first look; what was used before that is negligible.
    used_at_first: Option<Duration>,
    /// When the program was last seen working or waiting for a processor, and its processor time by
    /// then.
    worked: (Duration, Duration),
}

impl Watch {
    pub(super) fn new(patience: Duration) -> Watch {
        let now = real_time();
        Watch {
            patience,
            begun: now,
            looked: now,
            used_at_first: None,
            worked: (now, Duration::ZERO),
        }
    }

    /// Whether it is time to look.
    pub(super) fn is_due(&mut self) -> bool {
        let now = real_time();
        let is_due = now.saturating_sub(self.looked) >= LOOK;
        if is_due {
            self.looked = now;
        }
        is_due
    }

    /// Whether and how the program stalls, with a description. Call it when a look is due.
    pub(super) fn look(&mut self, process: u32) -> Option<(StallKind, String)> {
        let (now, patience) = (self.looked, self.patience);
        let lasts = now.saturating_sub(self.begun);
        let Some(Work { used, is_asleep }) = at_work(process) else {
            let silent = format!("nothing for {} s of real time", patience.as_secs_f32());
            return (lasts >= patience).then_some((StallKind::Silent, silent));
        };
        let used = used.saturating_sub(*self.used_at_first.get_or_insert(used));
        if !is_asleep || used.saturating_sub(self.worked.1) >= patience / 100 {
            self.worked = (now, used);
        }
        let patience_s = patience.as_secs_f32();
        if used >= patience {
            return Some((
                StallKind::Busy,
                format!("it has been working for {patience_s} s of processor time"),
            ));
        }
        if now.saturating_sub(self.worked.0) >= patience {
            return Some((
                StallKind::Silent,
                format!("it has been asleep for {patience_s} s of real time"),
            ));
        }
        let slow = patience * PATIENCE_SLOW;
        (lasts >= slow).then(|| {
            (
                StallKind::Slow,
                format!(
                    "it has been working now and then, for {} s of real \
                    time",
                    slow.as_secs_f32()
                ),
            )
        })
    }
}

/// The processor time of this process alone, even if it has exited but was not waited for, and
/// whether it sleeps.
pub(super) fn alone(process: u32) -> Option<(Duration, bool)> {
    stat(process).map(|stat| (Duration::from_millis(stat.ticks * 10), stat.is_asleep))
}

/// The activity of a process and all its descendants.
struct Work {
    used: Duration,
    /// None of them waits for a processor or a disk, which the machine has to provide.
    is_asleep: bool,
}

/// `None` if the system has no `/proc`, or the process is gone.
fn at_work(root: u32) -> Option<Work> {
    let mut all = vec![];
    for entry in fs::read_dir("/proc").ok()? {
        let number = entry.ok().and_then(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        all.extend(number.and_then(stat));
    }
    let first = all.iter().find(|stat| stat.process == root)?;
    let (mut ticks, mut is_asleep) = (first.ticks, first.is_asleep);
    let mut tree = vec![root];
    while let Some(parent) = tree.pop() {
        for child in all.iter().filter(|stat| stat.parent == parent && stat.process != parent) {
            tree.push(child.process);
            ticks += child.ticks;
            is_asleep &= child.is_asleep;
        }
    }
    // USER_HZ, which Linux fixes for user space whatever its own tick rate.
    Some(Work { used: Duration::from_millis(ticks * 10), is_asleep })
}

struct Stat {
    process: u32,
    parent: u32,
    ticks: u64,
    is_asleep: bool,
}

/// `/proc/PID/stat`, see proc(5): the name is in parentheses and may contain anything, including
/// parentheses.
fn stat(process: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<u64>().ok());
    let is_asleep = !matches!(*fields.first()?, "R" | "D");
    Some(Stat {
        process,
        parent: fields.get(1)?.parse().ok()?,
        ticks: ticks(11)? + ticks(12)?,
        is_asleep,
    })
}

/// The disk usage of a folder in bytes; `u64::MAX` if there are too many files to count.
pub(super) fn folder_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let (mut bytes, mut files) = (0, 0);
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            files += 1;
            if files > FILES_MAX {
                return u64::MAX;
            }
            // Links are not followed, so nothing is counted twice and the walk stays inside.
            if let Ok(metadata) = entry.metadata() {
                bytes += metadata.blocks() * 512;
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files and folders are counted with their content; links are not followed.
    #[test]
    fn a_folder_is_counted_to_its_end_and_no_further() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(folder_bytes(folder.path()), 0);
        fs::create_dir(folder.path().join("inner")).expect("writable");
        let empty = folder_bytes(folder.path());
        fs::write(folder.path().join("inner/file"), vec![7; 1 << 20]).expect("writable");
        std::os::unix::fs::symlink("/usr", folder.path().join("link")).expect("writable");
        let bytes = folder_bytes(folder.path());
        assert!((1 << 20..1 << 21).contains(&(bytes - empty)), "{bytes}");
    }

    /// The processor time of a working process grows, and a missing process has none.
    #[test]
    fn work_is_seen() {
        if !Path::new("/proc/self/stat").exists() {
            return println!("there is no /proc here: not tested");
        }
        let used = || at_work(std::process::id()).expect("we are there").used;
        assert!(at_work(u32::MAX).is_none() && alone(u32::MAX).is_none());
        let before = used();
        let mut sum = 0_u64;
        let end = real_time() + Duration::from_secs(10);
        while used() < before + Duration::from_millis(50) && real_time() < end {
            sum = (0..100_000).fold(sum, |sum, number| sum.wrapping_mul(31).wrapping_add(number));
        }
        assert!(real_time() < end, "no work is seen in ten seconds: {sum}");
    }
}

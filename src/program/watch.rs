//! The watchdog's eyes: how long a program has worked, and what it has written.
//!
//! Real time decides only when the watchdog looks and that a run is given up. The clock is asked by
//! a system call of our own, because the simulation has replaced the library's.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::StallKind;

/// How often the watchdog looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// Of a program that is busy and that the machine lets work only now and then, so many times the
/// patience is waited for.
const PATIENCE_SLOW: u32 = 10;

/// A scratch folder's files are counted up to this number; with more of them it is full.
const FILES_MAX: usize = 10_000;

/// Real time since some moment.
pub(super) fn real_time() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32)
}

/// The watch over one turn.
pub(super) struct Watch {
    patience: Duration,
    begun: Duration,
    looked: Duration,
    /// Processor time at the first look: what was used before that is little.
    used_at_first: Option<Duration>,
    /// When the program last was seen to have worked or to wait for a processor, and how long it
    /// had by then.
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

    /// How the program stalls, if it does, and a sentence on it. Call it when it is due.
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
                format!("it has worked for {patience_s} s of processor time"),
            ));
        }
        if now.saturating_sub(self.worked.0) >= patience {
            return Some((
                StallKind::Silent,
                format!("it sleeps, for {patience_s} s of real time now"),
            ));
        }
        let slow = patience * PATIENCE_SLOW;
        (lasts >= slow).then(|| {
            (
                StallKind::Slow,
                format!("it has worked now and then, for {} s of real time", slow.as_secs_f32()),
            )
        })
    }
}

/// The processor time of this process alone, also where it has ended and is not yet waited for, and
/// whether it sleeps.
pub(super) fn alone(process: u32) -> Option<(Duration, bool)> {
    stat(process).map(|stat| (Duration::from_millis(stat.ticks * 10), stat.is_asleep))
}

/// What a process and all that it has started are doing.
struct Work {
    used: Duration,
    /// None of them waits for a processor or for a disk, which are the machine's to give.
    is_asleep: bool,
}

/// `None` where the system has no `/proc`, or the process is gone.
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
    // USER_HZ, which Linux has fixed for programs, whatever its own clock.
    Some(Work { used: Duration::from_millis(ticks * 10), is_asleep })
}

struct Stat {
    process: u32,
    parent: u32,
    ticks: u64,
    is_asleep: bool,
}

/// `/proc/PID/stat`, as proc(5) has it: the name stands in parentheses and may hold anything, also
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

/// What lies in a folder, bytes on the disk; `u64::MAX` where there are too many files to count.
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
            // What is not followed is not counted twice, and leads nowhere.
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

    /// Files and folders, and what is in them; links are not followed.
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

    /// Processor time of a process that works, and of none that is not there.
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

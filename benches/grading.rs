//! What grading costs: `cargo bench --bench grading`. Needs a `python3`.
//!
//! Two questions of an instructor: how long does one submission take (an assignment of 20 items,
//! each with 50 seeds of its own, for the Raft reference in Python, 1,000 runs and another one for
//! each item that proves the program deterministic), and does a class of 200 take half as long on
//! twice as many cores? Everything is measured from outside, on the command that an instructor
//! uses, with its sandbox, and its processor time with all programs that it starts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

#[path = "measure/mod.rs"]
mod measure;

const ITEMS: usize = 20;
const SEEDS: usize = 50;
const CLASS: usize = 200;

fn main() -> io::Result<()> {
    let version = Command::new("python3").arg("--version").output();
    let Ok(version) =
        version.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    else {
        println!("there is no python3 here: not measured");
        return Ok(());
    };
    println!("{version}");
    let folder = tempfile::tempdir()?;
    let course = Course { folder: folder.path().to_owned() };

    let long = course.assignment("long", ITEMS, SEEDS)?;
    let one = course.hand_in(&long, 1)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let spent = course.grade(&long, &one, cores)?;
    let runs = ITEMS * SEEDS + ITEMS;
    println!(
        "one submission, {ITEMS} items of {SEEDS} seeds: {spent}, {:.0} ms of processor time a run",
        spent.processor_ms() / runs as f64
    );

    let short = course.assignment("short", 2, 1)?;
    let class = course.hand_in(&short, CLASS)?;
    let mut first = None;
    for jobs in (0..).map(|power| 1 << power).take_while(|jobs| *jobs <= cores) {
        let spent = course.grade(&short, &class, jobs)?;
        let alone = *first.get_or_insert(spent.real);
        let times = alone.as_secs_f64() / spent.real.as_secs_f64();
        println!(
            "a class of {CLASS}, 2 items of 1 seed, {jobs} jobs: {spent}, {times:.2} times as fast \
                as one job"
        );
    }
    Ok(())
}

/// What a command took.
#[derive(Clone, Copy)]
struct Spent {
    processor: Duration,
    real: Duration,
}

impl Spent {
    fn processor_ms(&self) -> f64 {
        self.processor.as_secs_f64() * 1_000.0
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.1} s of processor time, {:.1} s",
            self.processor.as_secs_f64(),
            self.real.as_secs_f64()
        )
    }
}

/// A folder of assignments and submissions, made of the assignment on elections.
struct Course {
    folder: PathBuf,
}

impl Course {
    /// An assignment of this many items, each with this many seeds that no other item has.
    fn assignment(&self, name: &str, items: usize, seeds: usize) -> io::Result<PathBuf> {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/assignments");
        let copied = self.folder.join("raft-election");
        fs::create_dir_all(&copied)?;
        for entry in fs::read_dir(shipped.join("raft-election"))? {
            let path = entry?.path();
            if path.is_file() {
                fs::copy(&path, copied.join(path.file_name().unwrap_or_default()))?;
            }
        }
        let mut assignment: toml::Table =
            fs::read_to_string(shipped.join("raft-election.toml"))?.parse().expect("it ships");
        assignment.remove("points");
        let known =
            assignment.get("item").and_then(|items| items.as_array()).cloned().unwrap_or_default();
        let item = |(number, known): (usize, &toml::Value)| {
            let mut item = known.as_table().cloned().unwrap_or_default();
            item.remove("gate");
            item.remove("hidden_seeds");
            item.insert("name".to_owned(), format!("item-{number}").into());
            item.insert(
                "seeds".to_owned(),
                format!("{}..{}", number * 1_000, number * 1_000 + seeds).into(),
            );
            toml::Value::Table(item)
        };
        let items: Vec<toml::Value> =
            known.iter().cycle().take(items).enumerate().map(item).collect();
        assignment.insert("item".to_owned(), items.into());
        let file = self.folder.join(format!("{name}.toml"));
        fs::write(&file, assignment.to_string())?;
        Ok(file)
    }

    /// The reference, handed in by this many students; all of them differ, as files do.
    fn hand_in(&self, assignment: &Path, students: usize) -> io::Result<PathBuf> {
        let reference = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("scenarios/assignments/raft-election/reference/node.py");
        let reference = fs::read_to_string(reference)?;
        let class = assignment.with_extension("class");
        for student in 0..students {
            let own = class.join(format!("student-{student:03}"));
            fs::create_dir_all(&own)?;
            fs::write(own.join("node.py"), format!("{reference}\n# student {student}\n"))?;
        }
        Ok(class)
    }

    /// Grade them, and see that all have all points: a program that does nothing would be fast.
    #[allow(clippy::disallowed_methods)]
    fn grade(&self, assignment: &Path, class: &Path, jobs: usize) -> io::Result<Spent> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seedbed"));
        command.arg("grade").arg(assignment).arg(class).arg("--jobs").arg(jobs.to_string());
        command.arg("--out").arg(
            self.folder
                .join(format!("grades-{jobs}"))
                .join(assignment.file_stem().unwrap_or_default()),
        );
        let (processor, start) = (measure::processor_time_of_children(), std::time::Instant::now());
        let output = command.stdin(Stdio::null()).output()?;
        let real = start.elapsed();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let students = fs::read_dir(class)?.count();
        assert!(
            said.contains(&format!("{students} with full points")),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(Spent {
            processor: measure::processor_time_of_children().saturating_sub(processor),
            real,
        })
    }
}

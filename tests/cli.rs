//! The program from outside: what each command prints and writes, and its exit code.
//!
//! Digests and counts are masked in the snapshots, because every change of the engine or of Raft
//! changes them.

#[path = "cli/place.rs"]
mod place;

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use place::*;

/// The first thing a user does: one line, exit code 0, and every file of the report.
#[test]
fn a_valid_run_prints_one_line_and_leaves_a_whole_report() {
    let place = Place::new();
    let seen = place.seen("run scenarios/calm.toml");
    let files: Vec<String> =
        place.files("reports").into_iter().filter(|file| !file.contains("plots/")).collect();
    insta::assert_snapshot!(format!("{seen}\n{}", files.join("\n")));
    assert!(place.files("reports/calm/7/plots").len() > 2, "{:?}", place.files("reports"));
}

/// A report does not depend on the machine, so two equal runs leave equal bytes wherever they are
/// written.
#[test]
fn two_runs_leave_the_same_bytes() {
    let place = Place::new();
    for out in ["one", "two", "two"] {
        assert_eq!(place.code(&format!("run scenarios/calm.toml --out {out}")), 0);
    }
    let relative = |out: &str| -> Vec<String> {
        place.files(out).iter().map(|file| file[out.len()..].to_owned()).collect()
    };
    assert_eq!(relative("one"), relative("two"));
    for file in relative("one").iter().filter(|file| place.path(&format!("one{file}")).is_file()) {
        let bytes = |out: &str| fs::read(place.path(&format!("{out}{file}"))).expect("readable");
        assert!(bytes("one") == bytes("two"), "{file} differs");
    }
}

/// The report has what the command line changed: another seed, an override, and the command that
/// repeats it.
#[test]
fn flags_change_what_runs_and_are_kept_in_the_report() {
    let place = Place::new();
    assert_eq!(place.code("run scenarios/calm.toml --seed 9 --set duration=1s --out out"), 0);
    let results = place.read("out/calm/9/results.json");
    assert!(results.contains(r#""seed": 9"#), "{results}");
    assert!(
        results
            .contains(r#""command": "seedbed run scenarios/calm.toml --seed 9 --set duration=1s""#),
        "{results}"
    );
    assert!(results.contains(r#""duration_us": 1000000"#), "{results}");
}

/// `--no-files` writes nothing at all.
#[test]
fn no_files_means_no_files() {
    let place = Place::new();
    let before = place.files("");
    assert_eq!(place.code("run scenarios/calm.toml --no-files"), 0);
    assert_eq!(place.files(""), before);
}

/// A scenario can be named as reports name it, and a folder stands for all scenarios below it.
#[test]
fn scenarios_are_files_folders_and_names() {
    let place = Place::new();
    place.file("scenarios/deep/er/calm-too.toml", CALM);
    place.file("scenarios/README.md", "no scenario");
    insta::assert_snapshot!(all(&[
        place.seen("run calm --no-files"),
        place.seen("run scenarios --no-files"),
        place.seen("run scenarios scenarios/calm.toml ./scenarios/calm.toml --no-files"),
    ]));
}

/// A failing run says what was violated and when, where its report is, and how to run it again; the
/// worst verdict decides the exit code.
#[test]
fn a_failing_run_says_why_and_how_to_repeat_it() {
    let place = Place::new();
    place.file("scenarios/outage.toml", OUTAGE);
    place.file("scenarios/silence.toml", SILENCE);
    insta::assert_snapshot!(all(&[
        place.seen("run scenarios/outage.toml --set nodes.count=3"),
        place.seen("run scenarios/silence.toml --seed 1 --no-files"),
        place.seen("run scenarios --no-files"),
        place.seen("run scenarios/calm.toml scenarios/silence.toml --no-files"),
        place.seen("check reports/outage/7"),
        place.seen("replay reports/outage/7"),
    ]));
}

/// Every failing seed comes with the command that repeats it, in the order of the seeds, whatever
/// the number of jobs.
#[test]
fn a_sweep_names_the_seeds_that_fail() {
    let place = Place::new();
    place.file("scenarios/outage.toml", OUTAGE);
    place.file("scenarios/silence.toml", SILENCE);
    let seen = place.seen("sweep scenarios --seeds 3..=5 --jobs 2");
    insta::assert_snapshot!(seen);
    assert_eq!(place.code("sweep scenarios/silence.toml --seeds 3"), 3);
    assert_eq!(place.code("sweep scenarios/calm.toml --seeds 3"), 0);
}

/// Determinism is checked by running again, here and on another thread; agreement is silent.
#[test]
fn a_deterministic_run_passes_the_check() {
    let place = Place::new();
    insta::assert_snapshot!(place.seen("run scenarios/calm.toml --check-determinism --no-files"));
}

/// Errors in the command line exit with code 2 and an explanation, and nothing is run or written.
#[test]
fn mistakes_of_the_command_line_are_explained() {
    let place = Place::new();
    place.file("scenarios/bad.toml", "system = \"raft\"\nduratoin = \"2s\"\n");
    fs::create_dir(place.path("empty")).expect("writable");
    let before = place.files("");
    let commands = [
        "",
        "rnu scenarios/calm.toml",
        "sweeep scenarios/calm.toml",
        "run",
        "run scenarios/clam.toml",
        "run empty",
        "run scenarios/calm.toml/deeper",
        "run /dev/null",
        "run scenarios/calm.toml --frobnicate",
        "run scenarios/calm.toml --seed many",
        "run scenarios/calm.toml --seed -1",
        "run scenarios/calm.toml --set nodes.count=0",
        "run scenarios/calm.toml --set duration",
        "run scenarios/calm.toml --set duratoin=3s",
        "run scenarios/calm.toml --defect no-such-defect",
        "run scenarios/calm.toml --no-files --out x",
        "run scenarios/calm.toml --node n1",
        "run scenarios/calm.toml --no-files --log=mesage",
        "run scenarios/calm.toml --no-files --log --node n9",
        "run scenarios",
        "sweep scenarios/calm.toml",
        "sweep scenarios/calm.toml --seeds 5..5",
        "sweep scenarios/calm.toml --seeds 9..=3",
        "sweep scenarios/calm.toml --seeds ten",
        "sweep scenarios/calm.toml --seeds 1..",
        "sweep scenarios/calm.toml --seeds -3..1",
        "sweep scenarios/calm.toml --seeds 0..1000000000",
        "sweep scenarios/calm.toml --seeds 0..2 --jobs 0",
        "sweep scenarios/calm.toml --seeds 0..2 --jobs many",
        "sweep empty --seeds 0..2",
        "list systens",
        "new scenaro",
        "new scenario mine.toml --system rafft",
        "replay",
        "plot",
    ];
    insta::assert_snapshot!(all(&commands.map(|command| place.seen(command))));
    for command in commands.iter().filter(|command| !command.is_empty()) {
        assert_eq!(place.code(command), 2, "{command}");
    }
    assert_eq!(place.files(""), before);
}

/// Unwritable output gives one message and leaves nothing behind. A file instead of the folder
/// serves as the example, because the tests may run as a user who can write everywhere.
#[test]
fn an_output_folder_that_cannot_be_written_is_one_message() {
    let place = Place::new();
    place.file("file", "mine");
    place.file("reports/calm/7", "mine as well");
    let before = place.files("");
    insta::assert_snapshot!(all(&[
        place.seen("run scenarios/calm.toml --out file"),
        place.seen("run scenarios/calm.toml --out file/deeper"),
        place.seen("run scenarios/calm.toml"),
        place.seen("sweep scenarios/calm.toml --seeds 0..2 --out file"),
    ]));
    assert_eq!(place.files(""), before);
}

/// A disk that fills up while a report is written leaves no partial report. A limit on file sizes
/// simulates the full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let place = Place::new();
    let script =
        format!("trap '' XFSZ; ulimit -f 8; exec {SEEDBED} run scenarios/calm.toml --out out");
    let output = Command::new("sh")
        .arg("-c")
        .arg(script)
        .current_dir(place.folder.path())
        .output()
        .expect("there is a shell");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr));
    assert_eq!(place.files("out"), [] as [&str; 0]);
}

/// Replaying a report gives the same digest, and its stored trace gets the same verdict.
#[test]
fn a_report_is_replayed_checked_and_drawn_again() {
    let place = Place::new();
    assert_eq!(place.code("run scenarios/calm.toml"), 0);
    let before = place.files("reports");
    fs::remove_dir_all(place.path("reports/calm/7/plots")).expect("it was written");
    insta::assert_snapshot!(all(&[
        place.seen("replay reports/calm/7"),
        place.seen("check reports/calm/7"),
        place.seen("plot reports/calm/7"),
        place.seen("plot reports/calm/7 no_such_plot"),
    ]));
    assert_eq!(place.files("reports"), before, "`plot` draws what `run` has drawn");
}

/// A replay that differs names the first differing record, and exits with code 1. Here the report
/// claims another seed.
#[test]
fn a_replay_that_differs_shows_where() {
    let place = Place::new();
    assert_eq!(place.code("run scenarios/calm.toml"), 0);
    let changed = place.read("reports/calm/7/scenario.toml").replace("seed = 7", "seed = 8");
    let digest = |text: &str| format!("{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()));
    let results = place.read("reports/calm/7/results.json").replace("\"seed\": 7", "\"seed\": 8");
    let results =
        results.replace(&digest(&place.read("reports/calm/7/scenario.toml")), &digest(&changed));
    place.file("reports/calm/7/scenario.toml", &changed);
    place.file("reports/calm/7/results.json", &results);
    let seen = place.seen("replay reports/calm/7");
    assert!(seen.contains("first difference at "), "{seen}");
    assert!(seen.contains("differs from the report, whose digest is DIGEST"), "{seen}");
    assert!(seen.ends_with("--- exit code 1\n"), "{seen}");
}

/// Folders that are not reports, and modified reports, are refused with different hints; nothing
/// panics and nothing is written.
#[test]
fn damaged_and_foreign_reports_are_refused() {
    let place = Place::new();
    assert_eq!(place.code("run scenarios/calm.toml"), 0);
    let damaged = |name: &str, file: &str, change: &dyn Fn(&str) -> String| {
        for each in [
            "results.json",
            "scenario.toml",
            "history.csv",
            "events.csv",
            "messages.csv",
            "metrics.csv",
        ] {
            let text = place.read(&format!("reports/calm/7/{each}"));
            place.file(&format!("{name}/{each}"), &if each == file { change(&text) } else { text });
        }
    };
    let half = |text: &str| text[..text.len() / 2].to_owned();
    damaged("half-results", "results.json", &half);
    damaged("no-json", "results.json", &|_| "scenario,seed\n".to_owned());
    damaged("later-format", "results.json", &|text| text.replace("\"format\": 2", "\"format\": 3"));
    damaged("half-scenario", "scenario.toml", &|_| "system = \"ra".to_owned());
    damaged("half-messages", "messages.csv", &|text| {
        text[..text.rfind(',').expect("columns")].to_owned()
    });
    damaged("row-lost", "history.csv", &|text| {
        text.lines().take(3).map(|line| format!("{line}\n")).collect()
    });
    damaged("other-digest", "results.json", &|text| {
        let at = digest_in(text).expect("a digest");
        format!("{}{}{}", &text[..at], "0".repeat(32), &text[at + 32..])
    });
    // Reading a pipe would wait for a writer, so the file type must be checked first.
    for file in ["results.json", "scenario.toml", "events.csv"] {
        let folder = format!("pipe-in-place-of-{file}");
        damaged(&folder, "", &half);
        fs::remove_file(place.path(&folder).join(file)).expect("there");
        fs::create_dir(place.path(&folder).join(file)).expect("writable");
        if cfg!(unix)
            && Command::new("mkfifo")
                .arg(place.path(&format!("{folder}-fifo")))
                .status()
                .is_ok_and(|status| status.success())
        {
            fs::remove_dir(place.path(&folder).join(file)).expect("empty");
            fs::rename(place.path(&format!("{folder}-fifo")), place.path(&folder).join(file))
                .expect("there");
        }
    }
    place.file("file", "no folder");
    fs::create_dir(place.path("empty")).expect("writable");
    let before = place.files("");
    let mut seen = Vec::new();
    for folder in [
        "missing",
        "file",
        "empty",
        "scenarios",
        "scenarios/calm.toml",
        "reports",
        "reports/calm",
        "pipe-in-place-of-results.json",
        "pipe-in-place-of-scenario.toml",
        "pipe-in-place-of-events.csv",
        "half-results",
        "no-json",
        "later-format",
        "half-scenario",
        "half-messages",
        "row-lost",
        "other-digest",
    ] {
        seen.push(place.seen(&format!("check {folder}")));
    }
    for command in ["replay missing", "replay half-results", "plot missing", "plot row-lost"] {
        seen.push(place.seen(command));
    }
    insta::assert_snapshot!(all(&seen));
    assert_eq!(place.files(""), before);
}

/// A sweep gives the same table and the same text with one job and with several, and says which
/// seeds failed.
#[test]
fn a_sweep_is_the_same_with_any_number_of_jobs() {
    let place = Place::new();
    place.file("scenarios/calm-too.toml", CALM);
    let seen: Vec<String> = [1, 2, 5]
        .iter()
        .map(|jobs| {
            let seen =
                place.seen(&format!("sweep scenarios --seeds 0..4 --jobs {jobs} --out out{jobs}"));
            seen.split_once('\n').expect("a command and its output").1.to_owned()
        })
        .collect();
    insta::assert_snapshot!(seen[0]);
    assert_eq!(seen[1], seen[0]);
    assert_eq!(seen[2], seen[0]);
    let table = place.read("out1/sweep.csv");
    assert_eq!(table, place.read("out2/sweep.csv"));
    assert_eq!(table, place.read("out5/sweep.csv"));
    assert_eq!(place.files("out1"), ["out1/sweep.csv"]);
    let runs: Vec<String> =
        table.lines().map(|line| line.split(',').take(3).collect::<Vec<_>>().join(",")).collect();
    insta::assert_snapshot!(runs.join("\n"));
}

/// The log has what happened in order, and each filter keeps only lines of its kind and node.
#[test]
fn the_log_is_filtered_by_kind_and_node() {
    let place = Place::new();
    let lines = |flags: &str| -> Vec<String> {
        let output = place.output(&format!("run scenarios/calm.toml --no-files {flags}"));
        let text = String::from_utf8(output.stdout).expect("the output is UTF-8");
        // The line of the verdict comes last.
        text.lines().filter(|line| line.starts_with("   ")).map(str::to_owned).collect()
    };
    let everything = lines("--log");
    let starts = lines("--log=process");
    assert!(
        starts.len() >= 3 && starts.iter().all(|line| line.contains(" process ")),
        "{starts:#?}"
    );
    let of_n1 = lines("--log --node n1");
    // Its own lines, and those in which another node receives what it sent.
    assert!(
        !of_n1.is_empty()
            && of_n1.iter().all(|line| line.contains(" n1 ") || line.contains(" n1: ")),
        "{of_n1:#?}"
    );
    assert!(of_n1.iter().any(|line| line.contains(" n1: ")) && of_n1.len() < everything.len());
    let both = lines("--log=process,timer --node n1 --node n2");
    assert!(both.iter().all(|line| everything.contains(line)));
    assert!(
        both.iter().any(|line| line.contains(" n2 "))
            && !both.iter().any(|line| line.contains(" n3 ")),
        "{both:#?}"
    );
    insta::assert_snapshot!(starts.join("\n"));
    assert!(lines("").is_empty(), "without --log there is no log");
}

/// Every name in the lists can be explained, and a new scenario runs as it is.
#[test]
fn names_are_listed_and_explained_and_a_new_scenario_runs() {
    let place = Place::new();
    for list in [
        "",
        "systems",
        "faults",
        "checks",
        "plots",
        "defects",
        "metrics",
        "events",
        "messages",
        "scenarios",
    ] {
        assert_eq!(place.code(&format!("list {list}")), 0, "{list}");
    }
    for name in ["raft", "partition", "election_safety", "roles", "scenario"] {
        assert_eq!(place.code(&format!("explain {name}")), 0, "{name}");
    }
    insta::assert_snapshot!(all(&[
        place.seen("list"),
        place.seen("list chekcs"),
        place.seen("explain no-such-name"),
        place.seen("new"),
        place.seen("new scenario --system rfat"),
        place.seen("new scenario mine.toml"),
        place.seen("new scenario mine.toml"),
        place.seen("new scenario no/such/folder/mine.toml"),
        place.seen("run mine.toml --no-files"),
    ]));
    assert_eq!(
        String::from_utf8_lossy(&place.output("new scenario").stdout),
        place.read("mine.toml")
    );
}

/// A reader that exits early, as `head` does, is not an error: nothing is printed about it, the
/// report is complete and the verdict stands.
#[test]
fn a_broken_pipe_is_silent() {
    let place = Place::new();
    let mut child = place
        .command("run scenarios/calm.toml --log")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut errors).expect("the output is UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert_eq!(errors, "");
    assert!(Path::new(&place.path("reports/calm/7/results.json")).is_file());
}

/// A full disk behind stdout is for the user to fix, not a bug in the testbed.
#[cfg(target_os = "linux")]
#[test]
fn a_standard_output_that_fails_is_one_message() {
    let place = Place::new();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = place
        .command("run scenarios/calm.toml --no-files")
        .stdout(full)
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(String::from_utf8_lossy(&output.stderr));
}

/// A report's scenario is the one that was run: it has the run's seed, and changes to it are
/// detected.
#[test]
fn a_report_holds_the_scenario_as_run() {
    let place = Place::new();
    assert_eq!(place.code("run scenarios/calm.toml --seed 11 --out first"), 0);
    let scenario = place.read("first/calm/11/scenario.toml");
    assert!(scenario.contains("\nseed = 11\n"), "{scenario}");
    // The copy alone runs the same.
    place.file("scenarios/calm-again.toml", &scenario);
    assert_eq!(place.code("run scenarios/calm-again.toml --out second"), 0);
    let digest = |text: String| digest_in(&text).map(|at| text[at..at + 32].to_owned());
    assert_eq!(
        digest(place.read("first/calm/11/results.json")),
        digest(place.read("second/calm-again/11/results.json"))
    );
    place.file("first/calm/11/scenario.toml", &scenario.replace("availability", "elections"));
    let seen = place.seen("check first/calm/11");
    assert!(seen.contains("was changed after the run") && seen.contains("exit code 2"), "{seen}");
}

/// A folder with other files is not replaced by a report.
#[test]
fn a_folder_that_is_no_report_stays() {
    let place = Place::new();
    place.file("reports/calm/7/thesis.txt", "mine");
    let seen = place.seen("run scenarios/calm.toml");
    assert!(seen.contains("is not a report") && seen.contains("exit code 2"), "{seen}");
    assert_eq!(place.read("reports/calm/7/thesis.txt"), "mine");
}

/// An interrupt while a report is written leaves the folder as it was. The exact moment is unknown,
/// so several are tried.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_no_part_of_a_report() {
    let place = Place::new();
    for delay_ms in (20..400).step_by(20) {
        let mut child = place
            .command("run scenarios/calm.toml --set duration=60s --out out")
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(std::time::Duration::from_millis(delay_ms));
        let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        child.wait().expect("it ends");
        let left = place.files("");
        // A partial report would be a file in its folder without the others.
        let whole = left.iter().any(|file| file.ends_with("results.json"));
        assert!(
            whole || !left.iter().any(|file| file.ends_with(".csv")),
            "after {delay_ms} ms: {left:?}"
        );
        assert!(
            !left.iter().any(|file| file.contains(".seedbed-")),
            "after {delay_ms} ms: {left:?}"
        );
    }
}

/// An interrupt in the middle of a sweep leaves no table, because a partial one would be taken for
/// complete.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_leaves_nothing() {
    let place = Place::new();
    let before = place.files("");
    let mut child = place
        .command("sweep scenarios/calm.toml --seeds 0..1000000")
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(std::time::Duration::from_millis(300));
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("there is a kill");
    assert!(status.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "interrupted");
    assert_eq!(place.files(""), before);
}

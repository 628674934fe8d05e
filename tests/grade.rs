//! Grading: from an assignment and programs to points. Python programs need a `python3`; if there
//! is none, the tests print that and pass.

#[path = "grade/defects.rs"]
mod defects;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use seedbed::grade::assignment::{Assignment, read_file};
use seedbed::grade::batch::Opened;
use seedbed::grade::entrant::Entrant;
use seedbed::grade::model::{Graded, ItemState, Points, SeedVerdict};
use seedbed::grade::run::{Plan, run_assignment};
use seedbed::grade::submission::Handed;
use tempfile::TempDir;

const SEEDBED: &str = env!("CARGO_BIN_EXE_seedbed");

/// A store on one of three servers. Each item demands more of it than the one before.
const ASSIGNMENT: &str = r#"
title = { en = "A store on one server", es = "Un almacén en un servidor" }
languages = ["python"]
points = 7.5

[[item]]
name = "answers"
scenario = "small/calm.toml"
seeds = "0..2"
checks = ["availability"]
points = 1

[[item]]
name = "right"
title = { en = "What it answers is right", es = "Lo que responde es correcto" }
scenario = "small/calm.toml"
seeds = [0, 1]
checks = ["linearizable"]
points = 2.5
scoring = "fraction"
gate = "answers"

[[item]]
name = "durable"
scenario = "small/crash.toml"
seeds = "0..4"
hidden_seeds = 2
checks = ["linearizable"]
points = 4
gate = "answers"
feedback = "Save before you answer."
"#;

const CALM: &str = r#"
system = "raft"
duration = "2s"
recovery = "1s"
[nodes]
count = 3
[workload]
clients = 2
[checks]
linearizable = {}
availability = { min = 0.5 }
"#;

const CRASH: &str = r#"
system = "raft"
duration = "2s"
recovery = "1s"
[nodes]
count = 3
[workload]
clients = 2
[[nemesis]]
fault = "kill"
targets = ["n1"]
at = "1s"
duration = "300ms"
[checks]
linearizable = {}
"#;

const SECRET: &str = "correct horse battery staple";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("writable");
    fs::write(path, text).expect("writable");
}

/// A folder with an assignment, and a secret that nobody else can read.
fn folder(assignment: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(&folder.path().join("small.toml"), assignment);
    write(&folder.path().join("small/calm.toml"), CALM);
    write(&folder.path().join("small/crash.toml"), CRASH);
    write(&folder.path().join("course.secret"), SECRET);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder.path().join("course.secret"), fs::Permissions::from_mode(0o600))
            .expect("one's own file");
    }
    folder
}

fn assignment(folder: &TempDir) -> Assignment {
    read_file(&folder.path().join("small.toml")).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn store() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python/examples/kv_single.py");
    fs::read_to_string(path).expect("the example is there")
}

/// The store with one bug.
fn store_with(from: &str, to: &str) -> String {
    let changed = store().replace(from, to);
    assert_ne!(changed, store(), "{from}");
    changed
}

const SAVES: &str = "            self.save(\"store\", self.store)\n";
const EXECUTES: &str = "        op, key = message[\"op\"], message.get(\"key\")\n";

/// Hand a program in.
fn hand_in(folder: &TempDir, id: &str, program: &str) -> PathBuf {
    write(&folder.path().join("submissions").join(id).join("node.py"), program);
    folder.path().join("submissions").join(id)
}

fn grade(folder: &TempDir, program: &str, plan: &Plan) -> Graded {
    let path = hand_in(folder, "one", program);
    let assignment = assignment(folder);
    Opened::new(&Handed { id: "one".to_owned(), path }, 0, &assignment, plan).grade(
        &assignment,
        plan,
        &|_| (),
    )
}

fn plan() -> Plan {
    Plan { jobs: 2, ..Plan::default() }
}

fn earned(graded: &Graded) -> Vec<Option<u32>> {
    graded.items.iter().map(|item| item.earned.map(|points| points.0)).collect()
}

/// A correct store gets all points; one that forgets loses the items that depend on memory, and is
/// told why and how to repeat it.
#[test]
fn points_are_lost_for_what_is_wrong_and_for_nothing_else() {
    if !support::has("python3") {
        return;
    }
    let folder = folder(ASSIGNMENT);
    let good = grade(&folder, &store(), &plan());
    assert_eq!(
        (earned(&good), good.score, good.max),
        (vec![Some(100), Some(250), Some(400)], Points(750), Points(750))
    );
    assert_eq!(good.provisional.len(), 1, "without a secret the hidden seeds were not run");
    assert!(good.is_complete());

    let forgetful = grade(&folder, &store_with(SAVES, ""), &plan());
    assert_eq!(
        (earned(&forgetful), forgetful.score),
        (vec![Some(100), Some(250), Some(0)], Points(350))
    );
    let durable = forgetful.item("durable").expect("the item is there");
    let loss =
        durable.losses().next().and_then(|seed| seed.loss.as_ref()).expect("a lost seed says why");
    assert_eq!(loss.check.as_deref(), Some("linearizable"));
    assert!(
        loss.rule.en.contains("one after the other") && loss.source.contains("Herlihy"),
        "{loss:?}"
    );
    assert!(
        loss.time_ns.is_some_and(|time| time > 1_000_000_000),
        "after the crash: {:?}",
        loss.time_ns
    );
    assert!(
        loss.messages.iter().any(|row| row.kind == "ClientReply")
            && loss.picture.as_ref().is_some_and(|svg| svg.starts_with("<svg"))
    );
    let command = loss.command.as_deref().expect("a public seed can be repeated");
    let ends = command.ends_with(" --node-command 'python3 -S node.py'");
    assert!(command.starts_with("seedbed run small/crash.toml --seed ") && ends, "{command}");
    assert!(
        !command.contains(&folder.path().display().to_string()),
        "the command has a path of this machine: {command}"
    );
}

/// Packages installed on a machine must not affect points: a Python program has only the standard
/// library, unless the assignment allows more. The SDK is provided in compiled form.
#[test]
fn a_program_has_the_standard_library_alone() {
    if !support::has("python3") {
        return;
    }
    let alone = "import os, sys, seedbed\nassert sys.flags.no_site and \
        os.path.exists(seedbed.__spec__.cached)\nexit, quit\n";
    let program = format!("{alone}{}", store());
    assert_eq!(
        earned(&grade(&folder(ASSIGNMENT), &program, &plan())),
        vec![Some(100), Some(250), Some(400)]
    );
    let packages = ASSIGNMENT.replace("points = 7.5", "points = 7.5\npython_packages = true");
    assert_eq!(earned(&grade(&folder(&packages), &program, &plan())), vec![Some(0); 3]);
    assert_eq!(
        earned(&grade(&folder(&packages), &store(), &plan())),
        vec![Some(100), Some(250), Some(400)]
    );
}

/// A program's own failures are distinguished, and cost the points of the item in which they
/// happen, whatever the checks say.
#[test]
fn every_way_to_fail_has_its_verdict() {
    if !support::has("python3") {
        return;
    }
    let folder = folder(ASSIGNMENT);
    let raw =
        |answer: &str| format!("import os, time\nos.read(3, 1 << 20)\n{answer}\ntime.sleep(60)\n");
    let at_op = |what: &str| store_with(EXECUTES, &format!("{EXECUTES}        {what}\n"));
    let cases = [
        (at_op("raise KeyError(key)"), SeedVerdict::Crash, "KeyError"),
        (at_op("import os; os._exit(3)"), SeedVerdict::Crash, "status 3"),
        (raw("os.write(4, b'hello\\n')"), SeedVerdict::ProtocolError, "hello"),
        (store_with("self.send(src, last)", "pass"), SeedVerdict::NoProgress, "availability"),
        (at_op("while True: pass"), SeedVerdict::BusyLoop, "no answer to turn"),
        (raw(""), SeedVerdict::BusyLoop, "no answer to turn 1"),
        (
            store_with(
                "        self.show(",
                "        self.observe(\"pid\", \
                    number=int(open(\"/proc/self/stat\").read().split()[0]))\n        self.show(",
            ),
            SeedVerdict::Nondeterministic,
            "differ",
        ),
    ];
    let plan = Plan { only: vec!["answers".to_owned()], ..plan() };
    for (program, verdict, message) in cases {
        // A hanging program should time out soon, but others may be slow on a busy machine.
        let watchdog = if verdict == SeedVerdict::BusyLoop {
            Duration::from_millis(700)
        } else {
            plan.watchdog
        };
        let plan = Plan { watchdog, ..plan.clone() };
        let graded = grade(&folder, &program, &plan);
        let first = &graded.items[0].seeds[0];
        assert_eq!(
            (first.verdict, graded.items[0].earned),
            (verdict, Some(Points::ZERO)),
            "{}",
            first.message
        );
        assert!(first.message.contains(message), "{}", first.message);
        let command =
            first.loss.as_ref().and_then(|loss| loss.command.as_deref()).unwrap_or_default();
        assert_eq!(
            command.ends_with(" --check-determinism"),
            verdict == SeedVerdict::Nondeterministic,
            "a single run shows no difference: {command}"
        );
        let shown = serde_json::to_string(&graded).expect("a result is JSON");
        assert!(!shown.contains("/tmp/"), "a result has no path of this machine");
    }
    // A syntax error ends the program before its first answer, and Python's own words say where.
    let broken = grade(&folder, "def on_init(self:\n", &plan);
    let loss = broken.items[0].seeds[0].loss.as_ref().expect("it is lost");
    assert!(
        broken.items[0].seeds[0].verdict == SeedVerdict::Crash
            && loss.printed.contains("SyntaxError"),
        "{loss:?}"
    );
    for seed in &broken.items[0].seeds {
        let found = &seed.loss.as_ref().expect("it is lost").finding;
        let says = found.starts_with("it exited with status 1: SyntaxError: ")
            && found.ends_with(" (node.py, line 1)");
        assert!(says && seed.message.ends_with(found.as_str()), "{} {found}", seed.message);
    }
    // Output is not part of a run: it may differ while the run does not. It shows no path of this
    // machine and no memory address.
    let early = grade(&folder, "raise ValueError(object())\nimport seedbed\n", &plan);
    let found = early.items[0]
        .seeds
        .iter()
        .map(|seed| (seed.verdict, seed.loss.as_ref().map_or("", |loss| loss.finding.as_str())));
    let expected =
        "it exited with status 1: ValueError: <object object at 0x...> (node.py, line 1)";
    assert_eq!(found.collect::<Vec<_>>(), [(SeedVerdict::Crash, expected); 2]);
    let again = grade(&folder, "raise ValueError(object())\nimport seedbed\n", &plan);
    assert_eq!(
        serde_json::to_string(&early).expect("JSON"),
        serde_json::to_string(&again).expect("JSON")
    );
}

/// A check without evidence decides nothing: the item neither earns nor loses points, and the
/// result says that an instructor has to look.
#[test]
fn what_cannot_be_decided_costs_no_point() {
    let quiet = CALM.replace("clients = 2", "clients = 0");
    let folder = folder(ASSIGNMENT);
    write(&folder.path().join("small/calm.toml"), &quiet);
    let assignment = assignment(&folder);
    let entrant = Entrant::built_in(&assignment, None).expect("the scenarios can be read again");
    let results = run_assignment(&assignment, &entrant, "", &plan(), &|_| ());
    let answers = &results.items[0];
    assert_eq!((answers.seeds[0].verdict, answers.earned), (SeedVerdict::Unknown, None));
    assert!(matches!(answers.state, ItemState::NotGraded { .. }), "{:?}", answers.state);
    // Items gated by it are not lost either.
    assert!(
        matches!(&results.items[1].state, ItemState::NotGraded { why } if why.en.contains("gate")),
        "{:?}",
        results.items[1].state
    );
    assert_eq!(results.items[1].earned, None);
}

/// An item whose gate lost points gets none and is not run; one run of a scenario and a seed serves
/// all items that use it.
#[test]
fn a_closed_gate_costs_all_points_and_no_time() {
    let folder = folder(ASSIGNMENT);
    let impossible =
        CALM.replace("availability = { min = 0.5 }", "availability = { gap = \"1us\" }");
    write(&folder.path().join("small/calm.toml"), &impossible);
    let assignment = assignment(&folder);
    let entrant = Entrant::built_in(&assignment, None).expect("the scenarios can be read again");
    let runs = AtomicUsize::new(0);
    let count = |done: usize| {
        runs.fetch_add(done, Ordering::Relaxed);
    };
    let results = run_assignment(&assignment, &entrant, "", &plan(), &count);
    assert_eq!(
        results.items[0].seeds[0].verdict,
        SeedVerdict::NoProgress,
        "{}",
        results.items[0].seeds[0].message
    );
    let states: Vec<&ItemState> = results.items.iter().map(|item| &item.state).collect();
    assert_eq!(states, [&ItemState::Graded, &ItemState::GateClosed, &ItemState::GateClosed]);
    assert!(results.items.iter().all(|item| item.earned == Some(Points::ZERO)));
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    write(&folder.path().join("small/calm.toml"), CALM);
    let all = self::assignment(&folder);
    let entrant = Entrant::built_in(&all, None).expect("the scenarios can be read again");
    let results = run_assignment(&all, &entrant, "", &plan(), &count);
    assert!(results.items.iter().all(|item| item.earned == Some(item.points)), "{results:?}");
    assert_eq!(runs.load(Ordering::Relaxed), 2 + 2 + 4, "two seeds are shared by two items");
}

fn seedbed(folder: &TempDir, arguments: &[&str]) -> Output {
    Command::new(SEEDBED)
        .args(arguments)
        .current_dir(folder.path())
        .env_remove("SEEDBED_SECRET")
        .output()
        .expect("seedbed starts")
}

fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let stdout: String = text(&output.stdout)
        .lines()
        .filter(|line| !line.starts_with("note: nothing keeps programs"))
        .map(|line| format!("{line}\n"))
        .collect();
    format!("{stdout}{}exit code {:?}\n", text(&output.stderr), output.status.code())
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = vec![];
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("readable").path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    found.push((path.display().to_string(), fs::read(&path).expect("readable")))
                }
            }
        }
    }
    let base = format!("{}/", folder.display());
    let mut found: Vec<(String, Vec<u8>)> =
        found.into_iter().map(|(path, bytes)| (path.replace(&base, ""), bytes)).collect();
    found.sort();
    found
}

/// One broken submission does not affect the others, and unchanged submissions are not run again.
#[test]
fn a_batch_goes_on_and_goes_on_where_it_stopped() {
    if !support::has("python3") {
        return;
    }
    let folder = folder(ASSIGNMENT);
    hand_in(&folder, "ada", &store());
    write(&folder.path().join("submissions/bert/readme.txt"), "Sorry!");
    write(&folder.path().join("submissions/carla.zip"), "no archive");
    hand_in(&folder, "dora", &store_with(SAVES, ""));
    let arguments = ["grade", "small.toml", "submissions", "--secret-file", "course.secret"];
    insta::assert_snapshot!("batch", shown(&seedbed(&folder, &arguments)));
    let first = files(&folder.path().join("grades/small"));
    insta::assert_snapshot!("batch_again", shown(&seedbed(&folder, &arguments)));
    assert!(
        files(&folder.path().join("grades/small")) == first,
        "an unchanged batch changes no file"
    );
    // The hidden seeds appear nowhere, in any notation.
    let secret =
        seedbed::grade::seeds::Secret::new(SECRET.as_bytes(), "the test").expect("long enough");
    for k in 0..2 {
        let seed = secret.seed("small", "durable", None, k).to_string();
        assert!(first.iter().all(|(_, bytes)| !String::from_utf8_lossy(bytes).contains(&seed)));
    }
    hand_in(&folder, "dora", &store());
    insta::assert_snapshot!("batch_after_a_change", shown(&seedbed(&folder, &arguments)));
    // Another secret gives other seeds, and results without a secret must not replace those with
    // one.
    insta::assert_snapshot!(
        "batch_without_its_secret",
        shown(&seedbed(&folder, &["grade", "small.toml", "submissions"]))
    );
}

/// The same bytes on an idle machine and on a busy one, with one job and with five.
#[test]
fn the_same_submissions_get_the_same_points_everywhere() {
    if !support::has("python3") {
        return;
    }
    let folder = folder(ASSIGNMENT);
    hand_in(&folder, "bert", &store_with(SAVES, ""));
    hand_in(
        &folder,
        "carla",
        &store_with(EXECUTES, &format!("{EXECUTES}        assert op != \"cas\"\n")),
    );
    let grade = |out: &str, jobs: &str| {
        let arguments = [
            "grade",
            "small.toml",
            "submissions",
            "--secret-file",
            "course.secret",
            "--out",
            out,
            "--jobs",
            jobs,
        ];
        let output = seedbed(&folder, &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        files(&folder.path().join(out))
    };
    let first = grade("first", "1");
    assert!(!first.is_empty());
    for jobs in ["2", "5"] {
        assert!(grade(&format!("jobs-{jobs}"), jobs) == first, "{jobs} jobs");
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let busy = grade("busy", "2");
        over.store(true, Ordering::Relaxed);
        assert!(busy == first, "on a busy machine");
    });
}

/// An instructor's mistakes are all reported together, each at its place, including those in the
/// scenarios.
#[test]
fn a_wrong_assignment_is_refused_with_every_mistake_at_its_place() {
    let cases = [
        ("no_items", "title = \"Nothing\"\n".to_owned()),
        (
            "many",
            "titel = \"Mistyped\"\nplays = [\"servers\"]\nlanguages = [\"pyton\"]\npoints = \
                5\ninstructions = \"missing.md\"\n\n\
             [[item]]\nname = \"a b\"\nscenario = \"small/clam.toml\"\nseeds = \"5..5\"\npoints = \
             1.125\n\n\
             [[item]]\nname = \"two\"\nscenario = \"small/calm.toml\"\nseeds = [1, 1]\nchecks = \
             [\"linearisable\"]\npoints = -1\ngate = \"tow\"\n\n\
             [[item]]\nname = \"two\"\nscenario = \"small/calm.toml\"\nseeds = \"0..3\"\nscoring = \
             { at_least = 4 }\npoints = \"2\"\nvisibility = \"never\"\n\n\
             [[item]]\nname = \"four\"\nscenario = \"small/calm.toml\"\nscoring = \
             \"most\"\nfeedback = {}\n"
                .to_owned(),
        ),
        ("sum", ASSIGNMENT.replace("points = 7.5", "points = 10")),
        ("plays", ASSIGNMENT.replace("points = 7.5", "plays = [\"servers\"]")),
        (
            "circle",
            ASSIGNMENT
                .replace("name = \"answers\"", "name = \"answers\"\ngate = \"durable\"")
                .replace("gate = \"answers\"\nfeedback", "gate = \"right\"\nfeedback"),
        ),
        (
            "own_gate",
            ASSIGNMENT.replace("name = \"answers\"", "name = \"answers\"\ngate = \"answers\""),
        ),
        (
            "gate",
            ASSIGNMENT.replace("gate = \"answers\"\nfeedback", "gate = \"no-such\"\nfeedback"),
        ),
        (
            "gate_alone",
            "[[item]]\nname = \"one\"\nscenario = \"small/calm.toml\"\nseeds = \
            \"0..2\"\npoints = 1\ngate = \"no-such\"\n"
                .to_owned(),
        ),
        ("syntax", "[[item]\nname = 1\n".to_owned()),
    ];
    for (name, text) in cases {
        let folder = folder(&text);
        let output = seedbed(&folder, &["grade", "small.toml", "submissions"]);
        insta::assert_snapshot!(format!("bad_{name}"), shown(&output));
        assert_eq!(output.status.code(), Some(2));
    }
    let folder = folder(ASSIGNMENT);
    write(
        &folder.path().join("small/crash.toml"),
        &CRASH.replace("duration = \"2s\"", "duraton = \"2s\""),
    );
    insta::assert_snapshot!(
        "bad_scenario",
        shown(&seedbed(&folder, &["grade", "small.toml", "submissions"]))
    );
    insta::assert_snapshot!(
        "bad_name",
        shown(&seedbed(&folder, &["grade", "smal.toml", "submissions"]))
    );
    write(&folder.path().join("small/crash.toml"), CRASH);
    insta::assert_snapshot!(
        "bad_only",
        shown(&seedbed(&folder, &["grade", "small.toml", "submissions", "--only", "durabel"]))
    );
}

/// A secret that others can read is refused, and the message says what to do.
#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder(ASSIGNMENT);
    fs::set_permissions(folder.path().join("course.secret"), fs::Permissions::from_mode(0o644))
        .expect("one's own file");
    insta::assert_snapshot!(
        "open_secret",
        shown(&seedbed(
            &folder,
            &["grade", "small.toml", "submissions", "--secret-file", "course.secret"]
        ))
    );
}

//! A process forked from a zygote behaves like a separate one: whatever a Python program does, its
//! events, its log and its exit are the same.
#![cfg(unix)]

#[path = "attacks/place.rs"]
#[allow(dead_code)]
mod place;
mod support;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use place::{PRELUDE, Place};
use seedbed::grade::assignment;
use seedbed::grade::batch::Opened;
use seedbed::grade::run::Plan;
use seedbed::grade::submission::Handed;
use seedbed::program::sandbox::{Confined, Confinement};
use seedbed::program::{ProgramSpec, StallKind, Zygote, fix_addresses};
use seedbed::run::{Run, run_scenario};
use seedbed::scenario::Scenario;

const NODES: &str =
    "duration = \"2s\"\nrecovery = \"1s\"\n[nodes]\ncount = 2\nrestart_after = \"200ms\"\n";

/// A minimal node, appended to the code under test.
const NODE: &str = "
class Quiet(seedbed.Node):
    def on_init(self):
        self.set_timer('t', 0.1)
        self.log('ready', self.random.random())

    def on_timer(self, name):
        self.observe('ticked')

seedbed.run(Quiet)
";

/// Names and contents.
type Files = &'static [(&'static str, &'static str)];

fn place(program: &str, others: Files) -> Place {
    let place = Place::new(program, NODES);
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python/seedbed.py");
    fs::copy(sdk, place.path("submission/seedbed.py")).expect("the SDK is there");
    for (name, text) in others {
        let path = place.path("submission").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }
    place
}

fn log(run: &Run) -> String {
    run.log.iter().map(|line| format!("{}\n", line.text)).collect()
}

/// Each of these is run with and without a zygote and compared (`Place::attack_with`); the expected
/// text is in the log or in a crash.
#[test]
fn programs_do_the_same_with_a_zygote_and_without() {
    if !support::has("python3") {
        return;
    }
    let helper: &[(&str, &str)] = &[
        ("helper.py", "import random\nfrom deeper.inner import VALUE\nROLL = random.random()\n"),
        ("deeper/inner.py", "VALUE = 42\n"),
    ];
    let cases: &[(&str, &str, Files, &str)] = &[
        ("plain", "import seedbed", &[], "ready"),
        ("fails above its SDK", "raise ValueError('too early')", &[], "exited with status 1"),
        (
            "fails below its SDK",
            "import seedbed\ndef deep():\n    raise ValueError('too late')\ndeep()",
            &[],
            "ValueError: too late",
        ),
        ("ends", "import seedbed, sys\nsys.exit(3)", &[], "line 2: sys.exit(3)"),
        ("ends with a text", "raise SystemExit('enough')", &[], "exited with status 1"),
        ("is not Python", "import seedbed\ndef (:\n", &[], "exited with status 1"),
        (
            "imports what is not Python",
            "import seedbed\nimport helper",
            &[("helper.py", "def (:")],
            "SyntaxError",
        ),
        (
            "modules of its own",
            "import seedbed, helper\nprint('from', helper.__name__, helper.VALUE, helper.ROLL)",
            helper,
            "from helper 42",
        ),
        (
            "its SDK last",
            "from time import time, monotonic\nimport random\nimport seedbed\nprint('at', time(), \
                monotonic(), random.random())",
            &[],
            "at ",
        ),
        (
            "a module with the name of another",
            "import dataclasses, seedbed\nprint('shadowed', dataclasses)",
            &[("dataclasses.py", "")],
            "dataclasses.py",
        ),
        (
            "a module that others import",
            "import seedbed\nimport dataclasses",
            &[("inspect.py", "raise KeyError('mine')")],
            "KeyError: 'mine'",
        ),
        (
            "what it is told of itself",
            "import os, seedbed, sys\nprint('named', __name__, __doc__, __package__, __spec__, \
                os.path.basename(__file__), sys.argv, sorted(globals()))\n\
             print(os.path.basename(sys.path[0]), len(sys.path), type(__loader__).__name__, \
             sys.flags, sys.stdin.read(), os.getcwd() == sys.path[0])\n\
             import __main__\nprint(__main__.seedbed is seedbed, os.environ['LC_ALL'], \
             os.environ['HOME'] == os.environ['TMPDIR'])",
            &[],
            "named __main__",
        ),
        (
            "much of the library",
            "import collections, dataclasses, datetime, enum, functools, heapq, json, logging, \
                math, re, typing, uuid\nimport seedbed\n\
             @dataclasses.dataclass(order=True)\nclass Entry:\n    term: int = 0\n    what: \
             typing.Optional[str] = None\n\
             class Role(enum.Enum):\n    LEADER = 1\n\
             logging.basicConfig(level='INFO')\nlogging.info('here')\n\
             print('made', Entry(1), Role.LEADER, json.dumps({'a': [1.5]}), \
             datetime.datetime.now(), uuid.uuid4(), re.sub('a', 'b', 'aa'))",
            &[],
            "made Entry(term=1",
        ),
        ("at exit", "import atexit, seedbed\natexit.register(print, 'gone')", &[], "ready"),
        ("Windows", "import seedbed\r\nprint('lines')\r\n", &[], "lines"),
        ("a mark", "\u{feff}# -*- coding: utf-8 -*-\nimport seedbed\nprint('señal')", &[], "señal"),
        (
            "a thread",
            "import seedbed, threading\nthreading.Thread(target=print).start()",
            &[],
            "starts a thread",
        ),
        (
            "sets of objects",
            "import seedbed\nprint('order', [hash(str(number)) % 7 for number in range(5)], \
                {'a', 'b', 'c', 'd'})",
            &[],
            "order",
        ),
    ];
    for (what, head, others, says) in cases {
        println!("{what}");
        let run = place(&format!("{head}\n{NODE}"), others).attack();
        let crashes = run
            .trace
            .events
            .iter()
            .filter(|event| event.name == "crash")
            .filter_map(|event| event.fields.text("message"));
        let said = format!("{}{}", log(&run), crashes.collect::<Vec<_>>().join("\n"));
        assert!(said.contains(says), "{what}: {said}");
    }
}

/// An interpreter refuses a file that is neither UTF-8 nor declares another encoding, although its
/// text would compile.
#[test]
fn a_file_is_read_as_strictly_as_without() {
    if !support::has("python3") {
        return;
    }
    let place = place("", &[]);
    fs::write(
        place.path("submission/node.py"),
        [b"# Cu\xe1nto\nimport seedbed\n", NODE.as_bytes()].concat(),
    )
    .expect("writable");
    assert!(log(&place.attack()).contains("Non-UTF-8"));
}

/// Effects of the zygote cost no points: a program that prints its stack depth gets full points and
/// the same results as without a zygote.
#[test]
fn what_only_a_zygote_changes_costs_no_points() {
    if !support::has("python3") {
        return;
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/assignments");
    let assignment = assignment::read_file(&shipped.join("raft-election.toml")).expect("it ships");
    let reference =
        fs::read_to_string(shipped.join("raft-election/reference/node.py")).expect("it ships");
    let deep = "
class Deep(Server):
    def on_init(self):
        import inspect
        self.observe('deep', frames=len(inspect.stack()))
        super().on_init()

seedbed.run(Deep)
";
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("node.py"), reference.replace("\nseedbed.run(Server)", deep))
        .expect("writable");
    let handed = Handed { id: "deep".to_owned(), path: folder.path().to_owned() };
    let graded = |without: &[&str]| {
        let mut confined = Confined::by(place::launcher());
        confined.without = without.iter().map(ToString::to_string).collect();
        let plan = Plan { first_seeds: Some(2), confined: Some(confined), ..Plan::default() };
        Opened::new(&handed, 0, &assignment, &plan).grade(&assignment, &plan, &|_| ())
    };
    let with = graded(&[]);
    assert_eq!(with.score, with.max, "{:?}", with.items);
    // Without all measures there is no zygote.
    assert_eq!(format!("{with:?}"), format!("{:?}", graded(&["ports"])));
}

/// Memory has the same addresses on every start, also in a fork, so that addresses of objects and
/// the order of a set of them are reproducible. There are enough starts for their counter to gain a
/// digit.
#[test]
fn addresses_repeat_themselves() {
    if !support::has("python3") {
        return;
    }
    if !fix_addresses() {
        return println!(
            "the kernel draws addresses anew for each start, and does not let us ask for others: \
                not tested"
        );
    }
    let program = "
import os, seedbed

class Thing:
    pass

class Node(seedbed.Node):
    def on_init(self):
        things = {Thing() for _ in range(3_000)}
        self.log('lies at', [id(thing) for thing in things][:3], id(os.environ['HOME']))
        self.set_timer('end', 0.05)

    def on_timer(self, name):
        raise SystemExit(0)

seedbed.run(Node)
";
    let place = place(program, &[]);
    for with_zygote in [false, true] {
        let run = place.attack_once(place.confined(0), with_zygote);
        let lines: Vec<&str> = run
            .log
            .iter()
            .filter_map(|line| line.text.split_once("lies at"))
            .map(|(_, addresses)| addresses)
            .collect();
        assert!(lines.len() > 11, "{}", log(&run));
        assert!(
            lines.iter().all(|line| *line == lines[0]),
            "with a zygote: {with_zygote}: {lines:#?}"
        );
    }
}

/// The comparison would be worthless if no process were forked.
#[test]
fn processes_are_split_off_where_they_can_be() {
    if !support::has("python3") || !cfg!(target_os = "linux") {
        return println!("there are no zygotes here");
    }
    let place = place(
        &format!(
            "import seedbed, sys\nprint('started', sys.orig_argv[1:3] if sys.version_info >= (3, \
                10) else '-c')\n{NODE}"
        ),
        &[],
    );
    let started = |with_zygote| log(&place.attack_once(place.confined(0), with_zygote));
    assert!(started(true).contains("'-c'"), "{}", started(true));
    assert!(
        started(false).contains("node.py") || started(false).contains("started -c"),
        "{}",
        started(false)
    );
}

/// A zygote killed by the machine takes its forks with it: there is no verdict on the program, and
/// the next start does without the zygote.
#[test]
fn a_zygote_that_is_lost_costs_nobody_anything() {
    if !support::has("python3") || !cfg!(target_os = "linux") {
        return println!("there are no zygotes here");
    }
    let place = Place::new(
        &format!("{PRELUDE}while True:\n    os.read(3, 0)\n    time.sleep(0.01)\n"),
        &NODES.replace("count = 2", "count = 1"),
    );
    let mut scenario = place.scenario(Confinement::Confined(Box::new(place.confined(0))));
    let programs = |scenario: &mut Scenario, change: &dyn Fn(&mut ProgramSpec)| {
        scenario.nodes.nodes.iter_mut().filter_map(|node| node.program.as_mut()).for_each(change);
    };
    let zygote = Zygote::start(scenario.nodes.nodes[0].program.as_ref().expect("a program"))
        .expect("Linux has them");
    programs(&mut scenario, &|program| {
        (program.zygote, program.watchdog) = (Some(zygote.clone().into()), Duration::from_secs(60))
    });
    let processes = place.processes();
    let process =
        processes.first().and_then(|path| path.rsplit('/').next()).expect("the zygote is there");
    let run = std::thread::scope(|scope| {
        let run = scope.spawn(|| run_scenario(&scenario, 1));
        // The zygote and its first fork, which never answers.
        assert!((0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            place.processes().len() == 2
        }));
        std::thread::sleep(Duration::from_millis(300));
        assert!(
            Command::new("kill")
                .args(["-KILL", process])
                .status()
                .is_ok_and(|status| status.success())
        );
        run.join().expect("the run ends")
    });
    assert_eq!(run.stall.map(|stall| stall.kind), Some(StallKind::Killed), "{:?}", run.aborted);
    fs::write(place.path("submission/node.py"), format!("{PRELUDE}serve()\n")).expect("writable");
    assert_eq!(run_scenario(&scenario, 1).aborted, None);
}

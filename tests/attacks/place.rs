//! The scene of the attacks: a course, two submissions, and a neighbour whose run must not be
//! affected.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use seedbed::checkers::Overall;
use seedbed::program::Zygote;
use seedbed::program::sandbox::{Confined, Confinement};
use seedbed::run::{Run, run_scenario, run_with};
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::systems::read_file;
use tempfile::TempDir;

const NEIGHBOUR: &str = "duration = \"2s\"\nrecovery = \"1s\"\n[nodes]\ncount = 1\n";

/// The prelude of each attack: the protocol by hand, and a function that reports the result of an
/// attempt.
pub const PRELUDE: &str = r#"
import ctypes, errno, json, mmap, os, signal, socket, sys, threading, time

buffer = b""

def turn():
    global buffer
    while b"\n" not in buffer:
        piece = os.read(3, 1 << 20)
        if not piece:
            os._exit(0)
        buffer += piece
    line, buffer = buffer.split(b"\n", 1)
    return json.loads(line)

tried = []

def attempt(name, what):
    try:
        what()
        got = "done"
    except OSError as error:
        got = errno.errorcode.get(error.errno, str(error.errno))
    except BaseException as error:
        got = type(error).__name__
    tried.append({"op": "observe", "name": name, "fields": {"got": got}})

libc = ctypes.CDLL(None, use_errno=True)

def call(*arguments):
    if libc.syscall(*[ctypes.c_long(argument) for argument in arguments]) == -1:
        raise OSError(ctypes.get_errno(), "")

def answer(*more):
    os.write(4, (json.dumps({"ops": tried + list(more)}) + "\n").encode())
    tried.clear()

def serve():
    answer()
    while True:
        turn()
        answer()

turn()
"#;

pub fn launcher() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_seedbed"))
}

/// An instructor's machine: a course with a scenario and a secret, submissions, and a folder for
/// scratch folders.
pub struct Place {
    pub all: TempDir,
    /// The watchdog's patience: short enough for a test, long enough for a busy machine.
    pub watchdog: Duration,
}

impl Place {
    /// A submission with this program, and another one next to it.
    pub fn new(program: &str, nodes: &str) -> Place {
        let place =
            Place { all: tempfile::tempdir().expect("a folder"), watchdog: Duration::from_secs(5) };
        for folder in ["course", "submission", "other", "scratch"] {
            fs::create_dir(place.path(folder)).expect("writable");
        }
        let scenario = format!(
            "system = \"raft\"\n{nodes}command = [\"python3\", \"-S\", \
                \"node.py\"]\n[checks]\nno_panic = {{}}\n"
        );
        fs::write(place.path("course/scenario.toml"), scenario).expect("writable");
        fs::write(place.path("course/secret"), "the course's secret").expect("writable");
        fs::write(place.path("submission/node.py"), program).expect("writable");
        fs::write(place.path("submission/lesson.txt"), "kept").expect("writable");
        fs::write(place.path("other/node.py"), "somebody else's solution").expect("writable");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.all.path().join(name)
    }

    pub fn confined(&self, user: u32) -> Confined {
        let mut confined = Confined::by(launcher());
        confined.scratch = Some(self.path("scratch"));
        confined.user = user;
        confined
    }

    pub fn scenario(&self, confinement: Confinement) -> Scenario {
        let path = self.path("course/scenario.toml");
        let mut scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
        for node in &mut scenario.nodes.nodes {
            let program = node.program.as_mut().expect("a program");
            program.folder = self.path("submission");
            program.confinement = confinement.clone();
            program.watchdog = self.watchdog;
        }
        scenario
    }

    /// All files, with their length.
    fn files(&self) -> BTreeMap<PathBuf, u64> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.all.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("readable") {
                let entry = entry.expect("readable");
                let metadata = entry.metadata().expect("it is there");
                if metadata.is_dir() {
                    folders.push(entry.path());
                }
                found.insert(entry.path(), if metadata.is_dir() { 0 } else { metadata.len() });
            }
        }
        found
    }

    /// The processes running in the submission's folder or in a scratch folder.
    pub fn processes(&self) -> Vec<String> {
        let Ok(processes) = fs::read_dir("/proc") else { return vec![] };
        let works_here = |process: &Path| {
            fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.all.path()))
        };
        processes
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| works_here(path))
            .map(|path| path.display().to_string())
            .collect()
    }

    /// Run the attack next to a neighbour. Nothing may be left behind or changed, and the neighbour
    /// must not be affected.
    pub fn attack(&self) -> Run {
        let confined = self.confined(0);
        self.attack_with(confined)
    }

    /// Run it twice, in a separate process and in a zygote's fork. The results must be the same.
    pub fn attack_with(&self, confined: Confined) -> Run {
        let alone = self.attack_once(confined.clone(), false);
        let run = self.attack_once(confined, true);
        match (&run.stall, &alone.stall) {
            // The machine influences how it stalls.
            (Some(stall), Some(other)) => assert_eq!(
                (&stall.node, stall.turn),
                (&other.node, other.turn),
                "with a zygote and without"
            ),
            _ => {
                let (seen, others) = (seen(&run), seen(&alone));
                let differs = seen.iter().zip(&others).find(|(one, other)| one != other);
                assert!(
                    differs.is_none() && seen.len() == others.len(),
                    "with a zygote, and without: {differs:#?}"
                );
            }
        }
        run
    }

    pub fn attack_once(&self, confined: Confined, with_zygote: bool) -> Run {
        let before = self.files();
        let mut scenario = self.scenario(Confinement::Confined(Box::new(confined)));
        let program =
            scenario.nodes.nodes.iter().find_map(|node| node.program.as_ref()).expect("a program");
        let zygote = if with_zygote { Zygote::start(program) } else { None };
        for program in scenario.nodes.nodes.iter_mut().filter_map(|node| node.program.as_mut()) {
            program.zygote = zygote.clone().map(Into::into);
        }
        let run = std::thread::scope(|scope| {
            let neighbour = scope.spawn(neighbour);
            let run =
                run_with(&scenario, &RunOptions { seed: 1, log: true, ..RunOptions::default() });
            assert_eq!(
                neighbour.join().expect("the neighbour ends"),
                neighbour_alone(),
                "the neighbour's run is another"
            );
            run
        });
        drop((scenario, zygote));
        assert_eq!(self.files(), before, "files have changed");
        let left = (0..40).find_map(|_| {
            let left = self.processes();
            std::thread::sleep(Duration::from_millis(if left.is_empty() { 0 } else { 50 }));
            left.is_empty().then_some(())
        });
        assert!(left.is_some(), "processes are left: {:?}", self.processes());
        run
    }
}

/// The visible results of a run: an abort, events, the log.
fn seen(run: &Run) -> Vec<String> {
    let events = run
        .trace
        .events
        .iter()
        .map(|event| format!("{} {} {:?}", event.time_us, event.name, event.fields));
    let log = run.log.iter().map(|line| format!("{line:?}"));
    run.aborted.iter().cloned().chain(events).chain(log).collect()
}

/// The digest of a submission that is graded during an attack.
fn neighbour() -> String {
    let place = neighbours_place();
    let run = run_scenario(&place.scenario(Confinement::Confined(Box::new(place.confined(1)))), 7);
    assert_eq!(run.aborted, None);
    run.digest.to_string()
}

/// The same without an attack, and not confined.
fn neighbour_alone() -> String {
    static DIGEST: OnceLock<String> = OnceLock::new();
    let run = || {
        let run = run_scenario(&neighbours_place().scenario(Confinement::None), 7);
        assert_eq!(run.verdict(), Overall::Valid);
        run.digest.to_string()
    };
    DIGEST.get_or_init(run).clone()
}

fn neighbours_place() -> Place {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python");
    let program =
        fs::read_to_string(sdk.join("examples/kv_single.py")).expect("the example is there");
    let mut place = Place::new(&program, NEIGHBOUR);
    // It is not attacked itself: only a very busy machine could stop it.
    place.watchdog = seedbed::program::WATCHDOG * 3;
    fs::copy(sdk.join("seedbed.py"), place.path("submission/seedbed.py"))
        .expect("the SDK is there");
    place
}

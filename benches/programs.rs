//! How fast programs are: `cargo bench --bench programs`. Needs a `python3`.
//!
//! Five nodes in CPython send each other messages, everything pinned to one core, as lock step
//! wants it: the parent and a child are never awake at the same time. Beside it, in the same run,
//! the floor: round trips over two pipes with processes that do nothing but read and write, with
//! one alone and with five in turn. Five are slower, because each finds its memory in no cache any
//! more when its turn has come, and nodes have that too. Between floor and nodes stands what no
//! testbed can do without: five CPython processes that read the JSON of a turn and write that of an
//! answer, with nothing else around them. A loaded machine slows all of them.

use std::fs;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use seedbed::program::fix_addresses;
use seedbed::run::system_of;
use seedbed::scenario::Scenario;
use seedbed::sim::RunOptions;
use seedbed::systems::read_file;

/// All rows are measured so often, one after the other, and of each the best counts: everything
/// else on the machine only slows.
const TRIES: u32 = 5;

/// How many a second.
type Measure<'a> = Box<dyn Fn() -> io::Result<f64> + 'a>;

/// A turn and an answer as a node has them.
const TURN: &str = r#"{"now":1500000,"wall":1767225600001500000,"ev":[{"type":"message","src":"n2","body":{"count":7,"type":"Ping"}}]}"#;
const ANSWER: &str = r#"{"ops":[{"op":"send","dest":"n2","body":{"type":"Ping","count":8}}]}"#;

/// The least that a node in CPython does: no SDK, and what is underneath `json`, called as `json`
/// calls it.
const JSON: &str = r#"
import os, json

decode, encode = json.JSONDecoder().scan_once, json.JSONEncoder(separators=(",", ":")).encode
while True:
    line = os.read(3, 65536)
    if not line:
        break
    turn, _ = decode(line.decode(), 0)
    ops = []
    for event in turn["ev"]:
        body = {"type": "Ping", "count": event["body"]["count"] + 1}
        ops.append({"op": "send", "dest": event["src"], "body": body})
    os.write(4, (encode({"ops": ops}) + "\n").encode())
"#;

/// A node that answers each message, so that always as many are under way.
const NODE: &str = r#"
import seedbed

class Node(seedbed.Node):
    def on_init(self):
        self.broadcast({"type": "Ping", "count": 0})

    def on_message(self, src, message):
        if message["type"] == "Ping":
            self.send(src, {"type": "Ping", "count": message["count"] + 1})

seedbed.run(Node)
"#;

fn main() -> io::Result<()> {
    if !has_python() {
        println!("there is no python3 here: not measured");
        return Ok(());
    }
    pin();
    // As nodes are started.
    fix_addresses();
    let cat = ["sh", "-c", "exec cat <&3 >&4"];
    let bare = format!(
        "import os\nanswer = b'''{ANSWER}\\n'''\nwhile os.read(3, 65536): os.write(4, answer)"
    );
    let bare = ["python3", "-c", &bare];
    let json = ["python3", "-c", JSON];
    let mut rows: [(&str, Measure, f64); 5] = [
        ("round trips, cat", Box::new(|| round_trips(&cat, 1)), 0.0),
        (
            "round trips, CPython that only reads and writes",
            Box::new(|| round_trips(&bare, 1)),
            0.0,
        ),
        ("the same, five in turn", Box::new(|| round_trips(&bare, 5)), 0.0),
        (
            "with the JSON of a turn and an answer, five in turn",
            Box::new(|| round_trips(&json, 5)),
            0.0,
        ),
        ("steps of five CPython nodes", Box::new(five_nodes), 0.0),
    ];
    for _ in 0..TRIES {
        for (_, measure, best) in &mut rows {
            *best = best.max(measure()?);
        }
    }
    let (one, five) = (rows[1].2, rows[2].2);
    println!(
        "{:52} {:>10} {:>11} {:>12}",
        "on one core", "a second", "of bare one", "of bare five"
    );
    for (name, _, rate) in &rows {
        println!("{name:52} {rate:10.0} {:11.2} {:12.2}", rate / one, rate / five);
    }
    let (first, second) = (start_ms("pass")?, start_ms("import seedbed")?);
    println!("{:52} {first:7.1} ms", "start of CPython");
    println!("{:52} {second:7.1} ms", "start of CPython with the SDK");
    Ok(())
}

fn has_python() -> bool {
    let found = Command::new("python3")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    found.is_ok_and(|status| status.success())
}

/// Keep this process, and those that it starts, to the first core that it may use.
fn pin() {
    #[cfg(target_os = "linux")]
    if let Ok(allowed) = rustix::thread::sched_getaffinity(None) {
        let mut one = rustix::thread::CpuSet::new();
        if let Some(core) = (0..rustix::thread::CpuSet::MAX_CPU).find(|core| allowed.is_set(*core))
        {
            one.set(core);
            // Where that is not permitted, the figures are those of a process that moves about.
            let _ = rustix::thread::sched_setaffinity(None, &one);
        }
    }
}

/// The real time since some moment. Programs run in other processes, so that this one's processor
/// time says nothing.
#[allow(clippy::disallowed_methods)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// A process that answers each line immediately.
struct Answerer {
    process: Child,
    turns: PipeWriter,
    answers: PipeReader,
}

impl Answerer {
    fn start(command: &[&str]) -> io::Result<Answerer> {
        let (turns_in, turns) = io::pipe()?;
        let (answers, answers_out) = io::pipe()?;
        let mut spawned = Command::new(command[0]);
        spawned.args(&command[1..]);
        let mappings = vec![
            FdMapping { parent_fd: OwnedFd::from(turns_in), child_fd: 3 },
            FdMapping { parent_fd: OwnedFd::from(answers_out), child_fd: 4 },
        ];
        spawned.fd_mappings(mappings).map_err(io::Error::other)?;
        Ok(Answerer { process: spawned.spawn()?, turns, answers })
    }

    fn trip(&mut self, line: &[u8]) -> io::Result<()> {
        self.turns.write_all(line)?;
        let mut piece = [0; 4_096];
        loop {
            match self.answers.read(&mut piece)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count if piece[..count].ends_with(b"\n") => return Ok(()),
                _ => {}
            }
        }
    }
}

/// Round trips a second with this many processes in turn.
fn round_trips(command: &[&str], processes: usize) -> io::Result<f64> {
    const TRIPS: usize = 50_000;
    let line = format!("{TURN}\n");
    let mut answerers =
        (0..processes).map(|_| Answerer::start(command)).collect::<io::Result<Vec<_>>>()?;
    let mut trips = |count: usize| {
        (0..count).try_for_each(|trip| answerers[trip % processes].trip(line.as_bytes()))
    };
    trips(1_000)?;
    let start = now();
    trips(TRIPS)?;
    let spent = start.elapsed();
    for Answerer { mut process, turns, .. } in answerers {
        drop(turns);
        process.wait()?;
    }
    Ok(TRIPS as f64 / spent.as_secs_f64())
}

/// Steps a second of five nodes; what their start takes is measured with a shorter run, and left
/// out. Both are long beside a start, which differs by a tenth of a second from one to the next: in
/// the difference of two short ones that would be most.
fn five_nodes() -> io::Result<f64> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("node.py"), NODE)?;
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python/seedbed.py"),
        folder.path().join("seedbed.py"),
    )?;
    let scenario = |duration: &str| -> Scenario {
        let path = folder.path().join("bench.toml");
        let text = format!(
            "system = \"raft\"\nduration = \"{duration}\"\nrecovery = \"1ms\"\n[nodes]\ncount = \
                5\ncommand = [\"python3\", \"node.py\"]\n\
             [network]\nlatency = \"1ms\"\n[workload]\nclients = 1\nrate = 0.1\n"
        );
        fs::write(&path, text).expect("writable");
        read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"))
    };
    let (short, long) = (scenario("1s"), scenario("11s"));
    let measure = |scenario: &Scenario| -> (u64, Duration) {
        let start = now();
        let output =
            (system_of(scenario).run)(scenario, &RunOptions { seed: 1, ..RunOptions::default() });
        assert_eq!(output.aborted, None);
        (
            output
                .trace
                .messages
                .iter()
                .filter(|message| message.kind == "Ping" && message.recv_us.is_some())
                .count() as u64,
            start.elapsed(),
        )
    };
    let (before, started) = measure(&short);
    let (after, spent) = measure(&long);
    Ok((after - before) as f64 / (spent.saturating_sub(started)).as_secs_f64())
}

/// The shortest of ten starts, in ms of real time.
fn start_ms(program: &str) -> io::Result<f64> {
    let mut shortest = f64::INFINITY;
    for _ in 0..10 {
        let start = now();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python");
        Command::new("python3")
            .args(["-c", program])
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .status()?;
        shortest = shortest.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(shortest)
}

//! The SDKs: their examples run in real scenarios. If a language is not installed, the test prints
//! that and passes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use seedbed::Run;
use seedbed::checkers::Overall;
use seedbed::program::{Make, ProgramSpec};
use seedbed::run::run_scenario;
use seedbed::scenario::Scenario;
use seedbed::systems::read_text;
use seedbed::trace::{Digest, OpType, Value};
use seedbed_node::Machine;

#[path = "sdks/conform.rs"]
mod conform;
#[allow(dead_code)]
#[path = "../sdk/rust/examples/kv_single.rs"]
mod kv_single;
#[path = "sdks/submission.rs"]
mod submission;
mod support;

/// A store under loss, doubling and a crash of its only server.
const STORE: &str = include_str!("../sdk/scenarios/store.toml");

fn sdk(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(path)
}

/// The command for an example, built if necessary; `None` if its language is not installed.
fn example(language: &str, name: &str) -> Option<Vec<String>> {
    let text = |path: PathBuf| path.to_str().expect("a path of this project").to_owned();
    match language {
        "python" => support::has("python3").then(|| {
            vec!["python3".to_owned(), text(python_examples().join(format!("{name}.py")))]
        }),
        "c" => Some(vec![text(c_example(name)?)]),
        "rust" => Some(vec![text(rust_examples()?.join(name))]),
        _ => panic!("no language {language}"),
    }
}

/// The folder of the Python examples, with the SDK next to them, as a student has it.
fn python_examples() -> &'static PathBuf {
    static COPIED: OnceLock<PathBuf> = OnceLock::new();
    COPIED.get_or_init(|| {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        for file in ["seedbed.py", "seedbed_zookeeper.py"] {
            fs::copy(sdk("python").join(file), folder.join(file)).expect("the SDK is there");
        }
        for entry in fs::read_dir(sdk("python/examples")).expect("the examples are there") {
            let entry = entry.expect("readable");
            let is_sdk = entry.file_name().to_string_lossy().starts_with("seedbed");
            if !is_sdk && entry.path().extension().is_some_and(|extension| extension == "py") {
                fs::copy(entry.path(), folder.join(entry.file_name())).expect("writable");
            }
        }
        folder
    })
}

/// The folder of the Rust examples, built as their author would build them.
fn rust_examples() -> Option<&'static PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
        let manifest = sdk("rust/Cargo.toml");
        let mut cargo = Command::new("cargo");
        cargo
            .args(["build", "--quiet", "--examples", "--manifest-path"])
            .arg(manifest)
            .arg("--target-dir")
            .arg(&target);
        support::has("cargo").then(|| {
            let status = cargo.status().expect("cargo is there");
            assert!(status.success(), "the examples of the Rust SDK do not build");
            target.join("debug/examples")
        })
    };
    BUILT.get_or_init(build).as_ref()
}

/// A C example, built with sanitizers if the compiler has them.
fn c_example(name: &str) -> Option<PathBuf> {
    let source = sdk(&format!("c/examples/{name}.c"));
    c_program(&source, name)
}

fn c_program(source: &Path, name: &str) -> Option<PathBuf> {
    if !support::has("cc") {
        return None;
    }
    let program =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let build = |checks: &[&str]| {
        let mut cc = Command::new("cc");
        cc.args(["-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-pedantic"])
            .args(checks)
            .arg("-I")
            .arg(sdk("c"));
        cc.arg(source).arg("-o").arg(&program).output().expect("cc is there")
    };
    let checked = build(&["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    if !checked.status.success() {
        println!("cc has no sanitizers here: {}", String::from_utf8_lossy(&checked.stderr));
        let plain = build(&[]);
        assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
    }
    Some(program)
}

fn scenario(text: &str, command: &[String], in_process: Option<Make>) -> Scenario {
    let mut scenario =
        read_text("example", text, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    for node in &mut scenario.nodes.nodes {
        node.program = Some(match &in_process {
            Some(make) => ProgramSpec::in_process(make.clone()),
            None => ProgramSpec::trusted(command.to_vec(), std::env::temp_dir()),
        });
    }
    scenario
}

fn is_a_store(run: &Run) {
    assert_eq!(run.aborted, None);
    assert_eq!(run.verdict(), Overall::Valid, "{:?}", run.first_violation());
    let answered = run.trace.history.iter().filter(|op| op.op_type == OpType::Ok).count();
    assert!(answered > 20, "{answered} answers");
}

/// With one seed, a node does exactly the same as a program and in process.
#[test]
fn a_rust_node_is_the_same_in_process_and_as_a_program() {
    let machine = || {
        let mut machine = Machine::new(|_| kv_single::Store::default());
        Box::new(move |turn: &[u8]| machine.turn(&String::from_utf8_lossy(turn)).into_bytes())
            as seedbed::program::InProcess
    };
    let inside = scenario(STORE, &[], Some(Make::new(machine)));
    let first = run_scenario(&inside, 7);
    is_a_store(&first);
    assert_eq!(first.digest, run_scenario(&inside, 7).digest);
    assert_ne!(first.digest, run_scenario(&inside, 8).digest);
    let Some(command) = example("rust", "kv_single") else { return };
    let outside = scenario(STORE, &command, None);
    assert_eq!(run_scenario(&outside, 7).digest, first.digest);
}

/// The store of each SDK serves clients through loss, duplication and a crash, and does the same
/// again with the same seed.
fn a_store_works(language: &str) {
    let Some(command) = example(language, "kv_single") else { return };
    let store = scenario(STORE, &command, None);
    let first = run_scenario(&store, 7);
    is_a_store(&first);
    assert_eq!(first.digest, run_scenario(&store, 7).digest);
    assert_ne!(first.digest, run_scenario(&store, 8).digest);
}

#[test]
fn the_store_in_python_works() {
    a_store_works("python");
}

/// Every installed Python from 3.8 on runs the store with the same digest.
#[test]
fn every_python_gives_the_same_run() {
    let Some(command) = example("python", "kv_single") else { return };
    let digest = |python: String| {
        run_scenario(&scenario(STORE, &[python, command[1].clone()], None), 7).digest
    };
    let expected = digest("python3".to_owned());
    for minor in 8..=15 {
        let python = format!("python3.{minor}");
        if support::has(&python) {
            assert_eq!(digest(python.clone()), expected, "{python}");
        }
    }
}

#[test]
fn the_store_in_c_works() {
    a_store_works("c");
}

/// ZooKeeper clients: sessions move, end and start again under the checks that judge the built-in
/// clients; in the end each member sees all three.
fn members_work(language: &str) {
    const MEMBERS: &str = include_str!("../sdk/scenarios/members.toml");
    let Some(command) = example(language, "members") else { return };
    let mut members =
        read_text("members", MEMBERS, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    for node in members.nodes.nodes.iter_mut().filter(|node| node.role == "worker") {
        node.program = Some(ProgramSpec::trusted(command.clone(), std::env::temp_dir()));
    }
    for seed in 1..=3 {
        let run = run_scenario(&members, seed);
        assert_eq!(
            (run.aborted.as_deref(), run.verdict()),
            (None, Overall::Valid),
            "{seed}: {:?}",
            run.first_violation()
        );
        assert_eq!(run.digest, run_scenario(&members, seed).digest);
        let states = |state: &str| {
            let sessions = run.trace.events.iter().filter(|event| event.name == "client_session");
            sessions
                .filter(|event| {
                    event
                        .fields
                        .get("state")
                        .is_some_and(|value| matches!(value, Value::Text(word) if **word == *state))
                })
                .count()
        };
        assert!(
            states("connected") > 4 && states("disconnected") > 1 && states("expired") == 1,
            "{seed}: {}",
            states("expired")
        );
        for (name, value) in last_values(&run, "members") {
            assert_eq!(value, Value::Int(3), "{seed}: {name}");
        }
    }
}

/// The last value of a metric, by node.
fn last_values(run: &Run, metric: &str) -> Vec<(String, Value)> {
    let of = |node: &str| {
        let mut shown = run
            .trace
            .metrics
            .iter()
            .filter(|shown| shown.name == metric && run.trace.name(shown.node) == node);
        shown.next_back().map(|shown| (node.to_owned(), shown.value.clone()))
    };
    let values: Vec<_> = run.trace.nodes.iter().filter_map(|node| of(&node.name)).collect();
    assert!(!values.is_empty(), "nobody shows {metric}");
    values
}

#[test]
fn clients_of_zookeeper_in_python_work() {
    members_work("python");
}

#[test]
fn clients_of_zookeeper_in_rust_work() {
    members_work("rust");
}

/// A folder with a program and the SDK, and the crashes of its one node in a second.
fn crashes_of(program: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(sdk("python/seedbed.py"), folder.path().join("seedbed.py")).expect("the SDK is there");
    let path = folder.path().join("node.py");
    fs::write(&path, program).expect("writable");
    let text = "system = \"raft\"\nduration = \"500ms\"\nrecovery = \"1ms\"\n[nodes]\ncount = \
        1\n[checks]\nno_panic = {}\n";
    let mut scenario = scenario(text, &["python3".to_owned(), "node.py".to_owned()], None);
    for node in &mut scenario.nodes.nodes {
        if let Some(program) = &mut node.program {
            program.folder = folder.path().to_owned();
        }
    }
    let run = run_scenario(&scenario, 1);
    assert_eq!(run.aborted, None);
    let crashes = run.trace.events.iter().filter(|event| event.name == "crash");
    crashes.map(|event| event.fields.text("message").unwrap_or("?").to_owned()).collect()
}

/// Students' mistakes are reported at their own line, with what to do instead.
#[test]
fn mistakes_are_told_where_they_are() {
    if !support::has("python3") {
        return;
    }
    let handler = |body: &str| {
        format!(
            "import seedbed, time, random\nclass N(seedbed.Node):\n    def on_init(self):\n        \
                {body}\nseedbed.run(N)\n"
        )
    };
    let cases = [
        (
            handler("time.sleep(1)"),
            "line 4, in on_init\n    time.sleep(1)\nRuntimeError: \
            time.sleep would stop virtual time: set a timer with self.set_timer",
        ),
        (handler("input()"), "RuntimeError: input() has nobody to ask"),
        (
            handler("__import__('threading').Thread(target=print).start()"),
            "Thread.start starts a thread, but a node has only one",
        ),
        (
            handler("__import__('socket').socket()"),
            "a socket would leave the simulation: nodes communicate with self.send",
        ),
        (
            handler("__import__('subprocess').run(['true'])"),
            "subprocess starts a process, but a node is a single process",
        ),
        (handler("self.send('n9', {'type': 'A'})"), "there is no node 'n9'; the nodes are "),
        (
            handler("self.send('n1', {'kind': 'A'})"),
            "a message is an object with a text 'type', not {'kind': 'A'}",
        ),
        (
            handler("self.send('n1', {'type': 'A', 'of': {1}})"),
            "a set cannot be written as JSON: use sorted({1})",
        ),
        (
            handler("self.observe('seen', share=0.5)"),
            "share is 0.5: an observed number is an integer",
        ),
        (
            handler("return {'type': 'A'}"),
            "N.on_init (node.py, line 3) returned {'type': 'A'}, \
            which is lost: send it with self.send",
        ),
        (handler("yield 1"), "N.on_init (node.py, line 3) contains a `yield`"),
        (
            handler("while True: self.set_timer('a', 1)"),
            "one step asks for more than 10000 operations: is there an endless loop?",
        ),
        (handler("exit('enough')"), "it exited with status 1"),
        (
            "import seedbed\nprint(undefined)\n".to_owned(),
            "line 2, in <module>\n    print(undefined)\nNameError: name 'undefined' is not defined",
        ),
        (
            "import seedbed\nclass N(seedbed.Node): pass\n".to_owned(),
            "the program ended without a node: call seedbed.run(YourNode) at its end",
        ),
        (
            "import seedbed\nclass N(seedbed.Node): pass\nif N:\n    raise \
                SystemExit(3)\nseedbed.run(N)\n"
                .to_owned(),
            "the program ended by itself before there was a node: node.py, line 4: raise \
                SystemExit(3)",
        ),
        (
            "import sys, seedbed\ndef check():\n    sys.exit(3)\ncheck()\nseedbed.run(None)\n"
                .to_owned(),
            "the program ended by itself before there was a node: node.py, line 4: check()",
        ),
        (
            "import seedbed\nclass N(seedbed.Node): pass\nseedbed.run(N())\n".to_owned(),
            "a node is created by seedbed.run(N), when the testbed has started it",
        ),
        (
            "import seedbed\nclass N(seedbed.Node):\n    async def on_init(self): \
                pass\nseedbed.run(N)\n"
                .to_owned(),
            "N.on_init (node.py, line 3) is an `async def`, but handlers are plain functions; \
                derive the node from seedbed.AsyncNode to use await",
        ),
        (
            "import asyncio, seedbed\nclass N(seedbed.AsyncNode):\n    async def \
                main(self):\n        await asyncio.sleep(0)\nseedbed.run(N)\n"
                .to_owned(),
            "cannot be awaited here: a node waits with self.sleep, self.receive",
        ),
    ];
    for (program, message) in cases {
        let crashes = crashes_of(&program);
        assert!(
            crashes.first().is_some_and(|said| said.contains(message)),
            "{message}: {crashes:?}"
        );
    }
}

/// The programs on the page run as they are printed there.
#[test]
fn the_first_programs_run() {
    let page = fs::read_to_string(sdk("README.md")).expect("the page is there");
    let programs = |language: &str| -> Vec<String> {
        let mark = format!("```{language}\n");
        page.split(&mark)
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .map(str::to_owned)
            .collect()
    };
    let text = "system = \"raft\"\nduration = \"2s\"\nrecovery = \"500ms\"\n[nodes]\ncount = \
        3\n[checks]\nno_panic = {}\n";
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(sdk("python/seedbed.py"), folder.path().join("seedbed.py")).expect("the SDK is there");
    let mut commands = vec![];
    assert_eq!((programs("python").len(), programs("c").len()), (2, 1));
    for (number, program) in programs("python").iter().enumerate() {
        let path = folder.path().join(format!("node{number}.py"));
        fs::write(&path, program).expect("writable");
        commands.extend(
            support::has("python3")
                .then(|| vec!["python3".to_owned(), path.to_str().expect("UTF-8").to_owned()]),
        );
    }
    let source = folder.path().join("pinger.c");
    fs::write(&source, &programs("c")[0]).expect("writable");
    commands.extend(
        c_program(&source, "pinger")
            .map(|program| vec![program.to_str().expect("UTF-8").to_owned()]),
    );
    for command in commands {
        let run = run_scenario(&scenario(text, &command, None), 1);
        assert_eq!((run.aborted.as_deref(), run.verdict()), (None, Overall::Valid), "{command:?}");
        let pongs = run.trace.messages.iter().filter(|message| message.kind == "Pong").count();
        assert!(pongs > 10, "{command:?}: {pongs} answers");
    }
}

/// Built-in servers synchronise with a time server that crashes once.
const CLOCKS: &str = include_str!("../sdk/scenarios/clocks.toml");

/// The second example of each SDK plays one role among built-in nodes, whose bounds depend on its
/// answers. `None` if the language is not installed.
fn a_time_server_works(language: &str) -> Option<Digest> {
    let command = example(language, "time_server")?;
    let mut clocks =
        read_text("example", CLOCKS, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    let time = clocks.nodes.nodes.iter_mut().find(|node| node.name == "time").expect("it is there");
    time.program = Some(ProgramSpec::trusted(command, std::env::temp_dir()));
    let first = run_scenario(&clocks, 3);
    assert_eq!(first.aborted, None);
    assert_eq!(first.verdict(), Overall::Valid, "{:?}", first.first_violation());
    let told = first.trace.messages.iter().filter(|message| message.kind == "TimeResponse").count();
    assert!(told > 20, "{told} answers");
    assert_eq!(first.digest, run_scenario(&clocks, 3).digest);
    Some(first.digest)
}

#[test]
fn the_time_server_in_python_works() {
    a_time_server_works("python");
}

/// A claim tighter than half a round trip allows is caught.
#[test]
fn a_time_server_that_claims_too_much_is_found_out() {
    let Some(command) = example("python", "time_server") else { return };
    let honest = fs::read_to_string(&command[1]).expect("the example is there");
    let liar = honest
        .replace("self.error = trip // 2", "self.error = 0")
        .replace("DRIFT = 200e-6", "DRIFT = 0");
    let path = python_examples().join("liar.py");
    fs::write(&path, liar).expect("writable");
    let mut clocks =
        read_text("example", CLOCKS, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    let time = clocks.nodes.nodes.iter_mut().find(|node| node.name == "time").expect("it is there");
    let command = vec![command[0].clone(), path.to_str().expect("UTF-8").to_owned()];
    time.program = Some(ProgramSpec::trusted(command, std::env::temp_dir()));
    let run = run_scenario(&clocks, 3);
    assert_eq!(run.verdict(), Overall::Invalid);
    assert!(
        run.first_violation().is_some_and(|violation| format!("{violation:?}").contains("bound")),
        "{:?}",
        run.first_violation()
    );
}

/// The same program in two languages: both SDKs draw the same numbers, so the runs have the same
/// digest.
#[test]
fn the_time_servers_in_rust_and_c_are_one() {
    let (rust, c) = (a_time_server_works("rust"), a_time_server_works("c"));
    assert!(rust.is_none() || c.is_none() || rust == c);
}

/// Bytes in pieces over a lossy network, read as lines; a port where nobody listens; the end of a
/// connection.
const LINES: &str = r#"
import seedbed

class Lines(seedbed.AsyncNode):
    async def main(self):
        if self.name == "n1":
            self.listen(80)
            while True:
                self.spawn(self.serve(await self.accept()))
        try:
            await self.open("n1", 81)
        except ConnectionRefusedError:
            self.observe("refused", who=self.name)
        await self.sleep(0.1)
        stream = await self.open("n1", 80)
        stream.write(b"one\ntwo\nthree\n" + b"x" * 20000 + b"\n")
        stream.close()
        read = [len(await stream.read_until(b"\n")) for _ in range(4)]
        rest = await stream.read()
        self.observe("read", lines=str(read), rest=len(rest))

    async def serve(self, stream):
        count = 0
        try:
            while True:
                stream.write((await stream.read_until(b"\n")).upper())
                count += 1
        except EOFError:
            stream.close()
        self.observe("served", lines=count, peer=stream.peer)

seedbed.run(Lines)
"#;

#[test]
fn streams_are_read_as_one_writes_them() {
    if !support::has("python3") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(sdk("python/seedbed.py"), folder.path().join("seedbed.py")).expect("the SDK is there");
    let path = folder.path().join("lines.py");
    fs::write(&path, LINES).expect("writable");
    let text = "system = \"raft\"\nduration = \"5s\"\nrecovery = \"1s\"\n[nodes]\ncount = \
        3\n[network]\nlatency = \"5ms\"\nloss = 0.05\n[checks]\nno_panic = {}\n";
    let run = run_scenario(
        &scenario(text, &["python3".to_owned(), path.to_str().expect("UTF-8").to_owned()], None),
        1,
    );
    assert_eq!(
        (run.aborted.as_deref(), run.verdict()),
        (None, Overall::Valid),
        "{:?}",
        run.first_violation()
    );
    let of = |name: &str| {
        run.trace
            .events
            .iter()
            .filter(|event| event.name == name)
            .map(|event| format!("{:?}", event.fields))
            .collect::<Vec<_>>()
    };
    assert_eq!((of("refused").len(), of("read").len(), of("served").len()), (2, 2, 2));
    assert!(
        of("read")
            .iter()
            .all(|fields| fields.contains("[4,_4,_6,_20001]") && fields.contains("Int(0)")),
        "{:?}",
        of("read")
    );
}

//! The SDKs: their examples play in real scenarios. Where a language is not installed, the test says so and passes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use seedbed::Run;
use seedbed::checkers::Overall;
use seedbed::program::{Make, ProgramSpec};
use seedbed::run::run_scenario;
use seedbed::scenario::{Scenario, read_text};
use seedbed::trace::OpType;
use seedbed_node::Machine;

#[allow(dead_code)]
#[path = "../sdk/rust/examples/kv_single.rs"]
mod kv_single;

/// A store under loss, doubling and a crash of its only server.
const STORE: &str = r#"
system = "raft"
duration = "3s"
recovery = "2s"
[nodes]
count = 3

[network]
latency = { dist = "exponential", min = "1ms", mean = "4ms" }
loss = 0.02
duplicate = 0.02

[[nemesis]]
name = "crash"
fault = "kill"
targets = ["n1"]
at = "1s"
duration = "500ms"

[checks]
linearizable = {}
"#;

fn sdk(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk").join(path)
}

fn has(command: &str) -> bool {
    let found = Command::new(command).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("there is no {command} here: not tested");
    }
    found
}

/// The command for an example, built if it has to be; `None` if its language is not here.
fn example(language: &str, name: &str) -> Option<Vec<String>> {
    let text = |path: PathBuf| path.to_str().expect("a path of this project").to_owned();
    match language {
        "python" => has("python3").then(|| vec!["python3".to_owned(), text(sdk(&format!("python/examples/{name}.py")))]),
        "rust" => Some(vec![text(rust_examples()?.join(name))]),
        _ => panic!("no language {language}"),
    }
}

/// Where the Rust examples are, built as their author would build them.
fn rust_examples() -> Option<&'static PathBuf> {
    static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sdk");
        let manifest = sdk("rust/Cargo.toml");
        let mut cargo = Command::new("cargo");
        cargo.args(["build", "--quiet", "--examples", "--manifest-path"]).arg(manifest).arg("--target-dir").arg(&target);
        has("cargo").then(|| {
            let status = cargo.status().expect("cargo is there");
            assert!(status.success(), "the examples of the Rust SDK do not build");
            target.join("debug/examples")
        })
    };
    BUILT.get_or_init(build).as_ref()
}

fn scenario(text: &str, command: &[String], in_process: Option<Make>) -> Scenario {
    let mut scenario = read_text("example", text, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    for node in &mut scenario.nodes.nodes {
        let folder = sdk("python");
        node.program = Some(ProgramSpec { command: command.to_vec(), folder, in_process: in_process.clone() });
    }
    scenario
}

fn is_a_store(run: &Run) {
    assert_eq!(run.aborted, None);
    assert_eq!(run.verdict(), Overall::Valid, "{:?}", run.first_violation());
    let answered = run.trace.history.iter().filter(|op| op.op_type == OpType::Ok).count();
    assert!(answered > 20, "{answered} answers");
}

/// One node, one seed: as a program and in this process, it does the same to the last bit.
#[test]
fn a_rust_node_is_the_same_in_process_and_as_a_program() {
    let machine = || {
        let mut machine = Machine::new(|_| kv_single::Store::default());
        Box::new(move |turn: &[u8]| machine.turn(&String::from_utf8_lossy(turn)).into_bytes()) as seedbed::program::InProcess
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

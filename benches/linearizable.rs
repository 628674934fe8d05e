//! How fast histories are searched, against `porcupine-rs`: `cargo bench --bench linearizable`.
//!
//! First both get the same operations of the same object, a register of texts with unique values,
//! without any of what the check of linearizability knows besides. Then the whole check judges what
//! five Raft peers did under 1,000 operations a second over three keys, on which `porcupine-rs`
//! stops at 2,000,000 steps. Rounds are interleaved and the least time of each counts; what is
//! reported are ratios within this one run.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use porcupine_rs::{Model, Operation, check_operations};
use seedbed::checkers::Verdict;
use seedbed::checkers::search::{Answer, Limits, Sequential, Timed, linearizable};
use seedbed::history::{History, Outcome};
use seedbed::models::{KvOp, parse_kv};
use seedbed::rng::Rng;
use seedbed::run::system_of;
use seedbed::sim::RunOptions;
use seedbed::systems::find_check;
use seedbed::systems::read_file;
use seedbed::trace::Trace;

const ROUNDS: usize = 7;
const STEPS: u64 = 2_000_000;

fn main() {
    println!("{:44} {:>10} {:>10} {:>8}", "", "porcupine", "seedbed", "ratio");
    for (name, clients, operations, is_broken) in [
        ("2 clients, 10,000 operations", 2, 10_000, false),
        ("10 clients, 10,000 operations", 10, 10_000, false),
        ("50 clients, 10,000 operations", 50, 10_000, false),
        ("10 clients, 1,000 operations", 10, 1_000, false),
        ("2 clients, 10,000 operations, wrong at last", 2, 10_000, true),
    ] {
        let history = generate(clients, operations, is_broken);
        row(name, &history, || {
            let limits = Limits { steps: STEPS, cache_bytes: 64 << 20 };
            let answer = linearizable(&Register, &history, limits);
            assert!(answer.is_illegal() == is_broken || has_stopped(answer), "{answer:?}");
            has_stopped(answer)
        });
    }
    let trace = loaded_raft();
    let check = find_check("linearizable").expect("a check of this name");
    for (key, history) in keys(&trace) {
        let one = only_key(&trace, &key);
        row(&format!("Raft under load, {key}, the whole check"), &history, || {
            assert_eq!(check.judge(&one, &BTreeMap::new()), Verdict::Valid);
            false
        });
    }
}

fn has_stopped(answer: Answer) -> bool {
    matches!(answer, Answer::LimitMet { .. })
}

/// One line: the least times of both, in milliseconds, and their ratio.
#[allow(clippy::disallowed_methods, reason = "a bench measures real time")]
fn row(name: &str, history: &[Timed<Effect>], ours: impl Fn() -> bool) {
    let theirs = for_porcupine(history);
    let (mut least, mut have_stopped) = ([f64::INFINITY; 2], [false; 2]);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        STEPS_LEFT.set(STEPS);
        std::hint::black_box(check_operations(&theirs));
        have_stopped[0] |= STEPS_LEFT.get() == 0;
        least[0] = least[0].min(start.elapsed().as_secs_f64());
        let start = Instant::now();
        have_stopped[1] |= ours();
        least[1] = least[1].min(start.elapsed().as_secs_f64());
    }
    let [porcupine, seedbed] = least.map(|seconds| seconds * 1e3);
    let stopped = match have_stopped {
        [false, false] => "",
        [true, false] => "  (porcupine met the limit of steps)",
        [false, true] => "  (seedbed met the limit of steps)",
        [true, true] => "  (both met the limit of steps)",
    };
    let ratio = porcupine / seedbed;
    println!("{name:44} {porcupine:7.2} ms {seedbed:7.2} ms {ratio:8.1}{stopped}");
}

/// A text by the digest of its parts.
#[derive(Clone, Copy, Debug)]
enum Effect {
    Read(u64),
    Write(u64),
    Append(u64),
    Cas(u64, u64),
}

const NIL: u64 = 0;

fn add_part(text: u64, part: u64) -> u64 {
    (text.rotate_left(23) ^ part.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn step(text: u64, effect: &Effect) -> Option<u64> {
    match *effect {
        Effect::Read(read) => (read == text).then_some(text),
        Effect::Write(written) => Some(written),
        Effect::Append(part) => Some(add_part(text, part)),
        Effect::Cas(from, to) => (from == text).then_some(to),
    }
}

struct Register;

impl Sequential for Register {
    type State = u64;
    type Effect = Effect;

    fn initial(&self) -> u64 {
        NIL
    }

    fn step(&self, text: &u64, effect: &Effect) -> Option<u64> {
        step(*text, effect)
    }

    fn is_free(&self, text: &u64, effect: &Effect) -> bool {
        matches!(effect, Effect::Read(read) if read == text)
    }
}

thread_local! {
    /// Steps that `porcupine-rs` may still make: it has no such limit itself.
    static STEPS_LEFT: Cell<u64> = const { Cell::new(0) };
}

#[derive(Clone)]
struct Counted;

impl Model for Counted {
    type State = u64;
    type Op = Effect;
    type Metadata = ();

    fn init() -> u64 {
        NIL
    }

    fn step(text: &u64, effect: &Effect) -> (bool, u64) {
        let left = STEPS_LEFT.get();
        if left == 0 {
            return (false, *text);
        }
        STEPS_LEFT.set(left - 1);
        step(*text, effect).map_or((false, *text), |after| (true, after))
    }
}

fn for_porcupine(history: &[Timed<Effect>]) -> Vec<Operation<Counted>> {
    let operation = |each: &Timed<Effect>| Operation {
        client_id: None,
        call_time: each.invoked as i64,
        return_time: each.completed.map_or(i64::MAX, |time| time as i64),
        op: each.effect,
        metadata: None,
    };
    history.iter().map(operation).collect()
}

/// Clients of a correct register, each operation taking effect somewhere between its ends; the last
/// one may read what was never there.
fn generate(clients: usize, operations: usize, is_broken: bool) -> Vec<Timed<Effect>> {
    let mut rng = Rng::named(1, "bench");
    let mut text = NIL;
    let mut history: Vec<Timed<Effect>> = vec![];
    // Of each client: its operation, and whether it took effect.
    let mut busy: Vec<Option<(usize, bool)>> = vec![None; clients];
    for time in 0.. {
        let client = rng.below(clients as u64) as usize;
        match busy[client] {
            None if history.len() == operations => {
                if busy.iter().all(Option::is_none) {
                    break;
                }
            }
            None => {
                busy[client] = Some((history.len(), false));
                history.push(Timed { effect: Effect::Read(NIL), invoked: time, completed: None });
            }
            Some((operation, false)) => {
                let new = operation as u64 + 1;
                let effect = match rng.below(10) {
                    0..5 => Effect::Read(text),
                    5..7 => Effect::Write(new),
                    7..9 => Effect::Append(new),
                    _ => Effect::Cas(text, new),
                };
                text = step(text, &effect).expect("a correct register");
                history[operation].effect = effect;
                busy[client] = Some((operation, true));
            }
            Some((operation, true)) => {
                history[operation].completed = Some(time);
                busy[client] = None;
            }
        }
    }
    if is_broken {
        let invoked = history.iter().filter_map(|each| each.completed).max().unwrap_or(0) + 1;
        let effect = Effect::Read(u64::MAX);
        history.push(Timed { effect, invoked, completed: Some(invoked + 1) });
    }
    history
}

/// What Raft leaves under 1,000 operations a second over three keys, a leader isolated twice.
fn loaded_raft() -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/raft/leader-isolated.toml");
    let set = [("workload.rate", "1000"), ("workload.clients", "50"), ("workload.keys", "3")];
    let set = set.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let scenario = read_file(&path, &set, &[]).expect("the scenario is valid");
    let system = system_of(&scenario);
    (system.run)(&scenario, &RunOptions { seed: 42, ..RunOptions::default() }).trace
}

/// The operations on each key, for the search alone. Operations without an answer do not occur.
fn keys(trace: &Trace) -> BTreeMap<String, Vec<Timed<Effect>>> {
    let mut keys: BTreeMap<String, Vec<Timed<Effect>>> = BTreeMap::new();
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let digest = |text: &str| text.split(',').map(number).fold(NIL, add_part);
    for operation in History::new(&trace.history).operations {
        if operation.outcome == Outcome::Fail {
            continue;
        }
        let completion = operation.completion.expect("every operation is answered");
        let (key, op) = parse_kv(operation.f, &completion.value).expect("well formed");
        let effect = match op {
            KvOp::Read(text) => Effect::Read(text.flatten().map_or(NIL, digest)),
            KvOp::Write(text) => Effect::Write(digest(text)),
            KvOp::Append(part) => Effect::Append(number(part)),
            KvOp::Cas { from, to } => Effect::Cas(from.map_or(NIL, digest), digest(to)),
        };
        let (invoked, completed) = (operation.invoked, Some(completion.index));
        keys.entry(key.to_owned()).or_default().push(Timed { effect, invoked, completed });
    }
    keys
}

/// The trace with the operations on one key alone.
fn only_key(trace: &Trace, key: &str) -> Trace {
    let mut one = Trace { history: trace.history.clone(), ..Trace::default() };
    let is_of_key = |value: &str| {
        value.strip_prefix(key).is_some_and(|rest| !rest.starts_with(|c: char| c.is_numeric()))
    };
    one.history.retain(|op| is_of_key(&op.value));
    one
}

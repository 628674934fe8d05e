//! The check of linearizability against `porcupine-rs`, an independent implementation, on random
//! histories: the same verdict, and of the wrong ones the same operation that nothing explains.
//!
//! The histories are those of a store that serves several clients, and of one that sometimes
//! answers from the past or forgets; with operations that fail, that are never answered, and that
//! take effect long after their client gave up. `porcupine-rs` gets lists of numbers and their
//! operations as the docs of `seedbed::models` define them: nothing of how the check represents
//! texts, what it leaves out, or in which order it searches.

use std::collections::BTreeMap;

use porcupine_rs::{Model, Operation, check_operations};
use seedbed::checkers::Verdict;
use seedbed::systems::find_check;
use seedbed::trace::{Op, OpType, Trace};

const HISTORIES: u64 = 20_000;

/// SplitMix64: the histories are the same in every run.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound as u64) as usize
    }

    fn happens(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The text of a key: `None` is `nil`.
type Text = Option<Vec<u32>>;

fn shown(text: &Text) -> String {
    let Some(parts) = text else { return "nil".to_owned() };
    parts.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

#[derive(Clone, Debug)]
enum Kind {
    Read,
    Write(u32),
    Append(u32),
    Cas(Text, u32),
}

impl Kind {
    /// The text afterwards; `None` where a `cas` finds another text.
    fn apply(&self, text: &Text) -> Option<Text> {
        match self {
            Kind::Read => Some(text.clone()),
            Kind::Write(value) => Some(Some(vec![*value])),
            Kind::Append(value) => {
                let mut parts = text.clone().unwrap_or_default();
                parts.push(*value);
                Some(Some(parts))
            }
            Kind::Cas(from, to) => (text == from).then(|| Some(vec![*to])),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Kind::Read => "read",
            Kind::Write(_) => "write",
            Kind::Append(_) => "append",
            Kind::Cas(..) => "cas",
        }
    }
}

/// An operation as the generator knows it.
#[derive(Clone, Debug)]
struct Done {
    client: usize,
    key: usize,
    kind: Kind,
    invoked: u64,
    /// When it ended, and how.
    ended: Option<(u64, OpType)>,
    /// What it answers, once it took effect.
    answer: Option<Text>,
}

/// What a history is like.
struct Shape {
    clients: usize,
    keys: usize,
    operations: usize,
    /// Whether each written value is another.
    is_unique: bool,
    /// Percent of operations that are never answered, that fail, that are answered wrongly.
    open: usize,
    failed: usize,
    wrong: usize,
}

fn shape(random: &mut Random) -> Shape {
    Shape {
        clients: 1 + random.below(6),
        keys: 1 + random.below(3),
        operations: 4 + random.below(22),
        is_unique: random.happens(60),
        open: [0, 5, 30][random.below(3)],
        failed: [0, 10][random.below(2)],
        wrong: [0, 15, 30][random.below(3)],
    }
}

/// Let clients use a store.
fn generate(random: &mut Random, shape: &Shape) -> Vec<Done> {
    let mut store: Vec<Vec<Text>> = vec![vec![None]; shape.keys];
    let mut all: Vec<Done> = vec![];
    let mut busy: Vec<Option<usize>> = vec![None; shape.clients];
    // Operations whose client gave up before they took effect.
    let mut late: Vec<usize> = vec![];
    let mut clock = 0;
    while all.len() < shape.operations || busy.iter().any(Option::is_some) {
        clock += 1;
        if !late.is_empty() && random.happens(10) {
            let operation = late.swap_remove(random.below(late.len()));
            take_effect(random, shape, &mut store, &mut all[operation]);
        }
        let client = random.below(shape.clients);
        let Some(operation) = busy[client] else {
            if all.len() < shape.operations {
                let key = random.below(shape.keys);
                let kind = draw_kind(random, shape, &store[key], all.len() as u32);
                busy[client] = Some(all.len());
                let (invoked, ended, answer) = (clock, None, None);
                all.push(Done { client, key, kind, invoked, ended, answer });
            }
            continue;
        };
        let end = if random.happens(shape.open) {
            if all[operation].answer.is_none() {
                late.push(operation);
            }
            OpType::Info
        } else if all[operation].answer.is_some() {
            OpType::Ok
        } else if random.happens(shape.failed) {
            OpType::Fail
        } else {
            take_effect(random, shape, &mut store, &mut all[operation]);
            if all[operation].answer.is_some() {
                continue;
            }
            OpType::Fail
        };
        all[operation].ended = Some((clock, end));
        busy[client] = None;
    }
    all
}

fn draw_kind(random: &mut Random, shape: &Shape, texts: &[Text], number: u32) -> Kind {
    let value = if shape.is_unique { number } else { random.below(4) as u32 };
    match random.below(10) {
        0..4 => Kind::Read,
        4..6 => Kind::Write(value),
        6..8 => Kind::Append(value),
        _ => Kind::Cas(texts[texts.len().saturating_sub(1 + random.below(2))].clone(), value),
    }
}

fn take_effect(random: &mut Random, shape: &Shape, store: &mut [Vec<Text>], done: &mut Done) {
    let texts = &mut store[done.key];
    let last = texts.len() - 1;
    let is_wrong = random.happens(shape.wrong);
    let base = if is_wrong { random.below(texts.len()) } else { last };
    let Some(after) = done.kind.apply(&texts[base]) else { return };
    let is_forgotten = is_wrong && random.happens(50);
    if !matches!(done.kind, Kind::Read) && !is_forgotten {
        texts.push(after.clone());
    }
    done.answer = Some(after);
}

/// The history as a run leaves it.
fn trace(all: &[Done]) -> Trace {
    let mut history = vec![];
    let mut put = |time: u64, done: &Done, op_type: OpType| {
        let key = format!("k{}", done.key);
        let value = match (&done.kind, op_type) {
            (Kind::Read, OpType::Ok) => {
                format!("{key}={}", shown(done.answer.as_ref().expect("answered")))
            }
            (Kind::Read, _) => key,
            (Kind::Write(value), _) => format!("{key}={value}"),
            (Kind::Append(value), _) => format!("{key}+={value}"),
            (Kind::Cas(from, to), _) => format!("{key}:{}->{to}", shown(from)),
        };
        history.push(Op {
            index: time,
            time_us: time,
            process: format!("c{}", done.client).into(),
            op_type,
            f: done.kind.name().into(),
            value: value.into(),
            error: "".into(),
        });
    };
    for done in all {
        put(done.invoked, done, OpType::Invoke);
        if let Some((time, op_type)) = done.ended {
            put(time, done, op_type);
        }
    }
    history.sort_by_key(|op| op.index);
    Trace { history, ..Trace::default() }
}

/// One key, for `porcupine-rs`.
#[derive(Clone)]
struct Key;

/// What happened, what it answered, and whether anybody knows.
#[derive(Clone, Debug)]
struct Known {
    kind: Kind,
    read: Option<Text>,
    is_open: bool,
}

impl Model for Key {
    type State = Text;
    type Op = Known;
    type Metadata = ();

    fn init() -> Text {
        None
    }

    fn step(text: &Text, op: &Known) -> (bool, Text) {
        match op.kind.apply(text) {
            Some(after) => (op.read.as_ref().is_none_or(|read| *read == after), after),
            None => (op.is_open, text.clone()),
        }
    }
}

/// Whether `porcupine-rs` finds an order of the operations on a key, as they stood at a time.
fn has_order(all: &[Done], key: usize, until: u64) -> bool {
    let history: Vec<Operation<Key>> = all
        .iter()
        .filter(|done| done.key == key && done.invoked <= until)
        .filter(|done| !matches!(done.ended, Some((_, OpType::Fail))))
        .filter_map(|done| {
            let ended = done.ended.filter(|(at, how)| *at <= until && *how == OpType::Ok);
            let is_read = matches!(done.kind, Kind::Read);
            if is_read && ended.is_none() {
                return None;
            }
            let read = is_read.then(|| done.answer.clone().expect("an answered read"));
            Some(Operation {
                client_id: None,
                call_time: done.invoked as i64,
                return_time: ended.map_or(i64::MAX, |(at, _)| at as i64),
                op: Known { kind: done.kind.clone(), read, is_open: ended.is_none() },
                metadata: None,
            })
        })
        .collect();
    check_operations(&history)
}

/// The completion of the first operation on a key that no order explains.
fn first_unexplained(all: &[Done], key: usize) -> Option<u64> {
    if has_order(all, key, u64::MAX) {
        return None;
    }
    let of_key = all.iter().filter(|done| done.key == key);
    let mut ends: Vec<u64> = of_key.filter_map(|done| Some(done.ended?.0)).collect();
    ends.sort_unstable();
    ends.into_iter().find(|end| !has_order(all, key, *end))
}

/// Both must agree, and there must be enough of both verdicts to say so. The check has messages of
/// its own for answers that nobody can have caused; then the operation may be a later one.
#[test]
fn verdicts_are_those_of_porcupine() {
    let check = find_check("linearizable").expect("a check of this name");
    let (mut right, mut wrong) = (0, 0);
    for seed in 0..HISTORIES {
        let mut random = Random(seed);
        let shape = shape(&mut random);
        let all = generate(&mut random, &shape);
        let verdict = check.judge(&trace(&all), &BTreeMap::new());
        let expected: Vec<(usize, u64)> =
            (0..shape.keys).filter_map(|key| Some((key, first_unexplained(&all, key)?))).collect();
        let Verdict::Invalid(violations) = &verdict else {
            assert!(expected.is_empty(), "seed {seed}: {verdict:?}, not {expected:?}: {all:#?}");
            right += 1;
            continue;
        };
        wrong += 1;
        assert_eq!(violations.len(), expected.len(), "seed {seed}: {violations:?}: {all:#?}");
        for (violation, (key, time)) in violations.iter().zip(expected) {
            let message = &violation.message;
            assert!(message.starts_with(&format!("k{key} ")), "seed {seed}: {message}");
            if message.contains("no order of the operations") {
                assert_eq!(violation.time_us, time, "seed {seed}: {message}: {all:#?}");
            }
        }
    }
    assert!(right > HISTORIES / 4 && wrong > HISTORIES / 8, "{right} right, {wrong} wrong");
}

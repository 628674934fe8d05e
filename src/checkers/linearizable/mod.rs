//! Linearizability: every operation seems to happen at one moment between its invocation and its
//! completion.
//!
//! A register is linearizable if each key of it is (Herlihy and Wing's locality), so keys are
//! judged one by one. First come cheap necessary conditions, which give the best messages; then the
//! search of Wing, Gong and Lowe (crate `porcupine-rs`), with a limit counted in steps. What is
//! found wrong is shown as the shortest beginning of the key's history that is not linearizable.

mod key;
mod texts;

use std::collections::BTreeMap;

use super::findings::{Findings, seconds, whole};
use super::linear_order::{Answer, first_illegal_end, linearizable};
use super::{Case, Checker, ParamInfo, Params, Verdict};
use crate::history::{Operation, Outcome};
use crate::models::{KvOp, parse_kv};
use key::Key;
use texts::Writings;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "linearizable",
    summary: "The operations on each key are those of a store that serves one after the other, \
        within the times that clients saw.",
    source: "Herlihy and Wing 1990; Lowe 2017; Jepsen's linearizable",
    params: &[ParamInfo {
        name: "steps",
        duration: false,
        default: 2_000_000.0,
        range: (1.0, 1e9),
        doc: "steps of the search for one key before the verdict is unknown",
    }],
    liveness: false,
    check,
};

/// An operation on one key.
#[derive(Clone, Copy)]
struct KeyOperation<'a> {
    operation: Operation<'a>,
    op: KvOp<'a>,
    /// Position of the completion in the shared order; `None` while open.
    completed: Option<u64>,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let steps = whole(params, "steps");
    let mut keys: BTreeMap<&str, Vec<KeyOperation<'_>>> = BTreeMap::new();
    for operation in &case.history().operations {
        let completion = operation.completion.filter(|_| operation.outcome != Outcome::Open);
        let value =
            if operation.outcome == Outcome::Ok { completion.map(|op| &*op.value) } else { None };
        let Some((key, op)) = parse_kv(operation.f, value.unwrap_or(operation.argument)) else {
            continue;
        };
        // A read without an answer says nothing and changes nothing.
        if matches!(op, KvOp::Read(read) if read.is_none() || operation.outcome != Outcome::Ok) {
            continue;
        }
        let completed = completion.map(|op| op.index.max(operation.invoked));
        keys.entry(key).or_default().push(KeyOperation { operation: *operation, op, completed });
    }
    if keys.is_empty() {
        return Verdict::Unknown("the history holds no operation on a key".to_owned());
    }
    let mut findings = Findings::new(CHECKER.name);
    let mut undecided = None;
    for (key, operations) in &keys {
        if judge_key(case, &mut findings, key, operations, steps) == Answer::LimitMet {
            undecided.get_or_insert(*key);
        }
    }
    match (findings.verdict(), undecided) {
        (Verdict::Valid, Some(key)) => {
            Verdict::Unknown(format!("the search over key {key} met its limit of {steps} steps"))
        }
        (verdict, _) => verdict,
    }
}

fn judge_key(
    case: &Case<'_>,
    findings: &mut Findings,
    key: &str,
    operations: &[KeyOperation<'_>],
    steps: u64,
) -> Answer {
    let writings = Writings::new(operations);
    if let Some((culprit, why)) = writings.impossible(operations) {
        report(case, findings, key, &operations[culprit], &why);
        return Answer::Illegal;
    }
    // What certainly did not happen has no place in an order of what did. That a `cas` saw some
    // other text is not used.
    let happened: Vec<KeyOperation<'_>> =
        operations.iter().filter(|each| each.operation.outcome != Outcome::Fail).copied().collect();
    let effects: Vec<_> = happened.iter().map(|each| writings.effect(each)).collect();
    let until =
        |cut: u64| linearizable::<Key>(&writings.beginning(&happened, &effects, cut), steps);
    let answer = until(u64::MAX);
    if answer == Answer::Illegal {
        let end =
            first_illegal_end(happened.iter().filter_map(|each| each.completed).collect(), until);
        if let Some(culprit) = happened.iter().find(|each| each.completed == end) {
            report(
                case,
                findings,
                key,
                culprit,
                "no order of the operations up to this one explains it",
            );
        }
    }
    answer
}

fn report(
    case: &Case<'_>,
    findings: &mut Findings,
    key: &str,
    culprit: &KeyOperation<'_>,
    why: &str,
) {
    let operation = &culprit.operation;
    let time_us = operation.completed_us().unwrap_or(operation.invoked_us);
    let nodes: Vec<_> = case.trace.node(operation.process).into_iter().collect();
    findings.report(time_us, &nodes, || {
        let (process, f) = (operation.process, operation.f);
        let value = shortened(operation.completion.map_or(operation.argument, |op| &*op.value));
        format!(
            "{key} is not linearizable: {process} {f} {value} from {} to {}: {why}",
            seconds(operation.invoked_us),
            seconds(time_us)
        )
    });
}

/// A value for a message: of a long text only both ends.
fn shortened(value: &str) -> String {
    const SHOWN: usize = 60;
    let characters = value.chars().count();
    if characters <= 2 * SHOWN {
        return value.to_owned();
    }
    let (head, tail) = (value.chars().take(SHOWN), value.chars().skip(characters - SHOWN));
    head.chain(" … ".chars()).chain(tail).collect()
}

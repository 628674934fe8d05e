//! Linearizability: every operation seems to happen at one moment between its invocation and its
//! completion.
//!
//! A register is linearizable if each key of it is (Herlihy and Wing's locality), so keys are
//! judged one by one. First come cheap necessary conditions, which give the best messages; then the
//! search of Wing, Gong and Lowe ([`super::search`]). What is found wrong is shown as the shortest
//! beginning of the key's history that is not linearizable.

mod key;
mod texts;
mod writings;

use std::collections::BTreeMap;

use super::findings::{Findings, seconds};
use super::search::{Answer, Limits, first_illegal_end, linearizable, undecided};
use super::{Case, Checker, Params, Verdict};
use crate::history::{Operation, Outcome};
use crate::models::{KvOp, parse_kv};
use writings::Writings;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "linearizable",
    summary: "The operations on each key are those of a store that serves one after the other, \
        within the times that clients saw.",
    source: "Herlihy and Wing 1990; Lowe 2017; Jepsen's linearizable",
    params: Limits::PARAMS,
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
    let limits = Limits::of(params);
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
    let mut unknown = None;
    for (key, operations) in &keys {
        unknown = unknown.or(judge_key(case, &mut findings, key, operations, limits));
    }
    match (findings.verdict(), unknown) {
        (Verdict::Valid, Some(why)) => Verdict::Unknown(why),
        (verdict, _) => verdict,
    }
}

/// Report what is wrong with a key; or why nobody knows.
fn judge_key(
    case: &Case<'_>,
    findings: &mut Findings,
    key: &str,
    operations: &[KeyOperation<'_>],
    limits: Limits,
) -> Option<String> {
    let writings = Writings::new(operations);
    if let Some((culprit, why)) = writings.impossible(operations) {
        report(case, findings, key, &operations[culprit], &why);
        return None;
    }
    // What certainly did not happen has no place in an order of what did. That a `cas` saw some
    // other text is not used.
    let happened: Vec<KeyOperation<'_>> =
        operations.iter().filter(|each| each.operation.outcome != Outcome::Fail).copied().collect();
    let until = |cut: u64| {
        let (object, timed) = writings.beginning(&happened, cut);
        linearizable(&object, &timed, limits)
    };
    let answer = until(u64::MAX);
    let ends = happened.iter().filter_map(|each| Some((each.completed?, each.operation)));
    if let Answer::Illegal { at } = answer {
        let end = first_illegal_end(ends.clone().map(|(end, _)| end).collect(), at, until);
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
    let completions = ends.map(|(end, operation)| (end, operation.completed_us().unwrap_or(0)));
    undecided(&format!("key {key}"), limits, answer, completions)
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

//! Operations of clients: invocations paired with their completions.
//!
//! A process has one operation open at a time. After an `info` it goes on under the same name, and
//! its old operation stays open forever: it may have taken effect, may do so later, or never.

use std::collections::BTreeMap;

use crate::trace::{NEMESIS, Op, OpType};

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took effect.
    Ok,
    /// It certainly did not.
    Fail,
    /// Unknown: `info`, no completion at all, or a completion missing from a damaged history.
    Open,
}

/// An operation of a client.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// The client's process.
    pub process: &'a str,
    /// The operation: `read`, `write`, …
    pub f: &'a str,
    /// The value of the invocation.
    pub argument: &'a str,
    /// Position of the invocation in the order that history and events share.
    pub invoked: u64,
    /// True time of the invocation, µs.
    pub invoked_us: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// The line that completed it: `ok`, `fail` or `info`.
    pub completion: Option<&'a Op>,
}

impl Operation<'_> {
    /// True time of the completion, µs. For an `info`: when the client gave up.
    pub fn completed_us(&self) -> Option<u64> {
        self.completion.map(|op| op.time_us)
    }
}

/// The operations of all clients, in order of invocation.
#[derive(Clone, Debug, Default)]
pub struct History<'a> {
    /// The operations.
    pub operations: Vec<Operation<'a>>,
}

impl<'a> History<'a> {
    /// Pair the lines of a history, leaving the nemesis out. In a damaged history a completion
    /// without an invocation is skipped, and of two invocations in a row by one process the first
    /// stays open.
    pub fn new(lines: &'a [Op]) -> Self {
        let mut ordered: Vec<&Op> = lines.iter().filter(|op| op.process != NEMESIS).collect();
        if !ordered.is_sorted_by_key(|op| op.index) {
            ordered.sort_by_key(|op| op.index);
        }
        let mut operations: Vec<Operation<'a>> = Vec::with_capacity(ordered.len() / 2);
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        for op in ordered {
            if op.op_type == OpType::Invoke {
                open.insert(&op.process, operations.len());
                operations.push(Operation {
                    process: &op.process,
                    f: &op.f,
                    argument: &op.value,
                    invoked: op.index,
                    invoked_us: op.time_us,
                    outcome: Outcome::Open,
                    completion: None,
                });
                continue;
            }
            let Some(position) = open.remove(&*op.process) else { continue };
            let operation = &mut operations[position];
            operation.completion = Some(op);
            operation.outcome = match op.op_type {
                OpType::Ok => Outcome::Ok,
                OpType::Fail => Outcome::Fail,
                OpType::Info | OpType::Invoke => Outcome::Open,
            };
        }
        History { operations }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(index: u64, process: &'static str, op_type: OpType, value: &'static str) -> Op {
        let (f, error) = ("write".into(), "".into());
        Op {
            index,
            time_us: index * 10,
            process: process.into(),
            op_type,
            f,
            value: value.into(),
            error,
        }
    }

    /// Completions belong to the open operation of their own process, whatever others do in
    /// between; the nemesis is not a client.
    #[test]
    fn completions_are_paired_by_process() {
        let lines = [
            op(0, "c1", OpType::Invoke, "k0=1"),
            op(1, "nemesis", OpType::Invoke, "p: n1"),
            op(2, "c2", OpType::Invoke, "k0=2"),
            op(3, "c1", OpType::Ok, "k0=1"),
            op(4, "c2", OpType::Fail, "k0=2"),
        ];
        let history = History::new(&lines);
        let ends: Vec<_> = history
            .operations
            .iter()
            .map(|each| (each.process, each.outcome, each.completed_us()))
            .collect();
        assert_eq!(ends, [("c1", Outcome::Ok, Some(30)), ("c2", Outcome::Fail, Some(40))]);
    }

    /// A stray completion has nothing to complete, and a second invocation shows that the first
    /// one's completion was lost.
    #[test]
    fn damaged_histories_leave_operations_open() {
        let lines = [
            op(0, "c1", OpType::Ok, "k0=9"),
            op(1, "c1", OpType::Invoke, "k0=1"),
            op(2, "c1", OpType::Invoke, "k0=2"),
            op(3, "c1", OpType::Info, "k0=2"),
            op(4, "c1", OpType::Ok, "k0=2"),
        ];
        let history = History::new(&lines);
        let ends: Vec<_> = history
            .operations
            .iter()
            .map(|each| (each.argument, each.outcome, each.completed_us()))
            .collect();
        assert_eq!(ends, [("k0=1", Outcome::Open, None), ("k0=2", Outcome::Open, Some(30))]);
    }
}

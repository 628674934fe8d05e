//! Damage to durable data done by the nemesis: afterwards a node may have forgotten its promises
//! and is not to blame.

use crate::trace::{NEMESIS, NodeId, OpType, Trace};

/// The faults that change durable data; a fault drawn by a composed one is recorded under its own
/// name. Lost and torn writes are not among them, because what they lose was never synced.
const DAMAGING: &[&str] = &["bitflip", "truncate", "stale_restore", "wipe"];

/// The periods during which each node's disk was damaged.
pub struct Damage {
    spans: Vec<Span>,
}

struct Span {
    value: String,
    /// The affected nodes; all if the targets name none.
    nodes: Vec<NodeId>,
    begin: u64,
    end: u64,
}

impl Damage {
    /// The damage done by the nemesis in this run.
    pub fn new(trace: &Trace) -> Self {
        let mut spans: Vec<Span> = Vec::new();
        for op in trace.history.iter().filter(|op| op.process == NEMESIS) {
            if !DAMAGING.contains(&&*op.f) {
                continue;
            }
            match op.op_type {
                OpType::Invoke => {
                    let nodes = targets(trace, &op.value);
                    spans.push(Span {
                        value: op.value.to_string(),
                        nodes,
                        begin: op.index,
                        end: u64::MAX,
                    });
                }
                _ => {
                    if let Some(span) =
                        spans.iter_mut().find(|span| span.end == u64::MAX && span.value == op.value)
                    {
                        span.end = op.index;
                    }
                }
            }
        }
        Damage { spans }
    }

    /// Whether the node's disk was damaged at some moment between two records, given by index.
    pub fn between(&self, node: NodeId, from: u64, to: u64) -> bool {
        self.spans.iter().any(|span| {
            span.begin <= to
                && span.end >= from
                && (span.nodes.is_empty() || span.nodes.contains(&node))
        })
    }
}

/// The nodes named in the value of a nemesis line.
fn targets(trace: &Trace, value: &str) -> Vec<NodeId> {
    let targets = value.split_once(": ").map_or(value, |(_, targets)| targets);
    let words = targets.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    words.filter_map(|word| trace.node(word)).collect()
}

//! Damage to durable data, as the nemesis did it: after it a node has forgotten what it promised,
//! and is not to blame.

use crate::trace::{NEMESIS, NodeId, OpType, Trace};

/// The faults that change what was durable; one that a composed fault has drawn is recorded under
/// its own name. Lost and torn writes are not among them: what they take was never synced.
const DAMAGING: &[&str] = &["bitflip", "truncate", "stale_restore", "wipe"];

/// From when to when the disk of each node was damaged.
pub struct Damage {
    spans: Vec<Span>,
}

struct Span {
    value: String,
    /// The nodes hit; all where the targets name none.
    nodes: Vec<NodeId>,
    begin: u64,
    end: u64,
}

impl Damage {
    /// The damage that the nemesis did in this run.
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

    /// Whether the node's disk was damaged at some moment between two records, by their order.
    pub fn between(&self, node: NodeId, from: u64, to: u64) -> bool {
        self.spans.iter().any(|span| {
            span.begin <= to
                && span.end >= from
                && (span.nodes.is_empty() || span.nodes.contains(&node))
        })
    }
}

/// The nodes that the value of a nemesis line names.
fn targets(trace: &Trace, value: &str) -> Vec<NodeId> {
    let targets = value.split_once(": ").map_or(value, |(_, targets)| targets);
    let words = targets.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
    words.filter_map(|word| trace.node(word)).collect()
}

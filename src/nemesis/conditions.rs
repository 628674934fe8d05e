//! Conditions of `when`: what nodes show, what they do, what they are sent.

use crate::faults::{Groups, Status, World, is_meant};
use crate::scenario::Condition;
use crate::trace::{Fields, NodeId, Value};

/// Something that the driver has told.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight<'a> {
    /// A metric of a node has a new value.
    Metric { node: NodeId, metric: &'a str, value: &'a Value },
    /// A node has observed an event, or the testbed has of a node.
    Event { node: NodeId, name: &'a str, fields: &'a Fields },
    /// A message was delivered.
    Message { src: NodeId, dest: NodeId, kind: &'a str },
}

/// Whether what was seen is what a condition waits for (a first, a second, … time).
pub(super) fn fits(
    world: &dyn World,
    groups: &Groups,
    condition: &Condition,
    sight: Sight<'_>,
) -> bool {
    let at = |spec: &str, node| is_meant(world, groups, spec, node);
    match (condition, sight) {
        (Condition::Metric { metric: wanted, .. }, Sight::Metric { node, metric, value }) => {
            wanted == metric && metric_holds(world, groups, condition, node, value)
        }
        (
            Condition::Event { event, node: spec, fields, .. },
            Sight::Event { node, name, fields: shown },
        ) => {
            let has = |(wanted, text): &(String, String)| {
                shown.get(wanted).is_some_and(|value| reads(world, value, text))
            };
            event == name && at(spec, node) && fields.iter().all(has)
        }
        (
            Condition::Message { message, src: from, dest: to, .. },
            Sight::Message { src, dest, kind },
        ) => message == kind && at(from, src) && at(to, dest),
        _ => false,
    }
}

/// Whether a condition on a metric holds now that `node` shows `value`. `all` means every node that
/// has a process.
fn metric_holds(
    world: &dyn World,
    groups: &Groups,
    condition: &Condition,
    node: NodeId,
    value: &Value,
) -> bool {
    let Condition::Metric { metric, node: spec, at_least, at_most, equals } = condition else {
        return false;
    };
    let good = |value: &Value| {
        let number = value.int().map(|value| value as f64);
        at_least.is_none_or(|bound| number.is_some_and(|number| number >= bound))
            && at_most.is_none_or(|bound| number.is_some_and(|number| number <= bound))
            && equals.as_ref().is_none_or(|text| reads(world, value, text))
    };
    // The world may not know the new value yet, so what was told goes before what can be looked up.
    let of_status = metric == "status";
    let shown = |each: NodeId| {
        if of_status { Some(status(world, each)) } else { world.metric(each, metric) }
    };
    let holds_at = |each: NodeId| {
        if each == node { good(value) } else { shown(each).as_ref().is_some_and(good) }
    };
    if spec == "all" {
        let runs =
            |each: &NodeId| of_status || matches!(world.status(*each), Status::Up | Status::Paused);
        return world.nodes().into_iter().filter(runs).all(holds_at);
    }
    world.nodes().into_iter().filter(|each| is_meant(world, groups, spec, *each)).any(holds_at)
}

/// The metric `status`, which the testbed records and not the node.
fn status(world: &dyn World, node: NodeId) -> Value {
    let word = match world.status(node) {
        Status::Up => "up",
        Status::Down => "down",
        Status::Paused => "paused",
        Status::Absent => "absent",
    };
    Value::Text(word.into())
}

/// Whether a value reads so in a trace.
fn reads(world: &dyn World, value: &Value, text: &str) -> bool {
    match value {
        Value::Int(number) => text.parse() == Ok(*number),
        Value::Node(node) => world.name(*node) == text,
        Value::Hash(hash) => format!("#{hash:016x}") == text,
        Value::Text(word) => word == text,
    }
}

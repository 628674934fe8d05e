//! The first record in which two traces differ: where determinism was lost, or what a change of the
//! program affected.

use std::fmt;

use super::summary::seconds;
use crate::trace::{CSV_FILES, Message, Record, Trace};

/// The first difference between two traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The moment from which the two runs differ, µs.
    pub time_us: u64,
    /// The list in which the difference shows: the name of its file, or `nodes`.
    pub list: &'static str,
    /// The line of that file, from 1 (the first line has the column names).
    pub line: usize,
    /// The record of the first trace; `None` if its list ended before.
    pub first: Option<String>,
    /// The record of the second trace; `None` if its list ended before.
    pub second: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let record = |record: &Option<String>| {
            record.clone().unwrap_or_else(|| "(no such record)".to_owned())
        };
        writeln!(
            f,
            "first difference at {} in {} line {}",
            seconds(self.time_us),
            self.list,
            self.line
        )?;
        writeln!(f, "  before  {}", record(&self.first))?;
        write!(f, "  now     {}", record(&self.second))
    }
}

/// Compare two traces record by record. `None` means that they are equal.
pub fn first_difference(a: &Trace, b: &Trace) -> Option<Difference> {
    if a.nodes != b.nodes || (a.duration_us, a.end_us) != (b.duration_us, b.end_us) {
        let header = |trace: &Trace| {
            let names: Vec<&str> = trace.nodes.iter().map(|node| node.name.as_str()).collect();
            Some(format!(
                "{} until {} µs and {} µs",
                names.join(","),
                trace.duration_us,
                trace.end_us
            ))
        };
        return Some(Difference {
            time_us: 0,
            list: "nodes",
            line: 1,
            first: header(a),
            second: header(b),
        });
    }
    let [history, events, messages, metrics] = CSV_FILES;
    // Of two differences at the same time the earlier list wins: an event says more than a message.
    let candidates = [
        first_in(a, b, events, &a.events, &b.events, Record::Event, |event| event.time_us),
        first_in(a, b, history, &a.history, &b.history, Record::Op, |op| op.time_us),
        first_message(a, b, messages),
        first_in(a, b, metrics, &a.metrics, &b.metrics, Record::Metric, |metric| metric.time_us),
    ];
    candidates.into_iter().flatten().min_by_key(|difference| difference.time_us)
}

/// The first difference between two lists ordered by time.
fn first_in<'a, T: PartialEq>(
    a: &'a Trace,
    b: &'a Trace,
    list: &'static str,
    ours: &'a [T],
    theirs: &'a [T],
    record: fn(&'a T) -> Record<'a>,
    time_us: fn(&T) -> u64,
) -> Option<Difference> {
    let same = ours.iter().zip(theirs).take_while(|(one, other)| one == other).count();
    let (one, other) = (ours.get(same), theirs.get(same));
    let time_us = [one, other].into_iter().flatten().map(time_us).min()?;
    let line = |trace: &Trace, it: Option<&'a T>| it.map(|it| record(it).line(trace));
    Some(Difference { time_us, list, line: same + 2, first: line(a, one), second: line(b, other) })
}

/// The earliest difference between messages. They are ordered by sending but may differ only in
/// their later fate, so all are searched.
fn first_message(a: &Trace, b: &Trace, list: &'static str) -> Option<Difference> {
    let longer = a.messages.len().max(b.messages.len());
    let pairs = (0..longer).map(|i| (i, a.messages.get(i), b.messages.get(i)));
    let (time_us, i, one, other) = pairs
        .filter(|(_, one, other)| one != other)
        .map(|(i, one, other)| (parted_us(one, other), i, one, other))
        .min_by_key(|found| (found.0, found.1))?;
    let line = |trace: &Trace, it: Option<&Message>| it.map(|it| Record::Message(it).line(trace));
    Some(Difference { time_us, list, line: i + 2, first: line(a, one), second: line(b, other) })
}

/// When the fates of a message diverged.
fn parted_us(one: Option<&Message>, other: Option<&Message>) -> u64 {
    let sending = |message: &Message| {
        (message.sent_us, message.src, message.dest, message.kind.clone(), message.bytes)
    };
    match (one, other) {
        (Some(one), Some(other))
            if sending(one) == sending(other) && one.detail == other.detail =>
        {
            one.recv_us.unwrap_or(u64::MAX).min(other.recv_us.unwrap_or(u64::MAX)).max(one.sent_us)
        }
        _ => [one, other]
            .into_iter()
            .flatten()
            .map(|message| message.sent_us)
            .min()
            .unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Detail, Event, Fields, Metric, NodeId, NodeInfo, Outcome, Value};

    fn trace() -> Trace {
        let message = |id, sent_us| Message {
            id,
            sent_us,
            recv_us: Some(sent_us + 500),
            src: NodeId(0),
            dest: NodeId(1),
            kind: "Ping".into(),
            bytes: 8,
            outcome: Outcome::Delivered,
            detail: Detail::None,
        };
        let event = |index, time_us| Event {
            index,
            time_us,
            node: NodeId(1),
            incarnation: 1,
            name: "vote".into(),
            fields: Fields::new(&["term"], &[Value::Int(1)]),
        };
        Trace {
            nodes: ["n1", "n2"]
                .map(|name| NodeInfo { name: name.into(), role: "peer".into() })
                .into(),
            messages: vec![message(0, 1_000), message(1, 2_000)],
            events: vec![event(0, 1_500), event(1, 2_500)],
            metrics: vec![Metric {
                time_us: 2_500,
                node: NodeId(1),
                name: "term".into(),
                value: Value::Int(1),
            }],
            ..Trace::default()
        }
    }

    /// A trace does not differ from itself.
    #[test]
    fn equal_traces_have_no_difference() {
        assert_eq!(first_difference(&trace(), &trace()), None);
    }

    /// A message that arrived at another time explains the late vote, not the other way round.
    #[test]
    fn the_difference_that_came_first_is_named() {
        let mut other = trace();
        other.messages[1].recv_us = Some(2_400);
        other.events[1].time_us = 2_600;
        insta::assert_snapshot!(first_difference(&trace(), &other).expect("they differ"));
    }

    /// At the same moment the event is reported, because it says what the node did; and a list that
    /// ends early differs where it ends.
    #[test]
    fn a_missing_record_is_a_difference() {
        let mut other = trace();
        other.events.pop();
        other.metrics.pop();
        insta::assert_snapshot!(first_difference(&trace(), &other).expect("they differ"));
        assert_eq!(first_difference(&other, &trace()).expect("they differ").first, None);
    }

    /// Traces of different clusters differ in their nodes, before any record.
    #[test]
    fn other_nodes_are_a_difference() {
        let mut other = trace();
        other.nodes[1].name = "n3".into();
        assert_eq!(first_difference(&trace(), &other).expect("they differ").list, "nodes");
    }
}

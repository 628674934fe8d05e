//! The plots draw whatever stands in a trace, and nothing of a run in which nothing happened.

use super::*;
use crate::trace::{Event, Fields, Metric, NodeInfo, Value};

fn trace() -> Trace {
    let node = |name: &str, role: &'static str| NodeInfo { name: name.into(), role: role.into() };
    let nodes =
        vec![node("replica1", "replica"), node("replica2", "replica"), node("c1", "client")];
    Trace { nodes, end_us: 10_000_000, duration_us: 8_000_000, ..Trace::default() }
}

fn event(time_us: u64, node: u32, name: &'static str, fields: &[(&str, Value)]) -> Event {
    let (names, values) =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).unzip();
    Event {
        index: time_us,
        time_us,
        node: NodeId(node),
        incarnation: 1,
        name: name.into(),
        fields: Fields::owned(names, values),
    }
}

/// The second record was final for 300 ms when a follower still showed the first one.
#[test]
fn the_age_of_a_read_counts_from_the_next_record() {
    let mut trace = trace();
    let seq = |seq: i64| [("seq", Value::Int(seq))];
    trace.events.push(event(1_000_000, 0, "final", &seq(1)));
    trace.events.push(event(2_000_000, 0, "final", &seq(2)));
    trace.events.push(event(2_300_000, 1, "read", &seq(1)));
    trace.events.push(event(2_400_000, 1, "read", &seq(2)));
    let drawing = (STALENESS.draw)(&trace).expect("there are reads");
    assert!(
        drawing.svg.contains("2 reads, 1 of them old (50.0 %), the oldest by 300 ms"),
        "{}",
        drawing.svg
    );
}

/// A write of 40 ms that the last replica had after 70 ms.
#[test]
fn a_write_is_followed_to_the_last_replica() {
    let mut trace = trace();
    let record = [("hash", Value::Hash(7)), ("seq", Value::Int(1))];
    trace.events.push(event(1_000_000, 0, "stored", &record));
    trace.events.push(event(1_040_000, 0, "answered", &record));
    trace.events.push(event(1_070_000, 1, "stored", &record));
    let drawing = (WRITE_PATH.draw)(&trace).expect("there is a write");
    assert!(drawing.svg.contains("Answered: 1 writes, median 40.0 ms"), "{}", drawing.svg);
    assert!(drawing.svg.contains("On all replicas: 1 writes, median 70.0 ms"), "{}", drawing.svg);
}

/// Absurd numbers of a trace that somebody has edited have a place too.
#[test]
fn damaged_traces_are_drawn_or_not_but_never_panic() {
    let mut trace = trace();
    for number in [i64::MIN, -1, 0, i64::MAX] {
        for (time_us, name) in [
            (u64::MAX, "final"),
            (0, "read"),
            (5, "stored"),
            (4, "answered"),
            (3, "view"),
            (9, "leads"),
        ] {
            trace.events.push(event(
                time_us,
                7,
                name,
                &[("seq", Value::Int(number)), ("version", Value::Int(number))],
            ));
        }
        let value = Value::Int(number);
        trace.metrics.push(Metric { time_us: 1, node: NodeId(0), name: "serving".into(), value });
    }
    for plot in [&PROMOTIONS, &STALENESS, &WRITE_PATH] {
        let _ = (plot.draw)(&trace);
    }
}

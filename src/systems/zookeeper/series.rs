//! The time series as CSV, made from the trace alone: every mean that the store has accepted, in
//! that order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::systems::Artifact;
use crate::trace::{NodeId, Trace};

/// `time_series.csv`, if there is a store.
///
/// The times are true virtual ones since the start of the run, not the timestamps that the store
/// gives by its own clock: those jump where a fault makes them, and the order of the rows would be
/// no order of times. The sender is the instance that had this epoch.
pub fn time_series(trace: &Trace) -> Option<Artifact> {
    trace.with_role("store").next()?;
    let events = |name: &'static str| trace.events.iter().filter(move |event| event.name == name);
    let senders: BTreeMap<i64, NodeId> =
        events("mean").filter_map(|event| Some((event.fields.int("epoch")?, event.node))).collect();
    let mut text = "ms,value,epoch,sender,anomaly\n".to_owned();
    for event in events("store_mean") {
        let (Some(epoch), Some(milli)) = (event.fields.int("epoch"), event.fields.int("milli"))
        else {
            continue;
        };
        let sender = senders.get(&epoch).map_or("", |node| trace.name(*node));
        let anomaly = if event.fields.int("anomaly") == Some(1) { "yes" } else { "no" };
        let _ = writeln!(
            text,
            "{},{},{epoch},{sender},{anomaly}",
            event.time_us / 1_000,
            decimal(milli)
        );
    }
    Some(("time_series.csv".to_owned(), text.into_bytes()))
}

/// Thousandths as a decimal number with three places.
fn decimal(milli: i64) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", milli.unsigned_abs() / 1_000, milli.unsigned_abs() % 1_000)
}

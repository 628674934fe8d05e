//! The time series as CSV, made from the trace alone: every mean that the store has accepted, in
//! that order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::systems::Artifact;
use crate::trace::{NodeId, Trace};
use crate::vocabulary::Event as _;

use super::vocabulary::{Mean, StoreMean};

/// `time_series.csv`, if there is a store.
///
/// The times are true virtual ones since the start of the run, not the timestamps that the store
/// gives by its own clock: those jump where a fault makes them, and the order of the rows would be
/// no order of times. The sender is the instance that had this epoch.
pub fn time_series(trace: &Trace) -> Option<Artifact> {
    trace.with_role("store").next()?;
    let mut senders: BTreeMap<u64, NodeId> = BTreeMap::new();
    let mut text = "ms,value,epoch,sender,anomaly\n".to_owned();
    for event in trace.events.iter().filter(|event| event.name == Mean::NAME) {
        senders.extend(Mean::read(&event.fields).map(|mean| (mean.epoch, event.node)));
    }
    for event in trace.events.iter().filter(|event| event.name == StoreMean::NAME) {
        let Some(StoreMean { epoch, milli, anomaly, .. }) = StoreMean::read(&event.fields) else {
            continue;
        };
        let sender = senders.get(&epoch).map_or("", |node| trace.name(*node));
        let anomaly = if anomaly.0 == Some(true) { "yes" } else { "no" };
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

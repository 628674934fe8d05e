//! Statistics of a trace, in integers that are the same on every machine.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::trace::{NEMESIS, OpType, Outcome, Trace};

/// The statistics in `results.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Length of the run, µs of virtual time.
    pub virtual_us: u64,
    /// All operations of all clients.
    pub operations: OperationCounts,
    /// The same for each kind of operation.
    pub operations_by_f: BTreeMap<String, OperationCounts>,
    /// From invocation to `ok`; `None` if no operation ended `ok`.
    pub latency: Option<LatencyStatistics>,
    /// Messages.
    pub messages: MessageStatistics,
    /// How often a node became leader.
    pub elections: u64,
    /// How often the nemesis started a fault.
    pub faults: u64,
    /// Events by name.
    pub events: BTreeMap<String, u64>,
}

/// Operations by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationCounts {
    /// All that were invoked.
    pub invoked: u64,
    /// Took effect.
    pub ok: u64,
    /// Certainly took no effect.
    pub fail: u64,
    /// May have taken effect.
    pub info: u64,
    /// Not completed when the run ended.
    pub open: u64,
}

/// Latencies of operations that ended `ok`, µs. Percentiles are by nearest rank: the smallest
/// latency that this share of operations does not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyStatistics {
    /// The minimum.
    pub min_us: u64,
    /// The mean, rounded down.
    pub mean_us: u64,
    /// The median.
    pub p50_us: u64,
    /// The 90th percentile.
    pub p90_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
    /// The maximum.
    pub max_us: u64,
}

/// The messages of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageStatistics {
    /// All, including duplicates.
    pub sent: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// By outcome, in the words of `messages.csv`.
    pub by_outcome: BTreeMap<String, u64>,
    /// By message type.
    pub by_type: BTreeMap<String, u64>,
}

impl Statistics {
    /// The statistics of a trace.
    pub fn of(trace: &Trace) -> Statistics {
        let (operations_by_f, latencies) = operations(trace);
        let mut messages = MessageStatistics::default();
        let mut outcomes: BTreeMap<Outcome, u64> = BTreeMap::new();
        let mut types: BTreeMap<&str, u64> = BTreeMap::new();
        for message in &trace.messages {
            messages.sent += 1;
            messages.bytes += u64::from(message.bytes);
            *outcomes.entry(message.outcome).or_default() += 1;
            *types.entry(&message.kind).or_default() += 1;
        }
        messages.by_outcome = outcomes
            .into_iter()
            .map(|(outcome, count)| (outcome.word().to_owned(), count))
            .collect();
        messages.by_type =
            types.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
        let mut events: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &trace.events {
            *events.entry(&event.name).or_default() += 1;
        }
        Statistics {
            virtual_us: trace.end_us,
            operations: operations_by_f
                .values()
                .fold(OperationCounts::default(), OperationCounts::plus),
            operations_by_f,
            latency: LatencyStatistics::of(latencies),
            messages,
            elections: elections(trace),
            faults: trace.faults().len() as u64,
            events: events.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        }
    }
}

impl OperationCounts {
    fn plus(self, other: &OperationCounts) -> OperationCounts {
        OperationCounts {
            invoked: self.invoked + other.invoked,
            ok: self.ok + other.ok,
            fail: self.fail + other.fail,
            info: self.info + other.info,
            open: self.open + other.open,
        }
    }
}

impl LatencyStatistics {
    fn of(mut latencies: Vec<u64>) -> Option<LatencyStatistics> {
        latencies.sort_unstable();
        let (min, max) = (*latencies.first()?, *latencies.last()?);
        let count = latencies.len();
        let percentile = |percent: usize| latencies[(count * percent).div_ceil(100).max(1) - 1];
        let sum: u128 = latencies.iter().map(|latency| u128::from(*latency)).sum();
        Some(LatencyStatistics {
            min_us: min,
            mean_us: u64::try_from(sum / count as u128).expect("a mean is at most the maximum"),
            p50_us: percentile(50),
            p90_us: percentile(90),
            p99_us: percentile(99),
            max_us: max,
        })
    }
}

/// Counts of the operations of all clients, without the other statistics: for the rows of a sweep.
pub fn count_operations(trace: &Trace) -> OperationCounts {
    operations(trace).0.values().fold(OperationCounts::default(), OperationCounts::plus)
}

/// How often a node became leader.
pub fn elections(trace: &Trace) -> u64 {
    trace.events.iter().filter(|event| event.name == "leader").count() as u64
}

/// Counts by operation, and the latency of each `ok` one.
fn operations(trace: &Trace) -> (BTreeMap<String, OperationCounts>, Vec<u64>) {
    let mut counts: BTreeMap<&str, OperationCounts> = BTreeMap::new();
    let mut latencies = Vec::new();
    // When each process's open operation was invoked; a process has at most one.
    let mut open: BTreeMap<&str, u64> = BTreeMap::new();
    for op in trace.history.iter().filter(|op| op.process != NEMESIS) {
        let count = counts.entry(&op.f).or_default();
        match op.op_type {
            OpType::Invoke => {
                count.invoked += 1;
                open.insert(&op.process, op.time_us);
                continue;
            }
            OpType::Ok => count.ok += 1,
            OpType::Fail => count.fail += 1,
            OpType::Info => count.info += 1,
        }
        let began = open.remove(op.process.as_ref());
        if let (OpType::Ok, Some(began)) = (op.op_type, began) {
            latencies.push(op.time_us.saturating_sub(began));
        }
    }
    for count in counts.values_mut() {
        count.open = count.invoked.saturating_sub(count.ok + count.fail + count.info);
    }
    (counts.into_iter().map(|(f, count)| (f.to_owned(), count)).collect(), latencies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Op, Word};

    fn op(time_us: u64, process: &'static str, op_type: OpType, f: &'static str) -> Op {
        Op {
            index: 0,
            time_us,
            process: process.into(),
            op_type,
            f: f.into(),
            value: Word::default(),
            error: Word::default(),
        }
    }

    /// An unanswered operation is open, a timeout is `info`, and neither has a latency; the nemesis
    /// is not a client.
    #[test]
    fn operations_are_counted_by_their_end() {
        let history = vec![
            op(0, NEMESIS, OpType::Invoke, "kill"),
            op(10, "c1", OpType::Invoke, "read"),
            op(20, "c2", OpType::Invoke, "write"),
            op(110, "c1", OpType::Ok, "read"),
            op(120, "c1", OpType::Invoke, "cas"),
            op(150, "c1", OpType::Fail, "cas"),
            op(500, "c2", OpType::Info, "write"),
            op(510, "c2", OpType::Invoke, "write"),
        ];
        let statistics = Statistics::of(&Trace { history, end_us: 600, ..Trace::default() });
        assert_eq!(
            statistics.operations,
            OperationCounts { invoked: 4, ok: 1, fail: 1, info: 1, open: 1 }
        );
        assert_eq!(
            statistics.operations_by_f["write"],
            OperationCounts { invoked: 2, info: 1, open: 1, ..OperationCounts::default() }
        );
        assert_eq!(
            statistics.latency.map(|latency| (latency.min_us, latency.max_us)),
            Some((100, 100))
        );
        assert_eq!(statistics.faults, 1);
    }

    /// By nearest rank the median of 1 to 100 is 50 and the 99th percentile 99: values that
    /// occurred, without interpolation.
    #[test]
    fn percentiles_are_values_that_occurred() {
        let latency = LatencyStatistics::of((1..=100).rev().collect()).expect("there are some");
        assert_eq!(
            (latency.p50_us, latency.p90_us, latency.p99_us, latency.mean_us),
            (50, 90, 99, 50)
        );
        let one = LatencyStatistics::of(vec![7]).expect("there is one");
        assert_eq!((one.min_us, one.p50_us, one.p99_us, one.max_us), (7, 7, 7, 7));
        assert_eq!(LatencyStatistics::of(vec![]), None);
    }
}

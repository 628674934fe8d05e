//! Runs scenarios with many seeds on several threads.
//!
//! Every run has its own thread (the driver ensures that), a trace is dropped as soon as its row is
//! made, and the rows come out in the order of scenarios and seeds whatever the number of jobs. So
//! the table has the same bytes on one core and on sixty-four, and memory grows with the number of
//! seeds only by their rows.

mod table;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

pub use table::{COLUMNS, Row, RowVerdict, Table};

use crate::run::Run;
use crate::scenario::Scenario;

/// The maximum number of runs ahead of the awaited row, so that a slow run cannot make the rows
/// behind it pile up without limit.
const AHEAD_MAX: usize = 10_000;

/// Run each scenario with each seed, `jobs` at a time, and hand over the rows in order. `run` may
/// panic: that is a bug in the testbed, and the row says so.
pub fn sweep(
    scenarios: &[Scenario],
    seeds: Range<u64>,
    jobs: usize,
    run: &(dyn Fn(&Scenario, u64) -> Run + Sync),
    mut each: impl FnMut(&Scenario, Row),
) {
    let per_scenario = usize::try_from(seeds.end.saturating_sub(seeds.start))
        .expect("fewer seeds than the address space has bytes");
    let total = per_scenario
        .checked_mul(scenarios.len())
        .expect("fewer runs than the address space has bytes");
    let next = AtomicUsize::new(0);
    let emitted = AtomicUsize::new(0);
    let work = |position: usize| {
        let scenario = &scenarios[position / per_scenario];
        let seed = seeds.start + (position % per_scenario) as u64;
        match catch_unwind(AssertUnwindSafe(|| Row::of(&run(scenario, seed), scenario, seed))) {
            Ok(row) => row,
            Err(payload) => Row::error(scenario, seed, &panic_text(payload.as_ref())),
        }
    };
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..jobs.max(1).min(total) {
            let (sender, next, emitted, work) = (sender.clone(), &next, &emitted, &work);
            scope.spawn(move || {
                loop {
                    let position = next.fetch_add(1, Ordering::Relaxed);
                    if position >= total {
                        return;
                    }
                    while position.saturating_sub(emitted.load(Ordering::Acquire)) > AHEAD_MAX {
                        thread::sleep(std::time::Duration::from_millis(1));
                    }
                    if sender.send((position, work(position))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut expected = 0;
        for (position, row) in receiver {
            waiting.insert(position, row);
            while let Some(row) = waiting.remove(&expected) {
                each(&scenarios[expected / per_scenario], row);
                expected += 1;
                emitted.store(expected, Ordering::Release);
            }
        }
        assert_eq!(expected, total, "every run of a sweep yields a row");
    });
}

/// The message of a panic.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::{Overall, Verdict, Violation};
    use crate::run::Judgement;
    use crate::sim::tests::scenario;
    use crate::trace::{Digest, Trace};

    /// A run as a function of its seed. Smaller seeds take longer, so that runs do not end in the
    /// order in which they started.
    fn run(scenario: &Scenario, seed: u64) -> Run {
        std::thread::sleep(std::time::Duration::from_micros(3_000 / (seed + 1)));
        assert_ne!(seed, 5, "a bug in the testbed");
        let verdict = match seed % 4 {
            1 => Verdict::Unknown("the search met its limit".into()),
            2 => {
                let violation = |time_us| Violation {
                    check: "safety",
                    time_us,
                    nodes: vec![],
                    message: format!("seed {seed}, \"badly\""),
                };
                Verdict::Invalid(vec![violation(2_000_000 + seed), violation(1_000_000 + seed)])
            }
            _ => Verdict::Valid,
        };
        let trace =
            Trace { scenario: scenario.name.clone(), seed, end_us: seed, ..Trace::default() };
        let digest = Digest::of(&trace);
        let valid =
            Judgement { check: "liveness", params: Default::default(), verdict: Verdict::Valid };
        Run {
            acted: vec![],
            trace,
            digest,
            judgements: vec![
                valid,
                Judgement { check: "safety", params: Default::default(), verdict },
            ],
            aborted: None,
            log: vec![],
            stall: None,
            last_words: vec![],
        }
    }

    fn table(jobs: usize) -> String {
        let scenarios = ["one", "two"].map(|name| Scenario { name: name.into(), ..scenario(1, 1) });
        let mut table = Table::default();
        sweep(&scenarios, 0..10, jobs, &run, |_, row| table.push(&row));
        String::from_utf8(table.into_bytes()).expect("names and messages are UTF-8")
    }

    /// Two people with different machines must be able to compare their tables with `cmp`. A run in
    /// which the testbed fails affects only its own row.
    #[test]
    fn the_table_has_the_same_bytes_whatever_the_number_of_jobs() {
        let one = table(1);
        insta::assert_snapshot!(one);
        for jobs in [2, 3, 64] {
            assert_eq!(table(jobs), one, "{jobs} jobs");
        }
    }

    /// A row is handed over as soon as those before it have been, and its verdict is that of the
    /// worst check.
    #[test]
    fn rows_come_in_order_with_the_verdict_of_the_worst_check() {
        let mut rows = Vec::new();
        sweep(&[scenario(1, 1)], 0..5, 3, &run, |_, row| rows.push((row.seed, row.verdict)));
        let judged = |overall| RowVerdict::Judged(overall);
        let expected =
            [Overall::Valid, Overall::Unknown, Overall::Invalid, Overall::Valid, Overall::Valid];
        assert_eq!(rows, (0..5).zip(expected.map(judged)).collect::<Vec<_>>());
    }
}

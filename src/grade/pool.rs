//! Runs tasks on several threads; the results are in the order of the tasks, whatever the number of
//! threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::sweep::panic_text;

/// Run all tasks, `jobs` at a time; `kept` creates each worker's state, which it keeps from one
/// task to the next. A task that panics yields the panic's text: that is a bug in the testbed, and
/// affects no other task.
pub(super) fn run_all<T: Sync, R: Send, K>(
    jobs: usize,
    tasks: &[T],
    kept: &(dyn Fn() -> K + Sync),
    work: &(dyn Fn(&mut K, &T) -> R + Sync),
) -> Vec<Result<R, String>> {
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<Result<R, String>>> = Vec::new();
    results.resize_with(tasks.len(), || None);
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let jobs = jobs.clamp(1, tasks.len().max(1));
        for job in 0..jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                keep_to_a_core(job, jobs);
                let mut kept = kept();
                while let Some((position, task)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|at| Some((at, tasks.get(at)?)))
                {
                    let result = catch_unwind(AssertUnwindSafe(|| work(&mut kept, task)))
                        .map_err(|payload| panic_text(payload.as_ref()));
                    if sender.send((position, result)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (position, result) in receiver {
            results[position] = Some(result);
        }
    });
    results
        .into_iter()
        .map(|result| result.unwrap_or_else(|| Err("a task was lost".to_owned())))
        .collect()
}

/// A simulation and its programs take turns and never run at the same time: on one core their
/// conversation costs a fraction of what it costs between two. With more jobs than cores, placement
/// is left to the kernel.
#[cfg(target_os = "linux")]
fn keep_to_a_core(job: usize, jobs: usize) {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let Ok(allowed) = sched_getaffinity(None) else { return };
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    if jobs > cores.clone().count() {
        return;
    }
    let Some(core) = cores.nth(job) else { return };
    let mut own = CpuSet::new();
    own.set(core);
    // If this is not allowed, only speed is lost.
    let _ = sched_setaffinity(None, &own);
}

#[cfg(not(target_os = "linux"))]
fn keep_to_a_core(_job: usize, _jobs: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Results are in the order of their tasks, and a failing task costs no other task its result.
    #[test]
    fn results_come_in_the_order_of_the_tasks() {
        let tasks: Vec<u64> = (0..20).collect();
        let work = |done: &mut usize, task: &u64| {
            *done += 1;
            assert!((1..=tasks.len()).contains(done), "a worker keeps its own state");
            thread::sleep(std::time::Duration::from_micros(2_000 / (task + 1)));
            assert_ne!(*task, 5, "the fifth");
            task * 10
        };
        for jobs in [1, 2, 7, 100] {
            let results = run_all(jobs, &tasks, &|| 0, &work);
            let good: Vec<u64> =
                results.iter().filter_map(|result| result.as_ref().ok().copied()).collect();
            assert_eq!(
                good,
                (0..20).filter(|task| *task != 5).map(|task| task * 10).collect::<Vec<_>>()
            );
            assert!(
                results[5].as_ref().is_err_and(|text| text.contains("the fifth")),
                "{jobs} jobs"
            );
        }
        assert!(run_all(3, &[], &|| 0, &work).is_empty());
    }
}

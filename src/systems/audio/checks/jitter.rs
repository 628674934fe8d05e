//! The jitter that listeners show is that of RFC 3550, recomputed here from the arrivals in the
//! trace.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_jitter",
    summary: "The interarrival jitter of each listener follows the formula J += (|D| − J) / 16.",
    source: "RFC 3550 §6.4.1, A.8",
    params: &[],
    liveness: false,
    check,
};

#[derive(Default)]
struct Estimate {
    of: Option<(u32, NodeId, u64)>,
    transit_us: Option<i64>,
    scaled: i64,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut estimates: BTreeMap<NodeId, Estimate> = BTreeMap::new();
        for record in &audio.records {
            let Kind::Frame { session, from, media_us, arrival_us, paced: true, jitter_us } =
                record.kind
            else {
                continue;
            };
            let estimate = estimates.entry(record.node).or_default();
            if estimate.of.is_none_or(|(incarnation, ..)| incarnation != record.incarnation) {
                *estimate = Estimate::default();
            }
            // Another sender has another clock: nothing is between its first frame and the last one
            // before.
            if estimate.of.replace((record.incarnation, from, session))
                != Some((record.incarnation, from, session))
            {
                estimate.transit_us = None;
            }
            let transit = arrival_us.wrapping_sub(media_us);
            if let Some(before) = estimate.transit_us.replace(transit) {
                let apart = transit.wrapping_sub(before).saturating_abs();
                estimate.scaled = estimate
                    .scaled
                    .saturating_add(apart.saturating_sub(estimate.scaled.saturating_add(8) >> 4));
            }
            let right = estimate.scaled >> 4;
            if right != jitter_us {
                let name = audio.name(record.node);
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "{name} shows a jitter of {jitter_us} µs, but its arrivals have {right} µs"
                    )
                });
                // Told once: all that follows builds on it.
                estimate.scaled = jitter_us.saturating_mul(16);
            }
        }
    })
}

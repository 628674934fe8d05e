//! A jitter buffer has a limit: a sender with a fast clock, or a burst, must not fill it without
//! end.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_buffer_bounded",
    summary: "No jitter buffer holds more frames than its listener has declared.",
    source: "RFC 3550 §6.4.1 on buffers; every queue has a bound",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut most = BTreeMap::new();
        for record in &audio.records {
            if let Kind::Listener { buffer_max, .. } = record.kind {
                most.insert(record.node, buffer_max);
            }
        }
        for metric in case.trace.metrics.iter().filter(|metric| metric.name == "buffer_frames") {
            let depth = metric.value.int().and_then(|depth| u64::try_from(depth).ok());
            let (Some(depth), Some(most)) = (depth, most.get(&metric.node)) else { continue };
            if depth > *most {
                let name = audio.name(metric.node);
                findings.report(metric.time_us, &[metric.node], || {
                    format!("{name} has {depth} frames in its buffer, which holds {most}")
                });
            }
        }
    })
}

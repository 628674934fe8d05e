//! A listener that finds nobody asks less and less often, so that a failure of the servers is not
//! followed by a storm of their clients.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::findings::{number, seconds};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_backoff",
    summary: "The pauses between a listener's searches for a leader double, up to a second.",
    source: "exponential back-off, as in RFC 6298 §5.5",
    params: &[ParamInfo {
        name: "slack",
        duration: false,
        default: 0.8,
        range: (0.0, 1.0),
        doc: "a pause may be this part of what doubling asks for, because clocks drift",
    }],
    liveness: false,
    check,
};

const LONGEST_US: u64 = 1_000_000;

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let slack = number(params, "slack");
    judge_audio(case, CHECKER.name, |audio, findings| {
        // Of each listener: the first pause of its present series of attempts, the last attempt,
        // and when that was.
        let mut series: BTreeMap<(NodeId, u32), (u64, u64, u64)> = BTreeMap::new();
        for record in &audio.records {
            let Kind::Search { attempt, wait_us } = record.kind else { continue };
            let key = (record.node, record.incarnation);
            if let Some((first, last, at)) =
                series.get(&key).copied().filter(|(_, last, _)| attempt == last + 1)
            {
                let doublings = u32::try_from(last - 1).unwrap_or(u32::MAX).min(32);
                let right = first.saturating_mul(1 << doublings).min(LONGEST_US);
                let pause = record.time_us.saturating_sub(at);
                if (pause as f64) < slack * right as f64 {
                    let name = audio.name(record.node);
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "{name} searches for the {attempt}th time {} after the time before; {} \
                                would be right",
                            seconds(pause),
                            seconds(right)
                        )
                    });
                }
                series.insert(key, (first, attempt, record.time_us));
            } else if attempt == 1 {
                series.insert(key, (wait_us, 1, record.time_us));
            } else {
                series.remove(&key);
            }
        }
    })
}

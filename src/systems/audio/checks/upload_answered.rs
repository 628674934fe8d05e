//! Liveness of uploads: once everything has healed, an upload that was begun is confirmed in time.

use std::collections::BTreeMap;

use super::{Kind, judge_audio};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_upload_answered",
    summary: "Soon after everything has healed, every upload that was begun is confirmed.",
    source: "the assignment: the server confirms the upload",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 4_000_000.0,
        range: (0.0, 1e12),
        doc: "time after healing, or after the upload began if that was later, by which it is \
            confirmed",
    }],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (healed, end, within) =
        (case.trace.duration_us, case.trace.end_us, whole(params, "within"));
    let mut undecided = false;
    let verdict = judge_audio(case, CHECKER.name, |audio, findings| {
        let mut open = BTreeMap::new();
        for record in &audio.records {
            match record.kind {
                Kind::Attempt { upload } => {
                    open.entry(upload).or_insert((record.time_us, record.node));
                }
                // A process that starts late has its time from then on.
                Kind::Start => {
                    for (begun, _) in open.values_mut().filter(|(_, node)| *node == record.node) {
                        *begun = record.time_us;
                    }
                }
                _ => {}
            }
        }
        let confirmed = |record: &&super::Record| matches!(record.kind, Kind::Confirmed { .. });
        for record in audio.records.iter().filter(confirmed) {
            let Kind::Confirmed { upload, .. } = record.kind else { continue };
            if let Some((begun, _)) = open.get(&upload)
                && record.time_us <= healed.max(*begun).saturating_add(within)
            {
                open.remove(&upload);
            }
        }
        for (begun, node) in open.into_values() {
            let deadline = healed.max(begun).saturating_add(within);
            if deadline > end {
                undecided = true;
                continue;
            }
            findings.report(deadline, &[node], || {
                format!(
                    "the upload of {} was not confirmed by {}, {} after everything had healed",
                    audio.name(node),
                    seconds(deadline),
                    seconds(deadline - healed)
                )
            });
        }
    });
    match verdict {
        Verdict::Valid if undecided => Verdict::Unknown(
            "the run ends before the time in which an upload must be confirmed".to_owned(),
        ),
        verdict => verdict,
    }
}

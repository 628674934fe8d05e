//! Every instance measures, again and again: its znode is written anew in every period.
//!
//! What is judged is the time between two writings, as long as the instance runs. After a crash it
//! has to open a session first.

use std::collections::BTreeMap;

use super::mean_cadence::{FROM, LIMIT, SLACK, limit};
use super::{Kind, Life, judge_zk};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ZnodeChange;
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "measurement_cadence",
    summary: "From some time on, every instance that runs writes its measurement anew within the \
        session's time-out, a tick and two periods.",
    source: "the assignment: each instance writes a measurement every period",
    params: &[FROM, SLACK, LIMIT],
    liveness: true,
    check,
};

const MEASUREMENTS: &str = "/my/favorite/";

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let from = whole(params, "from").min(case.trace.duration_us);
    let mut short = false;
    let verdict = judge_zk(case, CHECKER.name, |zk, findings| {
        let limit = limit(zk, params);
        short = case.trace.end_us.saturating_sub(from) < limit;
        let instances: BTreeMap<&str, NodeId> =
            case.trace.with_role("instance").map(|node| (zk.name(node), node)).collect();
        // Signs of each instance, by time: `None` where it stops to run.
        let mut signs: Vec<(u64, NodeId, Option<bool>)> = Vec::new();
        for txn in zk.committed().values() {
            let written = txn.changes.iter().filter(|change| change.what != ZnodeChange::Delete);
            let names = written.filter_map(|change| change.path.strip_prefix(MEASUREMENTS));
            signs.extend(
                names
                    .filter_map(|name| instances.get(name))
                    .map(|node| (txn.time_us, *node, Some(true))),
            );
        }
        for record in &zk.records {
            match record.kind {
                Kind::Life(Life::Crash | Life::Pause) => {
                    signs.push((record.time_us, record.node, None))
                }
                Kind::Life(Life::Start | Life::Resume) => {
                    signs.push((record.time_us, record.node, Some(false)))
                }
                _ => {}
            }
        }
        signs.sort_by_key(|(time, ..)| *time);
        for node in instances.values() {
            let mut last = Some(from);
            let own = signs
                .iter()
                .filter(|(time, of, _)| of == node && *time >= from)
                .map(|(time, _, sign)| (*time, *sign));
            let runs_at_first = signs
                .iter()
                .rev()
                .find(|(time, of, _)| of == node && *time < from)
                .is_none_or(|(.., sign)| sign.is_some());
            if !runs_at_first {
                last = None;
            }
            for (time, sign) in own.chain([(case.trace.end_us, Some(true))]) {
                if let Some(gap) = last
                    .map(|last| time.saturating_sub(last))
                    .filter(|gap| *gap > limit && sign != Some(false))
                {
                    findings.report(time, &[*node], || {
                        let since = seconds(time - gap);
                        let (name, gap, limit) = (zk.name(*node), seconds(gap), seconds(limit));
                        format!(
                            "{name} wrote no measurement from {since} to {}, for {gap}; \
                            {limit} is the limit",
                            seconds(time)
                        )
                    });
                }
                last = sign.map(|_| time);
            }
        }
    });
    match verdict {
        Verdict::Valid if short => {
            Verdict::Unknown("the run ends before a measurement has to be written anew".to_owned())
        }
        verdict => verdict,
    }
}

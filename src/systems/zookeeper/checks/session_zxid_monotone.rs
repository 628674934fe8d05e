//! A single system image: whichever server a session is connected to, it never sees the state go
//! back.

use std::collections::BTreeMap;

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ClientReply;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "session_zxid_monotone",
    summary: "The zxids of the answers to a session never decrease, whichever server gives them.",
    source: "ZooKeeper's guarantees: single system image; Hunt and others 2010, section 4.4",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
        for (record, told) in zk.told() {
            let Told::ClientReply(ClientReply { session, zxid, .. }) = *told else { continue };
            let last = seen.entry(session).or_default();
            if zxid != 0 && zxid < *last {
                findings.report(record.time_us, &[record.node], || {
                    let (node, last, zxid) = (zk.name(record.node), show(*last), show(zxid));
                    format!(
                        "session {} of {node} had an answer from the state {zxid} after one \
                        from {last}",
                        show(session)
                    )
                });
            }
            *last = zxid.max(*last);
        }
    })
}

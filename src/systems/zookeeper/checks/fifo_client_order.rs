//! FIFO client order: a session's requests take effect and are answered in the order in which they
//! were sent.
//!
//! Requests that were lost with a connection have no place in the order: nobody knows what became
//! of them.

use std::collections::BTreeMap;

use super::{Told, judge_zk, show};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::zookeeper::vocabulary::ClientReply;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "fifo_client_order",
    summary: "The requests of a session are answered in the order of their sending, and its writes \
        have increasing zxids.",
    source: "ZooKeeper's guarantees: FIFO client order",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut answered: BTreeMap<u64, i64> = BTreeMap::new();
        let mut written: BTreeMap<u64, (i64, u64)> = BTreeMap::new();
        for (record, told) in zk.told() {
            let Told::ClientReply(ClientReply { session, xid, op, zxid, .. }) = *told else {
                continue;
            };
            // Zxid 0: the session itself gave the request up.
            if zxid == 0 {
                continue;
            }
            let last = answered.entry(session).or_insert(i64::MIN);
            if xid <= *last {
                findings.report(record.time_us, &[record.node], || {
                    format!(
                        "session {} of {} had the answer to request {xid} after that to {last}",
                        show(session),
                        zk.name(record.node)
                    )
                });
            }
            *last = xid.max(*last);
            if op.is_read() {
                continue;
            }
            if let Some((before, at)) =
                written.insert(session, (xid, zxid)).filter(|(_, at)| zxid <= *at)
            {
                findings.report(record.time_us, &[record.node], || {
                    let (node, at, zxid) = (zk.name(record.node), show(at), show(zxid));
                    format!(
                        "of session {} of {node}, request {before} took effect at {at} and request \
                            {xid}, sent later, at {zxid}",
                        show(session)
                    )
                });
            }
        }
    })
}

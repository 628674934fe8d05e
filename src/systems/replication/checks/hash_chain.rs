//! Each record is chained to the one before it, and a recovery accepts exactly the beginning that
//! nobody has tampered with: no more, and no less. Records of a later leader may have come to the
//! disk in place of others before the crash, without anybody hearing of it.

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "hash_chain",
    summary: "A stored record is chained to the one before it, and a recovery neither accepts a \
        record that was tampered with nor rejects a sound one.",
    source: "the defining property of a hash chain: recovery accepts exactly the intact prefix",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut logs = replication.logs();
        for record in replication.records() {
            let name = || replication.name(record.node);
            let (last, head) = logs.head(record.node);
            match record.kind {
                Kind::Stored { seq, prev, .. }
                    if seq != last + 1
                        || (prev != head && head != 0)
                        || (last == 0 && prev != 0) =>
                {
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "{} stored record {seq} after #{prev:016x}, and its log ends with \
                            record {last}, #{head:016x}",
                            name()
                        )
                    });
                }
                Kind::Recovered { damaged: true, seq, .. }
                    if !replication.damaged(record.node, record.order) =>
                {
                    findings.report(record.time_us, &[record.node], || {
                        format!(
                            "{} rejects record {} of its log, which nobody has damaged",
                            name(),
                            seq + 1
                        )
                    });
                }
                Kind::Recovered { seq, hash, .. }
                    if seq > 0 && seq <= last && !logs.has(record.node, seq, hash) =>
                {
                    let stored = logs.of(record.node)[seq as usize - 1];
                    if !replication.may_be_replaced(record, seq, (stored, hash)) {
                        findings.report(record.time_us, &[record.node], || {
                            format!(
                                "{} accepts record {seq} of its log as #{hash:016x}, and had \
                                stored #{stored:016x}",
                                name()
                            )
                        });
                    }
                }
                _ => {}
            }
            logs.replay(record);
        }
    })
}

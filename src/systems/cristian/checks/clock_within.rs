//! What synchronising is for: soon after its start a server shows the right hour, again and again,
//! to within what the scenario asks.
//!
//! Nothing is asked about how: only the hours that a server shows are compared, with true time.
//! Whoever shows none has no clock.

use super::{Reading, true_us, us, utc_error, verdict};
use crate::checkers::findings::{Findings, number, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "clock_within",
    summary: "From soon after its start on a server shows its clock often enough, right to within \
        a given error, and claims no more than a given one.",
    source: "Cristian 1989 §2 (external synchronisation: precision)",
    params: &[
        ParamInfo {
            name: "within",
            duration: true,
            default: 1e12,
            range: (0.0, 1e12),
            doc: "the most that a clock may be from true time",
        },
        ParamInfo {
            name: "claim",
            duration: true,
            default: 1e12,
            range: (0.0, 1e12),
            doc: "the most that a server may say that its clock is wrong by; with the default it \
                need not say anything",
        },
        ParamInfo {
            name: "settle",
            duration: true,
            default: 5_000_000.0,
            range: (0.0, 1e12),
            doc: "so long after a start, or after a pause, nothing is asked yet",
        },
        ParamInfo {
            name: "every",
            duration: true,
            default: 1e12,
            range: (0.0, 1e12),
            doc: "a server that runs shows its clock at least so often",
        },
    ],
    liveness: false,
    check,
};

/// More than any run lasts: nothing is asked.
const UNASKED: f64 = 1e12;

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let servers: Vec<NodeId> = trace.with_role("server").collect();
    for server in &servers {
        judge(case, params, *server, &mut findings);
    }
    verdict(findings, servers.len(), "server")
}

fn judge(case: &Case<'_>, params: &Params, server: NodeId, findings: &mut Findings) {
    let trace = case.trace;
    let name = trace.name(server);
    let (settle, every, within) =
        (whole(params, "settle"), whole(params, "every"), i128::from(whole(params, "within")));
    let claim =
        Some(number(params, "claim")).filter(|claim| *claim < UNASKED).map(|claim| claim as i128);
    let of_utc = utc_error(trace);
    // When the next reading is due counts from here; `None` while the server is down.
    let mut since = Some(settle);
    let silent = |since: Option<u64>, until: u64, findings: &mut Findings| {
        let Some(since) = since.filter(|since| until.saturating_sub(*since) > every) else {
            return;
        };
        let at = since.saturating_add(every);
        findings.report(at, &[server], || {
            format!("{name} showed no clock from {} to {}", seconds(since), seconds(until))
        });
    };
    for event in trace.events.iter().filter(|event| event.node == server) {
        let now = event.time_us;
        match event.name.as_ref() {
            "start" | "resume" => since = Some(now.saturating_add(settle)),
            "crash" | "pause" => {
                silent(since, now, findings);
                since = None;
            }
            "reading" => {
                let (Some(due), Some(reading)) = (since, Reading::decode(event)) else { continue };
                if now < due.min(trace.end_us) {
                    continue;
                }
                silent(since, now, findings);
                since = Some(now);
                let error = reading.clock - true_us(now);
                if error.abs() > within + of_utc {
                    findings.report(now, &[server], || {
                        format!(
                            "the clock of {name} is wrong by {}; asked are {}",
                            us(error),
                            us(within)
                        )
                    });
                }
                match (claim, reading.bound) {
                    (Some(claim), Some(bound)) if bound > claim => {
                        findings.report(now, &[server], || {
                            format!(
                                "{name} says that its clock may be wrong by {}; asked are {}",
                                us(bound),
                                us(claim)
                            )
                        })
                    }
                    (Some(claim), None) => findings.report(now, &[server], || {
                        format!(
                            "{name} does not say how wrong its clock may be; asked are {}",
                            us(claim)
                        )
                    }),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    silent(since, trace.end_us, findings);
}

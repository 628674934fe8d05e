//! The operation log: every operation that the directory has answered is there, once.
//!
//! Lines are numbered by the directory. The log holds each number once and without gaps, so nothing
//! was logged twice; and of each kind of operation (service, user, file) it holds as many as were
//! answered, and no more than were asked for and executed. What was answered shortly before the end
//! may be on its way.

use std::collections::BTreeMap;

use super::{Moment, judge};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::p2p::vocabulary::{Executed, FoundLine, LogFound, Logged, Service, Told};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_operation_log",
    summary: "Every operation that the directory has answered is in the operation log, once and in \
        order.",
    source: "the assignment's logging server; at-most-once calls (Birrell and Nelson 1984)",
    params: &[ParamInfo {
        name: "settle",
        duration: true,
        default: 3_000_000.0,
        range: (0.0, 1e12),
        doc: "what was answered later than this before the end may still be missing",
    }],
    liveness: false,
    check,
};

/// Service, user, file.
type Kind<'a> = (&'a str, &'a str, &'a str);

#[derive(Default)]
struct Counts {
    answered: u64,
    /// May have been executed.
    possible: u64,
    executed: u64,
    logged: u64,
    last_answered_us: u64,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let settled = case.trace.end_us.saturating_sub(whole(params, "settle"));
    judge(case, CHECKER.name, |p2p, findings| {
        let mut kinds: BTreeMap<Kind<'_>, Counts> = BTreeMap::new();
        let mut lines: Vec<Kind<'_>> = vec![];
        for Moment { time_us, node, told, .. } in &p2p.moments {
            let (sequence, line) = match told {
                Told::Executed(Executed { operation, user, argument, .. }) => {
                    kinds.entry(kind(*operation, user, argument)).or_default().executed += 1;
                    continue;
                }
                // What is on the disk is told again after a start: perhaps more than before, and
                // never less.
                Told::LogFound(LogFound { lines: found }) => {
                    let had = lines.len();
                    if *found < had as u64 {
                        findings.report(*time_us, &[*node], || {
                            format!(
                                "the operation log has {found} lines after a start, and had {had}"
                            )
                        });
                    }
                    lines.clear();
                    continue;
                }
                Told::FoundLine(FoundLine { sequence, operation, user, file, .. })
                | Told::Logged(Logged { sequence, operation, user, file, .. }) => {
                    (*sequence, (&**operation, &**user, &**file))
                }
                _ => continue,
            };
            if sequence != lines.len() as u64 + 1 {
                findings.report(*time_us, &[*node], || {
                    format!("line {sequence} of the operation log follows line {}", lines.len())
                });
            }
            lines.push(line);
        }
        for line in lines {
            kinds.entry(line).or_default().logged += 1;
        }
        for call in &p2p.calls {
            let counts = kinds.entry(kind(call.service, &call.user, call.argument())).or_default();
            if call.by_directory() {
                counts.possible += 1;
                if call.ended_us.is_some_and(|time| time <= settled) {
                    counts.answered += 1;
                    counts.last_answered_us = call.ended_us.unwrap_or(0);
                }
            } else if call.open {
                counts.possible += 1;
            }
        }
        for ((service, user, file), counts) in kinds {
            let Counts { answered, possible, executed, logged, last_answered_us } = counts;
            let what = || format!("{service} {user} {file}").trim_end().to_owned();
            if service != "get_file" && logged < answered {
                findings.report(last_answered_us, &[], || {
                    format!(
                        "{} was answered {answered} times until {}, and is in the operation log \
                            {logged} times",
                        what(),
                        seconds(settled)
                    )
                });
            }
            // Lists of users are also asked for by `get_file`, and scenes may have bytes sent that
            // are requests.
            if service != Service::ListUsers.word() && logged > possible.max(executed) {
                findings.report(case.trace.end_us, &[], || {
                    format!(
                        "{} is in the operation log {logged} times, and was executed \
                        {executed} times",
                        what()
                    )
                });
            }
            if service != Service::ListUsers.word() && possible > 0 && executed > possible {
                findings.report(last_answered_us, &[], || {
                    format!(
                        "{} was executed {executed} times, and asked for {possible} times",
                        what()
                    )
                });
            }
        }
    })
}

fn kind<'a>(service: Service, user: &'a str, argument: &'a str) -> Kind<'a> {
    let file = match service {
        Service::Publish | Service::Delete => argument,
        _ => "",
    };
    (service.word(), user, file)
}

//! Dates: each operation carries one in the assignment's form, which the date service has told to
//! the peer that asked.

use std::collections::{BTreeMap, BTreeSet};

use super::judge;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::{DateText, Dated, Executed, Told};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_dates",
    summary: "Each operation carries date and time, as dd/mm/yyyy hh:mm:ss, as the date service \
        has told them to that peer.",
    source: "the assignment's date service",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        let mut told: BTreeMap<NodeId, BTreeSet<&DateText>> = BTreeMap::new();
        for moment in &p2p.moments {
            let (origin, date) = match &moment.told {
                Told::Dated(Dated { to, date }) => {
                    told.entry(*to).or_default().insert(date);
                    continue;
                }
                Told::Executed(Executed { origin, date, .. }) => (*origin, date),
                _ => continue,
            };
            let (name, shown) = (case.trace.name(origin), &date.0);
            if !is_date(shown) {
                findings.report(moment.time_us, &[origin], || {
                    format!("an operation of {name} carries `{shown}`, which is not date and time")
                });
            } else if !told.get(&origin).is_some_and(|dates| dates.contains(date)) {
                findings.report(moment.time_us, &[origin], || {
                    format!(
                        "an operation of {name} carries {shown}, which the date service has \
                        not told to it"
                    )
                });
            }
        }
    })
}

/// Whether a text has the form `dd/mm/yyyy hh:mm:ss`.
fn is_date(text: &str) -> bool {
    const FORM: &str = "00/00/0000 00:00:00";
    let fits =
        |(form, byte): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
    text.len() == FORM.len() && FORM.bytes().zip(text.bytes()).all(fits)
}

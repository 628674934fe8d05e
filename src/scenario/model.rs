//! The declared fault model: a timeline that leaves it is refused, because a failing student must
//! never be the scenario's fault.
//!
//! Here is judged what the text alone decides. An entry that by itself makes too many nodes faulty
//! is refused, and so are entries with times of their own that certainly overlap; where the seed
//! decides whom they hit, they count as different nodes. What only the run decides (entries with
//! `every` or `when`, random minorities) is weighed by the nemesis before it begins a fault. Clocks
//! and delays have no such guard, so for them the worst of what the seed can draw counts. A
//! scenario that is refused although its author knows better says `beyond_model = true`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::Mistake;

use super::nemesis::{NemesisEntry, When};
use super::read::{ClockPlaces, EntryPlace, ModelPlace};
use super::types::{LinkSpec, Scenario};
use crate::faults::{Members, Occurrences, Taken};
use crate::language::Span;
use crate::language::reading::{Reading, and_list, mistake_at};
use crate::language::tree::At;
use crate::language::units::{plain_number, show_duration};

pub(super) struct Judge<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) reading: &'a Reading,
    /// One for each entry of the nemesis.
    pub(super) places: &'a [EntryPlace],
    pub(super) clocks: &'a ClockPlaces,
    pub(super) model: &'a ModelPlace,
}

/// The time in which an entry is certainly at work.
#[derive(Clone, Copy, Debug)]
struct Window {
    from: Duration,
    to: Duration,
}

const HOW_TO_DECLARE: &str = "or say that it is meant: `beyond_model = true` in [model]";

impl Judge<'_> {
    pub(super) fn judge(&self) {
        self.judge_faulty();
        self.judge_clocks();
        self.judge_latency();
        self.judge_disks();
    }

    fn judge_faulty(&self) {
        let Some(allowed) = self.scenario.model.max_faulty.map(|count| count as usize) else {
            return;
        };
        let members = self.members();
        let all = members.count();
        let limit = format!("the model allows {allowed}");
        let hint = format!("hit fewer nodes, raise `max_faulty`, {HOW_TO_DECLARE}");
        let mut timed = vec![];
        for (i, entry) in self.entries() {
            let taken = entry.fault.taken(&members, &entry.targets);
            if taken.count() > allowed {
                let label = format!(
                    "`{}` makes {} of {all} nodes faulty: down, paused or cut off",
                    entry.name,
                    taken.count()
                );
                self.reading.note(self.leaves(
                    "max_faulty",
                    &self.places[i].fault,
                    label,
                    limit,
                    &hint,
                ));
                return;
            }
            if taken.count() > 0 {
                timed.extend(self.window(entry).map(|window| (i, window, taken)));
            }
        }
        // The number can only grow when an entry begins.
        timed.sort_by_key(|(i, window, _)| (window.from, *i));
        for (last, begins, _) in &timed {
            let active: Vec<&(usize, Window, Taken)> = timed
                .iter()
                .filter(|(_, window, _)| window.from <= begins.from && begins.from < window.to)
                .collect();
            let (mut names, mut any) = (BTreeSet::new(), 0);
            for (_, _, taken) in &active {
                match taken {
                    Taken::These(these) => names.extend(these.iter().cloned()),
                    Taken::Any(count) => any += count,
                }
            }
            let faulty = (names.len() + any).min(all);
            if faulty > allowed {
                let part = |(i, _, taken): &&(usize, Window, Taken)| {
                    format!("`{}` ({})", self.scenario.nemesis[*i].name, taken.count())
                };
                let parts: Vec<String> = active.iter().map(part).collect();
                let label = format!(
                    "at {}, {faulty} of {all} nodes are down, paused or cut off",
                    show_duration(begins.from)
                );
                let mistake = self.leaves(
                    "max_faulty",
                    &self.places[*last].fault,
                    label,
                    limit,
                    &format!("let them not overlap, {hint}"),
                );
                self.reading.note(mistake.note(format!("at work then: {}", and_list(&parts))));
                return;
            }
        }
    }

    fn judge_clocks(&self) {
        let model = &self.scenario.model;
        let hint = |key: &str| format!("keep within it, raise `{key}`, {HOW_TO_DECLARE}");
        let drifts = self
            .scenario
            .nodes
            .nodes
            .iter()
            .map(|node| (node, node.clock.drift_ppm.0.abs().max(node.clock.drift_ppm.1.abs())));
        if let Some(allowed) = model.max_drift_ppm {
            let limit = format!("the model allows {} ppm", plain_number(allowed));
            let mut told = BTreeSet::new();
            for (node, drift) in drifts.clone().filter(|(_, drift)| *drift > allowed) {
                let Some(at) =
                    self.clocks.drift.get(&node.name).filter(|at| told.insert(at.span.start))
                else {
                    continue;
                };
                let label = format!("`{}` drifts by up to {} ppm", node.name, plain_number(drift));
                self.reading.note(self.leaves(
                    "max_drift_ppm",
                    at,
                    label,
                    limit.clone(),
                    &hint("max_drift_ppm"),
                ));
            }
            for (i, entry) in self.entries() {
                let drift = entry.fault.drift_ppm_max();
                if drift > allowed {
                    let label = format!(
                        "`{}` makes clocks drift by up to {} ppm",
                        entry.name,
                        plain_number(drift)
                    );
                    self.reading.note(self.leaves(
                        "max_drift_ppm",
                        &self.places[i].fault,
                        label,
                        limit.clone(),
                        &hint("max_drift_ppm"),
                    ));
                }
            }
        }
        let Some(allowed) = model.max_clock_offset else { return };
        let limit = format!("the model allows {}", show_duration(allowed));
        let run_s = (self.scenario.duration + self.scenario.recovery).as_secs_f64();
        let mut base = 0.0_f64;
        for (node, drift) in drifts {
            let first_s =
                node.clock.offset_ns.0.unsigned_abs().max(node.clock.offset_ns.1.unsigned_abs())
                    as f64
                    / 1e9;
            let offset = first_s + drift / 1e6 * run_s;
            base = base.max(offset);
            let at = self.clocks.offset.get(&node.name).or(self.clocks.drift.get(&node.name));
            if let Some(at) = at.filter(|_| offset > allowed.as_secs_f64()) {
                let label = format!(
                    "`{}` is wrong by up to {} by the end of the run",
                    node.name,
                    seconds(offset)
                );
                self.reading.note(self.leaves(
                    "max_clock_offset",
                    at,
                    label,
                    limit.clone(),
                    &hint("max_clock_offset"),
                ));
                return;
            }
        }
        self.judge_steps(base, allowed, &limit, &hint("max_clock_offset"));
    }

    /// Errors of wall clocks add up: only `clock_reset` takes them back, and it need not come in
    /// time.
    fn judge_steps(&self, base_s: f64, allowed: Duration, limit: &str, hint: &str) {
        let mut sum_s = base_s;
        for (i, entry) in self.entries() {
            let end_s = self.scenario.duration.as_secs_f64();
            let step_s = entry.fault.clock_error_s_max(&Occurrences {
                times: self.times(entry) as f64,
                lasts_s: entry.lasts.map_or(end_s, |lasts| lasts.max.as_secs_f64()),
                end_s,
            });
            sum_s += step_s;
            if step_s > 0.0 && sum_s > allowed.as_secs_f64() {
                let label =
                    format!("with `{}` a clock may be wrong by {}", entry.name, seconds(sum_s));
                let mistake = self.leaves(
                    "max_clock_offset",
                    &self.places[i].fault,
                    label,
                    limit.to_string(),
                    hint,
                );
                let note = format!(
                    "{} of it come from this entry, at the worst; errors add up",
                    seconds(step_s)
                );
                self.reading.note(mistake.note(note));
                return;
            }
        }
    }

    /// How often an entry can happen.
    fn times(&self, entry: &NemesisEntry) -> u64 {
        let most = match &entry.when {
            When::Every(apart) => {
                self.scenario.duration.as_nanos().div_ceil(apart.min.as_nanos().max(1))
            }
            _ => u128::MAX,
        };
        entry.repeat.times.min(u64::try_from(most).unwrap_or(u64::MAX))
    }

    fn judge_latency(&self) {
        let Some(allowed) = self.scenario.model.max_latency else { return };
        let hint = format!("keep below it, raise `max_latency`, {HOW_TO_DECLARE}");
        let limit = format!("the model allows {}", show_duration(allowed));
        let network = &self.scenario.network;
        let links =
            std::iter::once(&network.default).chain(network.links.iter().map(|(_, _, link)| link));
        let mut base = Duration::ZERO;
        for link in links {
            let bound = link_bound(link);
            if bound.is_none_or(|bound| bound > allowed) {
                // The place of the limit is the only one that is there for certain: the links may
                // all be defaults.
                let at = self.model.of("max_latency").expect("the limit was read");
                let found = bound.map_or("a link has no longest delay".into(), |bound| {
                    format!("a link delays by up to {}", show_duration(bound))
                });
                let message = "[network] leaves the fault model of the scenario";
                let mut mistake = mistake_at(message, at, format!("{limit}, but {found}"), hint);
                if bound.is_none() {
                    mistake = mistake
                        .note("exponential, normal, lognormal and pareto have no greatest value");
                }
                self.reading.note(mistake);
                return;
            }
            base = base.max(bound.unwrap_or_default());
        }
        for (i, entry) in self.entries() {
            let held = entry.lasts.map_or(self.scenario.duration, |lasts| lasts.max);
            let worst = entry.fault.delay_s_max(base, held);
            if worst > allowed.as_secs_f64() {
                let longest = if worst.is_finite() {
                    format!("by up to {}", seconds(worst))
                } else {
                    "without a bound".into()
                };
                let label = format!("`{}` delays messages {longest}", entry.name);
                self.reading.note(self.leaves(
                    "max_latency",
                    &self.places[i].fault,
                    label,
                    limit.clone(),
                    &hint,
                ));
            }
        }
    }

    fn judge_disks(&self) {
        if self.scenario.model.durable_disks == Some(false) {
            return;
        }
        for (i, entry) in self.entries() {
            if entry.fault.damages_disks() {
                let label = format!("`{}` damages or takes back synced data", entry.name);
                let hint = "where the system can bear that, declare it: `durable_disks = false` in \
                    [model]";
                let mistake = self.leaves(
                    "durable_disks",
                    &self.places[i].fault,
                    label,
                    "the model has durable disks".into(),
                    hint,
                );
                self.reading.note(
                    mistake
                        .note("what a node has synced and told others of is what safety rests on"),
                );
            }
        }
    }

    fn leaves(&self, key: &str, at: &At, label: String, limit: String, hint: &str) -> Mistake {
        let mut mistake =
            mistake_at("this timeline leaves the fault model of the scenario", at, label, hint);
        mistake.also.extend(self.model.of(key).map(|at| at.label(limit)));
        mistake
    }

    /// The entries that can happen at all.
    fn entries(&self) -> impl Iterator<Item = (usize, &NemesisEntry)> {
        self.scenario.nemesis.iter().enumerate().filter(|(_, entry)| entry.probability > 0.0)
    }

    /// When an entry is certainly at work; `None` where the run decides that.
    fn window(&self, entry: &NemesisEntry) -> Option<Window> {
        if entry.probability < 1.0 {
            return None;
        }
        let begins = self.begins(entry, 0)?;
        let to = lasts(entry)
            .map_or(self.scenario.duration, |lasts| begins.min.saturating_add(lasts.min))
            .min(self.scenario.duration);
        (begins.max < to).then_some(Window { from: begins.max, to })
    }

    /// The first and the last moment at which an entry may begin, where its text says so.
    fn begins(&self, entry: &NemesisEntry, depth: usize) -> Option<Span> {
        match &entry.when {
            When::At(at) => Some(*at),
            When::Every(_) | When::Condition { .. } => None,
            When::After { entry: name, delay, ended } => {
                // Entries that wait for each other were refused before; the depth is for those that
                // wait for them.
                let other = self
                    .scenario
                    .nemesis
                    .iter()
                    .find(|other| other.name == *name && depth < self.scenario.nemesis.len())?;
                let begins = self.begins(other, depth + 1)?;
                let end = Span { min: self.scenario.duration, max: self.scenario.duration };
                let lasted = if *ended {
                    lasts(other).unwrap_or(end)
                } else {
                    Span { min: Duration::ZERO, max: Duration::ZERO }
                };
                let sum =
                    |a: Duration, b: Duration, c: Duration| a.saturating_add(b).saturating_add(c);
                Some(Span {
                    min: sum(begins.min, lasted.min, delay.min),
                    max: sum(begins.max, lasted.max, delay.max),
                })
            }
        }
    }

    fn members(&self) -> Members<'_> {
        let nodes = &self.scenario.nodes;
        Members {
            nodes: nodes
                .nodes
                .iter()
                .map(|node| (node.name.as_str(), node.role.as_str()))
                .collect(),
            groups: &nodes.groups,
        }
    }
}

impl Scenario {
    /// The strongest drift that any clock can have, ppm either way: the nodes' own, and what the
    /// nemesis may do.
    pub fn drift_ppm_max(&self) -> f64 {
        let own = self
            .nodes
            .nodes
            .iter()
            .map(|node| node.clock.drift_ppm.0.abs().max(node.clock.drift_ppm.1.abs()));
        own.chain(self.nemesis.iter().map(|entry| entry.fault.drift_ppm_max())).fold(0.0, f64::max)
    }
}

/// How long an occurrence lasts; `None`: until the end of the load.
fn lasts(entry: &NemesisEntry) -> Option<Span> {
    entry.fault.own_duration().or(entry.lasts)
}

fn link_bound(link: &LinkSpec) -> Option<Duration> {
    let mut longest = link.latency.bound()?;
    if link.reorder > 0.0 {
        longest += link.reorder_delay.bound()?;
    }
    if let Some(bandwidth) = link.bandwidth {
        longest = longest.saturating_add(
            Duration::try_from_secs_f64(link.queue as f64 / bandwidth as f64)
                .unwrap_or(Duration::MAX),
        );
    }
    Some(longest)
}

/// A length of time in a sentence.
fn seconds(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) => show_duration(Duration::from_micros(
            duration.as_micros().try_into().unwrap_or(u64::MAX),
        )),
        Err(_) => format!("{} s", plain_number(seconds)),
    }
}

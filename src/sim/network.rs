//! The network: what becomes of a message between its sending and its arrival.
//!
//! For each directed link: latency, loss with correlation, duplication, reordering, corruption,
//! bandwidth with a bounded queue; and the rules that faults have put on links. The draws of a
//! message come from the stream of its *sender*, so that another node's traffic shifts none of
//! them. The driver keeps the events; this module decides.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::faults::{LinkEffect, LinkRule, RuleId};
use crate::language::Sampler;
use crate::rng::Rng;
use crate::scenario::{LinkSpec, NetworkSpec};
use crate::time::{Time, nanos};
use crate::trace::NodeId;

/// What happens to a message that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives at this time; `corrupt`: with flipped bits.
    Arrives { at: Time, corrupt: bool },
    /// It is lost by chance.
    Lost,
    /// A cut or a drop rule stops it.
    Stopped(&'static str),
    /// The link's queue is full.
    QueueFull,
    /// A rule keeps it until the rule goes.
    Held(RuleId),
}

/// A message's fate, and its copy's if the network doubled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) first: Fate,
    pub(crate) copy: Option<Fate>,
}

/// A link's parameters, worked out.
#[derive(Clone, Debug)]
struct Link {
    latency: Sampler,
    loss: f64,
    loss_correlation: f64,
    duplicate: f64,
    reorder: f64,
    reorder_delay: Sampler,
    corrupt: f64,
    bandwidth: Option<u64>,
    queue: u64,
    fifo: bool,
}

impl Link {
    fn new(spec: &LinkSpec) -> Link {
        Link {
            latency: Sampler::new(&spec.latency),
            loss: spec.loss,
            loss_correlation: spec.loss_correlation,
            duplicate: spec.duplicate,
            reorder: spec.reorder,
            reorder_delay: Sampler::new(&spec.reorder_delay),
            corrupt: spec.corrupt,
            bandwidth: spec.bandwidth,
            queue: spec.queue,
            fifo: spec.fifo,
        }
    }
}

/// What a link remembers from message to message.
#[derive(Clone, Copy, Debug, Default)]
struct LinkState {
    /// Whether the message before was lost.
    lost: bool,
    /// When the last byte that was accepted has left, ns.
    busy_until: u64,
    /// The last arrival that keeps order, ns.
    last_arrival: u64,
}

#[derive(Debug)]
struct ActiveRule {
    rule: LinkRule,
    /// Messages that fitted so far, for `nth`.
    fitted: u64,
    sampler: Option<Sampler>,
}

#[derive(Debug)]
pub(crate) struct Network {
    participants: usize,
    /// `[0]` is the default link.
    links: Vec<Link>,
    /// For each directed link its place in `links`; empty where all are alike.
    exceptions: Vec<u16>,
    /// Made when a link first has something to remember.
    states: Vec<LinkState>,
    rules: BTreeMap<RuleId, ActiveRule>,
    next_rule: u64,
}

impl Network {
    /// `resolve` gives the participants that a name of `[[network.link]]` stands for.
    pub(crate) fn new(
        spec: &NetworkSpec,
        participants: usize,
        resolve: impl Fn(&str) -> Vec<NodeId>,
    ) -> Network {
        let mut links = vec![Link::new(&spec.default)];
        let mut exceptions = Vec::new();
        for (src, dest, link) in &spec.links {
            exceptions.resize(participants * participants, 0);
            let place = u16::try_from(links.len()).expect("the reader limits the number of links");
            links.push(Link::new(link));
            let dests = resolve(dest);
            for src in resolve(src) {
                for dest in &dests {
                    exceptions[src.index() * participants + dest.index()] = place;
                }
            }
        }
        Network {
            participants,
            links,
            exceptions,
            states: Vec::new(),
            rules: BTreeMap::new(),
            next_rule: 0,
        }
    }

    pub(crate) fn add_rule(&mut self, rule: LinkRule) -> RuleId {
        let id = RuleId(self.next_rule);
        self.next_rule += 1;
        let sampler = match &rule.effect {
            LinkEffect::Latency(latency) => Some(Sampler::new(latency)),
            LinkEffect::Reorder { delay, .. } => Some(Sampler::new(delay)),
            _ => None,
        };
        self.rules.insert(id, ActiveRule { rule, fitted: 0, sampler });
        id
    }

    pub(crate) fn remove_rule(&mut self, rule: RuleId) {
        self.rules.remove(&rule);
    }

    /// Whether a cut stops a message that is on its way at this moment.
    #[inline]
    pub(crate) fn is_cut(&self, src: NodeId, dest: NodeId) -> bool {
        self.rules.values().any(|active| {
            active.rule.effect == LinkEffect::Cut && active.rule.links.contains(src, dest)
        })
    }

    /// Decide what becomes of a message. `rng` is the sender's network stream.
    #[inline]
    pub(crate) fn send(
        &mut self,
        now: Time,
        src: NodeId,
        dest: NodeId,
        kind: &str,
        bytes: u32,
        rng: &mut Rng,
    ) -> Fates {
        let position = src.index() * self.participants + dest.index();
        let link =
            &self.links[self.exceptions.get(position).map_or(0, |place| usize::from(*place))];
        let mut now_link = Passage::of(link);
        if !self.rules.is_empty()
            && let Some(fate) = now_link.apply_rules(&mut self.rules, src, dest, kind, rng)
        {
            return Fates { first: fate, copy: None };
        }
        let remembers =
            now_link.bandwidth.is_some() || link.fifo || now_link.loss_correlation > 0.0;
        if remembers && self.states.is_empty() {
            self.states = vec![LinkState::default(); self.participants * self.participants];
        }
        let mut unused = LinkState::default();
        let state = if remembers { &mut self.states[position] } else { &mut unused };
        let first = now_link.pass(now, bytes, state, link.fifo, rng);
        let copy = rng
            .chance(now_link.duplicate)
            .then(|| now_link.pass(now, bytes, state, link.fifo, rng));
        Fates { first, copy }
    }
}

/// A link's parameters for one message: its own, changed by the rules in force.
struct Passage {
    latency: Sampler,
    loss: f64,
    loss_correlation: f64,
    duplicate: f64,
    reorder: f64,
    reorder_delay: Sampler,
    corrupt: f64,
    bandwidth: Option<u64>,
    queue: u64,
    extra_delay: u64,
}

impl Passage {
    #[inline]
    fn of(link: &Link) -> Passage {
        Passage {
            latency: link.latency,
            loss: link.loss,
            loss_correlation: link.loss_correlation,
            duplicate: link.duplicate,
            reorder: link.reorder,
            reorder_delay: link.reorder_delay,
            corrupt: link.corrupt,
            bandwidth: link.bandwidth,
            queue: link.queue,
            extra_delay: 0,
        }
    }

    /// Apply the rules in force, in the order in which they came. `Some`: a rule stops or keeps the
    /// message.
    fn apply_rules(
        &mut self,
        rules: &mut BTreeMap<RuleId, ActiveRule>,
        src: NodeId,
        dest: NodeId,
        kind: &str,
        rng: &mut Rng,
    ) -> Option<Fate> {
        for (id, active) in
            rules.iter_mut().filter(|(_, active)| active.rule.links.contains(src, dest))
        {
            match &active.rule.effect {
                LinkEffect::Cut => return Some(Fate::Stopped("cut")),
                LinkEffect::Latency(_) => {
                    self.latency = active.sampler.expect("made with the rule")
                }
                LinkEffect::Loss { probability, correlation } => {
                    self.loss = either(self.loss, *probability);
                    self.loss_correlation = self.loss_correlation.max(*correlation);
                }
                LinkEffect::Duplicate(probability) => {
                    self.duplicate = either(self.duplicate, *probability)
                }
                LinkEffect::Reorder { probability, .. } => {
                    self.reorder = *probability;
                    self.reorder_delay = active.sampler.expect("made with the rule");
                }
                LinkEffect::Corrupt(probability) => {
                    self.corrupt = either(self.corrupt, *probability)
                }
                LinkEffect::Bandwidth { bytes_per_second, queue } => {
                    self.bandwidth = Some(*bytes_per_second);
                    self.queue = *queue;
                }
                LinkEffect::Hold { message } if fits(message, kind) => {
                    return Some(Fate::Held(*id));
                }
                LinkEffect::Drop { message, nth } if fits(message, kind) => {
                    active.fitted += 1;
                    if nth.is_none_or(|nth| nth == active.fitted) {
                        return Some(Fate::Stopped("drop rule"));
                    }
                }
                LinkEffect::Delay { message, delay, nth } if fits(message, kind) => {
                    active.fitted += 1;
                    if nth.is_none_or(|nth| nth == active.fitted) {
                        self.extra_delay += nanos(rng.duration(delay.0, delay.1));
                    }
                }
                LinkEffect::Hold { .. } | LinkEffect::Drop { .. } | LinkEffect::Delay { .. } => {}
            }
        }
        None
    }

    #[inline]
    fn pass(
        &self,
        now: Time,
        bytes: u32,
        state: &mut LinkState,
        fifo: bool,
        rng: &mut Rng,
    ) -> Fate {
        let repeats = state.lost && rng.chance(self.loss_correlation);
        state.lost = repeats || rng.chance(self.loss);
        if state.lost {
            return Fate::Lost;
        }
        let mut leaves = now.as_nanos();
        if let Some(bytes_per_second) = self.bandwidth {
            let rate = u128::from(bytes_per_second.max(1));
            let waiting_ns = u128::from(state.busy_until.saturating_sub(leaves));
            if waiting_ns * rate / 1_000_000_000 + u128::from(bytes) > u128::from(self.queue) {
                return Fate::QueueFull;
            }
            let transmission =
                u64::try_from(u128::from(bytes) * 1_000_000_000 / rate).unwrap_or(u64::MAX);
            state.busy_until = state.busy_until.max(leaves).saturating_add(transmission);
            leaves = state.busy_until;
        }
        let mut arrives =
            leaves.saturating_add(self.latency.draw(rng)).saturating_add(self.extra_delay);
        if rng.chance(self.reorder) {
            arrives = arrives.saturating_add(self.reorder_delay.draw(rng));
        } else if fifo {
            arrives = arrives.max(state.last_arrival);
            state.last_arrival = arrives;
        }
        Fate::Arrives { at: Time::from_nanos(arrives), corrupt: rng.chance(self.corrupt) }
    }
}

/// The probability that at least one of two independent things happens.
fn either(a: f64, b: f64) -> f64 {
    1.0 - (1.0 - a) * (1.0 - b)
}

fn fits(message: &Option<String>, kind: &str) -> bool {
    message.as_ref().is_none_or(|message| message == kind)
}

/// A message to the sender itself takes this long: the way through the operating system.
pub(crate) const LOOPBACK: Duration = Duration::from_micros(10);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::LinkSet;
    use crate::scenario::Latency;

    const A: NodeId = NodeId(0);
    const B: NodeId = NodeId(1);

    fn network(change: impl FnOnce(&mut LinkSpec)) -> Network {
        let mut spec = NetworkSpec::default();
        spec.default.latency = Latency::Constant(Duration::from_millis(1));
        change(&mut spec.default);
        Network::new(&spec, 2, |_| vec![])
    }

    fn fates(network: &mut Network, count: u64, bytes: u32) -> Vec<Fate> {
        let mut rng = Rng::named(1, "network:a");
        (0..count)
            .map(|i| network.send(Time::from_micros(i), A, B, "Ping", bytes, &mut rng).first)
            .collect()
    }

    /// 1,000 bytes a second: the third message of 100 bytes leaves after 300 ms, and arrives a
    /// millisecond later.
    #[test]
    fn bandwidth_delays_and_its_queue_overflows() {
        let mut network = network(|link| {
            link.bandwidth = Some(1_000);
            link.queue = 350;
        });
        let fates = fates(&mut network, 5, 100);
        assert_eq!(fates[2], Fate::Arrives { at: Time::from_micros(301_000), corrupt: false });
        assert_eq!(fates[4], Fate::QueueFull);
    }

    /// Losses that follow a loss are frequent, and the overall rate is p / (1 - c (1 - p)) for
    /// correlation c.
    #[test]
    fn correlated_losses_come_in_bursts() {
        let mut network = network(|link| {
            link.loss = 0.05;
            link.loss_correlation = 0.5;
        });
        let fates = fates(&mut network, 50_000, 100);
        let lost = fates.iter().filter(|fate| **fate == Fate::Lost).count();
        let twice =
            fates.windows(2).filter(|pair| pair[0] == Fate::Lost && pair[1] == Fate::Lost).count();
        assert!((4_400..5_200).contains(&lost), "{lost}");
        assert!(twice * 100 / lost > 45, "{twice} of {lost}");
    }

    /// The second message of the type is dropped; the first, the third and other links are not.
    #[test]
    fn a_drop_rule_can_hit_the_nth_message() {
        let mut network = network(|_| {});
        let links = LinkSet { pairs: vec![(vec![A], vec![B])] };
        let rule = network.add_rule(LinkRule {
            links,
            effect: LinkEffect::Drop { message: Some("Ping".into()), nth: Some(2) },
        });
        let stopped: Vec<bool> =
            fates(&mut network, 3, 1).iter().map(|fate| matches!(fate, Fate::Stopped(_))).collect();
        assert_eq!(stopped, [false, true, false]);
        network.remove_rule(rule);
        assert!(!network.is_cut(A, B));
    }

    /// A cut of one direction leaves the other.
    #[test]
    fn a_cut_is_directed() {
        let mut network = network(|_| {});
        network.add_rule(LinkRule {
            links: LinkSet { pairs: vec![(vec![A], vec![B])] },
            effect: LinkEffect::Cut,
        });
        assert!(network.is_cut(A, B) && !network.is_cut(B, A));
    }

    /// With `fifo`, a message that draws a short delay waits for the one before it.
    #[test]
    fn a_fifo_link_keeps_the_order() {
        let mut network = network(|link| {
            link.fifo = true;
            link.latency = Latency::Uniform(Duration::from_millis(1), Duration::from_millis(50));
        });
        let arrivals: Vec<Time> = fates(&mut network, 200, 1)
            .into_iter()
            .map(|fate| match fate {
                Fate::Arrives { at, .. } => at,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(arrivals.is_sorted());
    }
}

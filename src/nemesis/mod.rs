//! The nemesis: it does to a run what the scenario's `[[nemesis]]` entries say, and undoes all of
//! it at `duration`.
//!
//! **A fault's life.** An entry's time comes ([`schedule`], [`conditions`]). Its targets are chosen
//! then and not before, because leaders change ([`victims`]). The fault makes a plan in which
//! everything is drawn ([`crate::faults`]). If the scenario has promised not to break more than a
//! number of nodes at a time, the plan is weighed against all that is in force ([`model`]), and
//! dropped if it is too much. Otherwise it is recorded and done. When its time is over it is undone
//! and recorded again. Swarms begin faults of their own ([`swarm`]).
//!
//! **Overlap.** Nothing is undone directly: `faults::holds` knows which faults want a node down,
//! paused, slow, and puts it into the state that the remaining ones ask for.
//!
//! **Records.** `invoke` when a fault begins and `info` with the same value, `NAME: TARGETS`, when
//! it has healed. A fault that was not begun leaves only an `info`, `NAME: skipped, …`, and a swarm
//! an `info` `NAME: chosen, …`; having no `invoke`, they are not spans
//! ([`Trace::faults`](crate::trace::Trace::faults)).
//!
//! Architecture invariants: all draws come from the nemesis' own stream; the nemesis acts only when
//! called by an alarm, never in the middle of a step of a node; after [`Nemesis::heal_all`] nothing
//! that it did is left but the errors of wall clocks and what disks have lost.

mod conditions;
mod model;
mod schedule;
mod swarm;
#[cfg(test)]
mod tests;
mod victims;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::faults::{
    self, Action, Composition, FaultContext, FaultSpec, Groups, Holds, Impact, Lasts, LinkSet,
    Plan, PlanRequest, Status, World, ask,
};
use crate::scenario::{Condition, NemesisEntry, Scenario, Span, When};
use crate::trace::{Fields, NodeId, OpType, Value};
use conditions::Sight;
use schedule::{Alarm, Schedule};
use swarm::{Member, Swarm};

/// The nemesis of one run.
pub(crate) struct Nemesis {
    schedule: Schedule,
    groups: Groups,
    max_faulty: Option<usize>,
    holds: Holds,
    /// Faults in force, in the order of their beginning.
    active: BTreeMap<u64, Active>,
    /// Swarms in force.
    swarms: BTreeMap<u64, Swarm>,
    /// What swarms have chosen at their first beginning, by entry. A swarm inside a `random` is
    /// told from others by the fault.
    chosen: Vec<(usize, FaultSpec, Vec<Member>)>,
    next_id: u64,
}

/// A fault in force.
struct Active {
    entry: usize,
    /// The swarm that has begun it.
    parent: Option<u64>,
    fault: &'static str,
    /// As recorded.
    value: String,
    impact: Impact,
    action: Box<dyn Action>,
}

impl Nemesis {
    /// The nemesis of a scenario, before the run.
    pub(crate) fn new(scenario: &Scenario) -> Nemesis {
        let max_faulty = scenario.model.max_faulty.map(|most| most as usize);
        Nemesis::with(
            &scenario.nemesis,
            scenario.duration,
            scenario.nodes.groups.clone(),
            max_faulty,
        )
    }

    fn with(
        entries: &[NemesisEntry],
        duration: Duration,
        groups: Groups,
        max_faulty: Option<usize>,
    ) -> Nemesis {
        Nemesis {
            schedule: Schedule::new(entries, duration),
            groups,
            max_faulty,
            holds: Holds::default(),
            active: BTreeMap::new(),
            swarms: BTreeMap::new(),
            chosen: Vec::new(),
            next_id: 0,
        }
    }

    /// Whether a condition waits for a metric.
    pub(crate) fn wants_metrics(&self) -> bool {
        self.waits_for(|condition| matches!(condition, Condition::Metric { .. }))
    }

    /// Whether a condition waits for an event.
    pub(crate) fn wants_events(&self) -> bool {
        self.waits_for(|condition| matches!(condition, Condition::Event { .. }))
    }

    /// Whether a condition waits for a message.
    pub(crate) fn wants_messages(&self) -> bool {
        self.waits_for(|condition| matches!(condition, Condition::Message { .. }))
    }

    fn waits_for(&self, fits: impl Fn(&Condition) -> bool) -> bool {
        self.schedule.entries.iter().any(
            |entry| matches!(&entry.when, When::Condition { condition, .. } if fits(condition)),
        )
    }

    /// The run begins.
    pub(crate) fn start(&mut self, world: &mut dyn World) {
        self.schedule.start(world);
    }

    /// An alarm that was set with [`World::alarm`].
    pub(crate) fn on_alarm(&mut self, world: &mut dyn World, token: u64) {
        match self.schedule.take(token) {
            Some(Alarm::Due { entry }) => self.on_due(world, entry),
            Some(Alarm::End { active }) => self.end(world, active),
            Some(Alarm::Step { active, step }) => {
                // The fault may have been healed since it set this alarm.
                if let Some(fault) = self.active.get_mut(&active) {
                    let mut context = FaultContext {
                        world,
                        holds: &mut self.holds,
                        alarms: &mut self.schedule,
                        id: active,
                    };
                    fault.action.step(&mut context, step);
                }
            }
            Some(Alarm::Member { active, member }) => self.on_member(world, active, member),
            // This one survives `heal_all`: a node that left must be a member again.
            Some(Alarm::Ask { request }) => {
                let command = std::mem::take(&mut self.schedule.requests[request]);
                ask(world, &mut self.schedule, command);
            }
            None => {}
        }
    }

    /// A metric of a node has a new value.
    pub(crate) fn on_metric(
        &mut self,
        world: &mut dyn World,
        node: NodeId,
        metric: &str,
        value: &Value,
    ) {
        self.schedule.on_sight(world, &self.groups, Sight::Metric { node, metric, value });
    }

    /// An event was observed.
    pub(crate) fn on_event(
        &mut self,
        world: &mut dyn World,
        node: NodeId,
        name: &str,
        fields: &Fields,
    ) {
        self.schedule.on_sight(world, &self.groups, Sight::Event { node, name, fields });
    }

    /// A message was delivered.
    pub(crate) fn on_message(
        &mut self,
        world: &mut dyn World,
        src: NodeId,
        dest: NodeId,
        kind: &str,
    ) {
        self.schedule.on_sight(world, &self.groups, Sight::Message { src, dest, kind });
    }

    /// `duration` is over: undo everything, and begin nothing any more. Afterwards all nodes are
    /// up.
    pub(crate) fn heal_all(&mut self, world: &mut dyn World) {
        self.schedule.close();
        // Processes start last, so that they find their disks, clocks and links in order.
        let (last, first): (Vec<u64>, Vec<u64>) =
            self.active.keys().partition(|id| self.holds.keeps_down(**id));
        for id in first.into_iter().chain(last) {
            self.end(world, id);
        }
        for node in world.nodes() {
            match world.status(node) {
                Status::Up => {}
                Status::Paused => world.resume(node),
                Status::Down => world.start(node),
                Status::Absent => faults::join(world, &mut self.schedule, node),
            }
        }
    }

    fn on_due(&mut self, world: &mut dyn World, entry: usize) {
        if !self.schedule.is_open(world.now()) {
            return;
        }
        let happens = self.schedule.due(world, entry);
        let entries = self.schedule.entries.clone();
        // A `when` is used up by its own time; it waits again unless a fault will heal and rearm it.
        if !happens || !self.begin(world, entry, &entries[entry].fault, None, None) {
            self.schedule.rearm(entry);
        }
    }

    fn on_member(&mut self, world: &mut dyn World, active: u64, member: usize) {
        // A swarm inside a `random` ends before the run does, and its members' alarms are still set.
        let Some(swarm) = self.swarms.get(&active) else { return };
        let Some(parent) = self.active.get(&active) else { return };
        let (entry, fault) = (parent.entry, swarm.members[member].fault.clone());
        let stay = swarm.next(world, &mut self.schedule, active, member);
        self.begin(world, entry, &fault, Some(stay), Some(active));
    }

    /// Begin a fault. `lasts` replaces the entry's. `false`: it was not begun.
    fn begin(
        &mut self,
        world: &mut dyn World,
        entry: usize,
        fault: &FaultSpec,
        lasts: Option<Duration>,
        parent: Option<u64>,
    ) -> bool {
        if let Composition::OneOf(among) = fault.composition() {
            let Some(one) = world.rng().pick(among) else { return false };
            return self.begin(world, entry, one, lasts, parent);
        }
        let entries = self.schedule.entries.clone();
        let spec = &entries[entry];
        let lasts = lasts.or_else(|| spec.lasts.map(|Span { min, max }| world.draw(min, max)));
        if let Composition::Swarm { among, keep } = fault.composition() {
            let members =
                match self.chosen.iter().find(|(of, swarm, _)| *of == entry && swarm == fault) {
                    Some((_, _, members)) => members.clone(),
                    None => {
                        let members = swarm::draw_members(world, among, keep);
                        let names: Vec<&str> =
                            members.iter().map(|member| member.fault.name()).collect();
                        world.record(
                            OpType::Info,
                            fault.name(),
                            format!("{}: chosen, {}", spec.name, names.join(" ")),
                        );
                        self.chosen.push((entry, fault.clone(), members.clone()));
                        members
                    }
                };
            self.begin_swarm(world, entry, members, lasts, parent);
            return true;
        }
        let mut targets =
            victims::resolve(world, &self.groups, &self.holds, &spec.targets, fault.fault());
        let left = self.schedule.left(world.now());
        loop {
            let mut request = PlanRequest {
                world: &mut *world,
                groups: &self.groups,
                targets: &targets,
                lasts,
                left,
            };
            let nobody = targets.is_empty() && fault.needs_targets();
            let plan = match nobody {
                true => Err("there is nobody to hit".to_owned()),
                false => fault.plan(&mut request),
            };
            let why_not = match plan {
                Ok(plan) => match self.too_much(world, &plan.impact) {
                    None => {
                        self.carry_out(world, entry, fault.name(), plan, lasts, parent);
                        return true;
                    }
                    Some(why_not) => why_not,
                },
                Err(why_not) => why_not,
            };
            if targets.len() < 2 || !faults::may_be_fewer(&spec.targets) || !fault.needs_targets() {
                world.record(
                    OpType::Info,
                    fault.name(),
                    format!("{}: skipped, {why_not}", spec.name),
                );
                return false;
            }
            let spared = world.rng().below(targets.len() as u64) as usize;
            targets.remove(spared);
        }
    }

    /// Whether a fault would make more nodes faulty than the scenario's model allows, and why.
    fn too_much(&self, world: &dyn World, impact: &Impact) -> Option<String> {
        let most = self.max_faulty.filter(|_| !impact.is_empty())?;
        let mut members = world.nodes();
        members.retain(|node| world.status(*node) != Status::Absent || impact.joins.contains(node));
        let impacts = || self.active.values().map(|active| &active.impact).chain([impact]);
        let is_down = |node: NodeId| {
            let ends = impact.joins.contains(&node);
            !ends
                && (world.status(node) != Status::Up
                    || impacts().any(|impact| impact.down.contains(&node)))
        };
        let cuts: Vec<&LinkSet> = impacts().map(|impact| &impact.cut).collect();
        let faulty = model::faulty(&members, is_down, &cuts);
        (faulty > most).then(|| format!("{faulty} nodes would be faulty and max_faulty is {most}"))
    }

    fn carry_out(
        &mut self,
        world: &mut dyn World,
        entry: usize,
        fault: &'static str,
        plan: Plan,
        lasts: Option<Duration>,
        parent: Option<u64>,
    ) {
        let Plan { words, impact, lasts: wants, mut action } = plan;
        let id = self.new_id();
        let mut value = format!("{}: {words}", self.schedule.entries[entry].name);
        let mut context = FaultContext {
            world: &mut *world,
            holds: &mut self.holds,
            alarms: &mut self.schedule,
            id,
        };
        if wants == Lasts::Instant {
            if let Some(said) = action.begin(&mut context) {
                value += &format!(" ({said})");
            }
            world.record(OpType::Invoke, fault, value.clone());
            world.record(OpType::Info, fault, value);
            if parent.is_none() {
                self.schedule.began(world, entry);
            }
            self.end_undone(world);
            if parent.is_none() {
                self.schedule.ended(world, entry);
            }
            return;
        }
        context.world.record(OpType::Invoke, fault, value.clone());
        action.begin(&mut context);
        let lasts = if let Lasts::Exactly(lasts) = wants { Some(lasts) } else { lasts };
        self.put_in_force(world, id, lasts, Active { entry, parent, fault, value, impact, action });
    }

    fn begin_swarm(
        &mut self,
        world: &mut dyn World,
        entry: usize,
        members: Vec<Member>,
        lasts: Option<Duration>,
        parent: Option<u64>,
    ) {
        let id = self.new_id();
        let left = self.schedule.left(world.now());
        let swarm = Swarm { members, window: lasts.map_or(left, |lasts| lasts.min(left)) };
        swarm.begin(world, &mut self.schedule, id);
        self.swarms.insert(id, swarm);
        let (value, impact, action) = (String::new(), Impact::default(), Box::new(Nothing));
        self.put_in_force(
            world,
            id,
            lasts,
            Active { entry, parent, fault: SWARM, value, impact, action },
        );
    }

    fn put_in_force(
        &mut self,
        world: &mut dyn World,
        id: u64,
        lasts: Option<Duration>,
        active: Active,
    ) {
        let (entry, parent) = (active.entry, active.parent);
        self.active.insert(id, active);
        if let Some(lasts) = lasts {
            let at = world.now() + lasts;
            self.schedule.set(world, at, Alarm::End { active: id });
        }
        if parent.is_none() {
            self.schedule.began(world, entry);
        }
    }

    /// Heal a fault in force; nothing happens where it has healed already.
    fn end(&mut self, world: &mut dyn World, id: u64) {
        let Some(mut active) = self.active.remove(&id) else { return };
        // What a swarm has begun ends with it, and first: its members may hold the nodes of others.
        let children: Vec<u64> = self
            .active
            .iter()
            .filter(|(_, each)| each.parent == Some(id))
            .map(|(child, _)| *child)
            .collect();
        for child in children {
            self.end(world, child);
        }
        self.swarms.remove(&id);
        active.action.end(&mut FaultContext {
            world: &mut *world,
            holds: &mut self.holds,
            alarms: &mut self.schedule,
            id,
        });
        if active.fault != SWARM {
            world.record(OpType::Info, active.fault, active.value);
        }
        if active.parent.is_none() {
            self.schedule.ended(world, active.entry);
        }
    }

    /// A `join` may have brought back all that a `leave` has sent away, which is then over.
    fn end_undone(&mut self, world: &mut dyn World) {
        let is_over = |(id, active): &(&u64, &Active)| active.action.is_undone(&self.holds, **id);
        let over: Vec<u64> = self.active.iter().filter(is_over).map(|(id, _)| *id).collect();
        for id in over {
            self.end(world, id);
        }
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

const SWARM: &str = "swarm";

/// A swarm does nothing by itself.
struct Nothing;

impl Action for Nothing {
    fn begin(&mut self, _context: &mut FaultContext<'_>) -> Option<String> {
        None
    }
}

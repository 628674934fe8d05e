//! One step of a node: an input, a handler, its effects. And the way of messages between steps.

use super::Cluster;
use super::driver::{Driver, Due, Flaw, Held, Msg, Notice, OwnTimer, Timer};
use super::host::{Input, Running, TimerState};
use super::network::{Fate, LOOPBACK};
use super::panics;
use super::recorder::Record;
use super::transport::{Packet, describe};
use crate::faults::Status;
use crate::node::{Ctx, Effect, Effects, Message, Node, Probe, TimerOp};
use crate::time::{Time, nanos};
use crate::trace::{Detail, Fields, NodeId, Outcome, Value, Word};

/// Processor time of an input for a node that a fault has slowed down in a scenario whose
/// processors are infinitely fast.
const SLOWED_PROCESSING_NS: u64 = 50_000;

impl<C: Cluster> Driver<'_, C> {
    /// Hand an input to a node, or put it into the backlog.
    pub(super) fn input(&mut self, node: NodeId, input: Input<Msg<C>, Timer<C>>) {
        let host = &mut self.hosts[node.index()];
        match host.status {
            Status::Up if host.busy_until <= self.now && host.backlog.is_empty() => {
                self.step(node, input)
            }
            Status::Up => {
                self.put_into_backlog(node, input);
                self.look_at_backlog(node);
            }
            Status::Paused => self.put_into_backlog(node, input),
            Status::Down | Status::Absent => {}
        }
    }

    /// See to it that the backlog is looked at when the processor is free.
    pub(super) fn look_at_backlog(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        if !host.wakes && !host.backlog.is_empty() && host.status == Status::Up {
            host.wakes = true;
            self.queue.push(host.busy_until.max(self.now), Due::Idle { node });
        }
    }

    /// The processor is free: take the next input.
    pub(super) fn idle(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.wakes = false;
        if host.status == Status::Up
            && host.busy_until <= self.now
            && let Some(input) = self.take_from_backlog(node)
        {
            self.step(node, input);
        }
        self.look_at_backlog(node);
    }

    fn step(&mut self, node: NodeId, input: Input<Msg<C>, Timer<C>>) {
        match &input {
            Input::Timer(timer) if !self.take_timer(node, timer) => return,
            Input::Message { record, .. } | Input::ProgramMessage { record, .. } => {
                self.recorder.settle(*record)
            }
            _ => {}
        }
        let (now, processing) = (self.now, nanos(self.scenario.nodes.processing));
        // What was noted since the last step was done by clients.
        self.note_defects(None);
        if self.logging {
            self.log_input(node, &input);
        }
        let host = &mut self.hosts[node.index()];
        let Some(running) = host.node.as_mut() else { return };
        let factor = host.slowness * host.slow;
        let base = if factor > 1.0 { processing.max(SLOWED_PROCESSING_NS) } else { processing };
        if base > 0 {
            host.busy_until = now + std::time::Duration::from_nanos((base as f64 * factor) as u64);
        }
        let stops = matches!(input, Input::Stop);
        let Running::BuiltIn(state) = running else {
            return self.step_of_program(node, input, stops);
        };
        let mut effects = self.effects.take().expect("one step at a time");
        let mut ctx = Ctx {
            identity: &host.identity,
            now: host.clock.local(now),
            wall: host.clock.wall(now),
            rng: &mut host.rng,
            disk: &host.disk,
            next_stream: &mut host.streams.next_stream,
            logging: self.logging,
            effects: &mut effects,
        };
        let outcome = panics::catch(|| match input {
            Input::Boot => state.boot(&mut ctx),
            Input::Message { from, message, .. } => state.on_message(&mut ctx, from, message),
            Input::Timer(Some(timer)) => state.on_timer(&mut ctx, timer),
            Input::Timer(None) | Input::ProgramMessage { .. } => {
                unreachable!("only programs are given these")
            }
            Input::Stream(event) => state.on_stream(&mut ctx, event),
            Input::Command(command) => state.on_command(&mut ctx, &command),
            Input::Stop => state.on_stop(&mut ctx),
        });
        self.note_defects(Some(node));
        if let Err(message) = outcome {
            // The effects of a step that did not end did not happen.
            self.effects = Some(Box::default());
            self.crash(node, "panic", None, message);
            return self.restart_later(node);
        }
        self.probe(node);
        self.apply_effects(node, &mut effects);
        let exits = std::mem::take(&mut effects.exit);
        effects.sync = true;
        self.effects = Some(effects);
        if exits {
            self.crash(node, "exit", None, String::new());
            return self.restart_later(node);
        }
        if stops {
            self.crash(node, "stop", None, String::new());
        }
    }

    pub(super) fn apply_effects(
        &mut self,
        node: NodeId,
        effects: &mut Effects<Msg<C>, OwnTimer<C>>,
    ) {
        for timer in effects.timers.drain(..) {
            match timer {
                TimerOp::Set { timer, after } => self.set_timer(node, Some(timer), after),
                TimerOp::Cancel { timer } => self.cancel_timer(node, &Some(timer)),
            }
        }
        for line in effects.logs.drain(..) {
            self.log(node, "node", |_| line);
        }
        if !effects.saves.is_empty() {
            self.save(node, &mut effects.saves);
        }
        if !effects.lazy_saves.is_empty() {
            self.save_lazily(node, &mut effects.lazy_saves);
        }
        if self.hosts[node.index()].node.is_none() {
            // The save failed and took the process with it: nothing of this step leaves.
            effects.out.clear();
        } else if !effects.out.is_empty() {
            let syncs = &mut self.hosts[node.index()].syncs;
            if syncs.required > syncs.durable && effects.sync {
                let required = syncs.required;
                syncs.gated.extend(effects.out.drain(..).map(|effect| (required, effect)));
            } else {
                for effect in effects.out.drain(..) {
                    self.emit(node, effect);
                }
            }
        }
    }

    /// An effect leaves the node.
    pub(super) fn emit(&mut self, node: NodeId, effect: Effect<Msg<C>>) {
        match effect {
            Effect::Send { dest, message } => self.send(node, dest, message),
            Effect::Stream(op) => self.stream_op(node, op),
            Effect::Observe { name, fields } => self.record(node, name, fields),
            Effect::SendFromProgram { dest, message } => {
                self.send_program_message(node, dest, message)
            }
        }
    }

    /// Record an event of the testbed itself.
    pub(super) fn observe(
        &mut self,
        node: NodeId,
        name: &'static str,
        names: &'static [&'static str],
        values: &[Value],
    ) {
        self.record(node, Word::Borrowed(name), Fields::new(names, values));
    }

    /// Record an event, and remember it for the conditions of the nemesis.
    fn record(&mut self, node: NodeId, name: Word, fields: Fields) {
        if self.wants.events {
            self.notices.push(Notice::Event { node, name: name.clone(), fields: fields.clone() });
        }
        if self.logging {
            self.log_event(node, &name, &fields);
        }
        let incarnation = self.hosts[node.index()].identity.incarnation;
        self.recorder.event(self.now, node, incarnation, name, fields);
    }

    fn probe(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        let Some(Running::BuiltIn(state)) = &host.node else { return };
        self.changed.clear();
        state.probe(&mut Probe { last: &mut host.shown, position: 0, changed: &mut self.changed });
        for position in &self.changed {
            let (name, value) = &host.shown[*position];
            self.recorder.metric(self.now, node, name.clone(), value.clone());
            if self.wants.metrics {
                self.notices.push(Notice::Metric {
                    node,
                    name: name.clone(),
                    value: value.clone(),
                });
            }
        }
    }

    pub(super) fn cancel_timer(&mut self, node: NodeId, timer: &Timer<C>) {
        if let Some(state) = self.hosts[node.index()].timers.get_mut(timer) {
            state.deadline = None;
        }
    }

    pub(super) fn set_timer(&mut self, node: NodeId, timer: Timer<C>, after: std::time::Duration) {
        let host = &mut self.hosts[node.index()];
        let deadline = host.clock.local(self.now) + after;
        let at = host.clock.when(deadline, self.now);
        match host.timers.get_mut(&timer) {
            Some(state) if state.event_at <= at => state.deadline = Some(deadline),
            _ => self.push_timer(node, timer, deadline, at),
        }
    }

    fn push_timer(
        &mut self,
        node: NodeId,
        timer: Timer<C>,
        deadline: crate::time::LocalTime,
        at: Time,
    ) {
        let host = &mut self.hosts[node.index()];
        let serial = host.timer_serial;
        host.timer_serial += 1;
        host.timers
            .insert(timer.clone(), TimerState { deadline: Some(deadline), event_at: at, serial });
        self.queue.push(at, Due::Timer { node, timer, serial });
    }

    pub(super) fn timer_event(&mut self, node: NodeId, timer: Timer<C>, serial: u64) {
        let host = &mut self.hosts[node.index()];
        let Some(state) = host.timers.get(&timer).filter(|state| state.serial == serial) else {
            return;
        };
        match state.deadline {
            None => {
                host.timers.remove(&timer);
            }
            Some(deadline) if host.clock.local(self.now) < deadline => {
                let at = host.clock.when(deadline, self.now);
                self.push_timer(node, timer, deadline, at);
            }
            Some(_) => {
                // The state stays until the node takes the input: if that waits, the timer can
                // still be set anew or cancelled.
                host.timers.get_mut(&timer).expect("it was found above").event_at =
                    Time::from_nanos(u64::MAX);
                self.input(node, Input::Timer(timer));
            }
        }
    }

    /// Whether a timer that ran out still counts when the node takes the input.
    fn take_timer(&mut self, node: NodeId, timer: &Timer<C>) -> bool {
        let host = &mut self.hosts[node.index()];
        let local = host.clock.local(self.now);
        let counts = host
            .timers
            .get(timer)
            .is_some_and(|state| state.deadline.is_some_and(|deadline| deadline <= local));
        if counts {
            host.timers.remove(timer);
        }
        counts
    }

    /// The drift of a clock has changed: timers that now run out earlier need an earlier event.
    pub(super) fn rearm_timers(&mut self, node: NodeId) {
        let host = &self.hosts[node.index()];
        let earlier: Vec<_> = host
            .timers
            .iter()
            .filter_map(|(timer, state)| {
                let deadline = state.deadline?;
                let at = host.clock.when(deadline, self.now);
                (at < state.event_at).then(|| (timer.clone(), deadline, at))
            })
            .collect();
        for (timer, deadline, at) in earlier {
            self.push_timer(node, timer, deadline, at);
        }
    }

    /// A datagram leaves `src`.
    #[inline]
    pub(super) fn send(&mut self, src: NodeId, dest: NodeId, mut message: Msg<C>) {
        if self.through_json {
            message = self.sent_as_json(message);
        }
        self.send_packet(src, dest, Packet::Datagram(message));
    }

    /// A datagram or a segment leaves the machine `src`.
    pub(super) fn send_packet(&mut self, src: NodeId, dest: NodeId, message: Packet<Msg<C>>) {
        let (kind, bytes) = (message.kind(), message.size());
        let record = self.recorder.sent(self.now, src, dest, kind.clone(), bytes, message.detail());
        if src == dest {
            return self.queue.push(
                self.now + LOOPBACK,
                Due::Arrival { record, from: src, dest, message, flaw: Flaw::None },
            );
        }
        let fates = self.network.send(
            self.now,
            src,
            dest,
            &kind,
            bytes,
            &mut self.hosts[src.index()].network_rng,
        );
        if let Some(fate) = fates.copy {
            let record = self.recorder.sent(self.now, src, dest, kind, bytes, message.detail());
            self.carry(record, src, dest, message.clone(), fate, Flaw::Copy);
        }
        self.carry(record, src, dest, message, fates.first, Flaw::None);
    }

    fn carry(
        &mut self,
        record: Record,
        from: NodeId,
        dest: NodeId,
        mut message: Packet<Msg<C>>,
        fate: Fate,
        flaw: Flaw,
    ) {
        match fate {
            Fate::Arrives { at, corrupt } => {
                let flaw = match corrupt {
                    false => flaw,
                    true if message.corrupt(&mut self.hosts[from.index()].network_rng) => {
                        Flaw::Corrupted
                    }
                    true => Flaw::Damaged,
                };
                self.queue.push(at, Due::Arrival { record, from, dest, message, flaw });
            }
            Fate::Lost => self.message_stops(record, from, dest, &message, Outcome::Lost, ""),
            Fate::Stopped(reason) => {
                self.message_stops(record, from, dest, &message, Outcome::Partitioned, reason)
            }
            Fate::QueueFull => {
                self.message_stops(record, from, dest, &message, Outcome::Discarded, "queue full")
            }
            Fate::Held(rule) => self.held.push(Held { rule, record, from, dest, message }),
        }
    }

    fn message_stops(
        &mut self,
        record: Record,
        from: NodeId,
        dest: NodeId,
        message: &Packet<Msg<C>>,
        outcome: Outcome,
        reason: &'static str,
    ) {
        self.recorder.stopped(record, outcome, reason);
        self.log(from, "message", |driver| {
            format!(
                "-> {}: {} {}",
                driver.node_name(dest),
                shown(&message.kind(), &message.detail()),
                outcome.word()
            )
        });
    }

    /// A message comes to its receiver's machine. `None`: nobody gets it.
    pub(super) fn receive(
        &mut self,
        record: Record,
        from: NodeId,
        dest: NodeId,
        message: Packet<Msg<C>>,
        flaw: Flaw,
    ) -> Option<Packet<Msg<C>>> {
        if self.network.is_cut(from, dest) {
            self.message_stops(
                record,
                from,
                dest,
                &message,
                Outcome::Partitioned,
                "cut on its way",
            );
            return None;
        }
        let host = &self.hosts[dest.index()];
        // A machine whose process has ended still answers the segments of streams.
        let answers = matches!(message, Packet::Segment(_)) && host.streams.is_powered();
        let outcome = match (host.status, flaw) {
            (Status::Down | Status::Absent, _) if !answers => Outcome::NodeDown,
            _ if matches!(message, Packet::ProgramMessage(_)) && !self.is_program(dest) => {
                Outcome::Discarded
            }
            (_, Flaw::None) => Outcome::Delivered,
            (_, Flaw::Copy) => Outcome::Duplicated,
            (_, Flaw::Corrupted) => Outcome::Corrupted,
            (_, Flaw::Damaged) => Outcome::Discarded,
        };
        self.recorder.arrived(record, self.now, outcome);
        if matches!(outcome, Outcome::NodeDown | Outcome::Discarded) {
            self.recorder.settle(record);
            self.log(dest, "message", |driver| {
                format!(
                    "<- {}: {} {}",
                    driver.node_name(from),
                    shown(&message.kind(), &message.detail()),
                    outcome.word()
                )
            });
            return None;
        }
        if self.wants.messages {
            self.notices.push(Notice::Message { src: from, dest, kind: message.kind() });
        }
        Some(message)
    }

    fn log_event(&mut self, node: NodeId, name: &str, fields: &Fields) {
        let kind = match name {
            "start" | "crash" | "pause" | "resume" | "command" => "process",
            "disk_damage" => "disk",
            _ => "node",
        };
        let mut text = name.to_owned();
        for (name, value) in fields.iter() {
            match value {
                Value::Text(word) if word.is_empty() => {}
                Value::Text(word) => text.push_str(&format!(" {name}={word}")),
                Value::Int(number) => text.push_str(&format!(" {name}={number}")),
                Value::Node(other) => text.push_str(&format!(" {name}={}", self.node_name(*other))),
                Value::Hash(hash) => text.push_str(&format!(" {name}=#{hash:016x}")),
            }
        }
        self.log(node, kind, |_| text);
    }

    fn log_input(&mut self, node: NodeId, input: &Input<Msg<C>, Timer<C>>) {
        match input {
            Input::Message { from, message, .. } => {
                self.log(node, "message", |driver| {
                    format!(
                        "<- {}: {}",
                        driver.node_name(*from),
                        shown(message.name(), &message.detail())
                    )
                });
            }
            Input::ProgramMessage { from, message, .. } => {
                self.log(node, "message", |driver| {
                    format!(
                        "<- {}: {}",
                        driver.node_name(*from),
                        shown(&message.kind, &message.detail())
                    )
                });
            }
            Input::Timer(Some(timer)) => self.log(node, "timer", |_| format!("{timer:?}")),
            // The program's own timers are named in its turn.
            Input::Timer(None) => {}
            Input::Stream(event) => self.log(node, "stream", |_| describe(event)),
            Input::Command(command) => self.log(node, "process", |_| format!("command {command}")),
            Input::Boot | Input::Stop => {}
        }
    }
}

/// A message for `--log`, as `messages.csv` shows it.
fn shown(kind: &str, detail: &Detail) -> String {
    let detail = detail.to_string();
    if detail.is_empty() { kind.to_owned() } else { format!("{kind} {detail}") }
}

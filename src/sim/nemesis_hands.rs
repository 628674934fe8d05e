//! What the nemesis does to the world, done.

use super::Cluster;
use super::driver::{Driver, Due, Flaw};
use super::host::Input;
use crate::faults::{LinkRule, RuleId};
use crate::faults::{Status, World};
use crate::node::CrashPolicy;
use crate::rng::Rng;
use crate::time::Time;
use crate::trace::{NEMESIS, NodeId, OpType, Value, Word};

impl<C: Cluster> World for Driver<'_, C> {
    fn now(&self) -> Time {
        self.now
    }

    fn rng(&mut self) -> &mut Rng {
        &mut self.nemesis_rng
    }

    fn nodes(&self) -> Vec<NodeId> {
        self.node_ids().collect()
    }

    fn clients(&self) -> Vec<NodeId> {
        (self.node_count as u32..self.hosts.len() as u32).map(NodeId).collect()
    }

    fn name(&self, node: NodeId) -> &str {
        self.node_name(node)
    }

    fn role(&self, node: NodeId) -> &str {
        &self.hosts[node.index()].role
    }

    fn status(&self, node: NodeId) -> Status {
        self.hosts[node.index()].status
    }

    fn metric(&self, node: NodeId, metric: &str) -> Option<Value> {
        let host = &self.hosts[node.index()];
        host.node.as_ref()?;
        host.shown.iter().find(|(name, _)| *name == metric).map(|(_, value)| value.clone())
    }

    fn add_rule(&mut self, rule: LinkRule) -> RuleId {
        self.network.add_rule(rule)
    }

    fn remove_rule(&mut self, rule: RuleId) {
        self.network.remove_rule(rule);
        let (released, held) =
            std::mem::take(&mut self.held).into_iter().partition(|held| held.rule == rule);
        self.held = held;
        let released: Vec<_> = released;
        for held in released {
            let due = Due::Arrival {
                record: held.record,
                from: held.from,
                dest: held.dest,
                message: held.message,
                flaw: Flaw::None,
            };
            self.queue.push(self.now, due);
        }
    }

    fn kill(&mut self, node: NodeId, policy: Option<CrashPolicy>) {
        // Who is down by itself stays down while a kill is in force.
        self.hosts[node.index()].restarts = false;
        if matches!(self.status(node), Status::Up | Status::Paused)
            && node.index() < self.node_count
        {
            self.crash(node, "kill", policy, String::new());
        }
    }

    fn start(&mut self, node: NodeId) {
        if matches!(self.status(node), Status::Down | Status::Absent)
            && node.index() < self.node_count
        {
            self.start_node(node);
        }
    }

    fn pause(&mut self, node: NodeId) {
        if self.status(node) == Status::Up && node.index() < self.node_count {
            self.hosts[node.index()].status = Status::Paused;
            self.observe(node, "pause", &[], &[]);
            self.show_status(node);
        }
    }

    fn resume(&mut self, node: NodeId) {
        if self.status(node) == Status::Paused {
            self.hosts[node.index()].status = Status::Up;
            self.observe(node, "resume", &[], &[]);
            self.show_status(node);
            self.notice_sync(node);
            self.look_at_backlog(node);
        }
    }

    fn slow(&mut self, node: NodeId, factor: f64) {
        self.hosts[node.index()].slow = factor;
    }

    fn stop(&mut self, node: NodeId) {
        if self.status(node) == Status::Paused {
            self.resume(node);
        }
        if self.status(node) == Status::Up && node.index() < self.node_count {
            self.input(node, Input::Stop);
        }
    }

    fn command(&mut self, node: NodeId, command: &str) {
        if matches!(self.status(node), Status::Up | Status::Paused)
            && node.index() < self.node_count
        {
            self.observe(
                node,
                "command",
                &["text"],
                &[Value::Text(Word::Owned(command.to_owned()))],
            );
            self.input(node, Input::Command(command.to_owned()));
        }
    }

    fn wall_step(&mut self, node: NodeId, by_ns: i64) {
        self.hosts[node.index()].clock.step(by_ns);
        self.log(node, "clock", |_| format!("steps by {by_ns} ns"));
        self.sample_clock(node);
    }

    fn drift(&mut self, node: NodeId, ppm: Option<f64>) {
        let now = self.now;
        let clock = &mut self.hosts[node.index()].clock;
        clock.set_drift(now, ppm);
        let drift_ppm = clock.drift_ppm();
        self.recorder.metric(now, node, "drift_ppm", Value::Int(drift_ppm));
        self.log(node, "clock", |_| format!("drifts by {drift_ppm} ppm"));
        self.rearm_timers(node);
    }

    fn freeze(&mut self, node: NodeId, frozen: bool) {
        self.hosts[node.index()].clock.freeze(self.now, frozen);
        self.log(node, "clock", |_| if frozen { "stands still" } else { "goes on" }.to_owned());
        self.sample_clock(node);
    }

    fn wall_reset(&mut self, node: NodeId) {
        self.hosts[node.index()].clock.reset(self.now);
        self.log(node, "clock", |_| "is put right".to_owned());
        self.sample_clock(node);
    }

    fn bitflip(&mut self, node: NodeId, file: Option<&str>, bits: u32) -> Option<String> {
        let host = &mut self.hosts[node.index()];
        let bytes = host.disk.durable_mut(file, &mut host.disk_rng)?;
        for _ in 0..bits {
            let bit = host.disk_rng.below((bytes.len() as u64 * 8).max(1)) as usize;
            *bytes.get_mut(bit / 8)? ^= 1 << (bit % 8);
        }
        let done = format!("{bits} bits of {} bytes", bytes.len());
        self.observe(node, "disk_damage", &["what"], &[Value::Text(Word::Borrowed("bitflip"))]);
        Some(done)
    }

    fn cut_file(&mut self, node: NodeId, file: Option<&str>, bytes: u64) -> Option<String> {
        let host = &mut self.hosts[node.index()];
        let content = host.disk.durable_mut(file, &mut host.disk_rng)?;
        let left = content.len().saturating_sub(usize::try_from(bytes).unwrap_or(usize::MAX));
        content.truncate(left);
        self.observe(node, "disk_damage", &["what"], &[Value::Text(Word::Borrowed("truncated"))]);
        Some(format!("cut to {left} bytes"))
    }

    fn disk_full(&mut self, node: NodeId, full: bool) {
        self.hosts[node.index()].disk_health.full = full;
        self.log(node, "disk", |_| if full { "is full" } else { "has room" }.to_owned());
    }

    fn disk_error(&mut self, node: NodeId, probability: f64) {
        self.hosts[node.index()].disk_health.error = probability;
        self.log(node, "disk", |_| format!("fails with probability {probability:.4}"));
    }

    fn disk_slow(&mut self, node: NodeId, factor: f64) {
        self.hosts[node.index()].disk_health.slow = factor;
        self.log(node, "disk", |_| format!("syncs take {factor} times as long"));
    }

    fn disk_stall(&mut self, node: NodeId, stalled: bool) {
        let host = &mut self.hosts[node.index()];
        host.disk_health.stalled = stalled;
        self.log(node, "disk", |_| if stalled { "stalls" } else { "goes on" }.to_owned());
        if !stalled {
            self.notice_sync(node);
        }
    }

    fn backup(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.disk_health.backup = Some(host.disk.snapshot());
    }

    fn restore(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        if let Some(backup) = host.disk_health.backup.take() {
            host.disk.restore(backup);
            self.observe(
                node,
                "disk_damage",
                &["what"],
                &[Value::Text(Word::Borrowed("restored"))],
            );
        }
    }

    fn wipe(&mut self, node: NodeId) {
        self.hosts[node.index()].disk.wipe();
        self.observe(node, "disk_damage", &["what"], &[Value::Text(Word::Borrowed("wiped"))]);
    }

    fn alarm(&mut self, at: Time, token: u64) {
        self.queue.push(at.max(self.now), Due::Nemesis { token });
    }

    fn record(&mut self, op_type: OpType, fault: &'static str, value: String) {
        if self.logging {
            let note = value
                .split_once(": ")
                .is_some_and(|(_, rest)| rest.starts_with("skipped") || rest.starts_with("chosen"));
            let verb = match op_type {
                OpType::Invoke => " begins",
                // Nothing began: the entry only says why, or what a swarm will consist of.
                _ if note => "",
                _ => " heals",
            };
            let line = super::LogLine {
                time_us: self.now.as_micros(),
                node: NEMESIS.to_owned(),
                kind: "nemesis",
                text: format!("{fault}{verb}: {value}"),
            };
            self.log.push(line);
        }
        self.recorder.op(
            self.now,
            Word::Borrowed(NEMESIS),
            op_type,
            Word::Borrowed(fault),
            Word::Owned(value),
            Word::Borrowed(""),
        );
    }
}

//! Processes and their disks: start, crash, pause; save, sync, write back.

use super::Cluster;
use super::driver::{Driver, Due, Notice};
use super::host::{Input, Running};
use crate::faults::Status;
use crate::node::CrashPolicy;
use crate::node::disk::DiskOp;
use crate::program::ProgramNode;
use crate::trace::{NodeId, Outcome, Value, Word};

impl<C: Cluster> Driver<'_, C> {
    pub(super) fn start_nodes(&mut self) {
        for node in self.node_ids() {
            if self.hosts[node.index()].status == Status::Absent {
                self.show_status(node);
            } else {
                self.start_node(node);
            }
        }
    }

    pub(super) fn start_node(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.identity.incarnation += 1;
        host.status = Status::Up;
        host.busy_until = self.now;
        host.shown.clear();
        host.streams.power_on();
        let spec =
            self.scenario.nodes.nodes.get(node.index()).and_then(|spec| spec.program.as_ref());
        host.node = Some(match spec {
            None => Running::BuiltIn(self.cluster.node(&host.identity, &host.role)),
            Some(program) => Running::Program(Box::new(ProgramNode::take(program))),
        });
        self.observe(node, "start", &[], &[]);
        self.show_status(node);
        self.input(node, Input::Boot);
    }

    /// The process ends immediately, and with it everything that was not durable. `policy` replaces the
    /// scenario's.
    pub(super) fn crash(
        &mut self,
        node: NodeId,
        reason: &'static str,
        policy: Option<CrashPolicy>,
        message: String,
    ) {
        let host = &mut self.hosts[node.index()];
        host.node = None;
        host.status = Status::Down;
        host.timers.clear();
        let gated = std::mem::take(&mut host.syncs).gated;
        let policy = policy.unwrap_or(self.scenario.disk.crash);
        let lost = if reason == "stop" {
            host.disk.sync(host.disk.unsynced());
            0
        } else {
            let wreck = host.disk.crash(policy, &mut host.disk_rng);
            let lost = wreck.lost;
            if wreck.kept + wreck.lost > 0 {
                self.log(node, "disk", |_| wreck.to_string());
            }
            lost
        };
        for input in std::mem::take(&mut self.hosts[node.index()].backlog) {
            if let Input::Message { record, .. } | Input::ProgramMessage { record, .. } = input {
                self.recorder.arrived(record, self.now, Outcome::NodeDown);
                self.recorder.settle(record);
            }
        }
        if reason == "stop" {
            // What was asked for before an orderly stop still happens: it waited for the disk, and
            // the disk has everything now.
            for (_, effect) in gated {
                self.emit(node, effect);
            }
        }
        self.drop_streams(node, reason);
        let values = [
            Value::Text(Word::Borrowed(reason)),
            Value::Int(lost as i64),
            Value::Text(Word::Owned(message)),
        ];
        self.observe(node, "crash", &["reason", "lost_saves", "message"], &values);
        self.show_status(node);
    }

    /// The supervisor starts a process again that ended by itself, if the scenario has one.
    pub(super) fn restart_later(&mut self, node: NodeId) {
        let after = self.scenario.nodes.restart_after;
        if !after.is_zero() {
            self.hosts[node.index()].restarts = true;
            let incarnation = self.hosts[node.index()].identity.incarnation;
            self.queue.push(self.now + after, Due::Restart { node, incarnation });
        }
    }

    pub(super) fn show_status(&mut self, node: NodeId) {
        let status = match self.hosts[node.index()].status {
            Status::Up => "up",
            Status::Down => "down",
            Status::Paused => "paused",
            Status::Absent => "absent",
        };
        let value = Value::Text(Word::Borrowed(status));
        if self.wants.metrics {
            self.notices.push(Notice::Metric {
                node,
                name: Word::Borrowed("status"),
                value: value.clone(),
            });
        }
        self.recorder.metric(self.now, node, "status", value);
    }

    /// A disk is no longer stalled, or a process goes on: a sync that ended meanwhile is noticed
    /// now.
    pub(super) fn notice_sync(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        if std::mem::take(&mut host.syncs.ended_meanwhile) {
            let incarnation = host.identity.incarnation;
            self.queue.push(self.now, Due::Synced { node, incarnation });
        }
    }

    /// Look at all clocks, and record those whose offset has changed.
    pub(super) fn sample_clocks(&mut self) {
        for node in self.node_ids() {
            self.sample_clock(node);
        }
    }

    pub(super) fn sample_clock(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        let offset_us = host.clock.offset_ns(self.now).div_euclid(1_000);
        if offset_us != host.shown_offset_us {
            host.shown_offset_us = offset_us;
            self.recorder.metric(self.now, node, "clock_offset_us", Value::Int(offset_us));
        }
    }

    /// Save, and sync as soon as the disk is free.
    pub(super) fn save(&mut self, node: NodeId, ops: &mut Vec<DiskOp>) {
        let host = &mut self.hosts[node.index()];
        host.syncs.written += ops.len() as u64;
        host.syncs.required = host.syncs.written;
        host.disk.write(ops.drain(..));
        self.begin_sync(node);
    }

    /// Save into the cache only; the operating system writes it back some time later.
    pub(super) fn save_lazily(&mut self, node: NodeId, ops: &mut Vec<DiskOp>) {
        let host = &mut self.hosts[node.index()];
        host.syncs.written += ops.len() as u64;
        host.disk.write(ops.drain(..));
        let (incarnation, upto) = (host.identity.incarnation, host.syncs.written);
        self.queue.push(
            self.now + self.scenario.disk.writeback,
            Due::Writeback { node, incarnation, upto },
        );
    }

    pub(super) fn writeback(&mut self, node: NodeId, incarnation: u32, upto: u64) {
        let host = &mut self.hosts[node.index()];
        if host.identity.incarnation == incarnation
            && host.node.is_some()
            && host.syncs.durable < upto
        {
            host.disk.sync((upto - host.syncs.durable) as usize);
            host.syncs.durable = upto;
            self.log(node, "disk", |_| "saves without a sync are written back".to_owned());
        }
    }

    fn begin_sync(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        if host.syncs.under_way.is_some() || !host.is_gated() {
            return;
        }
        host.syncs.under_way = Some(host.syncs.written);
        let latency_ns = (host.disk_health.latency.draw(&mut host.disk_rng) as f64
            * host.disk_health.slow) as u64;
        let incarnation = host.identity.incarnation;
        if latency_ns == 0 && !host.disk_health.stalled {
            self.sync_ends(node, incarnation);
        } else {
            self.queue.push(
                self.now + std::time::Duration::from_nanos(latency_ns),
                Due::Synced { node, incarnation },
            );
        }
    }

    pub(super) fn sync_ends(&mut self, node: NodeId, incarnation: u32) {
        let host = &mut self.hosts[node.index()];
        if host.identity.incarnation != incarnation || host.node.is_none() {
            return;
        }
        let Some(upto) = host.syncs.under_way else { return };
        if host.disk_health.stalled || host.status == Status::Paused {
            host.syncs.ended_meanwhile = true;
            return;
        }
        host.syncs.under_way = None;
        let no_room = host.disk_health.full
            || self.scenario.disk.capacity.is_some_and(|capacity| host.disk.size() > capacity);
        let error = if no_room {
            Some("no space left on device")
        } else if host.disk_rng.chance(host.disk_health.error) {
            Some("input/output error")
        } else {
            None
        };
        if let Some(error) = error {
            // After a failed fsync nobody knows what is on the disk; the only safe answer of a
            // process is to end.
            self.crash(node, "disk", None, error.to_owned());
            return self.restart_later(node);
        }
        if upto > host.syncs.durable {
            let count = upto - host.syncs.durable;
            host.disk.sync(count as usize);
            host.syncs.durable = upto;
            self.log(node, "disk", |_| {
                if count == 1 {
                    "a save is durable".to_owned()
                } else {
                    format!("{count} saves are durable")
                }
            });
        }
        while let Some((required, _)) = self.hosts[node.index()].syncs.gated.front() {
            if *required > self.hosts[node.index()].syncs.durable {
                break;
            }
            let (_, effect) =
                self.hosts[node.index()].syncs.gated.pop_front().expect("there is a first one");
            self.emit(node, effect);
        }
        self.begin_sync(node);
    }
}

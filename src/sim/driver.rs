//! The driver: it owns the event heap, moves virtual time and hands each event to whom it concerns.
//!
//! It is one future inside madsim's `block_on`. Nodes are called inline, in `step`; asynchronous
//! participants run on madsim's executor while the driver gives way, one at a time. Virtual time is
//! `now`; madsim's clock is moved along with it, so that a library which asks the system for the
//! time gets the virtual one.

use std::rc::Rc;
use std::time::Duration;

use madsim::task::JoinHandle;
use madsim::time::TimeHandle;

use super::clock::Clock;
use super::host::{DiskHealth, Host, Input, Syncs};
use super::network::Network;
use super::participant::{Io, Request, Shared};
use super::queue::Queue;
use super::recorder::{Record, Recorder};
use super::stream::{Streams, Token};
use super::transport::Packet;
use super::{Cluster, LastWords, LogLine, RunOptions, RunOutput};
use crate::faults::{Hits, Status};
use crate::language::Sampler;
use crate::nemesis::Nemesis;
use crate::node::{Effects, Identity, Node, StreamEvent};
use crate::program::Stall;
use crate::rng::Rng;
use crate::scenario::{ClockSpec, Scenario, TargetSpec};
use crate::time::{LocalTime, Time, nanos};
use crate::trace::{Fields, NodeId, NodeInfo, Trace, Value, Word};

pub(crate) type Msg<C> = <<C as Cluster>::Node as Node>::Msg;
/// A timer of a node, or `None`: the first deadline of a program.
pub(crate) type Timer<C> = Option<OwnTimer<C>>;
pub(crate) type OwnTimer<C> = <<C as Cluster>::Node as Node>::Timer;

/// What waits in the heap.
pub(crate) enum Due<M, T> {
    /// A message comes to its receiver's machine.
    Arrival { record: Record, from: NodeId, dest: NodeId, message: Packet<M>, flaw: Flaw },
    /// A timer may have run out.
    Timer { node: NodeId, timer: T, serial: u64 },
    /// A sync ends.
    Synced { node: NodeId, incarnation: u32 },
    /// What was saved without a sync reaches the disk by itself.
    Writeback { node: NodeId, incarnation: u32, upto: u64 },
    /// A node whose processor was busy can take the next input.
    Idle { node: NodeId },
    /// The supervisor starts a node again.
    Restart { node: NodeId, incarnation: u32 },
    /// A participant's clock may show what it waits for.
    Wake { client: usize, at: LocalTime },
    /// The nemesis asked to be called.
    Nemesis { token: u64 },
    /// Look at all clocks.
    Sample,
    /// Everything heals.
    Heal,
    /// The load ends.
    LoadEnds,
    /// A timer of a machine's streams.
    StreamTimer { node: NodeId, token: Token },
    /// Something that happened on a stream, for the node.
    StreamEvent { node: NodeId, incarnation: u32, event: Box<StreamEvent> },
}

/// What the network did to a message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// It is the second copy.
    Copy,
    /// The receiver's checksum will not fit.
    Damaged,
    /// Its bits are flipped, and the receiver cannot know.
    Corrupted,
}

/// Something that conditions of the nemesis may wait for. Told after the step, so that the nemesis
/// never acts in its middle.
pub(crate) enum Notice {
    Metric { node: NodeId, name: Word, value: Value },
    Event { node: NodeId, name: Word, fields: Fields },
    Message { src: NodeId, dest: NodeId, kind: Word },
}

struct Client<M> {
    shared: Rc<std::cell::RefCell<Shared<M>>>,
    task: Option<JoinHandle<()>>,
}

pub(crate) struct Driver<'a, C: Cluster> {
    pub(super) scenario: &'a Scenario,
    pub(super) cluster: C,
    pub(super) now: Time,
    pub(super) queue: Queue<Due<Msg<C>, Timer<C>>>,
    pub(super) hosts: Vec<Host<C::Node>>,
    pub(super) node_count: usize,
    pub(super) network: Network,
    pub(super) held: Vec<Held<Msg<C>>>,
    pub(super) recorder: Recorder,
    pub(super) nemesis: Option<Nemesis>,
    pub(super) nemesis_rng: Rng,
    pub(super) wants: Wants,
    pub(super) notices: Vec<Notice>,
    /// What the step under way asks for; boxed, because it is taken out and put back with every
    /// step.
    pub(super) effects: Option<Box<Effects<Msg<C>, OwnTimer<C>>>>,
    pub(super) changed: Vec<usize>,
    pub(super) logging: bool,
    pub(super) through_json: bool,
    pub(super) forms: std::collections::BTreeMap<&'static str, serde_json::Value>,
    pub(super) log: Vec<LogLine>,
    clients: Vec<Client<Msg<C>>>,
    pub(super) aborted: Option<String>,
    /// When planted defects acted, at most [`ACTED_MAX`] moments.
    pub(super) acted: Vec<super::Acted>,
    pub(super) stall: Option<Stall>,
    pub(super) last_words: Vec<LastWords>,
}

/// A message that a rule keeps.
pub(crate) struct Held<M> {
    pub(super) rule: crate::faults::RuleId,
    pub(super) record: Record,
    pub(super) from: NodeId,
    pub(super) dest: NodeId,
    pub(super) message: Packet<M>,
}

/// What the nemesis wants to be told.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wants {
    pub(super) metrics: bool,
    pub(super) events: bool,
    pub(super) messages: bool,
}

/// How often clock offsets are looked at.
const SAMPLE_PERIOD: Duration = Duration::from_millis(100);

/// Events without virtual time moving, after which a run is given up: two nodes that answer each
/// other in the same instant, for ever.
const EVENTS_PER_INSTANT_MAX: u64 = 1_000_000;

/// Records of a run (events, messages, metrics, operations), after which it is given up: about two
/// gigabytes.
const RECORDS_MAX: u64 = 20_000_000;

/// More moments at which defects acted are not kept: the first ones tell when a failure began.
const ACTED_MAX: usize = 1 << 20;

impl<'a, C: Cluster> Driver<'a, C> {
    /// Keep which planted defects acted since the last call, in a step of this node.
    pub(super) fn note_defects(&mut self, node: Option<NodeId>) {
        let (time_us, acted) = (self.now.as_micros(), &mut self.acted);
        crate::defects::take_notes(|defect| {
            if acted.len() < ACTED_MAX {
                acted.push(super::Acted { time_us, node, defect });
            }
        });
    }

    pub(crate) fn new(scenario: &'a Scenario, options: &RunOptions, cluster: C) -> Self {
        let client_names = cluster.clients();
        let node_names = scenario
            .nodes
            .nodes
            .iter()
            .map(|node| (node.name.clone(), Word::Owned(node.role.clone())));
        let infos: Vec<NodeInfo> =
            node_names.chain(client_names).map(|(name, role)| NodeInfo { name, role }).collect();
        let names = Rc::new(infos.iter().map(|info| info.name.clone()).collect::<Vec<_>>());
        let node_count = scenario.nodes.nodes.len();
        let hosts = (0..infos.len())
            .map(|index| host(scenario, options.seed, &infos, &names, index))
            .collect();
        let network =
            Network::new(&scenario.network, infos.len(), |name| resolve(scenario, &infos, name));
        let trace = Trace {
            scenario: scenario.name.clone(),
            system: scenario.system.clone(),
            seed: options.seed,
            duration_us: nanos(scenario.duration) / 1_000,
            end_us: nanos(scenario.duration + scenario.recovery) / 1_000,
            nodes: infos,
            ..Trace::default()
        };
        let nemesis = Nemesis::new(scenario);
        let wants = Wants {
            metrics: nemesis.wants_metrics(),
            events: nemesis.wants_events(),
            messages: nemesis.wants_messages(),
        };
        Driver {
            scenario,
            cluster,
            now: Time::ZERO,
            queue: Queue::new(),
            hosts,
            node_count,
            network,
            held: Vec::new(),
            recorder: Recorder::new(trace, options.fold_messages),
            nemesis: Some(nemesis),
            nemesis_rng: Rng::named(options.seed, "nemesis"),
            wants,
            notices: Vec::new(),
            effects: Some(Box::default()),
            changed: Vec::new(),
            logging: options.log,
            through_json: options.through_json,
            forms: Default::default(),
            log: Vec::new(),
            clients: Vec::new(),
            aborted: None,
            acted: vec![],
            stall: None,
            last_words: Vec::new(),
        }
    }

    /// The whole run.
    pub(crate) async fn run(mut self, seed: u64) -> RunOutput {
        let time = TimeHandle::current();
        self.start_clients(seed);
        self.start_nodes();
        self.with_nemesis(|nemesis, driver| nemesis.start(driver));
        let duration = Time::ZERO + self.scenario.duration;
        let end = duration + self.scenario.recovery;
        self.queue.push(duration, Due::Heal);
        self.queue.push(duration + self.scenario.recovery / 2, Due::LoadEnds);
        self.queue.push(Time::ZERO, Due::Sample);
        self.tell_nemesis();
        for client in 0..self.clients.len() {
            self.run_client(client).await;
        }
        let began = time.elapsed();
        // How far madsim's clock has come: it runs ahead by some nanoseconds with each turn of the
        // executor.
        let mut reached = Duration::ZERO;
        let mut in_this_instant = 0_u64;
        while let Some(at) = self.queue.next_time().filter(|at| *at <= end) {
            let (_, due) = self.queue.pop().expect("there is a next event");
            in_this_instant = if at > self.now { 0 } else { in_this_instant + 1 };
            if in_this_instant > EVENTS_PER_INSTANT_MAX {
                self.aborted = Some(format!(
                    "{EVENTS_PER_INSTANT_MAX} events at {at} and time does not go on"
                ));
                break;
            }
            if self.recorder.records() > RECORDS_MAX {
                self.aborted = Some(format!(
                    "{RECORDS_MAX} records at {at}: the run is larger than memory should hold"
                ));
                break;
            }
            self.now = at;
            let elapsed = Duration::from_nanos(at.as_nanos());
            if elapsed > reached {
                time.advance(elapsed - reached);
                reached = elapsed;
            }
            if let Some(client) = self.handle(due) {
                self.run_client(client).await;
                reached = time.elapsed() - began;
            }
            if !self.notices.is_empty() {
                self.tell_nemesis();
            }
            if self.aborted.is_some() {
                break;
            }
        }
        self.end_clients().await;
        RunOutput {
            trace: self.recorder.into_trace(),
            log: self.log,
            aborted: self.aborted,
            acted: self.acted,
            forms: self.forms,
            stall: self.stall,
            last_words: self.last_words,
        }
    }

    /// Handle an event. `Some`: a participant has something to do.
    fn handle(&mut self, due: Due<Msg<C>, Timer<C>>) -> Option<usize> {
        match due {
            Due::Arrival { record, from, dest, message, flaw } => {
                let message = match self.receive(record, from, dest, message, flaw)? {
                    Packet::Datagram(message) => message,
                    Packet::Segment(segment) => {
                        self.recorder.settle(record);
                        self.segment_arrives(from, dest, *segment);
                        return None;
                    }
                    Packet::ProgramMessage(message) => {
                        self.input(dest, Input::ProgramMessage { from, message, record });
                        return None;
                    }
                };
                let client = dest.index().checked_sub(self.node_count);
                match client {
                    Some(client) => {
                        self.recorder.settle(record);
                        self.clients[client].shared.borrow_mut().inbox.push_back((from, message));
                        return Some(client);
                    }
                    None => self.input(dest, Input::Message { from, message, record }),
                }
            }
            Due::Timer { node, timer, serial } => self.timer_event(node, timer, serial),
            Due::Synced { node, incarnation } => self.sync_ends(node, incarnation),
            Due::Writeback { node, incarnation, upto } => self.writeback(node, incarnation, upto),
            Due::Idle { node } => self.idle(node),
            Due::Restart { node, incarnation } => {
                let host = &self.hosts[node.index()];
                if host.restarts
                    && host.identity.incarnation == incarnation
                    && host.status == Status::Down
                {
                    self.start_node(node);
                }
            }
            Due::Wake { client, at } => {
                let local = self.hosts[self.node_count + client].clock.local(self.now);
                if local >= at {
                    return Some(client);
                }
                self.wake_at(client, at);
            }
            Due::Nemesis { token } => {
                self.with_nemesis(|nemesis, driver| nemesis.on_alarm(driver, token))
            }
            Due::Sample => {
                self.sample_clocks();
                self.queue.push(self.now + SAMPLE_PERIOD, Due::Sample);
            }
            Due::Heal => self.with_nemesis(|nemesis, driver| nemesis.heal_all(driver)),
            Due::LoadEnds => {
                for client in &self.clients {
                    client.shared.borrow_mut().load_is_over = true;
                }
            }
            Due::StreamTimer { node, token } => self.stream_timer(node, token),
            Due::StreamEvent { node, incarnation, event } => {
                self.stream_event(node, incarnation, *event)
            }
        }
        None
    }

    pub(super) fn with_nemesis(&mut self, act: impl FnOnce(&mut Nemesis, &mut Self)) {
        let mut nemesis = self.nemesis.take().expect("the nemesis acts once at a time");
        act(&mut nemesis, self);
        self.nemesis = Some(nemesis);
    }

    /// Tell the nemesis what has happened; what it does may cause more to tell.
    fn tell_nemesis(&mut self) {
        for _ in 0..1_000 {
            if self.notices.is_empty() {
                return;
            }
            let notices = std::mem::take(&mut self.notices);
            self.with_nemesis(|nemesis, driver| {
                for notice in notices {
                    match notice {
                        Notice::Metric { node, name, value } => {
                            nemesis.on_metric(driver, node, &name, &value)
                        }
                        Notice::Event { node, name, fields } => {
                            nemesis.on_event(driver, node, &name, &fields)
                        }
                        Notice::Message { src, dest, kind } => {
                            nemesis.on_message(driver, src, dest, &kind)
                        }
                    }
                }
            });
        }
        self.aborted =
            Some(format!("at {}: the nemesis' entries cause each other without end", self.now));
        self.notices.clear();
    }

    fn start_clients(&mut self, seed: u64) {
        let nodes: Rc<Vec<NodeId>> = Rc::new(self.node_ids().collect());
        for index in 0..self.hosts.len() - self.node_count {
            let identity = &self.hosts[self.node_count + index].identity;
            let rng =
                Rng::named(seed, &format!("workload:{}", identity.names[identity.id.index()]));
            let io = Io::new(identity.id, identity.names.clone(), nodes.clone(), rng);
            let shared = io.shared.clone();
            let program = self.cluster.client(index, io);
            let end = shared.clone();
            let task = madsim::task::spawn_local(async move {
                program.await;
                end.borrow_mut().awake = false;
            });
            self.clients.push(Client { shared, task: Some(task) });
        }
    }

    /// Let a participant run until it waits again, and do what it asked for.
    async fn run_client(&mut self, client: usize) {
        {
            let mut shared = self.clients[client].shared.borrow_mut();
            shared.now = self.hosts[self.node_count + client].clock.local(self.now);
            if let Some(waker) = shared.waker.take() {
                shared.awake = true;
                waker.wake();
            }
        }
        while self.clients[client].shared.borrow().awake {
            madsim::task::yield_now().await;
        }
        let id = NodeId((self.node_count + client) as u32);
        let requests = std::mem::take(&mut self.clients[client].shared.borrow_mut().requests);
        for request in requests {
            match request {
                Request::Send { dest, message } => self.send(id, dest, message),
                Request::WakeAt(at) => self.wake_at(client, at),
                Request::Record { op_type, f, value, error } => {
                    let process =
                        Word::Owned(self.hosts[id.index()].identity.names[id.index()].clone());
                    self.recorder.op(self.now, process, op_type, f, value, error);
                }
            }
        }
    }

    fn wake_at(&mut self, client: usize, at: LocalTime) {
        let when = self.hosts[self.node_count + client].clock.when(at, self.now);
        self.queue.push(when, Due::Wake { client, at });
    }

    /// A runtime that is dropped with live tasks leaks them: cancel all, and let the executor see
    /// it.
    async fn end_clients(&mut self) {
        for client in &mut self.clients {
            drop(client.task.take().map(JoinHandle::cancel_on_drop));
        }
        madsim::time::sleep(Duration::from_millis(1)).await;
    }

    pub(super) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<C> {
        (0..self.node_count as u32).map(NodeId)
    }

    pub(super) fn log(
        &mut self,
        node: NodeId,
        kind: &'static str,
        text: impl FnOnce(&Self) -> String,
    ) {
        if self.logging {
            let text = text(self);
            self.push_log_line(node, kind, text);
        }
    }

    /// Apart from [`Driver::log`], of which there is one for each kind of line.
    #[inline(never)]
    fn push_log_line(&mut self, node: NodeId, kind: &'static str, text: String) {
        let node = self.node_name(node).to_owned();
        self.log.push(LogLine { time_us: self.now.as_micros(), node, kind, text });
    }

    pub(super) fn node_name(&self, node: NodeId) -> &str {
        &self.recorder.trace.nodes[node.index()].name
    }
}

fn host<N: Node>(
    scenario: &Scenario,
    seed: u64,
    infos: &[NodeInfo],
    names: &Rc<Vec<String>>,
    index: usize,
) -> Host<N> {
    let id = NodeId(index as u32);
    let info = &infos[index];
    let spec = scenario.nodes.nodes.get(index);
    let stream = |kind: &str| Rng::named(seed, &format!("{kind}:{}", info.name));
    let mut clock_rng = stream("clock");
    let clock = spec.map_or(ClockSpec::default(), |spec| spec.clock);
    let (least, most) = clock.offset_ns;
    let offset_ns = if least >= most {
        least
    } else {
        least.saturating_add(clock_rng.below(least.abs_diff(most)) as i64)
    };
    let drift_ppm = clock_rng.amount(clock.drift_ppm.0, clock.drift_ppm.1);
    let of_role =
        |other: &NodeId| spec.is_some() && infos[other.index()].role == info.role && *other != id;
    let peers = (0..scenario.nodes.nodes.len() as u32).map(NodeId).filter(of_role).collect();
    let joins_later = spec.is_some()
        && scenario.nemesis.iter().any(|entry| {
            entry.fault.fault().hits == Hits::Outsiders && means(&entry.targets, info, scenario)
        });
    Host {
        identity: Identity { id, names: names.clone(), peers: Rc::new(peers), incarnation: 0 },
        role: info.role.clone().into_owned(),
        node: None,
        status: match (spec, joins_later) {
            (None, _) => Status::Up,
            (Some(_), true) => Status::Absent,
            (Some(_), false) => Status::Down,
        },
        rng: stream("node"),
        network_rng: stream("network"),
        disk_rng: stream("disk"),
        clock: Clock::new(offset_ns, drift_ppm),
        disk: Default::default(),
        disk_health: DiskHealth {
            latency: Sampler::new(&scenario.disk.sync_latency),
            slow: 1.0,
            error: 0.0,
            full: false,
            stalled: false,
            backup: None,
        },
        syncs: Syncs::default(),
        timers: Default::default(),
        timer_serial: 0,
        backlog: Default::default(),
        busy_until: Time::ZERO,
        restarts: false,
        wakes: false,
        slowness: spec.map_or(1.0, |spec| spec.slowness),
        slow: 1.0,
        shown: Vec::new(),
        shown_offset_us: i64::MIN,
        streams: Streams::new(&scenario.network.stream),
        stream_rng: stream("stream"),
    }
}

/// Whether targets mean a node by what the scenario says of it: its name, a group or its role.
fn means(targets: &TargetSpec, info: &NodeInfo, scenario: &Scenario) -> bool {
    let in_group = |name: &String| {
        scenario.nodes.groups.get(name).is_some_and(|group| group.contains(&info.name))
    };
    match targets {
        TargetSpec::Names(names) => names.iter().any(|name| *name == info.name || in_group(name)),
        TargetSpec::Role(role) => *role == info.role,
        _ => false,
    }
}

/// The participants that a name of `[[network.link]]` stands for: all, a group, a role, or one.
fn resolve(scenario: &Scenario, infos: &[NodeInfo], name: &str) -> Vec<NodeId> {
    let group = scenario.nodes.groups.get(name);
    let fits = |info: &NodeInfo| {
        name == "any"
            || info.name == name
            || info.role == name
            || group.is_some_and(|group| group.contains(&info.name))
    };
    infos.iter().zip(0..).filter(|(info, _)| fits(info)).map(|(_, id)| NodeId(id)).collect()
}

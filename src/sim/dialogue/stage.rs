//! Where a dialogue takes place: the nodes, what is in flight between them, and one time for all.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::{Debug, Write};
use std::rc::Rc;
use std::time::Duration;

use super::super::Cluster;
use super::super::panics;
use super::streams::{Parcel, Sockets};
use super::{Only, STEPS_MAX, Say, Selection};
use crate::node::{
    CrashPolicy, Ctx, Disk, DiskOp, Effect, Effects, Identity, LocalTime, Message, Node, Probe,
    StreamEvent, TimerOp,
};
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::time::RUN_BEGINS;
use crate::trace::{NodeId, Value};

type Msg<C> = <<C as Cluster>::Node as Node>::Msg;
type Timer<C> = <<C as Cluster>::Node as Node>::Timer;

/// A participant with its machine.
struct Actor<N: Node> {
    identity: Identity,
    role: String,
    /// `None` while it is down, and for clients.
    node: Option<N>,
    rng: Rng,
    disk: Disk,
    timers: BTreeMap<N::Timer, LocalTime>,
    next_stream: u64,
    sockets: Sockets,
    wall_ahead_ns: i64,
}

/// What is in flight from one to another.
#[derive(Clone)]
struct Flying<M> {
    from: NodeId,
    dest: NodeId,
    parcel: Parcel<M>,
}

/// An input, as in the simulator.
enum Input<M, T> {
    Boot,
    Message(NodeId, M),
    Timer(T),
    Stream(StreamEvent),
    Command(String),
    Stop,
}

/// All of them.
pub(super) struct Stage<C: Cluster> {
    cluster: C,
    now: LocalTime,
    actors: Vec<Actor<C::Node>>,
    /// How many of the actors are nodes; the others are clients, for whom the script speaks.
    nodes: usize,
    flying: VecDeque<Flying<Msg<C>>>,
    cuts: BTreeSet<(NodeId, NodeId)>,
    output: String,
}

impl<C: Cluster> Stage<C> {
    pub(super) fn new(cluster: C, scenario: &Scenario) -> Stage<C> {
        let of_nodes =
            scenario.nodes.nodes.iter().map(|node| (node.name.clone(), node.role.clone()));
        let of_clients = cluster.clients().into_iter().map(|(name, role)| (name, role.into()));
        let all: Vec<(String, String)> = of_nodes.chain(of_clients).collect();
        let names = Rc::new(all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        let ids = || (0..all.len() as u32).map(NodeId);
        let actor = |id: NodeId| {
            let (name, role) = &all[id.index()];
            let peers = ids().filter(|peer| *peer != id && all[peer.index()].1 == *role).collect();
            Actor {
                identity: Identity {
                    id,
                    names: names.clone(),
                    peers: Rc::new(peers),
                    incarnation: 0,
                },
                role: role.clone(),
                node: None,
                rng: Rng::named(1, &format!("node:{name}")),
                disk: Disk::default(),
                timers: BTreeMap::new(),
                next_stream: 0,
                sockets: Sockets::default(),
                wall_ahead_ns: 0,
            }
        };
        Stage {
            actors: ids().map(actor).collect(),
            cluster,
            now: LocalTime::ZERO,
            nodes: scenario.nodes.nodes.len(),
            flying: VecDeque::new(),
            cuts: BTreeSet::new(),
            output: String::new(),
        }
    }

    pub(super) fn take_output(&mut self) -> String {
        std::mem::take(&mut self.output)
    }

    // Names.

    pub(super) fn node(&self, name: &str) -> Result<NodeId, String> {
        NodeId::named(&self.actors[0].identity.names, name)
            .ok_or_else(|| format!("nobody is named {name:?}"))
    }

    /// A participant, or `None` for `*`.
    pub(super) fn any(&self, name: &str) -> Result<Option<NodeId>, String> {
        if name == "*" { Ok(None) } else { self.node(name).map(Some) }
    }

    /// The nodes of these names; all of them for `*`.
    pub(super) fn nodes(&self, names: &[&str]) -> Result<Vec<NodeId>, String> {
        match names {
            [] => Err("it takes the names of nodes, or `*`".to_owned()),
            ["*"] => Ok((0..self.nodes as u32).map(NodeId).collect()),
            names => names.iter().map(|name| self.node(name)).collect(),
        }
    }

    fn name(&self, node: NodeId) -> &str {
        &self.actors[0].identity.names[node.index()]
    }

    // What the script asks for.

    pub(super) fn start(&mut self, node: NodeId) -> Result<(), String> {
        let actor = &mut self.actors[node.index()];
        if actor.node.is_some() || node.index() >= self.nodes {
            return Err("only a node that is down can be started".to_owned());
        }
        actor.identity.incarnation += 1;
        actor.node = Some(self.cluster.node(&actor.identity, &actor.role));
        self.step(node, Input::Boot);
        Ok(())
    }

    pub(super) fn crash(&mut self, node: NodeId) {
        let now_down = self.go_down(node);
        let name = self.name(node);
        let line = match now_down {
            0 => format!("{name} crashes\n"),
            lost => format!("{name} crashes, {lost} unsynced saves are lost\n"),
        };
        self.output.push_str(&line);
    }

    /// Returns how many operations of the disk are lost.
    fn go_down(&mut self, node: NodeId) -> usize {
        let actor = &mut self.actors[node.index()];
        actor.node = None;
        actor.timers.clear();
        actor.sockets = Sockets::default();
        actor.disk.crash(CrashPolicy::Lose, &mut actor.rng).lost
    }

    pub(super) fn stop(&mut self, node: NodeId) -> Result<(), String> {
        self.step(node, Input::Stop);
        self.go_down(node);
        Ok(())
    }

    pub(super) fn command(&mut self, node: NodeId, command: &str) -> Result<(), String> {
        self.step(node, Input::Command(command.to_owned()));
        Ok(())
    }

    pub(super) fn message(&self, text: &str, say: Say<'_, Msg<C>>) -> Result<Msg<C>, String> {
        let names = &self.actors[0].identity.names;
        if let Some(message) = say(text, names) {
            return Ok(message);
        }
        let json = serde_json::from_str(text).map_err(|error| format!("not a message: {error}"))?;
        Msg::<C>::from_json(&json, names)
    }

    /// A message arrives that was not in flight.
    pub(super) fn hear(
        &mut self,
        from: NodeId,
        node: NodeId,
        message: Msg<C>,
    ) -> Result<(), String> {
        self.arrive(Flying { from, dest: node, parcel: Parcel::Message(message) });
        Ok(())
    }

    pub(super) fn deliver(&mut self, which: &Selection<'_>) -> Result<(), String> {
        for flying in self.take(which)? {
            self.arrive(flying);
        }
        Ok(())
    }

    pub(super) fn lose(&mut self, which: &Selection<'_>) -> Result<(), String> {
        for flying in self.take(which)? {
            let line = format!("lost: {}\n", self.describe(&flying));
            self.output.push_str(&line);
        }
        Ok(())
    }

    pub(super) fn double(&mut self, which: &Selection<'_>) -> Result<(), String> {
        let places = self.select(which)?;
        let copies: Vec<_> = places.iter().map(|place| self.flying[*place].clone()).collect();
        for copy in copies {
            let line = format!("doubled: {}\n", self.describe(&copy));
            self.output.push_str(&line);
            self.flying.push_back(copy);
        }
        Ok(())
    }

    /// The places in the queue of all that is selected.
    fn select(&self, which: &Selection<'_>) -> Result<Vec<usize>, String> {
        let fits = |flying: &Flying<Msg<C>>| {
            which.from.is_none_or(|from| from == flying.from)
                && which.dest.is_none_or(|dest| dest == flying.dest)
                && which.kind.is_none_or(|kind| kind == flying.parcel.kind())
        };
        let all: Vec<usize> =
            (0..self.flying.len()).filter(|place| fits(&self.flying[*place])).collect();
        if all.is_empty() {
            return Err("nothing like that is in flight".to_owned());
        }
        Ok(match which.only {
            Only::All => all,
            Only::First => all[..1].to_vec(),
            Only::Last => all[all.len() - 1..].to_vec(),
        })
    }

    fn take(&mut self, which: &Selection<'_>) -> Result<Vec<Flying<Msg<C>>>, String> {
        let places = self.select(which)?;
        let (mut taken, mut left) = (vec![], VecDeque::new());
        for (place, flying) in std::mem::take(&mut self.flying).into_iter().enumerate() {
            if places.contains(&place) {
                taken.push(flying);
            } else {
                left.push_back(flying);
            }
        }
        self.flying = left;
        Ok(taken)
    }

    pub(super) fn settle(&mut self) -> Result<(), String> {
        for _ in 0..STEPS_MAX {
            let Some(flying) = self.flying.pop_front() else { return Ok(()) };
            self.arrive(flying);
        }
        Err(format!("messages are still in flight after {STEPS_MAX} deliveries"))
    }

    pub(super) fn wait(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    pub(super) fn time_out(&mut self, node: NodeId, name: &str) -> Result<(), String> {
        let timers = &self.actors[node.index()].timers;
        let exact = timers.keys().find(|timer| format!("{timer:?}") == name);
        let mut like = timers.keys().filter(|timer| format!("{timer:?}").contains(name));
        let timer = match (exact, like.next(), like.next()) {
            (Some(timer), _, _) | (None, Some(timer), None) => timer.clone(),
            _ => return Err(format!("it has these timers: {:?}", timers.keys())),
        };
        // A node may leave a timer alone that it wants to put off, and set it anew when it runs
        // out. That is not what the script means: follow the timer to its end.
        for _ in 0..STEPS_MAX {
            let timers = &mut self.actors[node.index()].timers;
            let Some(deadline) = timers.remove(&timer) else { break };
            self.now = self.now.max(deadline);
            let before = self.output.len();
            self.step(node, Input::Timer(timer.clone()));
            let put_off = format!("   timer {timer:?} in ");
            let mut lines = self.output[before..].lines().skip(1);
            match (lines.next(), lines.next()) {
                (Some(line), None) if line.starts_with(&put_off) => self.output.truncate(before),
                _ => break,
            }
        }
        Ok(())
    }

    pub(super) fn run(&mut self, duration: Duration) -> Result<(), String> {
        let end = self.now + duration;
        for _ in 0..STEPS_MAX {
            self.settle()?;
            let timers = |actor: usize| {
                self.actors[actor].timers.iter().map(move |(timer, at)| (*at, actor, timer))
            };
            let next = (0..self.nodes).flat_map(timers).min_by_key(|(at, actor, _)| (*at, *actor));
            let Some((at, actor, timer)) = next.filter(|(at, ..)| *at <= end) else {
                self.now = end;
                return Ok(());
            };
            let timer = timer.clone();
            self.now = self.now.max(at);
            self.actors[actor].timers.remove(&timer);
            self.step(NodeId(actor as u32), Input::Timer(timer));
        }
        Err(format!("{STEPS_MAX} timers ran out, and the time is not over"))
    }

    /// What is sent between the two is lost, in both directions; a node is not cut off from itself.
    pub(super) fn cut(&mut self, from: Option<NodeId>, dest: Option<NodeId>) {
        let ids = || (0..self.actors.len() as u32).map(NodeId);
        for (a, b) in ids().flat_map(|a| ids().map(move |b| (a, b))).filter(|(a, b)| a != b) {
            if from.is_none_or(|from| from == a) && dest.is_none_or(|dest| dest == b) {
                self.cuts.extend([(a, b), (b, a)]);
            }
        }
    }

    pub(super) fn heal(&mut self) {
        self.cuts.clear();
    }

    pub(super) fn set_clock(&mut self, node: NodeId, ahead_ns: i64) {
        self.actors[node.index()].wall_ahead_ns = ahead_ns;
    }

    pub(super) fn break_streams(&mut self, a: NodeId, b: NodeId) -> Result<(), String> {
        for (node, peer) in [(a, b), (b, a)] {
            for stream in self.actors[node.index()].sockets.forget(peer) {
                self.step(node, Input::Stream(StreamEvent::TimedOut(stream)));
            }
        }
        Ok(())
    }

    pub(super) fn show(&mut self, node: NodeId) {
        let mut line = self.name(node).to_owned();
        match &self.actors[node.index()].node {
            None => line.push_str(" is down"),
            Some(state) => {
                let (mut last, mut changed) = (vec![], vec![]);
                state.probe(&mut Probe { last: &mut last, position: 0, changed: &mut changed });
                for (name, value) in &last {
                    self.put(&mut line, name, value);
                }
            }
        }
        self.output.push_str(&line);
        self.output.push('\n');
    }

    pub(super) fn show_flying(&mut self) {
        let lines: String = self.flying.iter().map(|flying| self.describe(flying) + "\n").collect();
        self.output.push_str(if lines.is_empty() { "nothing is in flight\n" } else { &lines });
    }

    // How things happen.

    fn arrive(&mut self, flying: Flying<Msg<C>>) {
        let Flying { from, dest, parcel } = flying;
        let actor = &mut self.actors[dest.index()];
        if actor.node.is_none() {
            if let Some(reset) = parcel.answer_of_nobody() {
                self.flying.push_back(Flying { from: dest, dest: from, parcel: reset });
            }
            let line = format!("{} is down\n", self.name(dest));
            return self.output.push_str(&line);
        }
        let event = match parcel {
            Parcel::Message(message) => return self.step(dest, Input::Message(from, message)),
            stream => {
                let (event, answer) = actor.sockets.arrive(from, stream, &mut actor.next_stream);
                let answers = answer.into_iter();
                self.flying.extend(answers.map(|parcel| Flying { from: dest, dest: from, parcel }));
                event
            }
        };
        if let Some(event) = event {
            self.step(dest, Input::Stream(event));
        }
    }

    fn step(&mut self, node: NodeId, input: Input<Msg<C>, Timer<C>>) {
        crate::defects::take_notes(|_| {});
        let heading = self.heading(node, &input);
        self.output.push_str(&heading);
        let actor = &mut self.actors[node.index()];
        let Some(state) = actor.node.as_mut() else {
            return self.output.push_str("   it is down\n");
        };
        let mut effects = Effects::default();
        let mut ctx = Ctx {
            identity: &actor.identity,
            now: self.now,
            wall: RUN_BEGINS.shifted(self.now.as_nanos() as i64 + actor.wall_ahead_ns),
            rng: &mut actor.rng,
            disk: &actor.disk,
            next_stream: &mut actor.next_stream,
            logging: true,
            effects: &mut effects,
        };
        let outcome = panics::catch(|| match input {
            Input::Boot => state.boot(&mut ctx),
            Input::Message(from, message) => state.on_message(&mut ctx, from, message),
            Input::Timer(timer) => state.on_timer(&mut ctx, timer),
            Input::Stream(event) => state.on_stream(&mut ctx, event),
            Input::Command(command) => state.on_command(&mut ctx, &command),
            Input::Stop => state.on_stop(&mut ctx),
        });
        let output = &mut self.output;
        crate::defects::take_notes(|defect| {
            let _ = writeln!(output, "   the defect {defect} acts");
        });
        if let Err(message) = outcome {
            // Where in the source it panics is not worth a change of every dialogue.
            let text = message.rsplit_once(" (src/").map_or(message.as_str(), |(text, _)| text);
            let _ = writeln!(self.output, "   it crashes: {text}");
            self.go_down(node);
            return;
        }
        self.apply(node, effects);
    }

    fn heading(&self, node: NodeId, input: &Input<Msg<C>, Timer<C>>) -> String {
        let name = self.name(node);
        match input {
            Input::Boot => format!("{name} starts\n"),
            Input::Message(from, message) => {
                format!("{name} <- {} {}\n", self.name(*from), self.said(message))
            }
            Input::Timer(timer) => format!("{name} timer {timer:?}\n"),
            Input::Stream(event) => format!("{name} stream {}\n", shown(event)),
            Input::Command(command) => format!("{name} command {command}\n"),
            Input::Stop => format!("{name} stops\n"),
        }
    }

    /// Carry out what a step has asked for: saves are durable before anything leaves.
    fn apply(&mut self, node: NodeId, mut effects: Effects<Msg<C>, Timer<C>>) {
        let mut lines = String::new();
        for op in &effects.saves {
            let _ = writeln!(lines, "   {}", saved(op));
        }
        for op in &effects.lazy_saves {
            let _ = writeln!(lines, "   {}, without a sync", saved(op));
        }
        let actor = &mut self.actors[node.index()];
        let synced = actor.disk.unsynced() + effects.saves.len();
        actor.disk.write(effects.saves.drain(..));
        if effects.sync {
            actor.disk.sync(synced);
        }
        actor.disk.write(effects.lazy_saves.drain(..));
        for effect in effects.out.drain(..) {
            self.emit(node, effect, &mut lines);
        }
        for timer in effects.timers.drain(..) {
            let timers = &mut self.actors[node.index()].timers;
            match timer {
                TimerOp::Set { timer, after } => {
                    let shown = Duration::from_micros(after.as_micros() as u64);
                    let _ = writeln!(lines, "   timer {timer:?} in {shown:?}");
                    timers.insert(timer, self.now + after);
                }
                TimerOp::Cancel { timer } => {
                    if timers.remove(&timer).is_some() {
                        let _ = writeln!(lines, "   no timer {timer:?}");
                    }
                }
            }
        }
        for line in effects.logs.drain(..) {
            let _ = writeln!(lines, "   \"{line}\"");
        }
        self.output.push_str(&lines);
        if effects.exit {
            self.output.push_str("   it exits\n");
            self.go_down(node);
        }
    }

    fn emit(&mut self, node: NodeId, effect: Effect<Msg<C>>, lines: &mut String) {
        match effect {
            Effect::Observe { name, fields } => {
                lines.push_str("   ");
                lines.push_str(&name);
                for (name, value) in fields.iter() {
                    self.put(lines, name, value);
                }
                lines.push('\n');
            }
            Effect::Send { dest, message } => {
                let _ = writeln!(lines, "   -> {} {}", self.name(dest), self.said(&message));
                self.send(node, dest, Parcel::Message(message));
            }
            Effect::Stream(op) => {
                let _ = writeln!(lines, "   stream {}", shown(&op));
                for (dest, parcel) in self.actors[node.index()].sockets.operate(op) {
                    self.send(node, dest, parcel);
                }
            }
            Effect::SendFromProgram { .. } => unreachable!("a dialogue has no programs"),
        }
    }

    /// Put something in flight, unless its way is cut. Clients read nothing: the script speaks for
    /// them.
    fn send(&mut self, from: NodeId, dest: NodeId, parcel: Parcel<Msg<C>>) {
        if dest.index() < self.nodes && !self.cuts.contains(&(from, dest)) {
            self.flying.push_back(Flying { from, dest, parcel });
        }
    }

    // How things are written.

    fn describe(&self, flying: &Flying<Msg<C>>) -> String {
        let what = match &flying.parcel {
            Parcel::Message(message) => self.said(message),
            stream => stream.kind().to_owned(),
        };
        format!("{} -> {} {what}", self.name(flying.from), self.name(flying.dest))
    }

    /// A message as `messages.csv` shows it; in full where that says nothing.
    fn said(&self, message: &Msg<C>) -> String {
        let detail = message.detail().to_string();
        if !detail.is_empty() {
            return format!("{} {detail}", message.name());
        }
        let mut said = message.name().to_owned();
        if let Some(serde_json::Value::Object(fields)) =
            message.to_json(&self.actors[0].identity.names)
        {
            for (name, value) in fields.iter().filter(|(name, _)| *name != "type") {
                let _ = write!(said, " {name}={value}");
            }
        }
        said
    }

    fn put(&self, line: &mut String, name: &str, value: &Value) {
        let _ = match value {
            Value::Int(number) => write!(line, " {name}={number}"),
            Value::Node(node) => write!(line, " {name}={}", self.name(*node)),
            Value::Hash(hash) => write!(line, " {name}=#{:04x}", hash >> 48),
            Value::Text(text) => write!(line, " {name}={text}"),
        };
    }
}

fn saved(op: &DiskOp) -> String {
    match op {
        DiskOp::Append { file, bytes } => format!("append {} bytes to {file}", bytes.len()),
        DiskOp::Replace { file, bytes } => format!("save {file}, {} bytes", bytes.len()),
        DiskOp::Overwrite { file, bytes } => format!("overwrite {file}, {} bytes", bytes.len()),
        DiskOp::Truncate { file, len } => format!("cut {file} to {len} bytes"),
        DiskOp::Rename { file, to } => format!("rename {file} to {to}"),
        DiskOp::Remove { file } => format!("remove {file}"),
    }
}

/// A stream's event or operation, with bytes as text where they are one.
fn shown(what: &impl Debug) -> String {
    let text = format!("{what:?}");
    let Some((before, rest)) = text.split_once('[') else { return text };
    let Some((bytes, after)) = rest.split_once(']') else { return text };
    let bytes: Option<Vec<u8>> = bytes.split(", ").map(|byte| byte.parse().ok()).collect();
    match bytes.map(String::from_utf8) {
        Some(Ok(words)) if !words.contains(|c: char| c.is_control() && c != '\n' && c != '\r') => {
            format!("{before}{words:?}{after}")
        }
        Some(Ok(words)) => format!("{before}{} bytes{after}", words.len()),
        Some(Err(error)) => format!("{before}{} bytes{after}", error.as_bytes().len()),
        None => text,
    }
}

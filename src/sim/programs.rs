//! Programs in place of nodes: between their seats and the driver.

use std::fmt::Write;

use super::driver::{Driver, Msg, Notice, Timer};
use super::host::{Input, Running};
use super::transport::Packet;
use super::{Cluster, LastWords};
use crate::node::{Effect, Effects, Message};
use crate::program::{Asked, Fault, Happened, Leaves, Letter, Place, Stall};
use crate::trace::{Detail, NodeId};

/// Of a message's content the trace shows so many characters.
const DETAIL_MAX: usize = 120;

impl Letter {
    /// The fields of the message besides its type, shortened.
    pub(crate) fn detail(&self) -> Detail {
        let mut text = String::new();
        for (name, value) in
            self.body.as_object().into_iter().flatten().filter(|(name, _)| *name != "type")
        {
            let space = if text.is_empty() { "" } else { " " };
            // A text takes whatever is written to it.
            let _ = write!(text, "{space}{name}={value}");
        }
        if let Some((end, _)) = text.char_indices().nth(DETAIL_MAX) {
            text.truncate(end);
            text.push('…');
        }
        Detail::Text(text.into())
    }
}

impl<C: Cluster> Driver<'_, C> {
    /// Whether a program has the node's place.
    pub(super) fn is_program(&self, node: NodeId) -> bool {
        self.scenario.nodes.nodes.get(node.index()).is_some_and(|spec| spec.program.is_some())
    }

    /// One step of a program: a turn and its answer.
    pub(super) fn step_of_program(
        &mut self,
        node: NodeId,
        input: Input<Msg<C>, Timer<C>>,
        stops: bool,
    ) {
        // A run that was given up is judged by nobody: another program that stalls would only take
        // as long again.
        if self.aborted.is_some() {
            return;
        }
        match self.turn(node, input) {
            Ok(asked) => self.apply_answer(node, asked, stops),
            Err(fault) => self.program_fails(node, &fault),
        }
    }

    fn turn(&mut self, node: NodeId, input: Input<Msg<C>, Timer<C>>) -> Result<Asked, Fault> {
        let host = &mut self.hosts[node.index()];
        let Some(Running::Program(seat)) = host.node.as_mut() else { return Ok(Asked::default()) };
        let seat = seat.as_mut().as_mut().map_err(|fault| fault.clone())?;
        let place = Place {
            identity: &host.identity,
            role: &host.role,
            now: host.clock.local(self.now),
            wall: host.clock.wall(self.now),
            disk: &host.disk,
            next_stream: host.streams.next_stream,
        };
        let names = &host.identity.names;
        match input {
            Input::Boot => seat.turn(&place, &Happened::Boot(host.rng.bits())),
            Input::Message { from, message, .. } => {
                let body = message
                    .to_json(names)
                    .unwrap_or_else(|| serde_json::json!({ "type": message.name() }));
                seat.turn(&place, &Happened::Message { from, body: &body })
            }
            Input::Letter { from, letter, .. } => {
                seat.turn(&place, &Happened::Message { from, body: &letter.body })
            }
            Input::Timer(_) => seat.turn(&place, &Happened::Deadline),
            Input::Command(command) => seat.turn(&place, &Happened::Command(&command)),
            Input::Stop => seat.turn(&place, &Happened::Stop),
            Input::Stream(event) => seat.turn(&place, &Happened::Stream(&event)),
        }
    }

    fn apply_answer(&mut self, node: NodeId, asked: Asked, stops: bool) {
        for (name, value) in asked.metrics {
            let shown = &mut self.hosts[node.index()].shown;
            match shown.iter_mut().find(|(known, _)| *known == name) {
                Some((_, last)) if *last == value => continue,
                Some((_, last)) => *last = value.clone(),
                None => shown.push((name.clone(), value.clone())),
            }
            self.recorder.metric(self.now, node, name.clone(), value.clone());
            if self.wants.metrics {
                self.notices.push(Notice::Metric { node, name, value });
            }
        }
        match asked.deadline {
            Some(deadline) => {
                let now = self.hosts[node.index()].clock.local(self.now);
                self.set_timer(
                    node,
                    None,
                    if deadline > now { deadline - now } else { std::time::Duration::ZERO },
                );
            }
            None => self.cancel_timer(node, &None),
        }
        self.hosts[node.index()].streams.next_stream += asked.connects;
        let out = asked.leaves.into_iter().map(|leaves| match leaves {
            Leaves::Letter { dest, letter } => Effect::Letter { dest, letter: Box::new(letter) },
            Leaves::Event { name, fields } => Effect::Observe { name, fields },
            Leaves::Stream(op) => Effect::Stream(op),
        });
        let mut effects = Effects {
            saves: asked.saves,
            logs: asked.logs,
            out: out.collect(),
            ..Effects::default()
        };
        self.apply_effects(node, &mut effects);
        // Who is asked to end, and ends in order, does what it was asked.
        let in_order = |message: &String| stops && message == "it ended with status 0";
        if let Some(message) = asked.exit.filter(|message| !in_order(message)) {
            self.crash(node, "exit", None, message);
            return self.restart_later(node);
        }
        if stops {
            self.crash(node, "stop", None, String::new());
        }
    }

    /// What the program has done wrong becomes a crash of its node; what it owes to the machine's
    /// load ends the run without a verdict.
    fn program_fails(&mut self, node: NodeId, fault: &Fault) {
        if let Some(Running::Program(seat)) = &mut self.hosts[node.index()].node
            && let Ok(seat) = seat.as_mut()
            && matches!(
                fault,
                Fault::Ended(_) | Fault::Memory(_) | Fault::Output(_) | Fault::Stalled { .. }
            )
        {
            let text = seat.printed();
            for line in text.lines() {
                self.log(node, "node", |_| line.to_owned());
            }
            if matches!(fault, Fault::Ended(_))
                && self.last_words.iter().all(|words| words.node != node)
            {
                self.last_words.push(LastWords { node, time_us: self.now.as_micros(), text });
            }
        }
        if matches!(fault, Fault::Stalled { .. } | Fault::NotStarted(_)) && self.aborted.is_none() {
            self.aborted = Some(format!("{}: {fault}", self.node_name(node)));
            if let Fault::Stalled { turn, kind, .. } = *fault {
                let incarnation = self.hosts[node.index()].identity.incarnation;
                self.stall =
                    Some(Stall { node: self.node_name(node).to_owned(), incarnation, turn, kind });
            }
        }
        self.crash(node, fault.reason(), None, fault.to_string());
        self.restart_later(node);
    }

    /// What is left of a message when it has been JSON on its way.
    ///
    /// # Panics
    ///
    /// Where its form is not read back: a mistake of the system.
    pub(super) fn sent_as_json(&mut self, message: Msg<C>) -> Msg<C> {
        let names = &self.hosts[0].identity.names;
        let body = message.to_json(names).unwrap_or_else(|| panic!("{message:?} has no JSON form"));
        assert_eq!(body["type"], message.name(), "the form of {message:?}");
        let back = Msg::<C>::from_json(&body, names).unwrap_or_else(|why| panic!("{body}: {why}"));
        assert_eq!(back.to_json(names).as_ref(), Some(&body), "the form of what was read back");
        self.forms.entry(message.name()).or_insert(body);
        back
    }

    /// A message leaves a program. A node of this crate, or a client, gets it as the message of its
    /// system that it stands for.
    pub(super) fn send_letter(&mut self, node: NodeId, dest: NodeId, letter: Box<Letter>) {
        let packet = if self.is_program(dest) {
            Packet::Letter(letter)
        } else {
            match Msg::<C>::from_json(&letter.body, &self.hosts[node.index()].identity.names) {
                Ok(message) => Packet::Datagram(message),
                Err(why) => {
                    self.log(node, "message", |driver| {
                        format!(
                            "-> {}: {} is not understood: {why}",
                            driver.node_name(dest),
                            letter.kind
                        )
                    });
                    // It goes on its way, and its receiver throws it away.
                    Packet::Letter(letter)
                }
            }
        };
        self.send_packet(node, dest, packet);
    }
}

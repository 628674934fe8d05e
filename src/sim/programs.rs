//! Programs that take the place of nodes: between them and the driver.

use super::driver::{Driver, Msg, Notice, Timer};
use super::host::{Input, Running};
use super::transport::Packet;
use super::{Cluster, LastWords};
use crate::node::{Effect, Effects, Message, ProgramMessage};
use crate::program::{Failure, ProgramEffect, ProgramEffects, Stall, TurnContext, TurnInput};
use crate::trace::NodeId;

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

    fn turn(
        &mut self,
        node: NodeId,
        input: Input<Msg<C>, Timer<C>>,
    ) -> Result<ProgramEffects, Failure> {
        let host = &mut self.hosts[node.index()];
        let Some(Running::Program(program)) = host.node.as_mut() else {
            return Ok(ProgramEffects::default());
        };
        let program = program.as_mut().as_mut().map_err(|fault| fault.clone())?;
        let place = TurnContext {
            identity: &host.identity,
            role: &host.role,
            now: host.clock.local(self.now),
            wall: host.clock.wall(self.now),
            disk: &host.disk,
            next_stream: host.streams.next_stream,
        };
        let names = &host.identity.names;
        match input {
            Input::Boot => program.turn(&place, &TurnInput::Boot(host.rng.bits())),
            Input::Message { from, message, .. } => {
                let body = message
                    .to_json(names)
                    .unwrap_or_else(|| serde_json::json!({ "type": message.name() }));
                program.turn(&place, &TurnInput::Message { from, body: &body })
            }
            Input::ProgramMessage { from, message, .. } => {
                program.turn(&place, &TurnInput::Message { from, body: &message.body })
            }
            Input::Timer(_) => program.turn(&place, &TurnInput::Deadline),
            Input::Command(command) => program.turn(&place, &TurnInput::Command(&command)),
            Input::Stop => program.turn(&place, &TurnInput::Stop),
            Input::Stream(event) => program.turn(&place, &TurnInput::Stream(&event)),
        }
    }

    fn apply_answer(&mut self, node: NodeId, asked: ProgramEffects, stops: bool) {
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
            ProgramEffect::Send { dest, message } => {
                Effect::SendFromProgram { dest, message: Box::new(message) }
            }
            ProgramEffect::Observe { name, fields } => Effect::Observe { name, fields },
            ProgramEffect::Stream(op) => Effect::Stream(op),
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
    fn program_fails(&mut self, node: NodeId, fault: &Failure) {
        if let Some(Running::Program(program)) = &mut self.hosts[node.index()].node
            && let Ok(program) = program.as_mut()
            && matches!(
                fault,
                Failure::Ended(_)
                    | Failure::Memory(_)
                    | Failure::Output(_)
                    | Failure::Stalled { .. }
            )
        {
            let text = program.printed();
            for line in text.lines() {
                self.log(node, "node", |_| line.to_owned());
            }
            if matches!(fault, Failure::Ended(_))
                && self.last_words.iter().all(|words| words.node != node)
            {
                self.last_words.push(LastWords { node, time_us: self.now.as_micros(), text });
            }
        }
        if matches!(fault, Failure::Stalled { .. } | Failure::NotStarted(_))
            && self.aborted.is_none()
        {
            self.aborted = Some(format!("{}: {fault}", self.node_name(node)));
            if let Failure::Stalled { turn, kind, .. } = *fault {
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
    pub(super) fn send_program_message(
        &mut self,
        node: NodeId,
        dest: NodeId,
        message: Box<ProgramMessage>,
    ) {
        let packet = if self.is_program(dest) {
            Packet::ProgramMessage(message)
        } else {
            match Msg::<C>::from_json(&message.body, &self.hosts[node.index()].identity.names) {
                Ok(message) => Packet::Datagram(message),
                Err(why) => {
                    self.log(node, "message", |driver| {
                        format!(
                            "-> {}: {} is not understood: {why}",
                            driver.node_name(dest),
                            message.kind
                        )
                    });
                    // It goes on its way, and its receiver throws it away.
                    Packet::ProgramMessage(message)
                }
            }
        };
        self.send_packet(node, dest, packet);
    }
}

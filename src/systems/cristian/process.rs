//! A machine of any role, as the driver sees it.

use std::sync::Arc;

use super::desk::Desk;
use super::message::CristianMessage;
use super::queue_server::QueueServer;
use super::server_clock::ServerClock;
use super::settings::{Algorithm, CristianSettings};
use super::time_server::TimeServer;
use super::utc_source::UtcSource;
use crate::node::{Ctx, Node, NodeId, Probe};

/// A step of any machine.
pub type Context<'a> = Ctx<'a, Process>;

/// The timers of all roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CristianTimer {
    /// The coordinator begins a round.
    Tick,
    /// The coordinator repeats what was not answered.
    Again,
    /// The time server asks the UTC source.
    Utc,
    /// An answer to a probe is overdue.
    Probe,
    /// The clock is shown in the trace.
    Sample,
    /// The record of a round goes to the disk.
    Store,
    /// The record of a round is sent again.
    Report,
    /// A question that was held back is answered.
    Answer(u64),
    /// The queue is polled.
    Poll,
    /// The pause after a session is over.
    SessionPause,
}

/// Who is who. Invariant: the lists are in the scenario's order.
#[derive(Clone, Debug)]
pub struct Roster {
    pub servers: Vec<NodeId>,
    pub time_server: NodeId,
    pub utc_source: Option<NodeId>,
    pub queue_server: Option<NodeId>,
}

enum State {
    /// Before `boot`.
    New,
    Server {
        clock: Box<ServerClock>,
        desk: Option<Box<Desk>>,
    },
    TimeServer(Box<TimeServer>),
    UtcSource(UtcSource),
    QueueServer(Box<QueueServer>),
}

/// See the module.
pub struct Process {
    role: String,
    settings: Arc<CristianSettings>,
    roster: Arc<Roster>,
    state: State,
}

impl Process {
    /// A machine at the beginning of an incarnation.
    pub fn new(role: &str, settings: Arc<CristianSettings>, roster: Arc<Roster>) -> Process {
        Process { role: role.to_owned(), settings, roster, state: State::New }
    }
}

impl Node for Process {
    type Msg = CristianMessage;
    type Timer = CristianTimer;

    fn boot(&mut self, ctx: &mut Context<'_>) {
        let (settings, roster) = (self.settings.clone(), self.roster.clone());
        let of = |ctx: &Context<'_>, node: NodeId| settings.of_server(ctx.name(node));
        self.state = match self.role.as_str() {
            "time_server" => {
                let servers: Vec<(NodeId, Algorithm)> =
                    roster.servers.iter().map(|node| (*node, of(ctx, *node).0)).collect();
                State::TimeServer(Box::new(TimeServer::boot(
                    ctx,
                    settings,
                    servers,
                    roster.utc_source,
                )))
            }
            "utc_source" => State::UtcSource(UtcSource),
            "queue_server" => {
                State::QueueServer(Box::new(QueueServer::boot(ctx, settings.planted)))
            }
            _ => {
                let own = of(ctx, ctx.id());
                let clock = ServerClock::boot(
                    ctx,
                    settings.clone(),
                    own,
                    roster.time_server,
                    roster.utc_source,
                );
                let desk = roster.queue_server.map(|queue| {
                    Box::new(Desk::boot(ctx, settings, roster.servers.clone(), queue))
                });
                State::Server { clock: Box::new(clock), desk }
            }
        };
    }

    fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, message: CristianMessage) {
        match &mut self.state {
            State::Server { clock, desk } => match (message, desk) {
                (CristianMessage::BookRequest { serial, restart }, Some(desk)) => {
                    let hour = clock.time.hour(ctx);
                    desk.on_request(ctx, from, serial, restart, hour);
                }
                (
                    message @ (CristianMessage::EnqueueAck { .. }
                    | CristianMessage::PollReply { .. }),
                    Some(desk),
                ) => {
                    desk.on_message(ctx, message);
                }
                (message, _) => clock.on_message(ctx, from, message),
            },
            State::TimeServer(server) => server.on_message(ctx, from, message),
            State::UtcSource(source) => source.on_message(ctx, from, &message),
            State::QueueServer(queue) => queue.on_message(ctx, from, message),
            State::New => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>, timer: CristianTimer) {
        match &mut self.state {
            State::Server { clock, desk } => match (timer, desk) {
                (CristianTimer::Poll, Some(desk)) => desk.on_poll_timer(ctx),
                (CristianTimer::SessionPause, Some(desk)) => {
                    let hour = clock.time.hour(ctx);
                    desk.on_session_pause(ctx, hour);
                }
                (CristianTimer::Probe, _) => clock.on_probe_timeout(ctx),
                (CristianTimer::Sample, _) => clock.time.show(ctx),
                (CristianTimer::Store, _) => clock.on_store(ctx),
                (CristianTimer::Report, _) => clock.report(ctx),
                _ => {}
            },
            State::TimeServer(server) => server.on_timer(ctx, &timer),
            State::UtcSource(_) | State::QueueServer(_) | State::New => {}
        }
    }

    fn on_command(&mut self, ctx: &mut Context<'_>, command: &str) {
        match &mut self.state {
            State::Server { clock, desk: Some(desk) } if command == "restart_session" => {
                let hour = clock.time.hour(ctx);
                desk.restart(ctx, hour);
            }
            State::Server { clock, .. } => {
                clock.time.on_command(ctx, command);
            }
            State::TimeServer(server) => server.on_command(ctx, command),
            State::UtcSource(_) | State::QueueServer(_) | State::New => {}
        }
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        match &self.state {
            State::Server { clock, desk } => {
                probe.int("round", clock.round() as i64);
                probe.int("is_set", i64::from(clock.time.clock.is_set()));
                probe.int("unconfirmed", clock.unconfirmed() as i64);
                if let Some(desk) = desk {
                    probe.int("session", desk.library.session.into());
                    probe.int("books_left", desk.library.left() as i64);
                    probe.int("applied", desk.library.position as i64);
                    probe.int("waiting", desk.waiting() as i64);
                }
            }
            State::TimeServer(server) => {
                probe.int("round", server.round() as i64);
                probe.int("is_set", i64::from(server.is_set()));
            }
            State::QueueServer(queue) => probe.int("queue_length", queue.len() as i64),
            State::UtcSource(_) | State::New => {}
        }
    }
}

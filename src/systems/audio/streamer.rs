//! A streamer: a server of the replicated log, which receives uploads and sends sound while it
//! leads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::AudioTimer;
use super::defects::{Defect, DefectState, Planted};
use super::events::{self, Context};
use super::incoming::Incoming;
use super::message::AudioMessage;
use super::settings::AudioSettings;
use super::song::Cut;
use super::station::{Command, DONE, Position, Station};
use super::transmission::{Transmission, make};
use super::upload::{PORT, Reply};
use crate::node::{LocalTime, NodeId, Probe, StreamEvent, StreamId};
use crate::systems::raft::{
    self, Configuration, LogIndex, Outcome, Payload, Raft, RaftMessage, RaftTimer, StateMachine,
};

/// What a proposed command was for.
#[derive(Clone, Copy, Debug)]
enum Purpose {
    /// A piece of an upload that came over this stream.
    Piece(StreamId),
    /// The end of an upload.
    Finish(StreamId),
    /// The playout position in a session and a term: an outcome of an earlier transmission says
    /// nothing of the present one.
    Position(u32, u64),
}

/// The state that a server goes by: what is replicated. With [`Defect::SingleServer`], what the
/// server keeps to itself.
fn station_of<'a>(
    planted: Planted,
    raft: &'a Raft<Station>,
    defect: &'a DefectState,
) -> &'a Station {
    if planted.plants(Defect::SingleServer) { &defect.station } else { raft.machine() }
}

/// A node of the role `streamer`.
pub struct Streamer {
    settings: Arc<AudioSettings>,
    planted: Planted,
    raft: Raft<Station>,
    defect: DefectState,
    /// The commands that this server has proposed and has no outcome of, by serial number.
    proposals: BTreeMap<u64, Purpose>,
    serial: u64,
    uploads: BTreeMap<StreamId, Incoming>,
    /// Listeners, and until when they are remembered. Followers remember them too, for the day that
    /// they lead.
    subscribers: BTreeMap<NodeId, LocalTime>,
    /// Meaningful while this server leads.
    transmission: Option<Transmission>,
    /// The songs of the sessions, as far as they were needed; `None` for one that cannot be
    /// decoded.
    cuts: BTreeMap<u32, Option<Arc<Cut>>>,
    /// What was told of the replicated state already.
    told_sessions: u32,
    told_position: Position,
    /// When this server saw the playout position move last.
    position_seen: LocalTime,
}

impl Streamer {
    /// A streamer at the beginning of an incarnation.
    pub fn new(settings: Arc<AudioSettings>, id: NodeId, servers: Vec<NodeId>) -> Streamer {
        let (planted, checksum) = (settings.planted, settings.checksum);
        let raft = Raft::new(
            settings.raft.clone(),
            id,
            Configuration::simple(servers),
            Station::new(planted, checksum),
        );
        Streamer {
            settings,
            planted,
            raft,
            defect: DefectState { station: Station::new(planted, checksum) },
            proposals: BTreeMap::new(),
            serial: 0,
            uploads: BTreeMap::new(),
            subscribers: BTreeMap::new(),
            transmission: None,
            cuts: BTreeMap::new(),
            told_sessions: 0,
            told_position: Position::default(),
            position_seen: LocalTime::ZERO,
        }
    }

    pub fn boot(&mut self, ctx: &mut Context<'_>) {
        self.raft.boot(ctx);
        ctx.listen(PORT);
        self.after(ctx);
    }

    fn station(&self) -> &Station {
        station_of(self.planted, &self.raft, &self.defect)
    }

    // Messages.

    pub fn on_raft(&mut self, ctx: &mut Context<'_>, from: NodeId, message: RaftMessage) {
        self.raft.on_message(ctx, from, message);
        self.after(ctx);
    }

    pub fn on_command(&mut self, ctx: &mut Context<'_>, command: &str) {
        self.raft.on_command(ctx, command);
        self.after(ctx);
    }

    pub fn on_subscribe(&mut self, ctx: &mut Context<'_>, listener: NodeId) {
        self.subscribers.insert(listener, ctx.now() + 3 * self.settings.keepalive);
        if self.raft.is_leader() {
            ctx.send(listener, AudioMessage::Subscribed { term: self.raft.current_term().0 });
        } else if let Some(leader) = self.raft.leader_hint() {
            ctx.send(listener, AudioMessage::NotLeader { leader });
        }
    }

    /// A listener lacks frames. Only those that were sent already are sent again: what is still to
    /// come will come.
    pub fn on_nack(
        &mut self,
        ctx: &mut Context<'_>,
        listener: NodeId,
        session: u32,
        frames: &[u32],
    ) {
        if !self.raft.leads_with_all_applied() {
            return;
        }
        let position =
            self.transmission.as_ref().map_or(self.station().position(), Transmission::position);
        let sent = if session < position.session { u32::MAX } else { position.frame };
        let Some(stored) =
            self.station().session(session).filter(|_| session <= position.session).cloned()
        else {
            return;
        };
        let Some(cut) = self.cut(session) else { return };
        let term = self.raft.current_term().0;
        for frame in frames.iter().copied().filter(|frame| *frame < sent.min(cut.len())) {
            ctx.send(
                listener,
                AudioMessage::Frame(make(
                    (session, term),
                    &cut,
                    stored.first_sequence,
                    frame,
                    &self.settings,
                )),
            );
        }
    }

    // Timers.

    pub fn on_raft_timer(&mut self, ctx: &mut Context<'_>, timer: RaftTimer) {
        self.raft.on_timer(ctx, timer);
        self.after(ctx);
    }

    pub fn on_tick(&mut self, ctx: &mut Context<'_>) {
        self.send_due_frames(ctx);
        self.after(ctx);
    }

    // Uploads.

    pub fn on_stream(&mut self, ctx: &mut Context<'_>, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, .. } => {
                let welcome = self.raft.leads_with_all_applied();
                let reply =
                    if welcome { Reply::Welcome } else { Reply::Moved(self.raft.leader_hint()) };
                ctx.write(stream, reply.encode());
                if welcome {
                    self.uploads.insert(stream, Incoming::new(from));
                } else {
                    ctx.close(stream);
                }
            }
            StreamEvent::Data(stream, bytes) => self.on_upload_bytes(ctx, stream, &bytes),
            StreamEvent::PeerClosed(stream) => {
                let Some(incoming) = self.uploads.get_mut(&stream) else { return };
                let pieces = incoming.last_block(self.settings.piece, self.planted);
                self.propose_pieces(ctx, stream, pieces);
            }
            StreamEvent::Reset(stream)
            | StreamEvent::TimedOut(stream)
            | StreamEvent::Refused(stream) => {
                self.uploads.remove(&stream);
            }
            StreamEvent::Connected(_) | StreamEvent::Writable(_) => {}
        }
        self.after(ctx);
    }

    fn on_upload_bytes(&mut self, ctx: &mut Context<'_>, stream: StreamId, bytes: &[u8]) {
        let Some(incoming) = self.uploads.get_mut(&stream) else { return };
        if let Some(hello) = incoming.greet(bytes) {
            let station = station_of(self.planted, &self.raft, &self.defect);
            if let Some(stored) = station
                .stored(hello.upload)
                .filter(|_| !self.planted.plants(Defect::UploadStoredAgain))
            {
                ctx.write(stream, Reply::Stored(stored.bytes.len() as u64, stored.digest).encode());
                ctx.close(stream);
                self.uploads.remove(&stream);
                return;
            }
            let received = station.received(hello.upload);
            let from_zero = received > 0 && self.planted.plants(Defect::RetryDuplicates);
            let offset = if from_zero { 0 } else { received };
            incoming.begin_at(offset);
            ctx.write(stream, Reply::From(offset).encode());
            if incoming.complete {
                return self.propose_finish(ctx, stream);
            }
        }
        let Some(incoming) = self.uploads.get_mut(&stream) else { return };
        let pieces = incoming.pieces(self.settings.piece, self.planted);
        self.propose_pieces(ctx, stream, pieces);
    }

    fn propose_pieces(
        &mut self,
        ctx: &mut Context<'_>,
        stream: StreamId,
        pieces: Vec<super::incoming::Piece>,
    ) {
        let Some(incoming) = self.uploads.get(&stream) else { return };
        let (Some(hello), uploader, complete) = (incoming.hello, incoming.from, incoming.complete)
        else {
            return;
        };
        if pieces.is_empty() {
            return;
        }
        for (offset, bytes) in pieces {
            self.propose(
                ctx,
                Purpose::Piece(stream),
                &Command::Piece { upload: hello.upload, uploader, offset, bytes },
            );
        }
        if complete {
            self.propose_finish(ctx, stream);
        }
    }

    fn propose_finish(&mut self, ctx: &mut Context<'_>, stream: StreamId) {
        let Some(Incoming { hello: Some(hello), from, seen, .. }) = self.uploads.get(&stream)
        else {
            return;
        };
        let (upload, uploader) = (hello.upload, *from);
        let (length, digest) = if self.planted.plants(Defect::MarkerFraming) {
            (seen.len() as u64, self.settings.checksum.of(seen))
        } else {
            (hello.length, hello.digest)
        };
        if self.planted.plants(Defect::ConfirmBeforeCommit) {
            ctx.write(stream, Reply::Stored(length, digest).encode());
        }
        let first_sequence =
            self.settings.first_sequence.unwrap_or(ctx.rng().below(1 << 16) as u16);
        self.propose(
            ctx,
            Purpose::Finish(stream),
            &Command::Finish { upload, uploader, length, digest, first_sequence },
        );
    }

    fn propose(&mut self, ctx: &mut Context<'_>, purpose: Purpose, command: &Command) {
        let bytes = command.encode();
        if self.planted.plants(Defect::SingleServer) {
            let output = self.defect.station.apply(&bytes);
            return self.on_outcome(ctx, purpose, Some(&output));
        }
        self.serial += 1;
        self.proposals.insert(self.serial, purpose);
        let (client, serial) = (ctx.id(), self.serial);
        let command = raft::Command { client, session: LogIndex::ZERO, serial, bytes };
        self.raft.propose(ctx, client, serial, Payload::Command(command));
    }

    /// What follows every step: outcomes of proposals, news of the replicated state, and whether
    /// this server is to send.
    fn after(&mut self, ctx: &mut Context<'_>) {
        for outcome in self.raft.take_outcomes() {
            let (serial, output) = match outcome {
                Outcome::Applied { serial, output, .. } => (serial, Some(output)),
                Outcome::NotLeader { serial, .. }
                | Outcome::Expired { serial, .. }
                | Outcome::Failed { serial, .. } => (serial, None),
                Outcome::SessionOpened { .. } | Outcome::Read { .. } => continue,
            };
            if let Some(purpose) = self.proposals.remove(&serial) {
                self.on_outcome(ctx, purpose, output.as_deref());
            }
        }
        self.tell(ctx);
        self.break_off_uploads(ctx);
        self.maybe_stop(ctx);
        self.maybe_begin(ctx);
    }

    /// A command has an outcome; without an output nothing is known of it but that this server no
    /// longer leads.
    fn on_outcome(&mut self, ctx: &mut Context<'_>, purpose: Purpose, output: Option<&[u8]>) {
        match (purpose, output) {
            (Purpose::Piece(stream), Some(_)) => {
                let Some(hello) = self.uploads.get(&stream).and_then(|incoming| incoming.hello)
                else {
                    return;
                };
                ctx.write(stream, Reply::Progress(self.station().received(hello.upload)).encode());
            }
            (Purpose::Finish(stream), Some(output)) => {
                let Some(hello) = self.uploads.get(&stream).and_then(|incoming| incoming.hello)
                else {
                    return;
                };
                let stored = self.station().stored(hello.upload).filter(|_| *output == *DONE);
                let reply = stored.map_or(Reply::Refused, |stored| {
                    Reply::Stored(stored.bytes.len() as u64, stored.digest)
                });
                if !self.planted.plants(Defect::ConfirmBeforeCommit) {
                    ctx.write(stream, reply.encode());
                }
                ctx.close(stream);
                self.uploads.remove(&stream);
            }
            (Purpose::Piece(stream) | Purpose::Finish(stream), None) => {
                if self.uploads.remove(&stream).is_some() {
                    ctx.reset(stream);
                }
            }
            (Purpose::Position(session, term), output) => {
                let same = |transmission: &&mut Transmission| {
                    (transmission.session, transmission.term) == (session, term)
                };
                if let Some(transmission) = self.transmission.as_mut().filter(same) {
                    transmission.proposal_ended(output.is_some());
                }
            }
        }
    }

    /// Show what is new in the replicated state.
    fn tell(&mut self, ctx: &mut Context<'_>) {
        for session in self.told_sessions + 1..=self.station().sessions() {
            let Some(stored) = self.station().session(session).cloned() else { break };
            events::stored(
                ctx,
                session,
                stored.upload,
                stored.uploader,
                stored.bytes.len() as u64,
                stored.digest,
            );
            self.told_sessions = session;
        }
        let position = self.station().position();
        if position != self.told_position {
            (self.told_position, self.position_seen) = (position, ctx.now());
            events::position(ctx, position);
        }
    }

    /// A server that does not lead can store nothing: its uploaders turn to another.
    fn break_off_uploads(&mut self, ctx: &mut Context<'_>) {
        if !self.raft.is_leader() {
            for (stream, _) in std::mem::take(&mut self.uploads) {
                ctx.reset(stream);
            }
        }
    }

    fn maybe_stop(&mut self, ctx: &mut Context<'_>) {
        let term = self.raft.current_term().0;
        let deposed =
            |transmission: &Transmission| !self.raft.is_leader() || transmission.term != term;
        if self.transmission.as_ref().is_some_and(deposed)
            && !self.planted.plants(Defect::OldLeaderStreams)
        {
            let stopped = self.transmission.take().expect("it was looked at just now");
            events::silent(ctx, stopped.position());
            ctx.cancel_timer(AudioTimer::Tick);
        }
    }

    /// Begin to send the present session where the replicated state says, once everything is
    /// applied that earlier leaders have committed.
    fn maybe_begin(&mut self, ctx: &mut Context<'_>) {
        if self.transmission.is_some() || !self.raft.leads_with_all_applied() {
            return;
        }
        let position = self.station().position();
        let Some(stored) = self.station().session(position.session).cloned() else { return };
        let Some(cut) = self.cut(position.session) else { return };
        let frame_us = cut.frame_time().as_micros() as u64;
        let ran_us = ctx.now().saturating_since(self.position_seen).as_micros() as u64;
        let mut frame = position.frame;
        if frame > 0 && self.planted.plants(Defect::RestartFromZero) {
            frame = 0;
        }
        let live = position.frame.saturating_add((ran_us / frame_us.max(1)) as u32);
        if frame != live && self.planted.plants(Defect::ResumeLive) {
            frame = live;
        }
        let at = Position { frame, term: self.raft.current_term().0, ..position };
        events::take_over(ctx, at);
        let burst = (self.settings.burst.as_nanos() / self.settings.frame.as_nanos().max(1)) as u32;
        self.transmission =
            Some(Transmission::new(at, cut, stored.first_sequence, burst, ctx.now()));
        self.send_due_frames(ctx);
    }

    fn send_due_frames(&mut self, ctx: &mut Context<'_>) {
        let now = ctx.now();
        self.subscribers.retain(|_, until| *until > now);
        let Some(transmission) = &mut self.transmission else { return };
        while let Some(frame) = transmission.take_due(now, self.planted) {
            let made = transmission.frame(frame, &self.settings);
            events::send(
                ctx,
                Position { frame, ..transmission.position() },
                self.subscribers.len(),
            );
            for listener in self.subscribers.keys() {
                ctx.send(*listener, AudioMessage::Frame(made.clone()));
            }
        }
        self.replicate_position(ctx);
        let Some(transmission) = &self.transmission else { return };
        if transmission.is_over() {
            // The replicated state goes on to the next session; an end that was not heard of is
            // said again with the next heartbeat.
            if transmission.session < self.station().position().session
                && !self.planted.plants(Defect::OneSongOnly)
            {
                self.transmission = None;
                return self.maybe_begin(ctx);
            }
            ctx.set_timer(AudioTimer::Tick, self.settings.position_interval);
        } else {
            ctx.set_timer(AudioTimer::Tick, transmission.due().saturating_since(now));
        }
    }

    fn replicate_position(&mut self, ctx: &mut Context<'_>) {
        let every = self.settings.frames_in(self.settings.position_interval);
        let replicated = self.station().position().session;
        let Some(transmission) = &mut self.transmission else { return };
        let ended = transmission.all_left();
        if ended && replicated > transmission.session {
            return;
        }
        if let Some(position) = transmission.take_proposal(every) {
            self.propose(
                ctx,
                Purpose::Position(position.session, position.term),
                &Command::Position { position, ended },
            );
        }
    }

    fn cut(&mut self, session: u32) -> Option<Arc<Cut>> {
        if let Some(known) = self.cuts.get(&session) {
            return known.clone();
        }
        let stored = self.station().session(session)?;
        let cut = self.settings.cut_of(&stored.bytes);
        self.cuts.insert(session, cut.clone());
        cut
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        self.raft.probe(probe);
        let position = self.station().position();
        probe.int("session", position.session.into());
        probe.int("position", position.frame.into());
        probe.int("subscribers", self.subscribers.len() as i64);
    }
}

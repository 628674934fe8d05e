//! A listener: it finds who sends, buffers, plays by its own clock, and asks for what it lacks.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::AudioTimer;
use super::checksum::Checksum;
use super::defects::{Defect, Planted};
use super::events::{self, Arrived, Context};
use super::jitter::Jitter;
use super::message::{AudioMessage, Frame};
use super::playout::{Arrival, Heard, Held, Playout};
use super::sequence::frame_of;
use super::settings::AudioSettings;
use super::song::{FrameInfo, frame_time, peak};
use crate::node::{LocalTime, NodeId, Probe};

/// Frames that one message asks for at the most.
const NACK_MAX: usize = 32;

/// The longest time between two searches for a source.
const SEARCH_MAX: Duration = Duration::from_secs(1);

/// How often a listener looks whether its source is silent.
const WATCH: Duration = Duration::from_millis(50);

/// Sessions that a listener remembers: the one that plays, and those that wait.
const PLAYOUTS_MAX: usize = 4;

/// What a listener counts besides what is heard.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    late: u64,
    duplicate: u64,
    damaged: u64,
    refused: u64,
    /// Of the sessions that are over.
    played: u64,
    lost: u64,
    concealed: u64,
    underruns: u64,
}

/// A node of the role `listener`.
pub struct Listener {
    settings: Arc<AudioSettings>,
    planted: Planted,
    streamers: Rc<Vec<NodeId>>,
    /// Who sends, in which term.
    source: Option<NodeId>,
    source_term: u64,
    /// When the source was heard last.
    heard: LocalTime,
    /// When a frame came last.
    frame_at: LocalTime,
    /// When this listener said last that it is there.
    told: LocalTime,
    /// Searches since the source was heard.
    attempts: u32,
    search_at: LocalTime,
    /// The session that plays, and those that wait for its end.
    playouts: VecDeque<Playout>,
    /// Whether the timer runs that asks for missing frames.
    asks: bool,
    /// When the next frame time begins.
    play_at: LocalTime,
    jitter: Jitter,
    /// Whose frames the jitter is measured of.
    jitter_of: Option<(NodeId, u32)>,
    counters: Counters,
}

impl Listener {
    /// A listener at the beginning of an incarnation.
    pub fn new(settings: Arc<AudioSettings>, streamers: Rc<Vec<NodeId>>) -> Listener {
        Listener {
            planted: settings.planted,
            settings,
            streamers,
            source: None,
            source_term: 0,
            heard: LocalTime::ZERO,
            frame_at: LocalTime::ZERO,
            told: LocalTime::ZERO,
            attempts: 0,
            search_at: LocalTime::ZERO,
            playouts: VecDeque::new(),
            asks: false,
            play_at: LocalTime::ZERO,
            jitter: Jitter::default(),
            jitter_of: None,
            counters: Counters::default(),
        }
    }

    /// Target depth and largest depth, in frames.
    fn depths(&self) -> (u32, u32) {
        (
            self.settings.frames_in(self.settings.target_depth),
            self.settings.frames_in(self.settings.buffer_max),
        )
    }

    pub fn boot(&mut self, ctx: &mut Context<'_>) {
        let (target, most) = self.depths();
        events::listener(ctx, target, most, self.settings.frame.as_micros() as u64);
        self.heard = ctx.now();
        self.search(ctx);
        ctx.set_timer(AudioTimer::Watch, WATCH);
    }

    // Messages.

    pub fn on_subscribed(&mut self, ctx: &mut Context<'_>, from: NodeId, term: u64) {
        self.follow(ctx, from, term);
        if !self.playouts.iter().any(Playout::expects_frames) {
            self.attempts = 0;
        }
    }

    /// Somebody else leads: tell that one.
    pub fn on_not_leader(&mut self, ctx: &mut Context<'_>, leader: NodeId) {
        if self.source.is_none() || ctx.now().saturating_since(self.heard) >= self.settings.silence
        {
            ctx.send(leader, AudioMessage::Subscribe);
        }
    }

    pub fn on_frame(&mut self, ctx: &mut Context<'_>, from: NodeId, frame: Frame) {
        self.follow(ctx, from, frame.term);
        (self.frame_at, self.attempts) = (ctx.now(), 0);
        // What is shown of a frame is its XXH3, whatever protects it on the wire.
        let (digest, checksum) = (xxh3_64(frame.payload.bytes()), self.settings.checksum);
        let damaged = frame.digest
            != if checksum == Checksum::Xxh3 { digest } else { checksum.of(frame.payload.bytes()) };
        if damaged && !self.planted.plants(Defect::NoDigest) {
            self.counters.damaged += 1;
            return self.ask_soon(ctx);
        }
        let Some(place) = self.playout_of(&frame, ctx.now()) else {
            self.counters.duplicate += 1;
            return;
        };
        let playout = &mut self.playouts[place];
        let Some(number) =
            frame_of(frame.sequence, frame.first_sequence, playout.highest(), self.planted)
        else {
            self.counters.late += 1;
            return;
        };
        let (arrival_us, media_us) = (ctx.now().as_micros() as i64, media_us(&frame));
        let held = Held {
            info: FrameInfo { digest, peak: peak(frame.payload.bytes()) },
            payload: frame.payload,
            damaged,
        };
        let arrival = playout.insert(number, held);
        match arrival {
            Arrival::Buffered => {}
            Arrival::Duplicate => self.counters.duplicate += 1,
            Arrival::Late => self.counters.late += 1,
            Arrival::Refused => self.counters.refused += 1,
        }
        if arrival != Arrival::Duplicate {
            if frame.paced {
                self.measure(from, frame.session, arrival_us, media_us);
            }
            let arrived = Arrived {
                session: frame.session,
                frame: number,
                from,
                outcome: arrival.word(),
                media_us,
                arrival_us,
                paced: frame.paced,
                jitter_us: self.jitter.us(),
            };
            events::frame(ctx, &arrived);
        }
        self.maybe_start(ctx);
        self.ask_soon(ctx);
    }

    fn measure(&mut self, from: NodeId, session: u32, arrival_us: i64, media_us: i64) {
        if self.jitter_of != Some((from, session)) {
            self.jitter_of = Some((from, session));
            self.jitter.another_source();
        }
        self.jitter.arrived(arrival_us, media_us, self.planted);
    }

    /// The playout that a frame belongs to, which is made for the first frame of a new session;
    /// `None` for a session that is over.
    fn playout_of(&mut self, frame: &Frame, now: LocalTime) -> Option<usize> {
        let known = self.playouts.iter().position(|playout| playout.session == frame.session);
        let is_old = self.playouts.back().is_some_and(|last| frame.session < last.session);
        if known.is_some() || is_old || self.playouts.len() >= PLAYOUTS_MAX {
            return known;
        }
        // Until a first frame has come, its time tells which it is; the sequence number alone would
        // not after a wrap.
        let first = frame.timestamp / frame.format.frame_samples.max(1);
        // A frame within the burst of a new session belongs to its beginning, which must not be
        // left out.
        let first = if first <= 2 * self.depths().0 { 0 } else { first };
        let mut playout = Playout::new(
            (frame.session, frame.frames),
            frame.format,
            first,
            self.depths(),
            now,
            self.planted,
        );
        if first > 0 && !self.planted.plants(Defect::NoWrap) {
            playout.expect(first);
        }
        self.playouts.push_back(playout);
        Some(self.playouts.len() - 1)
    }

    // Timers.

    /// A frame time begins.
    pub fn on_play(&mut self, ctx: &mut Context<'_>) {
        let Some(playout) = self.playouts.front_mut() else { return };
        let (session, underruns, frame_time) = (
            playout.session,
            playout.counts.underruns,
            frame_time(playout.format.frame_samples, playout.format.rate),
        );
        let heard = playout.tick(ctx.now());
        if playout.counts.underruns > underruns
            && let Heard::Empty(frame) = &heard
        {
            events::underrun(ctx, session, *frame);
        }
        match heard {
            Heard::Frame(frame, held) => {
                events::play(
                    ctx,
                    session,
                    frame,
                    held.info,
                    held.damaged.then(|| held.payload.bytes()),
                );
            }
            Heard::Lost(frame) => events::conceal(ctx, session, frame, "lost"),
            Heard::Empty(frame) => events::conceal(ctx, session, frame, "underrun"),
            Heard::End => return self.end_session(ctx),
        }
        // Who stood still goes on from now, instead of playing faster.
        let due = self.play_at + frame_time;
        self.play_at = if ctx.now() >= due { ctx.now() + frame_time } else { due };
        ctx.set_timer(AudioTimer::Play, self.play_at.saturating_since(ctx.now()));
        self.ask_soon(ctx);
    }

    fn end_session(&mut self, ctx: &mut Context<'_>) {
        let Some(ended) = self.playouts.front() else { return };
        events::end(ctx, ended.session, ended.frames, ended.first, &ended.counts);
        self.counters.played += ended.counts.played;
        self.counters.lost += ended.counts.lost;
        self.counters.concealed += ended.counts.concealed;
        self.counters.underruns += ended.counts.underruns;
        if self.playouts.len() > 1 {
            self.playouts.pop_front();
        } else {
            // It stays, so that late copies of its frames do not begin it again.
            self.playouts[0].counts = Default::default();
        }
        self.maybe_start(ctx);
    }

    fn maybe_start(&mut self, ctx: &mut Context<'_>) {
        if self.playouts.front().is_some_and(Playout::is_ended) && self.playouts.len() > 1 {
            self.playouts.pop_front();
        }
        let Some(playout) = self.playouts.front_mut() else { return };
        if !playout.is_running() && !playout.is_ended() && playout.is_ready(ctx.now()) {
            playout.start();
            self.play_at = ctx.now();
            ctx.set_timer(AudioTimer::Play, Duration::ZERO);
        }
    }

    /// Look whether the source is silent, and tell it now and then that somebody listens.
    pub fn on_watch(&mut self, ctx: &mut Context<'_>) {
        ctx.set_timer(AudioTimer::Watch, WATCH);
        let (now, keepalive) = (ctx.now(), self.settings.keepalive);
        let in_session = self.playouts.iter().any(Playout::expects_frames);
        // In the middle of a song somebody who answers and sends nothing is as good as nobody.
        let silent = if in_session {
            self.is_silent(ctx)
        } else {
            now.saturating_since(self.heard) >= 2 * keepalive
        };
        self.ask_soon(ctx);
        if (silent || self.source.is_none()) && now >= self.search_at {
            self.search(ctx);
        } else if let Some(source) = self.source
            && now.saturating_since(self.told) >= keepalive
        {
            self.told = now;
            ctx.send(source, AudioMessage::Subscribe);
        }
    }

    /// Ask the source for what is missing.
    pub fn on_nack(&mut self, ctx: &mut Context<'_>) {
        self.asks = false;
        let silent = self.is_silent(ctx);
        for playout in &self.playouts {
            let frames = playout.missing(NACK_MAX, silent);
            if let Some(source) = self.source.filter(|_| !frames.is_empty()) {
                ctx.send(source, AudioMessage::Nack { session: playout.session, frames });
            }
        }
        self.ask_soon(ctx);
    }

    // Planted.

    /// No frame has come for so long that those at the end may be lost, which no later one would
    /// show.
    fn is_silent(&self, ctx: &Context<'_>) -> bool {
        ctx.now().saturating_since(self.frame_at) >= self.settings.silence
    }

    /// Have the timer run that asks for what is missing, where anything is. It is not set again
    /// while it runs, or it would never run out.
    fn ask_soon(&mut self, ctx: &mut Context<'_>) {
        let silent = self.is_silent(ctx);
        let lacks = |playout: &Playout| !playout.missing(1, silent).is_empty();
        if !self.asks
            && self.playouts.iter().any(lacks)
            && !self.planted.plants(Defect::NoRetransmission)
        {
            self.asks = true;
            ctx.set_timer(AudioTimer::Nack, self.settings.nack_interval);
        }
    }

    /// Somebody who sends is the source, if nobody of a later term has sent before.
    fn follow(&mut self, ctx: &mut Context<'_>, from: NodeId, term: u64) {
        if term < self.source_term {
            return;
        }
        (self.source, self.source_term, self.heard) = (Some(from), term, ctx.now());
    }

    /// Ask all streamers, each time after a longer pause than before.
    fn search(&mut self, ctx: &mut Context<'_>) {
        let doubled = self.settings.silence * (1 << self.attempts.min(10));
        let wait = doubled.min(SEARCH_MAX);
        let eager = wait != WATCH && self.planted.plants(Defect::EagerReconnect);
        let wait = if eager { WATCH } else { wait };
        self.attempts += 1;
        self.search_at = ctx.now() + wait;
        self.told = ctx.now();
        events::search(ctx, self.attempts, wait.as_micros() as u64);
        for streamer in self.streamers.iter() {
            ctx.send(*streamer, AudioMessage::Subscribe);
        }
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        let front = self.playouts.front();
        let counts = front.map(|playout| playout.counts).unwrap_or_default();
        let buffered = front.map_or(0, Playout::depth);
        let int = |number: u64| number as i64;
        probe.int("session", front.map_or(0, |playout| playout.session.into()));
        probe.int("buffer_frames", buffered as i64);
        probe.int("played_frames", int(self.counters.played + counts.played));
        probe.int("late_frames", int(self.counters.late));
        probe.int("lost_frames", int(self.counters.lost + counts.lost));
        probe.int("duplicate_frames", int(self.counters.duplicate));
        probe.int("damaged_frames", int(self.counters.damaged));
        probe.int("refused_frames", int(self.counters.refused));
        probe.int("concealed_frames", int(self.counters.concealed + counts.concealed));
        probe.int("underruns", int(self.counters.underruns + counts.underruns));
        probe.int("interarrival_jitter_us", self.jitter.us());
    }
}

/// The media time of a frame's first sample, µs.
fn media_us(frame: &Frame) -> i64 {
    (u64::from(frame.timestamp) * 1_000_000 / u64::from(frame.format.rate.max(1))) as i64
}

//! The time server: it follows the UTC source, answers questions for the hour, and as coordinator
//! has everybody synchronise and records what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::berkeley::{Berkeley, root_of_mean};
use super::defects::Defect;
use super::events;
use super::message::CristianMessage;
use super::prober::{Prober, Progress, TimeAnswer};
use super::process::{Context, CristianTimer};
use super::round_log::RoundRecord;
use super::settings::{Algorithm, CristianSettings, Discipline};
use super::soft_clock::Look;
use super::timepiece::Timepiece;
use crate::codec::{Reader, Writer};
use crate::node::NodeId;
use crate::node::record_log;

/// How the time server asks the UTC source: whatever it is wrong by itself, everybody is.
const UTC_ALGORITHM: Algorithm = Algorithm::BestOfN;
/// `hora_central`: round and reference hour.
const HOURS: &str = "hours";
/// `hora_equipo`: server and record.
const REPORTS: &str = "reports";
/// So many records are told again after a start: a crash may have kept the last ones on the disk
/// and yet taken back that they were told.
const RETOLD: usize = 128;
/// Tries after which Berkeley's mean is taken without those that are silent.
const TRIES_MAX: u32 = 3;

/// A question that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Held {
    from: NodeId,
    nonce: u64,
    came: i64,
}

/// See the module.
pub struct TimeServer {
    settings: Arc<CristianSettings>,
    /// All servers with their algorithms.
    servers: Vec<(NodeId, Algorithm)>,
    time: Timepiece,
    /// Towards the UTC source, where there is one.
    prober: Option<Prober>,
    held: BTreeMap<u64, Held>,
    questions: u64,
    /// The last round. Invariant: no higher one is on the disk.
    round: u64,
    /// Servers whose record of the last round is not there yet.
    missing: BTreeSet<NodeId>,
    /// The last round that is recorded of each server.
    recorded: BTreeMap<NodeId, u64>,
    berkeley: Berkeley,
    /// How wrong the clock may have been when Berkeley's round began.
    root: Option<i64>,
    began: i64,
    /// What Berkeley's servers are told, until they report.
    adjusts: BTreeMap<NodeId, CristianMessage>,
}

impl TimeServer {
    pub fn boot(
        ctx: &mut Context<'_>,
        settings: Arc<CristianSettings>,
        servers: Vec<(NodeId, Algorithm)>,
        utc: Option<NodeId>,
    ) -> TimeServer {
        let last =
            record_log::recover(ctx, HOURS).iter().filter_map(|record| Reader(record).i64()).max();
        let mut recorded = BTreeMap::new();
        let reports = record_log::recover(ctx, REPORTS);
        events::recover(ctx, reports.len() as u64, 0);
        let untold = reports.len().saturating_sub(RETOLD);
        for (i, record) in reports.iter().enumerate() {
            let mut reader = Reader(record);
            if let (Some(server), Some(record)) = (reader.i64(), RoundRecord::decode(&mut reader)) {
                let server = NodeId(server as u32);
                recorded.insert(server, record.round);
                if i >= untold {
                    events::record(ctx, "record_found", server, &record);
                }
            }
        }
        let time = Timepiece::boot(ctx, settings.clone(), Discipline::Step);
        let prober = utc.map(|utc| Prober::new(&settings, UTC_ALGORITHM, utc, true));
        let mut server = TimeServer {
            settings,
            servers,
            time,
            prober,
            held: BTreeMap::new(),
            questions: 0,
            round: last.unwrap_or(0) as u64,
            missing: BTreeSet::new(),
            recorded,
            berkeley: Berkeley::default(),
            root: None,
            began: 0,
            adjusts: BTreeMap::new(),
        };
        if server.prober.is_some() {
            server.ask_utc(ctx);
        } else {
            ctx.set_timer(CristianTimer::Tick, server.settings.probe_timeout);
        }
        server
    }

    pub fn round(&self) -> u64 {
        self.round
    }

    /// Whether its hour is worth telling: without a UTC source the time server's own clock is the
    /// reference.
    pub fn is_set(&self) -> bool {
        self.prober.is_none() || self.time.clock.is_set()
    }

    pub fn on_timer(&mut self, ctx: &mut Context<'_>, timer: &CristianTimer) {
        match timer {
            CristianTimer::Utc => self.ask_utc(ctx),
            CristianTimer::Probe => {
                ctx.without_sync();
                let Some(prober) = &mut self.prober else { return };
                let progress = prober.on_timeout(ctx, &self.settings, &mut self.time.clock);
                self.take(ctx, progress);
            }
            CristianTimer::Tick => self.begin_round(ctx),
            CristianTimer::Again => self.ask_again(ctx),
            CristianTimer::Answer(question) => {
                if let Some(held) = self.held.remove(question) {
                    self.answer(ctx, held);
                }
            }
            CristianTimer::Sample => self.time.show(ctx),
            _ => {}
        }
    }

    pub fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, message: CristianMessage) {
        match message {
            CristianMessage::TimeRequest { nonce, .. } => self.on_question(ctx, from, nonce),
            CristianMessage::UtcResponse { nonce, utc } => {
                ctx.without_sync();
                let Some(prober) = &mut self.prober else { return };
                let answer = TimeAnswer { nonce, received: utc, sent: utc, error_bound: Some(0) };
                let progress =
                    prober.on_answer(ctx, &self.settings, &mut self.time.clock, from, &answer);
                self.take(ctx, progress);
            }
            CristianMessage::ClockPollResponse { round, nonce, clock } if round == self.round => {
                let mono = Look::at(ctx).mono;
                if self.berkeley.on_answer(&self.settings, from, nonce, clock, mono) {
                    self.decide(ctx);
                }
            }
            CristianMessage::RoundReport { record } => self.on_report(ctx, from, &record),
            _ => {}
        }
    }

    pub fn on_command(&mut self, ctx: &mut Context<'_>, command: &str) {
        if command == "synchronise" {
            self.begin_round(ctx);
        } else {
            self.time.on_command(ctx, command);
        }
    }

    // Its own clock.

    fn ask_utc(&mut self, ctx: &mut Context<'_>) {
        ctx.without_sync();
        ctx.set_timer(CristianTimer::Utc, self.settings.interval);
        if let Some(prober) = &mut self.prober {
            prober.begin(ctx, &self.settings, &mut self.time.clock);
        }
    }

    fn take(&mut self, ctx: &mut Context<'_>, progress: Progress) {
        let Progress::Done(estimate) = progress else { return };
        let first = !self.time.clock.is_set();
        let measured = self.time.measure(ctx, UTC_ALGORITHM, estimate);
        self.time.settle(ctx, self.round, UTC_ALGORITHM, &measured);
        if first {
            // In a step of its own, which waits for the disk.
            ctx.set_timer(CristianTimer::Tick, std::time::Duration::ZERO);
        }
    }

    // Questions.

    fn on_question(&mut self, ctx: &mut Context<'_>, from: NodeId, nonce: u64) {
        if !self.is_set() {
            return;
        }
        let (least, most) = self.settings.response_delay;
        let held = Held { from, nonce, came: Look::at(ctx).mono };
        if most.is_zero() {
            return self.answer(ctx, held);
        }
        self.questions += 1;
        self.held.insert(self.questions, held);
        let after = ctx.rng().duration(least, most);
        ctx.set_timer(CristianTimer::Answer(self.questions), after);
    }

    fn answer(&mut self, ctx: &mut Context<'_>, held: Held) {
        ctx.without_sync();
        let look = Look::at(ctx);
        let sent = self.time.clock.read(look);
        let error_bound = self.prober.as_ref().and_then(|_| self.time.clock.error_bound());
        // Both hours on the clock as it is now: it may have been corrected in between.
        let received = sent - (look.mono - held.came);
        ctx.send(
            held.from,
            CristianMessage::TimeResponse { nonce: held.nonce, received, sent, error_bound },
        );
    }

    // Rounds.

    fn begin_round(&mut self, ctx: &mut Context<'_>) {
        ctx.set_timer(CristianTimer::Tick, self.settings.interval);
        if !self.is_set() {
            return;
        }
        self.round += 1;
        let look = Look::at(ctx);
        let hour = self.time.clock.read(look);
        ctx.append(
            HOURS,
            record_log::record(&Writer::default().i64(self.round as i64).i64(hour).0),
        );
        events::hour(ctx, self.round, hour, self.settings.interval.as_micros() as i64);
        self.missing = self.servers.iter().map(|(server, _)| *server).collect();
        self.berkeley.begin(hour, look.mono);
        (self.root, self.began) =
            (self.prober.as_ref().and_then(|_| self.time.clock.error_bound()), look.mono);
        self.adjusts.clear();
        for i in 0..self.servers.len() {
            let (server, algorithm) = self.servers[i];
            if algorithm == Algorithm::Berkeley {
                self.poll(ctx, server);
            } else {
                ctx.send(server, CristianMessage::Synchronise { round: self.round });
            }
        }
        ctx.set_timer(CristianTimer::Again, self.settings.probe_timeout);
    }

    /// Datagrams are lost: say it again to those that have not reported.
    fn ask_again(&mut self, ctx: &mut Context<'_>) {
        if self.missing.is_empty() {
            return;
        }
        for server in self.missing.iter().copied().collect::<Vec<_>>() {
            match self.adjusts.get(&server) {
                Some(adjust) => ctx.send(server, adjust.clone()),
                None if self.is_of_berkeley(server) => {}
                None => ctx.send(server, CristianMessage::Synchronise { round: self.round }),
            }
        }
        let silent = self.berkeley.silent();
        if !silent.is_empty() {
            if self.berkeley.count_try() >= TRIES_MAX && self.berkeley.has_answers() {
                self.decide(ctx);
            } else {
                silent.into_iter().for_each(|server| self.poll(ctx, server));
            }
        }
        ctx.set_timer(CristianTimer::Again, self.settings.probe_timeout);
    }

    fn is_of_berkeley(&self, server: NodeId) -> bool {
        self.servers
            .iter()
            .any(|(each, algorithm)| *each == server && *algorithm == Algorithm::Berkeley)
    }

    fn poll(&mut self, ctx: &mut Context<'_>, server: NodeId) {
        let nonce = ctx.rng().bits() >> 1;
        self.berkeley.ask(server, nonce, Look::at(ctx).mono);
        ctx.send(server, CristianMessage::ClockPoll { round: self.round, nonce });
    }

    /// Berkeley: all clocks are known that will be.
    fn decide(&mut self, ctx: &mut Context<'_>) {
        let look = Look::at(ctx);
        let outcome = self.berkeley.decide(&self.settings, ctx.id());
        let root = self
            .root
            .map(|root| root_of_mean(&self.settings, root, outcome.mean, look.mono - self.began));
        let show = |all: bool| {
            let shown = outcome.clocks.iter().filter(|(_, _, taken)| all || *taken);
            let texts: Vec<String> = shown
                .map(|(node, offset, _)| {
                    format!("{}={}", ctx.name(*node), offset.div_euclid(1_000))
                })
                .collect();
            texts.join(",")
        };
        let (clocks, taken) = (show(true), show(false));
        events::berkeley(
            ctx,
            self.round,
            outcome.mean,
            self.settings.gamma.as_nanos() as i64,
            clocks,
            taken,
        );
        let absolute = self
            .settings
            .planted
            .plants(Defect::BerkeleyAbsolute)
            .then_some(look.mono + self.berkeley.rod() + outcome.mean);
        for (server, correction) in outcome.corrections {
            let (round, nonce, by) = (self.round, correction.nonce, correction.by);
            let (rtt, error) = (correction.rtt, correction.error);
            let adjust = CristianMessage::Adjust { round, nonce, by, rtt, error, root, absolute };
            ctx.send(server, adjust.clone());
            self.adjusts.insert(server, adjust);
        }
        if self.prober.is_none() {
            // Nobody tells this clock the time: it follows the mean as the others do.
            self.time.clock.read(look);
            self.time.clock.correct(outcome.mean, None);
        }
    }

    /// A server's record: onto the disk, once, in the order of its rounds.
    fn on_report(&mut self, ctx: &mut Context<'_>, server: NodeId, record: &RoundRecord) {
        if self.recorded.get(&server).is_none_or(|last| *last < record.round) {
            self.recorded.insert(server, record.round);
            ctx.append(
                REPORTS,
                record_log::record(&record.encode(Writer::default().i64(server.0.into())).0),
            );
            events::record(ctx, "recorded", server, record);
        }
        if record.round >= self.round {
            self.missing.remove(&server);
        }
        ctx.send(server, CristianMessage::RoundReportAck { round: record.round });
    }
}

//! An application server's part in the rounds: it asks when the coordinator says so, and reports
//! what came of it.

use std::sync::Arc;

use super::defects::Defect;
use super::events;
use super::message::CristianMessage;
use super::prober::{Prober, Progress, TimeAnswer};
use super::process::{Context, CristianTimer};
use super::round_log::{RoundLog, RoundRecord};
use super::settings::{Algorithm, CristianSettings, Discipline};
use super::soft_clock::{Look, growth};
use super::timepiece::{Measured, Timepiece};
use crate::node::NodeId;

/// What the clock showed when Berkeley's coordinator asked.
#[derive(Clone, Copy, Debug)]
struct Polled {
    nonce: u64,
    offset: i64,
    mono: i64,
    by_hand: i64,
}

/// Answers to polls of one round that are remembered.
const POLLED_MAX: usize = 8;

/// See the module.
pub struct ServerClock {
    settings: Arc<CristianSettings>,
    algorithm: Algorithm,
    coordinator: NodeId,
    pub time: Timepiece,
    prober: Prober,
    /// The round under way or, where there is none, the last one.
    round: u64,
    polled: Vec<Polled>,
    /// Rounds that have ended and go to the disk with the next step. Invariant: increasing, above
    /// all rounds of the log.
    ended: Vec<RoundRecord>,
    log: RoundLog,
}

impl ServerClock {
    pub fn boot(
        ctx: &mut Context<'_>,
        settings: Arc<CristianSettings>,
        (algorithm, discipline): (Algorithm, Discipline),
        coordinator: NodeId,
        utc: Option<NodeId>,
    ) -> ServerClock {
        let log = RoundLog::recover(ctx);
        let time = Timepiece::boot(ctx, settings.clone(), discipline);
        let itself = utc.filter(|_| settings.planted.plants(Defect::ServerAsksUtc));
        let prober =
            Prober::new(&settings, algorithm, itself.unwrap_or(coordinator), itself.is_some());
        let round = log.done();
        let mut clock = ServerClock {
            settings,
            algorithm,
            coordinator,
            time,
            prober,
            round,
            polled: vec![],
            ended: vec![],
            log,
        };
        clock.report(ctx);
        clock
    }

    pub fn round(&self) -> u64 {
        self.ended.last().map_or(self.log.done(), |record| record.round)
    }

    pub fn unconfirmed(&self) -> usize {
        self.log.len() + self.ended.len()
    }

    pub fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, message: CristianMessage) {
        match message {
            CristianMessage::Synchronise { round } => self.on_synchronise(ctx, round),
            CristianMessage::TimeResponse { nonce, received, sent, error_bound } => {
                self.on_answer(ctx, from, &TimeAnswer { nonce, received, sent, error_bound });
            }
            CristianMessage::UtcResponse { nonce, utc } => {
                self.on_answer(
                    ctx,
                    from,
                    &TimeAnswer { nonce, received: utc, sent: utc, error_bound: Some(0) },
                );
            }
            CristianMessage::ClockPoll { round, nonce } => self.on_poll(ctx, from, round, nonce),
            CristianMessage::Adjust { round, nonce, by, rtt, error, root, absolute } => {
                self.on_adjust(ctx, (round, nonce), (by, absolute), rtt, (error, root));
            }
            CristianMessage::RoundReportAck { round } => {
                self.log.confirm(ctx, round);
                ctx.cancel_timer(CristianTimer::Report);
                self.report(ctx);
            }
            _ => {}
        }
    }

    fn on_synchronise(&mut self, ctx: &mut Context<'_>, round: u64) {
        ctx.without_sync();
        if round <= self.round || self.algorithm == Algorithm::Berkeley {
            return;
        }
        if self.prober.is_busy() {
            if self.settings.planted.plants(Defect::BlockingReceive) {
                return;
            }
            events::of_round(ctx, "round_missed", self.round);
        }
        self.round = round;
        self.prober.begin(ctx, &self.settings, &mut self.time.clock);
    }

    fn on_answer(&mut self, ctx: &mut Context<'_>, from: NodeId, answer: &TimeAnswer) {
        ctx.without_sync();
        let progress =
            self.prober.on_answer(ctx, &self.settings, &mut self.time.clock, from, answer);
        self.take(ctx, progress);
    }

    /// No answer has come in time.
    pub fn on_probe_timeout(&mut self, ctx: &mut Context<'_>) {
        ctx.without_sync();
        let progress = self.prober.on_timeout(ctx, &self.settings, &mut self.time.clock);
        self.take(ctx, progress);
    }

    fn take(&mut self, ctx: &mut Context<'_>, progress: Progress) {
        let Progress::Done(estimate) = progress else { return };
        let measured = self.time.measure(ctx, self.algorithm, estimate);
        self.end_round(ctx, &measured);
    }

    fn end_round(&mut self, ctx: &mut Context<'_>, measured: &Measured) {
        let record = self.time.settle(ctx, self.round, self.algorithm, measured);
        self.ended.push(record);
        // In a step of its own, because the correction does not wait for the disk and the report
        // does.
        ctx.set_timer(CristianTimer::Store, std::time::Duration::ZERO);
    }

    /// Berkeley: tell what the clock shows, and remember it.
    fn on_poll(&mut self, ctx: &mut Context<'_>, from: NodeId, round: u64, nonce: u64) {
        ctx.without_sync();
        if round < self.round || round <= self.log.done() {
            return;
        }
        if round > self.round {
            self.polled.clear();
            self.round = round;
        }
        let look = Look::at(ctx);
        let clock = self.time.clock.read(look);
        if self.polled.len() == POLLED_MAX {
            self.polled.remove(0);
        }
        self.polled.push(Polled {
            nonce,
            offset: self.time.clock.offset(),
            mono: look.mono,
            by_hand: self.time.clock.by_hand(),
        });
        ctx.send(from, CristianMessage::ClockPollResponse { round, nonce, clock });
    }

    /// Berkeley: the coordinator says by how much the clock was off at a poll.
    fn on_adjust(
        &mut self,
        ctx: &mut Context<'_>,
        (round, nonce): (u64, u64),
        (by, absolute): (i64, Option<i64>),
        rtt: i64,
        (error, root): (i64, Option<i64>),
    ) {
        ctx.without_sync();
        let Some(polled) = self
            .polled
            .iter()
            .find(|polled| polled.nonce == nonce)
            .copied()
            .filter(|_| round == self.round)
        else {
            return;
        };
        self.polled.clear();
        let look = Look::at(ctx);
        let before = self.time.clock.read(look);
        if self.time.clock.by_hand() != polled.by_hand {
            // The difference was that of another clock.
            events::of_round(ctx, "adjust_void", round);
            return;
        }
        let estimate = absolute.map_or(polled.offset + by, |hour| hour - look.mono);
        let age = look.mono - polled.mono;
        let measured = Measured {
            nonce,
            // The round trip was the coordinator's, and ended about when this clock was read.
            t0: polled.mono - rtt,
            t1: polled.mono,
            held: 0,
            age,
            server_time: before + by,
            by: estimate - self.time.clock.offset(),
            own_error: error + 2 * growth(age, self.settings.drift_bound_ppm),
            root,
            estimate,
            samples: vec![],
        };
        self.end_round(ctx, &measured);
    }

    /// Rounds that have ended go to the disk, and from there to the coordinator.
    pub fn on_store(&mut self, ctx: &mut Context<'_>) {
        let once = self.settings.planted.plants(Defect::ReportOnce);
        for record in std::mem::take(&mut self.ended) {
            self.log.store(ctx, record);
            events::record(ctx, "round_stored", ctx.id(), &record);
            if once {
                ctx.send(self.coordinator, CristianMessage::RoundReport { record });
            }
        }
        self.report(ctx);
    }

    /// Send the oldest record that is not confirmed, and again later.
    pub fn report(&mut self, ctx: &mut Context<'_>) {
        if let Some(record) = self.log.oldest()
            && !self.settings.planted.plants(Defect::ReportOnce)
        {
            ctx.send(self.coordinator, CristianMessage::RoundReport { record });
            ctx.set_timer(CristianTimer::Report, self.settings.probe_timeout);
        }
    }
}

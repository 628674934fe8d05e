//! Asking for the time: one question at a time, each with a number of its own, again when no answer
//! comes.

use super::defects::Defect;
use super::estimate::{Estimate, Sample, delay, estimate};
use super::events;
use super::message::CristianMessage;
use super::process::{Context, CristianTimer};
use super::settings::{Algorithm, CristianSettings};
use super::soft_clock::{Look, SoftClock};
use crate::node::NodeId;

/// Questions for each sample that is wanted, before a round goes by those that it has.
const QUESTIONS_MAX: usize = 3;
/// Delays that are remembered.
const DELAYS_MAX: usize = 32;

/// A question without an answer.
#[derive(Clone, Copy, Debug)]
struct Question {
    nonce: u64,
    t0: i64,
    /// What the asker's clock showed.
    hour: i64,
}

/// What comes of an answer or of a silence.
pub enum Progress {
    /// The round needs more.
    Open,
    /// The round has ended with this.
    Done(Estimate),
}

/// An answer as it arrives: its number, the server's hours, and how wrong they may be.
pub struct TimeAnswer {
    pub nonce: u64,
    pub received: i64,
    pub sent: i64,
    pub error_bound: Option<i64>,
}

/// See the module.
pub struct Prober {
    source: NodeId,
    /// Whether the source is the UTC source, which is asked in its own words.
    utc: bool,
    algorithm: Algorithm,
    wanted: usize,
    question: Option<Question>,
    asked: usize,
    samples: Vec<Sample>,
    /// The delays of earlier answers.
    delays: Vec<i64>,
}

impl Prober {
    pub fn new(
        settings: &CristianSettings,
        algorithm: Algorithm,
        source: NodeId,
        utc: bool,
    ) -> Prober {
        let wanted = if algorithm == Algorithm::BestOfN { settings.samples } else { 1 };
        Prober {
            source,
            utc,
            algorithm,
            wanted,
            question: None,
            asked: 0,
            samples: vec![],
            delays: vec![],
        }
    }

    /// Whether a round is under way.
    pub fn is_busy(&self) -> bool {
        self.question.is_some()
    }

    /// Begin a round; one that is under way is given up.
    pub fn begin(
        &mut self,
        ctx: &mut Context<'_>,
        settings: &CristianSettings,
        clock: &mut SoftClock,
    ) {
        self.samples.clear();
        self.asked = 0;
        self.ask(ctx, settings, clock);
    }

    fn ask(&mut self, ctx: &mut Context<'_>, settings: &CristianSettings, clock: &mut SoftClock) {
        let look = Look::at(ctx);
        let hour = clock.read(look);
        let nonce = ctx.rng().bits() >> 1;
        self.question = Some(Question { nonce, t0: look.mono, hour });
        self.asked += 1;
        events::probe(ctx, self.source, nonce, look.mono);
        let request = if self.utc {
            CristianMessage::UtcRequest { nonce }
        } else {
            CristianMessage::TimeRequest { nonce, hour }
        };
        ctx.send(self.source, request);
        if !settings.planted.plants(Defect::BlockingReceive) {
            ctx.set_timer(CristianTimer::Probe, settings.probe_timeout);
        }
    }

    /// An answer has come.
    pub fn on_answer(
        &mut self,
        ctx: &mut Context<'_>,
        settings: &CristianSettings,
        clock: &mut SoftClock,
        from: NodeId,
        answer: &TimeAnswer,
    ) -> Progress {
        let look = Look::at(ctx);
        let hour = clock.read(look);
        // A late or doubled answer would count its delay from the wrong moment.
        let fits = |question: &Question| {
            from == self.source
                && (question.nonce == answer.nonce
                    || settings.planted.plants(Defect::ReplyMismatched))
        };
        let Some(question) = self.question.filter(fits) else { return Progress::Open };
        self.question = None;
        let mut rtt = look.mono - question.t0;
        let by_wall = hour - question.hour;
        if by_wall != rtt && settings.planted.plants(Defect::RttByWallClock) {
            rtt = by_wall;
        }
        let sample = Sample {
            nonce: answer.nonce,
            t0: question.t0,
            t1: look.mono,
            t2: answer.received,
            t3: answer.sent,
            root: answer.error_bound,
            rtt,
        };
        if self.delays.len() == DELAYS_MAX {
            self.delays.remove(0);
        }
        self.delays.push(delay(self.algorithm, &sample));
        self.samples.push(sample);
        self.go_on(ctx, settings, clock)
    }

    /// No answer has come in time.
    pub fn on_timeout(
        &mut self,
        ctx: &mut Context<'_>,
        settings: &CristianSettings,
        clock: &mut SoftClock,
    ) -> Progress {
        if self.question.take().is_none() {
            return Progress::Open;
        }
        self.go_on(ctx, settings, clock)
    }

    fn go_on(
        &mut self,
        ctx: &mut Context<'_>,
        settings: &CristianSettings,
        clock: &mut SoftClock,
    ) -> Progress {
        let enough = self.samples.len() >= self.wanted
            || (self.asked >= QUESTIONS_MAX * self.wanted && !self.samples.is_empty());
        if !enough {
            self.ask(ctx, settings, clock);
            return Progress::Open;
        }
        ctx.cancel_timer(CristianTimer::Probe);
        match estimate(settings, self.algorithm, &self.samples, &self.delays) {
            Some(estimate) => Progress::Done(estimate),
            None => Progress::Open,
        }
    }
}

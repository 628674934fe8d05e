//! A machine's disciplined clock with what belongs to it: its file, the hands of its owner, and
//! what it shows in the trace.
//!
//! Nothing here waits for the disk: a correction that a crash takes back is found again by the next
//! round.

use std::sync::Arc;

use super::defects::{Defect, Planted};
use super::estimate::Estimate;
use super::events;
use super::process::{Context, CristianTimer};
use super::round_log::RoundRecord;
use super::settings::{Algorithm, CristianSettings, Discipline};
use super::soft_clock::{Look, SoftClock, growth};

const FILE: &str = "clock";
/// How far a command moves a clock, ns.
const MINUTE: i64 = 60_000_000_000;

/// What a round has measured, of a clock that was looked at just now. All in ns.
pub struct Measured {
    pub nonce: u64,
    pub t0: i64,
    pub t1: i64,
    pub held: i64,
    pub age: i64,
    pub server_time: i64,
    /// By how much the clock should show more.
    pub by: i64,
    pub own_error: i64,
    pub root: Option<i64>,
    /// The goal that was measured, minus the monotonic clock.
    pub estimate: i64,
    pub samples: Vec<(i64, i64)>,
}

/// See the module.
pub struct Timepiece {
    settings: Arc<CristianSettings>,
    discipline: Discipline,
    pub clock: SoftClock,
}

/// A correction, ns, as it is kept: with its sign, and as exact as it is.
fn kept_correction(planted: Planted, by: i64) -> i64 {
    const MICROSECOND: i64 = 1_000;
    if by < 0 && planted.plants(Defect::AheadIgnored) {
        return 0;
    }
    let unsigned = i64::from((by / MICROSECOND) as u32) * MICROSECOND;
    if unsigned != by && planted.plants(Defect::UnsignedOffset) { unsigned } else { by }
}

impl Timepiece {
    /// The clock of a machine that starts. The hardware has gone on meanwhile, and so the last
    /// correction still fits.
    pub fn boot(
        ctx: &mut Context<'_>,
        settings: Arc<CristianSettings>,
        discipline: Discipline,
    ) -> Timepiece {
        let saved =
            ctx.read(FILE).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_le_bytes);
        let clock = SoftClock::new(&settings, discipline, Look::at(ctx), saved);
        ctx.set_timer(CristianTimer::Sample, settings.sample_interval);
        Timepiece { settings, discipline, clock }
    }

    /// The hour, ns since 1970.
    pub fn hour(&mut self, ctx: &Context<'_>) -> i64 {
        self.clock.read(Look::at(ctx))
    }

    /// Show the clock in the trace, and again later.
    pub fn show(&mut self, ctx: &mut Context<'_>) {
        ctx.without_sync();
        let look = Look::at(ctx);
        self.clock.read(look);
        events::reading(ctx, &self.clock, look.mono, self.settings.slew_ppm);
        ctx.set_timer(CristianTimer::Sample, self.settings.sample_interval);
    }

    /// What an estimate says of the clock now.
    pub fn measure(
        &mut self,
        ctx: &Context<'_>,
        algorithm: Algorithm,
        estimate: Estimate,
    ) -> Measured {
        let look = Look::at(ctx);
        self.clock.read(look);
        let sample = estimate.sample;
        let age = look.mono - sample.t1;
        Measured {
            nonce: sample.nonce,
            t0: sample.t0,
            t1: sample.t1,
            held: if algorithm == Algorithm::Ntp { sample.t3 - sample.t2 } else { 0 },
            age,
            server_time: sample.t3,
            by: estimate.offset - self.clock.offset(),
            own_error: estimate.error + growth(age, self.settings.drift_bound_ppm),
            root: sample.root,
            estimate: estimate.offset,
            samples: estimate.samples,
        }
    }

    /// A round has ended: correct the clock, by its discipline.
    pub fn settle(
        &mut self,
        ctx: &mut Context<'_>,
        round: u64,
        algorithm: Algorithm,
        measured: &Measured,
    ) -> RoundRecord {
        ctx.without_sync();
        let mono = Look::at(ctx).mono;
        let before = mono + self.clock.offset();
        let by = kept_correction(self.settings.planted, measured.by);
        self.clock.correct(by, measured.root.map(|root| root + measured.own_error));
        let shown = events::Round {
            round,
            algorithm: algorithm.word(),
            discipline: self.discipline.word(),
            nonce: measured.nonce,
            t0: measured.t0,
            t1: measured.t1,
            held: measured.held,
            age: measured.age,
            server_time: measured.server_time,
            before,
            correction: by,
            own_error: measured.own_error,
            root: measured.root,
            min_delay: self.settings.min_delay.as_nanos() as i64,
            drift_bound_ppm: self.settings.drift_bound_ppm,
            estimate: measured.estimate,
            samples: &measured.samples,
        };
        events::round(ctx, &shown, &self.clock, mono);
        ctx.replace(FILE, self.clock.correction().to_le_bytes().to_vec());
        let us = |ns: i64| ns.div_euclid(1_000);
        RoundRecord {
            round,
            previous_us: us(before),
            corrected_us: us(before + by),
            adjustment_us: us(by),
        }
    }

    /// Somebody lays a hand on the clock. `false`: the command is about something else.
    pub fn on_command(&mut self, ctx: &mut Context<'_>, command: &str) -> bool {
        let look = Look::at(ctx);
        self.clock.read(look);
        let by = match command {
            "minute_ahead" => MINUTE,
            "minute_back" => -MINUTE,
            "stop_clock" | "start_clock" => {
                self.clock.stop(look, command == "stop_clock");
                0
            }
            _ => return false,
        };
        if by != 0 {
            self.clock.move_by_hand(by);
        }
        ctx.without_sync();
        events::by_hand(ctx, by);
        true
    }
}

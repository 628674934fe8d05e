//! A server's memory of its rounds until the coordinator has recorded them.
//!
//! A record goes to the server's disk, then to the coordinator, again and again until that confirms
//! it; one at a time, so that they arrive in order.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::events;
use super::process::Context;
use crate::codec::{Reader, Writer};
use crate::node::record_log;

const FILE: &str = "rounds";
const RECORD: u8 = 1;
const CONFIRMED: u8 = 2;

/// What a round has done to a clock; a row of `hora_equipo`. Hours in µs since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// The coordinator's number of the round.
    pub round: u64,
    /// The hour that the clock showed before.
    pub previous_us: i64,
    /// The hour that the round has found.
    pub corrected_us: i64,
    /// The difference.
    pub adjustment_us: i64,
}

impl RoundRecord {
    /// As bytes.
    pub fn encode<'w>(&self, writer: &'w mut Writer) -> &'w mut Writer {
        writer
            .i64(self.round as i64)
            .i64(self.previous_us)
            .i64(self.corrected_us)
            .i64(self.adjustment_us)
    }

    /// From bytes.
    pub fn decode(reader: &mut Reader<'_>) -> Option<RoundRecord> {
        let round = reader.i64()? as u64;
        Some(RoundRecord {
            round,
            previous_us: reader.i64()?,
            corrected_us: reader.i64()?,
            adjustment_us: reader.i64()?,
        })
    }
}

/// See the module.
#[derive(Debug, Default)]
pub struct RoundLog {
    /// What the coordinator has not confirmed, oldest first. All of it is on the disk.
    unconfirmed: VecDeque<RoundRecord>,
    /// The last round that this server has finished.
    done: u64,
}

impl RoundLog {
    /// What the disk holds.
    pub fn recover(ctx: &mut Context<'_>) -> RoundLog {
        let mut log = RoundLog::default();
        for record in record_log::recover(ctx, FILE) {
            let mut reader = Reader(&record);
            match reader.byte() {
                Some(RECORD) => {
                    if let Some(record) = RoundRecord::decode(&mut reader) {
                        log.push(record);
                    }
                }
                Some(CONFIRMED) => {
                    if let Some(round) = reader.i64() {
                        log.forget(round as u64);
                    }
                }
                _ => {}
            }
        }
        // A crash may have kept a record and yet taken back that it was told.
        for record in &log.unconfirmed {
            events::record(ctx, "round_stored", ctx.id(), record);
        }
        log
    }

    fn push(&mut self, record: RoundRecord) {
        self.done = self.done.max(record.round);
        self.unconfirmed.push_back(record);
    }

    fn forget(&mut self, round: u64) {
        self.done = self.done.max(round);
        while self.unconfirmed.front().is_some_and(|record| record.round <= round) {
            self.unconfirmed.pop_front();
        }
    }

    /// The last round that is on the disk.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// The record to send.
    pub fn oldest(&self) -> Option<RoundRecord> {
        self.unconfirmed.front().copied()
    }

    /// Records on their way.
    pub fn len(&self) -> usize {
        self.unconfirmed.len()
    }

    /// Put a record on the disk.
    pub fn store(&mut self, ctx: &mut Context<'_>, record: RoundRecord) {
        ctx.append(FILE, record_log::record(&record.encode(Writer::default().byte(RECORD)).0));
        self.push(record);
    }

    /// The coordinator has recorded this round.
    pub fn confirm(&mut self, ctx: &mut Context<'_>, round: u64) {
        self.forget(round);
        let confirmed = record_log::record(&Writer::default().byte(CONFIRMED).i64(round as i64).0);
        if self.unconfirmed.is_empty() {
            ctx.replace(FILE, confirmed);
        } else {
            ctx.append(FILE, confirmed);
        }
    }
}

//! When the operations of a client begin.

use std::time::Duration;

use crate::node::Message;
use crate::scenario::{Latency, WorkloadSpec};
use crate::sim::Io;
use crate::time::LocalTime;

/// The pace of one client, by its own clock: in a closed loop a think time between two operations,
/// in an open loop arrivals that do not ask whether the client is busy.
pub struct Pace {
    next: LocalTime,
    begun: u64,
}

impl Pace {
    /// Before the first operation.
    pub fn new<M: Message>(io: &Io<M>, workload: &WorkloadSpec) -> Pace {
        Pace { next: LocalTime::ZERO + workload.start + pause(io, workload), begun: 0 }
    }

    /// When the next operation begins.
    pub fn next(&self) -> LocalTime {
        self.next
    }

    /// Wait for that moment.
    pub async fn wait<M: Message>(&self, io: &Io<M>) {
        // A clock that is set or slowed meanwhile may end a sleep early.
        while io.now() < self.next {
            io.sleep(self.next - io.now()).await;
        }
    }

    /// The number of the operation that begins now, from 0; `None` when the client has done all
    /// that it should.
    pub fn begin<M: Message>(&mut self, io: &Io<M>, workload: &WorkloadSpec) -> Option<u64> {
        if io.load_is_over() || workload.operations.is_some_and(|most| self.begun >= most) {
            return None;
        }
        self.begun += 1;
        Some(self.begun - 1)
    }

    /// An operation has ended.
    pub fn end<M: Message>(&mut self, io: &Io<M>, workload: &WorkloadSpec) {
        // What arrives while the client of an open loop is busy starts when it can.
        let from = if workload.rate.is_some() { self.next } else { io.now() };
        self.next = from + pause(io, workload);
    }
}

/// The time to the next operation: drawn from the think time, or between two arrivals of the open
/// loop.
fn pause<M: Message>(io: &Io<M>, workload: &WorkloadSpec) -> Duration {
    match workload.rate {
        Some(rate) => {
            let mean = Duration::from_nanos((1e9 * f64::from(workload.clients) / rate) as u64);
            io.draw(|rng| Latency::Exponential { min: Duration::from_nanos(1), mean }.draw(rng))
        }
        None => io.draw(|rng| rng.duration(workload.think_time.0, workload.think_time.1)),
    }
}

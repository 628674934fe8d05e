//! `[zookeeper]`: what a scenario can choose.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::defects::{self, Rules};
use super::ensemble::{ServerSettings, SessionSettings};
use crate::scenario::{Section, Settings, show_duration};

/// The section's values.
#[derive(Clone, Debug, PartialEq)]
pub struct ZkSettings {
    /// Those of the servers, with the planted mistakes.
    pub server: ServerSettings,
    /// The time-out that instances, workers and clients wish for their sessions.
    pub session_timeout: Duration,
    /// How often an instance measures, and the elected one makes a mean.
    pub period: Duration,
    /// Least and greatest measurement, thousandths.
    pub measurement: (u64, u64),
    /// Means outside of it are anomalies, thousandths.
    pub band: (i64, i64),
    /// How long the balancer waits for a replica, and a replica for the store.
    pub http_timeout: Duration,
    /// A worker's pause between two batches of requests.
    pub work_pause: (Duration, Duration),
}

impl ZkSettings {
    /// Those of a session.
    pub fn session(&self) -> SessionSettings {
        SessionSettings {
            timeout: self.session_timeout,
            retransmit_after: self.server.retransmit_after,
            rules: self.server.rules,
        }
    }
}

impl Settings for ZkSettings {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

const LONG: Duration = Duration::from_secs(3_600);
const SHORT: Duration = Duration::from_millis(1);

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let names = section.words("defects", defects::NAMES, "Planted mistakes, by name.");
    let mut server = ServerSettings::read(section);
    server.rules = Rules::with(names.iter().map(String::as_str));
    let milli = |pair: (f64, f64)| ((pair.0 * 1_000.0) as i64, (pair.1 * 1_000.0) as i64);
    let session_timeout = section.duration(
        "session_timeout",
        Duration::from_secs(2),
        SHORT..=LONG,
        "The time-out that clients wish for their sessions.",
    );
    let period = section.duration(
        "period",
        Duration::from_secs(1),
        SHORT..=LONG,
        "How often an instance measures, and the elected one makes a mean.",
    );
    let range = 0.0..=1e9;
    let measurement = milli(section.numbers(
        "measurement",
        (75.0, 85.0),
        range.clone(),
        "Least and greatest measurement.",
    ));
    let band =
        milli(section.numbers("band", (77.5, 82.5), range, "Means outside of it are anomalies."));
    let http_timeout = section.duration(
        "http_timeout",
        Duration::from_millis(150),
        SHORT..=LONG,
        "How long the balancer waits for a replica, and a replica for the store, before it tries \
            again.",
    );
    let pauses = (Duration::from_millis(50), Duration::from_millis(400));
    let work_pause = section.durations(
        "work_pause",
        pauses,
        SHORT..=LONG,
        "A worker's pause between two batches of requests.",
    );
    let (shortest, longest) =
        (server.ticks(server.session_ticks_min), server.ticks(server.session_ticks_max));
    if session_timeout < shortest || session_timeout > longest {
        section.contradiction(
            &["session_timeout", "tick", "session_ticks_min", "session_ticks_max"],
            "`zookeeper.session_timeout` is one that the servers would not grant",
            format!(
                "it is {}, and they grant {} to {}",
                show_duration(session_timeout),
                show_duration(shortest),
                show_duration(longest)
            ),
            &format!(
                "write session_timeout = \"{}\", or other limits: they are `session_ticks_min` to \
                    `session_ticks_max` times `tick`",
                show_duration(session_timeout.clamp(shortest, longest.max(shortest)))
            ),
        );
    }
    let measurement = (measurement.0 as u64, measurement.1 as u64);
    Arc::new(ZkSettings {
        server,
        session_timeout,
        period,
        measurement,
        band,
        http_timeout,
        work_pause,
    })
}

//! `[zookeeper]`: what a scenario can choose.

use std::sync::Arc;
use std::time::Duration;

use super::defects::Planted;
use super::ensemble::{ServerSettings, SessionSettings};
use crate::scenario::{Section, Settings, show_duration};
use crate::settings;

settings! {
    /// The section's values.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ZkSettings {
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
        /// The settings of the servers, with the defects.
        server: ServerSettings = with(|section, _, _| {
            ServerSettings { planted, ..ServerSettings::read(section) }
        }),
        /// The time-out that clients ask for their sessions.
        session_timeout: Duration = duration("2s", "1ms"..="1h"),
        /// How often an instance measures, and the elected one computes a mean.
        period: Duration = duration("1s", "1ms"..="1h"),
        /// The least and the greatest measurement.
        measurement: (u64, u64) = with(|section, key, doc| {
            let (least, most) = thousandths(section.numbers(key, (75.0, 85.0), 0.0..=1e9, doc));
            (least.unsigned_abs(), most.unsigned_abs())
        }),
        /// Means outside of this range are anomalies.
        band: (i64, i64) = with(|section, key, doc| {
            thousandths(section.numbers(key, (77.5, 82.5), 0.0..=1e9, doc))
        }),
        /// How long the balancer waits for a replica, and a replica for the store, before it tries
        /// again.
        http_timeout: Duration = duration("150ms", "1ms"..="1h"),
        /// How long a worker pauses between two batches of requests.
        work_pause: (Duration, Duration) = durations(("50ms", "400ms"), "1ms"..="1h"),
    }
}

fn thousandths((least, most): (f64, f64)) -> (i64, i64) {
    ((least * 1_000.0) as i64, (most * 1_000.0) as i64)
}

impl ZkSettings {
    /// The settings of a session.
    pub fn session(&self) -> SessionSettings {
        SessionSettings {
            timeout: self.session_timeout,
            retransmit_after: self.server.retransmit_after,
            planted: self.server.planted,
        }
    }
}

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let settings = ZkSettings::read(section);
    let (server, session_timeout) = (&settings.server, settings.session_timeout);
    let (shortest, longest) =
        (server.ticks(server.session_ticks_min), server.ticks(server.session_ticks_max));
    if session_timeout < shortest || session_timeout > longest {
        section.contradiction(
            &["session_timeout", "tick", "session_ticks_min", "session_ticks_max"],
            "`zookeeper.session_timeout` must be a time-out that the servers grant",
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
    Arc::new(settings)
}

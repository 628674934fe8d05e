//! `[cristian]` of a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::defects::Planted;
use crate::scenario::{Section, Settings, show_duration};
use crate::{choices, settings};

choices! {
    /// How a server finds out how wrong its clock is.
    pub enum Algorithm {
        /// One probe; the server's time plus half of the round trip.
        Cristian "cristian",
        /// Several probes, of which the one with the shortest round trip counts.
        BestOfN "cristian-best-of-n",
        /// The coordinator asks for all clocks and tells each how far it is from their mean.
        Berkeley "berkeley",
        /// Four timestamps: the time that the server takes to answer does not count as delay.
        Ntp "ntp",
    }
}

choices! {
    /// How a clock is brought to the time that it should show.
    pub enum Discipline {
        /// Immediately, forwards and backwards.
        Step "step",
        /// Little by little: the clock runs a little faster or slower until it is right.
        Slew "slew",
        /// Forwards immediately; a clock that is ahead stands still until the others have caught
        /// up.
        Hold "hold",
    }
}

choices! {
    /// How the servers make sure that a book is handed out once.
    pub enum Reservation {
        /// The order of the queue decides: a server answers when it has polled its own statement.
        Queue "queue",
        /// Each book belongs to one server, which hands it out by itself.
        Owner "owner",
    }
}

settings! {
    /// The section's values.
    #[derive(Clone, Debug)]
    pub struct CristianSettings {
        /// TM: how often every server synchronises.
        interval: Duration = duration("10s", "1ms"..="1h"),
        /// How a server finds out how wrong its clock is.
        algorithm: Algorithm = choice(Algorithm::Cristian),
        /// How a clock is corrected: immediately; by running a little faster or slower; or forwards
        /// immediately, and by standing still when it is ahead.
        discipline: Discipline = choice(Discipline::Hold),
        /// How a book is handed out once: in the order of the queue, or by the one server that it
        /// belongs to.
        reservation: Reservation = choice(Reservation::Queue),
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
        /// Probes in a round of `cristian-best-of-n`.
        samples: usize = integer(8, 1..=100),
        /// How long a server waits for an answer before it asks again.
        probe_timeout: Duration = duration("1s", "1ms"..="1h"),
        /// The least one-way delay between any two machines; error bounds rely on it.
        min_delay: Duration = duration("1ms", "0s"..="1h"),
        /// The largest error of any oscillator, ppm; error bounds grow by it.
        drift_bound_ppm: i64 = integer(200, 0..=100_000),
        /// How much faster or slower than its oscillator a slewed clock runs at most, ppm.
        slew_ppm: i64 = integer(50_000, 1..=900_000),
        /// A slewed clock that is further behind steps forwards; one that is further ahead stands
        /// still.
        step_threshold: Duration = duration("1s", "0s"..="1h"),
        /// Whether the first correction after a start is a step, also backwards: nobody has used
        /// the clock yet.
        initial_step: bool = flag(true),
        /// How long the time server takes to answer, drawn for each request.
        response_delay: (Duration, Duration) = durations(("0s", "0s"), "0s"..="1h"),
        /// Berkeley: clocks that are further apart are not averaged with each other.
        gamma: Duration = duration("1s", "1ms"..="48h"),
        /// How often each machine writes its clock to the trace.
        sample_interval: Duration = duration("1s", "1ms"..="1h"),
        /// How many books each session has.
        books: u8 = integer(15, 1..=200),
        /// How often a server polls the queue.
        poll_interval: Duration = duration("500ms", "1ms"..="1h"),
        /// The time between the last book of a session and the next session.
        session_pause: Duration = duration("3s", "0s"..="1h"),
        /// The algorithm and the discipline of single servers, by name.
        servers: BTreeMap<String, (Algorithm, Discipline)> = with(|section, _, _| {
            servers(section, algorithm, discipline)
        }),
    }
}

impl CristianSettings {
    /// Algorithm and discipline of a server.
    pub fn of_server(&self, name: &str) -> (Algorithm, Discipline) {
        self.servers.get(name).copied().unwrap_or((self.algorithm, self.discipline))
    }
}

/// `[[cristian.server]]`: the settings of single servers, where they differ from those of all.
fn servers(
    section: &mut Section<'_>,
    algorithm: Algorithm,
    discipline: Discipline,
) -> BTreeMap<String, (Algorithm, Discipline)> {
    let mut found = BTreeMap::new();
    let mut entries = section.tables("server");
    for entry in &mut entries {
        let names = entry.node_names("name", "The servers that this entry is for.");
        let own = (
            entry.choice("algorithm", algorithm, "How they find out how wrong their clocks are."),
            entry.choice("discipline", discipline, "How their clocks are corrected."),
        );
        found.extend(names.into_iter().map(|name| (name, own)));
    }
    section.close_all("server", entries);
    found
}

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let settings = CristianSettings::read(section);
    if settings.probe_timeout >= settings.interval {
        section.contradiction(
            &["probe_timeout", "interval"],
            "`cristian.probe_timeout` must be below `cristian.interval`",
            format!(
                "{} and {}",
                show_duration(settings.probe_timeout),
                show_duration(settings.interval)
            ),
            &format!(
                "a round would end before its first question is asked again; several to an \
                    interval are usual: probe_timeout = \"{}\"",
                show_duration((settings.interval / 5).max(Duration::from_millis(1)))
            ),
        );
    }
    Arc::new(settings)
}

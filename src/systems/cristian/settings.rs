//! `[cristian]` of a scenario.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::defects::{self, Rules};
use crate::scenario::{Section, Settings, show_duration};

/// How a server finds out how wrong its clock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// One probe; the server's time plus half of the round trip.
    Cristian,
    /// Several probes, of which that with the shortest round trip counts.
    BestOfN,
    /// The coordinator asks for all clocks and tells each how far it is from their mean.
    Berkeley,
    /// Four timestamps: what the time server takes to answer does not count as delay.
    Ntp,
}

/// How a clock is brought to the hour that it should show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discipline {
    /// At once, forwards and backwards.
    Step,
    /// Little by little: the clock runs a little faster or slower until it is right.
    Slew,
    /// Forwards at once; a clock that is ahead stands still until the rest has caught up.
    Hold,
}

/// How a book is handed out once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// The order of the queue decides: a server answers when it has polled its own statement.
    Queue,
    /// Each book belongs to one server, which hands it out by itself.
    Owner,
}

const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("cristian", Algorithm::Cristian),
    ("cristian-best-of-n", Algorithm::BestOfN),
    ("berkeley", Algorithm::Berkeley),
    ("ntp", Algorithm::Ntp),
];
const DISCIPLINES: &[(&str, Discipline)] =
    &[("step", Discipline::Step), ("slew", Discipline::Slew), ("hold", Discipline::Hold)];

impl Algorithm {
    /// Its name in scenarios and traces.
    pub fn word(self) -> &'static str {
        ALGORITHMS.iter().find(|(_, each)| *each == self).map_or("", |(word, _)| word)
    }
}

impl Discipline {
    /// Its name in scenarios and traces.
    pub fn word(self) -> &'static str {
        DISCIPLINES.iter().find(|(_, each)| *each == self).map_or("", |(word, _)| word)
    }
}

/// The settings of a run, with their defaults filled in.
#[derive(Clone, Debug)]
pub struct CristianSettings {
    /// TM: how often the coordinator has every server synchronise.
    pub interval: Duration,
    /// The algorithm of servers that `[[cristian.server]]` does not name.
    pub algorithm: Algorithm,
    /// Their discipline.
    pub discipline: Discipline,
    /// Algorithm and discipline of single servers.
    pub servers: BTreeMap<String, (Algorithm, Discipline)>,
    /// Probes of `cristian-best-of-n`.
    pub samples: usize,
    /// How long a server waits for the answer to a probe.
    pub probe_timeout: Duration,
    /// The least one-way delay between any two machines: what the error bounds count on.
    pub min_delay: Duration,
    /// The most by which any oscillator is off, ppm.
    pub drift_bound_ppm: i64,
    /// How much faster or slower a slewed clock runs at the most, ppm.
    pub slew_ppm: i64,
    /// Beyond this a slewed clock steps forwards, or is held.
    pub step_threshold: Duration,
    /// Whether the first correction after a start is a step, whatever the discipline: nobody has
    /// used the clock yet.
    pub initial_step: bool,
    /// How long the time server takes to answer, drawn for each request.
    pub response_delay: (Duration, Duration),
    /// The widest difference of clocks that Berkeley's mean takes together.
    pub gamma: Duration,
    /// How often each machine shows its clock in the trace.
    pub sample_interval: Duration,
    /// How books are handed out.
    pub reservation: Reservation,
    /// Books of a session.
    pub books: u8,
    /// How often a server polls the queue.
    pub poll_interval: Duration,
    /// How long after the last book of a session the next one begins.
    pub session_pause: Duration,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Default for CristianSettings {
    fn default() -> Self {
        CristianSettings {
            interval: Duration::from_secs(10),
            algorithm: Algorithm::Cristian,
            discipline: Discipline::Hold,
            servers: BTreeMap::new(),
            samples: 8,
            probe_timeout: Duration::from_secs(1),
            min_delay: Duration::from_millis(1),
            drift_bound_ppm: 200,
            slew_ppm: 50_000,
            step_threshold: Duration::from_secs(1),
            initial_step: true,
            response_delay: (Duration::ZERO, Duration::ZERO),
            gamma: Duration::from_secs(1),
            sample_interval: Duration::from_secs(1),
            reservation: Reservation::Queue,
            books: 15,
            poll_interval: Duration::from_millis(500),
            session_pause: Duration::from_secs(3),
            rules: Rules::default(),
        }
    }
}

impl CristianSettings {
    /// Algorithm and discipline of a server.
    pub fn of_server(&self, name: &str) -> (Algorithm, Discipline) {
        self.servers.get(name).copied().unwrap_or((self.algorithm, self.discipline))
    }
}

impl Settings for CristianSettings {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The longest duration that makes sense here.
const LONG: Duration = Duration::from_secs(3_600);
/// The shortest.
const SHORT: Duration = Duration::from_millis(1);

fn algorithm(section: &mut Section<'_>, default: Algorithm) -> Algorithm {
    let words: Vec<&'static str> = ALGORITHMS.iter().map(|(word, _)| *word).collect();
    let doc = "How a server finds out how wrong its clock is.";
    let word = section.choice("algorithm", default.word(), &words, doc);
    ALGORITHMS.iter().find(|(each, _)| *each == word).map_or(default, |(_, algorithm)| *algorithm)
}

fn discipline(section: &mut Section<'_>, default: Discipline) -> Discipline {
    let words: Vec<&'static str> = DISCIPLINES.iter().map(|(word, _)| *word).collect();
    let doc = "How a clock is put right: at once; by running a little faster or slower; forwards \
        at once, and standing still when it is ahead.";
    let word = section.choice("discipline", default.word(), &words, doc);
    DISCIPLINES
        .iter()
        .find(|(each, _)| *each == word)
        .map_or(default, |(_, discipline)| *discipline)
}

/// The settings of single servers.
fn servers(
    section: &mut Section<'_>,
    of_all: (Algorithm, Discipline),
) -> BTreeMap<String, (Algorithm, Discipline)> {
    let mut found = BTreeMap::new();
    let mut entries = section.tables("server");
    for entry in &mut entries {
        let names = entry.node_names("name", "The servers that this is for.");
        let own = (algorithm(entry, of_all.0), discipline(entry, of_all.1));
        found.extend(names.into_iter().map(|name| (name, own)));
    }
    section.close_all("server", entries);
    found
}

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let default = CristianSettings::default();
    let interval = section.duration(
        "interval",
        default.interval,
        SHORT..=LONG,
        "TM: how often every server synchronises.",
    );
    let algorithm = algorithm(section, default.algorithm);
    let discipline = discipline(section, default.discipline);
    let zero = Duration::ZERO;
    let reservation = section.choice(
        "reservation",
        "queue",
        &["queue", "owner"],
        "How a book is handed out once: in the order of the queue, or by the one server that it \
            belongs to.",
    );
    let names = section.words("defects", defects::NAMES, "Planted mistakes, by name.");
    let settings = CristianSettings {
        interval,
        algorithm,
        discipline,
        samples: section.integer(
            "samples",
            default.samples as u64,
            1..=100,
            "Probes of a round of `cristian-best-of-n`.",
        ) as usize,
        probe_timeout: section.duration(
            "probe_timeout",
            default.probe_timeout,
            SHORT..=LONG,
            "How long an answer is waited for before the question is asked again.",
        ),
        min_delay: section.duration(
            "min_delay",
            default.min_delay,
            zero..=LONG,
            "The least one-way delay between any two machines; error bounds count on it.",
        ),
        drift_bound_ppm: section.integer(
            "drift_bound_ppm",
            default.drift_bound_ppm as u64,
            0..=100_000,
            "How far off any oscillator may be, ppm; error bounds grow by it.",
        ) as i64,
        slew_ppm: section.integer(
            "slew_ppm",
            default.slew_ppm as u64,
            1..=900_000,
            "How much faster or slower than its oscillator a slewed clock runs at the most, ppm.",
        ) as i64,
        step_threshold: section.duration(
            "step_threshold",
            default.step_threshold,
            zero..=LONG,
            "A slewed clock that is further behind is stepped forwards; one that is further ahead \
                stands still.",
        ),
        initial_step: section.flag(
            "initial_step",
            default.initial_step,
            "Whether the first correction after a start is a step, also backwards: nobody has used \
                the clock yet.",
        ),
        response_delay: section.durations(
            "response_delay",
            default.response_delay,
            zero..=LONG,
            "How long the time server takes to answer, drawn for each request.",
        ),
        gamma: section.duration(
            "gamma",
            default.gamma,
            SHORT..=Duration::from_secs(48 * 3_600),
            "Berkeley: clocks that are further apart are not averaged with each other.",
        ),
        sample_interval: section.duration(
            "sample_interval",
            default.sample_interval,
            SHORT..=LONG,
            "How often each machine shows its clock in the trace.",
        ),
        reservation: if reservation == "owner" { Reservation::Owner } else { Reservation::Queue },
        books: section.integer("books", default.books.into(), 1..=200, "Books of a session.") as u8,
        poll_interval: section.duration(
            "poll_interval",
            default.poll_interval,
            SHORT..=LONG,
            "How often a server polls the queue.",
        ),
        session_pause: section.duration(
            "session_pause",
            default.session_pause,
            zero..=LONG,
            "How long after its last book a session is followed by the next.",
        ),
        servers: servers(section, (algorithm, discipline)),
        rules: Rules::with(names.iter().map(String::as_str)),
    };
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
                show_duration((settings.interval / 5).max(SHORT))
            ),
        );
    }
    Arc::new(settings)
}

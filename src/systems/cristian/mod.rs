//! `cristian`: clocks by Cristian's algorithm, and a library that hands out books.
//!
//! **The problem.** Every machine has a clock of its own: it starts at some hour, runs a little too
//! fast or too slow, and people set it. The machines are to agree on the hour although a message
//! takes a while, nobody knows how long, and some never arrive. On top of that two servers hand out
//! the books of one library, each with a copy of the database, and no book may go out twice.
//!
//! **The idea** (Cristian 1989). Ask a machine that knows the time. The answer was under way for at
//! least the least delay and at most for the round trip without it: take the middle, and you are
//! wrong by at most half of what is left. The bound is the point: it is known at once, by the asker
//! itself, and a round trip that is short enough makes it as small as one likes. Whatever cannot be
//! known (which of the two ways was the slow one) is in it. For the library: let one queue put the
//! statements of all servers in order; who gets a book is decided by the order, not by who was
//! asked.
//!
//! | file | idea |
//! |---|---|
//! | `soft_clock` | the disciplined clock: `step`, `slew`, `hold`; hands on it; what it claims |
//! | `estimate` | what an answer tells, and the bound: Cristian, the best of several, NTP's four timestamps |
//! | `prober` | questions with numbers, time-outs, retries |
//! | `timepiece` | a machine's clock with its file and its place in the trace |
//! | `server_clock`, `round_log` | a server's part in a round, and its record of it |
//! | `time_server`, `berkeley` | the coordinator: UTC, rounds, records; the mean of all clocks |
//! | `utc_source` | the one that knows the time |
//! | `library` | sessions, books and requests as a state machine |
//! | `queue_server` | one order for all statements |
//! | `desk` | where users ask: by the queue, or by owners |
//! | `process`, `client` | a machine of any role; the users |
//! | `tables` | the tables of the original assignment |
//! | `defects` | the defects that can be planted |
//!
//! **Clocks.** The hardware has a monotonic reading and a wall clock on one oscillator; the
//! disciplined clock is software over both. Round trips are measured by the monotonic reading,
//! which nobody can set. A hand on the wall clock moves the disciplined one as well, and is
//! noticed, since nothing else changes the difference of the two; the claimed error grows by as
//! much until the next round. Bounds hold against true time: the time server adds what it may be
//! wrong by itself.
//!
//! **Simplifications.** The UTC source is right by definition. The queue keeps its whole log. An
//! owner that is down keeps its books. Under `slew` and `hold` a clock never goes back while its
//! process lives; what a crash takes back of a correction is found again by the next round.
//! Messages are datagrams with a checksum. There is one time server, and no other takes its place.
//!
//! **References.** F. Cristian: Probabilistic clock synchronization (1989). R. Gusella, S. Zatti:
//! The accuracy of the clock synchronization achieved by TEMPO in Berkeley UNIX 4.3BSD (1989). RFC
//! 5905 (NTP version 4, 2010). L. Lamport: Time, clocks, and the ordering of events (1978).

mod berkeley;
pub(crate) mod checks;
mod client;
mod defects;
mod desk;
mod estimate;
mod events;
mod library;
mod message;
pub(crate) mod plots;
mod prober;
mod process;
mod queue_server;
mod round_log;
mod server_clock;
mod settings;
mod soft_clock;
mod tables;
mod time_server;
mod timepiece;
mod utc_source;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use defects::DEFECTS;
use message::CristianMessage;
use process::{Process, Roster};
use settings::{Algorithm, CristianSettings, Discipline};

use super::{Artifact, Complaint, System};
use crate::error::known_hint;
use crate::node::{Identity, NodeId};
use crate::scenario::{Latency, Scenario, WorkloadSpec, show_duration};
use crate::sim::{self, Cluster, Io};
use crate::trace::{Trace, Word};
use crate::vocabulary::{Shown, Vocabulary};

const MESSAGES: &[Shown] = &[
    Shown { name: "Synchronise", summary: "The coordinator has a server synchronise." },
    Shown { name: "TimeRequest", summary: "A server asks the time server for the hour." },
    Shown { name: "TimeResponse", summary: "The hour, and how wrong it may be." },
    Shown { name: "UtcRequest", summary: "The time server asks the UTC source." },
    Shown { name: "UtcResponse", summary: "The UTC source answers." },
    Shown { name: "ClockPoll", summary: "Berkeley: the coordinator asks for a clock." },
    Shown { name: "ClockPollResponse", summary: "Berkeley: what it shows." },
    Shown { name: "Adjust", summary: "Berkeley: by how much a clock is off the mean." },
    Shown { name: "RoundReport", summary: "What a round has done to a server's clock." },
    Shown { name: "RoundReportAck", summary: "It is recorded." },
    Shown { name: "BookRequest", summary: "A user asks for a book or a new session." },
    Shown { name: "BookReply", summary: "A server answers a user." },
    Shown { name: "Enqueue", summary: "A server puts statements on the queue." },
    Shown { name: "EnqueueAck", summary: "They are on the queue's disk." },
    Shown { name: "Poll", summary: "A server asks for what is new in the queue." },
    Shown { name: "PollReply", summary: "The statements from a position on." },
];

const COMMANDS: &[Shown] = &[
    Shown { name: "synchronise", summary: "The coordinator begins a round at once." },
    Shown { name: "minute_ahead", summary: "Somebody sets this machine's clock a minute ahead." },
    Shown { name: "minute_back", summary: "Somebody sets this machine's clock a minute back." },
    Shown {
        name: "stop_clock",
        summary: "Somebody begins to edit this machine's clock, which stands still meanwhile.",
    },
    Shown { name: "start_clock", summary: "Nobody edits the clock any more." },
    Shown {
        name: "restart_session",
        summary: "The server begins a new session of the library at once.",
    },
];

const SERVER: &str = "server";
const TIME_SERVER: &str = "time_server";
const UTC_SOURCE: &str = "utc_source";
const QUEUE_SERVER: &str = "queue_server";

/// A user that gives up sooner may do so in the time of an ordinary poll of the queue.
const POLLS_OF_PATIENCE: u32 = 4;

/// What the system shows of itself.
pub static VOCABULARY: Vocabulary =
    Vocabulary { events: events::EVENTS, metrics: &[events::METRICS], messages: &[MESSAGES] };

/// The system.
pub static SYSTEM: System = System {
    name: "cristian",
    summary: "Clock synchronisation (Cristian, best of n, Berkeley, NTP; step, slew, hold) under a \
            library of two servers that hands out books once.",
    roles: &[SERVER, TIME_SERVER, UTC_SOURCE, QUEUE_SERVER],
    operations: &["book", "restart"],
    vocabulary: &[&VOCABULARY],
    commands: COMMANDS,
    starting_recovery: "40s",
    checks: checks::CHECKS,
    plots: plots::PLOTS,
    defects: DEFECTS,
    voided_checks,
    complaints,
    artifacts,
    read_settings: settings::read,
    starting_settings: "",
    run: |scenario, options| sim::run(scenario, options, || CristianCluster::new(scenario)),
};

/// What a scenario has no part for is not judged by the checks of that part.
fn voided_checks(scenario: &Scenario) -> Vec<&'static str> {
    let settings: &CristianSettings = scenario.settings();
    let count = |role: &str| scenario.nodes.nodes.iter().filter(|node| node.role == role).count();
    let of_server = |name: &str| settings.of_server(name);
    let servers = || {
        scenario
            .nodes
            .nodes
            .iter()
            .filter(|node| node.role == SERVER)
            .map(|node| of_server(&node.name))
    };
    let no_library = count(QUEUE_SERVER) == 0 || scenario.workload.clients == 0;
    let no_berkeley = !servers().any(|(algorithm, _)| algorithm == Algorithm::Berkeley);
    let only_berkeley = servers().all(|(algorithm, _)| algorithm == Algorithm::Berkeley);
    let no_utc = count(UTC_SOURCE) == 0;
    let only_step = servers().all(|(_, discipline)| discipline == Discipline::Step);
    let no_slew = !servers().any(|(_, discipline)| discipline == Discipline::Slew);
    let impatient = scenario.workload.timeout < settings.poll_interval * POLLS_OF_PATIENCE
        || !scenario.workload.pin.is_empty();
    let counts_books = scenario.checks.iter().any(|check| check.name == "every_book_accounted");
    let voids: [(bool, &[&'static str]); 8] = [
        (
            no_library,
            &[
                "book_once_a_session",
                "request_once",
                "answered_in_all_databases",
                "session_ends_once",
                "none_left_is_true",
                "every_book_accounted",
                "books_keep_coming",
                "all_operations_answered",
                "availability",
            ],
        ),
        (no_berkeley, &["berkeley_agreement", "berkeley_outliers_rejected"]),
        (only_berkeley && no_utc, &["reply_matches_request", "best_sample_used"]),
        (no_utc, &["round_error_within_bound", "claimed_bound_holds", "utc_only_by_time_server"]),
        (only_step, &["clock_never_backwards"]),
        (no_slew, &["slew_rate_limited"]),
        (impatient, &["all_operations_answered"]),
        // A session has as many books as the check knows of, unless the scenario tells it.
        (settings.books != 15 && !counts_books, &["every_book_accounted"]),
    ];
    voids.iter().filter(|(void, _)| *void).flat_map(|(_, checks)| checks.iter().copied()).collect()
}

fn artifacts(_scenario: &Scenario, trace: &Trace) -> Vec<Artifact> {
    tables::tables(trace)
}

/// What the system cannot run, or could not judge fairly.
fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let settings: &CristianSettings = scenario.settings();
    let count = |role: &str| scenario.nodes.nodes.iter().filter(|node| node.role == role).count();
    let mut found = Vec::new();
    let mut complain = |key: &'static str, message: &str, what: String, hint: &str| {
        found.push(Complaint {
            key,
            message: message.to_owned(),
            found: what,
            hint: hint.to_owned(),
        });
    };
    if count(TIME_SERVER) != 1 {
        let hint = "give one node role = \"time_server\": the others ask it, and it alone may ask \
            the UTC source";
        complain(
            "nodes",
            "`cristian` needs one time server",
            format!("there are {}", count(TIME_SERVER)),
            hint,
        );
    }
    if count(SERVER) == 0 {
        complain(
            "nodes",
            "`cristian` needs a server",
            "there is none".to_owned(),
            "give a node role = \"server\", or write count = 2",
        );
    }
    for (role, name) in [(UTC_SOURCE, "UTC source"), (QUEUE_SERVER, "queue server")] {
        if count(role) > 1 {
            complain(
                "nodes",
                &format!("`cristian` takes one {name} at the most"),
                format!("there are {}", count(role)),
                "keep one",
            );
        }
    }
    if count(QUEUE_SERVER) == 0 && scenario.workload.clients > 0 {
        let hint = "give a node role = \"queue_server\", or write clients = 0 below [workload] for \
            clocks without a library";
        complain(
            "nodes",
            "users ask for books, but the servers have no queue",
            "no node has the role `queue_server`".to_owned(),
            hint,
        );
    }
    let is_wrong = |node: &crate::scenario::NodeSpec| {
        node.clock.offset_ns != (0, 0) || node.clock.drift_ppm != (0.0, 0.0)
    };
    if let Some(node) =
        scenario.nodes.nodes.iter().find(|node| node.role == UTC_SOURCE && is_wrong(node))
    {
        let hint =
            "give it clock_offset = \"0s\" and drift_ppm = 0, whatever [nodes] says of the others";
        complain(
            "nodes",
            "the UTC source shows true time",
            format!("`{}` has an offset or a drift", node.name),
            hint,
        );
    }
    if let Some((link, least)) =
        least_latency(scenario).filter(|(_, least)| *least < settings.min_delay)
    {
        let message = "`cristian.min_delay` is more than the network's least delay";
        let what =
            format!("{} declared, but {link} may take {}", text(settings.min_delay), text(least));
        let hint = format!(
            "bounds would be too small: write min_delay = \"{}\" or less, or a longer latency",
            show_duration(least)
        );
        complain("cristian.min_delay", message, what, &hint);
    }
    let drift = scenario.drift_ppm_max();
    if drift > settings.drift_bound_ppm as f64 {
        let message = "`cristian.drift_bound_ppm` is less than clocks drift";
        let what = format!("{} declared, but {drift} ppm occur", settings.drift_bound_ppm);
        let hint = format!(
            "bounds would be too small: write drift_bound_ppm = {} or more, or let clocks drift \
                less",
            drift.ceil()
        );
        complain("cristian.drift_bound_ppm", message, what, &hint);
    }
    for name in settings.servers.keys() {
        if !scenario.nodes.nodes.iter().any(|node| node.name == *name && node.role == SERVER) {
            let what = format!("`{name}` has another role");
            let servers = scenario
                .nodes
                .nodes
                .iter()
                .filter(|node| node.role == SERVER)
                .map(|node| node.name.as_str());
            let hint = format!(
                "only servers synchronise by an algorithm; {}",
                known_hint("servers", servers)
            );
            complain("cristian.server", "`[[cristian.server]]` is for servers", what, &hint);
        }
    }
    found
}

/// The link with the least delay among those that the bounds count on.
fn least_latency(scenario: &Scenario) -> Option<(String, Duration)> {
    let default = ("a link".to_owned(), least(&scenario.network.default.latency));
    let links =
        scenario.network.links.iter().map(|(src, dest, link)| {
            (format!("the link from {src} to {dest}"), least(&link.latency))
        });
    links.chain([default]).min_by_key(|(_, least)| *least)
}

fn least(latency: &Latency) -> Duration {
    match latency {
        Latency::Constant(value) => *value,
        Latency::Uniform(min, _) => *min,
        Latency::Exponential { min, .. }
        | Latency::Normal { min, .. }
        | Latency::Lognormal { min, .. }
        | Latency::Pareto { min, .. } => *min,
    }
}

fn text(duration: Duration) -> String {
    format!("{} µs", duration.as_micros())
}

/// The machines as the driver makes them.
struct CristianCluster {
    settings: Arc<CristianSettings>,
    workload: WorkloadSpec,
    roster: Arc<Roster>,
}

impl CristianCluster {
    /// The machines of a scenario.
    fn new(scenario: &Scenario) -> CristianCluster {
        let of_role = |role: &str| -> Vec<NodeId> {
            let ids = (0_u32..).map(NodeId);
            scenario
                .nodes
                .nodes
                .iter()
                .zip(ids)
                .filter(|(node, _)| node.role == role)
                .map(|(_, id)| id)
                .collect()
        };
        let roster = Roster {
            servers: of_role(SERVER),
            time_server: *of_role(TIME_SERVER)
                .first()
                .expect("a scenario without a time server is refused"),
            utc_source: of_role(UTC_SOURCE).first().copied(),
            queue_server: of_role(QUEUE_SERVER).first().copied(),
        };
        let settings = Arc::new(scenario.settings::<CristianSettings>().clone());
        CristianCluster { settings, workload: scenario.workload.clone(), roster: Arc::new(roster) }
    }
}

impl Cluster for CristianCluster {
    type Node = Process;

    fn node(&self, _identity: &Identity, role: &str) -> Process {
        Process::new(role, self.settings.clone(), self.roster.clone())
    }

    fn clients(&self) -> Vec<(String, Word)> {
        (1..=self.workload.clients).map(|number| (format!("c{number}"), "client".into())).collect()
    }

    fn client(&self, index: usize, io: Io<CristianMessage>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(
            client::Client::new(
                io,
                self.workload.clone(),
                self.settings.clone(),
                &self.roster.servers,
                index,
            )
            .run(),
        )
    }
}

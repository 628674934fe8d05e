//! `[p2p]`: what a scenario can choose, and the scripts.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use super::command::{self, ScriptLine};
use super::defects::{self, Rules};
use crate::scenario::{Section, Settings, show_duration};

/// The section's values.
#[derive(Clone, Debug, PartialEq)]
pub struct P2pSettings {
    /// A connected peer shows itself this often.
    pub heartbeat_interval: Duration,
    /// A connection of which the directory has heard nothing for so long has ended.
    pub lease: Duration,
    /// A stream on which no whole request has come for so long is broken off.
    pub idle_timeout: Duration,
    /// A transfer of which nothing has come for so long has failed.
    pub stall_timeout: Duration,
    /// The directory repeats a report to the logging server this often.
    pub report_interval: Duration,
    /// Lines of a report at the most.
    pub report_lines: usize,
    /// Files that lie in the shared folder of each peer from the beginning.
    pub files: u64,
    /// Their length, bytes.
    pub file_bytes: (u64, u64),
    /// The probability that a user without a script gives another's name where it could give its
    /// own.
    pub foreign_names: f64,
    /// The scripts, by the node at which they are typed.
    pub scripts: Vec<(String, Vec<ScriptLine>)>,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Default for P2pSettings {
    fn default() -> Self {
        P2pSettings {
            heartbeat_interval: Duration::from_secs(1),
            lease: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(3),
            stall_timeout: Duration::from_secs(2),
            report_interval: Duration::from_millis(300),
            report_lines: 16,
            files: 3,
            file_bytes: (2_000, 20_000),
            foreign_names: 0.05,
            scripts: vec![],
            rules: Rules::default(),
        }
    }
}

impl Settings for P2pSettings {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3_600);

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let default = P2pSettings::default();
    let bytes = (default.file_bytes.0 as f64, default.file_bytes.1 as f64);
    let mut settings = P2pSettings {
        heartbeat_interval: section.duration(
            "heartbeat_interval",
            default.heartbeat_interval,
            SHORT..=LONG,
            "How often a connected peer shows itself to the directory.",
        ),
        lease: section.duration(
            "lease",
            default.lease,
            SHORT..=LONG,
            "Silence of a connected peer after which the directory takes it for disconnected.",
        ),
        idle_timeout: section.duration(
            "idle_timeout",
            default.idle_timeout,
            SHORT..=LONG,
            "How long the directory and sharing peers wait for a whole request before they break a \
                connection off.",
        ),
        stall_timeout: section.duration(
            "stall_timeout",
            default.stall_timeout,
            SHORT..=LONG,
            "How long a transfer may stand still before it has failed.",
        ),
        report_interval: section.duration(
            "report_interval",
            default.report_interval,
            SHORT..=LONG,
            "How often the directory repeats a report that the logging server has not confirmed.",
        ),
        report_lines: section.integer(
            "report_lines",
            default.report_lines as u64,
            1..=1_000,
            "Operations of one report at the most.",
        ) as usize,
        files: section.integer(
            "files",
            default.files,
            0..=1_000,
            "Files in the shared folder of each peer at the beginning.",
        ),
        file_bytes: {
            let (least, most) = section.numbers(
                "file_bytes",
                bytes,
                0.0..=16e6,
                "Length of each of them, bytes, drawn where it is a range.",
            );
            (least as u64, most as u64)
        },
        foreign_names: section.number(
            "foreign_names",
            default.foreign_names,
            0.0..=1.0,
            "Probability that a user without a script gives another's name to `register`, \
                `unregister`, `connect` or `disconnect`.",
        ),
        scripts: vec![],
        rules: Rules::default(),
    };
    let names = section.words("defects", defects::NAMES, "Planted mistakes, by name.");
    settings.rules = Rules::with(names.iter().map(String::as_str));
    settings.scripts = read_scripts(section);
    if settings.lease <= settings.heartbeat_interval {
        section.contradiction(
            &["lease", "heartbeat_interval"],
            "`p2p.lease` must be longer than `p2p.heartbeat_interval`",
            format!(
                "the lease is {}, and heartbeats are {} apart",
                show_duration(settings.lease),
                show_duration(settings.heartbeat_interval)
            ),
            &format!(
                "each connection would end between two heartbeats; several to a lease are usual: \
                    lease = \"{}\"",
                show_duration(settings.heartbeat_interval.saturating_mul(5))
            ),
        );
    }
    Arc::new(settings)
}

fn read_scripts(section: &mut Section<'_>) -> Vec<(String, Vec<ScriptLine>)> {
    let known = section.reading.nodes();
    let mut tables = section.tables("script");
    let mut scripts: Vec<(String, Vec<ScriptLine>)> = vec![];
    for table in &mut tables {
        let node = table.name(
            "node",
            "",
            "nodes",
            &known,
            "The peer at whose terminal the lines are typed. Must be given.",
        );
        let doc = "Command lines, one after the other, each with `-> STATUS` behind it where one \
            is expected; `docs/p2p.md` has the commands.";
        let lines = table.lines("lines", command::parse, doc);
        match scripts.iter_mut().find(|(other, _)| *other == node) {
            Some((_, before)) => before.extend(lines),
            None => scripts.push((node, lines)),
        }
    }
    section.close_all("script", tables);
    scripts
}

//! `[p2p]`: what a scenario can choose, and the scripts.

use std::sync::Arc;
use std::time::Duration;

use super::command::{self, ScriptLine};
use super::defects::Planted;
use crate::scenario::{Section, Settings, show_duration};
use crate::settings;

settings! {
    /// The section's values.
    #[derive(Clone, Debug, PartialEq)]
    pub struct P2pSettings {
        /// How often a connected peer sends the directory a heartbeat.
        heartbeat_interval: Duration = duration("1s", "1ms"..="1h"),
        /// How long the directory waits to hear from a connected peer before it takes it for
        /// disconnected.
        lease: Duration = duration("5s", "1ms"..="1h"),
        /// How long the directory and sharing peers wait for a whole request before they break a
        /// connection off.
        idle_timeout: Duration = duration("3s", "1ms"..="1h"),
        /// How long a transfer may stand still before it has failed.
        stall_timeout: Duration = duration("2s", "1ms"..="1h"),
        /// How often the directory repeats a report that the logging server has not confirmed.
        report_interval: Duration = duration("300ms", "1ms"..="1h"),
        /// The most operations in one report.
        report_lines: usize = integer(16, 1..=1_000),
        /// How many files are in the shared folder of each peer at the beginning.
        files: u64 = integer(3, 0..=1_000),
        /// The length of each of them, bytes; drawn if it is a range.
        file_bytes: (u64, u64) = with(|section, key, doc| {
            let (least, most) = section.numbers(key, (2_000.0, 20_000.0), 0.0..=16e6, doc);
            (least as u64, most as u64)
        }),
        /// The probability that a user without a script gives another user's name to `register`,
        /// `unregister`, `connect` or `disconnect`.
        foreign_names: f64 = number(0.05, 0.0..=1.0),
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
        /// The scripts, by the node at which they are typed.
        scripts: Vec<(String, Vec<ScriptLine>)> = with(|section, _, _| scripts(section)),
    }
}

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let settings = P2pSettings::read(section);
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
                "each connection would end between two heartbeats; several per lease are usual: \
                    lease = \"{}\"",
                show_duration(settings.heartbeat_interval.saturating_mul(5))
            ),
        );
    }
    Arc::new(settings)
}

/// `[[p2p.script]]`: the command lines of each peer.
fn scripts(section: &mut Section<'_>) -> Vec<(String, Vec<ScriptLine>)> {
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
        let doc = "Command lines, in order, each followed by `-> STATUS` if one \
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

//! Scenarios that read well and cannot be run: nobody to send, to serve or to hear, and songs that
//! are too large for the time that they have.
//!
//! What a network carries is reckoned for the best of its links and without any fault, so that only
//! what cannot work is refused.

use std::time::Duration;

use super::checks::CHECKS;
use super::settings::AudioSettings;
use super::{LISTENER, STREAMER, UPLOADER};
use crate::scenario::{Latency, LinkSpec, Scenario};
use crate::systems::Complaint;

/// All that is wrong.
pub fn complaints(scenario: &Scenario) -> Vec<Complaint> {
    let settings: &AudioSettings = scenario.settings();
    let count = |role: &str| scenario.nodes.nodes.iter().filter(|node| node.role == role).count();
    let lacks = |key, what: &str, hint: &str| Complaint {
        key,
        message: format!("a scenario of `audio` needs {what}"),
        found: "none".into(),
        hint: hint.into(),
    };
    let mut complaints = vec![];
    if settings.songs.is_empty() {
        complaints.push(lacks(
            "audio.songs",
            "a song",
            "name a file beside the scenario: songs = \"melody.wav\" in [audio]",
        ));
    }
    let hint =
        |role: &str| format!("add one below [[nodes.node]]: name = \"{role}\", role = \"{role}\"");
    if count(STREAMER) == 0 {
        complaints.push(lacks("nodes.count", "streamers", "write count = 3 or 5 in [nodes]"));
    }
    if count(UPLOADER) == 0 {
        complaints.push(lacks("nodes", "an uploader", &hint(UPLOADER)));
    }
    if count(LISTENER) == 0 {
        complaints.push(lacks("nodes", "a listener", &hint(LISTENER)));
    }
    complaints.extend(upload_too_long(scenario, settings));
    complaints.extend(transfer_too_long(scenario, settings));
    complaints
}

/// The largest song cannot be stored by the time at which that is judged.
fn upload_too_long(scenario: &Scenario, settings: &AudioSettings) -> Option<Complaint> {
    let largest = settings.songs.iter().max_by_key(|song| song.file.bytes.len())?;
    let bytes = largest.file.bytes.len() as u64;
    let until =
        scenario.duration.max(settings.upload_at) + scenario.recovery.min(time_to_answer(scenario));
    let time = until.saturating_sub(settings.upload_at);
    let rate = scenario_links(scenario).map(|link| rate(link, scenario)).fold(0.0, f64::max);
    let needed = Duration::try_from_secs_f64(bytes as f64 / rate).unwrap_or(Duration::MAX);
    (needed > time).then(|| Complaint {
        key: "audio.songs",
        message: format!(
            "`{}` is too large to be uploaded in this run",
            name_of(&largest.file.path)
        ),
        found: format!(
            "{bytes} bytes need {} at the best, and have {}",
            shown(needed),
            shown(time)
        ),
        hint: format!(
            "let the run last longer (`duration`), raise `network.stream.window` or \
                `network.bandwidth`, or take a song of at most {} bytes",
            (time.as_secs_f64() * rate) as u64
        ),
    })
}

/// A server that comes back cannot be given all songs before it is judged by what it has.
fn transfer_too_long(scenario: &Scenario, settings: &AudioSettings) -> Option<Complaint> {
    let bytes: usize = settings.songs.iter().map(|song| song.file.bytes.len()).sum();
    let compacted = settings.raft.snapshot_threshold > 0
        && bytes as u64 / settings.piece as u64 > settings.raft.snapshot_threshold;
    if scenario.nemesis.is_empty() || !compacted {
        return None;
    }
    let chunk = settings.raft.snapshot_chunk;
    let piece = |link: &LinkSpec| {
        let sent = link.bandwidth.map_or(0.0, |rate| chunk as f64 / rate.max(1) as f64);
        2.0 * typical(link.latency) + sent
    };
    let fastest = scenario_links(scenario).map(piece).fold(f64::MAX, f64::min);
    let needed = Duration::try_from_secs_f64(bytes.div_ceil(chunk) as f64 * fastest)
        .unwrap_or(Duration::MAX);
    (needed > scenario.recovery).then(|| Complaint {
        key: "audio.songs",
        message: "the songs are too large for a server that comes back to catch up".to_owned(),
        found: format!(
            "{bytes} bytes in pieces of {chunk} need {} at the best, and have {}",
            shown(needed),
            shown(scenario.recovery)
        ),
        hint: "let the time after the faults last longer (`recovery`), or take shorter songs"
            .to_owned(),
    })
}

fn scenario_links(scenario: &Scenario) -> impl Iterator<Item = &LinkSpec> {
    std::iter::once(&scenario.network.default)
        .chain(scenario.network.links.iter().map(|(.., link)| link))
}

/// How long after the faults an upload may still take, by the check that judges it.
fn time_to_answer(scenario: &Scenario) -> Duration {
    const CHECK: &str = "audio_upload_answered";
    let default = CHECKS
        .iter()
        .find(|check| check.name == CHECK)
        .and_then(|check| check.params.first())
        .map(|param| param.default);
    let named = scenario
        .checks
        .iter()
        .find(|check| check.name == CHECK)
        .and_then(|check| check.params.get("within").copied());
    Duration::from_micros(
        named.or(default).expect("the check is one of this system's, and it has this parameter")
            as u64,
    )
}

/// Bytes a second of a stream over this link: what the window allows, as it waits for
/// acknowledgements, and what the link does.
fn rate(link: &LinkSpec, scenario: &Scenario) -> f64 {
    let windows =
        f64::from(scenario.network.stream.window.max(1)) / (2.0 * typical(link.latency)).max(1e-9);
    link.bandwidth.map_or(windows, |rate| windows.min(rate as f64))
}

/// A delay that half of the messages or more do not exceed, or the mean of all, in seconds.
fn typical(latency: Latency) -> f64 {
    let seconds = match latency {
        Latency::Constant(delay) => delay,
        Latency::Uniform(low, high) => (low + high) / 2,
        Latency::Exponential { min, mean } => min + mean,
        Latency::Normal { mean, min, .. } => mean.max(min),
        Latency::Lognormal { median, min, .. } => median + min,
        Latency::Pareto { min, .. } => min,
    };
    seconds.as_secs_f64()
}

/// To the tenth of a second, rounded up, so that what is given as advice suffices.
fn shown(time: Duration) -> String {
    format!("{:.1} s", (time.as_secs_f64() * 10.0).ceil() / 10.0)
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

//! Who is connected, where, and with how many files, as the directory sees it.

use std::collections::BTreeMap;

use super::{LANES_MAX, events, lane_height};
use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{Mark, Sketch, Swatch};
use crate::plots::palette;
use crate::plots::scene::{Scene, TextLook, sheer, shortened};
use crate::plots::timeline::{ints, steps};
use crate::systems::p2p::vocabulary::{Offered, Offline, Online, Told};
use crate::trace::{NodeId, Trace, Word};
use crate::vocabulary::Event as _;

/// Connected users and published files over time.
pub static P2P_PRESENCE: Plot = Plot {
    name: "p2p_presence",
    summary: "Who is connected at which peer and how many files each has published, as the \
        directory sees it, with the crashes of the peers",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// The line of the published files.
const FILES: plotters::style::RGBColor = plotters::style::RGBColor(150, 150, 150);

/// Peers that are told apart by colour.
const HOSTS_MAX: usize = 12;

/// A user's connection, or a part of it with the same number of files.
#[derive(Clone, Copy, Debug)]
struct Connected {
    host: Option<NodeId>,
    files: u64,
    begin_us: u64,
    end_us: u64,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let window = Sketch::whole(trace);
    let users = connections(trace, window.1);
    if users.is_empty() || window.1 == 0 {
        return None;
    }
    let mut shown: Vec<(&Word, &Vec<Connected>)> = users.iter().collect();
    shown.sort_by_key(|(user, _)| counting(user));
    shown.truncate(LANES_MAX);
    let lane = lane_height(shown.len());
    let most = users.values().flatten().map(|part| part.files).max().unwrap_or(0).max(1);
    let mut hosts: Vec<NodeId> = users.values().flatten().filter_map(|part| part.host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    // More colours than these nobody can look up.
    let told_apart = hosts.len() <= HOSTS_MAX;
    let color_of = |host: Option<NodeId>| match host {
        Some(host) if told_apart => palette::of_node(host),
        Some(_) => palette::BLUE,
        None => palette::GREY,
    };
    let look = TextLook::new(12.0);
    let at = |host: &NodeId| {
        (
            Swatch::Box(palette::of_node(*host)),
            format!("at {}", shortened(trace.name(*host), look, 140.0)),
        )
    };
    let mut legend: Vec<(Swatch, String)> = if told_apart {
        hosts.iter().map(at).collect()
    } else {
        vec![(Swatch::Box(palette::BLUE), format!("at one of {} peers", hosts.len()))]
    };
    legend.push((Swatch::Mark(Mark::Crash), "the peer crashed".to_owned()));
    legend.push((Swatch::Line(palette::BLACK, 1.5), "below: connected users".to_owned()));
    legend.push((Swatch::Line(FILES, 1.5), "below: published files".to_owned()));
    let mut notes = vec![format!(
        "Pale: connected. The full part of a bar is as high as the user has files; the highest is \
            {most}."
    )];
    if users.len() > shown.len() {
        notes.push(format!("{} more users are not shown.", users.len() - shown.len()));
    }
    let panels = [lane * shown.len() as f64, 110.0];
    let mut frame = Sketch {
        trace,
        title: "Connected users and their files",
        window,
        legend,
        panels: &panels,
        notes,
    }
    .frame();
    let (panel, time) = (frame.panels[0], frame.time);
    let crashes = events(trace, &["crash"]);
    for (i, (user, connections)) in shown.iter().enumerate() {
        let top = panel.top + i as f64 * lane;
        let (high, low) = (top + 0.12 * lane, top + 0.88 * lane);
        frame.lane(top + lane / 2.0, user, if lane > 14.0 { 12.0 } else { 9.5 });
        for part in connections.iter() {
            let color = color_of(part.host);
            let x = (time.x(part.begin_us), time.x(part.end_us).max(time.x(part.begin_us) + 1.0));
            frame.scene.rect(x, (high, low), sheer(color, 0.3));
            let filled = low - (low - high) * part.files as f64 / most as f64;
            frame.scene.rect(x, (filled, low), color);
        }
        for crash in crashes.iter().filter(|crash| {
            let here = |part: &&Connected| {
                part.host == Some(crash.node)
                    && (part.begin_us..=part.end_us).contains(&crash.time_us)
            };
            connections.iter().any(|part| here(&part))
        }) {
            frame.scene.mark(Mark::Crash, (time.x(crash.time_us), top + lane / 2.0));
        }
    }
    frame.base(panel);
    totals(&mut frame, trace);
    Some(frame.scene)
}

/// A name as people order it: `user9` before `user10`.
fn counting(name: &str) -> (&str, usize, &str) {
    let digits = name.len() - name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (stem, number) = name.split_at(digits);
    let number = number.trim_start_matches('0');
    (stem, number.len(), number)
}

/// The lower panel: how many users are connected, and how many files they have.
fn totals(frame: &mut crate::plots::frame::Frame, trace: &Trace) {
    let (panel, time) = (frame.panels[1], frame.time);
    let directory = trace.with_role("directory").next();
    let of =
        |name: &str| directory.and_then(|node| ints(trace, name).remove(&node)).unwrap_or_default();
    let lines = [("connected", palette::BLACK), ("published", FILES)]
        .map(|(name, color)| (of(name), color));
    let most = lines
        .iter()
        .flat_map(|(changes, _)| changes.iter().map(|(_, value)| *value))
        .max()
        .unwrap_or(0)
        .max(1);
    let scale = Scale::linear(0.0, most as f64, 4);
    frame.y_axis(1, &scale, "users, files");
    for (changes, color) in lines {
        let changes: Vec<(u64, Option<f64>)> =
            changes.into_iter().map(|(at, value)| (at, Some(value as f64))).collect();
        for path in steps(&changes, time.right, |at| time.x(at), |value| panel.y(&scale, value)) {
            frame.scene.line(path, 1.5, color);
        }
    }
    frame.base(panel);
}

fn connections(trace: &Trace, end_us: u64) -> BTreeMap<Word, Vec<Connected>> {
    const EVENTS_MAX: usize = 20_000;
    let mut users: BTreeMap<Word, Vec<Connected>> = BTreeMap::new();
    let mut open: BTreeMap<Word, Connected> = BTreeMap::new();
    let names = [Online::NAME, Offline::NAME, Offered::NAME];
    for event in events(trace, &names).into_iter().take(EVENTS_MAX) {
        let Some(told) = Told::read(&event.name, &event.fields) else { continue };
        let (Told::Online(Online { user, .. })
        | Told::Offline(Offline { user, .. })
        | Told::Offered(Offered { user, .. })) = &told
        else {
            continue;
        };
        if let Some(part) = open.remove(user) {
            let ended = Connected { end_us: event.time_us, ..part };
            users.entry(user.clone()).or_default().push(ended);
        }
        let before = users.get(user).and_then(|connections| connections.last()).copied();
        let still = before.filter(|part| part.end_us == event.time_us);
        let begin = Connected { host: None, files: 0, begin_us: event.time_us, end_us };
        match told {
            // Told again after a start of the directory, the files follow.
            Told::Online(Online { host, user, .. }) => {
                open.insert(user, Connected { host, ..begin });
            }
            Told::Offered(Offered { files, user }) => {
                if let Some(part) = still {
                    open.insert(user, Connected { host: part.host, files, ..begin });
                }
            }
            _ => {}
        }
    }
    for (user, part) in open {
        users.entry(user).or_default().push(part);
    }
    users
}

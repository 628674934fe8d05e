//! Who is connected, where, and with how many files, as the directory sees it.

use std::collections::BTreeMap;

use crate::trace::{NodeId, Trace};

use super::{LANES_MAX, events, lane_height};
use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{Mark, Sketch, Swatch};
use crate::plots::palette;
use crate::plots::scene::{Scene, TextLook, sheer, shortened};
use crate::plots::timeline::{ints, steps};

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
struct Span {
    host: Option<NodeId>,
    files: u64,
    begin_us: u64,
    end_us: u64,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let window = Sketch::whole(trace);
    let users = spans(trace, window.1);
    if users.is_empty() || window.1 == 0 {
        return None;
    }
    let mut shown: Vec<(&&str, &Vec<Span>)> = users.iter().collect();
    shown.sort_by_key(|(user, _)| counting(user));
    shown.truncate(LANES_MAX);
    let lane = lane_height(shown.len());
    let most = users.values().flatten().map(|span| span.files).max().unwrap_or(0).max(1);
    let mut hosts: Vec<NodeId> = users.values().flatten().filter_map(|span| span.host).collect();
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
    for (i, (user, spans)) in shown.iter().enumerate() {
        let top = panel.top + i as f64 * lane;
        let (high, low) = (top + 0.12 * lane, top + 0.88 * lane);
        frame.lane(top + lane / 2.0, user, if lane > 14.0 { 12.0 } else { 9.5 });
        for span in spans.iter() {
            let color = color_of(span.host);
            let x = (time.x(span.begin_us), time.x(span.end_us).max(time.x(span.begin_us) + 1.0));
            frame.scene.rect(x, (high, low), sheer(color, 0.3));
            let filled = low - (low - high) * span.files as f64 / most as f64;
            frame.scene.rect(x, (filled, low), color);
        }
        for crash in crashes.iter().filter(|crash| {
            let here = |span: &&Span| {
                span.host == Some(crash.node)
                    && (span.begin_us..=span.end_us).contains(&crash.time_us)
            };
            spans.iter().any(|span| here(&span))
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

fn spans(trace: &Trace, end_us: u64) -> BTreeMap<&str, Vec<Span>> {
    const SPANS_MAX: usize = 20_000;
    let mut users: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    let mut open: BTreeMap<&str, Span> = BTreeMap::new();
    let mut count = 0;
    for event in events(trace, &["online", "offline", "offered"]) {
        let Some(user) = event.fields.text("user") else { continue };
        count += 1;
        if count > SPANS_MAX {
            break;
        }
        if let Some(span) = open.remove(user) {
            users.entry(user).or_default().push(Span { end_us: event.time_us, ..span });
        }
        let before = users.get(user).and_then(|spans| spans.last()).copied();
        let still = before.filter(|span| span.end_us == event.time_us);
        let begin = Span { host: None, files: 0, begin_us: event.time_us, end_us };
        match &*event.name {
            // Told again after a start of the directory, the files follow.
            "online" => {
                open.insert(user, Span { host: event.fields.node("host"), ..begin });
            }
            "offered" => {
                if let Some(span) = still {
                    let files = u64::try_from(event.fields.int("files").unwrap_or(0)).unwrap_or(0);
                    open.insert(user, Span { host: span.host, files, ..begin });
                }
            }
            _ => {}
        }
    }
    for (user, span) in open {
        users.entry(user).or_default().push(span);
    }
    users
}

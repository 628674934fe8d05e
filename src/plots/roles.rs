//! Who led when.

use plotters::style::RGBColor;

use crate::trace::{NodeId, Trace};

use super::Plot;
use super::axis::Scale;
use super::frame::{Frame, Mark, Panel, Sketch, Swatch, not_shown};
use super::levels;
use super::palette;
use super::scene::{Scene, TextLook, cut_to, sheer};
use super::timeline::{self, Changes, Presence, ints, members, presence, words};

/// Roles and terms over time.
pub static ROLES: Plot = Plot {
    name: "roles",
    summary: "The role of each node over time, when it was down or paused, the terms it entered, \
        crashes and commands",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// The maximum number of lanes on a page.
const LANES_MAX: usize = 60;
/// With more nodes than this, uneventful ones have no lane.
const LANES_ALL: usize = 16;
/// Maximum bars of all lanes together; with more of them the picture is coarser.
const BARS_MAX: usize = 1_600;

/// The state shown by a bar. Of several within one column the last in this order is visible,
/// because readers look for the rare ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Unknown,
    Removed,
    Follower,
    Learner,
    Other,
    Paused,
    Down,
    PreCandidate,
    Candidate,
    Leader,
}

impl State {
    fn of_role(role: &str) -> Self {
        match role {
            "leader" => State::Leader,
            "candidate" => State::Candidate,
            "pre_candidate" => State::PreCandidate,
            "follower" => State::Follower,
            "learner" => State::Learner,
            _ => State::Other,
        }
    }

    fn color(self) -> Option<RGBColor> {
        match self {
            State::Leader => Some(palette::LEADER),
            State::Candidate => Some(palette::CANDIDATE),
            State::PreCandidate => Some(palette::PRE_CANDIDATE),
            State::Follower => Some(palette::FOLLOWER),
            State::Learner => Some(palette::LEARNER),
            State::Other => Some(palette::RUNNING),
            State::Unknown | State::Removed | State::Down | State::Paused => None,
        }
    }
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let (roles, current_terms, away) =
        (words(trace, "role"), ints(trace, "current_term"), presence(trace));
    let mut all = members(trace);
    let count = all.len();
    if count > LANES_ALL {
        // A node that never has a role gets a lane only if something happens to it.
        all.retain(|node| {
            roles.contains_key(node) || away.get(node).is_some_and(|changes| changes.len() > 1)
        });
    }
    let quiet = count - all.len();
    let window = Sketch::whole(trace);
    let shown: Vec<NodeId> = all.iter().copied().take(LANES_MAX).collect();
    let known = |node: &NodeId| roles.contains_key(node) || away.contains_key(node);
    if window.1 == 0 || !all.iter().any(known) {
        return None;
    }
    let none_roles = Vec::new();
    let none_away = Vec::new();
    let configurations = configurations(trace);
    let state_of = |node: &NodeId| {
        let listed: Changes<bool> = configurations
            .iter()
            .map(|(time, names)| (*time, names.contains(&trace.name(*node))))
            .collect();
        merge(roles.get(node).unwrap_or(&none_roles), away.get(node).unwrap_or(&none_away), &listed)
    };
    let states: Vec<Changes<State>> = shown.iter().map(state_of).collect();

    let lane = (330.0 / shown.len() as f64).clamp(11.0, 44.0);
    let with_terms = !current_terms.is_empty();
    let panels = [lane * shown.len() as f64, 110.0];
    let panels = if with_terms { &panels[..] } else { &panels[..1] };
    let mut notes = Vec::new();
    if with_terms {
        notes.push(
            "Terms: the lines have the colours beside the nodes' names; where nodes are in one \
                term, their line has these in turn."
                .to_owned(),
        );
    }
    notes.extend(not_shown(all.len() - shown.len()));
    notes.extend(
        (quiet > 0).then(|| {
            format!("{quiet} nodes without a role, which ran all the time, are left out.")
        }),
    );
    let sketch = Sketch {
        trace,
        title: "Roles and terms",
        window,
        legend: legend(trace, &states),
        panels,
        notes,
    };
    let mut frame = sketch.frame();
    bars(&mut frame, &states, lane);
    for (i, node) in shown.iter().enumerate() {
        let y = frame.panels[0].top + (i as f64 + 0.5) * lane;
        frame.lane(
            if lane > 26.0 { y + 5.0 } else { y },
            trace.name(*node),
            if lane > 14.0 { 13.0 } else { 9.5 },
        );
        if with_terms {
            // The colour of the node's line in the lower panel.
            let (top, bottom) = bar(frame.panels[0], i, lane);
            frame.scene.rect(
                (frame.time.left - 8.0, frame.time.left - 3.0),
                (top, bottom),
                palette::of_node(*node),
            );
        }
        let terms = current_terms.get(node).map_or(&[][..], Vec::as_slice);
        let leads = roles.get(node).into_iter().flatten().filter(|(_, role)| *role == "leader");
        let led: Vec<i64> = leads.filter_map(|(time, _)| timeline::at(terms, *time)).collect();
        marks(&mut frame, trace, *node, (terms, &led), y, lane);
    }
    let panel = frame.panels[0];
    frame.base(panel);
    if with_terms {
        let values = || current_terms.values().flatten().map(|(_, term)| *term);
        let (low, high) = (values().min().unwrap_or(0), values().max().unwrap_or(1));
        let scale = Scale::linear(low.clamp(0, high.max(0)) as f64, high as f64, 5);
        frame.y_axis(1, &scale, "current term");
        let (panel, time) = (frame.panels[1], frame.time);
        let of_node = |node: &NodeId| {
            living(
                current_terms.get(node).map_or(&[][..], Vec::as_slice),
                away.get(node).unwrap_or(&none_away),
            )
        };
        let changes: Vec<Changes<Option<i64>>> = shown.iter().map(of_node).collect();
        let colors: Vec<RGBColor> = shown.iter().map(|node| palette::of_node(*node)).collect();
        levels::draw(
            &mut frame.scene,
            panel,
            &scale,
            &levels::levels(&changes, time.right, |at| time.x(at)),
            &colors,
        );
    }
    Some(frame.scene)
}

fn legend(trace: &Trace, states: &[Changes<State>]) -> Vec<(Swatch, String)> {
    let seen = |state: State| states.iter().flatten().any(|(_, each)| *each == state);
    let names = [
        (State::Leader, "leader"),
        (State::Candidate, "candidate"),
        (State::PreCandidate, "pre-candidate"),
        (State::Follower, "follower"),
        (State::Learner, "learner"),
        (State::Other, "running"),
    ];
    let mut legend: Vec<(Swatch, String)> = Vec::new();
    for (state, name) in names {
        if let Some(color) = state.color().filter(|_| seen(state)) {
            legend.push((Swatch::Box(color), name.to_owned()));
        }
    }
    if seen(State::Removed) {
        legend.push((Swatch::Frame, "runs, but is not a member".to_owned()));
    }
    if seen(State::Paused) {
        legend.push((Swatch::Hatch, "paused".to_owned()));
    }
    if seen(State::Down) {
        legend.push((Swatch::Line(palette::GREY, 1.0), "down".to_owned()));
    }
    let has = |name: &str| trace.events.iter().any(|event| event.name == name);
    if has("crash") {
        legend.push((Swatch::Mark(Mark::Crash), "crash".to_owned()));
    }
    if has("command") {
        legend.push((Swatch::Mark(Mark::Command), "command".to_owned()));
    }
    legend
}

/// Terms, with gaps while the process was down.
fn living(terms: &[(u64, i64)], away: &[(u64, Presence)]) -> Changes<Option<i64>> {
    let mut times: Vec<u64> =
        terms.iter().map(|(time, _)| *time).chain(away.iter().map(|(time, _)| *time)).collect();
    times.sort_unstable();
    times.dedup();
    let down = |time: u64| timeline::at(away, time) == Some(Presence::Down);
    times
        .into_iter()
        .map(|time| (time, timeline::at(terms, time).filter(|_| !down(time))))
        .collect()
}

/// The members of the newest configuration in any node's log, over time: voters of the old and of
/// the new configuration, and learners.
fn configurations(trace: &Trace) -> Changes<Vec<&str>> {
    /// Maximum number of changes considered.
    const CHANGES_MAX: usize = 500;
    let mut newest = (i64::MIN, i64::MIN);
    let mut changes: Changes<Vec<&str>> = Vec::new();
    for event in trace.events.iter().filter(|event| event.name == "config_append") {
        let age = (event.fields.int("term").unwrap_or(0), event.fields.int("index").unwrap_or(0));
        if age > newest && changes.len() < CHANGES_MAX {
            newest = age;
            let lists = ["voters", "voters_old", "learners"]
                .into_iter()
                .filter_map(|list| event.fields.text(list));
            changes.push((event.time_us, lists.flat_map(|names| names.split('+')).collect()));
        }
    }
    changes.sort_by_key(|(time, _)| *time);
    changes
}

/// Roles and presence as one list of changes. A non-voting node that no configuration lists is not
/// a learner: it was removed, or has yet to be added.
fn merge(
    roles: &[(u64, &str)],
    away: &[(u64, Presence)],
    listed: &[(u64, bool)],
) -> Changes<State> {
    let times = roles.iter().map(|(time, _)| *time).chain(away.iter().map(|(time, _)| *time));
    let mut times: Vec<u64> = times.chain(listed.iter().map(|(time, _)| *time)).collect();
    times.sort_unstable();
    times.dedup();
    let role = |time: u64| match timeline::at(roles, time).map(State::of_role) {
        Some(State::Learner) if timeline::at(listed, time) == Some(false) => Some(State::Removed),
        role => role,
    };
    let state = |time: u64| match timeline::at(away, time) {
        Some(Presence::Down) => State::Down,
        Some(Presence::Paused) => State::Paused,
        // A node that has not reported a role is running all the same.
        Some(Presence::Up) => role(time).unwrap_or(State::Other),
        None => role(time).unwrap_or(State::Unknown),
    };
    let mut changes: Changes<State> = times.into_iter().map(|time| (time, state(time))).collect();
    changes.dedup_by(|next, kept| next.1 == kept.1);
    changes
}

/// The bars of all lanes, in columns as narrow as the limit on their number allows.
fn bars(frame: &mut Frame, states: &[Changes<State>], lane: f64) {
    let (time, panel) = (frame.time, frame.panels[0]);
    let mut column = 1.0;
    let runs = loop {
        let runs: Vec<Vec<(f64, f64, State)>> = states
            .iter()
            .map(|changes| runs(changes, column, time.left, time.right, |at| time.x(at)))
            .collect();
        if runs.iter().map(Vec::len).sum::<usize>() <= BARS_MAX || column > 64.0 {
            break runs;
        }
        column *= 2.0;
    };
    for (i, runs) in runs.iter().enumerate() {
        let (top, bottom) = bar(panel, i, lane);
        for (left, right, state) in runs {
            match state {
                State::Paused => {
                    frame.scene.rect((*left, *right), (top, bottom), palette::WHITE);
                    frame.scene.hatch(
                        (*left, *right),
                        (top, bottom),
                        5.0,
                        sheer(palette::GREY, 0.8),
                    );
                }
                State::Removed => frame.scene.frame((*left, *right), (top, bottom), palette::GREY),
                // Half as high as voters.
                State::Learner => frame.scene.rect(
                    (*left, *right),
                    ((top + bottom) / 2.0, bottom),
                    palette::LEARNER,
                ),
                State::Down => frame.scene.rect(
                    (*left, *right),
                    ((top + bottom) / 2.0 - 0.5, (top + bottom) / 2.0 + 0.5),
                    palette::GREY,
                ),
                other => {
                    if let Some(color) = other.color() {
                        frame.scene.rect((*left, *right), (top, bottom), color);
                    }
                }
            }
        }
    }
}

/// Top and bottom of a lane's bar. Tall lanes have room for texts above it.
fn bar(panel: Panel, i: usize, lane: f64) -> (f64, f64) {
    let top = panel.top + i as f64 * lane;
    if lane > 26.0 {
        (top + 15.0, top + lane - 5.0)
    } else {
        (top + lane * 0.15, top + lane * 0.85)
    }
}

/// Runs of columns with the same state: from, to, state.
fn runs(
    changes: &[(u64, State)],
    width: f64,
    left: f64,
    right: f64,
    x: impl Fn(u64) -> f64,
) -> Vec<(f64, f64, State)> {
    let count = ((right - left) / width).ceil() as usize;
    let mut columns = vec![State::Unknown; count];
    for (i, (time, state)) in changes.iter().enumerate() {
        let begin = x(*time);
        let end = changes.get(i + 1).map_or(right, |(next, _)| x(*next));
        let first = (((begin - left) / width) as usize).min(count - 1);
        let last = ((((end - left) / width).ceil() as usize).max(first + 1)).min(count);
        // At least two columns, to be visible.
        let rare = *state > State::Paused;
        let last = if rare { last.max(first + 2).min(count) } else { last };
        for column in &mut columns[first..last] {
            *column = (*column).max(*state);
        }
    }
    let mut runs = Vec::new();
    let mut from = 0;
    for run in columns.chunk_by(|a, b| a == b) {
        runs.push((
            left + from as f64 * width,
            (left + (from + run.len()) as f64 * width).min(right),
            run[0],
        ));
        from += run.len();
    }
    runs
}

/// Crashes, commands and the terms that a node entered, as far as there is room; terms in which it
/// led have priority.
fn marks(
    frame: &mut Frame,
    trace: &Trace,
    node: NodeId,
    (terms, led): (&[(u64, i64)], &[i64]),
    y: f64,
    lane: f64,
) {
    /// Maximum marks per lane.
    const MARKS_MAX: usize = 60;
    /// Maximum terms considered per lane.
    const TERMS_MAX: usize = 2_000;
    let time = frame.time;
    let texts = lane > 26.0;
    let (text_y, bar_y) = if texts { (y - lane / 2.0 + 8.0, y + 5.0) } else { (y, y) };
    let look = TextLook::new(10.5);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    let mut free = |left: f64, width: f64| {
        let (from, to) = (left - 5.0, left + width * 1.1 + 5.0);
        let is_free =
            to < time.right && taken.iter().all(|(left, right)| to <= *left || from >= *right);
        if is_free {
            taken.push((from, to));
        }
        is_free
    };
    let mut last_crash = f64::MIN;
    for event in trace
        .events
        .iter()
        .filter(|event| event.node == node && (event.name == "crash" || event.name == "command"))
        .take(MARKS_MAX)
    {
        let x = time.x(event.time_us);
        if event.name == "crash" {
            if x - last_crash > 4.0 && lane > 12.0 {
                frame.scene.mark(Mark::Crash, (x, bar_y));
                last_crash = x;
            }
            continue;
        }
        let text = cut_to(event.fields.text("text").unwrap_or("command"), look, 180.0);
        if texts && free(x - 5.0, look.width(&text) + 14.0) {
            frame.scene.mark(Mark::Command, (x, text_y + 1.0));
            frame.scene.text((x + 8.0, text_y), text, look);
        } else if lane > 12.0 {
            frame.scene.mark(Mark::Command, (x, bar_y));
        }
    }
    if !texts {
        return;
    }
    // A restarted node reports its old term; only a different one is news.
    let mut news: Vec<(u64, i64)> = terms
        .chunk_by(|a, b| a.1 == b.1)
        .map(|same| same[0])
        .filter(|(_, term)| *term > 0)
        .collect();
    news.drain(..news.len().saturating_sub(TERMS_MAX));
    // If there is no room for two, the earlier one is dropped: a label over a bar must not be out
    // of date. Terms in which the node led come first.
    news.reverse();
    news.sort_by_key(|(_, term)| !led.contains(term));
    for (at, term) in news {
        for text in [format!("term {term}"), term.to_string()] {
            let width = look.width(&text) + 3.0;
            // A term that starts near the end is labelled before its start rather than not at all.
            let x = time.x(at).min(time.right - width * 1.1 - 6.0);
            if free(x, width) {
                // Neither the line at the start of recovery nor the grid crosses it.
                frame.scene.rect(
                    (x + 1.5, x + 4.5 + look.width(&text)),
                    (text_y - 5.5, text_y + 5.5),
                    sheer(palette::WHITE, 0.75),
                );
                frame.scene.text((x + 3.0, text_y), text, look.color(palette::GREY));
                break;
            }
        }
    }
}

//! Who leads: the ensemble, and the election among the instances.

use plotters::style::RGBColor;

use super::told;
use crate::plots::Plot;
use crate::plots::frame::{Frame, Mark, Sketch, Swatch, not_shown};
use crate::plots::palette;
use crate::plots::scene::{Scene, TextLook, sheer};
use crate::plots::timeline::{Changes, Presence, at, presence, words};
use crate::systems::zookeeper::vocabulary::{ZabEstablished, ZabState};
use crate::trace::{NodeId, Trace};
use crate::vocabulary::Event as _;

/// Leaders over time.
pub static ZK_LEADERS: Plot = Plot {
    name: "zk_leaders",
    summary: "The servers' and the instances' roles over time: who leads the ensemble, and who is \
        elected to send the mean",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

const LANES_MAX: usize = 40;
/// Bars of one lane; a picture of more of them would only be slower.
const BARS_MAX: usize = 400;

/// The words of the metric `role`, their colours and what the legend calls them.
const ROLES: [(&str, RGBColor, &str); 8] = [
    ("leader", palette::BLUE, "leader of the ensemble"),
    ("leading", palette::SKY, "about to lead"),
    ("follower", palette::PALE, "follower"),
    ("following", palette::YELLOW, "about to follow"),
    ("looking", palette::ORANGE, "looking for a leader"),
    ("elected", palette::VERMILLION, "elected instance"),
    ("contender", RGBColor(238, 214, 196), "contender"),
    ("outside", palette::WHITE, "outside of the election"),
];

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let roles = words(trace, "role");
    let known = |word: &str| ROLES.iter().any(|(each, ..)| *each == word);
    let all: Vec<NodeId> = roles
        .iter()
        .filter(|(_, changes)| changes.iter().any(|(_, word)| known(word) && is_ours(trace)))
        .map(|(node, _)| *node)
        .collect();
    let shown: Vec<NodeId> = all.iter().copied().take(LANES_MAX).collect();
    let window = Sketch::whole(trace);
    if shown.is_empty() || window.1 == 0 {
        return None;
    }
    let away = presence(trace);
    let seen = |word: &str| {
        shown.iter().filter_map(|node| roles.get(node)).flatten().any(|(_, each)| *each == word)
    };
    let mut legend: Vec<(Swatch, String)> = ROLES
        .iter()
        .filter(|(word, ..)| *word != "outside" && seen(word))
        .map(|(_, color, name)| (Swatch::Box(*color), (*name).to_owned()))
        .collect();
    legend.push((Swatch::Hatch, "paused".to_owned()));
    legend.push((Swatch::Line(palette::GREY, 1.0), "down".to_owned()));
    legend.push((Swatch::Mark(Mark::Crash), "crash".to_owned()));
    let lane = (420.0 / shown.len() as f64).clamp(11.0, 40.0);
    let notes = not_shown(all.len() - shown.len()).into_iter().collect();
    // Below the lanes there is room for the epochs.
    let panels = [lane * shown.len() as f64 + 16.0];
    let mut frame =
        Sketch { trace, title: "Leaders", window, legend, panels: &panels, notes }.frame();
    for (i, node) in shown.iter().enumerate() {
        let top = frame.panels[0].top + i as f64 * lane;
        frame.lane(top + lane / 2.0, trace.name(*node), if lane > 14.0 { 12.0 } else { 9.5 });
        let none = Vec::new();
        draw_lane(
            &mut frame,
            roles.get(node).map_or(&[][..], Vec::as_slice),
            away.get(node).unwrap_or(&none),
            (top, lane),
        );
    }
    epochs(&mut frame, trace);
    let panel = frame.panels[0];
    frame.base(panel);
    Some(frame.scene)
}

/// Other systems have a metric of the same name.
fn is_ours(trace: &Trace) -> bool {
    trace.events.iter().any(|event| event.name == ZabState::NAME)
}

fn draw_lane(
    frame: &mut Frame,
    roles: &[(u64, &str)],
    away: &Changes<Presence>,
    (top, lane): (f64, f64),
) {
    let time = frame.time;
    let (bar_top, bar_bottom) = (top + lane * 0.18, top + lane * 0.82);
    let mut moments: Vec<u64> =
        roles.iter().map(|(at, _)| *at).chain(away.iter().map(|(at, _)| *at)).collect();
    moments.sort_unstable();
    moments.dedup();
    let mut last_crash = f64::MIN;
    for (i, moment) in moments.iter().enumerate().take(BARS_MAX) {
        let left = time.x(*moment);
        let right = moments.get(i + 1).map_or(time.right, |next| time.x(*next));
        // A role that lasts for less than a pixel is what the reader looks for all the same.
        let right = right.max(left + 1.0).min(time.right);
        let middle = (bar_top + bar_bottom) / 2.0;
        match at(away, *moment) {
            Some(Presence::Down) => {
                frame.scene.rect((left, right), (middle - 0.5, middle + 0.5), palette::GREY);
                if left - last_crash > 6.0 {
                    frame.scene.mark(Mark::Crash, (left, middle));
                    last_crash = left;
                }
            }
            Some(Presence::Paused) => frame.scene.hatch(
                (left, right),
                (bar_top, bar_bottom),
                5.0,
                sheer(palette::GREY, 0.8),
            ),
            _ => {
                let color = at(roles, *moment)
                    .and_then(|word| ROLES.iter().find(|(each, ..)| *each == word))
                    .map(|(_, color, _)| *color);
                if let Some(color) = color.filter(|color| *color != palette::WHITE) {
                    frame.scene.rect((left, right), (bar_top, bar_bottom), color);
                }
            }
        }
    }
}

/// The epochs, where their leaders were established and there is room.
fn epochs(frame: &mut Frame, trace: &Trace) {
    let look = TextLook::new(10.5).color(palette::INK);
    let mut free_from = f64::MIN;
    let bottom = frame.panels[0].bottom;
    for (event, ZabEstablished { epoch, .. }) in told(trace).take(200) {
        let x = frame.time.x(event.time_us);
        let text = format!("epoch {epoch}");
        frame.scene.rect((x, x + 0.7), (frame.panels[0].top, bottom), sheer(palette::INK, 0.5));
        let width = look.width(&text) * 1.1 + 6.0;
        if x > free_from && x + width < frame.time.right {
            frame.scene.text((x + 3.0, bottom - 8.0), text, look);
            free_from = x + width;
        }
    }
}

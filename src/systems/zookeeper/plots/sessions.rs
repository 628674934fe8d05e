//! Sessions, znodes and connected clients over time, as each server knows them.

use plotters::style::RGBColor;

use super::told;
use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{LINES_MAX, Sketch, Swatch, node_legend, not_shown};
use crate::plots::levels;
use crate::plots::palette;
use crate::plots::scene::Scene;
use crate::plots::timeline::{Changes, Presence, ints, presence};
use crate::systems::zookeeper::vocabulary::SessionExpired;
use crate::trace::{NodeId, Trace};

/// Sessions and znodes over time.
pub static ZK_SESSIONS: Plot = Plot {
    name: "zk_sessions",
    summary: "Open sessions, znodes, and the clients connected to each server over time; sessions \
        that expire",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

const PANELS: [(&str, &str); 3] =
    [("sessions", "open sessions"), ("znodes", "znodes"), ("clients", "clients connected")];

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let all = PANELS.map(|(metric, _)| ints(trace, metric));
    let nodes: Vec<NodeId> = all[1].keys().copied().collect();
    let window = Sketch::whole(trace);
    if nodes.is_empty() || window.1 == 0 {
        return None;
    }
    let away = presence(trace);
    let mut legend = node_legend(trace, &nodes);
    let expired: Vec<u64> =
        told::<SessionExpired>(trace).map(|(event, _)| event.time_us).take(500).collect();
    if !expired.is_empty() {
        legend.push((Swatch::Cross(palette::VERMILLION), "a session expires".to_owned()));
    }
    let mut notes = vec!["Where servers agree, their line has their colours in turn.".to_owned()];
    notes.extend(not_shown(nodes.len().saturating_sub(LINES_MAX)));
    let mut frame = Sketch {
        trace,
        title: "Sessions and znodes",
        window,
        legend,
        panels: &[140.0, 140.0, 110.0],
        notes,
    }
    .frame();
    for (i, (metrics, (_, name))) in all.iter().zip(PANELS).enumerate() {
        let high =
            metrics.values().flatten().map(|(_, value)| *value).max().unwrap_or(1).max(1) as f64;
        let scale = Scale::linear(0.0, high, 4);
        frame.y_axis(i, &scale, name);
        let (panel, time) = (frame.panels[i], frame.time);
        let of_node = |node: &NodeId| {
            let mut changes: Vec<(u64, Option<i64>)> = metrics
                .get(node)
                .into_iter()
                .flatten()
                .map(|(at, value)| (*at, Some(*value)))
                .collect();
            let down = away
                .get(node)
                .into_iter()
                .flatten()
                .filter(|(_, presence)| *presence == Presence::Down);
            changes.extend(down.map(|(at, _)| (*at, None)));
            changes.sort_by_key(|(at, _)| *at);
            changes
        };
        let changes: Vec<Changes<Option<i64>>> =
            nodes.iter().take(LINES_MAX).map(of_node).collect();
        let colors: Vec<RGBColor> = nodes.iter().map(|node| palette::of_node(*node)).collect();
        levels::draw(
            &mut frame.scene,
            panel,
            &scale,
            &levels::levels(&changes, time.right, |at| time.x(at)),
            &colors,
        );
    }
    for at in expired {
        let (x, y) = (frame.time.x(at), frame.panels[0].top + 7.0);
        frame.scene.cross((x, y), 4.0, 1.6, palette::VERMILLION);
    }
    Some(frame.scene)
}

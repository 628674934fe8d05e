//! The means of the measurements, and which of them are anomalies.

use std::collections::BTreeMap;

use super::told;
use crate::plots::Plot;
use crate::plots::axis::Scale;
use crate::plots::frame::{Sketch, Swatch};
use crate::plots::palette;
use crate::plots::scene::TextLook;
use crate::plots::scene::{Scene, cut_to, sheer};
use crate::systems::zookeeper::vocabulary::{Band, Mean, Measure, StoreMean, StoreRefuse};
use crate::trace::{NodeId, Trace};

/// Means over time.
pub static ZK_MEANS: Plot = Plot {
    name: "zk_means",
    summary: "The means in the time series by the instance that sent them, the band with the \
        anomalies outside of it, and the measurements behind them",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// More points than this cannot be told apart in one picture.
const POINTS_MAX: usize = 4_000;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let units = |milli: i64| milli as f64 / 1_000.0;
    let senders: BTreeMap<u64, NodeId> = told(trace)
        .take(POINTS_MAX)
        .map(|(event, Mean { epoch, .. })| (epoch, event.node))
        .collect();
    let means: Vec<(u64, f64, Option<NodeId>, bool)> = told(trace)
        .take(POINTS_MAX)
        .map(|(event, StoreMean { epoch, milli, anomaly, .. })| {
            let sender = senders.get(&epoch).copied();
            (event.time_us, units(milli), sender, anomaly.0 == Some(true))
        })
        .collect();
    let window = Sketch::whole(trace);
    if means.is_empty() || window.1 == 0 {
        return None;
    }
    let measured: Vec<(u64, f64, NodeId)> = told(trace)
        .take(POINTS_MAX)
        .map(|(event, Measure { milli })| (event.time_us, units(milli), event.node))
        .collect();
    let band = told(trace).next().map(|(_, Band { low, high })| (units(low), units(high)));
    let refusals: Vec<(u64, Option<f64>)> = told(trace)
        .take(POINTS_MAX)
        .map(|(event, StoreRefuse { milli, .. })| (event.time_us, milli.0.map(units)))
        .collect();
    let values = || {
        means.iter().map(|(_, mean, ..)| *mean).chain(measured.iter().map(|(_, value, _)| *value))
    };
    let (low, high) =
        values().fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    let scale = Scale::linear(low, high, 10);

    let mut known: Vec<NodeId> = means.iter().filter_map(|(_, _, sender, _)| *sender).collect();
    known.sort_unstable();
    known.dedup();
    let look = TextLook::new(12.0);
    let mut legend: Vec<(Swatch, String)> = known
        .iter()
        .take(16)
        .map(|node| {
            (
                Swatch::Dot(palette::of_node(*node)),
                format!("mean sent by {}", cut_to(trace.name(*node), look, 140.0)),
            )
        })
        .collect();
    legend.push((Swatch::Ring(palette::BLACK), "anomaly".to_owned()));
    legend.push((Swatch::Dot(palette::PALE), "measurement".to_owned()));
    if band.is_some() {
        legend.push((Swatch::Band(palette::GREEN), "band".to_owned()));
    }
    let refused = refusals.len();
    if refused > 0 {
        legend.push((
            Swatch::Cross(palette::VERMILLION),
            "refused: sent by a leader that was replaced".to_owned(),
        ));
    }
    let notes = vec![format!(
        "{} means, {} of them anomalies, {refused} refused.",
        means.len(),
        means.iter().filter(|mean| mean.3).count()
    )];
    let mut frame =
        Sketch { trace, title: "Means", window, legend, panels: &[380.0], notes }.frame();
    frame.y_axis(0, &scale, "measurement (units of the sensor)");
    let (panel, time) = (frame.panels[0], frame.time);
    if let Some((low, high)) = band {
        frame.scene.rect(
            (time.left, time.right),
            (panel.y(&scale, high), panel.y(&scale, low)),
            sheer(palette::GREEN, 0.13),
        );
    }
    for (at, value, _) in &measured {
        frame.scene.disc((time.x(*at), panel.y(&scale, *value)), 1.8, palette::PALE);
    }
    for (at, mean, sender, anomaly) in &means {
        let center = (time.x(*at), panel.y(&scale, *mean));
        let color = sender.map_or(palette::GREY, palette::of_node);
        frame.scene.disc(center, 3.6, color);
        if *anomaly {
            frame.scene.ring(center, 6.0, 1.4, palette::BLACK);
        }
    }
    for (at, mean) in refusals {
        if let Some(mean) = mean {
            let center = (time.x(at), panel.y(&scale, mean));
            frame.scene.cross(center, 5.0, 2.0, palette::VERMILLION);
        }
    }
    Some(frame.scene)
}

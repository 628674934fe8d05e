//! What a write waits for: how long after the leader has stored it the client is answered, and how
//! long after that the last replica has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::{NodeId, Trace, Value};

use super::{replicas, thinned};
use crate::plots::Plot;
use crate::plots::axis::{Scale, grouped};
use crate::plots::frame::{Sketch, Swatch};
use crate::plots::palette;
use crate::plots::scene::{Scene, sheer};

/// From the leader's disk to the answer, and to the last replica.
pub static WRITE_PATH: Plot = Plot {
    name: "write_path",
    summary: "From the leader's disk to the client's answer, and to the last replica's disk, for \
        each write",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// A record on its way.
#[derive(Clone, Copy, Default)]
struct Way {
    stored_us: u64,
    answered_us: Option<u64>,
    replicas: usize,
    last_us: u64,
}

#[derive(Clone, Copy)]
struct Mark {
    at_us: u64,
    took_us: u64,
}

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let ways = ways(trace);
    let all = replicas(trace).len();
    let answered: Vec<Mark> = ways
        .iter()
        .filter_map(|way| {
            let answered_us = way.answered_us?;
            Some(Mark { at_us: way.stored_us, took_us: answered_us.saturating_sub(way.stored_us) })
        })
        .collect();
    let everywhere = ways.iter().filter(|way| way.replicas >= all);
    let everywhere: Vec<Mark> = everywhere
        .map(|way| Mark {
            at_us: way.stored_us,
            took_us: way.last_us.saturating_sub(way.stored_us),
        })
        .collect();
    if answered.is_empty() {
        return None;
    }
    let mode = trace
        .events
        .iter()
        .find(|event| event.name == "leads")
        .and_then(|event| event.fields.text("mode"))
        .unwrap_or("?");
    let lost = ways.iter().filter(|way| way.answered_us.is_some() && way.replicas < all).count();
    let notes = vec![
        format!("Mode {mode}. {}", summary("Answered", &answered)),
        format!(
            "{}. {} answered writes never reached all replicas.",
            summary("On all replicas", &everywhere),
            grouped(lost as i64)
        ),
    ];
    let longest = answered.iter().chain(&everywhere).map(|mark| mark.took_us).max().unwrap_or(0);
    let scale = Scale::log_from_zero((longest as f64 / 1_000.0).max(10.0));
    let legend = vec![
        (Swatch::Dot(palette::BLUE), "the client is answered".to_owned()),
        (Swatch::Ring(palette::ORANGE), "the last replica has it".to_owned()),
    ];
    let sketch = Sketch {
        trace,
        title: "What a write waits for",
        window: Sketch::whole(trace),
        legend,
        panels: &[360.0],
        notes,
    };
    let mut frame = sketch.frame();
    frame.y_axis(0, &scale, "since it is on the leader's disk (ms)");
    let (panel, time) = (frame.panels[0], frame.time);
    let place = |mark: &Mark| (time.x(mark.at_us), panel.y(&scale, mark.took_us as f64 / 1_000.0));
    for mark in thinned(everywhere, |mark| mark.took_us) {
        frame.scene.ring(place(&mark), 2.8, 1.0, sheer(palette::ORANGE, 0.8));
    }
    for mark in thinned(answered, |mark| mark.took_us) {
        frame.scene.disc(place(&mark), 2.0, sheer(palette::BLUE, 0.7));
    }
    Some(frame.scene)
}

/// `Answered: median 7 ms, 99th percentile 31 ms`.
fn summary(what: &str, marks: &[Mark]) -> String {
    let mut took: Vec<u64> = marks.iter().map(|mark| mark.took_us).collect();
    took.sort_unstable();
    let percentile = |percent: usize| {
        took.get((took.len() * percent).div_ceil(100).max(1) - 1).copied().unwrap_or(0)
    };
    let ms = |us: u64| format!("{}.{} ms", us / 1_000, us / 100 % 10);
    format!(
        "{what}: {} writes, median {}, 99th percentile {}",
        grouped(took.len() as i64),
        ms(percentile(50)),
        ms(percentile(99))
    )
}

/// The ways of all records, by their hashes.
fn ways(trace: &Trace) -> Vec<Way> {
    let mut order: Vec<u64> = Vec::new();
    let mut ways: BTreeMap<u64, Way> = BTreeMap::new();
    let mut before: BTreeMap<u64, u64> = BTreeMap::new();
    let mut has: BTreeSet<(NodeId, u64)> = BTreeSet::new();
    for event in &trace.events {
        let Some(Value::Hash(hash)) = event.fields.get("hash") else { continue };
        match event.name.as_ref() {
            "stored" => {
                let way = ways.entry(*hash).or_insert_with(|| {
                    order.push(*hash);
                    Way { stored_us: event.time_us, ..Way::default() }
                });
                before.extend(event.fields.hash("prev").map(|prev| (*hash, prev)));
                if has.insert((event.node, *hash)) {
                    way.replicas += 1;
                    way.last_us = event.time_us;
                }
            }
            // A copy of the whole folder brings the record that it ends with, and all before that
            // one.
            "copied" => {
                let mut next = Some(*hash);
                while let Some(hash) = next
                    && let Some(way) = ways.get_mut(&hash)
                    && has.insert((event.node, hash))
                {
                    way.replicas += 1;
                    way.last_us = event.time_us;
                    next = before.get(&hash).copied();
                }
            }
            "answered" => {
                if let Some(way) = ways.get_mut(hash) {
                    way.answered_us.get_or_insert(event.time_us);
                }
            }
            _ => {}
        }
    }
    order.into_iter().filter_map(|hash| ways.get(&hash).copied()).collect()
}

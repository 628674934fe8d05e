//! What all plots have in common. The pictures themselves have to be looked at.

use crate::plots::sample::Sample;
use crate::plots::scene::{Anchor, Scene, Shape};
use crate::plots::*;
use crate::trace::{FaultSpan, NodeId, OpType, Trace, Value};

type MakeScene = fn(&Trace) -> Option<Scene>;

/// How each plot makes its scene, with its name.
const SCENES: [(&str, MakeScene); 24] = [
    ("latency", latency::scene),
    ("throughput", throughput::scene),
    ("roles", roles::scene),
    ("replication_lag", replication_lag::scene),
    ("space_time", space_time::scene),
    ("messages", messages::scene),
    ("clock_offsets", clock_offsets::scene),
    ("audio_playout", super::audio::plots::audio_playout::scene),
    ("audio_buffer", super::audio::plots::audio_buffer::scene),
    ("audio_waveform", super::audio::plots::audio_waveform::scene),
    ("clock_rounds", super::cristian::plots::clock_rounds::scene),
    ("error_over_delay", super::cristian::plots::error_over_delay::scene),
    ("library", super::cristian::plots::library::scene),
    ("zk_leaders", super::zookeeper::plots::leaders::scene),
    ("zk_means", super::zookeeper::plots::means::scene),
    ("zk_sessions", super::zookeeper::plots::sessions::scene),
    ("zk_zxid_lag", super::zookeeper::plots::zxid_lag::scene),
    ("promotions", super::replication::plots::promotions::scene),
    ("write_path", super::replication::plots::write_path::scene),
    ("staleness", super::replication::plots::staleness::scene),
    ("p2p_presence", super::p2p::plots::presence::scene),
    ("p2p_transfers", super::p2p::plots::transfers::scene),
    ("p2p_statuses", super::p2p::plots::statuses::scene),
    ("p2p_log_lag", super::p2p::plots::log_lag::scene),
];

/// What a scenario of the project's leaves behind.
pub(crate) fn run(name: &str) -> Trace {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name)
        .with_extension("toml");
    let scenario = crate::systems::read_file(&path, &[], &[]).expect("the scenario is right");
    crate::run::run_scenario(&scenario, scenario.seed).trace
}

/// Runs with the most of everything: of nodes, of faults, of kinds of messages.
const RUNS: [&str; 10] = [
    "raft/nine-peers",
    "raft/swarm",
    "raft/leader-removed",
    "audio/fifty-listeners",
    "audio/everything-at-once",
    "p2p/two-hundred-peers",
    "cristian/all-algorithms",
    "cristian/fifty-servers",
    "replication/swarm",
    "zookeeper/swarm",
];

/// Traces of very different shapes.
pub(crate) fn traces() -> Vec<(&'static str, Trace)> {
    let mut many_faults = Sample::default().trace();
    let template = many_faults
        .history
        .iter()
        .find(|op| op.process == "nemesis")
        .expect("the sample has faults")
        .clone();
    for i in 0..60 {
        for (op_type, late) in [(OpType::Invoke, 0), (OpType::Info, 300_000)] {
            let value = format!("flapping_link-{}: n{} | n1, n2, n3, n4", i % 7, i % 5 + 1).into();
            many_faults.history.push(crate::trace::Op {
                op_type,
                time_us: i * 660_000 + late,
                f: "flap".into(),
                value,
                ..template.clone()
            });
        }
    }
    many_faults.scenario =
        "a/very/long/name/of/a/scenario/that/somebody/has/thought/well/about/".repeat(4);
    let mut thousand_faults = Sample::default().trace();
    for i in 0..1_200_u64 {
        let fault = ["pause", "loss", "torn_write", "clock_bump"][i as usize % 4];
        for (op_type, late) in [(OpType::Invoke, 0), (OpType::Info, i % 7 * 9_000)] {
            let value = format!("swarm-1: n{}", i % 5 + 1).into();
            thousand_faults.history.push(crate::trace::Op {
                op_type,
                time_us: i * 20_000 + late,
                f: fault.into(),
                value,
                ..template.clone()
            });
        }
    }
    let mut no_faults = Sample::default().trace();
    no_faults.history.retain(|op| op.process != "nemesis");
    vec![
        ("sample", Sample::default().trace()),
        ("one node", Sample { peers: 1, clients: 1, ..Sample::default() }.trace()),
        ("nine nodes", Sample { peers: 9, clients: 5, rate: 100, ..Sample::default() }.trace()),
        ("200 nodes", Sample { peers: 200, clients: 2, seconds: 20, rate: 10 }.trace()),
        ("ten minutes", Sample { seconds: 600, rate: 60, ..Sample::default() }.trace()),
        ("many faults", many_faults),
        ("a thousand faults", thousand_faults),
        ("no faults", no_faults),
    ]
}

/// A registered plot that drew nothing of a run that has everything would be missing from every
/// report.
#[test]
fn every_plot_draws_the_sample() {
    let trace = Sample::default().trace();
    assert_eq!(
        super::plots().iter().map(|plot| plot.name).collect::<Vec<_>>(),
        SCENES.map(|(name, _)| name)
    );
    for plot in super::raft::SYSTEM.plots {
        let drawing = (plot.draw)(&trace).unwrap_or_else(|| panic!("{} draws nothing", plot.name));
        assert!(
            drawing.svg.starts_with("<svg ") && drawing.svg.ends_with("</svg>\n"),
            "{}",
            plot.name
        );
        assert!(
            drawing.svg.contains("raft/leader-isolated, seed 42")
                && drawing.svg.contains("sans-serif"),
            "{}",
            plot.name
        );
        assert_eq!(&drawing.png[..8], b"\x89PNG\r\n\x1a\n", "{}", plot.name);
        assert_eq!(
            u32::from_be_bytes(drawing.png[16..20].try_into().expect("four bytes")),
            1_200,
            "{}",
            plot.name
        );
    }
}

/// Reports are compared byte by byte; neither a second drawing nor another thread, with its own
/// hash seeds, may change one.
#[test]
fn the_bytes_are_the_same_twice_and_on_another_thread() {
    let draw = || {
        let trace = Sample::default().trace();
        super::raft::SYSTEM
            .plots
            .iter()
            .map(|plot| (plot.draw)(&trace).map(|drawing| (drawing.svg, drawing.png)))
            .collect::<Vec<_>>()
    };
    let first = draw();
    assert!(first == draw());
    assert!(first == std::thread::spawn(draw).join().expect("drawing does not panic"));
}

/// A run in which nothing happened has no picture, and an empty axis would only be in the way.
#[test]
fn an_empty_trace_gives_no_drawing() {
    let silent = Trace {
        nodes: Sample::default().trace().nodes,
        end_us: 40_000_000,
        duration_us: 30_000_000,
        ..Trace::default()
    };
    for trace in [Trace::default(), silent] {
        for plot in super::plots() {
            assert!((plot.draw)(&trace).is_none(), "{}", plot.name);
        }
    }
}

/// The box of a text: left, top, right, bottom.
fn text_box(shape: &Shape) -> Option<(f64, f64, f64, f64, &str)> {
    let Shape::Text { at: (x, y), text, look } = shape else { return None };
    let width = look.width(text);
    let before = match look.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => width / 2.0,
        Anchor::End => width,
    };
    // Letters with and without tails fill nine tenths of an em.
    let half = 0.45 * look.size;
    Some(match look.upward {
        true => (x - half, y - width + before, x + half, y + before, text),
        false => (x - before, y - half, x - before + width, y + half, text),
    })
}

/// Nothing smaller is read on a screen that shows the page at its size.
const SIZE_MIN: f64 = 9.5;

fn assert_readable(case: &str, trace: &Trace) -> usize {
    let scenes: Vec<(&str, Scene)> =
        SCENES.iter().filter_map(|(name, scene)| Some((*name, scene(trace)?))).collect();
    for (name, scene) in &scenes {
        let boxes: Vec<_> = scene.shapes.iter().filter_map(text_box).collect();
        let sizes = scene.shapes.iter().filter_map(|shape| {
            if let Shape::Text { look, .. } = shape { Some(look.size) } else { None }
        });
        assert!(sizes.fold(f64::MAX, f64::min) >= SIZE_MIN, "{name} of {case} has smaller texts");
        for (i, a) in boxes.iter().enumerate() {
            assert!(
                a.0 >= 0.0 && a.1 >= 0.0 && a.2 <= scene.width && a.3 <= scene.height,
                "{name} of {case}: {:?} leaves the page",
                a.4
            );
            for b in &boxes[i + 1..] {
                let apart = a.2 <= b.0 || b.2 <= a.0 || a.3 <= b.1 || b.3 <= a.1;
                assert!(apart, "{name} of {case}: {:?} and {:?} overlap", a.4, b.4);
            }
        }
    }
    scenes.len()
}

/// Two texts upon each other cannot be read, and one beyond the page is lost.
#[test]
fn no_text_touches_another_or_leaves_the_page() {
    for (case, trace) in traces() {
        assert!(assert_readable(case, &trace) >= 5, "{case}");
    }
}

/// The same of real runs of all systems, and of these with the longest names that somebody may
/// think of.
#[test]
fn the_plots_of_all_systems_can_be_read() {
    for name in RUNS {
        let mut trace = run(name);
        assert!(assert_readable(name, &trace) >= 5, "{name}");
        trace.scenario = name.repeat(20);
        for (i, node) in trace.nodes.iter_mut().enumerate() {
            node.name = format!("a-machine-in-the-third-rack-of-the-eastern-region-{i}");
        }
        assert_readable(&format!("{name} with long names"), &trace);
    }
}

/// A page of a report holds all plots; each stays small whatever the run's length and the number of
/// nodes.
#[test]
fn drawings_stay_small() {
    for (case, trace) in traces() {
        for plot in super::plots() {
            let Some(drawing) = (plot.draw)(&trace) else { continue };
            assert!(
                drawing.svg.len() < 400_000,
                "the SVG of {} of {case} has {} bytes",
                plot.name,
                drawing.svg.len()
            );
            assert!(
                drawing.png.len() < 400_000,
                "the PNG of {} of {case} has {} bytes",
                plot.name,
                drawing.png.len()
            );
        }
    }
}

/// Traces are read from files that anybody may have damaged: times in any order and beyond the end,
/// nodes that do not exist, numbers of any size, types without end. No plot may panic or grow
/// without bounds.
#[test]
fn a_damaged_trace_is_survived() {
    let whole = Sample { seconds: 10, ..Sample::default() }.trace();
    for round in 0..24_u64 {
        let mut trace = whole.clone();
        let dice = std::cell::Cell::new(round.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let draw = |bound: u64| {
            dice.set(
                dice.get()
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407),
            );
            (dice.get() >> 33) % bound
        };
        trace.end_us = [0, 1, u64::MAX, trace.end_us][draw(4) as usize];
        trace.duration_us = [0, u64::MAX, trace.duration_us][draw(3) as usize];
        trace.nodes.truncate(draw(9) as usize);
        trace.scenario = ["", "<&\u{1}>", "x"][draw(3) as usize].into();
        let times = [0, u64::MAX, 5_000_000];
        let numbers = [i64::MIN, i64::MAX, 0, -7];
        for op in trace.history.iter_mut().filter(|_| draw(5) == 0) {
            (op.time_us, op.op_type) = (
                times[draw(3) as usize],
                [OpType::Ok, OpType::Invoke, OpType::Info][draw(3) as usize],
            );
            op.f = ["", "\u{7}", "partition", "é€"][draw(4) as usize].into();
        }
        for event in trace.events.iter_mut().filter(|_| draw(5) == 0) {
            (event.time_us, event.node) =
                (times[draw(3) as usize], NodeId([u32::MAX, 0, 77][draw(3) as usize]));
        }
        for metric in trace.metrics.iter_mut().filter(|_| draw(9) == 0) {
            metric.value = [
                Value::Int(numbers[draw(4) as usize]),
                Value::Text("leader".into()),
                Value::Hash(1),
            ][draw(3) as usize]
                .clone();
            (metric.time_us, metric.node) =
                (times[draw(3) as usize], NodeId([u32::MAX, 0, 3][draw(3) as usize]));
        }
        for message in trace.messages.iter_mut().filter(|_| draw(7) == 0) {
            (message.sent_us, message.recv_us) =
                (times[draw(3) as usize], Some(times[draw(3) as usize]));
            (message.src, message.kind) = (
                NodeId([u32::MAX, 0, 3][draw(3) as usize]),
                format!("Kind{}Response", draw(1_000)).into(),
            );
        }
        for plot in super::plots() {
            if let Some(drawing) = (plot.draw)(&trace) {
                assert!(
                    drawing.svg.len() < 400_000,
                    "{} in round {round}: {} bytes",
                    plot.name,
                    drawing.svg.len()
                );
                assert!(
                    !drawing.svg.contains(|c: char| c.is_control() && c != '\n'),
                    "{} in round {round}",
                    plot.name
                );
            }
        }
    }
}

/// Every fault of a trace is shaded, with or without room for its name: the reader must not take a
/// hole in the data for calm.
#[test]
fn every_fault_is_shaded() {
    let trace = Sample::default().trace();
    let spans: Vec<FaultSpan> = trace.faults();
    let (mut scene, axis) = (
        Scene::new(String::new(), 1_200.0),
        axis::TimeAxis { from_us: 0, to_us: trace.end_us, left: 84.0, right: 1_176.0 },
    );
    faults::FaultStrip::new(&trace, axis).shade(&mut scene, 0.0, 100.0);
    for span in spans {
        let begins = |shape: &Shape| matches!(shape, Shape::Rect { left, .. } if (left - axis.x(span.begin_us)).abs() < 0.1);
        assert!(scene.shapes.iter().any(begins), "{} is not shaded", span.name);
    }
}

/// The plots of clocks and books, of a run of their own system: whole, and damaged as a file may
/// be.
#[test]
fn plots_of_clocks_and_books_survive_damage() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/cristian/tour.toml");
    let scenario = crate::systems::read_file(&path, &[], &[]).expect("the scenario is right");
    let whole = crate::run::sweep_run(&scenario, 1).trace;
    let plots = [
        &super::cristian::plots::CLOCK_ROUNDS,
        &super::cristian::plots::ERROR_OVER_DELAY,
        &super::cristian::plots::LIBRARY,
    ];
    assert!(plots.iter().all(|plot| (plot.draw)(&whole).is_some()));
    for round in 0..12_usize {
        let mut trace = whole.clone();
        trace.end_us = [0, u64::MAX, 1, 36_000_000][round % 4];
        for (i, event) in trace.events.iter_mut().enumerate().filter(|(i, _)| i % 12 <= round) {
            let names = event.fields.iter().map(|(name, _)| name.to_owned()).collect();
            let wrong = [
                Value::Int(i64::MIN),
                Value::Int(i64::MAX),
                Value::Node(NodeId(u32::MAX)),
                Value::Text("?".into()),
                Value::Int(-1),
            ];
            let values = event.fields.iter().enumerate().map(|(j, (_, value))| {
                if (i + j) % 3 == 0 { wrong[(i + j + round) % 5].clone() } else { value.clone() }
            });
            event.fields = crate::trace::Fields::owned(names, values.collect());
            event.time_us = [event.time_us, 0, u64::MAX][(i + round) % 3];
            event.node = if i % 5 == 0 { NodeId(i as u32) } else { event.node };
        }
        for plot in plots {
            if let Some(drawing) = (plot.draw)(&trace) {
                assert!(
                    drawing.svg.len() < 400_000,
                    "{} in round {round}: {} bytes",
                    plot.name,
                    drawing.svg.len()
                );
            }
        }
        // Checks read the same files.
        for checker in super::cristian::SYSTEM.checks {
            checker.judge(&trace, &crate::checkers::Params::new());
        }
    }
}

//! The plots of audio, on a made-up run: one streamer, one listener, a lost frame and a pause.

use super::*;
use crate::plots::scene::Shape;
use crate::trace::{Event, Fields, Metric, NodeId, NodeInfo, Trace, Value};

fn event(
    time_us: u64,
    node: u32,
    name: &'static str,
    names: &'static [&'static str],
    values: &[Value],
) -> Event {
    Event {
        index: time_us,
        time_us,
        node: NodeId(node),
        incarnation: 1,
        name: name.into(),
        fields: Fields::new(names, values),
    }
}

fn sample() -> Trace {
    let node = |name: &str, role: &'static str| NodeInfo { name: name.into(), role: role.into() };
    let mut trace = Trace {
        scenario: "audio/tour".into(),
        duration_us: 3_000_000,
        end_us: 4_000_000,
        ..Trace::default()
    };
    trace.nodes =
        vec![node("n1", "streamer"), node("uploader", "uploader"), node("listener1", "listener")];
    trace.events.push(event(0, 2, "listener", &["frame_us"], &[Value::Int(20_000)]));
    for frame in 0..100_i64 {
        let at = 500_000 + 20_000 * frame as u64;
        let place = [Value::Int(frame), Value::Int(frame * 300)];
        trace.events.push(event(1, 1, "source_frame", &["frame", "peak"], &place));
        trace.events.push(event(at, 0, "send", &["frame"], &place[..1]));
        let gap = |reason: &'static str| {
            event(
                at,
                2,
                "conceal",
                &["frame", "reason"],
                &[Value::Int(frame), Value::Text(reason.into())],
            )
        };
        trace.events.push(match frame {
            40 => gap("lost"),
            60..80 => gap("underrun"),
            _ => event(at, 2, "play", &["frame", "peak"], &place),
        });
        for (name, value) in
            [("buffer_frames", frame % 10), ("interarrival_jitter_us", 100 * frame)]
        {
            trace.metrics.push(Metric {
                time_us: at,
                node: NodeId(2),
                name: name.into(),
                value: Value::Int(value),
            });
        }
    }
    trace.events.push(event(2_000_000, 0, "crash", &["reason"], &[Value::Text("kill".into())]));
    trace
}

const SCENES: [fn(&Trace) -> Option<crate::plots::scene::Scene>; 3] =
    [audio_playout::scene, audio_buffer::scene, audio_waveform::scene];

/// Each state that a listener can be in has its colour on the page, and all names are there.
#[test]
fn the_plots_of_audio_draw_every_gap() {
    let trace = sample();
    for scene in SCENES {
        let scene = scene(&trace).expect("there is something to draw");
        assert!(
            scene.shapes.iter().any(
                |shape| matches!(shape, Shape::Text { text, .. } if text.contains("listener1"))
            ),
            "{}",
            scene.title
        );
        assert!(scene.render().svg.len() < 400_000, "{}", scene.title);
    }
    let playout = audio_playout::scene(&trace).expect("there is something to draw");
    let legend = |name: &str| {
        playout.shapes.iter().any(|shape| matches!(shape, Shape::Text { text, .. } if text == name))
    };
    assert!(
        ["sends", "heard", "buffer empty, playing waits", "frame lost, concealed", "crash"]
            .iter()
            .all(|name| legend(name))
    );
}

/// Times beyond the end, nodes that do not exist, numbers of any size: drawn or left out, never a
/// panic.
#[test]
fn a_damaged_run_of_audio_is_survived() {
    for times in [u64::MAX, 0] {
        for nodes in 0..4 {
            for number in [i64::MIN, i64::MAX, 0] {
                let mut trace = sample();
                trace.nodes.truncate(nodes);
                trace.end_us = if nodes == 1 { 0 } else { trace.end_us };
                for event in trace.events.iter_mut().step_by(3) {
                    event.time_us = times;
                    event.fields = Fields::new(
                        &["frame", "peak", "frame_us"],
                        &[Value::Int(number), Value::Int(number), Value::Int(number)],
                    );
                }
                trace
                    .metrics
                    .iter_mut()
                    .step_by(5)
                    .for_each(|metric| metric.value = Value::Int(number));
                SCENES.iter().for_each(|scene| drop(scene(&trace).map(|scene| scene.render())));
            }
        }
    }
}

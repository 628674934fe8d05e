//! The layout of space-time diagrams of real runs: nothing is covered, and the most informative
//! part is shown.

use super::labels::Area;
use super::layout::{End, Layout, layout};
use super::window::{LINES_MAX, MESSAGES_MAX};
use crate::plots::sample::Sample;
use crate::systems::plot_tests::{run, traces};
use crate::trace::NodeId;

const RUNS: [&str; 9] = [
    "raft/nine-peers",
    "raft/leader-isolated",
    "raft/swarm",
    "raft/figure-8",
    "raft/votes-lost-at-first",
    "audio/fifty-listeners",
    "replication/tour",
    "zookeeper/tour",
    "p2p/two-hundred-peers",
];

fn assert_nothing_is_covered(case: &str, layout: &Layout<'_>) {
    let obstacles = layout.obstacles();
    let panel =
        Area { left: 0.0, top: 0.0, right: crate::plots::frame::RIGHT, bottom: layout.height() };
    for (i, label) in layout.labels.iter().enumerate() {
        let area = label.area;
        for obstacle in &obstacles {
            assert!(
                !area.meets(obstacle),
                "{case}: {:?} at {area:?} covers {obstacle:?}",
                label.text
            );
        }
        for other in &layout.labels[i + 1..] {
            assert!(!area.meets(&other.area), "{case}: {:?} and {:?}", label.text, other.text);
        }
        let on_page = area.left >= panel.left
            && area.right <= panel.right
            && area.top >= 0.0
            && area.bottom <= panel.bottom;
        assert!(on_page, "{case}: {:?} leaves the panel", label.text);
    }
    assert!(layout.view.lines.len() <= LINES_MAX && layout.arrows.len() <= MESSAGES_MAX, "{case}");
    assert_eq!(
        layout.labels.len() + layout.dropped,
        layout.marks.len(),
        "{case}: every mark has a label, or is counted"
    );
}

/// A label on a cross would suggest that a message arrived, one on an arrowhead that it did not.
#[test]
fn no_label_covers_a_cross_or_a_head_or_another_label() {
    let mut seen = 0;
    for name in RUNS {
        let trace = run(name);
        let layout = layout(&trace, None).unwrap_or_else(|| panic!("{name} has nothing to show"));
        assert_nothing_is_covered(name, &layout);
        seen += layout.labels.len();
    }
    for (case, trace) in traces() {
        layout(&trace, None).iter().for_each(|layout| assert_nothing_is_covered(case, layout));
    }
    assert!(seen >= 40, "only {seen} labels in all");
}

/// With nine peers, one of which wins in its second round, the diagram shows the round that it won,
/// with every vote, and not the pause before it.
#[test]
fn the_window_is_that_of_the_successful_round() {
    let trace = run("raft/nine-peers");
    let layout = layout(&trace, None).expect("there is an election");
    let fault = trace.faults()[0].begin_us;
    let won = trace
        .events
        .iter()
        .find(|event| event.name == "leader" && event.time_us >= fault)
        .expect("somebody wins");
    let (begin, end) = layout.view.window;
    assert!((begin..=end).contains(&won.time_us));
    assert!(end - begin < 100_000, "{} ms", (end - begin) / 1_000);
    let texts: Vec<&str> = layout.labels.iter().map(|label| label.text.as_str()).collect();
    assert!(
        texts.contains(&"leads term 3") && !texts.iter().any(|text| text.ends_with("term 2")),
        "{texts:?}"
    );
    assert!(layout.arrows.iter().any(|arrow| arrow.end == End::Cross));
}

/// An election among the five streamers does not concern fifty listeners: they are left out, and
/// the diagram says so.
#[test]
fn those_who_take_part_come_first() {
    let trace = run("audio/fifty-listeners");
    let layout = layout(&trace, None).expect("there is an election");
    let roles: Vec<&str> =
        layout.view.lines.iter().map(|node| trace.nodes[node.index()].role.as_ref()).collect();
    let streamers = trace.with_role("streamer").count();
    assert_eq!(roles.iter().filter(|role| **role == "streamer").count(), streamers, "{roles:?}");
    assert!(layout.left_out >= 40);
}

/// With two hundred nodes, a page shows a dozen.
#[test]
fn of_many_nodes_a_dozen_is_shown() {
    let trace = Sample { peers: 200, clients: 2, seconds: 20, rate: 10 }.trace();
    let layout = layout(&trace, None).expect("there is an election");
    assert_eq!((layout.view.lines.len(), layout.left_out), (LINES_MAX, 200 - LINES_MAX));
}

/// A student reading why a point was lost must see the wrong answer: around a moment, clients have
/// lines too, after the nodes.
#[test]
fn around_a_moment_clients_have_lines() {
    let trace = run("raft/leader-isolated");
    let is_client = |node: &&NodeId| trace.nodes[node.index()].role == "client";
    let answer = trace
        .messages
        .iter()
        .find(|message| message.kind == "ClientReply" && message.sent_us > 1_000_000)
        .expect("they are answered");
    for concerned in [vec![], vec![answer.src], vec![answer.dest]] {
        let layout = layout(&trace, Some((answer.sent_us, &concerned))).expect("there is a moment");
        assert!(
            layout.view.lines.iter().any(|node| is_client(&node)),
            "{concerned:?}: {:?}",
            layout.view.lines
        );
        assert!(
            layout.view.lines.iter().filter(|node| !is_client(node)).count() >= 2
                || !concerned.is_empty()
        );
        assert_nothing_is_covered("around", &layout);
    }
    let whole = layout(&trace, None).expect("there is an election");
    assert_eq!(
        whole.view.lines.iter().filter(is_client).count(),
        0,
        "an election does not concern clients"
    );
}

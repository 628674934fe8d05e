//! The slice of a real run, and a page with it.

use std::fs;
use std::path::Path;

use super::sample::awkward;
use seedbed::grade::model::Lang;
use seedbed::grade::page::page;
use seedbed::grade::slice::{slice, slice_picture};
use seedbed::run::run_scenario;
use seedbed::scenario::read_file;
use seedbed::trace::{NodeId, Trace};

const SEED: u64 = 987_654_321;

fn trace() -> Trace {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/raft/leader-isolated.toml");
    let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    run_scenario(&scenario, SEED).trace
}

/// Around the first election there are votes; the picture shows the same moment, and tells nobody the seed, which may be a hidden one. Both languages' pages with it
/// are left in the folder for temporary files of tests, for a person to look at.
#[test]
fn a_slice_shows_what_led_to_a_moment() {
    let trace = trace();
    let won = trace.events.iter().find(|event| event.name == "leader").expect("a leader is elected");
    let rows = slice(&trace, won.time_us, Some(won.node));
    assert!((8..=20).contains(&rows.len()), "{} messages", rows.len());
    let name = trace.name(won.node);
    assert!(rows.iter().all(|row| row.from == name || row.to == name) && rows.iter().any(|row| row.kind.contains("Vote")), "{rows:#?}");
    assert!(rows.is_sorted_by_key(|row| row.time_ns) && rows.iter().any(|row| row.time_ns > won.time_us * 1_000));
    let picture = slice_picture(&trace, won.time_us, Some(won.node)).expect("there are messages");
    assert!(picture.starts_with("<svg ") && picture.contains("leads term") && picture.contains("</svg>"));
    assert!(!picture.contains(&SEED.to_string()) && !picture.contains("leader-isolated") && !picture.contains("seed"));
    assert_eq!(slice_picture(&trace, won.time_us, Some(won.node)).as_deref(), Some(picture.as_str()));

    for (lang, file) in [(Lang::En, "page.en.html"), (Lang::Es, "page.es.html")] {
        let mut graded = awkward();
        let loss = graded.items[1].seeds[1].loss.as_mut().expect("a loss");
        (loss.messages, loss.picture) = (rows.clone(), Some(picture.clone()));
        let page = page(&graded, lang);
        assert!(page.contains(&picture), "the picture is taken over as it is");
        fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(file), page).expect("writable");
    }
}

/// Moments before the first message and after the last one, and a node that sends nothing: less to show, but no panic.
#[test]
fn there_may_be_nothing_to_show() {
    let trace = trace();
    assert!(slice(&trace, 0, None).len() <= 20);
    assert!(!slice(&trace, u64::MAX, None).is_empty());
    assert!(slice(&trace, 1_000, Some(NodeId(u32::MAX))).is_empty() && slice_picture(&trace, 1_000, Some(NodeId(u32::MAX))).is_none());
    for moment in [0, trace.end_us / 2, trace.end_us, u64::MAX / 2_000] {
        let _ = slice_picture(&trace, moment, None);
    }
    let empty = Trace::default();
    assert!(slice(&empty, 5, None).is_empty() && slice_picture(&empty, 5, None).is_none());
}

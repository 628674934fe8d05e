//! A page with the picture of a real run.

use std::fs;
use std::path::Path;

use super::sample::awkward;
use seedbed::grade::model::Lang;
use seedbed::grade::output::page::page;
use seedbed::plots::space_time_around;
use seedbed::run::run_scenario;
use seedbed::systems::read_file;

/// A picture as this crate draws it is taken over as it is: it shows in the page what it shows
/// alone. Both languages' pages are left in the folder for temporary files of tests, for a person
/// to look at.
#[test]
fn a_drawn_picture_is_taken_over_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/raft/leader-isolated.toml");
    let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    let trace = run_scenario(&scenario, 1).trace;
    let won =
        trace.events.iter().find(|event| event.name == "leader").expect("a leader is elected");
    let (picture, _) =
        space_time_around(&trace, won.time_us, &[won.node]).expect("there are messages");
    for (lang, file) in [(Lang::En, "page.en.html"), (Lang::Es, "page.es.html")] {
        let mut graded = awkward();
        graded.items[1].seeds[1].loss.as_mut().expect("a loss").picture = Some(picture.clone());
        let page = page(&graded, lang);
        assert!(page.contains(&picture));
        fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(file), page).expect("writable");
    }
}

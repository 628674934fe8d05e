//! The JSON forms of messages: what a program is told is what was said.

use std::path::{Path, PathBuf};

use seedbed::run::system_of;
use seedbed::scenario::read_file;
use seedbed::sim::RunOptions;
use seedbed::trace::Digest;

/// All scenarios of a folder.
fn scenarios(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    files.sort();
    files
}

/// Whatever nodes and clients say to each other in any scenario, its form says it whole: sent through JSON, a run has the same digest.
#[test]
fn no_form_of_a_message_loses_anything() {
    for system in ["replication", "p2p", "raft", "audio", "cristian", "zookeeper"] {
        let (mut runs, mut messages) = (0, 0);
        for path in scenarios(system) {
            let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
            let run = |through_json| {
                let options = RunOptions { seed: 5, fold_messages: true, through_json, ..RunOptions::default() };
                system_of(&scenario).run(&scenario, &options).trace
            };
            let (plain, through_json) = (run(false), run(true));
            assert_eq!(Digest::of(&plain), Digest::of(&through_json), "{}", path.display());
            (runs, messages) = (runs + 1, messages + plain.message_count());
        }
        assert!(runs >= 8 && messages > 10_000, "{system}: {messages} messages in {runs} scenarios");
    }
}

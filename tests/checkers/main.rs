//! For every check a good twin history that it accepts and a bad twin that it refuses. The twins
//! differ in one thing, and a comment says why that one decides.

mod application;
mod audio;
mod audio_story;
mod clients;
mod cristian;
mod cristian_story;
mod damaged;
mod elections;
mod liveness;
mod logs;
mod membership;
mod p2p;
mod p2p_damaged;
mod p2p_story;
mod replication;
mod replication_story;
mod run;
mod twins;
mod zookeeper;
mod zookeeper_election;
mod zookeeper_story;

use std::collections::BTreeSet;

use seedbed::checkers::{self, Overall, Params, Verdict};

/// Names are how scenarios speak of checks; two with one name could not be told apart, and a
/// parameter's default must be one that the scenario itself may give.
#[test]
fn names_are_unique_and_defaults_within_their_range() {
    let names: BTreeSet<&str> =
        seedbed::systems::checks().iter().map(|checker| checker.name).collect();
    assert_eq!(names.len(), seedbed::systems::checks().len());
    for checker in seedbed::systems::checks().iter() {
        assert!(std::ptr::eq(
            seedbed::systems::find_check(checker.name).expect("registered"),
            *checker
        ));
        for param in checker.params {
            let (least, most) = param.range;
            assert!((least..=most).contains(&param.default), "{} {}", checker.name, param.name);
        }
    }
    assert!(seedbed::systems::find_check("leader_of_the_pack").is_none());
}

/// One violation decides, whatever else could not be; without one, a search without an answer does.
#[test]
fn invalid_outweighs_unknown_and_unknown_outweighs_valid() {
    let (valid, unknown, invalid) =
        (Verdict::Valid, Verdict::Unknown(String::new()), Verdict::Invalid(vec![]));
    assert_eq!(checkers::overall([&valid, &unknown, &invalid]), Overall::Invalid);
    assert_eq!(checkers::overall([&unknown, &valid]), Overall::Unknown);
    assert_eq!(checkers::overall([&valid]), Overall::Valid);
    assert_eq!(checkers::overall([]), Overall::Valid);
}

/// An empty trace is not evidence of a correct system.
#[test]
fn an_empty_trace_passes_no_check_of_raft() {
    let trace = seedbed::trace::Trace::default();
    let specs: Vec<_> =
        seedbed::systems::checks().iter().map(|checker| (*checker, Params::new())).collect();
    for (name, verdict) in checkers::judge(&trace, &specs) {
        if run::SAFETY.contains(&name) && name != "no_panic" || name == "linearizable" {
            assert!(matches!(verdict, Verdict::Unknown(_)), "{name}: {verdict:?}");
        }
    }
}

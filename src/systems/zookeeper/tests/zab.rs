//! Junqueira, Reed and Serafini 2011; Medeiros 2012.

use super::*;

/// "A proposal is committed when a quorum has acknowledged it": a leader that reaches nobody
/// commits nothing, and whoever asked is not answered.
#[test]
fn nothing_is_committed_without_a_majority() {
    let mut ensemble = Ensemble::elected();
    ensemble.open(2, 7);
    let (last, told) = (ensemble.server(2).tree().last(), ensemble.told.len());
    ensemble.cut.insert(2);
    ensemble.ask(2, 7, 2, create("/a", CreateMode::Persistent));
    assert_eq!(ensemble.server(2).tree().last(), last);
    assert!(ensemble.told[told..].iter().all(|body| !matches!(**body, Body::Reply { .. })));
}

/// "A follower that has acknowledged NEWEPOCH(e) does not follow a leader of an earlier epoch": the
/// promise is on the disk, so that a restart does not undo it.
#[test]
fn a_promise_survives_a_restart() {
    let mut ensemble = Ensemble::elected();
    let promised = ensemble.server(0).accepted_epoch;
    assert!(promised > Epoch(0));
    ensemble.restart(0);
    assert_eq!(ensemble.server(0).accepted_epoch, promised);
}

/// "The history of a new leader contains every transaction that was delivered": of two servers, the
/// one with the newer history is elected, whatever their numbers are.
#[test]
fn the_newest_history_leads() {
    let mut ensemble = Ensemble::elected();
    ensemble.cut.insert(1);
    ensemble.open(2, 7);
    ensemble.ask(2, 7, 2, create("/a", CreateMode::Persistent));
    let last = ensemble.server(0).tree().last();
    assert!(ensemble.server(1).tree().last() < last, "z1 is behind");
    ensemble.cut = BTreeSet::from([2]);
    ensemble.run(6_000);
    assert!(ensemble.server(0).is_leader(), "z0 has more than z1");
    assert!(ensemble.server(1).tree().get("/a").is_some(), "z1 was given what it lacked");
}

/// "Epochs increase": each leadership has a larger epoch than all that its majority has promised.
#[test]
fn each_leadership_has_a_larger_epoch() {
    let mut ensemble = Ensemble::elected();
    let first = ensemble.server(2).current_epoch;
    ensemble.cut.insert(2);
    ensemble.run(6_000);
    let leader = [0, 1].into_iter().find(|id| ensemble.server(*id).is_leader());
    let leader = leader.expect("two of three elect a leader");
    assert!(ensemble.server(leader).current_epoch > first);
    assert!(!ensemble.server(2).is_leader(), "it has lost its majority");
}

/// "A proposal of an earlier epoch that was not committed is not delivered": when its leader comes
/// back, the new leader tells it to cut the proposal off.
#[test]
fn a_proposal_that_nobody_shares_is_cut_off() {
    let mut ensemble = Ensemble::elected();
    ensemble.open(2, 7);
    ensemble.cut.insert(2);
    ensemble.ask(2, 7, 2, create("/lost", CreateMode::Persistent));
    let lost = ensemble.server(2).log.last();
    ensemble.run(6_000);
    let leader = if ensemble.server(0).is_leader() { 0 } else { 1 };
    ensemble.open(leader, 8);
    ensemble.cut.clear();
    ensemble.run(6_000);
    assert!(!ensemble.server(2).log.has(lost), "{lost} was never committed");
    assert_eq!(ensemble.server(2).tree().last(), ensemble.server(leader).tree().last());
    assert!(ensemble.server(2).tree().get("/lost").is_none());
}

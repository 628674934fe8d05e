//! Log compaction: §7 and figure 13.

use super::*;

const THREE: &[u32] = &[1, 2, 3];

/// A cluster with a leader that compacts every ten entries and keeps none behind.
fn net() -> Net {
    let small = settings(|settings| {
        (settings.snapshot_threshold, settings.snapshot_trailing, settings.snapshot_chunk) =
            (10, 0, 16);
    });
    let mut net = Net::new(THREE, THREE, small);
    net.elect(1);
    net
}

fn state(net: &mut Net, id: u32) -> Vec<u8> {
    net.at(id).raft.machine.snapshot()
}

/// "The leader must occasionally send snapshots to followers that lag behind" (§7); here in pieces,
/// and then the log goes on.
#[test]
fn a_follower_that_lags_gets_a_snapshot() {
    let mut net = net();
    net.cut.insert(3);
    for i in 0..25 {
        net.write(1, &i.to_string());
    }
    assert!(net.at(1).raft.log.base() >= LogIndex(20), "the entries are gone");
    net.cut.clear();
    net.run(200);
    assert_eq!(net.at(3).host.count("snapshot_install"), 1);
    assert_eq!(state(&mut net, 3), state(&mut net, 1));
    let shown =
        [1, 3].map(|id| (net.at(id).raft.last_applied, net.at(id).raft.log.chain(LogIndex(26))));
    assert_eq!(shown[0], shown[1]);
}

/// "If instead the follower receives a snapshot that describes a prefix of its log, then [...]
/// entries following the snapshot are still valid and must be retained" (§7): here everything is
/// committed already, and nothing changes at all.
#[test]
fn an_old_snapshot_is_ignored() {
    let mut net = net();
    for i in 0..25 {
        net.write(1, &i.to_string());
    }
    net.run(60);
    let old = net.at(1).raft.snapshot.clone().expect("there is one");
    let applied = net.at(2).raft.last_applied;
    let piece = message::InstallSnapshot {
        term: Term(1),
        round: 0,
        last_included_index: old.index,
        last_included_term: old.term,
        offset: 0,
        data: old.encoded.clone(),
        done: true,
    };
    net.at(2).receive(1, RaftMessage::InstallSnapshot(piece));
    assert_eq!(net.at(2).raft.last_applied, applied);
    assert_eq!(net.at(2).host.count("snapshot_install"), 0);
}

/// A restarted server has its snapshot's state, and the entries behind it; it applies the rest when
/// it learns what is committed.
#[test]
fn a_restarted_server_goes_on_from_its_snapshot() {
    let mut net = net();
    for i in 0..25 {
        net.write(1, &i.to_string());
    }
    net.run(60);
    let (before, term) = (state(&mut net, 2), net.at(2).raft.current_term);
    net.at(2).restart(THREE);
    let restarted = &net.at(2).raft;
    assert_eq!(
        (restarted.last_applied, restarted.current_term),
        (restarted.snapshot_index(), term)
    );
    net.run(120);
    assert_eq!(state(&mut net, 2), before);
}

/// Pieces may be lost and doubled. The snapshot is installed once and whole.
#[test]
fn pieces_that_are_lost_are_sent_again() {
    let mut net = net();
    net.cut.insert(3);
    for i in 0..25 {
        net.write(1, &i.to_string());
    }
    net.cut.clear();
    net.faulty = true;
    net.run(2_000);
    assert_eq!(net.at(3).host.count("snapshot_install"), 1);
    assert_eq!(state(&mut net, 3), state(&mut net, 1));
}

/// The snapshot is written before the log is shortened. A crash in between leaves both, and both
/// fit.
#[test]
fn a_crash_between_snapshot_and_log_does_no_harm() {
    let mut net = net();
    for i in 0..8 {
        net.write(1, &i.to_string());
    }
    net.run(60);
    let old_log = net.at(2).host.files["log"].clone();
    for i in 8..10 {
        net.write(1, &i.to_string());
    }
    net.run(60);
    assert_eq!(net.at(2).raft.snapshot_index(), LogIndex(10));
    net.at(2).host.files.insert("log".into(), old_log);
    net.at(2).restart(THREE);
    assert_eq!(net.at(2).raft.last_applied, LogIndex(10));
    net.run(200);
    assert_eq!(state(&mut net, 2), state(&mut net, 1));
}

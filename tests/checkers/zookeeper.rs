//! The coordination service and its application: for each check a story that it accepts, and one
//! that differs in the one thing that decides.

use seedbed::trace::NodeId;

use crate::twins::{accepts, refuses};
use crate::zookeeper_story::*;

/// A server that was away may be behind; it must not be elsewhere.
#[test]
fn total_order_forgives_a_server_that_lags_and_no_other_sequence() {
    let mut good = Story::new();
    let (one, _two) = (good.txn(), good.txn());
    let mut bad = good.clone();
    accepts(good.applies(NodeId(2), one, 0, one as u64), "zab_total_order");
    bad.applies(NodeId(2), one + 1, 0, 0);
    refuses(&bad, "zab_total_order", "z1 and z3 have applied different transactions up to 1.2");
}

/// Leaders of two epochs may overlap in time; two of one may not exist at all.
#[test]
fn leaders_are_counted_by_epoch() {
    let mut good = Story::new();
    good.established(Z2, 2, 0);
    accepts(&good, "zab_one_leader_per_epoch");
    let mut bad = Story::new();
    bad.established(Z2, 1, 0);
    refuses(&bad, "zab_one_leader_per_epoch", "z1 and z2 were both established in epoch 1");
}

/// The new leader's history ends with the last transaction that anybody applied, or one earlier.
#[test]
fn a_new_leader_has_everything_that_was_applied() {
    let mut good = Story::new();
    let (first, last) = (good.txn(), good.txn());
    let mut bad = good.clone();
    accepts(good.established(Z2, 2, last), "zab_primary_integrity");
    bad.established(Z2, 2, first);
    refuses(
        &bad,
        "zab_primary_integrity",
        "z2 was established in epoch 2 without 1.2, which z1 had applied",
    );
}

/// What was only proposed may be lost; what a client was told may not.
#[test]
fn acknowledged_writes_outlive_their_leader() {
    let mut good = Story::new();
    let (first, last) = (good.txn(), good.txn());
    let mut bad = good.clone();
    accepts(good.established(Z2, 2, first), "acknowledged_writes_kept");
    bad.event(Z1, "zk_reply", &[("session", int(first)), ("zxid", int(last))])
        .established(Z2, 2, first);
    let sentence =
        "1.2 was acknowledged to session 1.1 by z1, and z2, leader of epoch 2, does not have it";
    refuses(&bad, "acknowledged_writes_kept", sentence);
}

/// The same transactions must lead to the same tree.
#[test]
fn equal_histories_give_equal_trees() {
    let mut good = Story::new();
    let one = good.txn();
    let mut bad = good.clone();
    accepts(good.applies(NodeId(2), one, 0, one as u64), "replicas_equal");
    refuses(
        bad.applies(NodeId(2), one, 0, 99),
        "replicas_equal",
        "z1 and z3 have different trees at 1.1",
    );
}

/// Two requests at the same time: their answers may not overtake each other.
#[test]
fn answers_come_in_the_order_of_the_requests() {
    let mut good = Story::new();
    let session = good.session();
    let mut bad = good.clone();
    good.reply(session, 1, "set", zx(2), "ok").reply(session, 2, "get", zx(2), "ok");
    accepts(&good, "fifo_client_order");
    bad.reply(session, 2, "get", zx(1), "ok").reply(session, 1, "set", zx(2), "ok");
    refuses(
        &bad,
        "fifo_client_order",
        "session 1.1 of w1 had the answer to request 1 after that to 2",
    );
}

/// Another server may be behind, but not for this session; a lost connection has no zxid at all.
#[test]
fn a_session_never_sees_the_state_go_back() {
    let mut good = Story::new();
    let session = good.session();
    good.reply(session, 1, "get", zx(5), "ok").reply(session, 2, "get", 0, "connection_loss");
    let mut bad = good.clone();
    accepts(good.reply(session, 3, "get", zx(5), "ok"), "session_zxid_monotone");
    bad.reply(session, 3, "get", zx(4), "ok");
    refuses(
        &bad,
        "session_zxid_monotone",
        "session 1.1 of w1 had an answer from the state 1.4 after one from 1.5",
    );
}

/// 2.2 s of silence are enough for a session of 2 s, 1.5 s are not.
#[test]
fn sessions_end_after_their_time_out() {
    let mut good = Story::new();
    let session = good.session();
    good.at_ms(1_000).event(Z1, "session_touch", &[("session", int(session))]);
    let mut bad = good.clone();
    good.at_ms(3_200).event(Z1, "session_expire", &[("session", int(session))]);
    accepts(&good, "session_expiry");
    bad.at_ms(2_500).event(Z1, "session_expire", &[("session", int(session))]);
    refuses(&bad, "session_expiry", "z1 ended session 1.1 of 2.000 s after a silence of 1.500 s");
    let mut kept = Story::new();
    kept.session();
    refuses(
        &kept,
        "session_expiry",
        "z1 kept session 1.1 of 2.000 s although it was silent for 29.996 s",
    );
}

/// An ephemeral znode goes with its session, or because somebody says so.
#[test]
fn ephemerals_live_as_long_as_their_sessions() {
    let mut good = Story::new();
    let session = good.session();
    good.change("create", session, 0, "/a", "");
    let mut bad = good.clone();
    let end = good.close(session);
    good.znode(end, "delete", session, 0, "/a", "");
    accepts(&good, "ephemerals_live");
    let mut asked = bad.clone();
    asked.request(session, 1, "delete", -1, "/a").change("delete", session, 0, "/a", "");
    accepts(&asked, "ephemerals_live");
    let mut stays = bad.clone();
    stays.close(session);
    refuses(&stays, "ephemerals_live", "/a stayed when its session 1.1 ended at 1.3");
    bad.change("delete", session, 0, "/a", "");
    refuses(&bad, "ephemerals_live", "/a was removed at 1.3 although its session 1.1 lived");
}

/// A watch is used up by its event; set again, it tells again.
#[test]
fn a_watch_tells_once_for_each_setting() {
    let mut good = Story::new();
    let session = good.session();
    good.watches(session, "data", zx(1), "/a").told(session, "data_changed", "/a");
    let mut bad = good.clone();
    good.watches(session, "data", zx(3), "/a").told(session, "deleted", "/a");
    accepts(&good, "watch_once");
    bad.told(session, "deleted", "/a");
    refuses(
        &bad,
        "watch_once",
        "w1 was told that /a was deleted, and had no watch set (session 1.1)",
    );
}

/// The event comes before the answer that shows the change; without a watch nobody has to tell.
#[test]
fn a_watch_tells_before_the_data_does() {
    let mut good = Story::new();
    let session = good.session();
    good.change("create", 0, 0, "/a", "x");
    good.watches(session, "data", zx(2), "/a");
    let changed = good.change("set", 0, 1, "/a", "y");
    let mut bad = good.clone();
    good.told(session, "data_changed", "/a").reply(session, 2, "get", changed, "ok");
    accepts(&good, "watch_before_data");
    bad.reply(session, 2, "get", changed, "ok").told(session, "data_changed", "/a");
    refuses(
        &bad,
        "watch_before_data",
        "w1 had an answer from the state 1.3 before it was told of the change of /a at 1.3",
    );
}

/// A znode that was made and removed while the client was away: its watch need not have seen it.
#[test]
fn a_znode_that_came_and_went_while_the_client_was_away_is_no_news() {
    let mut good = Story::new();
    let session = good.session();
    good.client(session, "connected")
        .watches(session, "exists", zx(1), "/a")
        .client(session, "disconnected");
    good.change("create", 0, 0, "/a", "x");
    let gone = good.change("delete", 0, 0, "/a", "");
    good.client(session, "connected").reply(session, 2, "get", gone, "no_node");
    accepts(&good, "watch_before_data");
    accepts(&good, "watch_complete");
}

/// Who is connected hears of the change; who is not need not.
#[test]
fn every_watched_change_is_told() {
    let mut good = Story::new();
    let session = good.session();
    good.change("create", 0, 0, "/a", "x");
    good.client(session, "connected").watches(session, "data", zx(2), "/a");
    good.change("set", 0, 1, "/a", "y");
    let mut bad = good.clone();
    accepts(good.client(session, "disconnected"), "watch_complete");
    refuses(
        bad.client(session, "connected"),
        "watch_complete",
        "w1 was never told of the change of /a at 1.3, which it watched since 1.2",
    );
}

/// The version asked for is the version there, or nothing happens.
#[test]
fn conditions_are_kept() {
    let mut good = Story::new();
    let session = good.session();
    good.change("create", 0, 0, "/a", "x");
    let mut bad = good.clone();
    good.request(session, 1, "set", 0, "/a");
    let done = good.change("set", session, 1, "/a", "y");
    accepts(good.reply(session, 1, "set", done, "ok"), "conditional_updates");
    bad.request(session, 1, "set", 7, "/a");
    let done = bad.change("set", session, 1, "/a", "y");
    bad.reply(session, 1, "set", done, "ok");
    refuses(
        &bad,
        "conditional_updates",
        "a change of /a at version 7 was made at 1.3 when the version was 0",
    );
}

/// Numbers may be left out, never given again.
#[test]
fn sequence_numbers_rise() {
    let mut good = Story::new();
    good.change("create", 0, 0, "/q/n_0000000003", "");
    good.change("delete", 0, 0, "/q/n_0000000003", "");
    let mut bad = good.clone();
    good.change("create", 0, 0, "/q/n_0000000007", "");
    accepts(&good, "sequence_numbers");
    bad.change("create", 0, 0, "/q/n_0000000003", "");
    refuses(
        &bad,
        "sequence_numbers",
        "/q/n_0000000003 was made at 1.3 although 3 had been given before",
    );
}

/// Both or neither.
#[test]
fn a_multi_is_all_or_nothing() {
    let mut good = Story::new();
    let made = good.txn();
    good.znode(made, "create", 0, 0, "/p/left", "0").znode(made, "create", 0, 0, "/p/right", "0");
    let both = good.txn();
    good.znode(both, "set", 0, 1, "/p/left", "1");
    let mut bad = good.clone();
    accepts(good.znode(both, "set", 0, 1, "/p/right", "1"), "multi_atomic");
    refuses(
        bad.event(Z1, "znode", &[]),
        "multi_atomic",
        "at 1.2 the left of /p holds 1 and the right 0",
    );
}

/// What is below a znode keeps it there; nothing is below one that goes with its session.
#[test]
fn every_znode_has_a_parent() {
    let mut good = Story::new();
    let session = good.session();
    good.change("create", 0, 0, "/a", "");
    good.change("create", session, 0, "/a/b", "");
    accepts(&good, "no_orphans");
    let mut bad = good.clone();
    bad.change("create", 0, 0, "/a/b/c", "");
    refuses(&bad, "no_orphans", "/a/b/c was made at 1.4 below an ephemeral znode");
    let mut gone = good.clone();
    gone.change("delete", 0, 0, "/a", "");
    refuses(&gone, "no_orphans", "/a was removed at 1.4 although it had the child /a/b");
}

/// The first leader's znode is gone when the second takes over; that the first does not know it yet
/// does not matter.
#[test]
fn one_contender_leads_at_a_zxid() {
    let mut good = Story::new();
    let one = good.change("create", zx(9), 0, "/election/a-n_0000000000", "");
    let two = good.change("create", zx(10), 0, "/election/b-n_0000000001", "");
    good.leads(I1, one, two);
    let mut bad = good.clone();
    let gone = good.change("delete", zx(9), 0, "/election/a-n_0000000000", "");
    good.leads(I2, two, gone).leads(I1, one, two);
    accepts(&good, "recipe_one_leader");
    bad.leads(I2, two, two);
    refuses(&bad, "recipe_one_leader", "i1 (znode of 1.1) and i2 (znode of 1.2) both lead at 1.2");
}

/// One is woken by each exit, whoever it is.
#[test]
fn an_exit_wakes_one_contender() {
    let mut good = Story::new();
    good.woken(7, "/election/n_0000000001").woken(8, "/election/n_0000000002");
    accepts(&good, "no_herd");
    let mut bad = Story::new();
    bad.woken(7, "/election/n_0000000001").woken(8, "/election/n_0000000001");
    refuses(
        &bad,
        "no_herd",
        "2 sessions were woken because /election/n_0000000001 has gone: 0.7, 0.8",
    );
}

/// A leader that comes back late may send what it likes; the store must not take it.
#[test]
fn the_store_believes_no_older_leader() {
    let mut good = Story::new();
    good.mean(I1, zx(5), 1, zx(6), 80_000, 2).stores(zx(5), 1, 80_000).stores(zx(7), 1, 80_000);
    accepts(&good, "fencing");
    let mut bad = good.clone();
    bad.stores(zx(5), 2, 80_000);
    refuses(&bad, "fencing", "store accepted mean 2 of leader 1.5 after one of leader 1.7");
}

/// 80 is the mean of 78 and 82, which were there together; 81 was it never.
#[test]
fn a_mean_is_of_one_instant() {
    let mut good = Story::new();
    let (one, two) = (good.session(), good.session());
    good.change("create", one, 0, "/my/favorite/a", "78.000");
    let both = good.change("create", two, 0, "/my/favorite/b", "82.000");
    let mut bad = good.clone();
    good.mean(I1, zx(5), 1, both, 80_000, 2).stores(zx(5), 1, 80_000);
    accepts(&good, "mean_of_one_instant");
    bad.mean(I1, zx(5), 1, both, 81_000, 2).stores(zx(5), 1, 81_000);
    refuses(
        &bad,
        "mean_of_one_instant",
        "i1 sent 81000 of 2 measurements as the mean at 1.4; that of the 2 there was 80000",
    );
}

/// The next mean may have the same value, not the same number.
#[test]
fn a_mean_is_stored_once() {
    let mut good = Story::new();
    good.stores(zx(5), 1, 80_000).stores(zx(5), 2, 80_000);
    accepts(&good, "mean_stored_once");
    let mut bad = Story::new();
    bad.stores(zx(5), 1, 80_000).stores(zx(5), 1, 80_000);
    refuses(&bad, "mean_stored_once", "store stored mean 1 of leader 1.5 twice");
}

/// With sessions of 2 s and a period of 1 s a gap of 4 s is in order after healing, one of 8 s is
/// not.
#[test]
fn means_keep_coming() {
    let mut good = Story::new();
    good.event(
        I1,
        "config",
        &[("period_us", int(1_000_000)), ("timeout_us", int(2_000_000)), ("tick_us", int(200_000))],
    );
    let mut bad = good.clone();
    good.at_ms(24_000).stores(zx(5), 1, 80_000).at_ms(28_000).stores(zx(5), 2, 80_000);
    accepts(&good, "mean_cadence");
    bad.at_ms(28_000).stores(zx(5), 1, 80_000);
    refuses(
        &bad,
        "mean_cadence",
        "no mean was stored from 20.000 s to 28.000 s, for 8.000 s; 5.700 s is the limit",
    );
}

/// Everybody stands behind one leader, or somebody still looks.
#[test]
fn the_ensemble_agrees_after_healing() {
    let mut good = Story::new();
    good.state(Z1, "leader", Some(Z1)).state(Z2, "follower", Some(Z1));
    let mut bad = good.clone();
    accepts(good.state(NodeId(2), "follower", Some(Z1)), "zk_leader_elected");
    let sentence = "5.000 s after healing no leader has all servers behind it: z1 is leader, z2 is \
        follower, z3 is looking";
    refuses(&bad.state(NodeId(2), "looking", None).clone(), "zk_leader_elected", sentence);
}

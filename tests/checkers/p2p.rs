//! File sharing: what users type and are told, what peers send, what the operation log holds.

use seedbed::checkers::{Params, Verdict};
use seedbed::trace::{OpType, Trace, Value};

use crate::p2p_story::*;
use crate::twins::{accepts, refuses};

/// Without an answer to the first `register`, "in use" is explained by it; with an answer that it
/// failed, nothing explains it.
#[test]
fn directory_linearizable_lets_an_open_operation_explain_a_status() {
    let mut good = Story::new();
    good.unknown("c1", "register", "alice").call("c1", "register", "alice -> 1");
    accepts(&good, "p2p_directory_linearizable");
    let mut bad = Story::new();
    bad.call("c1", "register", "alice -> 1");
    refuses(
        &bad,
        "p2p_directory_linearizable",
        "no order of the operations on alice explains c1 register alice -> 1 from 0.000 s to 0.001 \
            s",
    );
}

/// A list that was asked for while the file was withdrawn may show it or not; one that was asked
/// for afterwards may not.
#[test]
fn directory_linearizable_knows_which_call_came_first() {
    let mut good = Story::connected();
    good.call("c1", "publish", "alice f d -> 0").invoke("c2", "list_content", "bob alice").call(
        "c1",
        "delete",
        "alice f -> 0",
    );
    good.ok("c2", "list_content", "bob alice -> 0 f");
    accepts(&good, "p2p_directory_linearizable");
    let mut bad = Story::connected();
    bad.call("c1", "publish", "alice f d -> 0").call("c1", "delete", "alice f -> 0").call(
        "c2",
        "list_content",
        "bob alice -> 0 f",
    );
    refuses(
        &bad,
        "p2p_directory_linearizable",
        "no order of the operations on alice explains c2 list_content bob alice -> 0 from 0.012 s \
            to 0.013 s",
    );
}

/// The end of a lease disconnects, and the directory says so; without that, "not connected" has no
/// cause.
#[test]
fn directory_linearizable_counts_leases() {
    let mut good = Story::connected();
    good.offline("alice", "expired").call("c1", "publish", "alice f d -> 2");
    accepts(&good, "p2p_directory_linearizable");
    let mut bad = Story::connected();
    bad.call("c1", "publish", "alice f d -> 2");
    refuses(
        &bad,
        "p2p_directory_linearizable",
        "no order of the operations on alice explains c1 publish alice f d -> 2 from 0.008 s to \
            0.009 s",
    );
}

/// Bob, who leaves while the list is made, may be shown; who left before may not, and who is there
/// all the time must be.
#[test]
fn users_listed_goes_by_the_times_of_the_call() {
    let mut good = Story::connected();
    good.invoke("c1", "list_users", "alice").call("c2", "disconnect", "bob -> 0");
    good.ok("c1", "list_users", "alice -> 0 alice@p1:4001 bob@p2:4002");
    accepts(&good, "p2p_users_listed");
    let mut gone = Story::connected();
    gone.call("c2", "disconnect", "bob -> 0").call(
        "c1",
        "list_users",
        "alice -> 0 alice@p1:4001 bob@p2:4002",
    );
    refuses(&gone, "p2p_users_listed", "c1 was shown bob@p2:4002, where bob was not connected");
    let mut missing = Story::connected();
    missing.call("c1", "list_users", "alice -> 0 alice@p1:4001");
    refuses(&missing, "p2p_users_listed", "c1 was not shown bob, who was connected all the time");
    let mut old_port = Story::connected();
    old_port.call("c1", "list_users", "alice -> 0 alice@p1:4001 bob@p2:3999");
    refuses(&old_port, "p2p_users_listed", "c1 was shown bob@p2:3999, where bob was not connected");
}

/// A name of 256 bytes cannot be registered: that is what status 2 is for. A good name never gets
/// it.
#[test]
fn statuses_allow_failure_for_impossible_names_only() {
    let mut good = Story::new();
    good.call("c1", "register", &format!("{} -> 2 no_name", "n".repeat(256)));
    accepts(&good, "p2p_statuses");
    let mut bad = Story::new();
    bad.call("c1", "register", "alice -> 2");
    refuses(
        &bad,
        "p2p_statuses",
        "c1 register alice -> 2: it was answered, and nothing is wrong with its names",
    );
    let mut beyond = Story::new();
    beyond.call("c1", "register", "alice -> 3");
    refuses(&beyond, "p2p_statuses", "c1 register alice -> 3: the row of register ends with 2");
}

/// What a script expects is said beside the answer that differs.
#[test]
fn script_reports_what_was_not_expected() {
    let mut good = Story::new();
    good.call("c1", "register", "alice -> 0");
    accepts(&good, "p2p_script");
    let mut bad = Story::new();
    bad.invoke("c1", "register", "alice").record(
        "c1",
        OpType::Ok,
        "register",
        "alice -> 0",
        "expected status 1",
    );
    refuses(&bad, "p2p_script", "c1 register alice -> 0: expected status 1");
}

/// What arrived has length and digest of what was sent to this peer: 500 bytes of 800 have another
/// digest.
#[test]
fn files_whole_compares_what_arrived_with_what_was_sent() {
    let story = |bytes, digest| {
        let mut story = Story::connected();
        story.invoke("c1", "get_file", "alice bob f copy").serve(P2, P1, "bob", "share/f", 800, 7);
        story.file(P1, "fetched", "share/copy", bytes, digest).ok(
            "c1",
            "get_file",
            "alice bob f copy -> 0 800",
        );
        story
    };
    accepts(&story(800, 7), "p2p_files_whole");
    refuses(
        &story(500, 9),
        "p2p_files_whole",
        "p1 has 500 bytes as share/copy, and nobody has sent such a file to it",
    );
    let mut nothing = Story::connected();
    nothing.call("c1", "get_file", "alice bob f copy -> 0 800");
    refuses(
        &nothing,
        "p2p_files_whole",
        "c1 get_file alice bob f copy -> 0: no file has arrived as share/copy meanwhile",
    );
}

/// A failed transfer leaves the old file; and after a crash there may be a whole new one whose end
/// nobody was told, but no short one.
#[test]
fn failure_leaves_files_compares_with_what_lay_there() {
    let story = |bytes, digest| {
        let mut story = Story::connected();
        story.file(P1, "created", "share/copy", 100, 1).serve(P2, P1, "bob", "share/f", 800, 7);
        let kept = [
            ("present", Value::Int(1)),
            ("bytes", Value::Int(bytes)),
            ("digest", Value::Hash(digest)),
            ("path", text("share/copy")),
        ];
        story.event(P1, "kept", &kept);
        story
    };
    accepts(&story(100, 1), "p2p_failure_leaves_files");
    let message = "p1 has 300 bytes as share/copy after a transfer that failed, where it had a \
        file of 100 bytes";
    refuses(&story(300, 3), "p2p_failure_leaves_files", message);
    let found = |bytes, digest| {
        let mut story = Story::connected();
        story
            .file(P1, "created", "share/copy", 100, 1)
            .serve(P2, P1, "bob", "share/f", 800, 7)
            .crash(P1)
            .start(P1);
        story.file(P1, "found", "share/copy", bytes, digest);
        story
    };
    accepts(&found(800, 7), "p2p_failure_leaves_files");
    let message = "p1 has 300 bytes as share/copy after a crash, where it had a file of 100 bytes";
    refuses(&found(300, 3), "p2p_failure_leaves_files", message);
    let mut gone = Story::connected();
    gone.file(P1, "created", "share/copy", 100, 1).crash(P1).start(P1).event(
        P1,
        "session_open",
        &[],
    );
    refuses(&gone, "p2p_failure_leaves_files", "share/copy is gone from p1 after its start");
}

/// A file may still be sent while its withdrawal is under way, and not after its answer; and never
/// from beside the shared folder.
#[test]
fn only_published_served_goes_by_what_users_were_told() {
    let mut good = Story::connected();
    good.call("c2", "publish", "bob f d -> 0")
        .invoke("c2", "delete", "bob f")
        .serve(P2, P1, "bob", "share/f", 800, 7);
    good.ok("c2", "delete", "bob f -> 0");
    accepts(&good, "p2p_only_published_served");
    let mut withdrawn = Story::connected();
    withdrawn
        .call("c2", "publish", "bob f d -> 0")
        .call("c2", "delete", "bob f -> 0")
        .serve(P2, P1, "bob", "share/f", 800, 7);
    refuses(&withdrawn, "p2p_only_published_served", "p2 sends f of bob, who does not publish it");
    let mut again = Story::connected();
    again
        .call("c2", "publish", "bob f d -> 0")
        .call("c2", "delete", "bob f -> 0")
        .unknown("c2", "publish", "bob f d");
    again.serve(P2, P1, "bob", "share/f", 800, 7);
    accepts(&again, "p2p_only_published_served");
    let mut beside = Story::connected();
    beside.call("c2", "publish", "bob f d -> 0").serve(P2, P1, "bob", "private/f", 800, 7);
    refuses(
        &beside,
        "p2p_only_published_served",
        "p2 sends private/f, which is not in its shared folder",
    );
}

/// Each answered operation has its line; a line twice, or a gap, or an answer without a line is
/// wrong.
#[test]
fn operation_log_has_every_line_once() {
    let story = |sequences: &[i64]| {
        let mut story = Story::new();
        story.call("c1", "register", "alice -> 0").executed(
            1,
            P1,
            "register",
            "01/01/2026_00:00:01",
            "alice",
        );
        for sequence in sequences {
            story.logged(*sequence, "register", "alice");
        }
        story
    };
    accepts(&story(&[1]), "p2p_operation_log");
    refuses(
        &story(&[]),
        "p2p_operation_log",
        "register alice was answered 1 times until 67.000 s, and is in the operation log 0 times",
    );
    refuses(&story(&[1, 1]), "p2p_operation_log", "line 1 of the operation log follows line 1");
    refuses(
        &story(&[1, 2]),
        "p2p_operation_log",
        "register alice is in the operation log 2 times, and was executed 1 times",
    );
    let mut lost = story(&[1]);
    lost.event(LOG, "log_found", &[("lines", Value::Int(0))]);
    refuses(&lost, "p2p_operation_log", "the operation log has 0 lines after a start, and had 1");
}

/// A date counts if the date service has told it to that peer: another peer's, or one's own, does
/// not.
#[test]
fn dates_come_from_the_date_service() {
    let story = |to| {
        let mut story = Story::connected();
        story.dated(to, "01/01/2026_00:00:01").executed(
            1,
            P1,
            "register",
            "01/01/2026_00:00:01",
            "alice",
        );
        story
    };
    accepts(&story(P1), "p2p_dates");
    let message =
        "an operation of p1 carries 01/01/2026 00:00:01, which the date service has not told to it";
    refuses(&story(P2), "p2p_dates", message);
    let mut bad = Story::connected();
    bad.dated(P1, "1/1/26").executed(1, P1, "register", "1/1/26", "alice");
    refuses(&bad, "p2p_dates", "an operation of p1 carries `1/1/26`, which is not date and time");
}

/// That a connection was over and that the user has connected again can be durable without anybody
/// having heard of it: the directory crashed. The port shows it. At the same port nothing was over,
/// and where the directory has not crashed, it would have told.
#[test]
fn directory_linearizable_sees_by_the_port_that_a_connection_was_over() {
    let begin = || {
        let mut story = Story::new();
        story
            .call("c1", "register", "alice -> 0")
            .online("alice", P1)
            .call("c1", "connect", "alice -> 0 4000")
            .invoke("c1", "connect", "alice");
        story
    };
    let mut good = begin();
    good.directory_restarts("alice", P1, 5_000).ok("c1", "connect", "alice -> 0 5000");
    accepts(&good, "p2p_directory_linearizable");
    let sentence = "no order of the operations on alice explains c1 connect alice -> 0 from…";
    let mut same = begin();
    same.directory_restarts("alice", P1, 4_000).ok("c1", "connect", "alice -> 0 4000");
    refuses(&same, "p2p_directory_linearizable", sentence);
    let mut awake = begin();
    awake.online_at("alice", P1, 5_000).ok("c1", "connect", "alice -> 0 5000");
    refuses(&awake, "p2p_directory_linearizable", sentence);
}

/// After a crash a user is connected for some leases yet; the directory that was down meanwhile has
/// more time.
#[test]
fn ghosts_vanish_within_leases() {
    let begin = || {
        let mut story = Story::connected();
        story.tables().online("alice", P1).at_ms(10_000).crash(P1);
        story
    };
    let mut good = begin();
    good.at_ms(13_500).offline("alice", "expired");
    accepts(&good, "p2p_ghosts_vanish");
    let mut bad = begin();
    bad.at_ms(20_000).offline("alice", "expired");
    refuses(
        &bad,
        "p2p_ghosts_vanish",
        "p1 crashed at 10.000 s, and alice was still connected there at 14.000 s",
    );
    let mut busy = begin();
    busy.at_ms(11_000)
        .crash(DIR)
        .at_ms(17_000)
        .start(DIR)
        .at_ms(20_000)
        .offline("alice", "expired");
    accepts(&busy, "p2p_ghosts_vanish");
    let mut again = begin();
    again.at_ms(11_000).directory_restarts("alice", P1, 5_000);
    accepts(&again, "p2p_ghosts_vanish");
    let mut the_same = begin();
    the_same.at_ms(11_000).directory_restarts("alice", P1, 4_000);
    refuses(
        &the_same,
        "p2p_ghosts_vanish",
        "p1 crashed at 10.000 s, and alice was still connected there at…",
    );
}

/// A transfer may fail while a fault is near; without one, from a peer that publishes the file all
/// the time, it may not.
#[test]
fn published_is_fetched_where_nothing_excuses_a_failure() {
    let begin = || {
        let mut story = Story::connected();
        story
            .file(P2, "created", "share/f", 800, 7)
            .call("c2", "publish", "bob f d -> 0")
            .at_ms(9_000);
        story
    };
    let mut good = begin();
    good.call("c1", "get_file", "alice bob f copy -> 0 800");
    accepts(&good, "p2p_published_is_fetched");
    let mut bad = begin();
    bad.call("c1", "get_file", "alice bob f copy -> 2 refused");
    refuses(
        &bad,
        "p2p_published_is_fetched",
        "c1 get_file alice bob f copy -> 2 at 9.001 s, and bob publishes f at c2",
    );
    let mut excused = begin();
    excused.record("nemesis", OpType::Invoke, "partition", "partition-1: p2", "").call(
        "c1",
        "get_file",
        "alice bob f copy -> 2 stalled",
    );
    accepts(&excused, "p2p_published_is_fetched");
    let mut left = begin();
    left.call("c2", "disconnect", "bob -> 0").call(
        "c1",
        "get_file",
        "alice bob f copy -> 2 refused",
    );
    accepts(&left, "p2p_published_is_fetched");
}

/// Twenty seconds are enough for all time-outs together; only the user's own peer may take longer,
/// by being away.
#[test]
fn answered_in_time_excuses_the_users_own_peer_only() {
    let mut good = Story::connected();
    good.invoke("c1", "get_file", "alice bob f copy").at_ms(15_000).ok(
        "c1",
        "get_file",
        "alice bob f copy -> 2 stalled",
    );
    accepts(&good, "p2p_answered_in_time");
    let mut bad = Story::connected();
    bad.invoke("c1", "get_file", "alice bob f copy");
    refuses(
        &bad,
        "p2p_answered_in_time",
        "c1 get_file alice bob f copy of 0.008 s has not ended after 20.000 s",
    );
    let mut others = bad.clone();
    others.crash(P2);
    refuses(
        &others,
        "p2p_answered_in_time",
        "c1 get_file alice bob f copy of 0.008 s has not ended after 20.000 s",
    );
    let mut away = bad;
    away.crash(P1);
    accepts(&away, "p2p_answered_in_time");
}

/// A trace without an operation of file sharing is not evidence of anything.
#[test]
fn an_empty_trace_is_no_evidence() {
    for checker in seedbed::systems::p2p::SYSTEM
        .checks
        .iter()
        .filter(|checker| checker.name.starts_with("p2p_"))
    {
        assert!(
            matches!(checker.judge(&Trace::default(), &Params::new()), Verdict::Unknown(_)),
            "{}",
            checker.name
        );
    }
}

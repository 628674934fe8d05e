//! The programmer's guide: sessions, watches, and the guarantees of consistency.

use super::*;

fn connect(session: SessionId, password: u64, last_zxid: Zxid) -> Body {
    Body::Connect { session, password, timeout_ms: 1_000, last_zxid }
}

/// "Once a client has seen a state, it never sees an older one": a server that is behind the client
/// does not serve it.
#[test]
fn a_client_that_has_seen_more_is_sent_away() {
    let mut ensemble = Ensemble::elected();
    let (session, password) = ensemble.open(2, 7);
    let ahead = Zxid(ensemble.server(0).tree().last().0 + 1);
    ensemble.say(0, 8, 1, connect(session, password, ahead));
    assert_eq!(ensemble.reset, [ConnectionId(8)]);
}

/// "A session can be moved to another server by its id and its password": without the password it
/// is not given away.
#[test]
fn a_session_moves_only_with_its_password() {
    let mut ensemble = Ensemble::elected();
    let (session, password) = ensemble.open(2, 7);
    ensemble.say(0, 8, 1, connect(session, password + 1, Zxid::ZERO));
    assert!(matches!(
        **ensemble.told.last().expect("an answer"),
        Body::ConnectReply { timeout_ms: 0, .. }
    ));
    ensemble.say(1, 9, 1, connect(session, password, Zxid::ZERO));
    assert!(matches!(**ensemble.told.last().expect("an answer"),
        Body::ConnectReply { session: moved, timeout_ms: 1.., .. } if moved == session));
}

/// "Ephemeral znodes exist as long as the session that created them": a client that is silent for
/// its time-out loses both, at all servers.
#[test]
fn a_silent_session_ends_with_its_ephemeral_znodes() {
    let mut ensemble = Ensemble::elected();
    let (session, _) = ensemble.open(0, 7);
    ensemble.ask(0, 7, 2, create("/e", CreateMode::Ephemeral));
    assert!(ensemble.server(1).tree().get("/e").is_some());
    ensemble.run(800);
    assert!(ensemble.server(2).tree().sessions().contains_key(&session), "1 s is not over");
    ensemble.run(1_000);
    for id in 0..3 {
        assert!(ensemble.server(id).tree().get("/e").is_none(), "z{id}");
        assert!(!ensemble.server(id).tree().sessions().contains_key(&session), "z{id}");
    }
}

/// "A client sees the watch event before it sees the new data": the event goes out before any
/// answer from the new state.
#[test]
fn a_watch_tells_before_the_data_does() {
    let mut ensemble = Ensemble::elected();
    ensemble.open(0, 7);
    ensemble.ask(0, 7, 2, create("/a", CreateMode::Persistent));
    ensemble.ask(0, 7, 3, Op::Get { path: "/a".into(), watch: true });
    let before = ensemble.told.len();
    let set = Op::Set { path: "/a".into(), data: b"y"[..].into(), version: ANY_VERSION };
    ensemble.ask(0, 7, 4, set.clone());
    ensemble.ask(0, 7, 5, set);
    let told: Vec<&str> = ensemble.told[before..].iter().map(|body| body.kind_name()).collect();
    // The second change is not told: a watch is a one-time trigger.
    assert_eq!(told, ["WatchEvent", "Reply", "Reply"]);
}

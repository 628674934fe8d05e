//! The disk: what was durable is there again, a torn tail is cut, and damage is not mistaken for
//! either.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

const THREE: &[u32] = &[1, 2, 3];

fn server() -> Server {
    let mut server = Server::new(1, THREE, settings(|_| {}));
    server.receive(2, append(3, (0, 0), &[1, 1, 2, 3, 3], 0));
    server.receive(2, append(4, (3, 2), &[4], 0));
    server
}

/// Term, vote and log are what they were, the conflict and its truncation included.
#[test]
fn a_restart_finds_everything() {
    let mut server = server();
    let chain = server.raft.log.chain(LogIndex(4));
    server.restart(THREE);
    assert_eq!((server.raft.current_term, server.terms()), (Term(4), vec![1, 1, 2, 4]));
    assert_eq!(server.raft.log.chain(LogIndex(4)), chain);
    server.receive(2, append(4, (4, 4), &[4], 0));
    server.restart(THREE);
    assert_eq!(server.terms(), [1, 1, 2, 4, 4], "and appending goes on at the right place");
}

/// Wherever an append was torn off, the whole records before it remain and the rest is cut.
#[test]
fn a_torn_append_is_cut_off() {
    let mut server = server();
    let before = server.host.files["log"].clone();
    server.receive(2, append(4, (4, 4), &[4, 4], 0));
    let after = server.host.files["log"].clone();
    for len in before.len()..after.len() {
        server.host.files.insert("log".into(), after[..len].to_vec());
        server.restart(THREE);
        let terms = server.terms();
        assert!(terms == [1, 1, 2, 4] || terms == [1, 1, 2, 4, 4], "{len}: {terms:?}");
        let cut = server.host.files["log"].len();
        assert!(cut <= len && (cut == before.len() || terms.len() == 5));
    }
}

/// A flipped bit, wherever it is, is noticed: the server does not start.
#[test]
fn a_server_with_a_damaged_disk_does_not_start() {
    for file in ["log", "state"] {
        let len = server().host.files[file].len();
        for byte in 0..len {
            let mut server = server();
            server.host.files.get_mut(file).expect("it was written")[byte] ^= 1 << (byte % 8);
            let started = catch_unwind(AssertUnwindSafe(|| server.restart(THREE)));
            let panic = started.expect_err("the damage was not noticed");
            let message = panic.downcast_ref::<String>().expect("the panic has a message");
            assert!(message.contains(&format!("the file `{file}` is damaged")), "{message}");
        }
    }
}

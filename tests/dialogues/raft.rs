//! Raft. Clients say `open`, `read KEY`, `write KEY VALUE [in SESSION]`, which get serial numbers
//! in their order.

use seedbed::sim::dialogue;
use seedbed::systems::raft::{
    ClientRequest, KvOp, LogIndex, PeerMessage, RaftCluster, RequestBody,
};

#[test]
fn dialogues_of_raft_come_out_as_they_are() {
    crate::check("raft", 1, |text| {
        let mut serial = 0;
        let mut say = |text: &str, _: &[String]| {
            let key = |key: &str| key.strip_prefix('k')?.parse().ok();
            let words: Vec<&str> = text.split_whitespace().collect();
            let body = match words.as_slice() {
                ["open"] => RequestBody::OpenSession,
                ["read", name] => RequestBody::Read(KvOp::Read.encode(key(name)?)),
                ["write", name, value] => RequestBody::Command(
                    LogIndex::ZERO,
                    KvOp::Write((*value).into()).encode(key(name)?),
                ),
                ["write", name, value, "in", session] => RequestBody::Command(
                    LogIndex(session.parse().ok()?),
                    KvOp::Write((*value).into()).encode(key(name)?),
                ),
                _ => return None,
            };
            serial += 1;
            Some(PeerMessage::ClientRequest(ClientRequest { serial, body }))
        };
        let make = |text: &str| {
            let scenario = crate::scenario(text)?;
            let cluster = RaftCluster::new(&scenario);
            Ok((scenario, cluster))
        };
        dialogue::play(text, make, &mut say)
    });
}

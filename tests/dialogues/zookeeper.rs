//! The coordination service. Clients say `open CHANNEL`, and then, in their channel's order (from
//! 2), `CHANNEL SEQ create|ephemeral|sequence|set PATH DATA`, `… get|watch|children|delete PATH`,
//! `… sync` or `… close`. The number in the channel is the number of the request too.

use seedbed::node::Message;
use seedbed::sim::dialogue;
use seedbed::systems::zookeeper::{ZkCluster, ZkNodeMessage};
use serde_json::{Value, json};

/// What a client's packet carries, in its JSON form.
fn packet(text: &str) -> Option<Value> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| word.parse::<u64>().ok();
    let create = |path: &str, data: &str, mode: &str| {
        let create = json!({ "path": path, "data": data, "mode": mode });
        json!({ "create": create })
    };
    let (channel, seq, op) = match words.as_slice() {
        ["open", channel] => {
            return Some(json!({
                "type": "Connect", "channel": number(channel)?, "seq": 1, "ack": 0,
                "session": 0, "password": 0, "timeout_ms": 2_000, "last_zxid": 0,
            }));
        }
        [channel, seq, "create", path, data] => (channel, seq, create(path, data, "persistent")),
        [channel, seq, "ephemeral", path, data] => (channel, seq, create(path, data, "ephemeral")),
        [channel, seq, "sequence", path, data] => {
            (channel, seq, create(path, data, "ephemeral_sequential"))
        }
        [channel, seq, "set", path, data] => {
            (channel, seq, json!({ "set": { "path": path, "data": data, "version": -1 } }))
        }
        [channel, seq, "delete", path] => {
            (channel, seq, json!({ "delete": { "path": path, "version": -1 } }))
        }
        [channel, seq, read @ ("get" | "children"), path] => {
            (channel, seq, json!({ *read: { "path": path, "watch": false } }))
        }
        [channel, seq, "watch", path] => {
            (channel, seq, json!({ "get": { "path": path, "watch": true } }))
        }
        [channel, seq, word @ ("sync" | "close")] => (channel, seq, json!(word)),
        _ => return None,
    };
    Some(json!({
        "type": "Request", "channel": number(channel)?, "seq": number(seq)?, "ack": 0,
        "xid": number(seq)?, "op": op,
    }))
}

#[test]
fn dialogues_of_zookeeper_come_out_as_they_are() {
    crate::check("zookeeper", 6, |text| {
        let mut say = |text: &str, names: &[String]| {
            packet(text).and_then(|body| ZkNodeMessage::from_json(&body, names).ok())
        };
        let make = |text: &str| {
            let scenario = crate::scenario(text)?;
            let cluster = ZkCluster::new(&scenario);
            Ok((scenario, cluster))
        };
        dialogue::play(text, make, &mut say)
    });
}

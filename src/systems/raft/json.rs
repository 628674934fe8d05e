//! The store's conversation with its clients as JSON, for programs that take a server's place.
//!
//! `ClientRequest` has `serial`; `op`, which is `open_session`, `read`, `write`, `append` or `cas`;
//! `key`; `value`, and for `cas` also `expected`; and `session` if the client has one.
//!
//! `ClientReply` has `serial` and one of `value` (done, with this output: the text that was read,
//! `ok`, `mismatch`, or the session's number), `not_leader` (a name or `null`), `session_expired`,
//! `failed`.

use serde_json::{Value, json};

use super::peer::{ClientReply, ClientRequest, PeerMessage, ReplyBody, RequestBody};
use super::state_machine::KvOp;
use super::types::LogIndex;
use crate::node::NodeId;
use crate::wire;

/// The message as a program gets it.
pub fn to_json(message: &PeerMessage, names: &[String]) -> Option<Value> {
    match message {
        PeerMessage::Raft(message) => wire::to_json(message, names),
        PeerMessage::ClientRequest(request) => {
            let (op, session) = match &request.body {
                RequestBody::OpenSession => {
                    let serial = request.serial;
                    return Some(
                        json!({ "type": "ClientRequest", "serial": serial, "op": "open_session" }),
                    );
                }
                // A read with a session goes through the log, one without is served as the
                // scenario's `reads` says.
                RequestBody::Command(session, bytes) => {
                    let op = KvOp::decode(bytes)?;
                    let says_session = session.0 > 0 || op.1 == KvOp::Read;
                    (op, Some(session.0).filter(|_| says_session))
                }
                RequestBody::Read(bytes) => (KvOp::decode(bytes)?, None),
            };
            let (key, op) = op;
            let (serial, key) = (request.serial, format!("k{key}"));
            let mut object = json!({ "type": "ClientRequest", "serial": serial, "key": key });
            match op {
                KvOp::Read => object["op"] = "read".into(),
                KvOp::Write(value) => {
                    (object["op"], object["value"]) = ("write".into(), (*value).into())
                }
                KvOp::Append(value) => {
                    (object["op"], object["value"]) = ("append".into(), (*value).into())
                }
                KvOp::Cas { expected, new } => {
                    (object["op"], object["expected"], object["value"]) =
                        ("cas".into(), (*expected).into(), (*new).into());
                }
            }
            if let Some(session) = session {
                object["session"] = session.into();
            }
            Some(object)
        }
        PeerMessage::ClientReply(reply) => {
            let (name, value): (&str, Value) = match &reply.body {
                ReplyBody::Done(output) => ("value", done(output)),
                ReplyBody::NotLeader(leader) => {
                    ("not_leader", leader.map(|leader| names[leader.index()].clone()).into())
                }
                ReplyBody::SessionExpired => ("session_expired", true.into()),
                ReplyBody::Failed => ("failed", true.into()),
            };
            Some(json!({ "type": "ClientReply", "serial": reply.serial, name: value }))
        }
    }
}

/// What was done: the store answers in words, and opening a session gives its number.
fn done(output: &[u8]) -> Value {
    match (std::str::from_utf8(output), <[u8; 8]>::try_from(output)) {
        (Ok(text), _) if !text.contains(char::is_control) => text.into(),
        (_, Ok(number)) => u64::from_le_bytes(number).into(),
        _ => String::from_utf8_lossy(output).into(),
    }
}

/// The message that a program has sent, or what is wrong with it.
pub fn from_json(body: &Value, names: &[String]) -> Result<PeerMessage, String> {
    match body["type"].as_str() {
        Some("ClientReply") => reply(body, names).map(PeerMessage::ClientReply),
        Some("ClientRequest") => request(body).map(PeerMessage::ClientRequest),
        _ => wire::from_json(body, names).map(PeerMessage::Raft),
    }
}

fn reply(body: &Value, names: &[String]) -> Result<ClientReply, String> {
    let serial = serial(body)?;
    let body =
        match (&body["value"], &body["not_leader"], &body["session_expired"], &body["failed"]) {
            (Value::String(output), Value::Null, Value::Null, Value::Null) => {
                ReplyBody::Done(output.as_bytes().into())
            }
            // The number of a session, which is what opening one gives.
            (Value::Number(number), Value::Null, Value::Null, Value::Null) => ReplyBody::Done(
                number
                    .as_u64()
                    .ok_or("a session is a whole number from 1")?
                    .to_le_bytes()
                    .as_slice()
                    .into(),
            ),
            (Value::Null, Value::String(leader), Value::Null, Value::Null) => {
                let leader = NodeId::named(names, leader)
                    .ok_or_else(|| format!("`not_leader` is `{leader}`, which is not a node"))?;
                ReplyBody::NotLeader(Some(leader))
            }
            (Value::Null, Value::Null, Value::Bool(true), Value::Null) => ReplyBody::SessionExpired,
            (Value::Null, Value::Null, Value::Null, Value::Bool(true)) => ReplyBody::Failed,
            (Value::Null, Value::Null, Value::Null, Value::Null)
                if body.get("not_leader").is_some() =>
            {
                ReplyBody::NotLeader(None)
            }
            _ => return Err(
                "a `ClientReply` has one of `value`, `not_leader`, `session_expired` and `failed`"
                    .to_owned(),
            ),
        };
    Ok(ClientReply { serial, body })
}

fn request(body: &Value) -> Result<ClientRequest, String> {
    let serial = serial(body)?;
    let text = |name: &str| body[name].as_str().ok_or_else(|| format!("`{name}` must be a text"));
    let op = match text("op")? {
        "open_session" => return Ok(ClientRequest { serial, body: RequestBody::OpenSession }),
        "read" => KvOp::Read,
        "write" => KvOp::Write(text("value")?.into()),
        "append" => KvOp::Append(text("value")?.into()),
        "cas" => KvOp::Cas { expected: text("expected")?.into(), new: text("value")?.into() },
        other => {
            return Err(format!(
                "`{other}` is none of `open_session`, `read`, `write`, `append` and `cas`"
            ));
        }
    };
    let key = text("key")?
        .strip_prefix('k')
        .and_then(|key| key.parse().ok())
        .ok_or("a `key` is `k0`, `k1`, …")?;
    let bytes = op.encode(key);
    let session = body["session"].as_u64();
    let body = match session {
        None if op == KvOp::Read => RequestBody::Read(bytes),
        session => RequestBody::Command(LogIndex(session.unwrap_or(0)), bytes),
    };
    Ok(ClientRequest { serial, body })
}

fn serial(body: &Value) -> Result<u64, String> {
    body["serial"].as_u64().ok_or_else(|| "`serial` must be the number of the request".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["n1", "n2", "c1"].map(str::to_owned).to_vec()
    }

    /// What a program is told and what it may say are the same words.
    #[test]
    fn every_message_of_a_client_reads_back() {
        let write = KvOp::Write("a".into()).encode(3);
        let cas = KvOp::Cas { expected: "nil".into(), new: "b".into() }.encode(0);
        let requests = [
            RequestBody::OpenSession,
            RequestBody::Command(LogIndex(7), write),
            RequestBody::Command(LogIndex::ZERO, cas),
            RequestBody::Read(KvOp::Read.encode(1)),
        ];
        for body in requests {
            let message = PeerMessage::ClientRequest(ClientRequest { serial: 4, body });
            let json = to_json(&message, &names()).expect("programs understand it");
            let back = from_json(&json, &names()).expect("it is one");
            assert_eq!(format!("{back:?}"), format!("{message:?}"), "{json}");
        }
        let replies = [
            ReplyBody::Done(b"ok".as_slice().into()),
            ReplyBody::NotLeader(Some(NodeId(1))),
            ReplyBody::NotLeader(None),
            ReplyBody::SessionExpired,
            ReplyBody::Failed,
        ];
        for body in replies {
            let message = PeerMessage::ClientReply(ClientReply { serial: 4, body });
            let json = to_json(&message, &names()).expect("programs understand it");
            assert_eq!(
                format!("{:?}", from_json(&json, &names()).expect("it is one")),
                format!("{message:?}"),
                "{json}"
            );
        }
    }

    /// Something that is not a message is refused with the part that is wrong.
    #[test]
    fn what_is_no_message_is_refused_with_its_reason() {
        let why = |body: Value| from_json(&body, &names()).expect_err("it is none");
        assert_eq!(
            why(json!({ "type": "ClientReply" })),
            "`serial` must be the number of the request"
        );
        assert_eq!(
            why(json!({ "type": "ClientReply", "serial": 1, "not_leader": "n9" })),
            "`not_leader` is `n9`, which is not a node"
        );
        let one_of =
            "a `ClientReply` has one of `value`, `not_leader`, `session_expired` and `failed`";
        assert_eq!(why(json!({ "type": "ClientReply", "serial": 1 })), one_of);
        assert_eq!(
            why(json!({ "type": "ClientReply", "serial": 1, "value": "ok", "failed": true })),
            one_of
        );
    }
}

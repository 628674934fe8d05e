//! One event of the coordination service or of its application, decoded. An event that lacks a
//! field is none.

use crate::trace::{Event, NodeId, Value};

/// A decoded event.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The order that history and events share.
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub incarnation: u32,
    pub kind: Kind<'a>,
}

/// What happened. Zxids, sessions and epochs are numbers here.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'a> {
    /// `leader` is set where the server follows or leads.
    State {
        state: &'a str,
        leader: Option<NodeId>,
    },
    Established {
        epoch: u64,
        last: u64,
    },
    Propose {
        zxid: u64,
        digest: u64,
    },
    Apply {
        zxid: u64,
        prev: u64,
        digest: u64,
        chain: u64,
        tree: u64,
    },
    Snapshot {
        zxid: u64,
        chain: u64,
        tree: u64,
    },
    Znode {
        zxid: u64,
        change: &'a str,
        session: u64,
        version: i64,
        path: &'a str,
        data: &'a str,
    },
    SessionOpen {
        session: u64,
        timeout_us: u64,
    },
    SessionClose {
        zxid: u64,
        session: u64,
    },
    Touch {
        session: u64,
    },
    Expire {
        session: u64,
    },
    Reply {
        session: u64,
        zxid: u64,
    },
    WatchFire {
        session: u64,
        zxid: u64,
        kind: &'a str,
        path: &'a str,
    },
    ClientSession {
        session: u64,
        state: &'a str,
    },
    ClientRequest {
        session: u64,
        xid: i64,
        op: &'a str,
        version: i64,
        path: &'a str,
    },
    ClientReply {
        session: u64,
        xid: i64,
        op: &'a str,
        zxid: u64,
        result: &'a str,
    },
    WatchSet {
        session: u64,
        kind: &'a str,
        zxid: u64,
        path: &'a str,
    },
    Watch {
        session: u64,
        kind: &'a str,
        path: &'a str,
    },
    Config {
        period_us: u64,
        timeout_us: u64,
        tick_us: u64,
    },
    Lead {
        epoch: u64,
        zxid: u64,
    },
    Mean {
        epoch: u64,
        number: u64,
        zxid: u64,
        milli: i64,
        count: u64,
    },
    StoreMean {
        epoch: u64,
        number: u64,
        milli: i64,
    },
    StoreRefuse {
        epoch: u64,
    },
    Start,
    Crash,
    Pause,
    Resume,
}

/// Decode an event; `None` for what is none of these or is damaged.
pub fn decode(event: &Event) -> Option<Record<'_>> {
    let fields = &event.fields;
    let number = |name: &str| fields.int(name).and_then(|number| u64::try_from(number).ok());
    let signed = |name: &str| fields.int(name);
    let hash = |name: &str| fields.hash(name);
    // A path or a content may look like a number when a trace is read back from its file.
    let word = |name: &str| match fields.get(name)? {
        Value::Text(text) => Some(&**text),
        _ => None,
    };
    let kind = match &*event.name {
        "zab_state" => Kind::State { state: word("state")?, leader: fields.node("leader") },
        "zab_established" => Kind::Established { epoch: number("epoch")?, last: number("last")? },
        "zab_propose" => Kind::Propose { zxid: number("zxid")?, digest: hash("digest")? },
        "zab_apply" => Kind::Apply {
            zxid: number("zxid")?,
            prev: number("prev")?,
            digest: hash("digest")?,
            chain: hash("chain")?,
            tree: hash("tree")?,
        },
        "zab_snapshot" => {
            Kind::Snapshot { zxid: number("zxid")?, chain: hash("chain")?, tree: hash("tree")? }
        }
        "znode" => Kind::Znode {
            zxid: number("zxid")?,
            change: word("change")?,
            session: number("session")?,
            version: signed("version")?,
            path: word("path")?,
            data: word("data").unwrap_or(""),
        },
        "session_open" => {
            Kind::SessionOpen { session: number("session")?, timeout_us: number("timeout_us")? }
        }
        "session_close" => {
            Kind::SessionClose { zxid: number("zxid")?, session: number("session")? }
        }
        "session_touch" => Kind::Touch { session: number("session")? },
        "session_expire" => Kind::Expire { session: number("session")? },
        "zk_reply" => Kind::Reply { session: number("session")?, zxid: number("zxid")? },
        "watch_fire" => Kind::WatchFire {
            session: number("session")?,
            zxid: number("zxid")?,
            kind: word("kind")?,
            path: word("path")?,
        },
        "client_session" => {
            Kind::ClientSession { session: number("session")?, state: word("state")? }
        }
        "client_request" => Kind::ClientRequest {
            session: number("session")?,
            xid: signed("xid")?,
            op: word("op")?,
            version: signed("version")?,
            path: word("path")?,
        },
        "client_reply" => Kind::ClientReply {
            session: number("session")?,
            xid: signed("xid")?,
            op: word("op")?,
            zxid: number("zxid")?,
            result: word("result")?,
        },
        "client_watch_set" => Kind::WatchSet {
            session: number("session")?,
            kind: word("kind")?,
            zxid: number("zxid")?,
            path: word("path")?,
        },
        "client_watch" => {
            Kind::Watch { session: number("session")?, kind: word("kind")?, path: word("path")? }
        }
        "config" => Kind::Config {
            period_us: number("period_us")?,
            timeout_us: number("timeout_us")?,
            tick_us: number("tick_us")?,
        },
        "lead" => Kind::Lead { epoch: number("epoch")?, zxid: number("zxid")? },
        "mean" => Kind::Mean {
            epoch: number("epoch")?,
            number: number("number")?,
            zxid: number("zxid")?,
            milli: signed("milli")?,
            count: number("count")?,
        },
        "store_mean" => Kind::StoreMean {
            epoch: number("epoch")?,
            number: number("number")?,
            milli: signed("milli")?,
        },
        "store_refuse" => Kind::StoreRefuse { epoch: number("epoch")? },
        "start" => Kind::Start,
        "crash" => Kind::Crash,
        "pause" => Kind::Pause,
        "resume" => Kind::Resume,
        _ => return None,
    };
    Some(Record {
        order: event.index,
        time_us: event.time_us,
        node: event.node,
        incarnation: event.incarnation,
        kind,
    })
}

/// A zxid as it is written: epoch and counter.
pub fn show(zxid: u64) -> String {
    format!("{}.{}", zxid >> 32, zxid & 0xffff_ffff)
}

//! Small traces of an ensemble and its application, told record by record.

use seedbed::trace::{Event, Fields, NodeId, NodeInfo, Trace, Value};
use xxhash_rust::xxh3::xxh3_64;

pub const Z1: NodeId = NodeId(0);
pub const Z2: NodeId = NodeId(1);
pub const I1: NodeId = NodeId(3);
pub const I2: NodeId = NodeId(4);
pub const W1: NodeId = NodeId(5);
pub const STORE: NodeId = NodeId(6);

/// The first transaction of the first epoch, and those after it.
pub fn zx(counter: i64) -> i64 {
    (1 << 32) + counter
}

/// A run of three servers, two instances, a worker and a store. Each record comes a millisecond
/// after the one before.
#[derive(Clone)]
pub struct Story {
    pub trace: Trace,
    pub now_us: u64,
    pub last: i64,
}

pub fn word(text: &str) -> Value {
    Value::Text(text.to_owned().into())
}

pub fn int(number: i64) -> Value {
    Value::Int(number)
}

impl AsRef<Trace> for Story {
    fn as_ref(&self) -> &Trace {
        &self.trace
    }
}

impl Story {
    /// Everybody starts, and z1 is established in epoch 1.
    pub fn new() -> Story {
        let node =
            |name: &str, role: &'static str| NodeInfo { name: name.to_owned(), role: role.into() };
        let nodes = vec![
            node("z1", "server"),
            node("z2", "server"),
            node("z3", "server"),
            node("i1", "instance"),
            node("i2", "instance"),
            node("w1", "worker"),
            node("store", "store"),
        ];
        let trace =
            Trace { duration_us: 20_000_000, end_us: 30_000_000, nodes, ..Trace::default() };
        let mut story = Story { trace, now_us: 0, last: 0 };
        for i in [0, 1, 2] {
            story.state(NodeId(i), "looking", None);
        }
        story.established(Z1, 1, 0);
        story
    }

    pub fn event(
        &mut self,
        node: NodeId,
        name: &'static str,
        fields: &[(&str, Value)],
    ) -> &mut Story {
        let (names, values): (Vec<String>, Vec<Value>) =
            fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).unzip();
        let index = self.trace.events.len() as u64;
        let event = Event {
            index,
            time_us: self.now_us,
            node,
            incarnation: 1,
            name: name.into(),
            fields: Fields::owned(names, values),
        };
        self.trace.events.push(event);
        self.now_us += 1_000;
        self
    }

    pub fn at_ms(&mut self, ms: u64) -> &mut Story {
        self.now_us = ms * 1_000;
        self
    }

    pub fn state(&mut self, node: NodeId, state: &str, leader: Option<NodeId>) -> &mut Story {
        let leader = leader.map_or(word("none"), Value::Node);
        self.event(node, "zab_state", &[("state", word(state)), ("leader", leader)])
    }

    pub fn established(&mut self, node: NodeId, epoch: i64, last: i64) -> &mut Story {
        self.event(
            node,
            "zab_established",
            &[("epoch", int(epoch)), ("last", int(last)), ("quorum", int(2))],
        )
    }

    pub fn propose(&mut self, node: NodeId, zxid: i64) -> &mut Story {
        self.event(
            node,
            "zab_propose",
            &[("zxid", int(zxid)), ("digest", Value::Hash(zxid as u64))],
        )
    }

    /// A server applies a transaction after `prev`; `tree` tells its state.
    pub fn applies(&mut self, node: NodeId, zxid: i64, prev: i64, tree: u64) -> &mut Story {
        let chain = Value::Hash(xxh3_64(format!("{prev} {zxid}").as_bytes()));
        let fields = [
            ("zxid", int(zxid)),
            ("prev", int(prev)),
            ("digest", Value::Hash(zxid as u64)),
            ("chain", chain),
        ];
        self.event(
            node,
            "zab_apply",
            &[&fields[..], &[("tree", Value::Hash(tree)), ("kind", word("set"))]].concat(),
        )
    }

    /// The next transaction: z1 proposes it, z1 and z2 apply it.
    pub fn txn(&mut self) -> i64 {
        let (prev, zxid) = (self.last, if self.last == 0 { zx(1) } else { self.last + 1 });
        self.last = zxid;
        self.propose(Z1, zxid).applies(Z1, zxid, prev, zxid as u64).applies(
            Z2,
            zxid,
            prev,
            zxid as u64,
        );
        zxid
    }

    pub fn znode(
        &mut self,
        zxid: i64,
        change: &str,
        session: i64,
        version: i64,
        path: &str,
        data: &str,
    ) -> &mut Story {
        let fields = [
            ("zxid", int(zxid)),
            ("change", word(change)),
            ("session", int(session)),
            ("version", int(version)),
        ];
        self.event(
            Z1,
            "znode",
            &[&fields[..], &[("path", word(path)), ("data", word(data))]].concat(),
        )
    }

    /// A transaction of one change.
    pub fn change(
        &mut self,
        change: &str,
        session: i64,
        version: i64,
        path: &str,
        data: &str,
    ) -> i64 {
        let zxid = self.txn();
        self.znode(zxid, change, session, version, path, data);
        zxid
    }

    /// A session of 2 s.
    pub fn session(&mut self) -> i64 {
        let session = self.txn();
        self.event(
            Z1,
            "session_open",
            &[("session", int(session)), ("timeout_us", int(2_000_000))],
        );
        session
    }

    pub fn close(&mut self, session: i64) -> i64 {
        let zxid = self.txn();
        self.event(
            Z1,
            "session_close",
            &[("zxid", int(zxid)), ("session", int(session)), ("request", int(0))],
        );
        zxid
    }

    pub fn request(
        &mut self,
        session: i64,
        xid: i64,
        op: &str,
        version: i64,
        path: &str,
    ) -> &mut Story {
        let fields = [
            ("session", int(session)),
            ("xid", int(xid)),
            ("op", word(op)),
            ("version", int(version)),
            ("path", word(path)),
        ];
        self.event(W1, "client_request", &fields)
    }

    pub fn reply(
        &mut self,
        session: i64,
        xid: i64,
        op: &str,
        zxid: i64,
        result: &str,
    ) -> &mut Story {
        let fields = [
            ("session", int(session)),
            ("xid", int(xid)),
            ("op", word(op)),
            ("zxid", int(zxid)),
            ("result", word(result)),
        ];
        self.event(W1, "client_reply", &fields)
    }

    pub fn client(&mut self, session: i64, state: &str) -> &mut Story {
        self.event(W1, "client_session", &[("session", int(session)), ("state", word(state))])
    }

    pub fn watches(&mut self, session: i64, kind: &str, zxid: i64, path: &str) -> &mut Story {
        self.event(
            W1,
            "client_watch_set",
            &[
                ("session", int(session)),
                ("kind", word(kind)),
                ("zxid", int(zxid)),
                ("path", word(path)),
            ],
        )
    }

    pub fn told(&mut self, session: i64, kind: &str, path: &str) -> &mut Story {
        self.event(
            W1,
            "client_watch",
            &[("session", int(session)), ("kind", word(kind)), ("path", word(path))],
        )
    }

    pub fn woken(&mut self, session: i64, path: &str) -> &mut Story {
        let fields = [
            ("session", int(session)),
            ("kind", word("deleted")),
            ("zxid", int(0)),
            ("path", word(path)),
        ];
        self.event(Z1, "watch_fire", &fields)
    }

    pub fn leads(&mut self, node: NodeId, epoch: i64, zxid: i64) -> &mut Story {
        self.event(node, "lead", &[("epoch", int(epoch)), ("zxid", int(zxid)), ("session", int(0))])
    }

    pub fn mean(
        &mut self,
        node: NodeId,
        epoch: i64,
        number: i64,
        zxid: i64,
        milli: i64,
        count: i64,
    ) -> &mut Story {
        let fields = [
            ("epoch", int(epoch)),
            ("number", int(number)),
            ("zxid", int(zxid)),
            ("milli", int(milli)),
            ("count", int(count)),
        ];
        self.event(node, "mean", &fields)
    }

    pub fn stores(&mut self, epoch: i64, number: i64, milli: i64) -> &mut Story {
        self.event(
            STORE,
            "store_mean",
            &[("epoch", int(epoch)), ("number", int(number)), ("milli", int(milli))],
        )
    }
}

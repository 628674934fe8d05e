//! The events of replication, decoded.

use crate::trace::{Event, Fields, NodeId, Trace};

/// Whose confirmation a write needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    SyncAll,
    SyncQuorum,
    Async,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its place in the order that history and events share.
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    Recovered {
        epoch: u64,
        seq: u64,
        hash: u64,
        damaged: bool,
    },
    Kept {
        prev: u64,
        hash: u64,
    },
    Epoch {
        epoch: u64,
    },
    Stored {
        epoch: u64,
        seq: u64,
        prev: u64,
        hash: u64,
    },
    Cut {
        from: u64,
    },
    Copied {
        epoch: u64,
        seq: u64,
        hash: u64,
    },
    Emptied,
    Applied {
        seq: u64,
        hash: u64,
        client: NodeId,
        req: u64,
        effect: bool,
        forms: u64,
    },
    Leads {
        epoch: u64,
        seq: u64,
        hash: u64,
        mode: Mode,
        min_in_sync: u64,
    },
    StepsDown,
    Final {
        epoch: u64,
        seq: u64,
        hash: u64,
    },
    Answered {
        client: NodeId,
        req: u64,
        epoch: u64,
        seq: u64,
        hash: u64,
        effect: bool,
    },
    Read {
        client: NodeId,
        req: u64,
        epoch: u64,
        anyone: bool,
    },
    View {
        version: u64,
        epoch: u64,
        leader: Option<NodeId>,
        active_epoch: u64,
        in_sync: Vec<NodeId>,
    },
    Down,
    Up,
}

/// Read an event; `None` where it is none of replication, or lacks something.
pub fn decode(trace: &Trace, event: &Event) -> Option<Record> {
    if event.node.index() >= trace.nodes.len() {
        return None;
    }
    let kind = kind(trace, event)?;
    Some(Record { order: event.index, time_us: event.time_us, node: event.node, kind })
}

fn kind(trace: &Trace, event: &Event) -> Option<Kind> {
    let fields = &event.fields;
    let int = |name: &str| fields.int(name).and_then(|value| u64::try_from(value).ok());
    let kind = match &*event.name {
        "recovered" => Kind::Recovered {
            epoch: int("epoch")?,
            seq: int("seq")?,
            hash: fields.hash("hash")?,
            damaged: int("damaged")? == 1,
        },
        "kept" => Kind::Kept { prev: fields.hash("prev")?, hash: fields.hash("hash")? },
        "epoch" => Kind::Epoch { epoch: int("epoch")? },
        "stored" => Kind::Stored {
            epoch: int("epoch")?,
            seq: int("seq")?,
            prev: fields.hash("prev")?,
            hash: fields.hash("hash")?,
        },
        "cut" => Kind::Cut { from: int("from")? },
        "copied" => {
            Kind::Copied { epoch: int("epoch")?, seq: int("seq")?, hash: fields.hash("hash")? }
        }
        "emptied" => Kind::Emptied,
        "applied" => Kind::Applied {
            seq: int("seq")?,
            hash: fields.hash("hash")?,
            client: client(trace, fields)?,
            req: int("req")?,
            effect: int("effect")? == 1,
            forms: fields.hash("forms")?,
        },
        "leads" => Kind::Leads {
            epoch: int("epoch")?,
            seq: int("seq")?,
            hash: fields.hash("hash")?,
            mode: match fields.text("mode")? {
                "sync-all" => Mode::SyncAll,
                "sync-quorum" => Mode::SyncQuorum,
                _ => Mode::Async,
            },
            min_in_sync: int("min_in_sync")?,
        },
        "steps_down" => Kind::StepsDown,
        "final" => {
            Kind::Final { epoch: int("epoch")?, seq: int("seq")?, hash: fields.hash("hash")? }
        }
        "answered" => Kind::Answered {
            client: client(trace, fields)?,
            req: int("req")?,
            epoch: int("epoch")?,
            seq: int("seq")?,
            hash: fields.hash("hash")?,
            effect: int("effect")? == 1,
        },
        "read" => Kind::Read {
            client: client(trace, fields)?,
            req: int("req")?,
            epoch: int("epoch")?,
            anyone: fields.text("mode")? == "anyone",
        },
        "view" => Kind::View {
            version: int("version")?,
            epoch: int("epoch")?,
            leader: fields.node("leader"),
            active_epoch: int("active_epoch")?,
            in_sync: fields.text("in_sync").map_or(vec![], |names| {
                names.split('+').filter_map(|name| trace.node(name)).collect()
            }),
        },
        "crash" => Kind::Down,
        "start" => Kind::Up,
        _ => return None,
    };
    Some(kind)
}

fn client(trace: &Trace, fields: &Fields) -> Option<NodeId> {
    fields.node("client").filter(|client| client.index() < trace.nodes.len())
}

//! One event of the coordination service, of its application or of the testbed, decoded. An event
//! that lacks a field counts as none.

use crate::systems::zookeeper::vocabulary::Told;
use crate::trace::{Event, NodeId};

/// A decoded event.
#[derive(Clone, Debug)]
pub struct Record {
    /// The order that history and events share.
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub incarnation: u32,
    pub kind: Kind,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A node has told something.
    Told(Told),
    /// The testbed has done something to a node.
    Life(Life),
}

/// What the testbed does to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    Start,
    Crash,
    Pause,
    Resume,
}

/// Decode an event; `None` for one that is not among these or is damaged.
pub fn decode(event: &Event) -> Option<Record> {
    let kind = match &*event.name {
        "start" => Kind::Life(Life::Start),
        "crash" => Kind::Life(Life::Crash),
        "pause" => Kind::Life(Life::Pause),
        "resume" => Kind::Life(Life::Resume),
        name => Kind::Told(Told::read(name, &event.fields)?),
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

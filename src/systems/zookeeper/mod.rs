//! `zookeeper`

mod channel;
mod clients;
mod defects;
mod election;
mod ensemble;
mod events;
mod follower;
mod host;
mod jute;
mod leader;
mod message;
mod prepare;
mod request;
mod rules;
mod server;
mod session;
mod storage;
mod tracker;
mod tree;
mod txn;
mod types;
mod watches;

pub use defects::{DEFECTS, Rules};
pub use ensemble::{ServerSettings, SessionSettings};
pub use host::{Host, Link, ZkTimer};
pub use message::ZkMessage;
pub use request::{ANY_VERSION, Answer, CreateMode, Data, Op, Outcome, Path, Stat, WatchEventKind, base_name, join, parent};
pub use server::Server;
pub use session::{Session, SessionEvent};
pub use tree::DataTree;
pub use types::{Epoch, ErrorCode, SessionId, Zxid};

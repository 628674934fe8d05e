//! The data tree: what all servers agree on. Znodes, sessions, and which ephemeral znodes belong to
//! which session.
//!
//! Two digests go with it. `chain` runs over the transactions that led here; `state` is the
//! exclusive-or of the digests of all znodes and sessions, so that it costs a step no more than the
//! step changes. Servers at the same zxid have the same of both.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::defects::{Defect, Planted};
use super::jute::{JuteReader, JuteWriter, Reader, Writer};
use super::request::{Answer, Data, Outcome, Path, Stat, WatchEventKind, base_name, join, parent};
use super::txn::{Change, Entry, Txn};
use super::types::{ErrorCode, SessionId, Zxid};

/// A znode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Znode {
    /// Its content.
    pub data: Data,
    /// What is known of it.
    pub stat: Stat,
    /// The names of its children.
    pub children: BTreeSet<Rc<str>>,
}

/// A session, as all servers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// What was agreed on, ms.
    pub timeout_ms: u32,
    /// What a client must know to take the session to another server.
    pub password: u64,
}

/// A change of the tree that watches may wait for, and the znode change for the trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What happened.
    pub kind: WatchEventKind,
    /// To which znode.
    pub path: Path,
}

/// The tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataTree {
    nodes: BTreeMap<Path, Znode>,
    sessions: BTreeMap<SessionId, SessionRecord>,
    ephemerals: BTreeMap<SessionId, BTreeSet<Path>>,
    /// The last transaction applied. Invariant: it only rises.
    last: Zxid,
    chain: u64,
    state: u64,
}

impl Default for DataTree {
    fn default() -> Self {
        let root =
            Znode { data: Data::from(&b""[..]), stat: Stat::default(), children: BTreeSet::new() };
        let state = digest("/", &root);
        DataTree {
            nodes: BTreeMap::from([(Path::from("/"), root)]),
            sessions: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            last: Zxid::ZERO,
            chain: 0,
            state,
        }
    }
}

impl DataTree {
    /// The znode at a path.
    pub fn get(&self, path: &str) -> Option<&Znode> {
        self.nodes.get(path)
    }

    /// How many znodes there are, the root included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: the root is always there.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The sessions that are open.
    pub fn sessions(&self) -> &BTreeMap<SessionId, SessionRecord> {
        &self.sessions
    }

    /// The znodes that go with a session, sorted.
    pub fn ephemerals_of(&self, session: SessionId) -> Vec<Path> {
        self.ephemerals.get(&session).into_iter().flatten().cloned().collect()
    }

    /// The last transaction applied.
    pub fn last(&self) -> Zxid {
        self.last
    }

    /// The digest over all transactions applied.
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// The digest of the state.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// Apply the transaction that follows; `live` says whether the server serves clients or only
    /// catches up. Gives the answer for the client and the changes in their order.
    pub fn apply(
        &mut self,
        entry: &Entry,
        planted: Planted,
        live: bool,
    ) -> (Outcome, Vec<Trigger>) {
        assert!(entry.zxid > self.last, "transaction {} does not follow {}", entry.zxid, self.last);
        self.last = entry.zxid;
        self.chain =
            (self.chain.rotate_left(23) ^ entry.digest).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut triggers = Vec::new();
        let outcome = match &entry.txn {
            Txn::OpenSession { timeout_ms, password } => {
                self.open_session(
                    SessionId(entry.zxid.0),
                    SessionRecord { timeout_ms: *timeout_ms, password: *password },
                );
                Ok(Answer::Done)
            }
            Txn::CloseSession => {
                self.close_session(entry.session, entry.zxid, (planted, live), &mut triggers);
                Ok(Answer::Done)
            }
            Txn::Changes { changes, multi } => {
                let mut answers: Vec<Outcome> = changes
                    .iter()
                    .map(|change| Ok(self.change(entry, change, &mut triggers)))
                    .collect();
                if *multi {
                    Ok(Answer::Multi(answers))
                } else {
                    answers.pop().unwrap_or(Ok(Answer::Done))
                }
            }
            Txn::Error(code) => Err(*code),
            Txn::Sync => Ok(Answer::Done),
        };
        (outcome, triggers)
    }

    /// Apply one change. The leader does so with the changes of a `multi` that may yet fail.
    pub fn change(
        &mut self,
        entry: &Entry,
        change: &Change,
        triggers: &mut Vec<Trigger>,
    ) -> Answer {
        match change {
            Change::Create { path, data, owner, parent_cversion } => {
                let stat = Stat {
                    czxid: entry.zxid,
                    mzxid: entry.zxid,
                    pzxid: entry.zxid,
                    ctime_ms: entry.time_ms,
                    mtime_ms: entry.time_ms,
                    owner: *owner,
                    ..Stat::default()
                };
                let node = Znode { data: data.clone(), stat, children: BTreeSet::new() };
                self.state ^= digest(path, &node);
                self.nodes.insert(path.clone(), node);
                if *owner != SessionId::NONE {
                    self.ephemerals.entry(*owner).or_default().insert(path.clone());
                }
                self.with_parent(path, |parent| {
                    parent.children.insert(base_name(path).into());
                    parent.stat.cversion = *parent_cversion;
                    parent.stat.pzxid = entry.zxid;
                });
                triggers.push(Trigger { kind: WatchEventKind::Created, path: path.clone() });
                Answer::Created(path.clone())
            }
            Change::Delete { path } => {
                self.remove(path, entry.zxid, triggers);
                Answer::Done
            }
            Change::Set { path, data, version } => {
                let stat = self.with(path, |node| {
                    node.data = data.clone();
                    (node.stat.version, node.stat.mzxid, node.stat.mtime_ms) =
                        (*version, entry.zxid, entry.time_ms);
                    node.stat
                });
                triggers.push(Trigger { kind: WatchEventKind::DataChanged, path: path.clone() });
                Answer::Stat(stat.unwrap_or_default())
            }
            Change::Checked => Answer::Done,
        }
    }

    fn open_session(&mut self, session: SessionId, record: SessionRecord) {
        self.state ^= session_digest(session, record);
        self.sessions.insert(session, record);
    }

    fn close_session(
        &mut self,
        session: SessionId,
        zxid: Zxid,
        (planted, live): (Planted, bool),
        triggers: &mut Vec<Trigger>,
    ) {
        if let Some(record) = self.sessions.remove(&session) {
            self.state ^= session_digest(session, record);
        }
        let owned = self.ephemerals.remove(&session).unwrap_or_default();
        let is_behind = !live && !owned.is_empty();
        if is_behind && planted.plants(Defect::EphemeralsKeptOnReplay) {
            return;
        }
        for path in owned {
            self.remove(&path, zxid, triggers);
        }
    }

    fn remove(&mut self, path: &Path, zxid: Zxid, triggers: &mut Vec<Trigger>) {
        let Some(node) = self.nodes.remove(path) else { return };
        self.state ^= digest(path, &node);
        if let Some(owned) = self.ephemerals.get_mut(&node.stat.owner) {
            owned.remove(path);
        }
        self.with_parent(path, |parent| {
            parent.children.remove(base_name(path));
            parent.stat.pzxid = zxid;
        });
        triggers.push(Trigger { kind: WatchEventKind::Deleted, path: path.clone() });
    }

    fn with_parent(&mut self, path: &str, change: impl FnOnce(&mut Znode)) {
        if let Some(parent) = parent(path) {
            self.with(parent, change);
        }
    }

    /// Change a znode and keep the digest right.
    fn with<T>(&mut self, path: &str, change: impl FnOnce(&mut Znode) -> T) -> Option<T> {
        let node = self.nodes.get_mut(path)?;
        self.state ^= digest(path, node);
        let result = change(node);
        self.state ^= digest(path, node);
        Some(result)
    }

    /// Answer a read.
    pub fn read(&self, path: &str, what: Read) -> Outcome {
        let node = self.get(path).ok_or(ErrorCode::NoNode)?;
        Ok(match what {
            Read::Exists => Answer::Stat(node.stat),
            Read::Get => Answer::Data(node.data.clone(), node.stat),
            Read::Children => Answer::Children(node.children.iter().cloned().collect(), node.stat),
        })
    }

    /// The whole tree as bytes, its checksum last.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.long(self.last.0);
        writer.long(self.chain);
        writer.int(self.sessions.len() as i32);
        for (session, record) in &self.sessions {
            writer.long(session.0);
            writer.int(record.timeout_ms as i32);
            writer.long(record.password);
        }
        writer.int(self.nodes.len() as i32);
        for (path, node) in &self.nodes {
            writer.string(path);
            writer.buffer(&node.data);
            node.stat.write(&mut writer);
        }
        writer.long(xxh3_64(&writer.0));
        writer.0
    }

    /// The tree of these bytes, or `None` where they are damaged.
    pub fn decode(bytes: &[u8]) -> Option<DataTree> {
        let (body, checksum) = bytes.split_at_checked(bytes.len().checked_sub(8)?)?;
        if Reader(checksum).long()? != xxh3_64(body) {
            return None;
        }
        let mut reader = Reader(body);
        let (last, chain) = (Zxid(reader.long()?), reader.long()?);
        let mut tree =
            DataTree { last, chain, nodes: BTreeMap::new(), state: 0, ..DataTree::default() };
        for _ in 0..reader.int()? {
            let session = SessionId(reader.long()?);
            tree.open_session(
                session,
                SessionRecord { timeout_ms: reader.int()? as u32, password: reader.long()? },
            );
        }
        // Paths are sorted, so that a parent comes before its children.
        for _ in 0..reader.int()? {
            let (path, data) = (Path::from(reader.string()?), Data::from(reader.buffer()?));
            let stat = Stat::read(&mut reader)?;
            if let Some(above) = parent(&path).and_then(|parent| tree.nodes.get_mut(parent)) {
                above.children.insert(base_name(&path).into());
            }
            if stat.owner != SessionId::NONE {
                tree.ephemerals.entry(stat.owner).or_default().insert(path.clone());
            }
            let node = Znode { data, stat, children: BTreeSet::new() };
            tree.state ^= digest(&path, &node);
            tree.nodes.insert(path, node);
        }
        Some(tree)
    }

    /// The paths of a znode's children.
    pub fn child_paths(&self, path: &str) -> Vec<Path> {
        self.get(path)
            .into_iter()
            .flat_map(|node| &node.children)
            .map(|name| join(path, name))
            .collect()
    }
}

/// The three questions about a znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Is it there?
    Exists,
    /// What does it hold?
    Get,
    /// What is below it?
    Children,
}

fn digest(path: &str, node: &Znode) -> u64 {
    let mut writer = Writer(Vec::with_capacity(128));
    writer.string(path);
    writer.buffer(&node.data);
    node.stat.write(&mut writer);
    xxh3_64(&writer.0)
}

fn session_digest(session: SessionId, record: SessionRecord) -> u64 {
    let mut writer = Writer::default();
    writer.long(session.0);
    writer.int(record.timeout_ms as i32);
    writer.long(record.password);
    xxh3_64(&writer.0)
}

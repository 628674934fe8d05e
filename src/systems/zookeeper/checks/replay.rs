//! The committed transactions in their order, and the tree that they lead to, as far as the events
//! tell it.

use std::collections::{BTreeMap, BTreeSet};

use super::record::{Kind, Record};

/// A change of a znode.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub what: What,
    /// The owner of a created ephemeral, or who asked; 0 for a persistent one.
    pub session: u64,
    pub version: i64,
    pub path: &'a str,
    pub data: &'a str,
}

/// What happened to a znode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Create,
    Set,
    Delete,
}

/// A committed transaction.
#[derive(Clone, Debug, Default)]
pub struct Txn<'a> {
    /// The one before it.
    pub prev: u64,
    /// When the first server applied it.
    pub time_us: u64,
    pub changes: Vec<Change<'a>>,
    /// The session that it opens, with its time-out.
    pub opens: Option<(u64, u64)>,
    /// The session that it ends.
    pub closes: Option<u64>,
}

/// All committed transactions, by zxid.
pub type Committed<'a> = BTreeMap<u64, Txn<'a>>;

/// Collect them. Several leaders may tell of the same one; the first counts.
pub fn committed<'a>(records: &[Record<'a>]) -> Committed<'a> {
    let mut all: Committed<'a> = BTreeMap::new();
    let mut teller = BTreeMap::new();
    let mut first = |zxid: u64, record: &Record<'_>| {
        let who = (record.node, record.incarnation);
        *teller.entry(zxid).or_insert(who) == who
    };
    for record in records {
        match record.kind {
            Kind::Apply { zxid, prev, .. } => {
                all.entry(zxid).or_insert_with(|| Txn {
                    prev,
                    time_us: record.time_us,
                    ..Txn::default()
                });
            }
            Kind::Znode { zxid, change, session, version, path, data } if first(zxid, record) => {
                let what = match change {
                    "create" => What::Create,
                    "set" => What::Set,
                    "delete" => What::Delete,
                    _ => continue,
                };
                if let Some(txn) = all.get_mut(&zxid) {
                    txn.changes.push(Change { what, session, version, path, data });
                }
            }
            Kind::SessionOpen { session, timeout_us } => {
                if let Some(txn) = all.get_mut(&session) {
                    txn.opens = Some((session, timeout_us));
                }
            }
            Kind::SessionClose { zxid, session, .. } => {
                if let Some(txn) = all.get_mut(&zxid) {
                    txn.closes = Some(session);
                }
            }
            _ => {}
        }
    }
    all
}

/// A znode of the replayed tree.
#[derive(Clone, Copy, Debug)]
pub struct Znode<'a> {
    pub czxid: u64,
    pub owner: u64,
    pub version: i64,
    pub data: &'a str,
}

/// The tree, replayed.
#[derive(Clone, Debug, Default)]
pub struct Tree<'a> {
    pub znodes: BTreeMap<&'a str, Znode<'a>>,
    pub sessions: BTreeSet<u64>,
}

impl<'a> Tree<'a> {
    /// Apply a change.
    pub fn change(&mut self, zxid: u64, change: &Change<'a>) {
        match change.what {
            What::Create => {
                let znode =
                    Znode { czxid: zxid, owner: change.session, version: 0, data: change.data };
                self.znodes.insert(change.path, znode);
            }
            What::Set => {
                if let Some(znode) = self.znodes.get_mut(change.path) {
                    (znode.version, znode.data) = (change.version, change.data);
                }
            }
            What::Delete => {
                self.znodes.remove(change.path);
            }
        }
    }

    /// Apply a transaction.
    pub fn apply(&mut self, zxid: u64, txn: &Txn<'a>) {
        self.sessions.extend(txn.opens.map(|(session, _)| session));
        for change in &txn.changes {
            self.change(zxid, change);
        }
        if let Some(session) = txn.closes {
            self.sessions.remove(&session);
        }
    }

    /// The children of a znode.
    pub fn children<'t>(
        &'t self,
        parent: &'t str,
    ) -> impl Iterator<Item = (&'a str, Znode<'a>)> + 't {
        let below = move |path: &str| {
            path.strip_prefix(parent)
                .and_then(|rest| rest.strip_prefix('/'))
                .is_some_and(|rest| !rest.contains('/'))
        };
        let from = self
            .znodes
            .range::<str, _>((std::ops::Bound::Included(parent), std::ops::Bound::Unbounded));
        let all = from.take_while(move |(path, _)| path.starts_with(parent));
        all.filter(move |(path, _)| below(path)).map(|(path, znode)| (*path, *znode))
    }
}

/// The parent of a path; the root for what has none.
pub fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}

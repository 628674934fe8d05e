//! The committed transactions in their order, and the tree that they lead to, as far as the events
//! tell it.

use std::collections::{BTreeMap, BTreeSet};

use std::rc::Rc;

use super::record::{Kind, Record};
use crate::systems::zookeeper::vocabulary::{
    SessionClosed, SessionOpened, Told, ZabApply, ZnodeChange, ZnodeChanged,
};

/// A change of a znode.
#[derive(Clone, Debug)]
pub struct Change {
    pub what: ZnodeChange,
    /// The owner of a created ephemeral, or who asked; 0 for a persistent one.
    pub session: u64,
    pub version: i64,
    pub path: Rc<str>,
    pub data: Rc<str>,
}

/// A committed transaction.
#[derive(Clone, Debug, Default)]
pub struct Txn {
    /// The one before it.
    pub prev: u64,
    /// When the first server applied it.
    pub time_us: u64,
    pub changes: Vec<Change>,
    /// The session that it opens, with its time-out.
    pub opens: Option<(u64, u64)>,
    /// The session that it ends.
    pub closes: Option<u64>,
}

/// All committed transactions, by zxid.
pub type Committed = BTreeMap<u64, Txn>;

/// Collect them. Several servers may tell of the same one; the first counts.
pub fn committed(records: &[Record]) -> Committed {
    let mut all = Committed::new();
    let mut teller = BTreeMap::new();
    let mut first = |zxid: u64, record: &Record| {
        let who = (record.node, record.incarnation);
        *teller.entry(zxid).or_insert(who) == who
    };
    let nothing: Rc<str> = "".into();
    for record in records {
        let Kind::Told(told) = &record.kind else { continue };
        match *told {
            Told::ZabApply(ZabApply { zxid, prev, .. }) => {
                all.entry(zxid).or_insert_with(|| Txn {
                    prev,
                    time_us: record.time_us,
                    ..Txn::default()
                });
            }
            Told::ZnodeChanged(ZnodeChanged {
                zxid,
                change: what,
                session,
                version,
                ref path,
                ref data,
            }) if first(zxid, record) => {
                if let Some(txn) = all.get_mut(&zxid) {
                    let (path, data) = (path.clone(), data.0.as_ref().unwrap_or(&nothing).clone());
                    txn.changes.push(Change { what, session, version, path, data });
                }
            }
            Told::SessionOpened(SessionOpened { session, timeout_us }) => {
                if let Some(txn) = all.get_mut(&session) {
                    txn.opens = Some((session, timeout_us));
                }
            }
            Told::SessionClosed(SessionClosed { zxid, session, .. }) => {
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
    pub fn change(&mut self, zxid: u64, change: &'a Change) {
        match change.what {
            ZnodeChange::Create => {
                let znode =
                    Znode { czxid: zxid, owner: change.session, version: 0, data: &change.data };
                self.znodes.insert(&change.path, znode);
            }
            ZnodeChange::Set => {
                if let Some(znode) = self.znodes.get_mut(&*change.path) {
                    (znode.version, znode.data) = (change.version, &*change.data);
                }
            }
            ZnodeChange::Delete => {
                self.znodes.remove(&*change.path);
            }
        }
    }

    /// Apply a transaction.
    pub fn apply(&mut self, zxid: u64, txn: &'a Txn) {
        for change in &txn.changes {
            self.change(zxid, change);
        }
        self.sessions.extend(txn.opens.map(|(session, _)| session));
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

//! From a request to a transaction: the leader decides, against the state that all its proposals so
//! far lead to.
//!
//! Between a proposal and its commitment, others are prepared already. They must see each other's
//! effects, or two clients could both set "if the version is 3". So the leader keeps a second tree,
//! `prepared`, which is ahead of the committed one by what is under way.

use std::rc::Rc;

use super::defects::{Defect, Planted};
use super::request::{ANY_VERSION, Op, Path, is_path, parent};
use super::tree::{DataTree, Znode};
use super::txn::{Change, Entry, Txn};
use super::types::{ErrorCode, SessionId, Zxid};

/// What a write becomes.
pub fn prepare(tree: &DataTree, planted: Planted, session: SessionId, op: &Op) -> Txn {
    if !tree.sessions().contains_key(&session) {
        return Txn::Error(ErrorCode::SessionExpired);
    }
    let changes = match op {
        Op::Close => return Txn::CloseSession,
        Op::Sync => return Txn::Sync,
        Op::Multi(ops) => return prepare_multi(tree, planted, session, ops),
        op => change(tree, planted, session, op),
    };
    match changes {
        Ok(change) => Txn::Changes { changes: vec![change], multi: false },
        Err(code) => Txn::Error(code),
    }
}

/// All or nothing: each part sees the effects of those before it, on a copy that is thrown away.
fn prepare_multi(tree: &DataTree, planted: Planted, session: SessionId, ops: &[Op]) -> Txn {
    let mut trial = tree.clone();
    let scratch = Entry::new(Zxid(u64::MAX), session, 0, 0, Txn::Sync);
    let mut changes = Vec::new();
    for op in ops {
        match change(&trial, planted, session, op) {
            Ok(change) => {
                trial.change(&scratch, &change, &mut Vec::new());
                changes.push(change);
            }
            Err(code) if !planted.plants(Defect::MultiInParts) => return Txn::Error(code),
            Err(_) => {}
        }
    }
    Txn::Changes { changes, multi: true }
}

fn change(
    tree: &DataTree,
    planted: Planted,
    session: SessionId,
    op: &Op,
) -> Result<Change, ErrorCode> {
    match op {
        Op::Create { path, data, mode } => {
            // A sequential znode may have an empty name: the number is name enough.
            let stem = if mode.is_sequential() { format!("{path}0") } else { path.to_string() };
            let above = parent(&stem).filter(|_| is_path(&stem)).ok_or(ErrorCode::BadArguments)?;
            let node = tree.get(above).ok_or(ErrorCode::NoNode)?;
            let is_ephemeral = !node.stat.owner.is_none();
            if is_ephemeral && !planted.plants(Defect::ChildrenOfEphemerals) {
                return Err(ErrorCode::NoChildrenForEphemerals);
            }
            let path = if mode.is_sequential() {
                Path::from(format!("{path}{:010}", next_number(planted, node)))
            } else {
                path.clone()
            };
            if tree.get(&path).is_some() {
                return Err(ErrorCode::NodeExists);
            }
            let owner = if mode.is_ephemeral() { session } else { SessionId::NONE };
            Ok(Change::Create {
                path,
                data: data.clone(),
                owner,
                parent_cversion: node.stat.cversion + 1,
            })
        }
        Op::Delete { path, version } => {
            let node = checked(tree, planted, path, *version)?;
            if &**path == "/" {
                return Err(ErrorCode::BadArguments);
            }
            if !node.children.is_empty() {
                return Err(ErrorCode::NotEmpty);
            }
            Ok(Change::Delete { path: path.clone() })
        }
        Op::Set { path, data, version } => {
            let node = checked(tree, planted, path, *version)?;
            Ok(Change::Set {
                path: path.clone(),
                data: data.clone(),
                version: node.stat.version + 1,
            })
        }
        Op::Check { path, version } => {
            checked(tree, planted, path, *version).map(|_| Change::Checked)
        }
        _ => Err(ErrorCode::BadArguments),
    }
}

/// The number of the next sequential child: of all children that there ever were, so that none is
/// given twice.
fn next_number(planted: Planted, parent: &Znode) -> i32 {
    let (ever, present) = (parent.stat.cversion, parent.children.len() as i32);
    if present != ever && planted.plants(Defect::SequenceFromChildren) { present } else { ever }
}

/// The znode, if it has the version asked for.
fn checked<'a>(
    tree: &'a DataTree,
    planted: Planted,
    path: &Rc<str>,
    version: i32,
) -> Result<&'a Znode, ErrorCode> {
    let node = tree.get(path).ok_or(ErrorCode::NoNode)?;
    let fits = version == ANY_VERSION || version == node.stat.version;
    if !fits && !planted.plants(Defect::VersionIgnored) {
        return Err(ErrorCode::BadVersion);
    }
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systems::zookeeper::request::{Answer, CreateMode, Outcome};

    /// A tree with one session, and the number of its last transaction.
    struct Leader {
        tree: DataTree,
        session: SessionId,
        last: u64,
    }

    impl Leader {
        fn new() -> Leader {
            let mut leader = Leader { tree: DataTree::default(), session: SessionId(1), last: 0 };
            leader
                .commit(Txn::OpenSession { timeout_ms: 1_000, password: 7 })
                .expect("a session can be opened");
            leader
        }

        fn commit(&mut self, txn: Txn) -> Outcome {
            self.last += 1;
            let entry = Entry::new(Zxid(self.last), self.session, 0, 0, txn);
            self.tree.apply(&entry, Planted::default(), true).0
        }

        fn ask(&mut self, op: &Op) -> Outcome {
            let txn = prepare(&self.tree, Planted::default(), self.session, op);
            self.commit(txn)
        }
    }

    fn create(path: &str, mode: CreateMode) -> Op {
        Op::Create { path: path.into(), data: b"x"[..].into(), mode }
    }

    /// The number counts the children that ever were, so that one that was removed is not given
    /// again.
    #[test]
    fn sequence_numbers_are_never_given_twice() {
        let mut leader = Leader::new();
        let first = leader.ask(&create("/n_", CreateMode::PersistentSequential));
        assert_eq!(first, Ok(Answer::Created("/n_0000000000".into())));
        leader
            .ask(&Op::Delete { path: "/n_0000000000".into(), version: ANY_VERSION })
            .expect("it is there");
        let second = leader.ask(&create("/n_", CreateMode::PersistentSequential));
        assert_eq!(second, Ok(Answer::Created("/n_0000000001".into())));
    }

    /// The second part fails, so the first one must not happen, although it could.
    #[test]
    fn a_multi_is_all_or_nothing() {
        let mut leader = Leader::new();
        let outcome = leader.ask(&Op::Multi(vec![
            create("/a", CreateMode::Persistent),
            create("/b/c", CreateMode::Persistent),
        ]));
        assert_eq!(outcome, Err(ErrorCode::NoNode));
        assert!(leader.tree.get("/a").is_none());
        let outcome = leader.ask(&Op::Multi(vec![
            create("/b", CreateMode::Persistent),
            create("/b/c", CreateMode::Persistent),
        ]));
        assert!(outcome.is_ok() && leader.tree.get("/b/c").is_some());
    }

    /// The end of a session takes its znodes with it, and the digest of the state goes back to what
    /// it was without them.
    #[test]
    fn ephemerals_go_with_their_session() {
        let mut leader = Leader::new();
        leader.ask(&create("/e", CreateMode::Ephemeral)).expect("the path is free");
        assert_eq!(
            leader.ask(&create("/e/below", CreateMode::Persistent)),
            Err(ErrorCode::NoChildrenForEphemerals)
        );
        let session = leader.session;
        leader.ask(&Op::Close).expect("it is open");
        assert!(leader.tree.get("/e").is_none() && leader.tree.ephemerals_of(session).is_empty());
        assert_eq!(
            leader.ask(&create("/f", CreateMode::Persistent)),
            Err(ErrorCode::SessionExpired)
        );
    }

    /// A snapshot holds everything: the tree that is read back goes on like the other one.
    #[test]
    fn a_tree_survives_its_snapshot() {
        let mut leader = Leader::new();
        leader.ask(&create("/a", CreateMode::Persistent)).expect("the path is free");
        leader.ask(&create("/a/e_", CreateMode::EphemeralSequential)).expect("the path is free");
        let bytes = leader.tree.encode();
        assert_eq!(DataTree::decode(&bytes).as_ref(), Some(&leader.tree));
        assert_eq!(DataTree::decode(&bytes[1..]), None);
    }
}

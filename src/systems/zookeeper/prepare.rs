//! From a request to a transaction: the leader decides, against the state that all its proposals so far lead to.
//!
//! Between a proposal and its commitment, others are prepared already. They must see each other's effects, or two clients could both set "if the
//! version is 3". So the leader keeps a second tree, `prepared`, which is ahead of the committed one by what is under way.

use std::rc::Rc;

use super::defects::Rules;
use super::request::{ANY_VERSION, Op, Path, is_path, parent};
use super::tree::{DataTree, Znode};
use super::txn::{Change, Entry, Txn};
use super::types::{ErrorCode, SessionId, Zxid};

/// What a write becomes.
pub fn prepare(tree: &DataTree, rules: Rules, session: SessionId, op: &Op) -> Txn {
    if !tree.sessions().contains_key(&session) {
        return Txn::Error(ErrorCode::SessionExpired);
    }
    let changes = match op {
        Op::Close => return Txn::CloseSession,
        Op::Sync => return Txn::Sync,
        Op::Multi(ops) => return prepare_multi(tree, rules, session, ops),
        op => change(tree, rules, session, op),
    };
    match changes {
        Ok(change) => Txn::Changes { changes: vec![change], multi: false },
        Err(code) => Txn::Error(code),
    }
}

/// All or nothing: each part sees the effects of those before it, on a copy that is thrown away.
fn prepare_multi(tree: &DataTree, rules: Rules, session: SessionId, ops: &[Op]) -> Txn {
    let mut trial = tree.clone();
    let scratch = Entry::new(Zxid(u64::MAX), session, 0, 0, Txn::Sync);
    let mut changes = Vec::new();
    for op in ops {
        match change(&trial, rules, session, op) {
            Ok(change) => {
                trial.change(&scratch, &change, &mut Vec::new());
                changes.push(change);
            }
            Err(code) if rules.multi_stops_at_error() => return Txn::Error(code),
            Err(_) => {}
        }
    }
    Txn::Changes { changes, multi: true }
}

fn change(tree: &DataTree, rules: Rules, session: SessionId, op: &Op) -> Result<Change, ErrorCode> {
    match op {
        Op::Create { path, data, mode } => {
            // A sequential znode may have an empty name: the number is name enough.
            let stem = if mode.is_sequential() { format!("{path}0") } else { path.to_string() };
            let above = parent(&stem).filter(|_| is_path(&stem)).ok_or(ErrorCode::BadArguments)?;
            let node = tree.get(above).ok_or(ErrorCode::NoNode)?;
            if node.stat.owner != SessionId::NONE && rules.ephemerals_are_leaves() {
                return Err(ErrorCode::NoChildrenForEphemerals);
            }
            let number = rules.next_number(node);
            let path = if mode.is_sequential() { Path::from(format!("{path}{number:010}")) } else { path.clone() };
            if tree.get(&path).is_some() {
                return Err(ErrorCode::NodeExists);
            }
            let owner = if mode.is_ephemeral() { session } else { SessionId::NONE };
            Ok(Change::Create { path, data: data.clone(), owner, parent_cversion: node.stat.cversion + 1 })
        }
        Op::Delete { path, version } => {
            let node = checked(tree, rules, path, *version)?;
            if &**path == "/" {
                return Err(ErrorCode::BadArguments);
            }
            if !node.children.is_empty() {
                return Err(ErrorCode::NotEmpty);
            }
            Ok(Change::Delete { path: path.clone() })
        }
        Op::Set { path, data, version } => {
            let node = checked(tree, rules, path, *version)?;
            Ok(Change::Set { path: path.clone(), data: data.clone(), version: node.stat.version + 1 })
        }
        Op::Check { path, version } => checked(tree, rules, path, *version).map(|_| Change::Checked),
        _ => Err(ErrorCode::BadArguments),
    }
}

/// The znode, if it has the version asked for.
fn checked<'a>(tree: &'a DataTree, rules: Rules, path: &Rc<str>, version: i32) -> Result<&'a Znode, ErrorCode> {
    let node = tree.get(path).ok_or(ErrorCode::NoNode)?;
    if version != ANY_VERSION && version != node.stat.version && rules.versions_are_compared() {
        return Err(ErrorCode::BadVersion);
    }
    Ok(node)
}

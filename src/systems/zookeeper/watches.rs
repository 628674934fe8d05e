//! Watches that a server keeps for the clients connected to it. Each tells once.

use std::collections::{BTreeMap, BTreeSet};

use super::defects::{Defect, Planted};
use super::message::ConnectionId;
use super::request::{Path, WatchEventKind, parent};
use super::tree::Trigger;

type Table = BTreeMap<Path, BTreeSet<ConnectionId>>;

/// The watches, by znode.
#[derive(Clone, Debug, Default)]
pub struct Watches {
    /// For the znode itself: it is made, changed, removed.
    data: Table,
    /// For the set of its children.
    children: Table,
}

/// What is to be told to whom.
pub type Firing = (ConnectionId, WatchEventKind, Path);

impl Watches {
    /// Watch a znode, whether it is there or not.
    pub fn watch_data(&mut self, path: &Path, client: ConnectionId) {
        self.data.entry(path.clone()).or_default().insert(client);
    }

    /// Watch a znode's children.
    pub fn watch_children(&mut self, path: &Path, client: ConnectionId) {
        self.children.entry(path.clone()).or_default().insert(client);
    }

    /// A client is gone.
    pub fn forget(&mut self, client: ConnectionId) {
        for table in [&mut self.data, &mut self.children] {
            table.retain(|_, clients| {
                clients.remove(&client);
                !clients.is_empty()
            });
        }
    }

    /// Takes the watches that a change triggers: a watch is a one-time trigger.
    pub fn trigger(&mut self, planted: Planted, trigger: &Trigger) -> Vec<Firing> {
        let Trigger { kind, path } = trigger;
        let take = |table: &mut Table, path: &str| {
            let Some(clients) = table.remove(path) else { return BTreeSet::new() };
            if planted.plants(Defect::WatchStays) {
                table.insert(path.into(), clients.clone());
            }
            clients
        };
        let mut firings: Vec<Firing> = Vec::new();
        let mut told = take(&mut self.data, path);
        if *kind == WatchEventKind::Deleted {
            // A client that watches both is told once.
            told.extend(take(&mut self.children, path));
        }
        firings.extend(told.into_iter().map(|client| (client, *kind, path.clone())));
        if *kind != WatchEventKind::DataChanged
            && let Some(above) = parent(path)
        {
            let watching = take(&mut self.children, above);
            firings.extend(
                watching
                    .into_iter()
                    .map(|client| (client, WatchEventKind::ChildrenChanged, Path::from(above))),
            );
        }
        firings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A watch tells of the first change only; the parent's watchers hear of a child that goes, not
    /// of one that changes.
    #[test]
    fn a_watch_tells_once() {
        let mut watches = Watches::default();
        let (path, above, client) = (Path::from("/a/b"), Path::from("/a"), ConnectionId(1));
        watches.watch_data(&path, client);
        watches.watch_children(&above, client);
        let change = Trigger { kind: WatchEventKind::DataChanged, path: path.clone() };
        assert_eq!(
            watches.trigger(Planted::default(), &change),
            [(client, WatchEventKind::DataChanged, path.clone())]
        );
        assert_eq!(watches.trigger(Planted::default(), &change), []);
        let gone = Trigger { kind: WatchEventKind::Deleted, path };
        assert_eq!(
            watches.trigger(Planted::default(), &gone),
            [(client, WatchEventKind::ChildrenChanged, above)]
        );
    }
}

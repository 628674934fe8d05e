//! The directory's tables as a sequential object: users, who is connected where, and what each has
//! published.
//!
//! The whole meaning of the services is here, and nothing of streams, disks or time: one operation
//! after the other, each with its status.

use std::collections::BTreeMap;

use super::defects::{Defect, Planted, TablesDefectState};
use super::service::{Operation, Reply, Service, good_name, good_text};

/// Where a user can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The node, by name.
    pub host: String,
    /// The port that it listens on.
    pub port: u16,
}

/// A registered user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Where it is connected, if it is.
    pub address: Option<Address>,
    /// What it has published: descriptions by file. Invariant: empty unless connected.
    pub files: BTreeMap<String, String>,
}

/// All users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    users: BTreeMap<String, User>,
    /// How many of them are connected, kept so that asking costs the same with ten users and with a
    /// thousand. Invariant: at most as many as are registered.
    connected: usize,
    /// How many files they have published.
    published: usize,
    planted: Planted,
    defect: TablesDefectState,
}

impl Tables {
    /// Nobody is registered.
    pub fn new(planted: Planted) -> Tables {
        Tables { planted, ..Tables::default() }
    }

    fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    /// A user, if it is registered.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.get(name)
    }

    /// Who is connected, and where.
    pub fn connected(&self) -> impl Iterator<Item = (&String, &Address)> {
        self.users.iter().filter_map(|(name, user)| Some((name, user.address.as_ref()?)))
    }

    /// How many users are registered, how many of them are connected, and how many files they have
    /// published.
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.users.len(), self.connected, self.published)
    }

    /// Change what belongs to one user, and count again what does.
    fn counting<T>(&mut self, name: &str, change: impl FnOnce(&mut Tables) -> T) -> T {
        let (connected, published) = self.counts_of(name);
        let result = change(self);
        let (connected_now, published_now) = self.counts_of(name);
        assert!(
            connected_now == 1 || published_now == 0 || self.planted.holds(Defect::GhostFiles),
            "{name} is not connected and has published {published_now} files"
        );
        self.connected = self.connected + connected_now - connected;
        self.published = self.published + published_now - published;
        assert!(
            self.connected <= self.users.len(),
            "{} of {} users are connected",
            self.connected,
            self.users.len()
        );
        result
    }

    fn counts_of(&self, name: &str) -> (usize, usize) {
        self.users
            .get(name)
            .map_or((0, 0), |user| (usize::from(user.address.is_some()), user.files.len()))
    }

    /// A connection ends without its user: its lease has ended. What was published is forgotten, as
    /// if the user had disconnected.
    pub fn expire(&mut self, name: &str) {
        self.counting(name, |tables| {
            if let Some(user) = tables.users.get_mut(name) {
                (user.address, user.files) = (None, BTreeMap::new());
            }
        });
    }

    /// Do what a request from this host asks.
    pub fn execute(&mut self, host: &str, operation: &Operation) -> Reply {
        let fail = operation.service.fail();
        if !well_named(operation) {
            return Reply::status(fail);
        }
        let reply = self.counting(operation.user(), |tables| tables.execute_named(host, operation));
        if reply.status != 0 && reply.status != fail && self.plants(Defect::OneErrorCode) {
            return Reply::status(fail);
        }
        reply
    }

    fn execute_named(&mut self, host: &str, operation: &Operation) -> Reply {
        match operation.service {
            Service::Register => Reply::status(self.register(operation.user())),
            Service::Unregister => Reply::status(self.unregister(operation.user())),
            Service::Connect => Reply::status(self.connect(host, operation)),
            Service::Disconnect => Reply::status(self.disconnect(host, operation.user())),
            Service::Publish => Reply::status(self.publish(host, operation)),
            Service::Delete => Reply::status(self.delete(host, operation)),
            Service::ListUsers => self.list_users(host, operation.user()),
            Service::ListContent => self.list_content(host, operation),
            Service::GetFile => Reply::status(operation.service.fail()),
        }
    }

    fn register(&mut self, name: &str) -> u8 {
        if self.users.contains_key(name) {
            return 1;
        }
        self.users.insert(name.to_owned(), User::default());
        0
    }

    fn unregister(&mut self, name: &str) -> u8 {
        self.defect.unregistered(name);
        u8::from(self.users.remove(name).is_none())
    }

    fn connect(&mut self, host: &str, operation: &Operation) -> u8 {
        let Ok(port) = operation.argument().parse() else { return Service::Connect.fail() };
        let planted = self.planted;
        match self.users.get_mut(operation.user()) {
            None => 1,
            Some(user) if user.address.is_some() && !planted.plants(Defect::DoubleConnect) => 2,
            Some(user) => {
                user.address = Some(Address { host: host.to_owned(), port });
                if planted.holds(Defect::FirstAddress) {
                    self.defect.connected(operation.user(), port);
                }
                0
            }
        }
    }

    fn disconnect(&mut self, host: &str, name: &str) -> u8 {
        let planted = self.planted;
        match self.changing(host, name) {
            Err(status) => status,
            Ok(user) => {
                user.address = None;
                if !user.files.is_empty() && !planted.plants(Defect::GhostFiles) {
                    user.files.clear();
                }
                0
            }
        }
    }

    fn publish(&mut self, host: &str, operation: &Operation) -> u8 {
        let description = operation.strings.get(2).cloned().unwrap_or_default();
        match self.changing(host, operation.user()) {
            Err(status) => status,
            Ok(user) if user.files.contains_key(operation.file()) => 3,
            Ok(user) => {
                user.files.insert(operation.file().to_owned(), description);
                0
            }
        }
    }

    fn delete(&mut self, host: &str, operation: &Operation) -> u8 {
        match self.changing(host, operation.user()) {
            Err(status) => status,
            Ok(user) => match user.files.remove(operation.file()) {
                Some(_) => 0,
                None => 3,
            },
        }
    }

    fn list_users(&self, host: &str, name: &str) -> Reply {
        if let Err(status) = self.asking(host, name) {
            return Reply::status(status);
        }
        let listed_port =
            |name: &str, address: &Address| match self.defect.other_port(name, address.port) {
                Some(first) if self.plants(Defect::FirstAddress) => first,
                _ => address.port,
            };
        let lines = self.connected().flat_map(|(name, address)| {
            [name.clone(), address.host.clone(), listed_port(name, address).to_string()]
        });
        Reply { status: 0, items: lines.collect() }
    }

    fn list_content(&self, host: &str, operation: &Operation) -> Reply {
        if let Err(status) = self.asking(host, operation.user()) {
            return Reply::status(status);
        }
        match self.users.get(operation.argument()) {
            None => Reply::status(3),
            Some(user) => Reply { status: 0, items: user.files.keys().cloned().collect() },
        }
    }

    /// The user in whose name a host asks for a list: see [`may_act`].
    fn asking(&self, host: &str, name: &str) -> Result<&User, u8> {
        let user = self.users.get(name).ok_or(1)?;
        if may_act(user, host) { Ok(user) } else { Err(2) }
    }

    /// The user in whose name a host changes something: see [`may_act`].
    fn changing(&mut self, host: &str, name: &str) -> Result<&mut User, u8> {
        let planted = self.planted;
        let user = self.users.get_mut(name).ok_or(1)?;
        let may = may_act(user, host) || user.address.is_some() && planted.plants(Defect::AnyHost);
        if may { Ok(user) } else { Err(2) }
    }
}

/// A host may act in a user's name if the user is connected, and from that host. Anybody else that
/// gives the name is told that the user is not connected.
fn may_act(user: &User, host: &str) -> bool {
    user.address.as_ref().is_some_and(|address| address.host == host)
}

/// Whether all names of an operation can be names, and its description one.
fn well_named(operation: &Operation) -> bool {
    let argument = match operation.service {
        Service::Publish => {
            good_name(operation.argument())
                && operation.strings.get(2).is_some_and(|text| good_text(text))
        }
        Service::Delete | Service::ListContent => good_name(operation.argument()),
        _ => true,
    };
    good_name(operation.user()) && argument
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tables: &mut Tables, host: &str, service: Service, strings: &[&str]) -> u8 {
        let operation =
            Operation { service, strings: strings.iter().map(ToString::to_string).collect() };
        tables.execute(host, &operation).status
    }

    /// Every line of the table that the directory answers, in an order in which each status comes
    /// up.
    #[test]
    fn the_table_of_the_assignment() {
        use Service::*;
        let long = "n".repeat(256);
        let lines: &[(&str, Service, &[&str], u8)] = &[
            ("p1", Register, &["alice"], 0),
            ("p1", Register, &["alice"], 1),
            ("p1", Register, &[&long], 2),
            ("p1", Unregister, &["bob"], 1),
            ("p1", Unregister, &[&long], 2),
            ("p1", Connect, &["bob", "4000"], 1),
            ("p1", Disconnect, &["bob"], 1),
            ("p1", Disconnect, &["alice"], 2),
            ("p1", Publish, &["bob", "f", "d"], 1),
            ("p1", Publish, &["alice", "f", "d"], 2),
            ("p1", ListUsers, &["bob"], 1),
            ("p1", ListUsers, &["alice"], 2),
            ("p1", Connect, &["alice", "4000"], 0),
            ("p1", Connect, &["alice", "4000"], 2),
            ("p1", Connect, &[&long, "4000"], 3),
            ("p1", Publish, &["alice", "f", "d"], 0),
            ("p1", Publish, &["alice", "f", "d"], 3),
            ("p1", Publish, &["alice", &long, "d"], 4),
            ("p1", Delete, &["bob", "f"], 1),
            ("p1", Delete, &["alice", "g"], 3),
            ("p1", Delete, &["alice", &long], 4),
            ("p1", ListUsers, &["alice"], 0),
            ("p1", ListContent, &["alice", "carol"], 3),
            ("p1", ListContent, &["alice", "alice"], 0),
            ("p1", ListContent, &["bob", "alice"], 1),
            ("p1", Delete, &["alice", "f"], 0),
            ("p2", Delete, &["alice", "f"], 2),
            ("p2", Disconnect, &["alice"], 2),
            ("p1", Disconnect, &["alice"], 0),
            ("p1", ListContent, &["alice", "alice"], 2),
            ("p1", Unregister, &["alice"], 0),
        ];
        let mut tables = Tables::default();
        for (at, (host, service, strings, status)) in lines.iter().enumerate() {
            assert_eq!(
                run(&mut tables, host, *service, strings),
                *status,
                "line {}: {} {strings:?}",
                at + 1,
                service.word()
            );
            let published: usize = tables.users.values().map(|user| user.files.len()).sum();
            assert_eq!(
                tables.counts(),
                (tables.users.len(), tables.connected().count(), published),
                "after line {}",
                at + 1
            );
        }
    }

    /// A name that is given up and taken again has published nothing.
    #[test]
    fn nothing_is_left_of_a_connection_that_ended() {
        use Service::*;
        let mut tables = Tables::default();
        for end in [Disconnect, Unregister] {
            run(&mut tables, "p1", Register, &["alice"]);
            run(&mut tables, "p1", Connect, &["alice", "4000"]);
            run(&mut tables, "p1", Publish, &["alice", "f", "d"]);
            assert_eq!(run(&mut tables, "p1", end, &["alice"]), 0);
            run(&mut tables, "p2", Register, &["alice"]);
            run(&mut tables, "p2", Connect, &["alice", "4001"]);
            assert!(tables.user("alice").expect("registered").files.is_empty());
            run(&mut tables, "p2", Disconnect, &["alice"]);
        }
    }
}

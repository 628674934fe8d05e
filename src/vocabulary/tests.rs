//! The macros of the vocabulary, with a small one of their own.

use super::*;

words! {
    /// What a server is.
    pub enum Role {
        /// It follows.
        Follower "follower",
        /// It leads.
        Leader "leader",
    }
}

events! {
    /// The commit index has
    /// advanced.
    Commit "commit" {
        /// Up to this entry.
        index: u64,
        role: Role,
        voted_for: Option<NodeId>,
        digest: Optional<Digest64>,
    }
    /// Nothing more is known.
    Start "start" {}
}

metrics! {
    /// What a server shows.
    pub struct ServerMetrics {
        /// What the server is.
        role: Role,
        /// Its latest term.
        current_term: u64,
    }
}

messages! {
    /// What servers say.
    #[derive(Clone, Debug)]
    #[allow(dead_code, reason = "only the names are looked at")]
    pub enum Message {
        /// A candidate asks.
        RequestVote { term: u64 },
        /// A voter answers.
        Response(u64, bool),
        /// Nothing is asked.
        Ping,
    }
}

fn commit() -> Commit {
    Commit { index: 7, role: Role::Leader, voted_for: None, digest: Optional(Some(Digest64(9))) }
}

/// What is emitted reads back as it was, whether the names of the fields are those of the
/// program or come from a file in another order.
#[test]
fn an_event_survives_the_trace() {
    let fields = Fields::new(Commit::FIELDS, &commit().values());
    assert_eq!(Commit::read(&fields), Some(commit()));
    let names = ["digest", "voted_for", "role", "index"].map(String::from).to_vec();
    let mut values = commit().values();
    values.reverse();
    let read = Told::read("commit", &Fields::owned(names, values));
    assert_eq!(read, Some(Told::Commit(commit())));
}

/// An event without a field is not read, unless the declaration says that it may be missing; nor is
/// a field of another kind.
#[test]
fn a_field_must_fit() {
    let none = Value::word("none");
    let read = |names: &'static [&'static str], values: &[Value]| {
        Commit::read(&Fields::new(names, values))
    };
    let fields = ["index", "role", "voted_for"];
    let whole = read(
        &["index", "role", "voted_for"],
        &[Value::Int(7), Value::word("leader"), none.clone()],
    );
    assert_eq!(whole, Some(Commit { digest: Optional(None), ..commit() }), "{fields:?}");
    assert_eq!(read(&["index", "role"], &[Value::Int(7), Value::word("leader")]), None);
    let wrong = [Value::Int(7), Value::word("king"), none];
    assert_eq!(read(&["index", "role", "voted_for"], &wrong), None);
    assert_eq!(Told::read("comit", &Fields::default()), None);
    assert_eq!(Told::read("start", &Fields::default()), Some(Told::Start(Start {})));
}

/// The texts are those of the doc comments.
#[test]
fn texts_come_from_the_declaration() {
    assert_eq!(EVENTS[0].summary, "The commit index has advanced.");
    assert_eq!(EVENTS[0].fields[0].summary, "Up to this entry.");
    assert_eq!(EVENTS[0].fields[1].kind.describe(), "follower | leader");
    assert!(EVENTS[0].fields[3].optional && !EVENTS[0].fields[0].optional);
    assert_eq!(ServerMetrics::INFO[1].summary, "Its latest term.");
    assert_eq!(Message::SHOWN[1].name, "Response");
    assert_eq!(Message::Ping.kind_name(), "Ping");
    assert_eq!(Message::RequestVote { term: 1 }.kind_name(), "RequestVote");
}

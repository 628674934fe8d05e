//! The library's database as a state machine: the same statements in the same order make the same
//! tables everywhere.
//!
//! Sessions, books and requests; whatever happens here depends on the statements alone, not on a
//! clock, a server or chance.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use serde::{Deserialize, Serialize};

use super::defects::{Defect, Planted};
use crate::codec::{Reader, Writer};
use crate::node::NodeId;

/// What a statement asks of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A book for the client: this one if it is still there, else the next.
    Ask { wish: u8 },
    /// The server has given this book of its own to the client.
    Grant { session: u32, book: u8 },
    /// Begin the session after this one, if that has ended or (`forced`) even if not.
    Open { after: u32, forced: bool },
}

/// A statement with all that stands in the tables. For a server's own statements it is the client,
/// with serial 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    pub server: NodeId,
    pub client: NodeId,
    pub serial: u64,
    /// The server's hour, µs since 1970.
    pub hour_us: i64,
    pub body: Body,
}

/// What a user is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Book {
        session: u32,
        book: u8,
    },
    /// All books of this session are given out.
    NoneLeft {
        session: u32,
    },
    /// A session has begun.
    Opened {
        session: u32,
    },
    /// This server has none; that one may have.
    Elsewhere(NodeId),
}

impl Statement {
    /// As bytes.
    pub fn encode<'w>(&self, writer: &'w mut Writer) -> &'w mut Writer {
        let (kind, a, b) = match self.body {
            Body::Ask { wish } => (0, 0, wish),
            Body::Grant { session, book } => (1, session, book),
            Body::Open { after, forced } => (2, after, u8::from(forced)),
        };
        writer
            .i64(self.server.0.into())
            .i64(self.client.0.into())
            .i64(self.serial as i64)
            .i64(self.hour_us)
            .byte(kind)
            .i64(a.into())
            .byte(b)
    }

    /// From bytes.
    pub fn decode(reader: &mut Reader<'_>) -> Option<Statement> {
        let (server, client) = (NodeId(reader.i64()? as u32), NodeId(reader.i64()? as u32));
        let (serial, hour_us) = (reader.i64()? as u64, reader.i64()?);
        let (kind, a, b) = (reader.byte()?, reader.i64()? as u32, reader.byte()?);
        let body = match kind {
            0 => Body::Ask { wish: b },
            1 => Body::Grant { session: a, book: b },
            _ => Body::Open { after: a, forced: b != 0 },
        };
        Some(Statement { server, client, serial, hour_us, body })
    }

    /// What the queue knows it by: the same statement, sent again, is the same.
    pub fn digest(&self) -> u64 {
        xxh3_64(&self.encode(&mut Writer::default()).0)
    }

    /// `ask`, `grant` or `open`.
    pub fn kind(&self) -> &'static str {
        match self.body {
            Body::Ask { .. } => "ask",
            Body::Grant { .. } => "grant",
            Body::Open { .. } => "open",
        }
    }
}

/// What a statement has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Whether a book was given or a session begun.
    pub effect: bool,
    pub session: u32,
    pub book: u8,
    pub answer: Option<Answer>,
    /// A session that has ended: how many books it gave out, and why.
    pub ended: Option<(u32, usize, &'static str)>,
    /// A session that has begun.
    pub opened: Option<u32>,
}

/// Some of the books, a bit for each: every server looks for a free one with every statement, and
/// shows after every step how many are left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Books([u64; 4]);

impl Books {
    fn insert(&mut self, book: u8) {
        self.0[usize::from(book / 64)] |= 1 << (book % 64);
    }

    fn len(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn without(self, others: Books) -> Books {
        let mut rest = self;
        rest.0.iter_mut().zip(others.0).for_each(|(word, others)| *word &= !others);
        rest
    }

    /// The first one that is not before `book`.
    fn first_from(self, book: u8) -> Option<u8> {
        let at = usize::from(book / 64);
        let first = self.0[at] & (u64::MAX << (book % 64));
        let words = std::iter::once(first).chain(self.0[at + 1..].iter().copied());
        let found = words.zip((at as u32)..).find(|(word, _)| *word != 0);
        found.and_then(|(word, at)| u8::try_from(at * 64 + word.trailing_zeros()).ok())
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Library {
    /// All books of a session.
    books: Books,
    planted: Planted,
    /// Statements so far.
    pub position: u64,
    /// The session. Invariant: all sessions before it have ended.
    pub session: u32,
    /// Whether it has ended too: its last book is given out.
    pub ended: bool,
    /// Books of this session that are given out. Invariant: all of them, once it has ended.
    taken: Books,
    /// `pedido`: session, book, user, serial number.
    requests: BTreeSet<(u32, u8, NodeId, u64)>,
    /// The last request of each user, with its answer.
    last: BTreeMap<NodeId, (u64, Answer)>,
}

impl Library {
    /// The first session, with all its books.
    pub fn new(books: u8, planted: Planted) -> Library {
        let mut all = Books::default();
        (1..=books).for_each(|book| all.insert(book));
        let (taken, requests, last) = (Books::default(), BTreeSet::new(), BTreeMap::new());
        Library {
            books: all,
            planted,
            position: 0,
            session: 1,
            ended: false,
            taken,
            requests,
            last,
        }
    }

    /// Books of this session that are not given out.
    pub fn free(&self) -> impl Iterator<Item = u8> + use<> {
        let free = self.books.without(self.taken);
        std::iter::successors(free.first_from(0), move |book| free.first_from(book.checked_add(1)?))
    }

    /// How many there are.
    pub fn left(&self) -> usize {
        self.books.without(self.taken).len()
    }

    /// Whether it holds this request.
    pub fn holds(&self, session: u32, book: u8, client: NodeId, serial: u64) -> bool {
        self.requests.contains(&(session, book, client, serial))
    }

    /// The last request of a user.
    pub fn last(&self, client: NodeId) -> Option<(u64, Answer)> {
        self.last.get(&client).copied()
    }

    /// The next statement of the queue.
    pub fn apply(&mut self, statement: &Statement) -> Applied {
        self.position += 1;
        let (client, serial) = (statement.client, statement.serial);
        let from_user = client != statement.server;
        if let (Body::Ask { .. } | Body::Open { .. }, Some((last, answer))) =
            (statement.body, self.last(client))
            && from_user
            && serial <= last
            && !self.planted.plants(Defect::NoDuplicateDetection)
        {
            let answer = (serial == last).then_some(answer);
            return Applied { session: self.session, answer, ..Applied::default() };
        }
        let mut applied = match statement.body {
            Body::Ask { wish } => self.ask(wish),
            Body::Grant { session, book } => self.grant(session, book, client, serial),
            Body::Open { after, forced } => self.open(after, forced),
        };
        if let Some(Answer::Book { session, book }) = applied.answer {
            self.requests.insert((session, book, client, serial));
            if session == self.session && !self.ended {
                self.taken.insert(book);
                let kept = self.books.len().saturating_sub(1).max(1);
                if self.taken.len() == self.books.len()
                    || (self.taken.len() == kept && self.planted.plants(Defect::LastBookKept))
                {
                    self.ended = true;
                    applied.ended = Some((session, self.taken.len(), "all_given"));
                }
            }
        }
        if let Some(answer) = applied
            .answer
            .filter(|_| from_user && self.last(client).is_none_or(|(last, _)| last <= serial))
        {
            self.last.insert(client, (serial, answer));
        }
        applied
    }

    fn ask(&self, wish: u8) -> Applied {
        let session = self.session;
        let free = self.books.without(self.taken);
        let book = free.first_from(wish).or_else(|| free.first_from(0));
        let Some(book) = book.filter(|_| !self.ended) else {
            return Applied {
                session,
                answer: Some(Answer::NoneLeft { session }),
                ..Applied::default()
            };
        };
        Applied {
            effect: true,
            session,
            book,
            answer: Some(Answer::Book { session, book }),
            ..Applied::default()
        }
    }

    fn grant(&self, session: u32, book: u8, client: NodeId, serial: u64) -> Applied {
        let effect = !self.holds(session, book, client, serial);
        Applied {
            effect,
            session,
            book,
            answer: Some(Answer::Book { session, book }),
            ..Applied::default()
        }
    }

    /// Two servers may ask for the same session to be followed: only the first does it.
    fn open(&mut self, after: u32, forced: bool) -> Applied {
        let followed = after != self.session || (!self.ended && !forced);
        if followed && !self.planted.plants(Defect::OpenedTwice) {
            return Applied {
                session: self.session,
                answer: Some(Answer::Opened { session: self.session }),
                ..Applied::default()
            };
        }
        let reason = if forced { "restart" } else { "followed" };
        let ended = (!self.ended).then_some((self.session, self.taken.len(), reason));
        self.session += 1;
        self.ended = false;
        self.taken = Books::default();
        let session = self.session;
        Applied {
            effect: true,
            session,
            ended,
            opened: Some(session),
            answer: Some(Answer::Opened { session }),
            ..Applied::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S1: NodeId = NodeId(0);
    const S2: NodeId = NodeId(1);
    const U1: NodeId = NodeId(2);
    const U2: NodeId = NodeId(3);

    fn statement(server: NodeId, client: NodeId, serial: u64, body: Body) -> Statement {
        Statement { server, client, serial, hour_us: 0, body }
    }

    /// Both servers want to give out book 1: the order of the queue decides, and the second user
    /// gets another one.
    #[test]
    fn a_book_goes_to_the_first_in_the_queue() {
        let mut library = Library::new(2, Planted::default());
        let answers = [(S1, U1), (S2, U2)]
            .map(|(s, u)| library.apply(&statement(s, u, 1, Body::Ask { wish: 1 })).answer);
        assert_eq!(answers, [1, 2].map(|book| Some(Answer::Book { session: 1, book })));
        assert!(library.ended);
    }

    /// Books of every word of bits are found, counted and given out, up to the largest number that
    /// there is.
    #[test]
    fn free_books_are_those_that_nobody_has() {
        let mut library = Library::new(255, Planted::default());
        for (serial, wish) in (1..).zip([1, 64, 64, 128, 255, 255]) {
            library.apply(&statement(S1, U1, serial, Body::Ask { wish }));
        }
        let wanted: Vec<u8> =
            (1..=255).filter(|book| ![1, 2, 64, 65, 128, 255].contains(book)).collect();
        assert_eq!((library.free().collect::<Vec<_>>(), library.left()), (wanted, 249));
    }

    /// The user asks one server, hears nothing, and asks the other: both statements are in the
    /// queue, and there is one book for both.
    #[test]
    fn a_request_that_is_sent_twice_has_one_effect() {
        let mut library = Library::new(15, Planted::default());
        let first = library.apply(&statement(S1, U1, 7, Body::Ask { wish: 4 }));
        let second = library.apply(&statement(S2, U1, 7, Body::Ask { wish: 9 }));
        assert!(first.effect && !second.effect);
        assert_eq!(first.answer, second.answer);
    }

    /// Both servers see the session end and ask for the next one.
    #[test]
    fn a_session_is_followed_once() {
        let mut library = Library::new(1, Planted::default());
        let ended = library.apply(&statement(S1, U1, 1, Body::Ask { wish: 1 })).ended;
        assert_eq!(ended, Some((1, 1, "all_given")));
        let none = library.apply(&statement(S1, U2, 1, Body::Ask { wish: 1 })).answer;
        assert_eq!(none, Some(Answer::NoneLeft { session: 1 }));
        let opened = [S1, S2].map(|server| {
            library
                .apply(&statement(server, server, 0, Body::Open { after: 1, forced: false }))
                .opened
        });
        assert_eq!(opened, [Some(2), None]);
    }
}

//! The election recipe: who holds the znode with the smallest number leads.
//!
//! Each contender makes a sequential ephemeral znode below `/election`. Who is first leads;
//! everybody else watches the one before it and nobody else, so that an exit wakes one contender
//! and not the whole herd. When the predecessor goes, the contender looks again: it may have been a
//! contender that gave up in the middle of the row.
//!
//! The answer to a `create` can be lost. So a contender gives its znode a name that nobody else
//! has, and looks for it before it makes another.

use std::rc::Rc;

use super::defects::{Defect, Planted};
use super::host::Link;
use super::request::{Answer, CreateMode, Op, Outcome, Path, WatchEventKind, base_name, join};
use super::session::Session;
use super::types::{ErrorCode, Zxid};

/// Where contenders meet.
pub const ELECTION: &str = "/election";

/// What the contender waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing is asked for.
    Idle,
    /// The children, to see whether it has a znode already.
    Search(i32),
    /// Its znode.
    Create(i32),
    /// Its znode's number in the order of transactions.
    Stat(i32),
    /// The children, to see who is before it.
    Look(i32),
    /// The watch on the one before it.
    Watch(i32, Path),
    /// A contender in its row.
    Waiting(Path),
    /// The leader.
    Leading,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It leads, by the children as they were at this state.
    Elected(Zxid),
    /// It has its znode.
    Contending,
    /// Nothing new.
    Same,
}

/// A contender.
#[derive(Clone, Debug)]
pub struct Contender {
    pub(super) planted: Planted,
    /// Who it is, as the content of its znode tells.
    pub(super) name: Rc<str>,
    /// A word that no other contention has.
    guid: String,
    step: Step,
    /// Its znode.
    own: Option<Path>,
    /// The transaction that made its znode: the epoch of its leadership.
    pub epoch: Zxid,
}

impl Contender {
    /// A contender that has not begun.
    pub fn new(planted: Planted, name: &str) -> Contender {
        Contender {
            planted,
            name: name.into(),
            guid: String::new(),
            step: Step::Idle,
            own: None,
            epoch: Zxid::ZERO,
        }
    }

    pub(super) fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    /// Whether it leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.step == Step::Leading
    }

    /// Whether it has a znode.
    pub fn contends(&self) -> bool {
        self.own.is_some()
    }

    /// The session is new: begin from nothing.
    pub fn begin(&mut self, link: &mut impl Link, session: &mut Session) {
        (self.own, self.epoch) = (None, Zxid::ZERO);
        self.guid = format!("{:012x}", link.below(1 << 48));
        self.create(link, session);
    }

    /// The connection is back, and the session lives: what was under way may have happened or not.
    pub fn resume(&mut self, link: &mut impl Link, session: &mut Session) {
        match &self.own {
            // Without the number of its znode it could lead, and nobody would believe it.
            Some(own) if self.epoch == Zxid::ZERO => self.found(link, session, own.clone()),
            Some(_) => self.look(link, session),
            // The answer to its `create` may be all that was lost.
            None if !self.plants(Defect::NoGuid) => {
                self.step = Step::Search(self.children(link, session))
            }
            None => self.create(link, session),
        }
    }

    /// The connection is lost: whether it still leads, nobody knows.
    pub fn suspend(&mut self) {
        self.step = Step::Idle;
    }

    fn children(&self, link: &mut impl Link, session: &mut Session) -> i32 {
        session.request(link, Op::Children { path: ELECTION.into(), watch: false })
    }

    pub(super) fn create(&mut self, link: &mut impl Link, session: &mut Session) {
        let (name, mode) = self.znode();
        let data = self.name.as_bytes().into();
        self.step = Step::Create(
            session.request(link, Op::Create { path: join(ELECTION, &name), data, mode }),
        );
    }

    /// Its znode goes with its session, and its number, which nobody can choose, is its place in
    /// the row.
    fn znode(&self) -> (String, CreateMode) {
        if self.plants(Defect::LeaderBySmallestId) {
            return (self.name.to_string(), CreateMode::Persistent);
        }
        if self.plants(Defect::NonSequentialElection) {
            return (self.name.to_string(), CreateMode::Ephemeral);
        }
        (format!("{}-n_", self.guid), CreateMode::EphemeralSequential)
    }

    /// Ask for the number of its znode; then look around.
    pub(super) fn found(&mut self, link: &mut impl Link, session: &mut Session, own: Path) {
        self.step =
            Step::Stat(session.request(link, Op::Exists { path: own.clone(), watch: false }));
        self.own = Some(own);
    }

    fn look(&mut self, link: &mut impl Link, session: &mut Session) {
        self.step = Step::Look(self.children(link, session));
    }

    /// An answer that may be for the contender.
    pub fn on_reply(
        &mut self,
        link: &mut impl Link,
        session: &mut Session,
        xid: i32,
        zxid: Zxid,
        outcome: &Outcome,
    ) -> Standing {
        // A lost connection is told separately, and everything begins anew when there is another.
        if matches!(
            outcome,
            Err(ErrorCode::ConnectionLoss | ErrorCode::SessionExpired | ErrorCode::SessionMoved)
        ) {
            return Standing::Same;
        }
        match (self.step.clone(), outcome) {
            (Step::Search(asked), Ok(Answer::Children(names, _))) if asked == xid => {
                match names.iter().find(|name| name.starts_with(&self.guid)) {
                    Some(name) => self.found(link, session, join(ELECTION, name)),
                    None => self.create(link, session),
                }
            }
            (Step::Create(asked), Ok(Answer::Created(path))) if asked == xid => {
                self.found(link, session, path.clone());
                return Standing::Contending;
            }
            // No other znode has the number of a new one.
            (Step::Create(asked), Err(ErrorCode::NodeExists)) if asked == xid => {
                return self.on_number_taken(link, session);
            }
            (Step::Stat(asked), Ok(Answer::Stat(stat))) if asked == xid => {
                self.epoch = stat.czxid;
                self.look(link, session);
            }
            (Step::Look(asked), Ok(Answer::Children(names, _))) if asked == xid => {
                return self.on_children(link, session, zxid, names);
            }
            (Step::Watch(asked, path), Ok(_)) if asked == xid => self.step = Step::Waiting(path),
            // The one before it has gone meanwhile.
            (Step::Watch(asked, _), Err(ErrorCode::NoNode)) if asked == xid => {
                self.look(link, session)
            }
            (
                Step::Search(asked) | Step::Create(asked) | Step::Stat(asked) | Step::Look(asked),
                Err(_),
            ) if asked == xid => {
                self.begin(link, session);
            }
            _ => {}
        }
        Standing::Same
    }

    fn on_children(
        &mut self,
        link: &mut impl Link,
        session: &mut Session,
        zxid: Zxid,
        names: &[Rc<str>],
    ) -> Standing {
        let mut row: Vec<&Rc<str>> = names.iter().collect();
        // By the number alone: the names before it are random.
        row.sort_by_key(|name| number(name));
        let Some(own) = &self.own else { return Standing::Same };
        match row.iter().position(|name| ***name == *base_name(own)) {
            None => {
                self.begin(link, session);
                Standing::Same
            }
            Some(0) => {
                self.leave_the_others(link, session, &row[1..]);
                self.step = Step::Leading;
                Standing::Elected(zxid)
            }
            Some(place) => {
                let watched = match place {
                    2.. if self.plants(Defect::Herd) => row[0],
                    _ => row[place - 1],
                };
                let path = join(ELECTION, watched);
                self.step = Step::Watch(
                    session.request(link, Op::Exists { path: path.clone(), watch: true }),
                    path,
                );
                Standing::Same
            }
        }
    }

    /// A watch has told something.
    pub fn on_watch(
        &mut self,
        link: &mut impl Link,
        session: &mut Session,
        kind: WatchEventKind,
        path: &Path,
    ) -> Standing {
        match &self.step {
            Step::Waiting(watched) | Step::Watch(_, watched)
                if watched == path && kind == WatchEventKind::Deleted =>
            {
                // The one that has gone may have stood in the middle of the row.
                if self.plants(Defect::NoRecheck) {
                    self.step = Step::Leading;
                    return Standing::Elected(session.last_zxid());
                }
                self.look(link, session);
            }
            _ => {}
        }
        Standing::Same
    }
}

/// The number at the end of a sequential name; a name without one goes last.
pub fn number(name: &str) -> u64 {
    let digits = name.len().checked_sub(10).and_then(|at| name.get(at..));
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX)
}

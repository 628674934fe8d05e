//! The coordination on the zookeeper system: who lives is an ephemeral znode, the view is the
//! content of `/view`, and compare-and-set is a conditional write.
//!
//! | znode | content |
//! |---|---|
//! | `/view` | the view, as JSON; its version is the znode's |
//! | `/replicas/NAME` | ephemeral: the replica has a session |
//! | `/coordinator` | ephemeral: who of several coordinators is in office |
//!
//! A replica whose session has expired may still lead; that is no harm, because its followers
//! refuse it by its epoch.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::node::Cx;
use super::view::View;
use crate::node::NodeId;
use crate::systems::zookeeper::{
    ANY_VERSION, Answer, CreateMode, ErrorCode, Op, Session, SessionEvent, SessionSettings,
    ZkMessage, ZkTimer,
};

const VIEW: &str = "/view";
const REPLICAS: &str = "/replicas";
const OFFICE: &str = "/coordinator";

/// What an ensemble tells.
pub enum News {
    /// The view as it is now.
    View(Rc<View>),
    /// The replicas that have a session, by name.
    Living(Vec<String>),
    /// A change of the view was refused: it is another one by now.
    Refused,
}

/// What was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A znode that all need; that it is there already is as good.
    Foundation,
    /// The own ephemeral znode.
    Register,
    /// That the znode of an earlier session goes.
    Replace,
    /// The office of the coordinator.
    Office,
    /// To be told when the office is free.
    Vacancy,
    View,
    Living,
    Set,
    Sync,
}

/// A node's session with the ensemble, and what it does with it.
pub struct Ensemble {
    session: Session,
    /// The znode that shows that this replica lives; a coordinator has none.
    own: Option<String>,
    /// The view that a coordinator begins with.
    first: View,
    registered: bool,
    /// Whether this coordinator is the one in office.
    in_office: bool,
    asked: BTreeMap<i32, Asked>,
    news: Vec<News>,
}

impl Ensemble {
    /// The side of a replica of this name.
    pub fn of_replica(settings: SessionSettings, servers: &[NodeId], name: &str) -> Ensemble {
        Ensemble {
            own: Some(format!("{REPLICAS}/{name}")),
            ..Ensemble::of_coordinator(settings, servers, View::default())
        }
    }

    /// The side of a coordinator.
    pub fn of_coordinator(settings: SessionSettings, servers: &[NodeId], first: View) -> Ensemble {
        let session = Session::new(settings, servers.to_vec());
        Ensemble {
            session,
            own: None,
            first,
            registered: false,
            in_office: false,
            asked: BTreeMap::new(),
            news: vec![],
        }
    }

    /// Whether this coordinator may act.
    pub fn is_in_office(&self) -> bool {
        self.in_office
    }

    /// A life begins.
    pub fn boot(&mut self, ctx: &mut Cx<'_>) {
        self.session.open(ctx);
        self.look_at_events(ctx);
    }

    /// A packet of the session.
    pub fn on_message(&mut self, ctx: &mut Cx<'_>, from: NodeId, message: &ZkMessage) {
        if !self.session.on_message(ctx, message) {
            Session::refuse(ctx, from, message);
        }
        self.look_at_events(ctx);
    }

    /// The session's timer.
    pub fn on_timer(&mut self, ctx: &mut Cx<'_>, timer: ZkTimer) {
        if timer == ZkTimer::Session {
            self.session.on_timer(ctx);
        }
        self.look_at_events(ctx);
    }

    /// What was told since the last call.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// Ask again for what was not to be had.
    pub fn tick(&mut self, ctx: &mut Cx<'_>) {
        if self.session.is_connected() {
            match &self.own {
                Some(_) if !self.registered => self.ask_once(ctx, Asked::Register),
                None if !self.in_office && !self.is_asked(Asked::Vacancy) => {
                    self.ask_once(ctx, Asked::Office)
                }
                _ => {}
            }
            // Watches tell of changes; this is for a view that is not there yet.
            self.ask_once(ctx, Asked::View);
        }
        self.look_at_events(ctx);
    }

    /// Put this view in the place of the one before it.
    pub fn set(&mut self, ctx: &mut Cx<'_>, view: &View) {
        if self.session.is_connected() && !self.is_asked(Asked::Set) {
            let version = i32::try_from(view.version - 1).unwrap_or(i32::MAX);
            self.ask(
                ctx,
                Asked::Set,
                Op::Set { path: VIEW.into(), data: view.text().into(), version },
            );
        }
    }

    fn is_asked(&self, what: Asked) -> bool {
        self.asked.values().any(|asked| *asked == what)
    }

    fn ask(&mut self, ctx: &mut Cx<'_>, what: Asked, op: Op) {
        let xid = self.session.request(ctx, op);
        self.asked.insert(xid, what);
    }

    fn ask_once(&mut self, ctx: &mut Cx<'_>, what: Asked) {
        if self.is_asked(what) {
            return;
        }
        let own = || self.own.as_deref().unwrap_or(OFFICE);
        let op = match what {
            Asked::Register | Asked::Office => {
                Op::Create { path: own().into(), data: b""[..].into(), mode: CreateMode::Ephemeral }
            }
            Asked::Replace => Op::Delete { path: own().into(), version: ANY_VERSION },
            Asked::Vacancy => Op::Exists { path: OFFICE.into(), watch: true },
            Asked::Living => Op::Children { path: REPLICAS.into(), watch: true },
            Asked::View => Op::Get { path: VIEW.into(), watch: true },
            Asked::Sync => Op::Sync,
            Asked::Foundation | Asked::Set => return,
        };
        self.ask(ctx, what, op);
    }

    fn look_at_events(&mut self, ctx: &mut Cx<'_>) {
        loop {
            let events = self.session.take_events();
            if events.is_empty() {
                return;
            }
            for event in events {
                self.on_event(ctx, event);
            }
        }
    }

    fn on_event(&mut self, ctx: &mut Cx<'_>, event: SessionEvent) {
        match event {
            SessionEvent::Connected => self.on_connected(ctx),
            SessionEvent::Expired => {
                (self.registered, self.in_office) = (false, false);
                self.asked.clear();
                self.session.open(ctx);
            }
            SessionEvent::Reply { xid, outcome, .. } => {
                if let Some(asked) = self.asked.remove(&xid) {
                    self.on_reply(ctx, asked, outcome);
                }
            }
            SessionEvent::Watch { path, .. } => match &*path {
                VIEW => self.ask_once(ctx, Asked::View),
                REPLICAS => self.ask_once(ctx, Asked::Living),
                OFFICE => self.ask_once(ctx, Asked::Office),
                _ => {}
            },
            _ => {}
        }
    }

    fn on_connected(&mut self, ctx: &mut Cx<'_>) {
        if self.own.is_some() {
            if !self.registered {
                self.ask_once(ctx, Asked::Register);
            }
        } else {
            let mode = CreateMode::Persistent;
            let first = self.first.text();
            self.ask(
                ctx,
                Asked::Foundation,
                Op::Create { path: REPLICAS.into(), data: b""[..].into(), mode },
            );
            self.ask(
                ctx,
                Asked::Foundation,
                Op::Create { path: VIEW.into(), data: first.into(), mode },
            );
            if !self.in_office {
                self.ask_once(ctx, Asked::Office);
            }
            self.ask_once(ctx, Asked::Living);
        }
        // A server may lag behind; what is read after this is no older than the moment of asking.
        self.ask_once(ctx, Asked::Sync);
        self.ask_once(ctx, Asked::View);
    }

    fn on_reply(&mut self, ctx: &mut Cx<'_>, asked: Asked, outcome: Result<Answer, ErrorCode>) {
        match (asked, outcome) {
            (Asked::Register, Ok(_)) => self.registered = true,
            // It is of this replica's life before this one, and would go when that session expires.
            (Asked::Register, Err(ErrorCode::NodeExists)) => self.ask_once(ctx, Asked::Replace),
            (Asked::Replace, _) => self.ask_once(ctx, Asked::Register),
            (Asked::Office, Ok(_)) => self.in_office = true,
            (Asked::Office, Err(ErrorCode::NodeExists)) => self.ask_once(ctx, Asked::Vacancy),
            (Asked::Vacancy, Err(_)) => self.ask_once(ctx, Asked::Office),
            (Asked::View, Ok(Answer::Data(data, _))) => {
                self.news.extend(View::read(&data).map(|view| News::View(Rc::new(view))))
            }
            (Asked::Living, Ok(Answer::Children(names, _))) => {
                self.news.push(News::Living(names.iter().map(ToString::to_string).collect()));
            }
            (Asked::Living, Err(_)) => self.ask_once(ctx, Asked::Living),
            (Asked::Set, Err(ErrorCode::BadVersion)) => {
                self.news.push(News::Refused);
                self.ask_once(ctx, Asked::View);
            }
            (Asked::Set, _) => self.ask_once(ctx, Asked::View),
            _ => {}
        }
    }
}

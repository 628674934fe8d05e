//! An instance of the aggregator: it measures, contends for the leadership, and while it leads
//! sends the mean of all measurements.
//!
//! A measurement is a random number from 75 to 85, written to the instance's own ephemeral znode
//! below `/my/favorite` once a period. The leader reads all of them once a period, as they are at
//! one zxid, and sends their mean to the web tier with its epoch: whoever led before and does not
//! know yet that it was replaced has a smaller one, and is refused.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::http::{HttpRequest, HttpResponse, WebMessage, read_milli, show_milli};
use super::message::ZkMessage;
use super::node::{ZkNode, ZkNodeTimer};
use super::recipe::{Contender, ELECTION, Standing};
use super::request::{ANY_VERSION, Answer, CreateMode, Data, Op, Outcome, Path, join};
use super::session::{Session, SessionEvent};
use super::settings::ZkSettings;
use super::types::{ErrorCode, SessionId, Zxid};
use crate::node::{Ctx, NodeId, Probe, Value};
use crate::time::nanos;

/// Where measurements are.
pub const MEASUREMENTS: &str = "/my/favorite";
/// Times that the children may change under the leader's hands before it leaves a period out.
const READS_MAX: u32 = 5;

/// What an answer is for, besides those of the recipe.
#[derive(Clone, Debug)]
enum Asked {
    /// A parent of everything; it may be there already.
    Parent,
    /// A new measurement into the znode that is there.
    Set(i64),
    /// The znode, with a measurement.
    Create(i64),
    /// Whose the znode is.
    Owner(i64),
    /// The names of all measurements.
    Names,
    /// All measurements, of these names.
    Values(Vec<Rc<str>>),
    /// One measurement of several, one after the other: a mistake.
    One,
}

/// A mean on its way to the store.
#[derive(Clone, Debug)]
struct Posting {
    id: u64,
    request: HttpRequest,
}

/// An instance.
pub struct Instance {
    settings: ZkSettings,
    session: Session,
    /// The session that the parents were made under.
    known: SessionId,
    contender: Contender,
    asked: BTreeMap<i32, Asked>,
    path: Path,
    balancer: NodeId,
    /// The number of the last mean; never used again, since an instance may lead twice under the
    /// same znode.
    number: u64,
    reads: u32,
    last_id: u64,
    posting: Option<Posting>,
    /// What the mistake reads one by one: the names still to read, and the sum and number of the
    /// values read.
    one_by_one: (Vec<Rc<str>>, Vec<i64>),
    /// What another mistake goes on sending: the last measurements, and their state.
    last_mean: Option<(Zxid, Vec<i64>)>,
}

impl Instance {
    /// An instance of this name.
    pub fn new(
        settings: ZkSettings,
        name: &str,
        servers: Vec<NodeId>,
        balancer: NodeId,
    ) -> Instance {
        let session = Session::new(settings.session(), servers);
        let contender = Contender::new(settings.server.planted, name);
        Instance {
            settings,
            session,
            known: SessionId::NONE,
            contender,
            asked: BTreeMap::new(),
            path: join(MEASUREMENTS, name),
            balancer,
            number: 0,
            reads: 0,
            last_id: 0,
            posting: None,
            one_by_one: (vec![], vec![]),
            last_mean: None,
        }
    }

    /// Begin.
    pub fn boot(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        let us = |duration| Value::Int((nanos(duration) / 1_000) as i64);
        let fields = &["period_us", "timeout_us", "tick_us"];
        ctx.observe(
            "config",
            fields,
            &[
                us(self.settings.period),
                us(self.settings.session_timeout),
                us(self.settings.server.tick),
            ],
        );
        let first = ctx.rng().duration(std::time::Duration::ZERO, self.settings.period / 5);
        ctx.set_timer(ZkNodeTimer::Measure, first);
        self.session.open(ctx);
        self.handle_events(ctx);
    }

    /// A message of the ensemble.
    pub fn on_zk(&mut self, ctx: &mut Ctx<'_, ZkNode>, from: NodeId, message: &ZkMessage) {
        if !self.session.on_message(ctx, message) {
            Session::refuse(ctx, from, message);
        }
        self.handle_events(ctx);
    }

    /// A timer of the session, or an own one.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_, ZkNode>, timer: &ZkNodeTimer) {
        match timer {
            ZkNodeTimer::Zk(_) => self.session.on_timer(ctx),
            ZkNodeTimer::Measure => {
                ctx.set_timer(ZkNodeTimer::Measure, self.settings.period);
                if self.settings.server.planted.measures_again() {
                    self.measure(ctx);
                }
            }
            ZkNodeTimer::Mean if self.contender.leads() && !self.session.is_connected() => {
                // Only with the mistake: otherwise it has resigned.
                ctx.set_timer(ZkNodeTimer::Mean, self.settings.period);
                if let Some((zxid, milli)) = self.last_mean.clone() {
                    self.publish(ctx, zxid, &milli);
                }
            }
            ZkNodeTimer::Mean if self.contender.leads() => {
                ctx.set_timer(ZkNodeTimer::Mean, self.settings.period);
                self.reads = 0;
                self.ask(
                    ctx,
                    Op::Children { path: MEASUREMENTS.into(), watch: false },
                    Asked::Names,
                );
            }
            ZkNodeTimer::ReadOne => self.read_one(ctx),
            ZkNodeTimer::Post => self.post(ctx),
            _ => {}
        }
        self.handle_events(ctx);
    }

    /// The orderly stop: the session is closed, so that nobody has to wait for its end.
    pub fn on_stop(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if self.session.is_connected() {
            self.session.close(ctx);
        }
    }

    /// Someone asks the instance to close its session; another one is opened when that is done.
    pub fn on_command(&mut self, ctx: &mut Ctx<'_, ZkNode>, command: &str) {
        if command == "leave" && self.session.is_connected() {
            self.lose_leadership(ctx);
            self.contender.suspend();
            self.session.close(ctx);
            self.handle_events(ctx);
        }
    }

    fn ask(&mut self, ctx: &mut Ctx<'_, ZkNode>, op: Op, why: Asked) {
        let xid = self.session.request(ctx, op);
        self.asked.insert(xid, why);
    }

    fn handle_events(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
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

    fn on_event(&mut self, ctx: &mut Ctx<'_, ZkNode>, event: SessionEvent) {
        match event {
            SessionEvent::Connected if self.session.id() == self.known => {
                self.contender.resume(ctx, &mut self.session)
            }
            SessionEvent::Connected if self.contender.leads() => {
                // Only with the mistake: otherwise it has resigned when the session before this one
                // ended.
                self.known = self.session.id();
                self.measure(ctx);
            }
            SessionEvent::Connected => self.begin(ctx),
            SessionEvent::Disconnected
                if !self.settings.server.planted.resigns_when_disconnected() => {}
            SessionEvent::Disconnected => {
                // The session may live or not; until that is known, nothing is done in its name.
                self.lose_leadership(ctx);
                self.contender.suspend();
            }
            SessionEvent::Expired if !self.settings.server.planted.resigns_when_expired() => {
                self.session.open(ctx)
            }
            SessionEvent::Expired | SessionEvent::Closed => {
                self.lose_leadership(ctx);
                self.contender.suspend();
                self.session.open(ctx);
            }
            SessionEvent::Reply { xid, zxid, outcome } => self.on_reply(ctx, xid, zxid, &outcome),
            SessionEvent::Watch { kind, path } => {
                let standing = self.contender.on_watch(ctx, &mut self.session, kind, &path);
                self.note(ctx, standing);
            }
        }
    }

    fn begin(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        self.known = self.session.id();
        for path in ["/my", MEASUREMENTS, ELECTION] {
            self.ask(
                ctx,
                Op::Create {
                    path: path.into(),
                    data: Data::from(&b""[..]),
                    mode: CreateMode::Persistent,
                },
                Asked::Parent,
            );
        }
        self.contender.begin(ctx, &mut self.session);
        self.measure(ctx);
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_, ZkNode>, xid: i32, zxid: Zxid, outcome: &Outcome) {
        let Some(asked) = self.asked.remove(&xid) else {
            let standing = self.contender.on_reply(ctx, &mut self.session, xid, zxid, outcome);
            return self.note(ctx, standing);
        };
        match (asked, outcome) {
            (Asked::Set(milli) | Asked::Create(milli), Ok(_)) => {
                ctx.observe("measure", &["milli"], &[Value::Int(milli)])
            }
            (Asked::Set(milli), Err(ErrorCode::NoNode)) => self.create(ctx, milli),
            (Asked::Create(milli), Err(ErrorCode::NodeExists)) => {
                self.ask(
                    ctx,
                    Op::Exists { path: self.path.clone(), watch: false },
                    Asked::Owner(milli),
                );
            }
            (Asked::Owner(milli), Ok(Answer::Stat(stat))) => {
                if stat.owner != self.session.id()
                    && self.settings.server.planted.measures_ephemerally()
                {
                    // It is left from a session that this instance had before, and will go with
                    // that; the own one takes its place.
                    let op = Op::Delete { path: self.path.clone(), version: ANY_VERSION };
                    self.ask(ctx, op, Asked::Parent);
                    self.create(ctx, milli);
                } else {
                    self.set(ctx, milli);
                }
            }
            (Asked::Owner(milli), Err(ErrorCode::NoNode)) => self.create(ctx, milli),
            (Asked::Names, Ok(Answer::Children(names, _))) => self.on_names(ctx, names),
            (Asked::Values(names), Ok(Answer::Multi(outcomes))) => {
                self.on_values(ctx, zxid, &names, outcomes)
            }
            (Asked::One, Ok(Answer::Data(data, _))) => {
                self.one_by_one.1.extend(milli_of(data));
                self.next_one(ctx, zxid);
            }
            (Asked::One, _) => self.next_one(ctx, zxid),
            _ => {}
        }
    }

    fn note(&mut self, ctx: &mut Ctx<'_, ZkNode>, standing: Standing) {
        let epoch = Value::Int(self.epoch() as i64);
        let session = Value::Int(self.session.id().0 as i64);
        match standing {
            Standing::Elected(zxid) => {
                ctx.observe("lead", &["epoch", "zxid", "session"], &[epoch, zxid.into(), session]);
                ctx.set_timer(ZkNodeTimer::Mean, self.settings.period / 5);
            }
            Standing::Contending => ctx.observe("contend", &["session"], &[session]),
            Standing::Same => {}
        }
    }

    /// What its means are believed by.
    fn epoch(&self) -> u64 {
        self.settings.server.planted.epoch(self.contender.epoch, self.session.id())
    }

    fn lose_leadership(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if self.contender.leads() {
            ctx.observe("resign", &["epoch"], &[Value::Int(self.contender.epoch.0 as i64)]);
        }
        self.posting = None;
        ctx.cancel_timer(ZkNodeTimer::Mean);
        ctx.cancel_timer(ZkNodeTimer::Post);
        ctx.cancel_timer(ZkNodeTimer::ReadOne);
    }
}

// Measurements.
impl Instance {
    /// A number from 75 to 85, into the own znode.
    fn measure(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        let (low, high) = self.settings.measurement;
        let milli = ctx.rng().between(low, high) as i64;
        if self.session.is_connected() {
            self.set(ctx, milli);
        }
    }

    fn set(&mut self, ctx: &mut Ctx<'_, ZkNode>, milli: i64) {
        let data = show_milli(milli).as_bytes().into();
        self.ask(
            ctx,
            Op::Set { path: self.path.clone(), data, version: ANY_VERSION },
            Asked::Set(milli),
        );
    }

    fn create(&mut self, ctx: &mut Ctx<'_, ZkNode>, milli: i64) {
        let ephemeral = self.settings.server.planted.measures_ephemerally();
        let mode = if ephemeral { CreateMode::Ephemeral } else { CreateMode::Persistent };
        let data = show_milli(milli).as_bytes().into();
        self.ask(ctx, Op::Create { path: self.path.clone(), data, mode }, Asked::Create(milli));
    }
}

// The leader's work.
impl Instance {
    fn on_names(&mut self, ctx: &mut Ctx<'_, ZkNode>, names: &[Rc<str>]) {
        if names.is_empty() || !self.contender.leads() {
            return;
        }
        if !self.settings.server.planted.reads_one_instant() {
            self.one_by_one = (names.iter().rev().cloned().collect(), vec![]);
            return self.read_one(ctx);
        }
        let mut ops = vec![Op::Children { path: MEASUREMENTS.into(), watch: false }];
        ops.extend(
            names.iter().map(|name| Op::Get { path: join(MEASUREMENTS, name), watch: false }),
        );
        self.ask(ctx, Op::MultiRead(ops), Asked::Values(names.to_vec()));
    }

    /// All of one zxid: the children with it, so that none is missing.
    fn on_values(
        &mut self,
        ctx: &mut Ctx<'_, ZkNode>,
        zxid: Zxid,
        names: &[Rc<str>],
        outcomes: &[Outcome],
    ) {
        let Some((Ok(Answer::Children(children, _)), values)) = outcomes.split_first() else {
            return;
        };
        if children != names {
            self.reads += 1;
            if self.reads < READS_MAX {
                self.on_names(ctx, children);
            }
            return;
        }
        let milli: Vec<i64> = values
            .iter()
            .filter_map(|outcome| outcome.as_ref().ok())
            .filter_map(value_of)
            .collect();
        self.publish(ctx, zxid, &milli);
    }

    fn read_one(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if let Some(name) = self.one_by_one.0.pop() {
            self.ask(ctx, Op::Get { path: join(MEASUREMENTS, &name), watch: false }, Asked::One);
        }
    }

    fn next_one(&mut self, ctx: &mut Ctx<'_, ZkNode>, zxid: Zxid) {
        if self.one_by_one.0.is_empty() {
            let milli = std::mem::take(&mut self.one_by_one.1);
            return self.publish(ctx, zxid, &milli);
        }
        ctx.set_timer(ZkNodeTimer::ReadOne, self.settings.period / 5);
    }

    fn publish(&mut self, ctx: &mut Ctx<'_, ZkNode>, zxid: Zxid, milli: &[i64]) {
        if milli.is_empty() || !self.contender.leads() {
            return;
        }
        let (sum, count) = (milli.iter().sum::<i64>(), milli.len() as i64);
        let mean = (sum + count / 2).div_euclid(count);
        self.last_mean = Some((zxid, milli.to_vec()));
        self.number += 1;
        let epoch = self.epoch();
        let values = [epoch, self.number, zxid.0, mean as u64, count as u64]
            .map(|each| Value::Int(each as i64));
        ctx.observe("mean", &["epoch", "number", "zxid", "milli", "count"], &values);
        self.last_id += 1;
        let target = format!("/detectar?dato={}", show_milli(mean)).into();
        let request = HttpRequest { id: self.last_id, target, epoch, number: self.number };
        self.posting = Some(Posting { id: self.last_id, request });
        self.post(ctx);
    }

    /// Send the mean, and send it again until it is answered or the next one is ready.
    fn post(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if let Some(posting) = &self.posting {
            ctx.send(self.balancer, WebMessage::Request(posting.request.clone()).into());
            ctx.set_timer(ZkNodeTimer::Post, self.settings.http_timeout * 2);
        }
    }

    /// The web tier answers.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_, ZkNode>, message: WebMessage) {
        let WebMessage::Response(HttpResponse { id, status, .. }) = message else { return };
        let Some(posting) = self.posting.as_ref().filter(|posting| posting.id == id) else {
            return;
        };
        let (epoch, number) = (posting.request.epoch, posting.request.number);
        let fields = [epoch, number, u64::from(status)].map(|each| Value::Int(each as i64));
        ctx.observe("publish", &["epoch", "number", "status"], &fields);
        if matches!(status, 502 | 503) {
            return;
        }
        self.posting = None;
        ctx.cancel_timer(ZkNodeTimer::Post);
        let resigns = self.settings.server.planted.resigns_when_expired();
        if status == 409 && self.contender.leads() && self.session.is_connected() && resigns {
            // Another one leads; who, the row of contenders tells.
            self.lose_leadership(ctx);
            self.contender.resume(ctx, &mut self.session);
            self.handle_events(ctx);
        }
    }

    /// Show the metrics.
    pub fn probe(&self, probe: &mut Probe<'_>) {
        let word = match (self.contender.leads(), self.contender.contends()) {
            (true, _) => "elected",
            (false, true) => "contender",
            (false, false) => "outside",
        };
        probe.word("role", word);
    }
}

fn value_of(answer: &Answer) -> Option<i64> {
    match answer {
        Answer::Data(data, _) => milli_of(data),
        _ => None,
    }
}

fn milli_of(data: &Data) -> Option<i64> {
    std::str::from_utf8(data).ok().and_then(read_milli)
}

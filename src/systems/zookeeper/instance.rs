//! An instance of the aggregator: it measures, contends for the leadership, and while it leads
//! sends the mean of all measurements.
//!
//! A measurement is a random number from 75 to 85, written to the instance's own ephemeral znode
//! below `/my/favorite` once a period. The leader reads all of them once a period, as they are at
//! one zxid, and sends their mean to the web tier with its epoch: whoever led before and does not
//! know yet that it was replaced has a smaller one, and is refused.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::defects::{Defect, InstanceDefectState};
use super::http::{HttpRequest, HttpResponse, WebMessage, read_milli, show_milli};
use super::message::ZkMessage;
use super::node::{ZkNode, ZkNodeTimer};
use super::recipe::{Contender, ELECTION, Standing};
use super::request::{ANY_VERSION, Answer, CreateMode, Data, Op, Outcome, Path, join};
use super::session::{Session, SessionEvent};
use super::settings::ZkSettings;
use super::types::{ErrorCode, SessionId, Zxid};
use super::vocabulary::{
    Contend, InstanceConfig, InstanceMetrics, InstanceRole, Lead, Mean, Measure, Publish, Resign,
};
use crate::node::{Ctx, NodeId, Probe};
use crate::time::nanos;

/// Where measurements are.
pub const MEASUREMENTS: &str = "/my/favorite";
/// Times that the children may change under the leader's hands before it leaves a period out.
const READS_MAX: u32 = 5;

/// What an answer is for, besides those of the recipe.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
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
    /// What only a defect asks.
    OfDefect,
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
    asked: BTreeMap<i32, Purpose>,
    path: Path,
    balancer: NodeId,
    /// The number of the last mean; never used again, since an instance may lead twice under the
    /// same znode.
    number: u64,
    reads: u32,
    last_id: u64,
    posting: Option<Posting>,
    /// What only defects keep.
    pub(super) defect: InstanceDefectState,
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
            defect: InstanceDefectState::default(),
        }
    }

    /// Begin.
    pub fn boot(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        let us = |duration| nanos(duration) / 1_000;
        ctx.emit(InstanceConfig {
            period_us: us(self.settings.period),
            timeout_us: us(self.settings.session_timeout),
            tick_us: us(self.settings.server.tick),
        });
        let first = ctx.rng().duration(Duration::ZERO, self.settings.period / 5);
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

    /// A timer of the session, or one of its own.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_, ZkNode>, timer: &ZkNodeTimer) {
        match timer {
            ZkNodeTimer::Zk(_) => self.session.on_timer(ctx),
            ZkNodeTimer::Measure => {
                ctx.set_timer(ZkNodeTimer::Measure, self.settings.period);
                if !self.plants(Defect::MeasuresOnce) {
                    self.measure(ctx);
                }
            }
            ZkNodeTimer::Mean if self.contender.leads() => {
                ctx.set_timer(ZkNodeTimer::Mean, self.settings.period);
                match self.session.is_connected() {
                    true => self.begin_mean(ctx),
                    false => self.stay_silent(ctx),
                }
            }
            ZkNodeTimer::OfDefect => self.read_next(ctx),
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

    pub(super) fn plants(&self, defect: Defect) -> bool {
        self.settings.server.planted.plants(defect)
    }

    pub(super) fn holds(&self, defect: Defect) -> bool {
        self.settings.server.planted.holds(defect)
    }

    pub(super) fn period(&self) -> Duration {
        self.settings.period
    }

    pub(super) fn ask(&mut self, ctx: &mut Ctx<'_, ZkNode>, op: Op, why: Purpose) {
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
            SessionEvent::Connected => self.begin(ctx),
            SessionEvent::Disconnected => {
                // The session may live or not; until that is known, nothing is done in its name.
                let leads = self.contender.leads();
                let is_sure = leads && self.plants(Defect::LeadsWhileCutOff);
                let leads_on = !is_sure && leads && self.plants(Defect::LeadsOnWithoutZnode);
                if !is_sure && !leads_on {
                    self.stand_back(ctx);
                }
            }
            SessionEvent::Expired | SessionEvent::Closed => {
                let expired = event == SessionEvent::Expired && self.contender.leads();
                if !expired || !self.plants(Defect::LeadsOnWithoutZnode) {
                    self.stand_back(ctx);
                }
                self.session.open(ctx);
            }
            SessionEvent::Reply { xid, zxid, outcome } => self.on_reply(ctx, xid, zxid, &outcome),
            SessionEvent::Watch { kind, path } => {
                let standing = self.contender.on_watch(ctx, &mut self.session, kind, &path);
                self.note(ctx, standing);
            }
        }
    }

    /// Nothing is done any more in the name of its znode.
    fn stand_back(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        self.lose_leadership(ctx);
        self.contender.suspend();
    }

    /// The session is new, and so is everything that it holds.
    fn begin(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        self.known = self.session.id();
        if self.contender.leads() && self.plants(Defect::LeadsOnWithoutZnode) {
            return self.measure(ctx);
        }
        assert!(!self.contender.leads(), "it led in the session before this one");
        for path in ["/my", MEASUREMENTS, ELECTION] {
            self.ask(
                ctx,
                Op::Create {
                    path: path.into(),
                    data: Data::from(&b""[..]),
                    mode: CreateMode::Persistent,
                },
                Purpose::Parent,
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
            (Purpose::Set(milli) | Purpose::Create(milli), Ok(_)) => ctx.emit(Measure { milli }),
            (Purpose::Set(milli), Err(ErrorCode::NoNode)) => self.create(ctx, milli),
            (Purpose::Create(milli), Err(ErrorCode::NodeExists)) => {
                self.ask(
                    ctx,
                    Op::Exists { path: self.path.clone(), watch: false },
                    Purpose::Owner(milli),
                );
            }
            (Purpose::Owner(milli), Ok(Answer::Stat(stat))) => {
                let is_left = stat.owner != self.session.id();
                if is_left && !self.plants(Defect::MeasurementsOutliveSensors) {
                    // It is left from a session that this instance had before, and will go with
                    // that session; a new one takes its place.
                    let op = Op::Delete { path: self.path.clone(), version: ANY_VERSION };
                    self.ask(ctx, op, Purpose::Parent);
                    self.create(ctx, milli);
                } else {
                    self.set(ctx, milli);
                }
            }
            (Purpose::Owner(milli), Err(ErrorCode::NoNode)) => self.create(ctx, milli),
            (Purpose::Names, Ok(Answer::Children(names, _))) => self.on_names(ctx, names),
            (Purpose::Values(names), Ok(Answer::Multi(outcomes))) => {
                self.on_values(ctx, zxid, &names, outcomes)
            }
            (Purpose::OfDefect, outcome) => self.on_defect_reply(ctx, zxid, outcome),
            _ => {}
        }
    }

    fn note(&mut self, ctx: &mut Ctx<'_, ZkNode>, standing: Standing) {
        let session = u64::from(self.session.id());
        match standing {
            Standing::Elected(zxid) => {
                let epoch = self.epoch();
                ctx.emit(Lead { epoch, zxid: zxid.into(), session: session.into() });
                ctx.set_timer(ZkNodeTimer::Mean, self.settings.period / 5);
            }
            Standing::Contending => ctx.emit(Contend { session }),
            Standing::Same => {}
        }
    }

    /// What its means are believed by: the transaction that made its znode.
    pub(super) fn epoch(&self) -> u64 {
        let (znode, session) = (self.contender.epoch.0, self.session.id().0);
        if session != znode && self.plants(Defect::SessionAsEpoch) { session } else { znode }
    }

    fn lose_leadership(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if self.contender.leads() {
            ctx.emit(Resign { epoch: self.contender.epoch.into() });
        }
        self.posting = None;
        ctx.cancel_timer(ZkNodeTimer::Mean);
        ctx.cancel_timer(ZkNodeTimer::Post);
        ctx.cancel_timer(ZkNodeTimer::OfDefect);
    }
}

// Measurements.
impl Instance {
    /// A number from 75 to 85, into its znode.
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
            Purpose::Set(milli),
        );
    }

    fn create(&mut self, ctx: &mut Ctx<'_, ZkNode>, milli: i64) {
        let mode = match self.plants(Defect::MeasurementsOutliveSensors) {
            true => CreateMode::Persistent,
            false => CreateMode::Ephemeral,
        };
        let data = show_milli(milli).as_bytes().into();
        self.ask(ctx, Op::Create { path: self.path.clone(), data, mode }, Purpose::Create(milli));
    }
}

// The leader's work.
impl Instance {
    fn begin_mean(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        self.reads = 0;
        self.ask(ctx, Op::Children { path: MEASUREMENTS.into(), watch: false }, Purpose::Names);
    }

    fn on_names(&mut self, ctx: &mut Ctx<'_, ZkNode>, names: &[Rc<str>]) {
        if names.is_empty() || !self.contender.leads() {
            return;
        }
        if !self.read_one_state(ctx, names) {
            return;
        }
        let mut ops = vec![Op::Children { path: MEASUREMENTS.into(), watch: false }];
        ops.extend(
            names.iter().map(|name| Op::Get { path: join(MEASUREMENTS, name), watch: false }),
        );
        self.ask(ctx, Op::MultiRead(ops), Purpose::Values(names.to_vec()));
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

    pub(super) fn publish(&mut self, ctx: &mut Ctx<'_, ZkNode>, zxid: Zxid, milli: &[i64]) {
        if milli.is_empty() || !self.contender.leads() {
            return;
        }
        let (sum, count) = (milli.iter().sum::<i64>(), milli.len() as i64);
        let mean = (sum + count / 2).div_euclid(count);
        self.forget_measurements(zxid, milli);
        self.number += 1;
        let epoch = self.epoch();
        ctx.emit(Mean {
            epoch,
            number: self.number,
            zxid: zxid.into(),
            milli: mean,
            count: count as u64,
        });
        self.last_id += 1;
        let target = format!("/detectar?dato={}", show_milli(mean)).into();
        let request = HttpRequest { id: self.last_id, target, epoch, number: self.number };
        self.posting = Some(Posting { id: self.last_id, request });
        self.post(ctx);
    }

    /// Send the mean, and send it again until it is answered or the next one is ready.
    fn post(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        if let Some(posting) = &self.posting {
            ctx.send(self.balancer, WebMessage::HttpRequest(posting.request.clone()).into());
            ctx.set_timer(ZkNodeTimer::Post, self.settings.http_timeout * 2);
        }
    }

    /// The web tier answers.
    pub fn on_web(&mut self, ctx: &mut Ctx<'_, ZkNode>, message: WebMessage) {
        let WebMessage::HttpResponse(HttpResponse { id, status, .. }) = message else { return };
        let Some(posting) = self.posting.as_ref().filter(|posting| posting.id == id) else {
            return;
        };
        let (epoch, number) = (posting.request.epoch, posting.request.number);
        ctx.emit(Publish { epoch, number, status });
        if matches!(status, 502 | 503) {
            return;
        }
        self.posting = None;
        ctx.cancel_timer(ZkNodeTimer::Post);
        let is_replaced = status == 409 && self.contender.leads() && self.session.is_connected();
        if is_replaced && !self.plants(Defect::LeadsOnWithoutZnode) {
            // Another one leads; who, the row of contenders tells.
            self.lose_leadership(ctx);
            self.contender.resume(ctx, &mut self.session);
            self.handle_events(ctx);
        }
    }

    /// Show the metrics.
    pub fn probe(&self, probe: &mut Probe<'_>) {
        let role = match (self.contender.leads(), self.contender.contends()) {
            (true, _) => InstanceRole::Elected,
            (false, true) => InstanceRole::Contender,
            (false, false) => InstanceRole::Outside,
        };
        probe.show(&InstanceMetrics { role });
    }
}

pub(super) fn value_of(answer: &Answer) -> Option<i64> {
    match answer {
        Answer::Data(data, _) => milli_of(data),
        _ => None,
    }
}

fn milli_of(data: &Data) -> Option<i64> {
    std::str::from_utf8(data).ok().and_then(read_milli)
}

//! A worker: it uses a session as hard as a program can, so that its guarantees are put to the
//! test.
//!
//! It sends several requests without waiting for answers, reads with watches, makes and removes
//! ephemeral and sequential znodes, changes under conditions, changes two znodes in one `multi`,
//! and sometimes closes its session. What it asks and hears, the session tells the trace.

use std::time::Duration;

use super::message::ZkMessage;
use super::node::{ZkNode, ZkNodeTimer};
use super::request::{ANY_VERSION, Answer, CreateMode, Data, Op, Path, join};
use super::session::{Session, SessionEvent};
use super::settings::ZkSettings;
use super::types::SessionId;
use super::vocabulary::{HelperMetrics, HelperRole};
use crate::node::{Ctx, NodeId, Probe};

/// Where workers work.
pub const JOBS: &str = "/jobs";
/// Two znodes that are changed together or not at all.
pub const PAIR: [&str; 2] = ["/jobs/pair/left", "/jobs/pair/right"];
const KEYS: u64 = 4;
const PIPELINE_MAX: u64 = 4;

/// A worker.
pub struct Worker {
    pause: (Duration, Duration),
    name: String,
    session: Session,
    known: SessionId,
    /// Counts everything it makes, so that names and contents are its own.
    made: u64,
    /// The last sequential znode it made, to be removed.
    last_made: Option<Path>,
    /// The last version it saw of anything.
    version: i32,
}

impl Worker {
    /// A worker of this name.
    pub fn new(settings: &ZkSettings, name: &str, servers: Vec<NodeId>) -> Worker {
        let session = Session::new(settings.session(), servers);
        Worker {
            pause: settings.work_pause,
            name: name.into(),
            session,
            known: SessionId::NONE,
            made: 0,
            last_made: None,
            version: 0,
        }
    }

    /// Begin.
    pub fn boot(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        self.session.open(ctx);
        self.set_pause(ctx);
    }

    fn set_pause(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        let pause = ctx.rng().duration(self.pause.0, self.pause.1);
        ctx.set_timer(ZkNodeTimer::Work, pause);
    }

    /// A message of the ensemble.
    pub fn on_zk(&mut self, ctx: &mut Ctx<'_, ZkNode>, from: NodeId, message: &ZkMessage) {
        if !self.session.on_message(ctx, message) {
            Session::refuse(ctx, from, message);
        }
        self.handle_events(ctx);
    }

    /// A timer of the session, or the pause is over.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_, ZkNode>, timer: &ZkNodeTimer) {
        match timer {
            ZkNodeTimer::Zk(_) => self.session.on_timer(ctx),
            ZkNodeTimer::Work => {
                self.set_pause(ctx);
                if self.session.is_connected() {
                    for _ in 0..=ctx.rng().below(PIPELINE_MAX) {
                        let op = self.draw(ctx);
                        self.session.request(ctx, op);
                    }
                }
            }
            _ => {}
        }
        self.handle_events(ctx);
    }

    fn handle_events(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        for event in self.session.take_events() {
            match event {
                SessionEvent::Connected if self.session.id() != self.known => self.begin(ctx),
                SessionEvent::Expired | SessionEvent::Closed => self.session.open(ctx),
                SessionEvent::Reply { outcome: Ok(answer), .. } => self.learn(&answer),
                _ => {}
            }
        }
    }

    fn begin(&mut self, ctx: &mut Ctx<'_, ZkNode>) {
        self.known = self.session.id();
        self.last_made = None;
        let keys = (0..KEYS).map(|key| key_path(key).to_string());
        let paths = [JOBS, "/jobs/queue", "/jobs/own", "/jobs/pair"]
            .map(str::to_owned)
            .into_iter()
            .chain(keys);
        for path in paths.collect::<Vec<_>>() {
            self.session.request(
                ctx,
                Op::Create { path: path.into(), data: data("0"), mode: CreateMode::Persistent },
            );
        }
        let pair = PAIR.map(|path| Op::Create {
            path: path.into(),
            data: data("0"),
            mode: CreateMode::Persistent,
        });
        self.session.request(ctx, Op::Multi(pair.to_vec()));
    }

    fn learn(&mut self, answer: &Answer) {
        match answer {
            Answer::Created(path) if path.starts_with("/jobs/queue/") => {
                self.last_made = Some(path.clone())
            }
            Answer::Stat(stat) | Answer::Data(_, stat) => self.version = stat.version,
            _ => {}
        }
    }

    /// One of the things that a worker does.
    fn draw(&mut self, ctx: &mut Ctx<'_, ZkNode>) -> Op {
        self.made += 1;
        let content = data(&format!("{}-{}", self.name, self.made));
        let key = key_path(ctx.rng().below(KEYS));
        let own = join("/jobs/own", &format!("{}-{}", self.name, ctx.rng().below(3)));
        let watch = ctx.rng().chance(0.6);
        match ctx.rng().below(100) {
            0..16 => Op::Set { path: key, data: content, version: ANY_VERSION },
            16..28 => Op::Set { path: key, data: content, version: self.version },
            28..44 => Op::Get { path: key, watch },
            44..50 => Op::Exists { path: own, watch },
            50..56 => Op::Children { path: "/jobs/queue".into(), watch },
            56..66 => Op::Create {
                path: "/jobs/queue/q_".into(),
                data: content,
                mode: CreateMode::EphemeralSequential,
            },
            66..73 => match self.last_made.take() {
                Some(path) => Op::Delete { path, version: ANY_VERSION },
                None => Op::Create {
                    path: "/jobs/queue/p_".into(),
                    data: content,
                    mode: CreateMode::PersistentSequential,
                },
            },
            73..80 => Op::Create { path: own, data: content, mode: CreateMode::Ephemeral },
            80..84 => Op::Delete { path: own, version: ANY_VERSION },
            84..87 => Op::Create {
                path: join(&own, "below"),
                data: content,
                mode: CreateMode::Persistent,
            },
            // The guess at the version is wrong more often than not: then neither may change.
            87..93 => {
                let [left, right] = PAIR.map(Path::from);
                let version = if ctx.rng().chance(0.4) { ANY_VERSION } else { self.version };
                Op::Multi(vec![
                    Op::Set { path: left, data: content.clone(), version: ANY_VERSION },
                    Op::Set { path: right, data: content, version },
                ])
            }
            93..96 => {
                Op::MultiRead(PAIR.map(|path| Op::Get { path: path.into(), watch: false }).to_vec())
            }
            96..99 => Op::Sync,
            _ => Op::Close,
        }
    }

    /// Show the metrics.
    pub fn probe(&self, probe: &mut Probe<'_>) {
        probe.show(&HelperMetrics { role: HelperRole::Worker });
    }
}

fn key_path(key: u64) -> Path {
    format!("/jobs/k{key}").into()
}

fn data(text: &str) -> Data {
    text.as_bytes().into()
}

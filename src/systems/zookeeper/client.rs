//! A client process: one operation after the other, through a session.
//!
//! `read` is `sync` and then `get`, so that it is linearizable; `write` sets a key, and makes it
//! where it is not there; `cas` sets it if its version is the one that belongs to the value seen
//! last. `list` and `anomalies` ask the web tier. What ends with a lost connection or no answer in
//! time is `info`: it may have happened.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use super::host::{Link, ZkTimer};
use super::http::{HttpRequest, HttpResponse, WebMessage};
use super::message::ZkMessage;
use super::node::ZkNodeMessage;
use super::request::{ANY_VERSION, Answer, CreateMode, Op, Outcome, Path};
use super::session::{Session, SessionEvent};
use super::settings::ZkSettings;
use super::types::ErrorCode;
use crate::node::{LocalTime, NodeId};
use crate::scenario::WorkloadSpec;
use crate::sim::Io;
use crate::systems::client_mix::Mix;
use crate::systems::client_pace::Pace;
use crate::trace::OpType;
use crate::vocabulary::Event;

const NIL: &str = "nil";
const PARENT: &str = "/keys";

/// A session's way to the world of an asynchronous program.
struct IoLink<'a> {
    io: &'a Io<ZkNodeMessage>,
    wake: &'a Cell<LocalTime>,
}

impl Link for IoLink<'_> {
    fn now(&self) -> LocalTime {
        self.io.now()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.io.draw(|rng| rng.below(bound))
    }

    fn send(&mut self, dest: NodeId, message: ZkMessage) {
        self.io.send(dest, message.into());
    }

    fn set_timer(&mut self, _: ZkTimer, after: Duration) {
        self.wake.set(self.io.now() + after);
    }

    /// A process has a history instead.
    fn emit<E: Event>(&mut self, _: E) {}
}

/// How an operation ended.
enum End {
    Ok(String),
    Mismatch,
    Info(&'static str),
}

/// A client process.
pub struct Client {
    io: Io<ZkNodeMessage>,
    wake: Cell<LocalTime>,
    workload: WorkloadSpec,
    session: Session,
    balancer: Option<NodeId>,
    position: u64,
    mix: Mix<String>,
    values: u64,
    last_id: u64,
    /// The value that was seen last of each key, with its version; none where there was no such
    /// znode.
    seen: Vec<Option<(Rc<str>, i32)>>,
    replies: Vec<(i32, Outcome)>,
    pages: Vec<HttpResponse>,
}

impl Client {
    /// The client at this position of the workload.
    pub fn new(
        io: Io<ZkNodeMessage>,
        workload: WorkloadSpec,
        settings: &ZkSettings,
        position: usize,
        servers: Vec<NodeId>,
        balancer: Option<NodeId>,
    ) -> Client {
        let pinned = match workload.pin.len() {
            0 => None,
            count => io.find(&workload.pin[position % count]),
        };
        let session =
            Session::new(settings.session(), pinned.map_or(servers, |server| vec![server]));
        let mix = Mix::new(workload.mix.iter().map(|(name, weight)| (name.clone(), *weight)));
        let seen = vec![None; workload.keys as usize];
        let wake = Cell::new(LocalTime::from_nanos(u64::MAX));
        Client {
            io,
            wake,
            workload,
            session,
            balancer,
            position: position as u64,
            mix,
            values: 0,
            last_id: 0,
            seen,
            replies: vec![],
            pages: vec![],
        }
    }

    /// Its whole life.
    pub async fn run(mut self) {
        self.with_session(|session, link| session.open(link));
        let mut pace = Pace::new(&self.io, &self.workload);
        loop {
            self.wait_until(pace.next()).await;
            if pace.begin(&self.io, &self.workload).is_none() {
                return;
            }
            self.operation().await;
            pace.end(&self.io, &self.workload);
        }
    }

    fn with_session<T>(&mut self, use_it: impl FnOnce(&mut Session, &mut IoLink<'_>) -> T) -> T {
        let result = use_it(&mut self.session, &mut IoLink { io: &self.io, wake: &self.wake });
        for event in self.session.take_events() {
            match event {
                SessionEvent::Reply { xid, outcome, .. } => self.replies.push((xid, outcome)),
                SessionEvent::Expired => {
                    self.session.open(&mut IoLink { io: &self.io, wake: &self.wake })
                }
                _ => {}
            }
        }
        result
    }

    /// Take the next message or timer, at the latest at `until`. `false` when that has come.
    async fn step(&mut self, until: LocalTime) -> bool {
        let wake = self.wake.get();
        match self.io.recv_until(until.min(wake)).await {
            Some((from, ZkNodeMessage::Zk(message))) => self.with_session(|session, link| {
                if !session.on_message(link, &message) {
                    Session::refuse(link, from, &message);
                }
            }),
            Some((_, ZkNodeMessage::Web(WebMessage::HttpResponse(page)))) => self.pages.push(page),
            Some(_) => {}
            None => {
                if self.io.now() >= wake {
                    self.wake.set(LocalTime::from_nanos(u64::MAX));
                    self.with_session(|session, link| session.on_timer(link));
                }
                return self.io.now() < until;
            }
        }
        true
    }

    async fn wait_until(&mut self, until: LocalTime) {
        while self.step(until).await {}
    }

    /// Ask the ensemble. `None`: no answer in time.
    async fn ask(&mut self, op: Op, deadline: LocalTime) -> Option<Outcome> {
        let xid = self.with_session(|session, link| session.request(link, op));
        loop {
            if let Some(at) = self.replies.iter().position(|(each, _)| *each == xid) {
                let (_, outcome) = self.replies.swap_remove(at);
                self.replies.clear();
                return Some(outcome);
            }
            if !self.step(deadline).await {
                return None;
            }
        }
    }

    async fn operation(&mut self) {
        let f =
            self.io.draw(|rng| self.mix.draw(rng).cloned()).unwrap_or_else(|| "read".to_owned());
        let key = self.io.draw(|rng| rng.below(u64::from(self.workload.keys))) as usize;
        let deadline = self.io.now() + self.workload.timeout;
        if matches!(f.as_str(), "list" | "anomalies") {
            return self.browse(f, deadline).await;
        }
        let fresh = self.fresh_value();
        let expected = self.seen[key].clone();
        let value = match f.as_str() {
            "read" => format!("k{key}"),
            "cas" => format!("k{key}:{}->{fresh}", expected.as_ref().map_or(NIL, |(text, _)| text)),
            _ => format!("k{key}={fresh}"),
        };
        self.io.invoke(f.clone(), value.clone());
        let end = match f.as_str() {
            "read" => self.read(key, deadline).await,
            "cas" => self.cas(key, &fresh, expected, &value, deadline).await,
            _ => self.write(key, &fresh, &value, deadline).await,
        };
        match end {
            End::Ok(value) => self.io.complete(OpType::Ok, f, value, ""),
            End::Mismatch => self.io.complete(OpType::Fail, f, value, "mismatch"),
            End::Info(reason) => self.io.complete(OpType::Info, f, value, reason),
        }
    }

    async fn read(&mut self, key: usize, deadline: LocalTime) -> End {
        match self.ask(Op::Sync, deadline).await {
            Some(Ok(_)) => {}
            other => return lost(other),
        }
        match self.ask(Op::Get { path: path_of(key), watch: false }, deadline).await {
            Some(Ok(Answer::Data(data, stat))) => {
                let text: Rc<str> = String::from_utf8_lossy(&data).into();
                self.seen[key] = Some((text.clone(), stat.version));
                End::Ok(format!("k{key}={text}"))
            }
            Some(Err(ErrorCode::NoNode)) => {
                self.seen[key] = None;
                End::Ok(format!("k{key}={NIL}"))
            }
            other => lost(other),
        }
    }

    async fn write(&mut self, key: usize, text: &Rc<str>, value: &str, deadline: LocalTime) -> End {
        // Somebody may make or remove the znode between two tries; only an answer that says so
        // leads to another try.
        while self.io.now() < deadline {
            let data = text.as_bytes().into();
            match self
                .ask(Op::Set { path: path_of(key), data, version: ANY_VERSION }, deadline)
                .await
            {
                Some(Ok(Answer::Stat(stat))) => {
                    self.seen[key] = Some((text.clone(), stat.version));
                    return End::Ok(value.to_owned());
                }
                Some(Err(ErrorCode::NoNode)) => {}
                other => return lost(other),
            }
            match self.create(key, text, deadline).await {
                Some(Ok(_)) => {
                    self.seen[key] = Some((text.clone(), 0));
                    return End::Ok(value.to_owned());
                }
                Some(Err(ErrorCode::NodeExists | ErrorCode::NoNode)) => {}
                other => return lost(other),
            }
        }
        End::Info("timeout")
    }

    async fn create(&mut self, key: usize, text: &str, deadline: LocalTime) -> Option<Outcome> {
        let above =
            Op::Create { path: PARENT.into(), data: b""[..].into(), mode: CreateMode::Persistent };
        // Usually it is there.
        let _ = self.ask(above, deadline).await?;
        let data = text.as_bytes().into();
        self.ask(Op::Create { path: path_of(key), data, mode: CreateMode::Persistent }, deadline)
            .await
    }

    async fn cas(
        &mut self,
        key: usize,
        text: &Rc<str>,
        expected: Option<(Rc<str>, i32)>,
        value: &str,
        deadline: LocalTime,
    ) -> End {
        let outcome = match expected {
            Some((_, version)) => {
                let op = Op::Set { path: path_of(key), data: text.as_bytes().into(), version };
                self.ask(op, deadline).await
            }
            None => self.create(key, text, deadline).await,
        };
        match outcome {
            Some(Ok(answer)) => {
                let version = if let Answer::Stat(stat) = answer { stat.version } else { 0 };
                self.seen[key] = Some((text.clone(), version));
                End::Ok(value.to_owned())
            }
            Some(Err(ErrorCode::BadVersion | ErrorCode::NodeExists | ErrorCode::NoNode)) => {
                End::Mismatch
            }
            other => lost(other),
        }
    }

    /// Ask the web tier for the means, or for the anomalies among them.
    async fn browse(&mut self, f: String, deadline: LocalTime) {
        self.last_id += 1;
        let (id, target) = (self.last_id, if f == "list" { "/listar" } else { "/anomalias" });
        self.io.invoke(f.clone(), "");
        let Some(balancer) = self.balancer else {
            return self.io.complete(OpType::Fail, f, "", "there is no web tier");
        };
        let retry = self.workload.retry_after;
        let mut next = self.io.now();
        loop {
            if self.io.now() >= next {
                let request = HttpRequest { id, target: target.into(), epoch: 0, number: 0 };
                self.io.send(balancer, WebMessage::HttpRequest(request).into());
                next = self.io.now() + retry;
            }
            self.step(next.min(deadline)).await;
            let answer = std::mem::take(&mut self.pages)
                .into_iter()
                .find(|page| page.id == id && page.status == 200);
            if let Some(page) = answer {
                return self.io.complete(
                    OpType::Ok,
                    f,
                    format!("{}", page.body.lines().count()),
                    "",
                );
            }
            if self.io.now() >= deadline {
                return self.io.complete(OpType::Info, f, "", "timeout");
            }
        }
    }

    /// A number that nobody else writes.
    fn fresh_value(&mut self) -> Rc<str> {
        self.values += 1;
        (self.values * u64::from(self.workload.clients.max(1)) + self.position).to_string().into()
    }
}

fn path_of(key: usize) -> Path {
    format!("{PARENT}/k{key}").into()
}

/// What no answer tells.
fn lost(outcome: Option<Outcome>) -> End {
    match outcome {
        None => End::Info("timeout"),
        Some(Err(code)) => End::Info(code.word()),
        Some(Ok(_)) => End::Info("answer of another kind"),
    }
}

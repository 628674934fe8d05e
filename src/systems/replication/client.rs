//! The client processes: one request of the REST interface after the other, to whoever leads.
//!
//! A client that gets no answer asks again with the same number, here and there, and so does a
//! browser's user who presses the button twice; only the number tells the two apart. After
//! `timeout` it gives up, and does not know what became of its request.

use std::sync::Arc;

use serde_json::{Value, json};

use super::message::{Answer, ReplicationMessage, Request};
use super::rest::{DUPLICATE, GENDERS, MISSING, Verb};
use super::settings::{Reads, ReplicationSettings};
use crate::node::{LocalTime, NodeId};
use crate::scenario::WorkloadSpec;
use crate::sim::Io;
use crate::systems::client_mix::Mix;
use crate::systems::client_pace::Pace;
use crate::trace::OpType;

/// So many times a client follows a hint before it takes a pause.
const HINTS_MAX: u32 = 4;
/// So many silences in a row before a client asks another.
const SILENCES_MAX: u32 = 1;
/// A pause is this part of `retry_after`.
const PAUSE_PART: u32 = 4;

const NOMBRES: &[&str] = &["Ana", "Luis", "Marta", "Jorge", "Inés", "Pablo", "Rosa", "Tomás"];
const APELLIDOS: &[&str] = &["Paz", "Vega", "Rojas", "Cruz", "Luna", "Mora", "Soto", "Ríos"];

/// A client.
pub struct Client {
    io: Io<ReplicationMessage>,
    workload: WorkloadSpec,
    settings: Arc<ReplicationSettings>,
    /// The replicas, and the one that this client is pinned to, if any.
    replicas: Vec<NodeId>,
    pinned: Option<NodeId>,
    position: u64,
    /// Operations with the sum of the weights up to each.
    mix: Mix<Verb>,
    leader: NodeId,
    /// The number of its last request. Its n-th operation has the number n.
    req: u64,
    folios: u64,
}

impl Client {
    /// The client at this position.
    pub fn new(
        io: Io<ReplicationMessage>,
        workload: WorkloadSpec,
        settings: Arc<ReplicationSettings>,
        replicas: Vec<NodeId>,
        position: usize,
    ) -> Client {
        let pinned = match workload.pin.len() {
            0 => None,
            count => io.find(&workload.pin[position % count]),
        };
        let leader = pinned.unwrap_or(replicas[position % replicas.len()]);
        let frequencies =
            Verb::ALL.iter().filter_map(|(name, verb)| Some((*verb, *workload.mix.get(*name)?)));
        let mix = Mix::new(frequencies);
        Client {
            io,
            workload,
            settings,
            replicas,
            pinned,
            position: position as u64,
            mix,
            leader,
            req: 0,
            folios: 0,
        }
    }

    /// Its whole life.
    pub async fn run(mut self) {
        let mut pace = Pace::new(&self.io, &self.workload);
        loop {
            pace.wait(&self.io).await;
            if pace.begin(&self.io, &self.workload).is_none() {
                return;
            }
            self.operation().await;
            pace.end(&self.io, &self.workload);
        }
    }

    async fn operation(&mut self) {
        let verb = self.io.draw(|rng| self.mix.draw(rng).copied()).unwrap_or(Verb::Get);
        let id = format!("k{}", self.io.draw(|rng| rng.below(u64::from(self.workload.keys))));
        let genero = self.io.draw(|rng| *rng.pick(GENDERS).expect("there are genders"));
        let (body, value) = match verb {
            Verb::Insert | Verb::Update => {
                let (form, text) = self.form(&id, genero);
                (form, format!("{id}={text}"))
            }
            Verb::GetAll => (json!({}), "*".to_owned()),
            Verb::GetByGender => (json!({ "genero": genero }), genero.to_owned()),
            _ => (json!({ "id": id }), id),
        };
        self.io.invoke(verb.word(), value.clone());
        let deadline = self.io.now() + self.workload.timeout;
        match self.request(verb, body.to_string(), deadline).await {
            Some(body) => self.complete(verb, value, &body),
            None => self.io.complete(OpType::Info, verb.word(), value, "timeout"),
        }
    }

    /// Write the end of an operation into the history.
    fn complete(&self, verb: Verb, value: String, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let refused = match body["message"].as_str() {
            _ if verb.writes().is_none() || body["status"] == "success" => None,
            Some(DUPLICATE) => Some("duplicate"),
            Some(MISSING) => Some("missing"),
            _ => Some("refused"),
        };
        if let Some(reason) = refused {
            return self.io.complete(OpType::Fail, verb.word(), value, reason);
        }
        let text =
            |form: &Value| format!("{}{}", form["folio"], form["genero"].as_str().unwrap_or("?"));
        let forms = || body["formularios"].as_array().into_iter().flatten();
        let id = |form: &Value| form["id"].as_str().unwrap_or("?").to_owned();
        let seen = match verb {
            Verb::Exists => format!("{value}={}", body["existe"]),
            Verb::Get if body["formulario"].is_null() => format!("{value}=nil"),
            Verb::Get => format!("{value}={}", text(&body["formulario"])),
            Verb::GetAll => format!(
                "*={}",
                forms()
                    .map(|form| format!("{}:{}", id(form), text(form)))
                    .collect::<Vec<_>>()
                    .join(",")
            ),
            Verb::GetByGender => {
                format!("{value}={}", forms().map(id).collect::<Vec<_>>().join(","))
            }
            _ => value,
        };
        self.io.complete(OpType::Ok, verb.word(), seen, "");
    }

    /// A form with a serial number that no other has, and how the history writes it.
    fn form(&mut self, id: &str, genero: &str) -> (Value, String) {
        self.folios += 1;
        let folio = self.folios * u64::from(self.workload.clients.max(1)) + self.position;
        let (nombres, apellidos) = self
            .io
            .draw(|rng| (*rng.pick(NOMBRES).expect("names"), *rng.pick(APELLIDOS).expect("names")));
        let form = json!({ "id": id, "nombres": nombres, "apellidos": apellidos, "genero": genero, "folio": folio });
        (form, format!("{folio}{genero}"))
    }

    /// Ask, and ask again with the same number, until there is an answer or the time is over.
    async fn request(&mut self, verb: Verb, body: String, deadline: LocalTime) -> Option<String> {
        self.req += 1;
        let request = Request { req: self.req, verb, body: body.into() };
        let anywhere = self.settings.reads == Reads::Anyone && verb.writes().is_none();
        let mut to = if anywhere { self.other(self.leader) } else { self.leader };
        let (mut hints, mut silences) = (0, 0);
        while self.io.now() < deadline {
            self.io.send(to, ReplicationMessage::Request(request.clone()));
            let retry = (self.io.now() + self.workload.retry_after).min(deadline);
            match self.answer(retry).await {
                Some(Answer { body: Some(body), .. }) => {
                    if self.pinned.is_none() && !anywhere {
                        self.leader = to;
                    }
                    return Some(body.to_string());
                }
                Some(Answer { leader: Some(leader), .. })
                    if self.pinned.is_none() && hints < HINTS_MAX =>
                {
                    (hints, silences) = (hints + 1, 0);
                    to = leader;
                }
                Some(_) => {
                    (hints, silences) = (0, 0);
                    let until =
                        (self.io.now() + self.workload.retry_after / PAUSE_PART).min(deadline);
                    if until > self.io.now() {
                        self.io.sleep(until - self.io.now()).await;
                    }
                    to = self.other(to);
                }
                // One silence is more often a lost message than a lost replica.
                None if silences < SILENCES_MAX => silences += 1,
                None => {
                    (hints, silences) = (0, 0);
                    to = self.other(to);
                }
            }
        }
        None
    }

    /// Another replica by chance, or the same where the client is pinned.
    fn other(&self, than: NodeId) -> NodeId {
        let others: Vec<NodeId> =
            self.replicas.iter().copied().filter(|node| *node != than).collect();
        if self.pinned.is_some() || others.is_empty() {
            return than;
        }
        self.io.draw(|rng| *rng.pick(&others).expect("there are others"))
    }

    /// The answer to the last request; late answers to earlier ones are thrown away.
    async fn answer(&self, until: LocalTime) -> Option<Answer> {
        loop {
            match self.io.recv_until(until).await? {
                (_, ReplicationMessage::Answer(answer)) if answer.req == self.req => {
                    return Some(answer);
                }
                _ => {}
            }
        }
    }
}

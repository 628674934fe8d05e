//! A user at the terminal of a peer: one command after the other, from a script or by chance.
//!
//! What the user types is the history: an operation begins when it is typed, and ends when the peer
//! shows a status. A user waits for its peer as long as that takes; an operation ends without a
//! status, as `info`, only if its terminal is gone because the program has ended.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use super::command::{Answer, Certainty, Command, ScriptLine, ScriptStep};
use super::message::P2pMessage;
use super::service::Service;
use super::settings::P2pSettings;
use crate::node::{LocalTime, NodeId};
use crate::scenario::WorkloadSpec;
use crate::sim::Io;
use crate::systems::client_mix::Mix;
use crate::systems::client_pace::Pace;
use crate::trace::{OpType, Word};

/// The user that acts before any was named.
const NOBODY: &str = "nobody";
/// A terminal that has answered within this time counts as being there.
const FRESH: std::time::Duration = std::time::Duration::from_secs(1);
/// Names for fetched files, so that some are fetched over others.
const COPIES: u64 = 3;

/// A user.
pub struct Client {
    io: Io<P2pMessage>,
    workload: WorkloadSpec,
    settings: Arc<P2pSettings>,
    mix: Mix<Service>,
    peer: NodeId,
    script: Vec<ScriptLine>,
    /// How many users there are.
    users: u64,
    position: u64,
    token: Option<u64>,
    /// When the terminal answered last.
    heard: LocalTime,
    serial: u64,
    /// The user that acts.
    user: String,
    /// Users seen in lists, with their files.
    seen: BTreeSet<(String, String)>,
    users_seen: BTreeSet<String>,
    /// The last status of a service that asks who acts.
    last: u8,
}

impl Client {
    /// The user at this position, who sits at the peer of the same position.
    pub fn new(
        io: Io<P2pMessage>,
        workload: WorkloadSpec,
        settings: Arc<P2pSettings>,
        peers: &[String],
        position: usize,
    ) -> Client {
        let name = &peers[position % peers.len()];
        let peer = io.find(name).expect("peers are nodes of the scenario");
        let script = settings
            .scripts
            .iter()
            .find(|(node, _)| node == name)
            .map(|(_, lines)| lines.clone())
            .unwrap_or_default();
        let mix = Mix::new(
            workload
                .mix
                .iter()
                .filter_map(|(name, frequency)| Some((Service::from_word(name)?, *frequency))),
        );
        Client {
            io,
            mix,
            users: u64::from(workload.clients),
            workload,
            settings,
            peer,
            script,
            position: position as u64,
            token: None,
            heard: LocalTime::ZERO,
            serial: 0,
            user: NOBODY.to_owned(),
            seen: BTreeSet::new(),
            users_seen: BTreeSet::new(),
            last: 0,
        }
    }

    /// Its whole life.
    pub async fn run(mut self) {
        if self.script.is_empty() {
            self.run_by_chance().await;
        } else {
            self.run_script().await;
        }
    }

    async fn run_script(&mut self) {
        for line in std::mem::take(&mut self.script) {
            match line.step {
                ScriptStep::Wait(duration) => self.io.sleep(duration).await,
                ScriptStep::Local(command) => {
                    self.open().await;
                    self.exchange(command).await;
                }
                ScriptStep::Service(service, words) => {
                    self.service(service, words, line.expected).await
                }
            }
        }
    }

    async fn run_by_chance(&mut self) {
        let mut pace = Pace::new(&self.io, &self.workload);
        loop {
            pace.wait(&self.io).await;
            let Some(count) = pace.begin(&self.io, &self.workload) else { return };
            let service = self.draw_service(count);
            let words = self.draw_words(service);
            self.service(service, words, None).await;
            pace.end(&self.io, &self.workload);
        }
    }

    /// A user begins by registering and connecting, and later often does what the last status asks
    /// for.
    fn draw_service(&self, count: u64) -> Service {
        let likely = self.io.draw(|rng| rng.chance(0.5));
        match (count, self.last) {
            (0, _) => return Service::Register,
            (1, _) => return Service::Connect,
            (_, 1) if likely => return Service::Register,
            (_, 2) if likely => return Service::Connect,
            _ => {}
        }
        self.io.draw(|rng| self.mix.draw(rng).copied()).unwrap_or(Service::ListUsers)
    }

    fn draw_words(&self, service: Service) -> Vec<String> {
        let below = |bound: u64| self.io.draw(|rng| rng.below(bound.max(1)));
        match service {
            Service::Register | Service::Unregister | Service::Connect | Service::Disconnect => {
                let foreign = self.io.draw(|rng| rng.chance(self.settings.foreign_names));
                let of = if foreign { below(self.users) } else { self.position };
                vec![format!("user{}", of + 1)]
            }
            Service::Publish | Service::Delete => {
                let file =
                    format!("{}-{}.dat", self.io.name(self.peer), below(self.settings.files) + 1);
                let description =
                    (service == Service::Publish).then(|| format!("file {}", self.serial));
                [file].into_iter().chain(description).collect()
            }
            Service::ListUsers => vec![],
            Service::ListContent => {
                let seen: Vec<&String> = self.users_seen.iter().collect();
                let other = seen.get(below(seen.len() as u64) as usize).map(ToString::to_string);
                vec![other.unwrap_or_else(|| format!("user{}", below(self.users) + 1))]
            }
            Service::GetFile => {
                let seen: Vec<&(String, String)> =
                    self.seen.iter().filter(|(user, _)| *user != self.user).collect();
                let known = seen.get(below(seen.len() as u64) as usize).map(|pair| (*pair).clone());
                let (user, file) = known.unwrap_or_else(|| {
                    (format!("user{}", below(self.users) + 1), "p1-1.dat".to_owned())
                });
                vec![user, file, format!("copy-{}.dat", below(COPIES) + 1)]
            }
        }
    }

    /// One operation of the history.
    async fn service(&mut self, service: Service, mut words: Vec<String>, expected: Option<u8>) {
        self.open().await;
        // The user that these name acts from now on.
        if matches!(
            service,
            Service::Register | Service::Connect | Service::Disconnect | Service::Unregister
        ) {
            let named = words.pop().unwrap_or_default();
            // Leaving in the name of another changes nothing of who sits here.
            if matches!(service, Service::Register | Service::Connect) {
                self.user.clone_from(&named);
            }
            return self.operation(service, named, words, expected).await;
        }
        self.operation(service, self.user.clone(), words, expected).await;
    }

    async fn operation(
        &mut self,
        service: Service,
        user: String,
        arguments: Vec<String>,
        expected: Option<u8>,
    ) {
        let shown =
            [&user].into_iter().chain(&arguments).map(String::as_str).collect::<Vec<_>>().join(" ");
        self.io.invoke(service.word(), shown.clone());
        let command = Command::Service { service, user, arguments: arguments.clone() };
        let Some(answer) = self.exchange(command).await else {
            self.io.complete(OpType::Info, service.word(), shown, "peer restarted");
            return;
        };
        self.learn(service, &arguments, &answer);
        let wrong = expected
            .filter(|expected| *expected != answer.status)
            .map(|expected| format!("expected status {expected}"));
        let separator = if answer.detail.is_empty() { "" } else { " " };
        let value = format!("{shown} -> {}{separator}{}", answer.status, answer.detail);
        let (op_type, reason) = match answer.certainty {
            Certainty::Answered => (OpType::Ok, Word::default()),
            Certainty::NotAsked(reason) => (OpType::Fail, reason),
            Certainty::Unknown(reason) => (OpType::Info, reason),
        };
        let error = match wrong {
            Some(wrong) if reason.is_empty() => wrong,
            Some(wrong) => format!("{wrong}: {reason}"),
            None => reason.into_owned(),
        };
        self.io.complete(op_type, service.word(), value, error);
    }

    /// Remember who is there and what they have.
    fn learn(&mut self, service: Service, arguments: &[String], answer: &Answer) {
        if service != Service::GetFile {
            self.last = if answer.status <= 2 { answer.status } else { 0 };
        }
        if matches!(service, Service::Register | Service::Connect) {
            self.last = if service == Service::Connect && answer.status == 1 { 1 } else { 0 };
        }
        if answer.status != 0 {
            return;
        }
        let words = answer.detail.split_whitespace().map(str::to_owned);
        match (service, arguments) {
            (Service::ListUsers, _) => {
                self.users_seen = words
                    .filter_map(|word| Some(word.split_once('@')?.0.to_owned()))
                    .filter(|user| *user != self.user)
                    .collect();
            }
            (Service::ListContent, [user]) => {
                self.seen.retain(|(other, _)| other != user);
                self.seen.extend(words.map(|file| (user.clone(), file)));
            }
            _ => {}
        }
    }

    // The terminal.

    /// Sit down, unless the terminal was there just now. After a while the user looks again, for a
    /// command that is typed at a terminal that is gone leaves nobody knowing whether it was done.
    async fn open(&mut self) {
        if self.io.now().saturating_since(self.heard) > FRESH {
            self.token = None;
        }
        while self.token.is_none() {
            self.io.send(self.peer, P2pMessage::TerminalOpen);
            let until = self.io.now() + self.workload.retry_after;
            while let Some((_, message)) = self.io.recv_until(until).await {
                if let P2pMessage::TerminalOpened { token } = message {
                    (self.token, self.heard) = (Some(token), self.io.now());
                    break;
                }
            }
        }
    }

    /// Type a command and wait for its answer. `None`: the terminal is gone.
    async fn exchange(&mut self, command: Command) -> Option<Answer> {
        self.serial += 1;
        let (token, serial, command) = (self.token?, self.serial, Rc::new(command));
        loop {
            self.io
                .send(self.peer, P2pMessage::Command { token, serial, command: command.clone() });
            let until = self.io.now() + self.workload.retry_after;
            while let Some((_, message)) = self.io.recv_until(until).await {
                match message {
                    P2pMessage::Answer { serial: of, answer } if of == serial => {
                        self.heard = self.io.now();
                        return Some(answer);
                    }
                    P2pMessage::TerminalClosed { token: gone } if gone == token => {
                        self.token = None;
                        return None;
                    }
                    _ => {}
                }
            }
        }
    }
}

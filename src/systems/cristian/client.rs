//! A user: asks a random server for a book, waits for the answer, and asks again later.
//!
//! A request that gets no answer is sent again with the same number: to another server where the
//! queue decides, to the same one where books have owners (another owner would not know that the
//! first one has already given a book for it). In the end it is `info`: it may have got a book, or
//! may still.

use std::sync::Arc;

use super::library::Answer;
use super::message::CristianMessage;
use super::settings::{CristianSettings, Reservation};
use crate::node::{LocalTime, NodeId};
use crate::scenario::WorkloadSpec;
use crate::sim::Io;
use crate::systems::client_mix::Mix;
use crate::systems::client_pace::Pace;
use crate::trace::OpType;

/// How often a user is sent on before it pauses.
const SENT_ON_MAX: u32 = 3;

/// A user's process.
pub struct Client {
    io: Io<CristianMessage>,
    workload: WorkloadSpec,
    settings: Arc<CristianSettings>,
    /// Whether it asks for a new session instead of a book.
    mix: Mix<bool>,
    /// The servers that it asks.
    servers: Vec<NodeId>,
    serial: u64,
}

impl Client {
    /// The user at this position of the workload.
    pub fn new(
        io: Io<CristianMessage>,
        workload: WorkloadSpec,
        settings: Arc<CristianSettings>,
        servers: &[NodeId],
        position: usize,
    ) -> Client {
        let pinned = match workload.pin.len() {
            0 => None,
            count => io.find(&workload.pin[position % count]),
        };
        let servers = pinned.map_or(servers.to_vec(), |server| vec![server]);
        let mix =
            Mix::new(workload.mix.iter().map(|(name, frequency)| (name == "restart", *frequency)));
        Client { io, workload, settings, mix, servers, serial: 0 }
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
        let restart = self.io.draw(|rng| self.mix.draw(rng) == Some(&true));
        let f = if restart { "restart" } else { "book" };
        self.io.invoke(f, "");
        let deadline = self.io.now() + self.workload.timeout;
        match self.ask(restart, deadline).await {
            Some(Answer::Book { session, book }) => {
                self.io.complete(OpType::Ok, f, format!("session={session} book={book}"), "")
            }
            Some(Answer::NoneLeft { session }) => {
                self.io.complete(OpType::Ok, f, format!("session={session} none"), "")
            }
            Some(Answer::Opened { session }) => {
                self.io.complete(OpType::Ok, f, format!("session={session}"), "")
            }
            Some(Answer::Elsewhere(_)) | None => self.io.complete(OpType::Info, f, "", "timeout"),
        }
    }

    /// Ask until there is an answer or the time is over.
    async fn ask(&mut self, restart: bool, deadline: LocalTime) -> Option<Answer> {
        let mut to = self.any_server()?;
        let mut sent_on = 0;
        loop {
            match self.request(to, restart, deadline).await? {
                Answer::Elsewhere(other) => to = other,
                answer => return Some(answer),
            }
            sent_on += 1;
            if sent_on % SENT_ON_MAX == 0 {
                // Owners whose last books just went do not know of each other yet.
                self.io.sleep(self.workload.retry_after / 2).await;
            }
        }
    }

    /// One request, under one number.
    async fn request(
        &mut self,
        mut to: NodeId,
        restart: bool,
        deadline: LocalTime,
    ) -> Option<Answer> {
        self.serial += 1;
        while self.io.now() < deadline {
            self.io.send(to, CristianMessage::BookRequest { serial: self.serial, restart });
            let retry = (self.io.now() + self.workload.retry_after).min(deadline);
            while let Some((_, message)) = self.io.recv_until(retry).await {
                if let CristianMessage::BookReply { serial, answer } = message
                    && serial == self.serial
                {
                    return Some(answer);
                }
            }
            if self.settings.reservation == Reservation::Queue {
                to = self.any_server()?;
            }
        }
        None
    }

    fn any_server(&self) -> Option<NodeId> {
        self.io.draw(|rng| rng.pick(&self.servers).copied())
    }
}

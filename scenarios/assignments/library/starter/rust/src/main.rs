//! Hand out books without duplicates: a skeleton. It starts and answers nobody; instructions.en.md
//! and instructions.es.md describe the task.

use seedbed_node::{Ctx, Node, run};
use serde::{Deserialize, Serialize};

const QUEUE: &str = "queue";
const POLL_EVERY: f64 = 0.200;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Message {
    /// A user asks for a book, or for a new session.
    BookRequest { serial: u64, restart: bool },
    /// The answer.
    BookReply { serial: u64, answer: Answer },
    /// Put statements on the queue.
    Enqueue { statements: Vec<Statement> },
    /// They are on its disk.
    EnqueueAck { digests: Vec<u64> },
    /// What is on the queue from this position on?
    Poll { from: u64 },
    /// This, at most 32 statements.
    PollReply { from: u64, statements: Vec<Statement> },
    /// About the clock, which is another assignment.
    #[serde(other)]
    Other,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Book { session: u32, book: u8 },
    NoneLeft { session: u32 },
    Opened { session: u32 },
}

#[derive(Clone, Serialize, Deserialize)]
struct Statement {
    server: String,
    client: String,
    serial: u64,
    hour_us: i64,
    body: Body,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Ask { wish: u8 },
    Open { after: u32, forced: bool },
}

/// The tables. They follow from the statements of the queue alone, and so they are the same on all
/// servers.
#[derive(Default)]
struct Library {
    position: u64,
    // TODO: the session, its books that are gone, and the last request of each user with its
    // answer.
}

struct Server {
    library: Library,
}

impl Server {
    fn poll(&mut self, ctx: &mut Ctx) {
        ctx.send(QUEUE, &Message::Poll { from: self.library.position });
        ctx.set_timer("poll", POLL_EVERY);
    }
}

impl Node for Server {
    type Message = Message;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        self.poll(ctx);
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        if name == "poll" {
            self.poll(ctx);
            // TODO: put what was lost on the way to the queue on it again.
        }
        // TODO: one second after the last book of a session, begin the next one.
    }

    fn on_message(&mut self, _ctx: &mut Ctx, _src: &str, message: Message) {
        match message {
            // TODO: put a statement on the queue with ctx.send(QUEUE, &Message::Enqueue { … }).
            Message::BookRequest { .. } => {}
            // TODO: apply the statements in their order, and answer the users that wait here.
            Message::PollReply { .. } => {}
            _ => {}
        }
    }
}

fn main() {
    run(|_start| Server { library: Library::default() });
}

//! Write a node for seedbed, the deterministic simulation testbed, in Rust.
//!
//! A node is a type with handlers. The testbed calls them one at a time, under virtual time:
//!
//! ```no_run
//! use seedbed_node::{Ctx, Node, run};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! #[serde(tag = "type")]
//! enum Message {
//!     Ping { count: u64 },
//!     Pong { count: u64 },
//! }
//!
//! #[derive(Default)]
//! struct Pinger;
//!
//! impl Node for Pinger {
//!     type Message = Message;
//!
//!     fn on_init(&mut self, ctx: &mut Ctx) {
//!         ctx.set_timer("ping", 0.5);
//!     }
//!
//!     fn on_timer(&mut self, ctx: &mut Ctx, _name: &str) {
//!         ctx.broadcast(&Message::Ping { count: 1 });
//!         ctx.set_timer("ping", 0.5);
//!     }
//!
//!     fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Message) {
//!         if let Message::Ping { count } = message {
//!             ctx.send(src, &Message::Pong { count });
//!         }
//!     }
//! }
//!
//! fn main() {
//!     run(|_start| Pinger);
//! }
//! ```
//!
//! Inside a handler no time passes. A node must not read a clock, an entropy source or the
//! iteration order of a `HashMap`, nor start threads: its time is [`Ctx::now`], its randomness
//! [`Ctx::random`], and where order matters it keeps a `BTreeMap`. A panic is a crash of the node,
//! with its message in the report. What was given to [`Ctx::save`] survives a crash; everything
//! else is gone.
//!
//! [`zookeeper`] is a client of ZooKeeper for nodes that have one in their scenario.
//!
//! The conversation with the testbed is a value, [`Machine`]: text in, text out. [`run`] holds it
//! over the two descriptors that a program inherits; a test, or seedbed itself, can hold it in
//! process. The lines are described in `sdk/PROTOCOL.md`.

mod ctx;
mod machine;
mod random;
pub mod zookeeper;

use std::io::{BufRead, BufReader, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use ctx::{Closed, Ctx, Start, StreamId};
pub use machine::Machine;
pub use random::Random;
pub use serde_json::Value;

/// A node. Every handler has a default that does nothing, but for [`Node::on_restart`] and
/// [`Node::on_close`].
pub trait Node {
    /// The messages that it understands, usually an enum with `#[serde(tag = "type")]`; [`Value`]
    /// takes everything.
    type Message: Serialize + DeserializeOwned;

    /// The node starts for the first time.
    fn on_init(&mut self, ctx: &mut Ctx) {
        let _ = ctx;
    }

    /// The node starts again after a crash or a stop, with what [`Ctx::saved`] holds. Calls
    /// `on_init` unless overridden.
    fn on_restart(&mut self, ctx: &mut Ctx) {
        self.on_init(ctx);
    }

    /// A message has come from the node or client `src`.
    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Self::Message) {
        let _ = (ctx, src, message);
    }

    /// A message has come that is none of [`Node::Message`]; `why` says what does not fit.
    fn on_unknown(&mut self, ctx: &mut Ctx, src: &str, message: Value, why: &str) {
        ctx.log(format!("a message from {src} is not understood: {why}: {message}"));
    }

    /// The timer of this name has run out.
    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        let _ = (ctx, name);
    }

    /// Somebody asks for something outside the protocol: `transfer_leadership n2`.
    fn on_command(&mut self, ctx: &mut Ctx, command: &str) {
        let _ = (ctx, command);
    }

    /// The process is asked to end. What is asked for here still happens.
    fn on_stop(&mut self, ctx: &mut Ctx) {
        let _ = ctx;
    }

    /// The node or client `src` has connected to a port that this node listens on.
    fn on_accept(&mut self, ctx: &mut Ctx, stream: StreamId, src: &str, port: u16) {
        let _ = (ctx, stream, src, port);
    }

    /// A connection that this node asked for stands.
    fn on_connect(&mut self, ctx: &mut Ctx, stream: StreamId) {
        let _ = (ctx, stream);
    }

    /// Bytes have come, in order. How they are cut into pieces says nothing.
    fn on_data(&mut self, ctx: &mut Ctx, stream: StreamId, data: &[u8]) {
        let _ = (ctx, stream, data);
    }

    /// Nothing more comes on a stream. Closes this side too unless overridden.
    fn on_close(&mut self, ctx: &mut Ctx, stream: StreamId, reason: Closed) {
        if reason == Closed::ByPeer {
            ctx.close(stream);
        }
    }

    /// What was written has left, by more than half, after there had been too much of it.
    fn on_writable(&mut self, ctx: &mut Ctx, stream: StreamId) {
        let _ = (ctx, stream);
    }
}

/// Run a node until the testbed ends the process. `make` is called once, with the node's place.
pub fn run<N: Node>(make: impl FnOnce(&Start) -> N + 'static) {
    let (turns, mut answers) = descriptors::take();
    let mut machine = Machine::new(make);
    let mut turns = BufReader::with_capacity(1 << 16, turns);
    let mut line = String::new();
    loop {
        line.clear();
        match turns.read_line(&mut line) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                eprintln!(
                    "This is a node for seedbed, which starts it: seedbed run SCENARIO \
                        --node-command PROGRAM (descriptor 3: {error})"
                );
                std::process::exit(2);
            }
        }
        let mut answer = machine.turn(&line);
        answer.push('\n');
        if answers.write_all(answer.as_bytes()).is_err() || machine.is_over() {
            // Whatever the program would still do does not happen: its node is down.
            std::process::exit(1);
        }
    }
}

/// The two descriptors that a program inherits.
///
/// Taking them needs the only unsafe lines of this crate. Opening `/proc/self/fd/3` instead
/// would need none, but fails where the testbed has given the program a user id of its own, where
/// `/proc` is not mounted, and where the descriptors are sockets.
mod descriptors {
    #![allow(unsafe_code)]

    use std::fs::File;
    use std::os::fd::FromRawFd;

    /// Turns and answers.
    pub(crate) fn take() -> (File, File) {
        // SAFETY: the testbed hands the two descriptors to this process, nothing else in it knows
        // of them, and `run` takes them once. Where the program was started by hand they are not
        // open, and the first read says so.
        unsafe { (File::from_raw_fd(3), File::from_raw_fd(4)) }
    }
}

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
//! [`Ctx::random`], and where order matters it uses a `BTreeMap`. A panic is a crash of the node,
//! with its message in the report. What was passed to [`Ctx::save`] survives a crash; everything
//! else is lost.
//!
//! [`zookeeper`] is a ZooKeeper client for scenarios that have an ensemble.
//!
//! The protocol is implemented as a value, [`Machine`]: text in, text out. [`run`] connects it to
//! the two descriptors that a program inherits; a test, or seedbed itself, can use it in process.
//! `sdk/PROTOCOL.md` describes the lines.

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

/// A node. Every handler has a default that does nothing, except [`Node::on_restart`] and
/// [`Node::on_close`].
pub trait Node {
    /// The messages that it accepts, usually an enum with `#[serde(tag = "type")]`; [`Value`]
    /// accepts everything.
    type Message: Serialize + DeserializeOwned;

    /// The node starts for the first time.
    fn on_init(&mut self, ctx: &mut Ctx) {
        let _ = ctx;
    }

    /// The node restarts after a crash or a stop, with the values in [`Ctx::saved`]. Calls
    /// `on_init` unless overridden.
    fn on_restart(&mut self, ctx: &mut Ctx) {
        self.on_init(ctx);
    }

    /// A message has arrived from the node or client `src`.
    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Self::Message) {
        let _ = (ctx, src, message);
    }

    /// A message has arrived that is not a [`Node::Message`]; `why` says what does not match.
    fn on_unknown(&mut self, ctx: &mut Ctx, src: &str, message: Value, why: &str) {
        ctx.log(format!("cannot interpret a message from {src}: {why}: {message}"));
    }

    /// The timer with this name has expired.
    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        let _ = (ctx, name);
    }

    /// The scenario sends a command: `transfer_leadership n2`.
    fn on_command(&mut self, ctx: &mut Ctx, command: &str) {
        let _ = (ctx, command);
    }

    /// The process is being stopped. The effects of this handler still happen.
    fn on_stop(&mut self, ctx: &mut Ctx) {
        let _ = ctx;
    }

    /// The node or client `src` has connected to a port that this node listens on.
    fn on_accept(&mut self, ctx: &mut Ctx, stream: StreamId, src: &str, port: u16) {
        let _ = (ctx, stream, src, port);
    }

    /// A connection that this node opened is established.
    fn on_connect(&mut self, ctx: &mut Ctx, stream: StreamId) {
        let _ = (ctx, stream);
    }

    /// Bytes have arrived, in order. How they are split has no meaning.
    fn on_data(&mut self, ctx: &mut Ctx, stream: StreamId, data: &[u8]) {
        let _ = (ctx, stream, data);
    }

    /// No more bytes will arrive on a stream. Closes this side too unless overridden.
    fn on_close(&mut self, ctx: &mut Ctx, stream: StreamId, reason: Closed) {
        if reason == Closed::ByPeer {
            ctx.close(stream);
        }
    }

    /// The send buffer, which had been too full, has drained below half.
    fn on_writable(&mut self, ctx: &mut Ctx, stream: StreamId) {
        let _ = (ctx, stream);
    }
}

/// Run a node until the testbed ends the process. `make` is called once, with the node's identity.
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
            // The node is down: nothing that the program would still do may happen.
            std::process::exit(1);
        }
    }
}

/// The two descriptors that a program inherits.
///
/// Taking them needs the only unsafe lines of this crate. Opening `/proc/self/fd/3` instead would
/// need none, but fails if the testbed has given the program its own user id, if `/proc` is not
/// mounted, and if the descriptors are sockets.
mod descriptors {
    #![allow(unsafe_code)]

    use std::fs::File;
    use std::os::fd::FromRawFd;

    /// Turns and answers.
    pub(crate) fn take() -> (File, File) {
        // SAFETY: the testbed passes the two descriptors to this process, nothing else in it knows
        // of them, and `run` takes them once. If the program was started by hand they are not open,
        // and the first read fails.
        unsafe { (File::from_raw_fd(3), File::from_raw_fd(4)) }
    }
}

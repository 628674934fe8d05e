//! The protocol as a value: a turn in, an answer out.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Node;
use crate::ctx::{Closed, Ctx, Start, StreamId, from_base64, quoted};

/// The protocol version of this crate.
const VERSION: u32 = 1;

/// Maximum bytes of a line, including its line feed.
const LINE_BYTES_MAX: usize = 1 << 20;

/// A turn. Unknown fields are ignored, so that a later protocol can add some.
#[derive(Deserialize)]
struct Turn<'a> {
    now: u64,
    #[serde(default)]
    wall: i64,
    #[serde(borrow)]
    ev: Vec<Event<'a>>,
}

/// An event, with the fields of all kinds: its `type` decides which are present.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    src: Option<Cow<'a, str>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    command: Option<Cow<'a, str>>,
    #[serde(borrow)]
    base64: Option<Cow<'a, str>>,
    stream: Option<u64>,
    port: Option<u16>,
    protocol: Option<u32>,
    node: Option<String>,
    role: Option<String>,
    peers: Option<Vec<String>>,
    nodes: Option<Vec<String>>,
    seed: Option<String>,
    saved: Option<BTreeMap<String, Value>>,
}

type Make<N> = Box<dyn FnOnce(&Start) -> N>;

/// A node that speaks the protocol, without any input or output of its own.
pub struct Machine<N: Node> {
    /// Until the first turn.
    make: Option<Make<N>>,
    /// From the first turn on.
    node: Option<(N, Ctx)>,
    is_over: bool,
}

impl<N: Node> Machine<N> {
    /// A node that `make` creates on the first turn.
    pub fn new(make: impl FnOnce(&Start) -> N + 'static) -> Machine<N> {
        Machine { make: Some(Box::new(make)), node: None, is_over: false }
    }

    /// Whether the node has crashed: it takes no more turns.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Give the node a turn and return its answer, both without a line feed.
    ///
    /// A panic of the node is its crash: the answer says so, and the operations of the step do not
    /// happen, but its log is shown.
    pub fn turn(&mut self, line: &str) -> String {
        match catch(|| self.step(line)) {
            Ok(answer) => answer,
            Err(message) => {
                self.is_over = true;
                let logs = self
                    .node
                    .as_mut()
                    .map(|(_, ctx)| std::mem::take(&mut ctx.logs))
                    .unwrap_or_default();
                format!(r#"{{"ops":[{}],"exit":1,"error":{}}}"#, log(&logs), quoted(&message))
            }
        }
    }

    fn step(&mut self, line: &str) -> String {
        assert!(!self.is_over, "a turn for a node that has crashed");
        let turn: Turn = serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("cannot interpret the testbed's turn: {error}"));
        for event in turn.ev {
            if let Some(make) = self.make.take() {
                let start = event.start();
                let mut ctx = Ctx::new(start, event.saved.clone().unwrap_or_default());
                (ctx.now, ctx.wall) = (turn.now, turn.wall);
                self.node = Some((make(&ctx.start), ctx));
            }
            let (node, ctx) = self.node.as_mut().expect("the first event has made it");
            (ctx.now, ctx.wall) = (turn.now, turn.wall);
            handle(node, ctx, event);
        }
        let Some((_, ctx)) = self.node.as_mut() else { return "{}".to_owned() };
        let mut ops = std::mem::take(&mut ctx.ops);
        ops.extend(Some(log(&std::mem::take(&mut ctx.logs))).filter(|op| !op.is_empty()));
        let answer = format!(r#"{{"ops":[{}]}}"#, ops.join(","));
        let bytes = answer.len() + 1;
        assert!(
            bytes <= LINE_BYTES_MAX,
            "one step asks for {bytes} bytes in total; the maximum is {LINE_BYTES_MAX}"
        );
        answer
    }
}

impl Event<'_> {
    fn start(&self) -> Start {
        let protocol = self.protocol.unwrap_or(0);
        assert!(
            protocol == VERSION,
            "this SDK speaks version {VERSION} of the protocol, but the testbed speaks {protocol}"
        );
        Start {
            node: self.node.clone().unwrap_or_default(),
            role: self.role.clone().unwrap_or_default(),
            peers: self.peers.clone().unwrap_or_default(),
            nodes: self.nodes.clone().unwrap_or_default(),
            seed: self
                .seed
                .as_deref()
                .and_then(|seed| u64::from_str_radix(seed, 16).ok())
                .unwrap_or(0),
        }
    }
}

/// Call the handler for an event.
fn handle<N: Node>(node: &mut N, ctx: &mut Ctx, event: Event) {
    let src = event.src.as_deref().unwrap_or_default();
    let name = event.name.as_deref().unwrap_or_default();
    let stream = StreamId(event.stream.unwrap_or(0));
    match &*event.kind {
        "init" => node.on_init(ctx),
        "restart" => node.on_restart(ctx),
        "message" => {
            let body = event.body.map_or("null", RawValue::get);
            match serde_json::from_str(body) {
                Ok(message) => node.on_message(ctx, src, message),
                Err(why) => {
                    let message = serde_json::from_str(body).unwrap_or(Value::Null);
                    node.on_unknown(ctx, src, message, &why.to_string());
                }
            }
        }
        "timer" => node.on_timer(ctx, name),
        "command" => node.on_command(ctx, event.command.as_deref().unwrap_or_default()),
        "stop" => node.on_stop(ctx),
        "accepted" => node.on_accept(ctx, stream, src, event.port.unwrap_or(0)),
        "connected" => node.on_connect(ctx, stream),
        "data" => {
            let data =
                event.base64.as_deref().and_then(from_base64).expect("the testbed writes base64");
            node.on_data(ctx, stream, &data);
        }
        "peer_closed" => node.on_close(ctx, stream, Closed::ByPeer),
        "refused" => node.on_close(ctx, stream, Closed::Refused),
        "reset" => node.on_close(ctx, stream, Closed::Reset),
        "timed_out" => node.on_close(ctx, stream, Closed::TimedOut),
        "writable" => node.on_writable(ctx, stream),
        // A later protocol may have more events.
        _ => {}
    }
}

/// The operation for log lines; empty if there are none.
fn log(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let mut text = lines.join("\n");
    if let Some((end, _)) = text.char_indices().nth(1 << 17) {
        text.truncate(end);
        text.push_str("\n(the rest of this step's log is not kept)");
    }
    format!(r#"{{"op":"log","text":{}}}"#, quoted(&text))
}

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    static MESSAGE: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Run a step. `Err` has the message of its panic, with the place in the source if that is a
/// relative path (an absolute one would differ between machines).
fn catch<R>(step: impl FnOnce() -> R) -> Result<R, String> {
    HOOK.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !CATCHING.get() {
                return default(info);
            }
            let payload = info.payload();
            let text = payload
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let text = text.unwrap_or("a panic without a message");
            let place = info.location().filter(|place| !place.file().starts_with('/'));
            MESSAGE.set(place.map_or(text.to_owned(), |place| {
                format!("{text} ({}:{})", place.file(), place.line())
            }));
        }));
    });
    let outer = CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(step));
    CATCHING.set(outer);
    result.map_err(|_| MESSAGE.take())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Echo;

    impl Node for Echo {
        type Message = Value;

        fn on_init(&mut self, ctx: &mut Ctx) {
            let bits = ctx.random().bits();
            ctx.save("drawn", &bits);
        }

        fn on_restart(&mut self, ctx: &mut Ctx) {
            let drawn: Option<u64> = ctx.saved("drawn");
            ctx.log(format!("{drawn:?} {}", ctx.is_damaged("drawn")));
        }

        fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Value) {
            ctx.log("before");
            ctx.send(src, &message);
        }

        fn on_accept(&mut self, ctx: &mut Ctx, stream: StreamId, src: &str, _port: u16) {
            ctx.write(stream, src.as_bytes());
        }
    }

    fn start(kind: &str, saved: Value) -> String {
        let event = json!({
            "type": kind,
            "protocol": 1,
            "node": "n1",
            "role": "server",
            "peers": ["n2"],
            "nodes": ["n1", "n2"],
            "seed": "00000000000000ff",
            "saved": saved,
            "later": [1, 2],
        });
        json!({"now": 0, "wall": 0, "ev": [event], "later": {}}).to_string()
    }

    fn turn(event: Value) -> String {
        json!({"now": 5, "wall": 0, "ev": [event]}).to_string()
    }

    /// Init, a message, an unknown event, a stream; and a panic is a crash that keeps the log.
    #[test]
    fn a_conversation() {
        let mut machine = Machine::new(|_| Echo);
        assert_eq!(
            machine.turn(&start("init", json!({}))),
            r#"{"ops":[{"op":"save","key":"drawn","value":3049297458332326790}]}"#
        );
        let answer = machine.turn(&turn(
            json!({"type": "message", "src": "n2", "body": {"type": "A", "text": "é\n"}}),
        ));
        let body = r#"{"text":"é\n","type":"A"}"#;
        assert_eq!(
            answer,
            format!(
                r#"{{"ops":[{{"op":"send","dest":"n2","body":{body}}},{{"op":"log","text":"before"}}]}}"#
            )
        );
        assert_eq!(machine.turn(&turn(json!({"type": "eclipse", "stream": 4}))), r#"{"ops":[]}"#);
        let accepted = json!({"type": "accepted", "stream": 1_u64 << 32, "src": "n2", "port": 80});
        assert_eq!(
            machine.turn(&turn(accepted)),
            r#"{"ops":[{"op":"write","stream":4294967296,"base64":"bjI="}]}"#
        );
        let answer =
            machine.turn(&turn(json!({"type": "message", "src": "n2", "body": {"type": 7}})));
        let said = "a message is an object with a text `type`, like an enum with #[serde(tag = \
            \"type\")], not";
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert!(answer["error"].as_str().is_some_and(|error| error.starts_with(said)), "{answer}");
        assert_eq!(answer["ops"], json!([{"op": "log", "text": "before"}]));
        assert!(machine.is_over());
    }

    /// A damaged value is distinguished from one that was never saved.
    #[test]
    fn a_restart_finds_what_was_saved() {
        let logged = |saved: Value| Machine::new(|_| Echo).turn(&start("restart", saved));
        assert_eq!(logged(json!({"drawn": 7})), r#"{"ops":[{"op":"log","text":"Some(7) false"}]}"#);
        assert_eq!(logged(json!({"drawn": null})), r#"{"ops":[{"op":"log","text":"None true"}]}"#);
        assert_eq!(logged(json!({})), r#"{"ops":[{"op":"log","text":"None false"}]}"#);
    }
}

//! The rules, from the first turn to the last. `sdk/PROTOCOL.md`, "Conformance", says what a
//! conformance node does.

use std::time::Duration;

use serde_json::{Value, json};

use super::{CLIENT, EPOCH, PEER, Rule, Stage, message, start};

pub(super) const RULES: &[Rule] = &[
    Rule { name: "init", summary: "the first turn is answered, exactly once", judge: init },
    Rule { name: "message", summary: "`Echo` goes back to its sender unchanged", judge: echo },
    Rule {
        name: "values",
        summary: "texts and numbers are passed unchanged: Unicode, escapes, all 64 bits of an \
            integer",
        judge: values,
    },
    Rule { name: "large", summary: "a message of 400,000 bytes is passed", judge: large },
    Rule {
        name: "order",
        summary: "several events in one turn are handled in order, with one answer",
        judge: order,
    },
    Rule {
        name: "unknown",
        summary: "unknown fields, events and messages are ignored",
        judge: unknown,
    },
    Rule {
        name: "timers",
        summary: "`Timer` sets a timer, its expiry is reported, `Cancel` cancels it",
        judge: timers,
    },
    Rule {
        name: "wake",
        summary: "a `wake` is answered, even if nothing asked for it",
        judge: wake,
    },
    Rule {
        name: "save",
        summary: "`Save` saves before it answers, `Load` reads what was saved",
        judge: save,
    },
    Rule {
        name: "restart",
        summary: "a later process finds what was saved, and what was damaged",
        judge: restart,
    },
    Rule {
        name: "broadcast",
        summary: "`Broadcast` goes to every peer, in order",
        judge: broadcast,
    },
    Rule {
        name: "observe",
        summary: "`Observe` records an event, `Show` a metric",
        judge: observe,
    },
    Rule { name: "command", summary: "a command is passed on", judge: command },
    Rule { name: "stop", summary: "operations in the answer to `stop` are complete", judge: stop },
    Rule { name: "print", summary: "printing does not disturb the conversation", judge: print },
    Rule {
        name: "crash",
        summary: "`Crash` ends the process, and `error` has its text",
        judge: crash,
    },
    Rule {
        name: "clock",
        summary: "`Now` returns the turn's clocks, to the nanosecond",
        judge: clock,
    },
    Rule {
        name: "streams",
        summary: "connections: accepted, opened, read, written, closed (skipped if `Listen` is not \
            supported)",
        judge: streams,
    },
    Rule {
        name: "deterministic",
        summary: "the same turns give the same answers, in another process and a second later",
        judge: deterministic,
    },
    Rule { name: "seed", summary: "`Draw` draws from the process's seed", judge: seed },
    Rule { name: "many", summary: "2,000 turns in a row", judge: many },
    Rule { name: "end", summary: "the process exits when descriptor 3 is closed", judge: end },
];

type Judgement = Result<(), String>;

fn init(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?.goes_on()?;
    if stage.talk.as_ref().is_some_and(|talk| talk.has_more(Duration::from_millis(100))) {
        return Err("a second line arrived, or the end of the stream, although no turn was \
            sent"
            .to_owned());
    }
    Ok(())
}

fn echo(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    for src in [CLIENT, PEER, "n3"] {
        let body = json!({"type": "Echo", "text": "hello", "from": src});
        stage.turn(vec![message(src, body.clone())])?.sends(&[(src, body)])?;
    }
    Ok(())
}

fn values(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let texts = [
        "",
        "äöü ñ 日本語",
        "😀 beyond sixteen bits",
        "\"quoted\" \\ / \n\r\t\u{8}\u{c}\u{1f}\u{7f}",
        "\u{2028}\u{fffd}",
        "nul \u{0} inside",
    ];
    let numbers = [
        json!(0),
        json!(-1),
        json!(9_007_199_254_740_993_i64),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(-1.5e300),
    ];
    let others = [
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([[1, [2, {"a": [null]}]], {"b": {"c": {}}}]),
    ];
    for value in texts.iter().map(|text| json!(text)).chain(numbers).chain(others) {
        let body = json!({"type": "Echo", "value": value});
        stage.message(body.clone())?.sends(&[(CLIENT, body)])?;
    }
    Ok(())
}

fn large(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let body = json!({"type": "Echo", "text": "0123456789".repeat(40_000)});
    stage.message(body.clone())?.sends(&[(CLIENT, body)])
}

fn order(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let body = |number: u32| json!({"type": "Echo", "number": number});
    let events = (0..5)
        .map(|number| message(if number % 2 == 0 { CLIENT } else { PEER }, body(number)))
        .collect();
    stage.turn(events)?.sends(&[
        (CLIENT, body(0)),
        (PEER, body(1)),
        (CLIENT, body(2)),
        (PEER, body(3)),
        (CLIENT, body(4)),
    ])
}

fn unknown(stage: &mut Stage<'_>) -> Judgement {
    stage.start()?;
    let mut first = start("init", "0000000000000001");
    first["colour"] = json!({"deep": [1, 2, {"x": null}]});
    stage
        .tell(
            &json!({"era": [1, {"a": "]}"}], "now": 1, "wall": EPOCH, "ev": [first], "zone": null}),
        )?
        .goes_on()?;
    stage.turn(vec![json!({"type": "eclipse", "stream": 7, "name": "x"})])?.goes_on()?;
    stage.message(json!({"type": "Unheard", "of": 1}))?.goes_on()?;
    let body = json!({"type": "Echo", "still": "there"});
    stage
        .turn(vec![json!({"type": "eclipse"}), message(PEER, body.clone())])?
        .sends(&[(PEER, body)])
}

fn timers(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let set = json!({"type": "Timer", "name": "beat", "after": 150_000_000});
    stage
        .message(set)?
        .asks("set_timer", &[json!({"op": "set_timer", "name": "beat", "after": 150_000_000})])?;
    let rings = |name: &str| json!({"type": "timer", "name": name});
    let tells = |name: &str| (PEER, json!({"type": "Timer", "name": name}));
    stage.turn(vec![rings("beat")])?.sends(&[tells("beat")])?;
    stage.turn(vec![rings("a"), rings("b")])?.sends(&[tells("a"), tells("b")])?;
    let cancel = json!({"type": "Cancel", "name": "beat"});
    stage.message(cancel)?.asks("cancel_timer", &[json!({"op": "cancel_timer", "name": "beat"})])
}

fn wake(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    stage.turn(vec![json!({"type": "wake"})])?.goes_on()
}

fn load(stage: &mut Stage<'_>, key: &str, value: Value) -> Judgement {
    let expected = json!({"type": "Loaded", "key": key, "value": value});
    stage.message(json!({"type": "Load", "key": key}))?.sends(&[(CLIENT, expected)])
}

fn save(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    load(stage, "log", json!(null))?;
    let value = json!([{"term": 1, "op": "x"}, 9_007_199_254_740_993_i64, "é"]);
    let reply = stage.message(json!({"type": "Save", "key": "log", "value": value}))?;
    reply.asks("save", &[json!({"op": "save", "key": "log", "value": value})])?;
    reply.sends(&[(CLIENT, json!({"type": "Saved", "key": "log"}))])?;
    let place = |kind: &str| reply.ops.iter().position(|op| op["op"] == kind);
    if place("save") > place("send") {
        return Err("it answers before it saves, so the answer would not wait for the \
            disk"
            .to_owned());
    }
    load(stage, "log", value)?;
    let reply = stage.message(json!({"type": "Save", "key": "log", "value": null}))?;
    reply.asks("save", &[json!({"op": "save", "key": "log", "value": null})])?;
    load(stage, "log", json!(null))
}

fn restart(stage: &mut Stage<'_>) -> Judgement {
    stage.start()?;
    let mut first = start("restart", "0000000000000002");
    first["saved"] = json!({"log": [1, {"x": "é"}], "vote": null, "term": i64::MAX});
    stage.turn(vec![first])?.sends(&[(PEER, json!({"type": "Restarted"}))])?;
    load(stage, "log", json!([1, {"x": "é"}]))?;
    load(stage, "term", json!(i64::MAX))?;
    load(stage, "vote", json!(null))?;
    load(stage, "never", json!(null))?;
    // The same with nothing saved.
    stage.start()?;
    let mut first = start("restart", "0000000000000003");
    first["saved"] = json!({});
    stage.turn(vec![first])?.sends(&[(PEER, json!({"type": "Restarted"}))])
}

fn broadcast(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let hello = || json!({"type": "Hello", "text": "all"});
    stage
        .message(json!({"type": "Broadcast", "text": "all"}))?
        .sends(&[(PEER, hello()), ("n3", hello())])
}

fn observe(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let fields = json!({"term": 3, "who": "n2", "is": true});
    let reply = stage.message(json!({"type": "Observe", "event": "leader", "fields": fields}))?;
    let has = |op: &Value, expected: &Value| {
        expected.as_object().is_some_and(|expected| {
            expected.iter().all(|(name, value)| op.get(name) == Some(value))
        })
    };
    let expected = json!({"op": "observe", "name": "leader", "fields": fields});
    if !reply.ops("observe").iter().any(|op| has(op, &expected)) {
        return Err(format!("expected {expected}"));
    }
    let reply = stage.message(json!({"type": "Show", "metric": "role", "value": "leader"}))?;
    let expected = json!({"op": "observe", "name": "role", "value": "leader"});
    if !reply.ops("observe").iter().any(|op| has(op, &expected)) {
        return Err(format!("expected {expected}"));
    }
    Ok(())
}

fn command(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let said = "transfer_leadership n2";
    stage
        .turn(vec![json!({"type": "command", "command": said})])?
        .sends(&[(PEER, json!({"type": "Command", "command": said}))])
}

fn stop(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    stage.turn(vec![json!({"type": "stop"})])?.sends(&[(PEER, json!({"type": "Stopped"}))])
}

fn print(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    for text in ["a line\n", "no end", "{\"ops\": []}\n", "ünï\n\n\n", &"x".repeat(100_000)] {
        stage
            .message(json!({"type": "Print", "text": text}))?
            .sends(&[(CLIENT, json!({"type": "Printed"}))])?;
    }
    Ok(())
}

fn crash(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let reply = stage.message(json!({"type": "Crash", "text": "the reason why"}))?;
    match (&reply.error, reply.exit) {
        (Some(error), _) if error.contains("the reason why") => Ok(()),
        (Some(error), _) => Err(format!("`error` does not say `the reason why`: {error}")),
        (None, Some(_)) => Err("it exits, but there is no `error` that says why".to_owned()),
        (None, None) => Err("it keeps running: expected `exit` and `error`".to_owned()),
    }
}

fn clock(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    // The wall clock may go back; the monotonic clock does not.
    for (now, wall) in [
        (1_500_000_001_u64, EPOCH + 123_456_789),
        (1_500_000_001, EPOCH),
        (86_400_000_000_007, EPOCH + 1),
    ] {
        let turn =
            json!({"now": now, "wall": wall, "ev": [message(CLIENT, json!({"type": "Now"}))]});
        stage.tell(&turn)?.sends(&[(CLIENT, json!({"type": "Now", "now": now, "wall": wall}))])?;
    }
    Ok(())
}

/// The first stream opened by another node.
const ACCEPTED: u64 = 1 << 32;

fn streams(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let reply = stage.message(json!({"type": "Listen", "port": 80}))?;
    if reply.ops("listen").is_empty() {
        stage.lines.push("-- skipped: `Listen` is not supported".to_owned());
        return reply.goes_on();
    }
    reply.asks("listen", &[json!({"op": "listen", "port": 80})])?;
    stage
        .turn(vec![json!({"type": "accepted", "stream": ACCEPTED, "src": PEER, "port": 80})])?
        .goes_on()?;
    // "hello", then bytes that are not text.
    for base64 in ["aGVsbG8=", "AP/+gA==", "Cg=="] {
        let reply =
            stage.turn(vec![json!({"type": "data", "stream": ACCEPTED, "base64": base64})])?;
        reply.asks("write", &[json!({"op": "write", "stream": ACCEPTED, "base64": base64})])?;
    }
    let reply = stage.turn(vec![json!({"type": "peer_closed", "stream": ACCEPTED})])?;
    reply.asks("close", &[json!({"op": "close", "stream": ACCEPTED})])?;
    let reply = stage.message(json!({"type": "Connect", "dest": "n3", "port": 7, "text": "hi"}))?;
    reply.asks("connect", &[json!({"op": "connect", "stream": 1, "dest": "n3", "port": 7})])?;
    reply.asks("write", &[json!({"op": "write", "stream": 1, "base64": "aGk="})])?;
    stage.turn(vec![json!({"type": "connected", "stream": 1})])?.goes_on()?;
    stage.turn(vec![json!({"type": "writable", "stream": 1})])?.goes_on()?;
    stage.turn(vec![json!({"type": "reset", "stream": 1})])?.goes_on()?;
    let reply = stage.message(json!({"type": "Connect", "dest": "n3", "port": 7, "text": ""}))?;
    reply.asks("connect", &[json!({"op": "connect", "stream": 2, "dest": "n3", "port": 7})])?;
    stage.turn(vec![json!({"type": "refused", "stream": 2})])?.goes_on()?;
    stage.message(json!({"type": "Connect", "dest": "n3", "port": 7, "text": ""}))?.goes_on()?;
    stage.turn(vec![json!({"type": "timed_out", "stream": 3})])?.goes_on()?;
    // Events for a stream that is gone are ignored.
    stage.turn(vec![json!({"type": "data", "stream": 2, "base64": "aGk="})])?.goes_on()
}

/// Everything that a node can do, with its answers.
fn script(stage: &mut Stage<'_>, seed: &str) -> Result<Vec<String>, String> {
    let mut answers = vec![stage.init_with(seed)?.line];
    let messages = [
        json!({"type": "Draw"}),
        json!({"type": "Now"}),
        json!({"type": "Echo", "b": 1, "a": [2], "c": {"z": 1, "y": 2}}),
        json!({"type": "Save", "key": "k", "value": {"b": 1, "a": 2}}),
        json!({"type": "Load", "key": "k"}),
        json!({"type": "Broadcast", "text": "x"}),
        json!({"type": "Observe", "event": "e", "fields": {"b": 1, "a": 2}}),
        json!({"type": "Draw"}),
        json!({"type": "Print", "text": "printed\n"}),
        json!({"type": "Timer", "name": "t", "after": 5}),
    ];
    for body in messages {
        answers.push(stage.message(body)?.line);
    }
    answers.push(stage.turn(vec![json!({"type": "stop"})])?.line);
    Ok(answers)
}

fn deterministic(stage: &mut Stage<'_>) -> Judgement {
    let first = script(stage, "00000000000000aa")?;
    std::thread::sleep(Duration::from_millis(1_100));
    let second = script(stage, "00000000000000aa")?;
    match first.iter().zip(&second).find(|(first, second)| first != second) {
        None => Ok(()),
        Some((first, second)) => {
            Err(format!("to the same turn:\n  first    {first}\n  later    {second}"))
        }
    }
}

fn seed(stage: &mut Stage<'_>) -> Judgement {
    let mut drawn = vec![];
    for seed in ["0000000000000001", "0000000000000002", "8000000000000001", "0000000000000001"] {
        stage.init_with(seed)?;
        let mut numbers = vec![];
        for _ in 0..4 {
            let reply = stage.message(json!({"type": "Draw"}))?;
            let number = reply.ops("send").first().and_then(|op| op["body"]["number"].as_u64());
            let number = number.filter(|number| *number < 1 << 32);
            numbers.push(number.ok_or(
                "expected {\"type\": \"Drawn\", \"number\": …}, a whole number below 2^32",
            )?);
        }
        drawn.push(numbers);
    }
    if drawn[0] != drawn[3] {
        return Err(format!("the same seed draws {:?} and then {:?}", drawn[0], drawn[3]));
    }
    if drawn[0] == drawn[1]
        || drawn[0] == drawn[2]
        || drawn[0].iter().all(|number| *number == drawn[0][0])
    {
        return Err(format!("different seeds draw the same: {drawn:?}"));
    }
    Ok(())
}

fn many(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    for number in 0..2_000 {
        let body = json!({"type": "Echo", "number": number});
        stage.message(body.clone())?.sends(&[(CLIENT, body)])?;
        if number > 2 {
            // They are all alike, so the log keeps only the first ones.
            stage.lines.truncate(6);
        }
    }
    Ok(())
}

fn end(stage: &mut Stage<'_>) -> Judgement {
    stage.init()?;
    let ended = stage.talk.as_mut().is_some_and(|talk| talk.ends_within(Duration::from_secs(10)));
    if ended { Ok(()) } else { Err("it still runs 10 s after descriptor 3 was closed".to_owned()) }
}

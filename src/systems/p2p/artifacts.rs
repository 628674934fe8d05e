//! Tables of a run besides the trace: the operation log as the logging server has it, and all
//! transfers.

use std::fmt::Write as _;

use crate::trace::{Event, Trace, Value};

fn shown(trace: &Trace, event: &Event, field: &str) -> String {
    match event.fields.get(field) {
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Node(node)) => trace.name(*node).to_owned(),
        Some(Value::Hash(hash)) => format!("{hash:016x}"),
        // Names have no commas to fear but in damaged traces.
        Some(Value::Text(text)) => text.replace([',', '"', '\n'], "_"),
        None => String::new(),
    }
}

/// The operation log: user, operation, date and time, file.
pub fn operation_log(trace: &Trace) -> Vec<u8> {
    let mut text = "sequence,user,operation,date,file\n".to_owned();
    for event in trace.events.iter().filter(|event| event.name == "logged") {
        let field = |name| shown(trace, event, name);
        let _ = writeln!(
            text,
            "{},{},{},{},{}",
            field("sequence"),
            field("user"),
            field("operation"),
            field("date").replace('_', " "),
            field("file")
        );
    }
    text.into_bytes()
}

/// All transfers with their outcomes.
pub fn transfers(trace: &Trace) -> Vec<u8> {
    let mut text = "time_us,peer,from,file,name,outcome,bytes,digest\n".to_owned();
    for event in trace.events.iter().filter(|event| event.name == "fetched") {
        let row = ["from", "file", "name", "outcome", "bytes", "digest"]
            .map(|field| shown(trace, event, field));
        let _ = writeln!(text, "{},{},{}", event.time_us, trace.name(event.node), row.join(","));
    }
    text.into_bytes()
}

//! Writing.

use std::fs::File;
use std::io;
use std::path::Path;

use csv::{ByteRecord, Writer, WriterBuilder};

use super::values::{push_fields, push_int, push_value};
use super::{CSV_FILES, EVENTS, HISTORY, MESSAGES, METRICS};
use crate::trace::{Detail, OpType, Outcome, Trace};

/// Write `history.csv`, `events.csv`, `messages.csv` and `metrics.csv` into a folder.
pub fn write_csv(trace: &Trace, folder: &Path) -> io::Result<()> {
    let mut row = Row::default();
    let [history, events, messages, metrics] = CSV_FILES.map(|file| folder.join(file));
    row.file(&history, HISTORY, &trace.history, |row, op| {
        row.int(op.index);
        row.int(op.time_us);
        row.text(&op.process);
        row.text(op_type_name(op.op_type));
        row.text(&op.f);
        row.text(&op.value);
        row.text(&op.error);
    })?;
    row.file(&events, EVENTS, &trace.events, |row, event| {
        row.int(event.index);
        row.int(event.time_us);
        row.text(trace.name(event.node));
        row.int(event.incarnation);
        row.text(&event.name);
        row.with(|out| push_fields(out, trace, &event.fields));
    })?;
    row.file(&messages, MESSAGES, &trace.messages, |row, message| {
        row.int(message.id);
        row.int(message.sent_us);
        match message.recv_us {
            Some(time) => row.int(time),
            None => row.text(""),
        }
        row.text(trace.name(message.src));
        row.text(trace.name(message.dest));
        row.text(&message.kind);
        row.int(message.bytes);
        row.text(outcome_name(message.outcome));
        match &message.detail {
            Detail::None => row.text(""),
            Detail::Text(text) => row.text(text),
            Detail::Numbers(names, values) => row.with(|out| {
                for (i, (name, value)) in names.iter().zip(values).enumerate() {
                    if i > 0 {
                        out.push(b' ');
                    }
                    out.extend_from_slice(name.as_bytes());
                    out.push(b'=');
                    push_int(out, value);
                }
            }),
        }
    })?;
    row.file(&metrics, METRICS, &trace.metrics, |row, metric| {
        row.int(metric.time_us);
        row.text(trace.name(metric.node));
        row.text(&metric.name);
        row.with(|out| push_value(out, trace, &metric.value));
    })
}

/// One row at a time, in buffers that are used again: a run leaves a hundred thousand rows.
#[derive(Default)]
struct Row {
    record: ByteRecord,
    field: Vec<u8>,
}

impl Row {
    fn file<T>(&mut self, path: &Path, columns: &[&str], records: &[T], each: impl Fn(&mut Row, &T)) -> io::Result<()> {
        let mut writer: Writer<File> = WriterBuilder::new().buffer_capacity(1 << 16).from_writer(File::create(path)?);
        writer.write_record(columns)?;
        for record in records {
            self.record.clear();
            each(self, record);
            writer.write_byte_record(&self.record)?;
        }
        writer.flush()
    }

    fn text(&mut self, text: &str) {
        self.record.push_field(text.as_bytes());
    }

    fn int(&mut self, number: impl std::fmt::Display) {
        self.with(|out| push_int(out, number));
    }

    fn with(&mut self, push: impl FnOnce(&mut Vec<u8>)) {
        self.field.clear();
        push(&mut self.field);
        self.record.push_field(&self.field);
    }
}

/// The word of `history.csv` for the moment of an operation.
pub(super) fn op_type_name(op_type: OpType) -> &'static str {
    match op_type {
        OpType::Invoke => "invoke",
        OpType::Ok => "ok",
        OpType::Fail => "fail",
        OpType::Info => "info",
    }
}

/// The word of `messages.csv` for what became of a message.
pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "delivered",
        Outcome::Lost => "lost",
        Outcome::Partitioned => "partitioned",
        Outcome::Duplicated => "duplicated",
        Outcome::Corrupted => "corrupted",
        Outcome::NodeDown => "node_down",
        Outcome::Discarded => "discarded",
        Outcome::InFlight => "in_flight",
    }
}

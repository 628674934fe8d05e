//! Writing.

use std::fs::File;
use std::io;
use std::path::Path;

use csv::{ByteRecord, Writer, WriterBuilder};

use super::values::{push_fields, push_int, push_value};
use super::{CSV_FILES, EVENTS, HISTORY, MESSAGES, METRICS};
use crate::trace::{Detail, Event, Message, Metric, Op, Trace};

/// Write `history.csv`, `events.csv`, `messages.csv` and `metrics.csv` into a folder.
pub fn write_csv(trace: &Trace, folder: &Path) -> io::Result<()> {
    let mut row = Row::default();
    let [history, events, messages, metrics] = CSV_FILES.map(|file| folder.join(file));
    row.file(&history, HISTORY, trace.history.iter().map(Record::Op), trace)?;
    row.file(&events, EVENTS, trace.events.iter().map(Record::Event), trace)?;
    row.file(&messages, MESSAGES, trace.messages.iter().map(Record::Message), trace)?;
    row.file(&metrics, METRICS, trace.metrics.iter().map(Record::Metric), trace)
}

/// A record of any of the four lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Of `history.csv`.
    Op(&'a Op),
    /// Of `events.csv`.
    Event(&'a Event),
    /// Of `messages.csv`.
    Message(&'a Message),
    /// Of `metrics.csv`.
    Metric(&'a Metric),
}

impl Record<'_> {
    /// The line of the file, without its end.
    pub fn line(&self, trace: &Trace) -> String {
        let mut row = Row::default();
        row.fill(*self, trace);
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_byte_record(&row.record).expect("a Vec takes every byte");
        let line = writer.into_inner().expect("a Vec takes every byte");
        String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned()
    }
}

/// One row at a time, in buffers that are used again: a run leaves a hundred thousand rows.
#[derive(Default)]
struct Row {
    record: ByteRecord,
    field: Vec<u8>,
}

impl Row {
    fn file<'a>(
        &mut self,
        path: &Path,
        columns: &[&str],
        records: impl Iterator<Item = Record<'a>>,
        trace: &Trace,
    ) -> io::Result<()> {
        let mut writer: Writer<File> =
            WriterBuilder::new().buffer_capacity(1 << 16).from_writer(File::create(path)?);
        writer.write_record(columns)?;
        for record in records {
            self.fill(record, trace);
            writer.write_byte_record(&self.record)?;
        }
        writer.flush()
    }

    fn fill(&mut self, record: Record<'_>, trace: &Trace) {
        self.record.clear();
        match record {
            Record::Op(op) => {
                self.int(op.index);
                self.int(op.time_us);
                self.text(&op.process);
                self.text(op.op_type.word());
                self.text(&op.f);
                self.text(&op.value);
                self.text(&op.error);
            }
            Record::Event(event) => {
                self.int(event.index);
                self.int(event.time_us);
                self.text(trace.name(event.node));
                self.int(event.incarnation);
                self.text(&event.name);
                self.with(|out| push_fields(out, trace, &event.fields));
            }
            Record::Message(message) => {
                self.int(message.id);
                self.int(message.sent_us);
                match message.recv_us {
                    Some(time) => self.int(time),
                    None => self.text(""),
                }
                self.text(trace.name(message.src));
                self.text(trace.name(message.dest));
                self.text(&message.kind);
                self.int(message.bytes);
                self.text(message.outcome.word());
                self.detail(&message.detail);
            }
            Record::Metric(metric) => {
                self.int(metric.time_us);
                self.text(trace.name(metric.node));
                self.text(&metric.name);
                self.with(|out| push_value(out, trace, &metric.value));
            }
        }
    }

    /// What [`Detail`] prints, without the formatting machinery: there is one for each message.
    fn detail(&mut self, detail: &Detail) {
        match detail {
            Detail::None => self.text(""),
            Detail::Text(text) => self.text(text),
            Detail::Numbers(names, values) => self.with(|out| {
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

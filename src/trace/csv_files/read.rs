//! Reading: strict, with the place of every mistake, and with limits.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::values::{NodeNames, parse_fields, parse_value, shorten, unknown_node};
use super::{CSV_FILES, CsvError, EVENTS, HISTORY, MESSAGES, METRICS};
use crate::error::io_reason;
use crate::trace::{Detail, Event, Fields, Message, Metric, NodeId, Op, OpType, Outcome, Trace};

/// Larger files are refused before they are read: an hour of a busy run stays below.
const FILE_BYTES_MAX: u64 = 1 << 30;
/// Files with more rows are refused.
const ROWS_MAX: usize = 10_000_000;

/// Read the lists of a trace back; everything else of it is `header`'s.
pub fn read_csv(header: Trace, folder: &Path) -> Result<Trace, CsvError> {
    let nodes: NodeNames<'_> = header
        .nodes
        .iter()
        .zip((0..).map(NodeId))
        .map(|(node, id)| (node.name.as_str(), id))
        .collect();
    let [history, events, messages, metrics] = CSV_FILES.map(|file| folder.join(file));

    let history = file(&history, HISTORY, |row| {
        Ok(Op {
            index: row.number(0)?,
            time_us: row.number(1)?,
            process: row.text(2).to_owned().into(),
            op_type: row.one_of(3, &OpType::ALL, OpType::word)?,
            f: row.text(4).to_owned().into(),
            value: row.text(5).to_owned().into(),
            error: row.text(6).to_owned().into(),
        })
    })?;
    // Events of one name nearly always have the same fields, and then share the list of their
    // names.
    let mut names_of: BTreeMap<String, Arc<[String]>> = BTreeMap::new();
    let events = file(&events, EVENTS, |row| {
        let (names, values) = parse_fields(row.text(5), &nodes)?;
        let names = match names_of.get(row.text(4)) {
            Some(known) if **known == *names => known.clone(),
            _ => {
                let names: Arc<[String]> = names.into();
                names_of.insert(row.text(4).to_owned(), names.clone());
                names
            }
        };
        Ok(Event {
            index: row.number(0)?,
            time_us: row.number(1)?,
            node: row.node(2, &nodes)?,
            incarnation: row.number(3)?,
            name: row.text(4).to_owned().into(),
            fields: Fields::shared(names, values),
        })
    })?;
    let messages = file(&messages, MESSAGES, |row| {
        Ok(Message {
            id: row.number(0)?,
            sent_us: row.number(1)?,
            recv_us: if row.text(2).is_empty() { None } else { Some(row.number(2)?) },
            src: row.node(3, &nodes)?,
            dest: row.node(4, &nodes)?,
            kind: row.text(5).to_owned().into(),
            bytes: row.number(6)?,
            outcome: row.one_of(7, &Outcome::ALL, Outcome::word)?,
            detail: if row.text(8).is_empty() {
                Detail::None
            } else {
                Detail::Text(row.text(8).to_owned().into())
            },
        })
    })?;
    let metrics = file(&metrics, METRICS, |row| {
        Ok(Metric {
            time_us: row.number(0)?,
            node: row.node(1, &nodes)?,
            name: row.text(2).to_owned().into(),
            value: parse_value(row.text(3), &nodes)?,
        })
    })?;
    Ok(Trace { history, events, messages, metrics, ..header })
}

/// Read one file, row by row.
fn file<T>(
    path: &Path,
    columns: &[&str],
    mut each: impl FnMut(&Row<'_>) -> Result<T, String>,
) -> Result<Vec<T>, CsvError> {
    let error = |line: Option<u64>, message: String| CsvError {
        file: path.display().to_string(),
        line,
        message,
    };
    let whole = |message: String| error(None, message);

    let not_read = |cause: std::io::Error| whole(format!("cannot be read: {}", io_reason(&cause)));
    // The kind is looked at first, because opening a pipe that nobody writes to never returns.
    let metadata = std::fs::metadata(path).map_err(not_read)?;
    if !metadata.is_file() {
        return Err(whole("cannot be read: this is not a file".to_owned()));
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(whole(format!(
            "has {} bytes, and files of more than {FILE_BYTES_MAX} bytes are not read",
            metadata.len()
        )));
    }

    let file = File::open(path).map_err(not_read)?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(1 << 16)
        .from_reader(file.take(FILE_BYTES_MAX));
    let mut record = StringRecord::new();
    let mut rows = Vec::new();
    for position in 0..=ROWS_MAX + 1 {
        let line = reader.position().line();
        let more = reader.read_record(&mut record).map_err(|cause| match cause.kind() {
            ErrorKind::Utf8 { pos, .. } => {
                error(pos.as_ref().map(csv::Position::line), "is not UTF-8".to_owned())
            }
            ErrorKind::Io(cause) => whole(format!("cannot be read: {}", io_reason(cause))),
            _ => error(Some(line), format!("is not CSV: {cause}")),
        })?;
        if !more {
            if position == 0 {
                return Err(whole(format!(
                    "is empty; its first line should be `{}`",
                    columns.join(",")
                )));
            }
            return Ok(rows);
        }
        // The record knows its own line; the reader's count would be that of a blank line before
        // it.
        let line = record.position().map_or(line, csv::Position::line);
        if position == 0 {
            if !record.iter().eq(columns.iter().copied()) {
                let found = record.iter().collect::<Vec<_>>().join(",");
                let message = format!(
                    "the columns are `{}`, but should be `{}`",
                    shorten(&found),
                    columns.join(",")
                );
                return Err(error(Some(line), message));
            }
            continue;
        }
        if record.len() != columns.len() {
            let message = format!(
                "has {} columns where {} are wanted; the file is damaged or cut short",
                record.len(),
                columns.len()
            );
            return Err(error(Some(line), message));
        }
        rows.push(
            each(&Row { record: &record, columns })
                .map_err(|message| error(Some(line), message))?,
        );
    }
    Err(whole(format!("has more than {ROWS_MAX} rows, which are too many to be read")))
}

/// A row with as many columns as it should have.
struct Row<'a> {
    record: &'a StringRecord,
    columns: &'a [&'a str],
}

impl Row<'_> {
    fn text(&self, column: usize) -> &str {
        &self.record[column]
    }

    fn number<N: std::str::FromStr>(&self, column: usize) -> Result<N, String> {
        let text = self.text(column);
        let number = if text.starts_with('+') { None } else { text.parse().ok() };
        number.ok_or_else(|| {
            format!("`{}` is not a number that `{}` can have", shorten(text), self.columns[column])
        })
    }

    fn node(&self, column: usize, nodes: &NodeNames<'_>) -> Result<NodeId, String> {
        let name = self.text(column);
        nodes.get(name).copied().ok_or_else(|| unknown_node(name, nodes))
    }

    fn one_of<T: Copy>(
        &self,
        column: usize,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<T, String> {
        let text = self.text(column);
        all.iter().copied().find(|each| name(*each) == text).ok_or_else(|| {
            let words: Vec<&str> = all.iter().map(|each| name(*each)).collect();
            format!(
                "`{}` is not a `{}`; there are {}",
                shorten(text),
                self.columns[column],
                words.join(", ")
            )
        })
    }
}

//! The tables of the original assignment as CSV, made from the trace alone. Names of tables and
//! columns are the assignment's.

use std::collections::BTreeMap;

use crate::systems::Artifact;
use crate::trace::{Event, NodeId, Trace};

/// One CSV file while it is written.
struct Table {
    name: &'static str,
    text: String,
}

impl Table {
    fn new(name: &'static str, columns: &str) -> Table {
        Table { name, text: format!("{columns}\n") }
    }

    fn row(&mut self, values: &[String]) {
        let quoted = |value: &String| {
            if value.contains([',', '"', '\n']) {
                format!("\"{}\"", value.replace('"', "\"\""))
            } else {
                value.clone()
            }
        };
        self.text.push_str(&values.iter().map(quoted).collect::<Vec<_>>().join(","));
        self.text.push('\n');
    }

    fn file(self) -> Artifact {
        (format!("{}.csv", self.name), self.text.into_bytes())
    }
}

/// All tables of a run.
pub fn tables(trace: &Trace) -> Vec<Artifact> {
    let machines = machines(trace);
    vec![
        machines.file(),
        hora_central(trace).file(),
        hora_equipo(trace).file(),
        libro(trace).file(),
        usuario(trace).file(),
        sesion(trace).file(),
        pedido(trace).file(),
    ]
}

/// Machines.
fn machines(trace: &Trace) -> Table {
    let mut table = Table::new("equipo", "id,nombre,ip,papel");
    for (id, info) in (0u32..).zip(&trace.nodes).filter(|(_, info)| info.role != "client") {
        table.row(&[id.to_string(), info.name.clone(), address(NodeId(id)), info.role.to_string()]);
    }
    table
}

/// Reference hours.
fn hora_central(trace: &Trace) -> Table {
    let mut table = Table::new("hora_central", "id,hora_referencia");
    for event in events(trace, "hour") {
        table.row(&[number(event, "round"), date(event, "hour_us")]);
    }
    table
}

/// What each round did to each machine.
fn hora_equipo(trace: &Trace) -> Table {
    let mut table =
        Table::new("hora_equipo", "id_hora_central,id_equipo,hora_previa,hora_corregida,ajuste_us");
    // A crash may keep a record and take back that it was told; it is found after the start.
    let mut rows: BTreeMap<(Option<i64>, Option<NodeId>), &Event> = BTreeMap::new();
    for event in
        trace.events.iter().filter(|event| event.name == "recorded" || event.name == "record_found")
    {
        rows.entry((event.fields.int("round"), event.fields.node("server"))).or_insert(event);
    }
    for event in rows.into_values() {
        let server = event.fields.node("server").map_or(String::new(), |node| node.0.to_string());
        let hours = [
            date(event, "previous_us"),
            date(event, "corrected_us"),
            number(event, "adjustment_us"),
        ];
        let [previous, corrected, adjustment] = hours;
        table.row(&[number(event, "round"), server, previous, corrected, adjustment]);
    }
    table
}

/// Books.
fn libro(trace: &Trace) -> Table {
    let mut table = Table::new("libro", "id,nombre");
    let books = events(trace, "session_open")
        .filter_map(|event| event.fields.int("books"))
        .max()
        .unwrap_or(0);
    for book in 1..=books.clamp(0, 1_000) {
        table.row(&[book.to_string(), format!("Libro {book}")]);
    }
    table
}

/// Users.
fn usuario(trace: &Trace) -> Table {
    let mut table = Table::new("usuario", "id,nombre,ip");
    for id in trace.with_role("client") {
        table.row(&[id.0.to_string(), trace.name(id).to_owned(), address(id)]);
    }
    table
}

/// Sessions, in each server's copy.
fn sesion(trace: &Trace) -> Table {
    let mut table = Table::new("sesion", "equipo,id,inicio,fin,libros_entregados,motivo");
    let mut sessions: BTreeMap<(NodeId, i64), [String; 4]> = BTreeMap::new();
    for event in trace
        .events
        .iter()
        .filter(|event| event.name == "session_open" || event.name == "session_end")
    {
        let Some(session) = event.fields.int("session") else { continue };
        let row = sessions.entry((event.node, session)).or_default();
        if event.name == "session_open" {
            row[0] = date(event, "hour_us");
        } else {
            row[1] = date(event, "hour_us");
            row[2] = number(event, "given");
            row[3] = event.fields.text("reason").unwrap_or("").to_owned();
        }
    }
    for ((server, session), [begin, end, given, reason]) in sessions {
        table.row(&[trace.name(server).to_owned(), session.to_string(), begin, end, given, reason]);
    }
    table
}

/// Requests, in each server's copy.
fn pedido(trace: &Trace) -> Table {
    let mut table = Table::new("pedido", "equipo,id,hora,usuario,ip,libro,sesion,atendido_por");
    let given = |event: &&Event| {
        event.fields.int("effect") == Some(1)
            && event.fields.int("book").is_some_and(|book| book > 0)
    };
    let mut rows: Vec<&Event> = events(trace, "apply").filter(given).collect();
    rows.sort_by_key(|event| (event.node, event.fields.int("position")));
    rows.dedup_by_key(|event| (event.node, event.fields.int("position")));
    for event in rows {
        let user = event.fields.node("client").unwrap_or(NodeId(u32::MAX));
        let server = event.fields.node("server").unwrap_or(NodeId(u32::MAX));
        table.row(&[
            trace.name(event.node).to_owned(),
            number(event, "position"),
            date(event, "hour_us"),
            trace.name(user).to_owned(),
            address(user),
            number(event, "book"),
            number(event, "session"),
            trace.name(server).to_owned(),
        ]);
    }
    table
}

fn events<'a>(trace: &'a Trace, name: &'static str) -> impl Iterator<Item = &'a Event> {
    trace.events.iter().filter(move |event| event.name == name)
}

fn number(event: &Event, field: &str) -> String {
    event.fields.int(field).map_or(String::new(), |value| value.to_string())
}

/// The address of a machine or user: private, and by its place in the scenario.
fn address(node: NodeId) -> String {
    let place = node.0.wrapping_add(1);
    format!("10.0.{}.{}", place >> 8 & 0xff, place & 0xff)
}

fn date(event: &Event, field: &str) -> String {
    event.fields.int(field).map_or(String::new(), show_date)
}

/// Microseconds since 1970 as a date and an hour.
fn show_date(us: i64) -> String {
    let (days, of_day) = (us.div_euclid(86_400_000_000), us.rem_euclid(86_400_000_000));
    // The days of a civil calendar whose years begin in March: 400 years have 146,097 of them.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let seconds = of_day / 1_000_000;
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!(
        "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{:06}",
        of_day % 1_000_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leap day, and the moment at which every run begins.
    #[test]
    fn hours_are_written_as_dates() {
        assert_eq!(show_date(1_709_164_799_000_001), "2024-02-28 23:59:59.000001");
        assert_eq!(show_date(1_709_164_800_000_000), "2024-02-29 00:00:00.000000");
        assert_eq!(show_date(1_767_225_600_000_000), "2026-01-01 00:00:00.000000");
    }
}

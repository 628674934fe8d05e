//! The table of the assignment with the run's counts in it.

use crate::history::{History, Outcome};
use crate::plots::Plot;
use crate::plots::axis::grouped;
use crate::plots::frame::WIDTH;
use crate::plots::palette;
use crate::plots::scene::{Anchor, Scene, TextLook, cut_to, sheer};
use crate::systems::p2p::checks::calls::answer;
use crate::systems::p2p::vocabulary::Service;
use crate::trace::Trace;

/// Statuses by service.
pub static P2P_STATUSES: Plot = Plot {
    name: "p2p_statuses",
    summary: "The assignment's table: how often each service ended with each status, and how often \
        nobody knows",
    draw: |trace| scene(trace).map(|scene| scene.render()),
};

/// Statuses, then operations that were not asked for, then those of which nobody knows.
const COLUMNS: usize = 7;
const HEADS: [&str; COLUMNS] = ["0", "1", "2", "3", "4", "certainly not done", "unknown"];

const MEANINGS: [(&str, [&str; 5]); 9] = [
    ("register", ["OK", "user name in use", "fail", "", ""]),
    ("unregister", ["OK", "user does not exist", "fail", "", ""]),
    ("connect", ["OK", "user does not exist", "already connected", "fail", ""]),
    ("disconnect", ["OK", "user does not exist", "not connected", "fail", ""]),
    ("publish", ["OK", "user does not exist", "not connected", "already published", "fail"]),
    ("delete", ["OK", "user does not exist", "not connected", "not published", "fail"]),
    ("list_users", ["OK", "user does not exist", "not connected", "fail", ""]),
    ("list_content", ["OK", "user does not exist", "not connected", "remote user unknown", "fail"]),
    ("get_file", ["OK", "file does not exist", "fail", "", ""]),
];

const LEFT: f64 = 130.0;
const ROW: f64 = 44.0;

pub(crate) fn scene(trace: &Trace) -> Option<Scene> {
    let history = History::new(&trace.history);
    let mut counts = [[0_u64; COLUMNS]; MEANINGS.len()];
    for operation in &history.operations {
        let Some(row) = Service::from_word(operation.f).map(|service| service as usize) else {
            continue;
        };
        let status = operation.completion.and_then(|op| answer(&op.value));
        let column = match (operation.outcome, status) {
            (Outcome::Ok, Some((status, _))) => usize::from(status),
            (Outcome::Fail, _) => COLUMNS - 2,
            _ => COLUMNS - 1,
        };
        counts[row][column.min(COLUMNS - 1)] += 1;
    }
    let all: u64 = counts.iter().flatten().sum();
    if all == 0 {
        return None;
    }
    let name = if trace.scenario.is_empty() { "?" } else { &trace.scenario };
    let run = format!("{name}, seed {}", trace.seed);
    let mut scene = Scene::new(format!("Statuses: {run}"), WIDTH);
    let title = TextLook::new(17.0).bold();
    scene.text((24.0, 24.0), "Statuses", title);
    let beside = TextLook::new(14.0).color(palette::GREY).anchor(Anchor::End);
    scene.text((WIDTH - 24.0, 24.5), cut_to(&run, beside, 800.0), beside);
    let column = (WIDTH - 24.0 - LEFT) / COLUMNS as f64;
    let head = TextLook::new(13.0).anchor(Anchor::Middle);
    for (i, text) in HEADS.iter().enumerate() {
        let text = if i < 5 { format!("status {text}") } else { (*text).to_owned() };
        scene.text((LEFT + (i as f64 + 0.5) * column, 58.0), text, head);
    }
    for (row, (service, meanings)) in MEANINGS.iter().enumerate() {
        let top = 72.0 + row as f64 * ROW;
        let sum: u64 = counts[row].iter().sum();
        scene.text(
            (LEFT - 12.0, top + ROW / 2.0),
            *service,
            TextLook::new(13.0).anchor(Anchor::End),
        );
        for (i, count) in counts[row].iter().enumerate() {
            let left = LEFT + i as f64 * column;
            let meaning = meanings.get(i).copied().unwrap_or("");
            let color = match i {
                0 => palette::GREEN,
                5 => palette::ORANGE,
                6 => palette::VERMILLION,
                _ => palette::BLUE,
            };
            let part = *count as f64 / sum.max(1) as f64;
            scene.rect(
                (left + 2.0, left + column - 2.0),
                (top + 2.0, top + ROW - 2.0),
                sheer(palette::PALE, 0.25),
            );
            if *count > 0 {
                scene.rect(
                    (left + 2.0, left + column - 2.0),
                    (top + 2.0, top + ROW - 2.0),
                    sheer(color, 0.18 + 0.55 * part),
                );
                let number = grouped(i64::try_from(*count).unwrap_or(i64::MAX));
                scene.text(
                    (left + column / 2.0, top + 15.0),
                    number,
                    TextLook::new(14.0).bold().anchor(Anchor::Middle),
                );
            }
            let small = TextLook::new(10.5)
                .color(if *count > 0 { palette::INK } else { palette::GREY })
                .anchor(Anchor::Middle);
            scene.text(
                (left + column / 2.0, top + 32.0),
                cut_to(meaning, small, column - 10.0),
                small,
            );
        }
    }
    let foot = 72.0 + MEANINGS.len() as f64 * ROW + 16.0;
    let note = format!(
        "{} operations; the deeper a cell, the larger its part of the row.",
        grouped(i64::try_from(all).unwrap_or(i64::MAX))
    );
    scene.text((24.0, foot), note, TextLook::new(11.0).color(palette::GREY));
    scene.height = foot + 18.0;
    Some(scene)
}

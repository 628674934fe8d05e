//! Measures an assignment before any student hands in: which items catch which built-in defects.

use super::assignment::Assignment;
use super::entrant::Entrant;
use super::model::{ItemResult, Points, SeedVerdict};
use super::run::{Plan, run_assignment};
use crate::error::Error;
use crate::run::system_of;

/// What the items found in the correct nodes or in those with one defect.
#[derive(Clone, Debug)]
pub struct Row {
    /// The system; empty for the correct nodes of all.
    pub system: &'static str,
    /// The defect; empty for the correct nodes.
    pub defect: &'static str,
    /// The defect's summary.
    pub summary: &'static str,
    /// A cell for each item whose system has the defect.
    pub cells: Vec<Option<Cell>>,
    /// The points that a submission with this defect would lose, gates included.
    pub lost: Points,
}

/// What one item found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Seeds that were lost.
    pub lost: usize,
    /// Seeds that were run.
    pub seeds: usize,
    /// Points that these seeds cost.
    pub points: Points,
    /// What was found first: a check, or a verdict if it was not a check.
    pub by: String,
}

/// The table of an assignment.
#[derive(Clone, Debug)]
pub struct Table {
    /// The items' names.
    pub items: Vec<String>,
    /// The correct nodes first, then every defect.
    pub rows: Vec<Row>,
}

/// Run an assignment with the built-in nodes: correct ones, then with each defect. `each` receives
/// every row.
pub fn table(
    assignment: &Assignment,
    plan: &Plan,
    mut each: impl FnMut(&Row),
) -> Result<Table, Error> {
    // Gates would hide what an item can catch; their cost is computed afterwards.
    let mut open = assignment.clone();
    open.items.iter_mut().for_each(|item| item.gate = None);
    let mut rows = vec![];
    let correct = run_row(assignment, &open, plan, None)?;
    each(&correct);
    rows.push(correct);
    let mut systems: Vec<&'static crate::systems::System> = vec![];
    for played in &assignment.scenarios {
        let system = system_of(&played.scenario);
        if !systems.iter().any(|known| known.name == system.name) {
            systems.push(system);
        }
    }
    for system in systems {
        for defect in system.defects {
            let row = run_row(assignment, &open, plan, Some((system.name, defect)))?;
            each(&row);
            rows.push(row);
        }
    }
    Ok(Table { items: assignment.items.iter().map(|item| item.name.clone()).collect(), rows })
}

fn run_row(
    assignment: &Assignment,
    open: &Assignment,
    plan: &Plan,
    defect: Option<(&'static str, &'static crate::defects::DefectInfo)>,
) -> Result<Row, Error> {
    let concerned = |item: usize| {
        defect.is_none_or(|(system, _)| {
            assignment.scenarios[assignment.items[item].scenario].scenario.system == system
        })
    };
    let entrant =
        Entrant::built_in(assignment, defect.map(|(system, defect)| (system, defect.name)))?;
    let only: Vec<String> = (0..open.items.len())
        .filter(|item| concerned(*item))
        .map(|item| open.items[item].name.clone())
        .collect();
    let only: Vec<String> =
        only.into_iter().filter(|name| plan.only.is_empty() || plan.only.contains(name)).collect();
    let results = run_assignment(
        open,
        &entrant,
        "",
        &Plan { only: only.clone(), explain: false, ..plan.clone() },
        &|_| (),
    );
    let cell = |(position, result): (usize, &ItemResult)| {
        let wanted = concerned(position) && only.contains(&result.name) && !result.seeds.is_empty();
        wanted.then(|| cell(result))
    };
    let cells: Vec<Option<Cell>> = results.items.iter().enumerate().map(cell).collect();
    let lost = lost_with_gates(assignment, &cells);
    let (system, name, summary) = defect
        .map_or(("", "", "no defect"), |(system, defect)| (system, defect.name, defect.summary));
    Ok(Row { system, defect: name, summary, cells, lost })
}

fn cell(result: &ItemResult) -> Cell {
    let lost = |verdict: SeedVerdict| verdict != SeedVerdict::Ok && !verdict.is_open();
    let first = result.seeds.iter().find(|seed| lost(seed.verdict));
    let by = first.map(|seed| {
        seed.loss
            .as_ref()
            .and_then(|loss| loss.check.clone())
            .unwrap_or_else(|| seed.verdict.word().to_owned())
    });
    let earned = result.earned.unwrap_or(result.points);
    Cell {
        lost: result.seeds.iter().filter(|seed| lost(seed.verdict)).count(),
        seeds: result.seeds.len(),
        points: Points(result.points.0 - earned.0),
        by: by.unwrap_or_default(),
    }
}

/// An item whose gate loses points has none.
fn lost_with_gates(assignment: &Assignment, cells: &[Option<Cell>]) -> Points {
    let closed = |item: usize| {
        let mut gate = assignment.items[item].gate;
        // Gates never form a circle: the reader refuses that.
        while let Some(position) = gate {
            if cells[position].as_ref().is_some_and(|cell| cell.points > Points::ZERO) {
                return true;
            }
            gate = assignment.items[position].gate;
        }
        false
    };
    let lost = cells.iter().enumerate().filter_map(|(item, cell)| {
        let cell = cell.as_ref()?;
        Some(if closed(item) { assignment.items[item].points } else { cell.points })
    });
    lost.sum()
}

impl Table {
    /// Whether the correct nodes lose points: then the assignment is wrong, or the testbed.
    pub fn correct_loses(&self) -> bool {
        self.rows.first().is_some_and(|row| row.cells.iter().flatten().any(|cell| cell.lost > 0))
    }

    /// The names of the items that catch no defect.
    pub fn blind_items(&self) -> Vec<&str> {
        let catches = |item: usize| {
            self.defects().any(|row| row.cells[item].as_ref().is_some_and(|cell| cell.lost > 0))
        };
        let judged = |item: usize| self.defects().any(|row| row.cells[item].is_some());
        (0..self.items.len())
            .filter(|item| judged(*item) && !catches(*item))
            .map(|item| self.items[item].as_str())
            .collect()
    }

    /// The number of defects that some item catches, and the number of all defects.
    pub fn caught(&self) -> (usize, usize) {
        let caught = self
            .defects()
            .filter(|row| row.cells.iter().flatten().any(|cell| cell.lost > 0))
            .count();
        (caught, self.defects().count())
    }

    fn defects(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().skip(1)
    }

    /// The table for a spreadsheet: a line for each defect and item.
    pub fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(vec![]);
        let mut write = |record: [&str; 8]| {
            writer
                .write_record(record)
                .expect("a Vec takes every byte, and every record has all columns")
        };
        write([
            "system",
            "defect",
            "item",
            "lost_seeds",
            "seeds",
            "lost_points",
            "found_by",
            "summary",
        ]);
        for row in &self.rows {
            for (item, cell) in self.items.iter().zip(&row.cells) {
                let Some(cell) = cell else { continue };
                let defect = if row.defect.is_empty() { "none" } else { row.defect };
                let (lost, seeds, points) =
                    (cell.lost.to_string(), cell.seeds.to_string(), cell.points.to_string());
                write([row.system, defect, item, &lost, &seeds, &points, &cell.by, row.summary]);
            }
        }
        writer.into_inner().expect("a Vec takes every byte")
    }

    /// The table for people: a row for each defect, a column for each item.
    pub fn to_markdown(&self, title: &str) -> String {
        let mut text = format!("# What the items of {title} catch\n\n");
        text.push_str(
            "Each cell: in how many of the seeds the item loses points, and what is found first. \
            Empty: not caught.\n\n",
        );
        let items: Vec<String> = self.items.iter().map(|item| format!(" `{item}` |")).collect();
        text.push_str(&format!(
            "| defect | points lost |{}\n|---|--:|{}\n",
            items.concat(),
            "---|".repeat(self.items.len())
        ));
        for row in &self.rows {
            let defect = if row.defect.is_empty() {
                "none (correct)".to_owned()
            } else {
                format!("`{}`", row.defect)
            };
            let cells = row.cells.iter().map(|cell| match cell {
                Some(cell) if cell.lost > 0 => {
                    format!(" {}/{} `{}` |", cell.lost, cell.seeds, cell.by)
                }
                Some(_) => " |".to_owned(),
                None => " – |".to_owned(),
            });
            text.push_str(&format!("| {defect} | {} |{}\n", row.lost, cells.collect::<String>()));
        }
        let (caught, all) = self.caught();
        text.push_str(&format!("\n{caught} of {all} defects are caught.\n"));
        for item in self.blind_items() {
            text.push_str(&format!("\nWarning: the item `{item}` catches none of them.\n"));
        }
        text
    }
}

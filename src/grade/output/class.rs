//! The table of a class, and what was missed most often. It is for instructors and includes items
//! that students do not see.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::super::model::{Graded, ItemState, Lang, OutcomeKind, Points, SeedVerdict};
use super::super::texts::{fill, meaning, phrases};
use super::cells::csv;
use super::view::{average, label, number};
use super::{Format, Make};

/// An item in which at least one student lost points.
pub(crate) struct MissedItem {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Students who lost points in it.
    pub(crate) students: usize,
    /// Students for whom it was graded.
    pub(crate) of: usize,
    /// The average loss of those who lost points.
    pub(crate) lost: Points,
}

/// A rule that some program violated, or another reason for which a run was lost.
pub(crate) struct MissedRule {
    /// The check, or the verdict if no check was violated.
    pub(crate) name: String,
    pub(crate) rule: String,
    pub(crate) source: String,
    pub(crate) students: usize,
}

/// The items in which points were lost, those with the most students first.
pub(crate) fn missed_items(class: &[Graded], lang: Lang) -> Vec<MissedItem> {
    let mut missed = Vec::new();
    for (i, item) in class.first().iter().flat_map(|first| first.items.iter().enumerate()) {
        let same = |graded: &'_ Graded| {
            graded
                .items
                .get(i)
                .filter(|other| other.name == item.name)
                .and_then(|other| Some((other.earned?, other.points)))
        };
        let lost: Vec<Points> = class
            .iter()
            .filter_map(same)
            .map(|(earned, points)| Points(points.0.saturating_sub(earned.0)))
            .collect();
        let students = lost.iter().filter(|lost| **lost != Points::ZERO).count();
        if students > 0 {
            let title = item.title.get(lang).to_owned();
            missed.push(MissedItem {
                name: item.name.clone(),
                title,
                students,
                of: lost.len(),
                lost: average(lost.into_iter()),
            });
        }
    }
    missed.sort_by_key(|missed| std::cmp::Reverse((missed.students, missed.lost)));
    missed
}

/// The violated rules, each counted once per student, those violated by the most students first.
pub(crate) fn missed_rules(class: &[Graded], lang: Lang) -> Vec<MissedRule> {
    let mut rules: BTreeMap<String, MissedRule> = BTreeMap::new();
    for graded in class {
        let mut of_student = BTreeSet::new();
        for seed in graded.items.iter().flat_map(|item| item.seeds.iter()) {
            if seed.verdict == SeedVerdict::Ok || seed.verdict.is_open() {
                continue;
            }
            let check = seed.loss.as_ref().and_then(|loss| loss.check.clone());
            let name = check.unwrap_or_else(|| seed.verdict.word().to_owned());
            let rule = seed
                .loss
                .as_ref()
                .map(|loss| loss.rule.get(lang).to_owned())
                .filter(|rule| !rule.is_empty());
            let rule = rule.unwrap_or_else(|| meaning(seed.verdict, lang).to_owned());
            let source = seed.loss.as_ref().map_or(String::new(), |loss| loss.source.clone());
            let missed = rules.entry(name.clone()).or_insert(MissedRule {
                name: name.clone(),
                rule,
                source,
                students: 0,
            });
            missed.students += usize::from(of_student.insert(name));
        }
    }
    let mut rules: Vec<MissedRule> = rules.into_values().collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.students));
    rules
}

/// `class.csv`.
pub static CSV: Format = Format {
    file: "class.csv",
    reader: "instructors, in a spreadsheet",
    make: Make::Class(|class, _| class_csv(class)),
};

/// `class.md`.
pub static MARKDOWN: Format = Format {
    file: "class.md",
    reader: "instructors",
    make: Make::Class(|class, options| class_markdown(class, options.lang).into_bytes()),
};

/// `class.json`.
pub static JSON: Format = Format {
    file: "class.json",
    reader: "scripts of instructors",
    make: Make::Class(|class, _| class_json(class)),
};

/// `class.csv`: a row for each student, a column for each item; empty if an item was not graded.
pub fn class_csv(class: &[Graded]) -> Vec<u8> {
    let head = [
        "id", "name", "username", "email", "idnumber", "language", "outcome", "reason", "score",
        "max", "ungraded", "complete",
    ];
    let head = head.map(str::to_owned);
    let items: Vec<String> =
        class.first().iter().flat_map(|first| &first.items).map(|item| item.name.clone()).collect();
    let rows = class.iter().map(|graded| {
        let (student, submission) = (&graded.student, &graded.submission);
        let mut row = vec![
            submission.id.clone(),
            student.name.clone(),
            student.username.clone(),
            student.email.clone(),
            student.idnumber.clone(),
        ];
        row.push(submission.language.map_or("", |language| language.word()).to_owned());
        row.push(graded.outcome.kind.word().to_owned());
        row.push(reason(graded, Lang::En));
        row.extend([graded.score, graded.max, graded.ungraded].map(|points| points.to_string()));
        row.push(if graded.is_complete() { "yes" } else { "no" }.to_owned());
        row.extend(items.iter().map(|name| {
            graded
                .item(name)
                .and_then(|item| item.earned)
                .map_or(String::new(), |earned| earned.to_string())
        }));
        row.push(submission.digest.clone());
        row
    });
    let head = head.into_iter().chain(items.iter().cloned()).chain(["digest".to_owned()]).collect();
    csv(std::iter::once(head).chain(rows), false)
}

/// Why a submission was not graded, or what closed the gate for most of it; otherwise empty.
pub(crate) fn reason(graded: &Graded, lang: Lang) -> String {
    if graded.outcome.kind != OutcomeKind::Graded {
        return first_line(graded.outcome.message.get(lang)).to_owned();
    }
    let closed = graded.items.iter().filter(|item| item.state == ItemState::GateClosed);
    let mut gates = closed.filter_map(|item| graded.item(item.gate.as_deref()?));
    // A gate may itself have a closed gate, and was then not run.
    let lost = gates.find_map(|gate| Some((gate, gate.losses().next()?.loss.as_ref()?)));
    lost.map_or(String::new(), |(gate, loss)| {
        format!("{}: {}", gate.name, first_line(&loss.finding))
    })
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

/// A text as a cell of a Markdown table, with all markup escaped.
fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => cell.push(' '),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '&' => cell.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '#' | '!' | '~' | '$' => {
                cell.extend(['\\', c])
            }
            c if c.is_control() => cell.push('\u{fffd}'),
            c => cell.push(c),
        }
    }
    cell
}

/// `class.md`: the table, and what was missed most often.
pub fn class_markdown(class: &[Graded], lang: Lang) -> String {
    let say = phrases(lang);
    let mut lines = Vec::new();
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    if let Some(first) = class.first() {
        lines.extend([format!("# {}", cell(first.assignment.title.get(lang))), String::new()]);
        let names: Vec<String> = first
            .items
            .iter()
            .map(|item| format!("{} ({})", cell(&item.name), item.points))
            .collect();
        let reasons: Vec<String> = class.iter().map(|graded| reason(graded, lang)).collect();
        // An empty column is left out.
        let why = (!reasons.iter().all(String::is_empty)).then(|| say.reason.to_owned());
        let head = [say.student.to_owned(), format!("{} ({})", say.points, first.max)];
        lines.push(row(head.into_iter().chain(names).chain(why.clone()).collect()));
        lines.push(format!(
            "|---|{}{}",
            "---:|".repeat(first.items.len() + 1),
            if why.is_some() { "---|" } else { "" }
        ));
        for (graded, reason) in class.iter().zip(&reasons) {
            let score = if graded.is_complete() {
                graded.score.to_string()
            } else {
                format!("{} (+ {}: {})", graded.score, say.not_graded, graded.ungraded)
            };
            let earned = first.items.iter().map(|item| {
                let earned = graded.item(&item.name).and_then(|item| item.earned);
                earned.map_or_else(|| "?".to_owned(), |earned| earned.to_string())
            });
            let reason = why.is_some().then(|| cell(reason));
            lines.push(row([cell(&label(graded, class)), score]
                .into_iter()
                .chain(earned)
                .chain(reason)
                .collect()));
        }
        lines.push(String::new());
    }
    lines.push(summary(class, lang));
    let (items, rules) = (missed_items(class, lang), missed_rules(class, lang));
    lines.extend([String::new(), format!("## {}", say.missed_items), String::new()]);
    if items.is_empty() {
        lines.push(say.nothing_missed.to_owned());
    } else {
        lines.push(row([say.item, say.lost_by, say.points_lost].map(str::to_owned).into()));
        lines.push("|---|---:|---:|".to_owned());
        lines.extend(items.iter().map(|item| {
            row(vec![
                cell(&item.title),
                format!("{} / {}", item.students, item.of),
                item.lost.to_string(),
            ])
        }));
    }
    if !rules.is_empty() {
        lines.extend([String::new(), format!("## {}", say.missed_rules), String::new()]);
        lines.push(row([say.rule, say.source, say.lost_by].map(str::to_owned).into()));
        lines.push("|---|---|---:|".to_owned());
        lines.extend(rules.iter().map(|rule| {
            row(vec![
                format!("{}: {}", cell(&rule.name), cell(&rule.rule)),
                cell(&rule.source),
                rule.students.to_string(),
            ])
        }));
    }
    lines.join("\n") + "\n"
}

/// The number of students, and the average of those who are fully graded.
pub(crate) fn summary(class: &[Graded], lang: Lang) -> String {
    let say = phrases(lang);
    let complete: Vec<Points> =
        class.iter().filter(|graded| graded.is_complete()).map(|graded| graded.score).collect();
    let students = fill(say.students, &[("count", &class.len().to_string())]);
    format!(
        "{students}; {}: {}; {}: {}",
        say.complete,
        complete.len(),
        say.average,
        average(complete.iter().copied())
    )
}

/// `class.json`: the content of `class.csv` and `class.md`.
pub fn class_json(class: &[Graded]) -> Vec<u8> {
    let students = class.iter().map(|graded| {
        let items: serde_json::Map<_, _> = graded
            .items
            .iter()
            .map(|item| (item.name.clone(), item.earned.map_or(serde_json::Value::Null, number)))
            .collect();
        json!({
            "id": graded.submission.id,
            "student": graded.student,
            "language": graded.submission.language.map(|language| language.word()),
            "digest": graded.submission.digest,
            "outcome": graded.outcome.kind.word(),
            "reason": reason(graded, Lang::En),
            "score": number(graded.score),
            "max": number(graded.max),
            "ungraded": number(graded.ungraded),
            "complete": graded.is_complete(),
            "items": items,
        })
    });
    let items = missed_items(class, Lang::En);
    let items =
        items.iter().map(|item| json!({ "item": item.name, "students": item.students, "of": item.of, "points_lost": number(item.lost) }));
    let rules = missed_rules(class, Lang::En);
    let rules = rules.iter().map(|rule| json!({ "name": rule.name, "rule": rule.rule, "source": rule.source, "students": rule.students }));
    super::json(&json!({
        "assignment": class.first().map(|first| &first.assignment),
        "students": students.collect::<Vec<_>>(),
        "missed_items": items.collect::<Vec<_>>(),
        "missed_rules": rules.collect::<Vec<_>>(),
    }))
}

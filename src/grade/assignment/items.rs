//! `[[item]]`.

use super::super::model::{Points, Scoring, Text, Visibility};
use super::Item;
use super::read::{Reader, localised};
use crate::error::{Mistake, excerpt};
use crate::language::reader::{Key, Problem, Section};
use crate::language::tree::{At, Item as Written, Value};

/// No item needs more runs.
const SEEDS_MAX: u64 = 10_000;

/// No item is worth more.
const POINTS_MAX: Points = Points(100_000);

const NAME_LENGTH_MAX: usize = 60;

/// An item before the others are known.
pub(super) struct Draft {
    pub(super) name: Option<(String, At)>,
    pub(super) title: Option<Text>,
    pub(super) scenario: Option<usize>,
    seeds: Vec<u64>,
    hidden_seeds: u32,
    pub(super) checks: Vec<(String, At)>,
    pub(super) points: Option<Points>,
    scoring: Scoring,
    pub(super) gate: Option<(String, At)>,
    visibility: Visibility,
    feedback: Option<Text>,
}

impl Draft {
    /// The item, once it has no mistakes.
    pub(super) fn into_item(self, gate: Option<usize>, checks: Vec<String>) -> Item {
        let name = self.name.map(|(name, _)| name).unwrap_or_default();
        Item {
            title: self.title.unwrap_or_else(|| Text::plain(&name)),
            name,
            scenario: self.scenario.unwrap_or_default(),
            seeds: self.seeds,
            hidden_seeds: self.hidden_seeds,
            checks,
            points: self.points.unwrap_or_default(),
            scoring: self.scoring,
            gate,
            visibility: self.visibility,
            feedback: self.feedback,
        }
    }
}

pub(super) fn draft(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Draft {
    let name = name(section);
    let title = localised(section, "title", "The title that students see.");
    let scenario = scenario(section, reader);
    let seeds = seeds(section);
    let doc = "Additional runs, with seeds derived from the course secret.";
    let hidden_seeds = section.integer("hidden_seeds", 0, 0..=SEEDS_MAX, doc);
    if !section.has("seeds") && hidden_seeds == 0 {
        missing(section, "seeds", "seeds = \"0..20\"");
    }
    let checks = checks(section);
    let points = points(section, "points", "What it is worth, with at most two decimals.");
    if !section.has("points") {
        missing(section, "points", "points = 3");
    }
    let scoring = scoring(section, seeds.as_ref().map(|seeds| seeds.len() as u64 + hidden_seeds));
    let gate = section.optional_text(
        "gate",
        "An item that must have full points first; otherwise this one gets none and is not run.",
    );
    let gate = gate.zip(section.entry("gate").map(|entry| entry.item.at.clone()));
    let word = section.word(
        "visibility",
        "visible",
        &Visibility::ALL.map(Visibility::word),
        "Whether and when a student sees it.",
    );
    let visibility = Visibility::ALL
        .into_iter()
        .find(|visibility| visibility.word() == word)
        .unwrap_or_default();
    let feedback = localised(section, "feedback", "What a student is told when points are lost.");
    Draft {
        name,
        title,
        scenario,
        seeds: seeds.unwrap_or_default(),
        hidden_seeds: u32::try_from(hidden_seeds).unwrap_or_default(),
        checks,
        points,
        scoring,
        gate,
        visibility,
        feedback,
    }
}

/// Complain about a missing key that every item needs.
fn missing(section: &Section<'_>, key: &str, example: &str) {
    let place = section.at.as_ref().map(|at| at.label(format!("no `{key}`")));
    section.reading.note(Mistake {
        place,
        ..Mistake::new(
            format!("`{}` has no `{key}`", section.path),
            format!("add it, as in: {example}"),
        )
    });
}

fn name(section: &mut Section<'_>) -> Option<(String, At)> {
    let name = section.optional_text("name", "Its name, unique in the assignment.");
    let Some(entry) = section.entry("name") else {
        missing(section, "name", "name = \"one-leader\"");
        return None;
    };
    let name = name?;
    let good = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX || !name.chars().all(good) {
        let hint = format!(
            "use 1 to {NAME_LENGTH_MAX} letters, digits, and `-`, `_`, `.`; students see the \
            `title`"
        );
        section.reading.note_at(
            format!("`{}` is not a valid item name", excerpt(&name)),
            &entry.item.at,
            "not a name",
            hint,
        );
        return None;
    }
    Some((name, entry.item.at.clone()))
}

fn scenario(section: &mut Section<'_>, reader: &mut Reader<'_>) -> Option<usize> {
    let written = section.optional_text(
        "scenario",
        "The scenario's file, relative to the folder of the assignment.",
    );
    let Some(entry) = section.entry("scenario") else {
        missing(section, "scenario", "scenario = \"raft-election/crash.toml\"");
        return None;
    };
    reader.scenario(&written?, &entry.item.at)
}

fn checks(section: &mut Section<'_>) -> Vec<(String, At)> {
    let names =
        section.words("checks", &[], "The deciding checks; by default all checks of the scenario.");
    let Some(entry) = section.entry("checks") else { return vec![] };
    let Value::List(list) = &entry.item.value else { return vec![] };
    if list.is_empty() {
        section.reading.note_at(
            "an item without checks judges nothing",
            &entry.item.at,
            "an empty list",
            "name a check, or leave out `checks` so that all of them decide",
        );
    }
    let place = |name: &String| {
        list.iter().find(|item| item.text() == Some(name)).map(|item| item.at.clone())
    };
    names.into_iter().filter_map(|name| place(&name).map(|at| (name, at))).collect()
}

fn scoring(section: &mut Section<'_>, seeds: Option<u64>) -> Scoring {
    let key = Key {
        name: "scoring",
        kind: "\"all\", \"fraction\" or { at_least = … }",
        range: String::new(),
        doc: "How seeds become points.",
    };
    let Some(entry) = section.take(&key, Some("\"all\"".into())) else { return Scoring::All };
    let hint = "write \"all\", \"fraction\", or { at_least = 18 }";
    match &entry.item.value {
        Value::Text(word) if word == "all" => Scoring::All,
        Value::Text(word) if word == "fraction" => Scoring::Fraction,
        Value::Text(_) => {
            section.complain(&key, Problem::new(&entry.item.at, "unknown rule", hint));
            Scoring::All
        }
        Value::Table(table) => {
            let mut rule = section.of_item("scoring", table, &entry.item.at, "");
            let least = rule.optional_integer(
                "at_least",
                1..=2 * SEEDS_MAX,
                "The number of seeds that must be right.",
            );
            let place = rule.entry("at_least").map(|entry| entry.item.at.clone());
            let _ = rule.finish();
            if place.is_none() {
                section.complain(&key, Problem::new(&entry.item.at, "no `at_least`", hint));
            }
            if let (Some(least), Some(seeds), Some(at)) = (least, seeds, place)
                && least > seeds
            {
                let message =
                    format!("`{}` requires more runs than there are", section.full("scoring"));
                section.reading.note_at(
                    message,
                    &at,
                    format!("{least} of {seeds} runs"),
                    format!("at most {seeds}, the seeds and hidden seeds of the item together"),
                );
            }
            Scoring::AtLeast(least.and_then(|least| u32::try_from(least).ok()).unwrap_or(1))
        }
        _ => {
            section.complain(&key, Problem::found(&entry.item, hint));
            Scoring::All
        }
    }
}

/// The public seeds; `None` if they cannot be read.
fn seeds(section: &mut Section<'_>) -> Option<Vec<u64>> {
    let doc = "The public seeds, which students can run at home.";
    let key = Key {
        name: "seeds",
        kind: "a range of seeds or a list of them",
        range: String::new(),
        doc,
    };
    let Some(entry) = section.take(&key, None) else { return Some(vec![]) };
    match read_seeds(&entry.item) {
        Ok(seeds) => Some(seeds),
        Err(problem) => {
            section.complain(&key, problem);
            None
        }
    }
}

fn read_seeds(item: &Written) -> Result<Vec<u64>, Problem> {
    const HINT: &str =
        "write a range, as in \"0..20\", or a list of whole numbers, as in [1, 7, 42]";
    let too_many = |count: u64| {
        Problem::new(&item.at, format!("{count} seeds"), format!("the most is {SEEDS_MAX}"))
    };
    let seed = |item: &Written| match item.value {
        Value::Integer(Some(number)) => {
            u64::try_from(number).ok().filter(|seed| *seed <= i64::MAX as u64)
        }
        _ => None,
    };
    match &item.value {
        Value::Text(text) => {
            let number = |text: &str| {
                text.trim().parse::<u64>().ok().filter(|seed| *seed <= i64::MAX as u64)
            };
            let ends = match text.split_once("..") {
                Some((start, end)) => match end.strip_prefix('=') {
                    Some(last) => number(start).zip(number(last).map(|last| last + 1)),
                    None => number(start).zip(number(end)),
                },
                None => number(text).map(|one| (one, one + 1)),
            };
            let (start, end) = ends.ok_or_else(|| Problem::found(item, HINT))?;
            match end.checked_sub(start) {
                None | Some(0) => Err(Problem::new(
                    &item.at,
                    "no seeds",
                    "a range includes its start but not its end: \"0..20\" has twenty seeds",
                )),
                Some(count) if count > SEEDS_MAX => Err(too_many(count)),
                Some(_) => Ok((start..end).collect()),
            }
        }
        Value::List(list) if list.is_empty() => Err(Problem::new(&item.at, "no seeds", HINT)),
        Value::List(list) if list.len() as u64 > SEEDS_MAX => Err(too_many(list.len() as u64)),
        Value::List(list) => {
            let mut seeds = vec![];
            for each in list {
                let number = seed(each).ok_or_else(|| {
                    Problem::found(each, "seeds are whole numbers from 0 to 2^63 - 1")
                })?;
                if seeds.contains(&number) {
                    return Err(Problem::new(&each.at, "the second time", "name each seed once"));
                }
                seeds.push(number);
            }
            Ok(seeds)
        }
        _ => seed(item).map(|seed| vec![seed]).ok_or_else(|| Problem::found(item, HINT)),
    }
}

/// Points, read from their decimal digits, because a binary fraction cannot represent 0.1.
pub(super) fn points(
    section: &mut Section<'_>,
    key: &'static str,
    doc: &'static str,
) -> Option<Points> {
    let name = Key { name: key, kind: "a number of points", range: String::new(), doc };
    let entry = section.take(&name, None)?;
    match read_points(&entry.item) {
        Ok(points) => Some(points),
        Err(problem) => {
            section.complain(&name, problem);
            None
        }
    }
}

fn read_points(item: &Written) -> Result<Points, Problem> {
    if !matches!(item.value, Value::Integer(_) | Value::Float(_)) {
        return Err(Problem::found(
            item,
            "write the number without quotation marks, as in 3 or 2.5",
        ));
    }
    let written = item.at.source.text.get(item.at.span.clone()).unwrap_or_default();
    let digits = |text: &str| {
        !text.is_empty() && text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (whole, part) = written.split_once('.').unwrap_or((written, "0"));
    if written.starts_with('-') {
        return Err(Problem::new(&item.at, "negative", "points are 0 or more"));
    }
    if !digits(whole) || !digits(part) {
        return Err(Problem::new(
            &item.at,
            "not written as points",
            "write digits, and at most two after the point, as in 2.25",
        ));
    }
    let part = part.trim_end_matches('0');
    let hundredths = match part.len() {
        0 => Some(0),
        1 => part.parse::<u32>().ok().map(|tenths| tenths * 10),
        2 => part.parse().ok(),
        _ => None,
    };
    let hundredths = hundredths.ok_or_else(|| {
        Problem::new(
            &item.at,
            "more than two decimals",
            "points have at most two decimals, as in 2.25",
        )
    })?;
    let points = whole
        .parse::<u32>()
        .ok()
        .map(|whole| Points(whole * 100 + hundredths))
        .filter(|points| *points <= POINTS_MAX);
    points.ok_or_else(|| {
        Problem::new(&item.at, "too many", format!("an item has at most {POINTS_MAX} points"))
    })
}

//! Distributions of durations, wherever they stand: a duration, a range of two, or a table with
//! `dist`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::latency::Latency;
use super::reader::{Key, Problem, Section};
use super::reading::{KeyInfo, Reading, and_list, name_hint};
use super::tree::{Item, Table, Value};
use super::values::{quoted, read_duration, read_pair};

/// A longer delay is a partition.
const LATENCY: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3_600);

const DISTRIBUTIONS: &[&str] =
    &["constant", "uniform", "exponential", "normal", "lognormal", "pareto"];

impl Section<'_> {
    /// A duration, a range of two (uniform), or a table with `dist`.
    pub fn latency(&mut self, key: &'static str, default: Latency, doc: &'static str) -> Latency {
        let kind = "a duration, a range of two, or a distribution";
        let key = Key { name: key, kind, range: String::new(), doc };
        let Some(entry) = self.take(&key, Some(show_latency(&default))) else {
            self.resolve(key.name, show_latency(&default));
            return default;
        };
        let latency = match &entry.item.value {
            Value::Table(table) => Ok(read_distribution(self, &key, table, &entry.item)),
            Value::List(_) => read_pair(&entry.item, |item| read_duration(item, &LATENCY))
                .map(|(min, max)| Some(Latency::Uniform(min, max))),
            _ => read_duration(&entry.item, &LATENCY).map(|value| Some(Latency::Constant(value))),
        };
        let latency = match latency {
            Ok(latency) => latency.unwrap_or(default),
            Err(problem) => {
                self.complain(&key, problem);
                default
            }
        };
        self.resolve(key.name, show_latency(&latency));
        latency
    }
}

/// The keys of distributions, for the reference.
pub(crate) fn latency_keys(reading: &Reading) {
    for dist in DISTRIBUTIONS {
        let title = format!("distribution {dist}");
        let mut section = Section::new(reading, None, None, String::new(), title);
        distribution(&mut section, dist);
    }
    reading.describe(KeyInfo {
        section: "distribution".into(),
        key: "dist".into(),
        kind: "word".into(),
        default: None,
        range: format!("one of {}", DISTRIBUTIONS.join(", ")),
        doc: "Which distribution. It decides which of the other keys there are.",
    });
}

fn read_distribution(
    section: &Section<'_>,
    key: &Key<'_>,
    table: &Table,
    item: &Item,
) -> Option<Latency> {
    let mut inner = section.of_item(key.name, table, &item.at, "distribution");
    inner.allow("dist");
    let Some(dist) = table.get("dist") else {
        section.complain(
            key,
            Problem::new(
                &item.at,
                "no `dist`",
                format!("say which distribution: dist = \"uniform\"; {}", all()),
            ),
        );
        return None;
    };
    let Some(known) =
        dist.item.text().and_then(|word| DISTRIBUTIONS.iter().find(|dist| **dist == word))
    else {
        let problem = match dist.item.text() {
            Some(word) => Problem::new(
                &dist.item.at,
                "unknown distribution",
                name_hint(word, "distributions", DISTRIBUTIONS.iter().copied()),
            ),
            None => Problem::found(&dist.item, all()),
        };
        let key =
            Key { name: "dist", kind: "the name of a distribution", range: String::new(), doc: "" };
        inner.complain(&key, problem);
        return None;
    };
    let latency = distribution(&mut inner, known);
    inner.finish();
    latency
}

fn all() -> String {
    format!("the distributions are {}", and_list(DISTRIBUTIONS))
}

/// The parameters of a distribution. `None`: a mistake was noted.
fn distribution(section: &mut Section<'_>, dist: &str) -> Option<Latency> {
    let least = |section: &mut Section<'_>| {
        section.duration("min", Duration::ZERO, LATENCY, "The least value.")
    };
    match dist {
        "constant" => Some(Latency::Constant(needed(section, "value", "The value.")?)),
        "uniform" => {
            let (min, max) = (
                needed(section, "min", "The least value."),
                needed(section, "max", "The greatest value."),
            );
            let (min, max) = (min?, max?);
            if min > max {
                misfit(
                    section,
                    "max",
                    "less than `min`",
                    &format!("write a duration from {} on, or swap the two", quoted(min)),
                );
            }
            Some(Latency::Uniform(min, max))
        }
        "exponential" => {
            let mean = needed(section, "mean", "The mean of what is added to `min`.");
            let min = least(section);
            Some(Latency::Exponential { min, mean: mean? })
        }
        "normal" => {
            let mean = needed(section, "mean", "The mean.");
            let sd = needed(section, "sd", "The standard deviation.");
            let min = least(section);
            Some(Latency::Normal { mean: mean?, sd: sd?, min })
        }
        "lognormal" => {
            let median = needed(section, "median", "Half of the values are below `min` plus this.");
            let p99 = needed(section, "p99", "99 of 100 are below `min` plus this.");
            let min = least(section);
            let (median, p99) = (median?, p99?);
            if median.is_zero() || p99 <= median {
                let hint = match median.is_zero() {
                    true => "the median must be more than 0: \
                        { dist = \"lognormal\", median = \"5ms\", p99 = \"25ms\" }"
                        .into(),
                    false => format!(
                        "write a duration above {}, or dist = \"constant\" for one without a tail",
                        quoted(median)
                    ),
                };
                misfit(
                    section,
                    "p99",
                    "must be more than the median, which must be more than 0",
                    &hint,
                );
            }
            Some(Latency::Lognormal { median, p99, min })
        }
        _ => {
            let min = needed(section, "min", "The least value, the scale.");
            let doc = "The shape: the smaller, the heavier the tail.";
            let alpha = section.number("alpha", 2.0, 0.1..=1_000.0, doc);
            Some(Latency::Pareto { min: min?, alpha })
        }
    }
}

fn needed(section: &mut Section<'_>, key: &'static str, doc: &'static str) -> Option<Duration> {
    let value = section.optional_duration(key, LATENCY, doc);
    if let (false, Some(at)) = (section.has(key), &section.at) {
        let hint = format!("write it in the braces, as in: {key} = \"25ms\"");
        section.reading.note_at(
            format!("`{}` needs `{key}`", section.path),
            at,
            format!("no `{key}`"),
            hint,
        );
    }
    value
}

fn misfit(section: &Section<'_>, key: &str, why: &str, hint: &str) {
    section.contradiction(
        &[key],
        &format!("`{}` does not fit", section.full(key)),
        why.into(),
        hint,
    );
}

/// A distribution as TOML, in its shortest form.
pub(crate) fn show_latency(latency: &Latency) -> String {
    let show = |dist: &str, parameters: &[(&str, Duration)]| {
        let parameters: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name} = {}", quoted(*value))).collect();
        format!("{{ dist = \"{dist}\", {} }}", parameters.join(", "))
    };
    match *latency {
        Latency::Constant(value) => quoted(value),
        Latency::Uniform(min, max) => format!("[{}, {}]", quoted(min), quoted(max)),
        Latency::Exponential { min, mean } => show("exponential", &[("mean", mean), ("min", min)]),
        Latency::Normal { mean, sd, min } => {
            show("normal", &[("mean", mean), ("sd", sd), ("min", min)])
        }
        Latency::Lognormal { median, p99, min } => {
            show("lognormal", &[("median", median), ("p99", p99), ("min", min)])
        }
        Latency::Pareto { min, alpha } => {
            format!("{{ dist = \"pareto\", min = {}, alpha = {alpha:?} }}", quoted(min))
        }
    }
}

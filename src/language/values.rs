//! Single values: how each kind is read, what is said when it is something else, and how it is
//! written back.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::excerpt;

use super::reader::Problem;
use super::reading::{known_hint, name_hint};
use super::tree::{Item, Value};
use super::units::{parse_duration, parse_signed, plain_number, show_duration, show_text};

pub(crate) fn quoted(duration: Duration) -> String {
    show_text(&show_duration(duration))
}

/// Equal ends are written once, as people do.
pub(crate) fn show_pair<T: PartialEq>(pair: &(T, T), show: impl Fn(&T) -> String) -> String {
    if pair.0 == pair.1 { show(&pair.0) } else { format!("[{}, {}]", show(&pair.0), show(&pair.1)) }
}

pub(crate) fn show_names(names: &[String]) -> String {
    match names {
        [one] => show_text(one),
        names => {
            format!("[{}]", names.iter().map(|name| show_text(name)).collect::<Vec<_>>().join(", "))
        }
    }
}

pub(crate) fn duration_range(range: &RangeInclusive<Duration>) -> String {
    format!("{} to {}", show_duration(*range.start()), show_duration(*range.end()))
}

pub(crate) fn integer_range(range: &RangeInclusive<u64>) -> String {
    match (*range.start(), *range.end()) {
        (least, u64::MAX) => format!("{least} up"),
        (least, most) => format!("{least} to {most}"),
    }
}

pub(crate) fn number_range(range: &RangeInclusive<f64>) -> String {
    match (*range.start(), *range.end()) {
        (f64::MIN, f64::MAX) => String::new(),
        (f64::MIN, most) => format!("at most {}", plain_number(most)),
        (least, f64::MAX) => format!("{} up", plain_number(least)),
        (least, most) => format!("{} to {}", plain_number(least), plain_number(most)),
    }
}

pub(crate) fn number_kind(range: &RangeInclusive<f64>) -> &'static str {
    if *range.start() == 0.0 && *range.end() == 1.0 { "a probability" } else { "a number" }
}

pub(crate) fn one_of(options: &[&str]) -> String {
    if options.is_empty() { String::new() } else { format!("one of {}", options.join(", ")) }
}

pub(crate) fn read_duration(
    item: &Item,
    range: &RangeInclusive<Duration>,
) -> Result<Duration, Problem> {
    let Some(text) = item.text() else {
        return Err(match item.number() {
            Some(number) if number >= 0.0 => Problem::found(
                item,
                format!("durations are texts with a unit: \"{number}ms\" or \"{number}s\""),
            ),
            _ => Problem::found(item, "durations are texts with a unit, as in \"150ms\""),
        });
    };
    let value =
        parse_duration(text).map_err(|wrong| Problem::new(&item.at, wrong.label, wrong.hint))?;
    if range.contains(&value) {
        return Ok(value);
    }
    Err(match value < *range.start() {
        true => Problem::new(&item.at, "too short", least_hint(quoted(*range.start()))),
        false => Problem::new(&item.at, "too long", most_hint(quoted(*range.end()))),
    })
}

fn least_hint(least: impl Display) -> String {
    format!("the least is {least}")
}

fn most_hint(most: impl Display) -> String {
    format!("the most is {most}")
}

/// A duration with or without a sign, in nanoseconds.
pub(crate) fn read_signed(item: &Item) -> Result<i64, Problem> {
    let Some(text) = item.text() else {
        return Err(match item.number() {
            Some(number) => Problem::found(
                item,
                format!("durations are texts with a unit: \"{number}ms\" or \"{number}s\""),
            ),
            None => {
                Problem::found(item, "as in \"-200ms\", or [\"-200ms\", \"200ms\"] to draw one")
            }
        });
    };
    parse_signed(text).map_err(|wrong| Problem::new(&item.at, wrong.label, wrong.hint))
}

pub(crate) fn read_integer(item: &Item, range: &RangeInclusive<u64>) -> Result<u64, Problem> {
    let Value::Integer(number) = item.value else {
        return Err(Problem::found(item, integer_hint(item, range)));
    };
    let within = number
        .and_then(|number| u64::try_from(number).ok())
        .filter(|number| range.contains(number));
    within.ok_or_else(|| match number {
        Some(number) if number < i128::from(*range.start()) => {
            Problem::new(&item.at, "too small", least_hint(range.start()))
        }
        _ => Problem::new(&item.at, "too large", most_hint(range.end())),
    })
}

/// What to write instead of something that is not a whole number.
fn integer_hint(item: &Item, range: &RangeInclusive<u64>) -> String {
    if let Some(number) = item
        .text()
        .and_then(|text| text.trim().parse::<u64>().ok())
        .filter(|number| range.contains(number))
    {
        return format!("without quotation marks: {number}");
    }
    let example = 5.clamp(*range.start(), *range.end());
    match item.value {
        Value::Float(Some(number))
            if number >= *range.start() as f64 && number.ceil() <= *range.end() as f64 =>
        {
            match number.fract() {
                0.0 => format!("without a point: {number}"),
                _ => format!("a whole number: {} or {}", number.floor(), number.ceil()),
            }
        }
        _ => format!("a number stands without quotation marks and without a unit, as in {example}"),
    }
}

pub(crate) fn read_number(item: &Item, range: &RangeInclusive<f64>) -> Result<f64, Problem> {
    let Some(number) = item.number() else {
        let percent =
            item.text().and_then(|text| text.trim().strip_suffix('%')?.trim().parse::<f64>().ok());
        let share = percent
            .map(|percent| percent / 100.0)
            .filter(|share| *range.end() == 1.0 && range.contains(share));
        let plain = item
            .text()
            .and_then(|text| text.trim().parse::<f64>().ok())
            .filter(|number| range.contains(number));
        let example =
            if *range.end() == 1.0 { 0.5 } else { 5.0_f64.clamp(*range.start(), *range.end()) };
        return Err(match (share, plain) {
            (Some(share), _) => {
                Problem::found(item, format!("a share is a number without a unit: {share}"))
            }
            (None, Some(number)) => {
                Problem::found(item, format!("without quotation marks: {number}"))
            }
            _ => Problem::found(
                item,
                format!(
                    "a number stands without quotation marks and without a unit, as in {example}"
                ),
            ),
        });
    };
    if range.contains(&number) {
        return Ok(number);
    }
    let percent = *range.start() == 0.0 && *range.end() == 1.0 && number > 1.0 && number <= 100.0;
    Err(match number < *range.start() {
        true => Problem::new(&item.at, "too small", least_hint(range.start())),
        false if percent => {
            Problem::new(&item.at, "too large", format!("{number} % is written {}", number / 100.0))
        }
        false => Problem::new(&item.at, "too large", most_hint(range.end())),
    })
}

pub(crate) fn read_flag(item: &Item) -> Result<bool, Problem> {
    match item.value {
        Value::Boolean(flag) => Ok(flag),
        _ => Err(Problem::found(item, "without quotation marks: true or false")),
    }
}

pub(crate) fn read_text(item: &Item) -> Result<String, Problem> {
    item.text().map(Into::into).ok_or_else(|| Problem::found(item, text_hint(item)))
}

/// What to write instead of something that is not a text.
pub(crate) fn text_hint(item: &Item) -> String {
    match &item.value {
        Value::Integer(Some(number)) => format!("a text stands in quotation marks: \"{number}\""),
        Value::Float(Some(number)) => format!("a text stands in quotation marks: \"{number}\""),
        Value::Boolean(flag) => format!("a text stands in quotation marks: \"{flag}\""),
        Value::Date(date) => format!("a text stands in quotation marks: \"{date}\""),
        _ => "write one text in quotation marks: \"…\"".into(),
    }
}

pub(crate) fn read_choice(item: &Item, options: &[&'static str]) -> Result<&'static str, Problem> {
    let example = options.first().copied().unwrap_or_default();
    let word = item.text().ok_or_else(|| {
        Problem::found(item, format!("a word stands in quotation marks, as in \"{example}\""))
    })?;
    let known = options.iter().find(|option| **option == word);
    known.copied().ok_or_else(|| {
        Problem::new(
            &item.at,
            "unknown word",
            name_hint(word, "possible words", options.iter().copied()),
        )
    })
}

pub(crate) fn read_name(item: &Item, what: &str, known: &[String]) -> Result<String, Problem> {
    let name = item
        .text()
        .ok_or_else(|| Problem::found(item, known_hint(what, known.iter().map(String::as_str))))?;
    if known.iter().any(|known| known == name) {
        return Ok(name.into());
    }
    Err(unknown_name(item, name, what, name_hint(name, what, known.iter().map(String::as_str))))
}

pub(crate) fn unknown_name(item: &Item, name: &str, what: &str, hint: String) -> Problem {
    let message = Some(format!("`{}` names none of the {what}", excerpt(name)));
    Problem { message, ..Problem::new(&item.at, "unknown name", hint) }
}

/// One value, or a list of two in ascending order.
pub(crate) fn read_pair<T: Copy + PartialOrd>(
    item: &Item,
    read: impl Fn(&Item) -> Result<T, Problem>,
) -> Result<(T, T), Problem> {
    let Value::List(list) = &item.value else { return read(item).map(|value| (value, value)) };
    let [least, most] = list.as_slice() else {
        return Err(Problem::new(
            &item.at,
            format!("a list of {}", list.len()),
            "a range has two ends: [least, most]",
        ));
    };
    let (low, high) = (read(least)?, read(most)?);
    if low > high {
        return Err(Problem::new(
            &item.at,
            "the first end is the larger one",
            "a range begins with its least value: swap the two",
        ));
    }
    Ok((low, high))
}

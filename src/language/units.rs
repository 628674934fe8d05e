//! Durations as people write them, `"150ms"`, and how values are written back.

use std::time::Duration;

use crate::error::{excerpt, nearest};

/// The units of durations, in nanoseconds.
const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The units in a sentence.
const UNITS_TEXT: &str = "the units are ns, us, ms, s, min and h";

/// Why a text is not a duration, and what would be one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoDuration {
    pub(crate) label: String,
    pub(crate) hint: String,
}

/// A duration with a unit: `150ms`, `1.5s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, NoDuration> {
    if let Some(positive) = text.trim().strip_prefix('-') {
        let hint = format!(
            "a length of time is not negative; without the sign it is \"{}\"",
            excerpt(positive)
        );
        return Err(NoDuration { label: "negative".into(), hint });
    }
    Ok(Duration::from_nanos(parse_nanos(text.trim())?))
}

/// A length of time in the code that reads scenarios: a [`Duration`], or the text that a scenario
/// would have, as in `"150ms"`.
pub trait Length: Copy {
    /// The duration. Panics at a text that is not one: it is part of the program.
    fn duration(self) -> Duration;
}

impl Length for Duration {
    fn duration(self) -> Duration {
        self
    }
}

impl Length for &'static str {
    fn duration(self) -> Duration {
        parse_duration(self).unwrap_or_else(|wrong| panic!("`{self}`: {}", wrong.label))
    }
}

/// A duration with a unit and perhaps a sign, in nanoseconds: `-200ms`.
pub(crate) fn parse_signed(text: &str) -> Result<i64, NoDuration> {
    let text = text.trim();
    let (sign, size) = match text.strip_prefix('-') {
        Some(size) => (-1, size),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let nanos = parse_nanos(size)?;
    i64::try_from(nanos).map(|nanos| sign * nanos).map_err(|_| too_long())
}

fn too_long() -> NoDuration {
    NoDuration {
        label: "longer than 292 years".into(),
        hint: format!("write a shorter one, as \"30s\"; {UNITS_TEXT}"),
    }
}

fn parse_nanos(text: &str) -> Result<u64, NoDuration> {
    let digits_end =
        text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits_end);
    let unit = unit.trim();
    if number.is_empty() {
        return Err(NoDuration {
            label: "no number".into(),
            hint: format!("write a number and a unit, as in \"150ms\"; {UNITS_TEXT}"),
        });
    }
    if unit.is_empty() {
        return Err(NoDuration {
            label: "no unit".into(),
            hint: format!("write \"{n}ms\" or \"{n}s\"; {UNITS_TEXT}", n = excerpt(number)),
        });
    }
    let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let said = [
            "sec", "secs", "second", "seconds", "m", "minute", "minutes", "hr", "hour", "hours",
            "msec", "millis", "usec", "micros",
        ];
        let meant = match unit {
            "m" | "minute" | "minutes" | "mins" => Some("min"),
            "hr" | "hour" | "hours" => Some("h"),
            "msec" | "millis" | "milliseconds" => Some("ms"),
            "usec" | "micros" | "microseconds" => Some("us"),
            _ if said.contains(&unit) => Some("s"),
            _ => nearest(unit, UNITS.iter().map(|(name, _)| *name)),
        };
        let hint = match meant {
            Some(meant) => format!("did you mean \"{}{meant}\"? {UNITS_TEXT}", excerpt(number)),
            None => format!("write \"{n}ms\" or \"{n}s\"; {UNITS_TEXT}", n = excerpt(number)),
        };
        return Err(NoDuration { label: format!("unknown unit `{}`", excerpt(unit)), hint });
    };
    scaled(number, *scale)
}

/// Exact decimal arithmetic: `1.5` times a unit, without the rounding of floating point.
fn scaled(number: &str, scale: u64) -> Result<u64, NoDuration> {
    let bad = || NoDuration {
        label: format!("`{}` is not a number", excerpt(number)),
        hint: "write a number and a unit, as in \"1.5s\"".into(),
    };
    let number: String = number.chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    if whole.is_empty() || fraction.contains('.') || (fraction.is_empty() && number.contains('.')) {
        return Err(bad());
    }
    let whole: u64 = whole.parse().map_err(|_| too_long())?;
    let mut nanos = u128::from(whole) * u128::from(scale);
    let mut rest = u128::from(scale);
    for digit in fraction.bytes() {
        if (rest == 0 || rest % 10 != 0) && digit != b'0' {
            return Err(NoDuration {
                label: "finer than a nanosecond".into(),
                hint: "time in a run has steps of 1 ns".into(),
            });
        }
        rest /= 10;
        nanos += rest * u128::from(digit - b'0');
    }
    u64::try_from(nanos).ok().filter(|nanos| *nanos <= i64::MAX as u64).ok_or_else(too_long)
}

/// The shortest way to write a duration so that [`parse_duration`] gives it back.
pub fn show_duration(duration: Duration) -> String {
    let nanos = crate::time::nanos(duration);
    let (name, scale) = match nanos {
        n if n > 0 && n % 3_600_000_000_000 == 0 => ("h", 3_600_000_000_000),
        n if n % 1_000_000_000 == 0 => ("s", 1_000_000_000),
        n if n % 1_000_000 == 0 => ("ms", 1_000_000),
        n if n % 1_000 == 0 => ("us", 1_000),
        _ => ("ns", 1),
    };
    format!("{}{name}", nanos / scale)
}

/// A signed length of time in nanoseconds, as [`parse_signed`] reads it.
pub(crate) fn show_signed(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}{}", show_duration(Duration::from_nanos(nanos.unsigned_abs())))
}

/// A number as TOML reads it back to the same bits.
pub(crate) fn show_float(number: f64) -> String {
    format!("{number:?}")
}

/// A number in a sentence: `0`, `0.5`, `100`.
pub(crate) fn plain_number(number: f64) -> String {
    if number == f64::MAX { "any size".into() } else { format!("{number}") }
}

/// A text as TOML writes it.
pub(crate) fn show_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_fraction_is_exact() {
        // 0.1 s has no binary representation; the nanoseconds must be exact all the same.
        assert_eq!(parse_duration("0.1s"), Ok(Duration::from_millis(100)));
        assert_eq!(parse_duration("1.000000001s"), Ok(Duration::from_nanos(1_000_000_001)));
        assert!(parse_duration("1.0000000001s").is_err());
    }

    #[test]
    fn what_is_shown_is_read_back() {
        // The resolved scenario is written with `show_…` and read again; a difference would be
        // another run.
        for nanos in [
            0,
            1,
            999,
            1_000,
            1_500_000,
            2_000_000_000,
            90_000_000_000,
            7_200_000_000_000,
            123_456_789,
        ] {
            assert_eq!(
                parse_duration(&show_duration(Duration::from_nanos(nanos))),
                Ok(Duration::from_nanos(nanos))
            );
            assert_eq!(parse_signed(&show_signed(-(nanos as i64))), Ok(-(nanos as i64)));
        }
    }

    #[test]
    fn a_wrong_unit_names_the_right_one() {
        // The slip of the keyboard is the commonest mistake of all; the hint must hold the whole
        // value to be copied.
        assert!(parse_duration("150mss").unwrap_err().hint.contains("\"150ms\""));
        assert!(parse_duration("150").unwrap_err().hint.contains("\"150ms\""));
        assert!(parse_duration("2m").unwrap_err().hint.contains("\"2min\""));
        assert!(parse_duration("2seconds").unwrap_err().hint.contains("\"2s\""));
        assert!(parse_duration("999999999999999999999s").is_err());
    }
}

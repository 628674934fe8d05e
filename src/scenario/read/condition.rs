//! `when = { … }`: a condition on what nodes show.

use crate::error::excerpt;
use crate::vocabulary::Shown;

use crate::faults::Names;
use crate::faults::named;
use crate::language::reader::{Key, Problem, Section};
use crate::language::reading::name_hint;
use crate::language::tree::{Item, Value};
use crate::language::units::show_text;
use crate::scenario::catalog::{STATUSES, TESTBED_EVENTS, TESTBED_METRICS};
use crate::scenario::nemesis::Condition;
use crate::system_names::SystemNames;

/// The kinds of condition, each by the key that makes it one.
pub(crate) const CONDITIONS: &[&str] = &["metric", "event", "message"];

/// A condition that this system can meet.
fn an_example(names: &Names) -> String {
    let shown = names.system.as_ref().and_then(|system| {
        system.metrics().first().map(|metric| (metric.name, system.metric_words(metric.name)))
    });
    match shown {
        Some((metric, words)) => match words.first() {
            Some(word) => {
                format!("as in: when = {{ metric = \"{metric}\", equals = \"{word}\" }}")
            }
            None => format!("as in: when = {{ metric = \"{metric}\", at_least = 3 }}"),
        },
        None => "as in: when = { metric = \"status\", equals = \"down\" }".into(),
    }
}

/// Read the table of `when`. `None`: a mistake was noted.
pub(super) fn read(section: &mut Section<'_>, names: &Names) -> Option<Condition> {
    section
        .exclusive(CONDITIONS, "a condition looks at one thing: a metric, an event or a message");
    let kind = CONDITIONS.iter().find(|kind| section.has(kind));
    for kind in CONDITIONS {
        section.allow(kind);
    }
    match kind {
        Some(kind) => of_kind(section, kind, names),
        None => {
            if let Some(at) = &section.at {
                let message = format!("`{}` says nothing to wait for", section.path);
                section.reading.note_at(
                    message,
                    at,
                    "no metric, event or message",
                    an_example(names),
                );
            }
            None
        }
    }
}

/// Read a condition of this kind, or describe it.
pub(crate) fn of_kind(section: &mut Section<'_>, kind: &str, names: &Names) -> Option<Condition> {
    let nth = |section: &mut Section<'_>| {
        section.integer("nth", 1, 1..=1_000_000_000, "Which one of them, from 1.")
    };
    match kind {
        "metric" => metric(section, names),
        "event" => {
            let known = shown(names, |system| system.events(), TESTBED_EVENTS);
            let event = named(
                section,
                "event",
                "events",
                known.as_deref(),
                "An event of this name is observed.",
            );
            let node = node(section, names, &["any"], "On which node.");
            let fields = fields(section);
            let nth = nth(section);
            Some(Condition::Event { event: event?, node, fields, nth })
        }
        _ => {
            let known = shown(names, |system| system.messages(), &[]);
            let message = named(
                section,
                "message",
                "message types",
                known.as_deref(),
                "A message of this type arrives.",
            );
            let ends: Vec<String> =
                std::iter::once("any").map(String::from).chain(participants(names)).collect();
            let src =
                section.name("src", "any", "nodes, clients or `any`", &ends, "Who has sent it.");
            let dest =
                section.name("dest", "any", "nodes, clients or `any`", &ends, "Who gets it.");
            let nth = nth(section);
            Some(Condition::Message { message: message?, src, dest, nth })
        }
    }
}

fn participants(names: &Names) -> impl Iterator<Item = String> + '_ {
    names.nodes.iter().chain(&names.clients).cloned()
}

fn metric(section: &mut Section<'_>, names: &Names) -> Option<Condition> {
    let known = shown(names, |system| system.metrics(), TESTBED_METRICS);
    let metric =
        named(section, "metric", "metrics", known.as_deref(), "A metric has such a value.");
    let node = node(
        section,
        names,
        &["any", "all"],
        "Of which node; `all`: of every one at the same time.",
    );
    let at_least = section.optional_number("at_least", f64::MIN..=f64::MAX, "The least value.");
    let at_most = section.optional_number("at_most", f64::MIN..=f64::MAX, "The greatest value.");
    let key = Key {
        name: "equals",
        kind: "a text or a number",
        range: String::new(),
        doc: "Exactly this value, as `role = \"leader\"` has it.",
    };
    let equals = section.optional(key, plain, |value| show_text(value));
    if at_least.is_none() && at_most.is_none() && equals.is_none() {
        let unsaid = !["at_least", "at_most", "equals"].iter().any(|key| section.has(key));
        if let Some(at) = section.at.as_ref().filter(|_| unsaid) {
            let message = format!("`{}` has no bound", section.path);
            section.reading.note_at(
                message,
                at,
                "no `at_least`, `at_most` or `equals`",
                an_example(names),
            );
        }
    }
    if let (Some(least), Some(most), Some(entry)) = (at_least, at_most, section.entry("at_most"))
        && least > most
    {
        let hint = format!(
            "swap the two, or take one out: a value is at least {least} and at most {most}"
        );
        section.reading.note_at(
            format!("`{}` can never hold", section.path),
            &entry.item.at,
            "less than `at_least`",
            hint,
        );
    }
    if let (Some(system), Some(metric)) = (&names.system, &metric) {
        let words =
            if metric == "status" { STATUSES.to_vec() } else { system.metric_words(metric) };
        judge_words(section, metric, &words, equals.as_deref());
    }
    Some(Condition::Metric { metric: metric?, node, at_least, at_most, equals })
}

/// A metric that is a word has no bounds, and it is never another than those it takes: such a
/// condition would wait for ever.
fn judge_words(section: &Section<'_>, metric: &str, words: &[&str], equals: Option<&str>) {
    if words.is_empty() {
        return;
    }
    for entry in ["at_least", "at_most"].iter().filter_map(|key| section.entry(key)) {
        let hint = format!("as in: when = {{ metric = \"{metric}\", equals = \"{}\" }}", words[0]);
        section.reading.note_at(
            format!("`{metric}` is a word, not a number"),
            &entry.key_at,
            "has no bounds",
            hint,
        );
    }
    if let (Some(word), Some(entry)) =
        (equals.filter(|word| !words.contains(word)), section.entry("equals"))
    {
        let hint = name_hint(word, "words", words.iter().copied());
        section.reading.note_at(
            format!("`{metric}` is never `{}`", excerpt(word)),
            &entry.item.at,
            "unknown word",
            hint,
        );
    }
}

fn node(section: &mut Section<'_>, names: &Names, words: &[&str], doc: &'static str) -> String {
    let known: Vec<String> =
        words.iter().map(ToString::to_string).chain(participants(names)).collect();
    let what = if words.len() == 2 { "nodes, `any` or `all`" } else { "nodes or `any`" };
    section.name("node", "any", what, &known, doc)
}

/// The names that the system shows and those of the testbed; `None` where there is no system to
/// ask.
fn shown(
    names: &Names,
    of: impl Fn(&SystemNames) -> Vec<Shown>,
    testbed: &[Shown],
) -> Option<Vec<String>> {
    let system = names.system.as_ref()?;
    Some(of(system).iter().chain(testbed).map(|shown| shown.name.to_string()).collect())
}

/// A text or a number as the trace writes it.
fn plain(item: &Item) -> Result<String, Problem> {
    match &item.value {
        Value::Text(text) => Ok(text.clone()),
        Value::Integer(Some(number)) => Ok(number.to_string()),
        _ => Err(Problem::found(
            item,
            "a whole number, or a text in quotation marks: 3 or \"leader\"",
        )),
    }
}

fn fields(section: &mut Section<'_>) -> Vec<(String, String)> {
    let mut table = section.table("fields");
    let doc = "Fields that the event must have, as in { term = 3 }.";
    if table.reading.is_describing() {
        table.take(
            &Key { name: "FIELD", kind: "a text or a number", range: String::new(), doc },
            None,
        );
    }
    let mut fields = vec![];
    for entry in table.free_entries() {
        let key = Key { name: &entry.key, kind: "a text or a number", range: String::new(), doc };
        match plain(&entry.item) {
            Ok(value) => {
                table.resolve(&entry.key, show_text(&value));
                fields.push((entry.key.clone(), value));
            }
            Err(problem) => table.complain(&key, problem),
        }
    }
    if !fields.is_empty() {
        section.close_inline("fields", table);
    }
    fields
}

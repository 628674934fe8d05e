//! The part of a result that a student may see, and the entries that all platforms share.

use serde_json::{Number, Value};

use super::super::model::{
    Graded, HiddenSeeds, ItemResult, ItemState, Lang, Loss, Points, Seed, SeedResult, SeedVerdict,
    Text, Visibility,
};
use super::super::texts::{fill, meaning, phrases, printable, seconds};

/// At most this many losses of an item are listed one by one; the others are alike.
pub(crate) const LOSSES_TOLD: usize = 5;

/// `grade.json`: the result without items that are not visible.
pub static GRADE: Format = Format {
    file: "grade.json",
    reader: "the student, as data",
    make: Make::Student(|graded, _| json(&for_student(graded))),
};
use super::{Format, Make, json};

/// A result with only the visible items and their points. Failures of the machine are left to the
/// instructor.
pub fn for_student(graded: &Graded) -> Graded {
    let mut shown = with_harmless_texts(graded);
    shown.items.retain(is_visible);
    shown.score = shown.items.iter().filter_map(|item| item.earned).sum();
    shown.max = shown.items.iter().map(|item| item.points).sum();
    shown.ungraded = shown
        .items
        .iter()
        .filter(|item| matches!(item.state, ItemState::NotGraded { .. }))
        .map(|item| item.points)
        .sum();
    shown.infra.clear();
    if let HiddenSeeds::Run { fingerprint } = &mut shown.hidden {
        fingerprint.clear();
    }
    if let Some((count, max)) = not_shown(graded) {
        let said = |lang| {
            fill(
                phrases(lang).only_hidden,
                &[("count", &count.to_string()), ("max", &max.to_string())],
            )
        };
        shown.notes.push(Text::new(said(Lang::En), said(Lang::Es)));
    }
    // Even the name of a hidden item must not be shown.
    for item in &mut shown.items {
        if item
            .gate
            .as_ref()
            .is_some_and(|gate| graded.item(gate).is_some_and(|gate| !is_visible(gate)))
        {
            item.gate = None;
        }
    }
    shown
}

/// A result in which all text written by the program is made harmless to display.
pub(super) fn with_harmless_texts(graded: &Graded) -> Graded {
    let mut shown = graded.clone();
    shown.outcome.detail = printable(&shown.outcome.detail);
    shown.items.iter_mut().flat_map(|item| &mut item.seeds).for_each(make_printable);
    shown
}

/// Make a program's texts harmless to display, and leave failures of the machine to the instructor.
fn make_printable(seed: &mut SeedResult) {
    seed.message = if seed.verdict == SeedVerdict::InfraError {
        String::new()
    } else {
        printable(&seed.message)
    };
    let Some(loss) = &mut seed.loss else { return };
    for text in [&mut loss.finding, &mut loss.printed].into_iter().chain(&mut loss.also) {
        *text = printable(text);
    }
    for message in &mut loss.messages {
        for text in [&mut message.from, &mut message.to, &mut message.kind, &mut message.detail] {
            *text = printable(text);
        }
    }
}

/// A submission's label for people: the student's full name if known, otherwise the id; both if two
/// students share a name.
pub(crate) fn label(graded: &Graded, class: &[Graded]) -> String {
    let (name, id) = (printable(&graded.student.name), &graded.submission.id);
    let is_known_by =
        |name: &str| class.iter().filter(|other| printable(&other.student.name) == name).count();
    match name.as_str() {
        "" => id.clone(),
        _ if is_known_by(&name) > 1 => format!("{name} ({id})"),
        _ => name,
    }
}

/// The number of hidden items, and their points.
pub(crate) fn not_shown(graded: &Graded) -> Option<(usize, Points)> {
    let hidden: Vec<&ItemResult> = graded.items.iter().filter(|item| !is_visible(item)).collect();
    (!hidden.is_empty()).then(|| (hidden.len(), hidden.iter().map(|item| item.points).sum()))
}

pub(super) fn is_visible(item: &ItemResult) -> bool {
    item.visibility == Visibility::Visible
}

/// An item as platforms show it.
pub(super) struct Entry {
    /// The item's name.
    pub(super) name: String,
    pub(super) title: String,
    /// `None` if it was not graded.
    pub(super) earned: Option<Points>,
    pub(super) max: Points,
    /// The explanation, in several lines.
    pub(super) text: String,
}

impl Entry {
    pub(super) fn of(item: &ItemResult, graded: &Graded, lang: Lang) -> Entry {
        let title = item.title.get(lang);
        let title = if title.is_empty() { &item.name } else { title };
        Entry {
            name: item.name.clone(),
            title: title.to_owned(),
            earned: item.earned,
            max: item.points,
            text: explain(item, graded, lang),
        }
    }

    pub(super) fn is_passed(&self) -> bool {
        self.earned == Some(self.max)
    }
}

/// The visible items, and one entry for all others, for platforms without visibility.
pub(super) fn entries(graded: &Graded, lang: Lang) -> Vec<Entry> {
    let shown = for_student(graded);
    let mut entries: Vec<Entry> =
        shown.items.iter().map(|item| Entry::of(item, &shown, lang)).collect();
    if let Some((_, max)) = not_shown(graded) {
        let hidden = || graded.items.iter().filter(|item| !is_visible(item));
        let is_decided = hidden().all(|item| item.earned.is_some());
        let earned = is_decided.then(|| hidden().filter_map(|item| item.earned).sum());
        let name = phrases(lang).further_tests.to_owned();
        entries.push(Entry { name: name.clone(), title: name, earned, max, text: String::new() });
    }
    entries
}

/// The heading: points, what is not final, and what is wrong with the whole submission. It covers
/// only visible items if `graded` comes from [`for_student`].
pub(super) fn head(graded: &Graded, lang: Lang) -> String {
    let say = phrases(lang);
    let mut lines = vec![fill(
        say.points_of,
        &[("earned", &graded.score.to_string()), ("max", &graded.max.to_string())],
    )];
    if graded.ungraded != Points::ZERO {
        lines.push(fill(say.ungraded, &[("points", &graded.ungraded.to_string())]));
    }
    lines.extend(
        graded.provisional.iter().map(|why| fill(say.provisional, &[("why", why.get(lang))])),
    );
    let (message, hint) = (graded.outcome.message.get(lang), graded.outcome.hint.get(lang));
    lines.extend(
        [message, hint].iter().filter(|text| !text.is_empty()).map(|text| (*text).to_owned()),
    );
    if !graded.outcome.detail.is_empty() {
        lines.push(graded.outcome.detail.clone());
    }
    lines.extend(graded.notes.iter().map(|note| note.get(lang).to_owned()));
    lines.join("\n")
}

/// A seed in words.
pub(crate) fn seed_words(seed: Seed, lang: Lang) -> String {
    match seed {
        Seed::Public(seed) => fill(phrases(lang).seed, &[("seed", &seed.to_string())]),
        Seed::Hidden(index) => {
            fill(phrases(lang).hidden_seed, &[("number", &(u64::from(index) + 1).to_string())])
        }
    }
}

/// How the points of an item without seeds to show came about.
pub(crate) fn state_words(item: &ItemResult, graded: &Graded, lang: Lang) -> Option<String> {
    let say = phrases(lang);
    match &item.state {
        ItemState::Graded => None,
        ItemState::GateClosed => {
            let gate = item.gate.as_deref().unwrap_or("?");
            let title = graded.item(gate).map_or(gate, |gate| gate.title.get(lang));
            Some(fill(say.gate_closed, &[("gate", title)]))
        }
        ItemState::NoProgram => Some(say.no_program.to_owned()),
        ItemState::NotGraded { why } | ItemState::NotRun { why } => {
            Some(format!("{}: {}", say.not_graded, why.get(lang)))
        }
    }
}

/// An item in plain text: its result, the rule and moment of each loss, and how to repeat it.
fn explain(item: &ItemResult, graded: &Graded, lang: Lang) -> String {
    let say = phrases(lang);
    let mut lines: Vec<String> = state_words(item, graded, lang).into_iter().collect();
    if !item.seeds.is_empty() {
        let (ok, all) = (item.ok_count().to_string(), item.seeds.len().to_string());
        let rule = item.scoring.words(item.seeds.len());
        lines.push(format!(
            "{} ({})",
            fill(say.runs_right, &[("ok", &ok), ("all", &all)]),
            rule.get(lang)
        ));
    }
    let losses: Vec<&SeedResult> = item.losses().collect();
    for seed in losses.iter().take(LOSSES_TOLD) {
        lines.push(String::new());
        lines.push(format!(
            "{}: {} ({})",
            seed_words(seed.seed, lang),
            seed.verdict.word(),
            meaning(seed.verdict, lang)
        ));
        lines.extend(seed.loss.iter().flat_map(|loss| loss_lines(loss, lang)));
    }
    if losses.len() > LOSSES_TOLD {
        lines.push(fill(say.same_cause, &[("count", &(losses.len() - LOSSES_TOLD).to_string())]));
    }
    if let Some(feedback) = item.feedback.as_ref().filter(|_| !losses.is_empty()) {
        lines.push(String::new());
        lines.push(format!("{}: {}", say.feedback, feedback.get(lang)));
    }
    lines.join("\n")
}

pub(super) fn loss_lines(loss: &Loss, lang: Lang) -> Vec<String> {
    let say = phrases(lang);
    let source = if loss.source.is_empty() { String::new() } else { format!(" ({})", loss.source) };
    let mut lines = Vec::new();
    let mut line = |name: &str, text: &str| {
        lines.extend((!text.is_empty()).then(|| format!("  {name}: {text}")))
    };
    line(say.rule, &format!("{}{source}", loss.rule.get(lang)));
    line(say.found, &loss.finding);
    line(say.moment, &moment_words(loss, lang));
    line(say.repeat, loss.command.as_deref().unwrap_or(say.cannot_repeat));
    if !loss.printed.is_empty() {
        lines.push(format!("  {}:", say.printed));
        lines.extend(loss.printed.lines().map(|line| format!("    {line}")));
    }
    lines
}

/// When and where something went wrong; empty if unknown.
pub(crate) fn moment_words(loss: &Loss, lang: Lang) -> String {
    let say = phrases(lang);
    let time = loss.time_ns.map(|time| fill(say.virtual_time, &[("time", &seconds(time))]));
    let node = loss.node.as_ref().map(|node| fill(say.at_node, &[("node", node)]));
    time.into_iter().chain(node).collect::<Vec<_>>().join(", ")
}

/// Points as a JSON number, an integer if they are whole.
pub(super) fn number(points: Points) -> Value {
    if points.0.is_multiple_of(100) {
        return Value::from(points.0 / 100);
    }
    Number::from_f64(f64::from(points.0) / 100.0).map_or(Value::Null, Value::Number)
}

/// The average of points, rounded half up to hundredths.
pub(crate) fn average(points: impl ExactSizeIterator<Item = Points>) -> Points {
    let count = points.len() as u64;
    let sum: u64 = points.map(|points| u64::from(points.0)).sum();
    let average = if count == 0 { 0 } else { (2 * sum + count) / (2 * count) };
    Points(u32::try_from(average).unwrap_or(u32::MAX))
}

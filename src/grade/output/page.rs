//! The page of one student and that of a class: a self-contained file each, without scripts.
//!
//! Names, titles, program output: the template escapes all text, whoever wrote it. Only pictures
//! drawn by this crate are embedded as they are. Should that ever fail, a content security policy
//! forbids the browser to load or run anything.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::model::{
    Graded, ItemResult, ItemState, Lang, Loss, Outcome, OutcomeKind, Points, SeedResult,
    SeedVerdict, Text,
};
use super::super::texts::{
    Phrases, fate, fill, meaning, outcome_word, phrases, printable, seconds, verdict_word,
};
use super::class::{missed_items, missed_rules, reason, summary as class_summary};
use super::view::{average, for_student, label, moment_words, seed_words, state_words};

const STYLE: &str = include_str!("page.css");
/// At most this many further runs lost in the same way are listed.
const ALIKE_MAX: usize = 20;

/// `page.html`: what a student reads.
pub static STUDENT: Format = Format {
    file: "page.html",
    reader: "the student",
    make: Make::Student(|graded, lang| page(graded, lang).into_bytes()),
};

/// `class.html`: what an instructor reads.
pub static CLASS: Format = Format {
    file: "class.html",
    reader: "instructors",
    make: Make::Class(|class, options| class_page(class, options.lang).into_bytes()),
};
use super::{Format, Make};

/// The page of a student, without hidden items.
pub fn page(graded: &Graded, lang: Lang) -> String {
    let shown = for_student(graded);
    let say = phrases(lang);
    let student = &printable(student_name(graded));
    let heading = fill(say.result_of, &[("student", student)]);
    let content = html! {
        header {
            p.over { (text(&shown.assignment.title, lang)) }
            h1 dir="auto" { (heading) }
            (score(&shown, lang))
        }
        main {
            (notices(&shown, lang))
            (items(&shown, lang))
            @if shown.items.iter().any(has_lost) {
                h2 { (say.lost_points) }
                @for (i, item) in shown.items.iter().enumerate().filter(|(_, item)| has_lost(item)) {
                    (lost(i, item, &shown, lang))
                }
            } @else if !shown.items.is_empty() && shown.items.iter().all(ItemResult::is_full) {
                p.full { (say.full_points) }
            }
            @if !shown.notes.is_empty() {
                h2 { (say.notes) }
                ul { @for note in &shown.notes { li { (text(note, lang)) } } }
            }
        }
        (about(&shown, lang))
    };
    document(&heading, lang, &content)
}

fn document(title: &str, lang: Lang, content: &Markup) -> String {
    let lang = match lang {
        Lang::En => "en",
        Lang::Es => "es",
    };
    let document = html! {
        (DOCTYPE)
        html lang=(lang) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src \
                    'unsafe-inline'";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    };
    document.into_string()
}

/// Who handed it in, by the best name known.
fn student_name(graded: &Graded) -> &str {
    let student = &graded.student;
    let names = [&student.name, &student.username, &student.email, &graded.submission.id];
    names.into_iter().find(|name| !name.is_empty()).map_or("", String::as_str)
}

/// A text in the page's language; if there is only English, it is marked as such for screen
/// readers.
fn text(text: &Text, lang: Lang) -> Markup {
    let is_foreign = lang != Lang::En && text.es.is_none();
    html! { span lang=[is_foreign.then_some("en")] { (coded(text.get(lang))) } }
}

/// A text by the instructor or the testbed, with text between backticks as code. Program output is
/// shown as it is.
fn coded(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    html! {
        @for (i, part) in parts.iter().enumerate() {
            @match i % 2 {
                // A backtick without a partner stays a backtick.
                1 if i + 1 == parts.len() => { "`" (part) },
                1 => code { (part) },
                _ => (part),
            }
        }
    }
}

fn class_of(earned: Option<Points>, max: Points) -> &'static str {
    match earned {
        None => "open",
        Some(earned) if earned == max => "full",
        Some(_) => "less",
    }
}

fn score(graded: &Graded, lang: Lang) -> Markup {
    let said = fill(
        phrases(lang).points_of,
        &[("earned", &graded.score.to_string()), ("max", &graded.max.to_string())],
    );
    html! {
        p.score { (said) }
        @if graded.max != Points::ZERO {
            meter min="0" max=(graded.max) value=(graded.score) aria-label=(said) { (said) }
        }
    }
}

fn notices(graded: &Graded, lang: Lang) -> Markup {
    let say = phrases(lang);
    let Outcome { kind, message, hint, detail } = &graded.outcome;
    html! {
        @if graded.ungraded != Points::ZERO || !graded.provisional.is_empty() {
            div.notice {
                p { strong { (say.not_final) } }
                @if graded.ungraded != Points::ZERO { p { (fill(say.ungraded, &[("points", &graded.ungraded.to_string())])) } }
                @for why in &graded.provisional { p { (coded(&fill(say.provisional, &[("why", why.get(lang))]))) } }
            }
        }
        @if *kind != OutcomeKind::Graded {
            div.notice.bad {
                p { strong { (say.what_is_wrong) } ": " (text(message, lang)) }
                p { strong { (say.what_to_do) } ": " (text(hint, lang)) }
                @if !detail.is_empty() {
                    @if *kind == OutcomeKind::BuildFailed { p { (say.compiler_said) ":" } }
                    pre { (detail) }
                }
            }
        }
    }
}

fn items(graded: &Graded, lang: Lang) -> Markup {
    let say = phrases(lang);
    html! {
        h2 { (say.items) }
        div.wide { table {
            thead { tr {
                th scope="col" { (say.item) }
                th.number scope="col" { (say.points) }
                th scope="col" { (say.runs) }
            } }
            tbody { @for (i, item) in graded.items.iter().enumerate() { tr {
                th scope="row" {
                    @if !has_lost(item) { (text(&item.title, lang)) } @else { a href=(format!("#item-{i}")) { (text(&item.title, lang)) } }
                }
                td.number.(class_of(item.earned, item.points)) { (points(item, lang)) }
                td {
                    @if let Some(state) = state_words(item, graded, lang) { p { (coded(&state)) } }
                    @if !item.seeds.is_empty() {
                        p { (runs_right(item, say)) " (" (text(&item.scoring.words(item.seeds.len()), lang)) ")" }
                    }
                }
            } } }
        } }
    }
}

/// Whether it lost points that need an explanation: an item that was not requested lost none.
fn has_lost(item: &ItemResult) -> bool {
    !item.is_full() && !matches!(item.state, ItemState::NotRun { .. })
}

fn points(item: &ItemResult, lang: Lang) -> String {
    item.earned.map_or_else(
        || format!("{} / {}", phrases(lang).not_graded, item.points),
        |earned| format!("{earned} / {}", item.points),
    )
}

fn runs_right(item: &ItemResult, say: &Phrases) -> String {
    fill(
        say.runs_right,
        &[("ok", &item.ok_count().to_string()), ("all", &item.seeds.len().to_string())],
    )
}

/// An item that lost points: each way in which it was lost, once, with the other runs lost in the
/// same way.
fn lost(number: usize, item: &ItemResult, graded: &Graded, lang: Lang) -> Markup {
    let say = phrases(lang);
    let mut ways: Vec<Vec<&SeedResult>> = Vec::new();
    for seed in item.seeds.iter().filter(|seed| seed.verdict != SeedVerdict::Ok) {
        match ways.iter_mut().find(|way| way_of(way[0]) == way_of(seed)) {
            Some(way) => way.push(seed),
            None => ways.push(vec![seed]),
        }
    }
    html! {
        section aria-labelledby=(format!("item-{number}")) {
            h3 id=(format!("item-{number}")) { (text(&item.title, lang)) " · " span.(class_of(item.earned, item.points)) { (points(item, lang)) } }
            @if let Some(state) = state_words(item, graded, lang) { p { (coded(&state)) } }
            @if let Some(feedback) = item.feedback.as_ref().filter(|_| item.losses().next().is_some()) {
                div.notice { p { strong { (say.feedback) } ": " (text(feedback, lang)) } }
            }
            @if !item.seeds.is_empty() {
                p { (say.seeds) ":" }
                ul.seeds { @for seed in &item.seeds {
                    @let class = if seed.verdict == SeedVerdict::Ok { "full" } else if seed.verdict.is_open() { "open" } else { "less" };
                    li.(class) { (seed_words(seed.seed, lang)) " " (verdict_word(seed.verdict, lang)) }
                } }
            }
            @for way in &ways { (lost_way(way, lang)) }
        }
    }
}

fn way_of(seed: &SeedResult) -> (SeedVerdict, Option<&str>) {
    (seed.verdict, seed.loss.as_ref().and_then(|loss| loss.check.as_deref()))
}

fn lost_way(way: &[&SeedResult], lang: Lang) -> Markup {
    let say = phrases(lang);
    // The run whose messages the grading kept: usually the first one.
    let told = way
        .iter()
        .find(|seed| {
            seed.loss
                .as_ref()
                .is_some_and(|loss| !loss.messages.is_empty() || loss.picture.is_some())
        })
        .unwrap_or(&way[0]);
    let others: Vec<&&SeedResult> = way.iter().filter(|seed| seed.seed != told.seed).collect();
    html! {
        article.loss {
            h4 { (seed_words(told.seed, lang)) " · " code { (told.verdict.word()) } ": " (meaning(told.verdict, lang)) }
            @match &told.loss {
                Some(loss) => (loss_told(loss, lang)),
                None => @if !told.message.is_empty() { p { (told.message) } },
            }
            @if !others.is_empty() {
                div.wide { table {
                    caption { (fill(say.same_cause, &[("count", &others.len().to_string())])) }
                    thead { tr { th scope="col" { (say.runs) } th scope="col" { (say.found) } th scope="col" { (say.repeat) } } }
                    tbody { @for seed in others.iter().take(ALIKE_MAX) { tr {
                        th scope="row" { (seed_words(seed.seed, lang)) }
                        td lang=[english(lang)] { (seed.loss.as_ref().map_or(&seed.message, |loss| &loss.finding)) }
                        td { @if let Some(command) = seed.loss.as_ref().and_then(|loss| loss.command.as_ref()) { code { (command) } } @else { "—" } }
                    } } }
                } }
            }
        }
    }
}

fn loss_told(loss: &Loss, lang: Lang) -> Markup {
    let say = phrases(lang);
    let moment = moment_words(loss, lang);
    // The moment goes between the messages sent before it and those sent after it.
    let first_after = loss
        .messages
        .iter()
        .position(|message| loss.time_ns.is_some_and(|time| message.time_ns > time));
    html! {
        dl {
            dt { (say.rule) }
            dd { (text(&loss.rule, lang)) @if let Some(check) = &loss.check { " " code { (check) } } }
            @if !loss.source.is_empty() { dt { (say.source) } dd { (loss.source) } }
            @if !loss.finding.is_empty() { dt { (say.found) } dd lang=[english(lang)] { (loss.finding) } }
            @if !loss.also.is_empty() { dt { (say.also_found) } dd lang=[english(lang)] { @for also in &loss.also { p { (also) } } } }
            @if !moment.is_empty() { dt { (say.moment) } dd { (moment) } }
            dt { (say.repeat) }
            dd { @if let Some(command) = &loss.command { pre { (command) } } @else { (say.cannot_repeat) } }
        }
        @if !loss.printed.is_empty() { p { (say.printed) ":" } pre { (loss.printed) } }
        @if !loss.messages.is_empty() {
            div.wide tabindex="0" role="region" aria-label=(say.messages) { table.messages {
                caption { (say.messages) }
                thead { tr {
                    th.number scope="col" { (say.sent) } th.number scope="col" { (say.arrived) }
                    th scope="col" { (say.from) } th scope="col" { (say.to) } th scope="col" { (say.kind) }
                    th scope="col" { (say.detail) } th scope="col" { (say.fate) }
                } }
                tbody { @for (i, message) in loss.messages.iter().enumerate() {
                    @if let Some(time) = loss.time_ns.filter(|_| Some(i) == first_after) {
                        tr.moment { td.number { (seconds(time)) } td colspan="6" lang=[english(lang)] { "▸ " (loss.finding) } }
                    }
                    tr {
                    td.number { (seconds(message.time_ns)) }
                    td.number { (message.arrived_ns.map_or("—".to_owned(), seconds)) }
                    td.word { (message.from) } td.word { (message.to) } td.word { (message.kind) }
                    td { (message.detail) } td.word { (fate(&message.fate, lang)) }
                } } }
            } }
        }
        @if let Some(picture) = loss.picture.as_deref().filter(|picture| is_picture(picture)) {
            figure tabindex="0" role="region" aria-label=(say.picture) { (PreEscaped(picture)) figcaption { (say.picture) } }
        }

    }
}

/// The findings of checks are in English on every page.
fn english(page: Lang) -> Option<&'static str> {
    (page != Lang::En).then_some("en")
}

/// Whether a text is a picture as this crate draws them. It comes from a file, which could have
/// been edited.
fn is_picture(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let forbidden =
        ["<script", "<foreignobject", "<iframe", "javascript:", "<style", "<a ", "<image", "<use"];
    lower.starts_with("<svg ")
        && lower.trim_end().ends_with("</svg>")
        && !forbidden.iter().any(|word| lower.contains(word))
        && !has_handler(&lower)
}

/// Whether a tag has an attribute named `on…`.
fn has_handler(svg: &str) -> bool {
    let tags = svg.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
    tags.flat_map(|tag| tag.split(|c: char| c.is_whitespace() || c == '/'))
        .any(|word| word.starts_with("on") && word.contains('='))
}

fn about(graded: &Graded, lang: Lang) -> Markup {
    let say = phrases(lang);
    let submission = &graded.submission;
    html! {
        footer {
            h2 { (say.about) }
            dl {
                dt { (say.submission) } dd dir="auto" { (submission.id) }
                @if let Some(language) = submission.language { dt { (say.language) } dd { (language.word()) } }
                @if !submission.command.is_empty() { dt { (say.command) } dd { code { (submission.command.join(" ")) } } }
                @if !submission.digest.is_empty() { dt { (say.digest) } dd { code { (submission.digest) } } }
            }
            @if !graded.sandbox.is_empty() {
                div.wide { table {
                    caption { (say.sandbox) }
                    tbody { @for measure in &graded.sandbox { tr {
                        th scope="row" { (measure.name) }
                        td.(if measure.in_force { "full" } else { "open" }) { (if measure.in_force { say.in_force } else { say.missing }) }
                        td lang="en" { (measure.detail) }
                    } } }
                } }
            }
            p { (fill(say.version, &[("version", &graded.seedbed)])) " · " code { (graded.assignment.name) " " (graded.assignment.digest) } }
        }
    }
}

/// The page of a class, for instructors: a row for each student with a link to the student's page,
/// and what was missed most often.
pub fn class_page(class: &[Graded], lang: Lang) -> String {
    let say = phrases(lang);
    let title = class.first().map_or(say.class, |first| first.assignment.title.get(lang));
    let (items, rules) = (missed_items(class, lang), missed_rules(class, lang));
    let scores: Vec<Points> =
        class.iter().filter(|graded| graded.is_complete()).map(|graded| graded.score).collect();
    let earned = |name: &str| {
        class.iter().filter_map(|graded| graded.item(name)?.earned).collect::<Vec<Points>>()
    };
    let content = html! {
        header { p.over { (say.class) } h1 { (coded(title)) } p { (class_summary(class, lang)) } }
        main {
            div.wide tabindex="0" role="region" aria-label=(say.class) { table {
                thead { tr {
                    th scope="col" { (say.student) }
                    th.number scope="col" { (say.points) @if let Some(first) = class.first() { " (" (first.max) ")" } }
                    th.word scope="col" { (say.outcome) }
                    @for item in class.first().iter().flat_map(|first| &first.items) { th.number scope="col" { (item.name) " (" (item.points) ")" } }
                } }
                tbody { @for graded in class { tr {
                    th scope="row" dir="auto" { a href=(student_link(&graded.submission.id)) { (label(graded, class)) } }
                    td.number.(class_of(graded.is_complete().then_some(graded.score), graded.max)) {
                        (graded.score) @if graded.ungraded != Points::ZERO { " (+ " (graded.ungraded) "?)" }
                    }
                    td.word {
                        (outcome_word(graded.outcome.kind, lang))
                        @let reason = reason(graded, lang);
                        @if !reason.is_empty() { div.reason { (coded(&reason)) } }
                    }
                    @for item in &graded.items {
                        td.number.(class_of(item.earned, item.points)) { (item.earned.map_or("?".to_owned(), |earned| earned.to_string())) }
                    }
                } } }
                @if let Some(first) = class.first() {
                    tfoot { tr {
                        th scope="row" { (say.average) }
                        td.number { (average(scores.iter().copied())) }
                        td {}
                        @for item in &first.items {
                            td.number { (average(earned(&item.name).into_iter())) }
                        }
                    } }
                }
            } }
            h2 { (say.missed_items) }
            @if items.is_empty() { p { (say.nothing_missed) } } @else { div.wide { table {
                thead { tr { th scope="col" { (say.item) } th.number scope="col" { (say.lost_by) } th.number scope="col" { (say.points_lost) } } }
                tbody { @for item in &items { tr {
                    th scope="row" { (coded(&item.title)) " " code { (item.name) } }
                    td.number { (item.students) " / " (item.of) }
                    td.number { (item.lost) }
                } } }
            } } }
            @if !rules.is_empty() {
                h2 { (say.missed_rules) }
                div.wide { table {
                    thead { tr { th scope="col" { (say.rule) } th scope="col" { (say.source) } th.number scope="col" { (say.lost_by) } } }
                    tbody { @for rule in &rules { tr {
                        th scope="row" { code { (rule.name) } ": " (rule.rule) }
                        td { (rule.source) }
                        td.number { (rule.students) }
                    } } }
                } }
            }
        }
    };
    document(title, lang, &content)
}

/// The link to a student's page. An id may contain spaces and any letter.
fn student_link(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let id: String = id
        .bytes()
        .map(
            |byte| {
                if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            },
        )
        .collect();
    format!("students/{id}/page.html")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stored result can be edited; its picture must not become a script in the instructor's
    /// browser.
    #[test]
    fn only_pictures_are_taken_over() {
        assert!(is_picture("<svg xmlns=\"x\"><text x=\"1\">on = a</text></svg>\n"));
        for hostile in [
            "<img src=x onerror=alert(1)>",
            "<svg onload=alert(1)></svg>",
            "<svg ><script>1</script></svg>",
            "<svg ><g/onclick=alert(1)></g></svg>",
            "<svg ><a href=\"javascript:1\">x</a></svg>",
            "<svg ></svg><p>",
        ] {
            assert!(!is_picture(hostile), "{hostile}");
        }
    }
}

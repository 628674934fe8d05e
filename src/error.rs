//! The user's mistakes, as values: what is wrong, where, and what would be right. Broken invariants
//! of the testbed are not among them; those are `assert!`s.
//!
//! One [`Error`] holds every mistake that was found: someone who has to run a program five times to
//! learn of five typos stops reading after the second.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Every run was valid.
pub const EXIT_VALID: u8 = 0;
/// A check was violated, or a replay differed.
pub const EXIT_INVALID: u8 = 1;
/// The user made a mistake: in the command line, a scenario or a file.
pub const EXIT_USAGE: u8 = 2;
/// No violation, but a check could not decide.
pub const EXIT_UNKNOWN: u8 = 3;
/// An internal error of the testbed: the exit code of a Rust program that panics.
pub const EXIT_TESTBED: u8 = 101;

/// At most this many mistakes are shown; the others are counted.
pub const MISTAKES_SHOWN_MAX: usize = 20;

/// Width of a snippet in columns; longer lines are cut around the place.
const WIDTH: usize = 140;

/// A text in which mistakes have a place: a scenario file, or an override from the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// What is printed before the line number: a path as the user gave it, or `--set`.
    pub path: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// Whether it is part of the command line and not a file.
    pub fn is_override(&self) -> bool {
        self.path.starts_with("--")
    }
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it is.
    pub source: Arc<Source>,
    /// The range of the text, in bytes.
    pub span: Range<usize>,
    /// A label for what is there, in a few words; may be empty.
    pub label: String,
}

impl Place {
    /// Line and column of its start, both from 1; columns count characters.
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = &self.source.text[..floor_boundary(&self.source.text, self.span.start)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// One mistake. It always has a hint: a user who reads that something is wrong wants to know what
/// to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Other relevant places.
    pub also: Vec<Place>,
    /// Facts that explain it.
    pub notes: Vec<String>,
    /// What to do about it: one thing, because with several the reader would have to choose. Never
    /// empty.
    pub hint: String,
}

impl Mistake {
    /// A mistake without a place.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Mistake {
            message: message.into(),
            place: None,
            also: vec![],
            notes: vec![],
            hint: hint.into(),
        }
    }

    /// Add a note.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    fn group(&self) -> Group<'_> {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let mut group = Group::with_title(title);
        if let Some(place) = &self.place {
            group = group.element(snippet(
                place,
                self.also.iter().filter(|also| also.source == place.source),
            ));
            for other in self.also.iter().filter(|also| also.source != place.source) {
                group = group.element(snippet(other, std::iter::empty()));
            }
        }
        let notes = self.notes.iter().map(|note| Level::NOTE.message(note.as_str()));
        group.elements(notes).element(Level::HELP.message(self.hint.as_str()))
    }
}

/// One or more of the user's mistakes. The program shows them and exits with [`EXIT_USAGE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    mistakes: Vec<Mistake>,
}

impl Error {
    /// One mistake without a place.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Error::from(Mistake::new(message, hint))
    }

    /// An operation that the operating system refused: `cannot ACTION PATH: reason`. The hint
    /// starts with a verb, because on a full disk it becomes the second alternative.
    pub fn io(action: &str, path: &std::path::Path, error: &std::io::Error, hint: &str) -> Self {
        let message = format!("cannot {action} `{}`: {}", path.display(), io_reason(error));
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                Error::new(message, format!("make room on the disk, or {hint}"))
            }
            _ => Error::new(message, hint),
        }
    }

    /// All mistakes of a list, in the order of their places. Panics if the list is empty.
    pub fn of(mut mistakes: Vec<Mistake>) -> Self {
        assert!(!mistakes.is_empty(), "an error without a mistake");
        // Mistakes without a place come first, then those in overrides: an override can break a
        // file that was right.
        mistakes.sort_by_key(|mistake| {
            mistake.place.as_ref().map(|place| (!place.source.is_override(), place.span.start))
        });
        mistakes.dedup();
        Error { mistakes }
    }

    /// The mistakes, at least one.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// The text for a person: every mistake with its place. Set `colour` only for terminals.
    pub fn render(&self, colour: bool) -> String {
        let renderer =
            if colour { Renderer::styled() } else { Renderer::plain() }.term_width(WIDTH);
        let shown: Vec<String> = self
            .mistakes
            .iter()
            .take(MISTAKES_SHOWN_MAX)
            .map(|mistake| renderer.render(&[mistake.group()]))
            .collect();
        let mut text = shown.join("\n\n");
        let more = self.mistakes.len().saturating_sub(MISTAKES_SHOWN_MAX);
        if more > 0 {
            text.push_str(&format!(
                "\n\nnote: {more} more mistakes are not shown; fix these first"
            ));
        }
        text
    }
}

impl From<Mistake> for Error {
    fn from(mistake: Mistake) -> Self {
        Error { mistakes: vec![mistake] }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Error {}

/// The operating system's reason without its number, as the end of a sentence.
pub fn io_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The name among `known` that the user most probably meant; `None` if none is similar.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The comparison takes quadratic time, and a page of text is not a misspelt name.
    if written.len() > 100 {
        return None;
    }
    let folded = fold(written);
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let score = if fold(name) == folded {
            1.0
        } else {
            strsim::damerau_levenshtein(&fold(name), &folded) as f64
        };
        let length = name.chars().count().max(written.chars().count()) as f64;
        let score = if fold(name) == folded { 1.0 } else { 1.0 - score / length };
        // A prefix of a name, or a name that starts with it, counts as similar as well.
        let part = written.len() >= 3
            && (fold(name).starts_with(&folded)
                || folded.starts_with(&fold(name)) && name.len() >= 4);
        let score = if part { score.max(0.7) } else { score };
        if score >= 0.55 && best.is_none_or(|(least, _)| score > least) {
            best = Some((score, name));
        }
    }
    best.map(|(_, name)| name)
}

/// `did you mean`, or the known names.
pub(crate) fn name_hint<'a>(
    written: &str,
    what: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(written, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => known_hint(what, known),
    }
}

/// All names if there are few enough to read, otherwise the command that lists them, or the first
/// ones.
pub(crate) fn known_hint<'a>(what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    const FEW: usize = 24;
    const FIRST: usize = 8;
    let names: Vec<&str> = known.into_iter().collect();
    match (names.len(), what) {
        (0, _) => format!("leave it out: no {what} exist here"),
        (1..=FEW, _) => format!("known here: {}", names.join(", ")),
        (_, "systems" | "faults" | "checks" | "plots" | "defects" | "metrics" | "events") => {
            format!("`seedbed list {what}` shows them all")
        }
        (_, "message types") => "`seedbed list messages` shows them all".into(),
        (count, _) => format!("known here ({count} names): {}, …", names[..FIRST].join(", ")),
    }
}

fn fold(name: &str) -> String {
    name.chars().map(|c| if c == '-' || c == ' ' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// A user's text for use in a message: without line breaks and control characters, and cut if it is
/// long.
pub fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = text
        .chars()
        .take(LONGEST)
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

fn snippet<'a>(
    place: &'a Place,
    also: impl Iterator<Item = &'a Place>,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let annotate = |kind: AnnotationKind, place: &'a Place| {
        let label = (!place.label.is_empty()).then_some(place.label.as_str());
        kind.span(visible(&place.source.text, &place.span)).label(label)
    };
    Snippet::source(place.source.text.as_str())
        .path(place.source.path.as_str())
        .annotation(annotate(AnnotationKind::Primary, place))
        .annotations(also.map(|also| annotate(AnnotationKind::Context, also)))
}

/// A span that can be drawn: within the text, on character boundaries, at least one character, and
/// only on its first line, because a caret under twenty lines points at nothing.
fn visible(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor_boundary(text, span.start);
    let line_end = text[start..].find('\n').map_or(text.len(), |newline| start + newline);
    let end = floor_boundary(text, span.end.min(line_end)).max(start);
    if end > start {
        return start..end;
    }
    // An empty span: the character there, or the end of the text.
    let width = text[start..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
    start..start + width
}

fn floor_boundary(text: &str, position: usize) -> usize {
    let mut position = position.min(text.len());
    while !text.is_char_boundary(position) {
        position -= 1;
    }
    position
}

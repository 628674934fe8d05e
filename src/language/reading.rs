//! What all sections of one reading share: the mistakes, the names that can be meant, and what the
//! keys mean.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::Mistake;
pub(crate) use crate::error::{known_hint, name_hint};

use super::input::Input;
use super::tree::At;

/// Mistakes beyond this are counted no more: an enormous file of nonsense must not take memory
/// without a bound.
const MISTAKES_MAX: usize = 1_000;

/// What the reference says of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// The section: `nodes`, `network.link`, `nemesis partition`; empty at the top.
    pub section: String,
    /// The key.
    pub key: String,
    /// What it takes: `duration`, `number`, …
    pub kind: String,
    /// Its value where the file gives none; `None`: none, and the doc says what that means.
    pub default: Option<String>,
    /// The values that are possible, in words; may be empty.
    pub range: String,
    /// What it means.
    pub doc: &'static str,
}

/// Shared by the sections of one reading.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    mistakes: RefCell<Vec<Mistake>>,
    /// Whether the calls describe keys instead of reading them.
    describing: bool,
    keys: RefCell<Vec<KeyInfo>>,
    /// Whether a mistake asks for the keys of all sections, which is a reading of its own.
    quiet_unknown: Cell<bool>,
    /// The nodes of the scenario, for the sections that name some.
    nodes: RefCell<Vec<String>>,
    /// Where the files lie that the scenario names; `None` for a text that lies nowhere.
    folder: Option<PathBuf>,
    /// Those files, as they were read.
    inputs: RefCell<Vec<Input>>,
    /// What the file is, with its article, if it is not a scenario.
    other: Option<&'static str>,
    /// Finds the sections that have a key which stands in the wrong one.
    homes: Option<Homes>,
}

/// Tells for a key and the section in which it stands which other sections have that key, as a hint
/// names them.
struct Homes(Box<FindHomes>);

type FindHomes = dyn Fn(&str, &str) -> Vec<String>;

impl fmt::Debug for Homes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Homes")
    }
}

impl Reading {
    /// A reading in which every call tells the reference of its key.
    pub(crate) fn describing() -> Self {
        Reading { describing: true, ..Reading::default() }
    }

    /// A reading of a text that lies in this folder.
    pub(crate) fn of_folder(folder: Option<&Path>) -> Self {
        Reading { folder: folder.map(Path::to_path_buf), ..Reading::default() }
    }

    /// A reading of a file that is not a scenario: `an assignment`.
    pub(crate) fn of_other(what: &'static str, folder: Option<&Path>) -> Self {
        Reading { other: Some(what), ..Reading::of_folder(folder) }
    }

    /// What the file is, if it is not a scenario: the reference of scenarios then knows none of
    /// its keys.
    pub(crate) fn other(&self) -> Option<&'static str> {
        self.other
    }

    /// Look up keys that stand in the wrong section by this function: it takes the key and the
    /// section's title.
    pub(crate) fn with_homes(self, of: impl Fn(&str, &str) -> Vec<String> + 'static) -> Self {
        Reading { homes: Some(Homes(Box::new(of))), ..self }
    }

    /// The sections other than `own` that have this key, as a hint names them.
    pub(crate) fn homes_of(&self, key: &str, own: &str) -> Vec<String> {
        self.homes.as_ref().map_or_else(Vec::new, |homes| (homes.0)(key, own))
    }

    pub(crate) fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    pub(crate) fn add_inputs(&self, inputs: &[Input]) {
        self.inputs.borrow_mut().extend_from_slice(inputs);
    }

    pub(crate) fn take_inputs(&self) -> Vec<Input> {
        self.inputs.take()
    }

    pub(crate) fn is_describing(&self) -> bool {
        self.describing
    }

    pub(crate) fn note(&self, mistake: Mistake) {
        let mut mistakes = self.mistakes.borrow_mut();
        if !self.describing && mistakes.len() < MISTAKES_MAX {
            mistakes.push(mistake);
        }
    }

    /// Note a mistake at a place.
    pub(crate) fn note_at(
        &self,
        message: impl Into<String>,
        at: &At,
        label: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.note(mistake_at(message, at, label, hint));
    }

    pub(crate) fn describe(&self, key: KeyInfo) {
        if self.describing {
            let mut keys = self.keys.borrow_mut();
            if !keys.iter().any(|known| known.section == key.section && known.key == key.key) {
                keys.push(key);
            }
        }
    }

    /// Whether nothing was wrong so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    /// Whether further mistakes are not kept, so that nobody needs to look for them.
    pub(crate) fn is_full(&self) -> bool {
        self.mistakes.borrow().len() >= MISTAKES_MAX
    }

    pub(crate) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }

    pub(crate) fn into_keys(self) -> Vec<KeyInfo> {
        self.keys.into_inner()
    }

    /// From here on unknown keys are passed over: the name of the system is wrong, and so its
    /// section cannot be told from a mistake.
    pub(crate) fn pass_over_unknown(&self, pass: bool) {
        self.quiet_unknown.set(pass);
    }

    /// The nodes are read before the section of the system, which can so name them.
    pub(crate) fn set_nodes(&self, names: &[String]) {
        *self.nodes.borrow_mut() = names.to_vec();
    }

    pub(crate) fn nodes(&self) -> Vec<String> {
        self.nodes.borrow().clone()
    }

    pub(crate) fn passes_over_unknown(&self) -> bool {
        self.quiet_unknown.get()
    }
}

/// A mistake at a place.
pub(crate) fn mistake_at(
    message: impl Into<String>,
    at: &At,
    label: impl Into<String>,
    hint: impl Into<String>,
) -> Mistake {
    Mistake { place: Some(at.label(label)), ..Mistake::new(message, hint) }
}

/// `a, b and c`.
pub(crate) fn and_list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

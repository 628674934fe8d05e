//! The result of grading one submission: what every output is a pure function of.
//!
//! It is stored as JSON, and read again when a batch resumes. No field depends on the machine, its
//! load, the wall clock or the number of jobs, so two gradings of the same submission are equal
//! byte for byte. Hidden seeds stand in it by their index only: what is written can be shown to a
//! student.

mod points;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use points::Points;

/// The form of a stored result. One of another form is not read, but graded again.
pub const FORMAT: u32 = 1;

/// A language in which students are spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

/// A text in one or two languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// In English, or in the one language that there is.
    pub en: String,
    /// In Spanish.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub es: Option<String>,
}

impl Text {
    /// A text in both languages.
    pub fn new(en: impl Into<String>, es: impl Into<String>) -> Text {
        Text { en: en.into(), es: Some(es.into()) }
    }

    /// A text that is the same in both: a name, what a program printed.
    pub fn plain(text: impl Into<String>) -> Text {
        Text { en: text.into(), es: None }
    }

    /// In a language, or else in English.
    pub fn get(&self, lang: Lang) -> &str {
        match (lang, &self.es) {
            (Lang::Es, Some(es)) => es,
            _ => &self.en,
        }
    }
}

/// All that is known of one graded submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of seedbed that graded it.
    pub seedbed: String,
    /// What was asked for.
    pub assignment: AssignmentInfo,
    /// What was handed in.
    pub submission: SubmissionInfo,
    /// Who handed it in, as far as the name of the submission or a list of students tells.
    pub student: Student,
    /// Whether hidden seeds were run.
    pub hidden: HiddenSeeds,
    /// The measures of the sandbox, and whether this machine has them.
    pub sandbox: Vec<Measure>,
    /// Whether there is anything to grade, and what was wrong with the submission where there is
    /// not.
    pub outcome: Outcome,
    /// The items, in the order of the assignment; all of them, also where nothing was run.
    pub items: Vec<ItemResult>,
    /// The points of the items that are decided.
    pub score: Points,
    /// The points of all items.
    pub max: Points,
    /// The points of the items that could not be graded: they are neither lost nor won, and
    /// somebody has to look.
    pub ungraded: Points,
    /// Why this is not the final result, where it is not: not all seeds or items were asked for.
    /// Empty for a result that counts.
    pub provisional: Vec<Text>,
    /// What an instructor and a student should know: measures that are missing, hidden seeds that
    /// were not run.
    pub notes: Vec<Text>,
    /// Faults of the testbed or of its machine, each in a line. They never cost a point.
    pub infra: Vec<String>,
}

impl Graded {
    /// Whether every item got points or lost them.
    pub fn is_complete(&self) -> bool {
        self.ungraded == Points::ZERO && self.infra.is_empty()
    }

    /// The item of this name.
    pub fn item(&self, name: &str) -> Option<&ItemResult> {
        self.items.iter().find(|item| item.name == name)
    }
}

/// The assignment of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentInfo {
    /// Its name: the file's, without `.toml`.
    pub name: String,
    /// Its title.
    pub title: Text,
    /// Over the assignment's text, its scenarios and the files that they name: 32 hexadecimal
    /// digits.
    pub digest: String,
}

/// The submission of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionInfo {
    /// The name of the folder, or of the archive without its ending. Unique in a batch.
    pub id: String,
    /// What its program is written in; `None` where no program was found.
    pub language: Option<Language>,
    /// Over the names and contents of all its files: 32 hexadecimal digits; empty where they could
    /// not be read.
    pub digest: String,
    /// The command that starts the program, in the submission's folder.
    pub command: Vec<String>,
}

/// A language of submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// `node.py`.
    Python,
    /// A Cargo package.
    Rust,
    /// `node.c` or a makefile.
    C,
    /// Any executable that says itself how it is started.
    Other,
}

impl Language {
    /// All, in the order of their declaration.
    pub const ALL: [Language; 4] = [Language::Python, Language::Rust, Language::C, Language::Other];

    /// The word in an assignment.
    pub fn word(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Rust => "rust",
            Language::C => "c",
            Language::Other => "other",
        }
    }
}

/// Who handed in; every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Student {
    /// As in the class list.
    #[serde(default)]
    pub name: String,
    /// The login name.
    #[serde(default)]
    pub username: String,
    /// The address.
    #[serde(default)]
    pub email: String,
    /// The matriculation number.
    #[serde(default)]
    pub idnumber: String,
}

/// What became of the hidden seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HiddenSeeds {
    /// The assignment has none.
    None,
    /// They were run; this tells two course secrets apart and gives neither away.
    Run {
        /// 16 hexadecimal digits.
        fingerprint: String,
    },
    /// The assignment has some, and there was no course secret.
    NotRun,
}

/// A measure that keeps programs in their place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Its name: `landlock`, `seccomp`, `user`.
    pub name: String,
    /// Whether it was in force.
    pub in_force: bool,
    /// What it does, or what is lost without it.
    pub detail: String,
}

/// Whether a submission could be graded at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// What became of it.
    pub kind: OutcomeKind,
    /// What happened, as a sentence; empty where it was graded.
    pub message: Text,
    /// What to do about it; empty where it was graded.
    pub hint: Text,
    /// What a compiler said, and the like; may have many lines.
    #[serde(default)]
    pub detail: String,
}

impl Outcome {
    /// There is something to grade.
    pub fn graded() -> Outcome {
        Outcome {
            kind: OutcomeKind::Graded,
            message: Text::default(),
            hint: Text::default(),
            detail: String::new(),
        }
    }

    /// There is not.
    pub fn not_graded(kind: OutcomeKind, message: Text, hint: Text) -> Outcome {
        Outcome { kind, message, hint, detail: String::new() }
    }
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Its program was run.
    Graded,
    /// The folder or archive has no program that could be found. No points.
    NoProgram,
    /// The program is in a language that the assignment does not take. No points.
    WrongLanguage,
    /// The program did not compile. No points.
    BuildFailed,
    /// The archive is damaged, too large, or hostile. No points.
    Unreadable,
    /// The program could not be started at all. Nothing is graded: the machine may be the reason.
    NotStarted,
    /// The testbed failed. Nothing is graded.
    InternalError,
}

impl OutcomeKind {
    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            OutcomeKind::Graded => "graded",
            OutcomeKind::NoProgram => "no_program",
            OutcomeKind::WrongLanguage => "wrong_language",
            OutcomeKind::BuildFailed => "build_failed",
            OutcomeKind::Unreadable => "unreadable",
            OutcomeKind::NotStarted => "not_started",
            OutcomeKind::InternalError => "internal_error",
        }
    }

    /// Whether the submission is to blame: it then has no points, and otherwise it has no grade.
    pub fn costs_points(self) -> bool {
        matches!(
            self,
            OutcomeKind::NoProgram
                | OutcomeKind::WrongLanguage
                | OutcomeKind::BuildFailed
                | OutcomeKind::Unreadable
        )
    }
}

/// One item of the assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemResult {
    /// Its name, unique in the assignment.
    pub name: String,
    /// Its title.
    pub title: Text,
    /// What it is worth.
    pub points: Points,
    /// What it got; `None` where it was not graded.
    pub earned: Option<Points>,
    /// Why it has the points that it has.
    pub state: ItemState,
    /// How points come from seeds.
    pub scoring: Scoring,
    /// The item that must have full points first.
    pub gate: Option<String>,
    /// When a student sees it.
    pub visibility: Visibility,
    /// What the instructor wants to be said where points are lost.
    pub feedback: Option<Text>,
    /// The scenario, as the assignment names it.
    pub scenario: String,
    /// The checks that decide.
    pub checks: Vec<String>,
    /// The seeds that were run, public ones first.
    pub seeds: Vec<SeedResult>,
}

impl ItemResult {
    /// Seeds with the verdict `ok`.
    pub fn ok_count(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.verdict == SeedVerdict::Ok).count()
    }

    /// Whether it has all its points.
    pub fn is_full(&self) -> bool {
        self.earned == Some(self.points)
    }

    /// The seeds that cost points, or would have.
    pub fn losses(&self) -> impl Iterator<Item = &SeedResult> {
        self.seeds.iter().filter(|seed| seed.loss.is_some())
    }
}

/// Why an item has the points that it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ItemState {
    /// Its seeds decide.
    Graded,
    /// Its gate has lost points: it has none and was not run.
    GateClosed,
    /// The submission has no program that could be run: it has none.
    NoProgram,
    /// Seeds without a verdict could still decide it either way, or its gate is not graded:
    /// somebody has to look.
    NotGraded {
        /// Why.
        why: Text,
    },
    /// It was not asked for (`--only`), or all its seeds are hidden and there was no secret.
    NotRun {
        /// Why.
        why: Text,
    },
}

/// How an item's points come from its seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// All points if every seed is `ok`, and none otherwise.
    #[default]
    All,
    /// The share of seeds that are `ok`, rounded half up to a hundredth of a point.
    Fraction,
    /// All points if at least so many seeds are `ok`, and none otherwise.
    AtLeast(u32),
}

impl Scoring {
    /// The rule in words, for so many seeds.
    pub fn words(self, seeds: usize) -> Text {
        match self {
            Scoring::All => Text::new(
                format!("all points if all {seeds} runs are right, otherwise none"),
                format!(
                    "todos los puntos si las {seeds} ejecuciones son correctas; si no, ninguno"
                ),
            ),
            Scoring::Fraction => Text::new(
                format!("the share of the {seeds} runs that are right"),
                format!("en proporción a las ejecuciones correctas, de {seeds}"),
            ),
            Scoring::AtLeast(least) => Text::new(
                format!("all points if at least {least} of {seeds} runs are right, otherwise none"),
                format!(
                    "todos los puntos si al menos {least} de {seeds} ejecuciones son correctas; si \
                        no, ninguno"
                ),
            ),
        }
    }
}

/// When a student sees an item, in Gradescope's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// At once.
    #[default]
    Visible,
    /// Never.
    Hidden,
    /// When nothing can be handed in any more.
    AfterDueDate,
    /// When the grades are published.
    AfterPublished,
}

impl Visibility {
    /// All, in the order of their declaration.
    pub const ALL: [Visibility; 4] = [
        Visibility::Visible,
        Visibility::Hidden,
        Visibility::AfterDueDate,
        Visibility::AfterPublished,
    ];

    /// The word in an assignment and in Gradescope's file.
    pub fn word(self) -> &'static str {
        match self {
            Visibility::Visible => "visible",
            Visibility::Hidden => "hidden",
            Visibility::AfterDueDate => "after_due_date",
            Visibility::AfterPublished => "after_published",
        }
    }
}

/// One run of an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedResult {
    /// Which seed.
    pub seed: Seed,
    /// What became of it.
    pub verdict: SeedVerdict,
    /// Why it is not `ok`, in a line; empty where it is.
    pub message: String,
    /// What can be said of a run that is not `ok`, and for which the program is to blame.
    pub loss: Option<Loss>,
}

/// A seed as a student may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seed {
    /// A seed of the assignment.
    Public(u64),
    /// The hidden seed of this index, from 0. Its number is nowhere.
    Hidden(u32),
}

/// `7`, `hidden 3`: hidden seeds are counted from 1 for people.
impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seed::Public(seed) => write!(f, "{seed}"),
            Seed::Hidden(index) => write!(f, "hidden {}", index + 1),
        }
    }
}

/// What became of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedVerdict {
    /// Every check of the item held.
    Ok,
    /// A check was violated.
    Wrong,
    /// The program ended or raised by itself.
    Crash,
    /// What should have happened had not when virtual time ran out.
    NoProgress,
    /// The program worked without an end: it used up the steps of a turn, or twice gave no answer
    /// to the same turn.
    BusyLoop,
    /// The program answered with what is no answer.
    ProtocolError,
    /// The same seed gave two different runs.
    Nondeterministic,
    /// A check could not decide. Costs no point.
    Unknown,
    /// The testbed or its machine failed. Costs no point.
    InfraError,
}

impl SeedVerdict {
    /// All, in the order of their declaration.
    pub const ALL: [SeedVerdict; 9] = [
        SeedVerdict::Ok,
        SeedVerdict::Wrong,
        SeedVerdict::Crash,
        SeedVerdict::NoProgress,
        SeedVerdict::BusyLoop,
        SeedVerdict::ProtocolError,
        SeedVerdict::Nondeterministic,
        SeedVerdict::Unknown,
        SeedVerdict::InfraError,
    ];

    /// The word in tables.
    pub fn word(self) -> &'static str {
        match self {
            SeedVerdict::Ok => "ok",
            SeedVerdict::Wrong => "wrong",
            SeedVerdict::Crash => "crash",
            SeedVerdict::NoProgress => "no_progress",
            SeedVerdict::BusyLoop => "busy_loop",
            SeedVerdict::ProtocolError => "protocol_error",
            SeedVerdict::Nondeterministic => "nondeterministic",
            SeedVerdict::Unknown => "unknown",
            SeedVerdict::InfraError => "infra_error",
        }
    }

    /// Whether it says nothing of the program: such a run neither wins nor loses.
    pub fn is_open(self) -> bool {
        matches!(self, SeedVerdict::Unknown | SeedVerdict::InfraError)
    }
}

/// What is known of a run that is not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The check that was violated; `None` for a crash and the like.
    pub check: Option<String>,
    /// The rule, in a sentence.
    pub rule: Text,
    /// Where the rule is from: `Raft §5.2`.
    pub source: String,
    /// What was found: `n1 and n3 both lead term 4`. Of several findings the first.
    pub finding: String,
    /// Further findings of the item's checks in the same run, at most a few.
    #[serde(default)]
    pub also: Vec<String>,
    /// The first moment at which it is visible, virtual ns.
    pub time_ns: Option<u64>,
    /// The node concerned first.
    pub node: Option<String>,
    /// Messages around that moment, in the order of sending. Empty but for the first run of an item
    /// that is lost in one way.
    #[serde(default)]
    pub messages: Vec<MessageRow>,
    /// What a program printed before it ended, its traceback too.
    #[serde(default)]
    pub printed: String,
    /// The space-time picture of those messages, SVG.
    #[serde(default)]
    pub picture: Option<String>,
    /// What repeats the run at home; `None` for a hidden seed.
    pub command: Option<String>,
}

/// A message of the slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// When it was sent, virtual ns.
    pub time_ns: u64,
    /// When it arrived, virtual ns.
    pub arrived_ns: Option<u64>,
    /// By whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Its type.
    pub kind: String,
    /// What it says, shortened.
    pub detail: String,
    /// What became of it: `delivered`, `lost`, `partitioned`, ….
    pub fate: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points are written as an instructor writes them, without zeros that say nothing.
    #[test]
    fn points_read_as_people_write_them() {
        let shown =
            [0, 5, 25, 50, 100, 250, 1_999].map(|hundredths| Points(hundredths).to_string());
        assert_eq!(shown, ["0", "0.05", "0.25", "0.5", "1", "2.5", "19.99"]);
    }

    /// A text without a translation is better than none.
    #[test]
    fn a_text_falls_back_to_english() {
        assert_eq!(Text::plain("leader").get(Lang::Es), "leader");
        assert_eq!(Text::new("leader", "líder").get(Lang::Es), "líder");
    }
}

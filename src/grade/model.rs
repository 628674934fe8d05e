//! The result of grading one submission. Every output is a pure function of it.
//!
//! It is stored as JSON, and read again when a batch resumes. No field depends on the machine, its
//! load, the wall clock or the number of jobs, so two gradings of the same submission are equal
//! byte for byte. Hidden seeds appear by their index only, so everything written can be shown to a
//! student.

mod points;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use points::Points;

/// The format version of a stored result. A submission whose result has another version is graded
/// again.
pub const FORMAT: u32 = 1;

/// A language of texts for students.
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
    /// In English, or in the only language there is.
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

    /// A text that is the same in both languages: a name, or a program's output.
    pub fn plain(text: impl Into<String>) -> Text {
        Text { en: text.into(), es: None }
    }

    /// In this language, otherwise in English.
    pub fn get(&self, lang: Lang) -> &str {
        match (lang, &self.es) {
            (Lang::Es, Some(es)) => es,
            _ => &self.en,
        }
    }
}

/// Everything known about one graded submission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graded {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of seedbed that graded it.
    pub seedbed: String,
    /// The assignment.
    pub assignment: AssignmentInfo,
    /// The submission.
    pub submission: SubmissionInfo,
    /// Who handed it in, as far as the submission's name or a class list tells.
    pub student: Student,
    /// Whether hidden seeds were run.
    pub hidden: HiddenSeeds,
    /// The measures of the sandbox, and whether this machine has them.
    pub sandbox: Vec<Measure>,
    /// Whether there was anything to grade, and if not, what was wrong with the submission.
    pub outcome: Outcome,
    /// All items in the order of the assignment, even if nothing was run.
    pub items: Vec<ItemResult>,
    /// The points earned in the items that are decided.
    pub score: Points,
    /// The points of all items.
    pub max: Points,
    /// The points of the items that could not be graded: they are neither lost nor won, and an
    /// instructor has to look.
    pub ungraded: Points,
    /// Why this is not the final result: not all seeds or items were requested. Empty for a final
    /// result.
    pub provisional: Vec<Text>,
    /// Notes for instructor and student: missing sandbox measures, hidden seeds that were not run.
    pub notes: Vec<Text>,
    /// Failures of the testbed or its machine, one per line. They never cost points.
    pub infra: Vec<String>,
}

impl Graded {
    /// Whether every item is decided.
    pub fn is_complete(&self) -> bool {
        self.ungraded == Points::ZERO && self.infra.is_empty()
    }

    /// The item with this name.
    pub fn item(&self, name: &str) -> Option<&ItemResult> {
        self.items.iter().find(|item| item.name == name)
    }
}

/// The assignment of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentInfo {
    /// The file's name without `.toml`.
    pub name: String,
    /// Its title.
    pub title: Text,
    /// Digest of the assignment's text, its scenarios and the files they name: 32 hexadecimal
    /// digits.
    pub digest: String,
}

/// The submission of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionInfo {
    /// The name of the folder, or of the archive without its extension. Unique in a batch.
    pub id: String,
    /// The program's language; `None` if no program was found.
    pub language: Option<Language>,
    /// Digest of the names and contents of all its files: 32 hexadecimal digits; empty if they
    /// could not be read.
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
    /// Any executable, started as `seedbed.toml` declares.
    Other,
}

impl Language {
    /// All, in order of declaration.
    pub const ALL: [Language; 4] = [Language::Python, Language::Rust, Language::C, Language::Other];

    /// The word in assignments.
    pub fn word(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::Rust => "rust",
            Language::C => "c",
            Language::Other => "other",
        }
    }
}

/// Who handed it in; every field may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Student {
    /// The full name.
    #[serde(default)]
    pub name: String,
    /// The login name.
    #[serde(default)]
    pub username: String,
    /// The e-mail address.
    #[serde(default)]
    pub email: String,
    /// The student id number.
    #[serde(default)]
    pub idnumber: String,
}

/// What became of the hidden seeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HiddenSeeds {
    /// The assignment has none.
    None,
    /// They were run. The fingerprint distinguishes course secrets without revealing them.
    Run {
        /// 16 hexadecimal digits.
        fingerprint: String,
    },
    /// The assignment has some, but there was no course secret.
    NotRun,
}

/// A measure of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Its name: `landlock`, `seccomp`, `user`.
    pub name: String,
    /// Whether it was in force.
    pub in_force: bool,
    /// What it does, or what its absence means.
    pub detail: String,
}

/// Whether a submission could be graded at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The kind of outcome.
    pub kind: OutcomeKind,
    /// What happened, as a sentence; empty if it was graded.
    pub message: Text,
    /// What to do about it; empty if it was graded.
    pub hint: Text,
    /// The compiler's output or the like; may have many lines.
    #[serde(default)]
    pub detail: String,
}

impl Outcome {
    /// The submission was graded.
    pub fn graded() -> Outcome {
        Outcome {
            kind: OutcomeKind::Graded,
            message: Text::default(),
            hint: Text::default(),
            detail: String::new(),
        }
    }

    /// The submission was not graded.
    pub fn not_graded(kind: OutcomeKind, message: Text, hint: Text) -> Outcome {
        Outcome { kind, message, hint, detail: String::new() }
    }
}

/// The kinds of outcome of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// Its program was run.
    Graded,
    /// No program was found in the folder or archive. No points.
    NoProgram,
    /// The program is in a language that the assignment does not accept. No points.
    WrongLanguage,
    /// The program did not compile. No points.
    BuildFailed,
    /// The archive is damaged, too large, or hostile. No points.
    Unreadable,
    /// The program could not be started at all. Nothing is graded, because the machine may be the
    /// cause.
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

    /// Whether the submission is to blame: then it gets no points, otherwise it gets no grade.
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
    /// What it earned; `None` if it was not graded.
    pub earned: Option<Points>,
    /// How its points came about.
    pub state: ItemState,
    /// How seeds become points.
    pub scoring: Scoring,
    /// The item that must have full points before this one counts.
    pub gate: Option<String>,
    /// Whether and when a student sees it.
    pub visibility: Visibility,
    /// The instructor's feedback for lost points.
    pub feedback: Option<Text>,
    /// The scenario, as the assignment names it.
    pub scenario: String,
    /// The deciding checks.
    pub checks: Vec<String>,
    /// The seeds that were run, public ones first.
    pub seeds: Vec<SeedResult>,
}

impl ItemResult {
    /// The number of seeds with the verdict `ok`.
    pub fn ok_count(&self) -> usize {
        self.seeds.iter().filter(|seed| seed.verdict == SeedVerdict::Ok).count()
    }

    /// Whether it earned full points.
    pub fn is_full(&self) -> bool {
        self.earned == Some(self.points)
    }

    /// The seeds that cost points, or would if the scoring did not forgive them.
    pub fn losses(&self) -> impl Iterator<Item = &SeedResult> {
        self.seeds.iter().filter(|seed| seed.loss.is_some())
    }
}

/// How an item's points came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ItemState {
    /// Its seeds decide.
    Graded,
    /// Its gate lost points, so it gets none and was not run.
    GateClosed,
    /// The submission has no program that could be run, so it gets none.
    NoProgram,
    /// Seeds without a verdict could still decide it either way, or its gate is not graded: an
    /// instructor has to look.
    NotGraded {
        /// Why.
        why: Text,
    },
    /// It was not requested (`--only`), or all its seeds are hidden and there was no secret.
    NotRun {
        /// Why.
        why: Text,
    },
}

/// How an item's seeds become points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scoring {
    /// All points if every seed is `ok`, and none otherwise.
    #[default]
    All,
    /// Points in proportion to the seeds that are `ok`, rounded half up to a hundredth of a point.
    Fraction,
    /// All points if at least this many seeds are `ok`, and none otherwise.
    AtLeast(u32),
}

impl Scoring {
    /// The rule in words, for this number of seeds.
    pub fn words(self, seeds: usize) -> Text {
        match self {
            Scoring::All => Text::new(
                format!("all points if all {seeds} runs are right, otherwise none"),
                format!(
                    "todos los puntos si las {seeds} ejecuciones son correctas; si no, ninguno"
                ),
            ),
            Scoring::Fraction => Text::new(
                format!("in proportion to the right runs, out of {seeds}"),
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

/// Whether and when a student sees an item, in Gradescope's terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Immediately.
    #[default]
    Visible,
    /// Never.
    Hidden,
    /// After the due date.
    AfterDueDate,
    /// After the grades are published.
    AfterPublished,
}

impl Visibility {
    /// All, in order of declaration.
    pub const ALL: [Visibility; 4] = [
        Visibility::Visible,
        Visibility::Hidden,
        Visibility::AfterDueDate,
        Visibility::AfterPublished,
    ];

    /// The word in assignments and in Gradescope's file.
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
    /// Its verdict.
    pub verdict: SeedVerdict,
    /// Why it is not `ok`, in one line; empty if it is.
    pub message: String,
    /// The explanation of a run that is not `ok` and for which the program is to blame.
    pub loss: Option<Loss>,
}

/// A seed as a student may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seed {
    /// A seed of the assignment.
    Public(u64),
    /// The hidden seed with this index, from 0. Its number is recorded nowhere.
    Hidden(u32),
}

/// `7`, `hidden 3`: shown to people, hidden seeds are counted from 1.
impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seed::Public(seed) => write!(f, "{seed}"),
            Seed::Hidden(index) => write!(f, "hidden {}", index + 1),
        }
    }
}

/// The verdict on one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeedVerdict {
    /// Every check of the item held.
    Ok,
    /// A check was violated.
    Wrong,
    /// The program exited or raised an exception.
    Crash,
    /// Something that should have happened had not happened when virtual time ran out.
    NoProgress,
    /// The program looped forever: it used up the steps of a turn, or twice gave no answer to the
    /// same turn.
    BusyLoop,
    /// The program sent an invalid answer.
    ProtocolError,
    /// The same seed gave two different runs.
    Nondeterministic,
    /// A check could not decide. Costs no points.
    Unknown,
    /// The testbed or its machine failed. Costs no points.
    InfraError,
}

impl SeedVerdict {
    /// All, in order of declaration.
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

    /// Whether it says nothing about the program: such a run neither wins nor loses points.
    pub fn is_open(self) -> bool {
        matches!(self, SeedVerdict::Unknown | SeedVerdict::InfraError)
    }
}

/// The explanation of a run that is not right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// The check that was violated; `None` for a crash and the like.
    pub check: Option<String>,
    /// The rule, in a sentence.
    pub rule: Text,
    /// The source of the rule: `Raft §5.2`.
    pub source: String,
    /// The first finding: `n1 and n3 both lead term 4`.
    pub finding: String,
    /// A few further findings of the item's checks in the same run.
    #[serde(default)]
    pub also: Vec<String>,
    /// The first moment at which it is visible, virtual ns.
    pub time_ns: Option<u64>,
    /// The first node concerned.
    pub node: Option<String>,
    /// Messages around that moment, in the order of sending. Only the first run of an item that is
    /// lost in a given way has them.
    #[serde(default)]
    pub messages: Vec<MessageRow>,
    /// What the program printed before it exited, including its traceback.
    #[serde(default)]
    pub printed: String,
    /// The space-time picture of those messages, SVG.
    #[serde(default)]
    pub picture: Option<String>,
    /// The command that repeats the run at home; `None` for a hidden seed.
    pub command: Option<String>,
}

/// A message around the moment of a loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// When it was sent, virtual ns.
    pub time_ns: u64,
    /// When it arrived, virtual ns.
    pub arrived_ns: Option<u64>,
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// Its type.
    pub kind: String,
    /// Its content, shortened.
    pub detail: String,
    /// Its outcome: `delivered`, `lost`, `partitioned`, ….
    pub fate: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points are written as an instructor writes them, without redundant zeros.
    #[test]
    fn points_read_as_people_write_them() {
        let shown =
            [0, 5, 25, 50, 100, 250, 1_999].map(|hundredths| Points(hundredths).to_string());
        assert_eq!(shown, ["0", "0.05", "0.25", "0.5", "1", "2.5", "19.99"]);
    }

    /// An untranslated text is better than none.
    #[test]
    fn a_text_falls_back_to_english() {
        assert_eq!(Text::plain("leader").get(Lang::Es), "leader");
        assert_eq!(Text::new("leader", "líder").get(Lang::Es), "líder");
    }
}

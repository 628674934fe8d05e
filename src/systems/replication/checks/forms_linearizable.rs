//! Linearizability of the forms: the answers are those of one store that serves one request after
//! the other, each between question and answer.
//!
//! Forms are judged one by one (Herlihy and Wing's locality). A list of all forms is a look at each
//! of them, and the ids of a gender tell of each form whether it is there with that gender.

use std::collections::{BTreeMap, BTreeSet};

use crate::checkers::findings::{Findings, seconds};
use crate::checkers::search::{
    self, Answer, Limits, Sequential, first_illegal_end, linearizable, undecided,
};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::history::{self, Outcome};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "forms_linearizable",
    summary: "The answers about each form are those of a single store, within the times that \
        clients saw.",
    source: "Herlihy and Wing 1990; Lowe 2017",
    params: Limits::PARAMS,
    liveness: false,
    check,
};

/// No form.
const ABSENT: u64 = 0;

/// What an operation does to a form or shows of it. A form is its serial number and its gender, as
/// one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// There was none, and now there is this one.
    Insert(u64),
    /// There was one, and now it is this one.
    Update(u64),
    /// There was one, and now there is none.
    Delete,
    /// As these, if what they want was there; nobody knows.
    MaybeInsert(u64),
    MaybeUpdate(u64),
    MaybeDelete,
    /// It is this one, or absent.
    Is(u64),
    /// Whether there is one.
    Exists(bool),
    /// Whether there is one with this gender.
    HasGender(u64, bool),
}

type Timed = search::Timed<Effect>;

struct OneForm;

impl Sequential for OneForm {
    type State = u64;
    type Effect = Effect;

    fn initial(&self) -> u64 {
        ABSENT
    }

    fn step(&self, state: &u64, effect: &Effect) -> Option<u64> {
        let here = *state != ABSENT;
        let (is_possible, after) = match *effect {
            Effect::Insert(form) => (!here, form),
            Effect::Update(form) => (here, form),
            Effect::Delete => (here, ABSENT),
            Effect::MaybeInsert(form) => (true, if here { *state } else { form }),
            Effect::MaybeUpdate(form) => (true, if here { form } else { ABSENT }),
            Effect::MaybeDelete => (true, ABSENT),
            Effect::Is(form) => (*state == form, *state),
            Effect::Exists(exists) => (here == exists, *state),
            Effect::HasGender(gender, has) => {
                ((here && gender_of(*state) == gender) == has, *state)
            }
        };
        is_possible.then_some(after)
    }

    fn is_free(&self, state: &u64, effect: &Effect) -> bool {
        matches!(effect, Effect::Is(_) | Effect::Exists(_) | Effect::HasGender(..))
            && self.step(state, effect).is_some()
    }
}

fn gender_of(form: u64) -> u64 {
    form & 3
}

fn gender(word: &str) -> Option<u64> {
    match word {
        "F" => Some(1),
        "M" => Some(2),
        "X" => Some(3),
        _ => None,
    }
}

/// `17F` as a number; `nil` as no form.
fn form(text: &str) -> Option<u64> {
    if text == "nil" {
        return Some(ABSENT);
    }
    let (folio, word) = text.split_at_checked(text.len().checked_sub(1)?)?;
    folio
        .parse::<u64>()
        .ok()
        .filter(|folio| *folio < 1 << 60)
        .zip(gender(word))
        .map(|(folio, gender)| folio << 2 | gender)
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let limits = Limits::of(params);
    let keys = by_key(&case.history().operations);
    if keys.is_empty() {
        return Verdict::Unknown("the history holds no operation on a form".to_owned());
    }
    let mut findings = Findings::new(CHECKER.name);
    let mut unknown = None;
    for (key, operations) in &keys {
        unknown = unknown.or(judge_form(case, &mut findings, key, operations, limits));
    }
    match (findings.verdict(), unknown) {
        (Verdict::Valid, Some(why)) => Verdict::Unknown(why),
        (verdict, _) => verdict,
    }
}

/// Report what is wrong with a form; or why nobody knows.
fn judge_form(
    case: &Case<'_>,
    findings: &mut Findings,
    key: &str,
    operations: &[OfKey<'_, '_>],
    limits: Limits,
) -> Option<String> {
    let mut timed: Vec<Timed> = operations.iter().map(|(_, timed)| *timed).collect();
    close_seen(&mut timed);
    let until = |cut: u64| linearizable(&OneForm, &beginning(&timed, cut), limits);
    let answer = until(u64::MAX);
    if let Answer::Illegal { at } = answer {
        let ends = timed.iter().filter_map(|each| each.completed).collect();
        let end = first_illegal_end(ends, at, until);
        let culprit = operations.iter().zip(&timed).find(|(_, timed)| timed.completed == end);
        if let Some(((operation, _), _)) = culprit {
            report(case, findings, key, operation);
        }
    }
    let completions = operations.iter().filter_map(|(operation, timed)| {
        Some((timed.completed?, operation.completed_us().unwrap_or(0)))
    });
    undecided(&format!("form {key}"), limits, answer, completions)
}

type OfKey<'a, 'b> = (&'b history::Operation<'a>, Timed);

/// The operations on each form, those on many forms as one for each.
fn by_key<'a, 'b>(
    operations: &'b [history::Operation<'a>],
) -> BTreeMap<&'b str, Vec<OfKey<'a, 'b>>> {
    let key_of = |text: &'b str| text.split_once('=').map_or(text, |(key, _)| key);
    let single = |f: &str| matches!(f, "insert" | "update" | "delete" | "get" | "exists");
    let keys: BTreeSet<&str> =
        operations.iter().filter(|each| single(each.f)).map(|each| key_of(each.argument)).collect();
    let mut by_key: BTreeMap<&str, Vec<OfKey<'a, 'b>>> = BTreeMap::new();
    for operation in operations {
        let completion = operation.completion.filter(|_| operation.outcome != Outcome::Open);
        let completed = completion.map(|op| op.index.max(operation.invoked));
        let value = completion.map_or(operation.argument, |op| &*op.value);
        let mut put = |key: &'b str, effect: Option<Effect>| {
            if let Some(effect) = effect {
                by_key
                    .entry(key)
                    .or_default()
                    .push((operation, Timed { effect, invoked: operation.invoked, completed }));
            }
        };
        if single(operation.f) {
            put(key_of(operation.argument), effect(operation, value));
        } else if operation.outcome == Outcome::Ok
            && let Some(list) = List::read(operation.f, value)
        {
            for key in &keys {
                put(key, list.look(key));
            }
        }
    }
    by_key
}

/// What an operation on one form does; `None` where it says nothing.
fn effect(operation: &history::Operation<'_>, value: &str) -> Option<Effect> {
    let right = value.split_once('=').map(|(_, right)| right);
    let refused = operation.completion.map_or("", |op| &*op.error);
    Some(match (operation.f, operation.outcome) {
        ("insert", Outcome::Ok) => Effect::Insert(form(right?)?),
        ("insert", Outcome::Open) => Effect::MaybeInsert(form(right?)?),
        ("insert", Outcome::Fail) if refused == "duplicate" => Effect::Exists(true),
        ("update", Outcome::Ok) => Effect::Update(form(right?)?),
        ("update", Outcome::Open) => Effect::MaybeUpdate(form(right?)?),
        ("delete", Outcome::Ok) => Effect::Delete,
        ("delete", Outcome::Open) => Effect::MaybeDelete,
        ("update" | "delete", Outcome::Fail) if refused == "missing" => Effect::Exists(false),
        ("get", Outcome::Ok) => Effect::Is(form(right?)?),
        ("exists", Outcome::Ok) => Effect::Exists(right? == "true"),
        _ => return None,
    })
}

/// What an answer shows of many forms, read once and not for each form.
enum List<'b> {
    /// Each form by its key.
    All(BTreeMap<&'b str, &'b str>),
    /// The keys of those with this gender.
    OfGender(u64, BTreeSet<&'b str>),
}

impl<'b> List<'b> {
    fn read(f: &str, value: &'b str) -> Option<List<'b>> {
        let (left, right) = value.split_once('=')?;
        let listed = right.split(',').filter(|each| !each.is_empty());
        match f {
            "get_all" => {
                let mut forms = BTreeMap::new();
                for (key, text) in listed.filter_map(|each| each.split_once(':')) {
                    forms.entry(key).or_insert(text);
                }
                Some(List::All(forms))
            }
            "get_by_gender" => Some(List::OfGender(gender(left)?, listed.collect())),
            _ => None,
        }
    }

    /// What it says of one form.
    fn look(&self, key: &str) -> Option<Effect> {
        Some(match self {
            List::All(forms) => Effect::Is(forms.get(key).map_or(Some(ABSENT), |text| form(text))?),
            List::OfGender(gender, keys) => Effect::HasGender(*gender, keys.contains(key)),
        })
    }
}

/// A write without an answer whose form was seen has taken effect by then; that keeps the search
/// short.
fn close_seen(operations: &mut [Timed]) {
    let mut seen: BTreeMap<u64, u64> = BTreeMap::new();
    for each in operations.iter() {
        if let (Effect::Is(form), Some(completed)) = (each.effect, each.completed) {
            let first = seen.entry(form).or_insert(completed);
            *first = (*first).min(completed);
        }
    }
    for each in operations.iter_mut().filter(|each| each.completed.is_none()) {
        let (form, sure) = match each.effect {
            Effect::MaybeInsert(form) => (form, Effect::Insert(form)),
            Effect::MaybeUpdate(form) => (form, Effect::Update(form)),
            _ => continue,
        };
        if let Some(completed) = seen.get(&form).filter(|completed| **completed >= each.invoked) {
            (each.completed, each.effect) = (Some(*completed), sure);
        }
    }
}

/// The history up to a moment: what was not completed by then is open, and what was not asked by
/// then is not there.
fn beginning(operations: &[Timed], cut: u64) -> Vec<Timed> {
    let asked = operations.iter().filter(|each| each.invoked <= cut);
    let seen = asked.filter_map(|each| {
        if each.completed.is_none_or(|completed| completed <= cut) {
            return Some(*each);
        }
        let effect = match each.effect {
            Effect::Insert(form) => Effect::MaybeInsert(form),
            Effect::Update(form) => Effect::MaybeUpdate(form),
            Effect::Delete => Effect::MaybeDelete,
            Effect::Is(_) | Effect::Exists(_) | Effect::HasGender(..) => return None,
            maybe => maybe,
        };
        Some(Timed { effect, completed: None, ..*each })
    });
    seen.collect()
}

fn report(case: &Case<'_>, findings: &mut Findings, key: &str, operation: &history::Operation<'_>) {
    let time_us = operation.completed_us().unwrap_or(operation.invoked_us);
    let nodes: Vec<_> = case.trace.node(operation.process).into_iter().collect();
    findings.report(time_us, &nodes, || {
        let (process, f) = (operation.process, operation.f);
        let value = operation.completion.map_or(operation.argument, |op| &*op.value);
        let value: String = value.chars().take(120).collect();
        let error = operation.completion.map_or("", |op| &*op.error);
        let refused = if error.is_empty() { String::new() } else { format!(" ({error})") };
        let from = seconds(operation.invoked_us);
        format!(
            "{key} is not linearizable: no order explains {process} {f} {value}{refused} from \
            {from} to {}",
            seconds(time_us)
        )
    });
}

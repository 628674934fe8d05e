//! All runs of an assignment for one entrant (a submission, or the built-in nodes).
//!
//! Items are run in waves: those without a gate first, then those whose gates are decided. In a
//! wave every pair of scenario and seed is run once, on several threads, and judged for each item
//! that uses it. Runs keep no messages; a few of those that lose points are repeated with
//! everything that explains the loss.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::assignment::{Assignment, Item};
use super::entrant::{Entrant, Warm};
use super::explain::{Wanted, explain, repeat_command};
use super::model::{
    HiddenSeeds, ItemResult, ItemState, Loss, Measure, Points, Seed, SeedResult, SeedVerdict, Text,
};
use super::pool::run_all;
use super::score::points;
use super::seeds::Secret;
use super::verdict::{Facts, GivenUp, Judged, judge, nondeterministic, open};
use crate::program::WATCHDOG;
use crate::program::sandbox::Confined;
use crate::sim::RunOptions;
use crate::trace::Digest;

/// If this many first runs of an item all hang, the rest are assumed to hang too: each would cost
/// minutes of waiting.
const HANGS_BELIEVED: usize = 3;

/// At most this many lost runs of an item are explained with messages and a picture, each lost in a
/// different way.
const EXPLAINED_MAX: usize = 3;

/// What to run, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The number of parallel runs.
    pub jobs: usize,
    /// The names of the items to run; empty means all.
    pub only: Vec<String>,
    /// Run only this many public seeds of each item, and no hidden ones.
    pub first_seeds: Option<usize>,
    /// Run every seed twice, instead of only the first seed of each item.
    pub check_determinism: bool,
    /// Repeat a few lost seeds with everything that explains the loss.
    pub explain: bool,
    /// The course secret.
    pub secret: Option<Secret>,
    /// The sandbox of programs; `None` for none.
    pub confined: Option<Confined>,
    /// Its measures, and which of them this machine has.
    pub measures: Vec<Measure>,
    /// How long a program may take for one turn; [`WATCHDOG`] for grades that count.
    pub watchdog: Duration,
}

/// All of an assignment, one run at a time, without a secret and without a sandbox.
impl Default for Plan {
    fn default() -> Self {
        Plan {
            jobs: 1,
            only: vec![],
            first_seeds: None,
            check_determinism: false,
            explain: true,
            secret: None,
            confined: None,
            measures: vec![],
            watchdog: WATCHDOG,
        }
    }
}

impl Plan {
    /// The state of the hidden seeds, for the result.
    pub fn hidden(&self, assignment: &Assignment) -> HiddenSeeds {
        match &self.secret {
            _ if !assignment.has_hidden_seeds() => HiddenSeeds::None,
            Some(secret) if self.first_seeds.is_none() => {
                HiddenSeeds::Run { fingerprint: secret.fingerprint() }
            }
            _ => HiddenSeeds::NotRun,
        }
    }

    /// Why the result is not final; empty if it is.
    pub fn provisional(&self, assignment: &Assignment) -> Vec<Text> {
        let mut reasons = vec![];
        if !self.only.is_empty() {
            let names = self.only.join(", ");
            reasons.push(Text::new(
                format!("only these items were run: {names}"),
                format!("solo se ejecutaron estos apartados: {names}"),
            ));
        }
        if let Some(count) = self.first_seeds {
            let (en, es) = (
                "only the first public seeds of each item were run, at most",
                "solo se ejecutaron las primeras semillas públicas, como mucho",
            );
            reasons.push(Text::new(format!("{en} {count}"), format!("{es} {count}")));
        } else if self.hidden(assignment) == HiddenSeeds::NotRun {
            reasons.push(Text::new(
                "the hidden seeds were not run: there was no course secret",
                "no se ejecutaron las semillas ocultas: no se dio el secreto del curso",
            ));
        }
        reasons
    }

    /// The seeds of an item, public ones first.
    fn seeds(&self, assignment: &Assignment, item: &Item, student: &str) -> Vec<(Seed, u64)> {
        let count = self.first_seeds.unwrap_or(usize::MAX);
        let mut seeds: Vec<(Seed, u64)> =
            item.seeds.iter().take(count).map(|seed| (Seed::Public(*seed), *seed)).collect();
        if let Some(secret) = self.secret.as_ref().filter(|_| self.first_seeds.is_none()) {
            let student = assignment.per_student.then_some(student);
            seeds.extend(
                (0..item.hidden_seeds).map(|k| {
                    (Seed::Hidden(k), secret.seed(&assignment.name, &item.name, student, k))
                }),
            );
        }
        seeds
    }

    /// The maximum number of runs, for a progress bar.
    pub fn runs(&self, assignment: &Assignment) -> usize {
        let wanted = assignment.items.iter().filter(|item| self.wants(item));
        let all = wanted.flat_map(|item| {
            self.seeds(assignment, item, "").into_iter().map(move |(_, seed)| (item.scenario, seed))
        });
        all.collect::<BTreeSet<_>>().len()
    }

    fn wants(&self, item: &Item) -> bool {
        self.only.is_empty() || self.only.contains(&item.name)
    }
}

/// The results of the runs.
#[derive(Debug, Default)]
pub struct Results {
    /// The items, in the order of the assignment.
    pub items: Vec<ItemResult>,
    /// Failures of the testbed or the machine, one per line.
    pub infra: Vec<String>,
    /// Why the program could not be started, if that happened.
    pub not_started: Option<String>,
}

/// A scenario of the assignment and a seed.
type Task = (usize, u64);

/// What is known about a task.
enum Known {
    Ran {
        facts: Facts,
        /// A second run stalled in the same place.
        stalled_again: bool,
        /// A second run had another digest.
        differs: bool,
    },
    /// The testbed failed.
    Failed(String),
}

impl Known {
    fn judge(&self, checks: &[String]) -> Judged {
        match self {
            Known::Failed(why) => {
                open(SeedVerdict::InfraError, &format!("the testbed failed: {why}"))
            }
            Known::Ran { differs: true, .. } => nondeterministic(),
            Known::Ran { facts, stalled_again, .. } => judge(facts, checks, *stalled_again),
        }
    }

    fn hangs(&self) -> bool {
        matches!(self, Known::Ran { stalled_again: true, .. })
    }
}

/// Run an assignment. `progress` is called for every run that is done or skipped.
pub fn run_assignment(
    assignment: &Assignment,
    entrant: &Entrant,
    student: &str,
    plan: &Plan,
    progress: &(dyn Fn(usize) + Sync),
) -> Results {
    let grade = |zygotes: bool| {
        let mut grading = Grading {
            assignment,
            entrant,
            plan,
            progress,
            zygotes,
            misled: AtomicBool::new(false),
            seeds: assignment
                .items
                .iter()
                .map(|item| plan.seeds(assignment, item, student))
                .collect(),
            known: BTreeMap::new(),
            states: vec![None; assignment.items.len()],
            results: BTreeMap::new(),
        };
        grading.pass_over();
        while !grading.is_misled() {
            let ready = grading.ready();
            if ready.is_empty() {
                return Some(grading.finish());
            }
            grading.wave(&ready);
        }
        None
    };
    // An effect of the zygote must not cost points: everything is run again without one.
    grade(true).or_else(|| grade(false)).unwrap_or_default()
}

struct Grading<'a> {
    assignment: &'a Assignment,
    entrant: &'a Entrant,
    plan: &'a Plan,
    progress: &'a (dyn Fn(usize) + Sync),
    /// Whether processes may come from zygotes.
    zygotes: bool,
    /// Some run differed with and without a zygote.
    misled: AtomicBool,
    /// The seeds of each item.
    seeds: Vec<Vec<(Seed, u64)>>,
    known: BTreeMap<Task, Known>,
    /// The results of each item, once known.
    states: Vec<Option<(ItemState, Option<Points>)>>,
    results: BTreeMap<usize, Vec<SeedResult>>,
}

impl Grading<'_> {
    /// Settle items that were not requested, or that have no seeds without a secret.
    fn pass_over(&mut self) {
        for (position, item) in self.assignment.items.iter().enumerate() {
            let why = if !self.plan.wants(item) {
                Text::new("it was not requested", "no se solicitó")
            } else if self.seeds[position].is_empty() {
                Text::new(
                    "all its seeds are hidden, and there was no course secret",
                    "todas sus semillas son ocultas y no se dio el secreto del curso",
                )
            } else {
                continue;
            };
            self.states[position] = Some((ItemState::NotRun { why }, None));
        }
    }

    /// The items that can be run now. Items that their gate decides are settled without a run.
    fn ready(&mut self) -> Vec<usize> {
        let mut ready = vec![];
        // A gate may come before or after its item in the list: as many rounds as there are items
        // settle every chain.
        for _ in 0..self.assignment.items.len() {
            ready.clear();
            let mut settled = false;
            for (position, item) in self.assignment.items.iter().enumerate() {
                if self.states[position].is_some() {
                    continue;
                }
                let gate = item.gate.map(|gate| (gate, &self.states[gate]));
                let state = match gate {
                    None => None,
                    Some((_, None)) => continue,
                    // A gate that was not requested blocks nothing.
                    Some((_, Some((ItemState::NotRun { .. }, _)))) => None,
                    Some((gate, Some((_, Some(earned)))))
                        if *earned == self.assignment.items[gate].points =>
                    {
                        None
                    }
                    Some((_, Some((_, Some(_))))) => {
                        Some((ItemState::GateClosed, Some(Points::ZERO)))
                    }
                    Some((gate, Some((_, None)))) => {
                        let name = &self.assignment.items[gate].name;
                        let why = Text::new(
                            format!("its gate `{name}` is not graded"),
                            format!("su condición previa `{name}` no está evaluada"),
                        );
                        Some((ItemState::NotGraded { why }, None))
                    }
                };
                match state {
                    None => ready.push(position),
                    Some(state) => {
                        self.states[position] = Some(state);
                        settled = true;
                    }
                }
            }
            if !settled {
                break;
            }
        }
        ready
    }

    /// Run and judge some items.
    fn wave(&mut self, items: &[usize]) {
        let tasks = |grading: &Self, item: usize, from: usize, to: usize| -> Vec<Task> {
            let scenario = grading.assignment.items[item].scenario;
            grading.seeds[item]
                .iter()
                .take(to)
                .skip(from)
                .map(|(_, seed)| (scenario, *seed))
                .collect()
        };
        let first: Vec<Task> =
            items.iter().flat_map(|item| tasks(self, *item, 0, HANGS_BELIEVED)).collect();
        let twice: BTreeSet<Task> =
            items.iter().flat_map(|item| tasks(self, *item, 0, 1)).collect();
        self.observe(first, &twice);
        if self.is_misled() {
            return;
        }
        let hang = |grading: &Self, item: usize| {
            let first = tasks(grading, item, 0, HANGS_BELIEVED);
            first.len() == HANGS_BELIEVED
                && first.iter().all(|task| grading.known.get(task).is_some_and(Known::hangs))
        };
        let hanging: BTreeSet<usize> =
            items.iter().copied().filter(|item| hang(self, *item)).collect();
        let go_on = items.iter().filter(|item| !hanging.contains(item));
        let rest: Vec<Task> =
            go_on.flat_map(|item| tasks(self, *item, HANGS_BELIEVED, usize::MAX)).collect();
        self.observe(rest, &BTreeSet::new());
        self.compare_and_explain(items, &hanging);
    }

    /// Run the tasks that have not been run yet.
    fn observe(&mut self, mut tasks: Vec<Task>, twice: &BTreeSet<Task>) {
        let mut seen = BTreeSet::new();
        tasks.retain(|task| !self.known.contains_key(task) && seen.insert(*task));
        let done = run_all(self.plan.jobs, &tasks, &|| None, &|warm, task| {
            let warm =
                warm.get_or_insert_with(|| if self.zygotes { self.entrant.zygote() } else { None });
            let known = self.run_task(
                *task,
                self.plan.check_determinism || twice.contains(task),
                warm.as_ref(),
            );
            (self.progress)(1);
            known
        });
        for (task, known) in tasks.into_iter().zip(done) {
            self.known.insert(task, known.unwrap_or_else(Known::Failed));
        }
    }

    fn facts(&self, (scenario, seed): Task, warm: Option<&Warm>) -> Facts {
        let options = RunOptions { seed, fold_messages: true, ..RunOptions::default() };
        let run = self.entrant.run(self.assignment, scenario, &options, warm);
        Facts::of(&run, &self.assignment.scenarios[scenario].nodes)
    }

    fn is_misled(&self) -> bool {
        self.misled.load(Ordering::Relaxed)
    }

    /// Whether the run without a zygote, which differed from the one with it, is reproducible. If
    /// so, the zygote caused the difference.
    fn is_zygotes_doing(&self, task: Task, without: Digest) -> bool {
        let is = self.zygotes && self.facts(task, None).digest == without;
        self.misled.fetch_or(is, Ordering::Relaxed);
        is
    }

    /// Run a task; a second run, if any, starts its processes without a zygote.
    fn run_task(&self, task: Task, twice: bool, warm: Option<&Warm>) -> Known {
        let facts = self.facts(task, warm);
        if let Some(place) = facts.stall() {
            // Real time decides nothing: only if it stalls in the same turn again is the program to
            // blame and not the machine.
            let again = self.facts(task, None);
            let stalled_again = again.stall() == Some(place);
            return Known::Ran { facts: again, stalled_again, differs: false };
        }
        let other = twice.then(|| self.facts(task, None)).filter(|other| other.stall().is_none());
        let differs = other.is_some_and(|other| {
            other.digest != facts.digest && !self.is_zygotes_doing(task, other.digest)
        });
        Known::Ran { facts, stalled_again: false, differs }
    }

    /// Judge items, explain some of their losses, and compute their points.
    fn compare_and_explain(&mut self, items: &[usize], hanging: &BTreeSet<usize>) {
        let mut wanted: BTreeMap<Task, Vec<Wanted>> = BTreeMap::new();
        for item in items.iter().filter(|_| self.plan.explain) {
            for want in self.worth_explaining(*item, hanging.contains(item)) {
                wanted.entry(want.0).or_default().push(want.1);
            }
        }
        let tasks: Vec<(Task, Vec<Wanted>)> = wanted.into_iter().collect();
        let explained =
            run_all(self.plan.jobs, &tasks, &|| (), &|(), ((scenario, seed), wanted)| {
                let options = RunOptions { seed: *seed, log: true, ..RunOptions::default() };
                let mut run = self.entrant.run(self.assignment, *scenario, &options, None);
                (run.digest, run.aborted.is_some(), explain(&mut run, wanted))
            });
        let mut details: BTreeMap<(usize, Task), Loss> = BTreeMap::new();
        for ((task, _), result) in tasks.iter().zip(explained) {
            // If this fails, the loss goes without its picture.
            let Ok((digest, aborted, losses)) = result else { continue };
            let known = self.known.get(task);
            let is_another = !aborted
                && matches!(known, Some(Known::Ran { facts, .. }) if facts.digest != digest);
            if is_another {
                let by_program = !self.is_zygotes_doing(*task, digest);
                if let Some(Known::Ran { differs, .. }) = self.known.get_mut(task) {
                    *differs = by_program;
                }
                continue;
            }
            details.extend(losses.into_iter().map(|(item, loss)| ((item, *task), loss)));
        }
        for item in items {
            self.settle(*item, hanging.contains(item), &mut details);
        }
    }

    /// The losses of an item to repeat for an explanation: the first of each kind, public seeds
    /// before hidden ones.
    fn worth_explaining(&self, position: usize, hangs: bool) -> Vec<(Task, Wanted)> {
        let item = &self.assignment.items[position];
        let mut kinds = BTreeSet::new();
        let mut wanted = vec![];
        for (seed, number) in &self.seeds[position] {
            let task = (item.scenario, *number);
            let Some(known) = self.known.get(&task).filter(|known| !known.hangs() && !hangs) else {
                continue;
            };
            let judged = known.judge(&item.checks);
            let Some(cause) = judged.cause.filter(|cause| cause.time_us.is_some()) else {
                continue;
            };
            if wanted.len() < EXPLAINED_MAX
                && kinds.insert((judged.verdict, cause.check.map(|check| check.name)))
            {
                wanted.push((
                    task,
                    Wanted {
                        item: position,
                        verdict: judged.verdict,
                        cause,
                        is_hidden: matches!(seed, Seed::Hidden(_)),
                    },
                ));
            }
        }
        wanted
    }

    fn settle(
        &mut self,
        position: usize,
        hangs: bool,
        details: &mut BTreeMap<(usize, Task), Loss>,
    ) {
        let item = &self.assignment.items[position];
        let played = &self.assignment.scenarios[item.scenario];
        let mut results = vec![];
        for (seed, number) in &self.seeds[position] {
            let task = (item.scenario, *number);
            let judged =
                match self.known.get(&task).filter(|_| !hangs || results.len() < HANGS_BELIEVED) {
                    Some(known) => known.judge(&item.checks),
                    None => Judged {
                        verdict: SeedVerdict::BusyLoop,
                        message: format!(
                            "not run: the first {HANGS_BELIEVED} runs of this item gave no answer"
                        ),
                        cause: None,
                    },
                };
            let loss = judged.cause.map(|cause| {
                let plain = || Loss::plain(judged.verdict, &cause);
                let loss = details.remove(&(position, task)).unwrap_or_else(plain);
                let is_public = matches!(seed, Seed::Public(_));
                // A single run cannot show a difference.
                let twice = if judged.verdict == SeedVerdict::Nondeterministic {
                    " --check-determinism"
                } else {
                    ""
                };
                let command =
                    || repeat_command(self.assignment, played, self.entrant, *number) + twice;
                Loss { command: is_public.then(command), ..loss }
            });
            results.push(SeedResult {
                seed: *seed,
                verdict: judged.verdict,
                message: judged.message,
                loss,
            });
        }
        let verdicts: Vec<SeedVerdict> = results.iter().map(|result| result.verdict).collect();
        let scoring = self.scoring(item, results.len());
        let earned = points(scoring, item.points, &verdicts);
        let state = match earned {
            Some(_) => ItemState::Graded,
            None => {
                let open = verdicts.iter().filter(|verdict| verdict.is_open()).count();
                let (en, es) = ("runs have no verdict", "ejecuciones no tienen veredicto");
                ItemState::NotGraded {
                    why: Text::new(
                        format!("{open} of {} {en}", verdicts.len()),
                        format!("{open} de {} {es}", verdicts.len()),
                    ),
                }
            }
        };
        self.states[position] = Some((state, earned));
        self.results.insert(position, results);
    }

    /// The scoring of an item for the seeds that were run: if there are fewer than it requires, all
    /// must be right.
    fn scoring(&self, item: &Item, count: usize) -> super::model::Scoring {
        use super::model::Scoring;
        match item.scoring {
            Scoring::AtLeast(least) if least as usize > count => Scoring::All,
            scoring => scoring,
        }
    }

    fn finish(mut self) -> Results {
        let mut results = Results::default();
        for (position, item) in self.assignment.items.iter().enumerate() {
            let (state, earned) =
                self.states[position].take().unwrap_or((ItemState::GateClosed, Some(Points::ZERO)));
            let seeds = self.results.remove(&position).unwrap_or_default();
            for seed in seeds.iter().filter(|seed| seed.verdict == SeedVerdict::InfraError) {
                results.infra.push(format!("{}, seed {}: {}", item.name, seed.seed, seed.message));
            }
            results.items.push(ItemResult {
                state,
                earned,
                seeds,
                ..item_result(self.assignment, item)
            });
        }
        results.not_started = self.known.values().find_map(|known| match known {
            Known::Ran {
                facts: Facts { given_up: Some(GivenUp::NotStarted(why)), .. }, ..
            } => Some(why.clone()),
            _ => None,
        });
        results
    }
}

/// An item without any runs.
pub fn item_result(assignment: &Assignment, item: &Item) -> ItemResult {
    ItemResult {
        name: item.name.clone(),
        title: item.title.clone(),
        points: item.points,
        earned: Some(Points::ZERO),
        state: ItemState::NoProgram,
        scoring: item.scoring,
        gate: item.gate.map(|gate| assignment.items[gate].name.clone()),
        visibility: item.visibility,
        feedback: item.feedback.clone(),
        scenario: assignment.scenarios[item.scenario].written.clone(),
        checks: item.checks.clone(),
        seeds: vec![],
    }
}

//! A fault as a value: what people read of it, how its keys are read, and what becomes of them.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use super::faulty::{Members, Taken};
use super::names::Names;
use super::plan::{Plan, PlanRequest};
use super::targets::TargetSpec;
use crate::language::{Amount, Section, Span};
use crate::rng::Rng;

/// A fault: one thing that the nemesis can do.
#[derive(Debug)]
pub struct Fault {
    /// As in `fault = "…"`.
    pub name: &'static str,
    /// `links`, `processes`, `clocks`, `disks` or `composed`.
    pub group: &'static str,
    /// What it does and what ends it, in a sentence or two.
    pub summary: &'static str,
    /// The lines of an entry below `[[nemesis]]`.
    pub example: &'static str,
    /// What it can hit.
    pub hits: Hits,
    /// How long it lasts.
    pub lasting: Lasting,
    /// Whom it hits if the entry names nobody, as `targets` has it.
    pub targets: &'static str,
    /// Reads its keys. `targeted`: the entry says whom it hits. `None`: what was wrong has been
    /// noted.
    pub read: fn(section: &mut Section<'_>, names: &Names, targeted: bool) -> Option<FaultSpec>,
}

/// What a fault can hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hits {
    /// Nodes.
    Nodes,
    /// Nodes that have not run so far, or have left.
    Outsiders,
    /// Nodes and clients: links and clocks, which clients have too.
    Participants,
    /// Messages by type, source and destination, or all of the targets.
    Messages,
}

impl Hits {
    /// Whether clients can be hit. They have links and clocks, but no processes and disks that the
    /// simulation knows.
    pub fn clients(self) -> bool {
        matches!(self, Hits::Participants | Hits::Messages)
    }
}

/// How long a fault lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// As long as the entry's `duration`, and until the end of the load if it gives none.
    Duration,
    /// As long as its own `down`.
    Down,
    /// It happens and is over.
    Instant,
}

/// The parameters of a fault, as a scenario gives them, and all that depends on them.
pub trait FaultParameters: Any + fmt::Debug + Send + Sync {
    /// The fault that has these parameters.
    fn fault(&self) -> &'static Fault;

    /// Make all draws of one occurrence, or say why there can be none.
    ///
    /// # Panics
    ///
    /// The nemesis takes composed faults apart before it plans; theirs panics.
    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String>;

    /// The same fault with every range drawn: a swarm keeps one strength for a whole run.
    fn fixed(&self, rng: &mut Rng) -> FaultSpec;

    /// What it is made of, if it is made of others.
    fn composition(&self) -> Composition<'_> {
        Composition::Simple
    }

    /// Whether it hits the entry's targets; some choose their own, or name links.
    fn needs_targets(&self) -> bool {
        true
    }

    /// Why the entry's targets would have no meaning, and what to write instead; `None`: they have
    /// one.
    fn refuses_targets(&self) -> Option<(&'static str, &'static str)> {
        None
    }

    /// Whom it hits if the entry names nobody.
    fn default_targets(&self) -> &'static str {
        self.fault().targets
    }

    /// Note what the nodes of the scenario make impossible.
    fn judge(&self, section: &Section<'_>, names: &Names) {
        let _ = (section, names);
    }

    /// How long it lasts, if that is a key of its own.
    fn own_duration(&self) -> Option<Span> {
        None
    }

    /// The nodes that it certainly makes faulty while it lasts: down, paused or cut off.
    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        let _ = (members, targets);
        Taken::Any(0)
    }

    /// The strongest drift that it gives a clock, ppm either way.
    fn drift_ppm_max(&self) -> f64 {
        0.0
    }

    /// The largest error that it can leave in a wall clock, seconds.
    fn clock_error_s_max(&self, occurrences: &Occurrences) -> f64 {
        let _ = occurrences;
        0.0
    }

    /// The longest one-way delay of a message under it, seconds. `link`: the longest that links
    /// have by themselves; `lasts`: the longest time that it is in force.
    fn delay_s_max(&self, link: Duration, lasts: Duration) -> f64 {
        let _ = (link, lasts);
        0.0
    }

    /// Whether it damages synced data or takes it back.
    fn damages_disks(&self) -> bool {
        false
    }
}

/// What a fault is made of.
#[derive(Clone, Copy, Debug)]
pub enum Composition<'a> {
    /// Of nothing but itself.
    Simple,
    /// One of these is drawn each time.
    OneOf(&'a [FaultSpec]),
    /// A random part of these, each kept with a drawn probability.
    Swarm {
        /// The faults to choose from.
        among: &'a [FaultSpec],
        /// The range of the probability.
        keep: Amount,
    },
}

/// How often and how long an entry can be in force in a run.
#[derive(Clone, Copy, Debug)]
pub struct Occurrences {
    /// How often at most.
    pub times: f64,
    /// How long one lasts at most, seconds.
    pub lasts_s: f64,
    /// When faults end, seconds.
    pub end_s: f64,
}

/// A fault with its parameters.
#[derive(Clone)]
pub struct FaultSpec(Arc<dyn FaultParameters>);

impl FaultSpec {
    /// The parameters, if they are of this fault.
    pub fn get<F: FaultParameters>(&self) -> Option<&F> {
        let parameters: &dyn Any = &*self.0;
        parameters.downcast_ref()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.fault().name
    }
}

impl<F: FaultParameters> From<F> for FaultSpec {
    fn from(parameters: F) -> FaultSpec {
        FaultSpec(Arc::new(parameters))
    }
}

impl Deref for FaultSpec {
    type Target = dyn FaultParameters;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl fmt::Debug for FaultSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Two are the same if they show the same: `Debug` of parameters writes every bit of them.
impl PartialEq for FaultSpec {
    fn eq(&self, other: &FaultSpec) -> bool {
        self.name() == other.name() && format!("{self:?}") == format!("{other:?}")
    }
}

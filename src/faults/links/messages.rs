//! Messages that are held, dropped or delayed, by type, source and destination.

use std::time::Duration;

use super::rules::{at_targets, with_rule};
use crate::faults::keys::{HOUR, ms};
use crate::faults::{
    Direction, Fault, FaultParameters, FaultSpec, Hits, Lasting, LinkEffect, LinkSet, Members,
    Names, Plan, PlanRequest, TARGETS, Taken, TargetSpec, everybody, named, named_participants,
    words,
};
use crate::language::{Section, Span};
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `hold`.
pub static HOLD: Fault = Fault {
    name: "hold",
    group: "links",
    summary: "Messages wait, and all arrive when the fault ends: those of the targets, or from \
            `src` to `dest`, of every type or of one `message`. The name `targets` in `src` or \
            `dest` stands for the entry's targets.",
    example: "at = \"5s\"\n\
        duration = \"500ms\"\n\
        fault = \"hold\"\n\
        message = \"AppendEntriesResponse\"\n\
        targets = \"leader\"\n\
        dest = [\"targets\"]",
    hits: Hits::Messages,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, names, _| Some(HoldMessages { which: read_which(section, names) }.into()),
};

/// The fault `drop`.
pub static DROP: Fault = Fault {
    name: "drop",
    group: "links",
    summary: "Messages are lost: those of the targets, or from `src` to `dest`, of every type or of \
            one `message`; all of them or only the `nth` since the fault began.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"drop\"\n\
        message = \"RequestVoteResponse\"\n\
        src = [\"n2\"]\n\
        dest = [\"n1\"]\n\
        nth = 1",
    hits: Hits::Messages,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, names, _| {
        let which = read_which(section, names);
        Some(DropMessages { which, nth: read_nth(section) }.into())
    },
};

/// The fault `delay`.
pub static DELAY: Fault = Fault {
    name: "delay",
    group: "links",
    summary: "Messages are late by `by` besides the link's latency: those of the targets, or from \
            `src` to `dest`, of every type or of one `message`; all of them or only the `nth`.",
    example: "at = \"5s\"\n\
        duration = \"2s\"\n\
        fault = \"delay\"\n\
        message = \"InstallSnapshot\"\n\
        targets = \"leader\"\n\
        src = [\"targets\"]\n\
        by = [\"200ms\", \"1s\"]",
    hits: Hits::Messages,
    lasting: Lasting::Duration,
    targets: "all",
    read: |section, names, _| {
        let which = read_which(section, names);
        let nth = read_nth(section);
        let doc = "How much later they arrive.";
        let delay = section.span("by", (ms(500), ms(500)), Duration::ZERO..=HOUR, doc);
        Some(DelayMessages { which, delay, nth }.into())
    },
};

/// Which messages a fault is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Which {
    /// Only messages of this type.
    pub message: Option<String>,
    /// Only messages from these; empty: from all.
    pub src: Vec<String>,
    /// Only messages to these. If both are empty: those from and to the targets.
    pub dest: Vec<String>,
}

/// Messages wait and are all released when the fault ends.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldMessages {
    /// Which messages.
    pub which: Which,
}

/// Messages are lost: all of them, or only the n-th (from 1) since the fault began.
#[derive(Clone, Debug, PartialEq)]
pub struct DropMessages {
    /// Which messages.
    pub which: Which,
    /// Only this one of them.
    pub nth: Option<u64>,
}

/// Messages are late by this much besides the link's latency.
#[derive(Clone, Debug, PartialEq)]
pub struct DelayMessages {
    /// Which messages.
    pub which: Which,
    /// How much later they arrive.
    pub delay: Span,
    /// Only this one of them.
    pub nth: Option<u64>,
}

impl FaultParameters for HoldMessages {
    fn fault(&self) -> &'static Fault {
        &HOLD
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let effect = LinkEffect::Hold { message: self.which.message.clone() };
        self.which.plan(request, None, effect)
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn needs_targets(&self) -> bool {
        self.which.needs_targets()
    }

    fn refuses_targets(&self) -> Option<(&'static str, &'static str)> {
        self.which.refuses_targets()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        self.which.taken(members, targets)
    }

    fn delay_s_max(&self, link: Duration, lasts: Duration) -> f64 {
        (link + lasts).as_secs_f64()
    }
}

impl FaultParameters for DropMessages {
    fn fault(&self) -> &'static Fault {
        &DROP
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let effect = LinkEffect::Drop { message: self.which.message.clone(), nth: self.nth };
        self.which.plan(request, self.nth, effect)
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn needs_targets(&self) -> bool {
        self.which.needs_targets()
    }

    fn refuses_targets(&self) -> Option<(&'static str, &'static str)> {
        self.which.refuses_targets()
    }

    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        match self.nth {
            None => self.which.taken(members, targets),
            Some(_) => Taken::Any(0),
        }
    }
}

impl FaultParameters for DelayMessages {
    fn fault(&self) -> &'static Fault {
        &DELAY
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        let effect = LinkEffect::Delay {
            message: self.which.message.clone(),
            delay: (self.delay.min, self.delay.max),
            nth: self.nth,
        };
        self.which.plan(request, self.nth, effect)
    }

    fn fixed(&self, rng: &mut Rng) -> FaultSpec {
        DelayMessages { delay: self.delay.fixed(rng), ..self.clone() }.into()
    }

    fn needs_targets(&self) -> bool {
        self.which.needs_targets()
    }

    fn refuses_targets(&self) -> Option<(&'static str, &'static str)> {
        self.which.refuses_targets()
    }

    fn delay_s_max(&self, link: Duration, _lasts: Duration) -> f64 {
        (link + self.delay.max).as_secs_f64()
    }
}

impl Which {
    /// A fault of these messages on the links that the entry names; of all links of the targets if
    /// it names none.
    fn plan(
        &self,
        request: &PlanRequest<'_>,
        nth: Option<u64>,
        effect: LinkEffect,
    ) -> Result<Plan, String> {
        let kind = self.message.as_deref().unwrap_or("all messages");
        let kind = nth.map_or(kind.to_owned(), |nth| format!("{kind}, number {nth}"));
        if self.src.is_empty() && self.dest.is_empty() {
            return Ok(at_targets(request, Direction::Both, effect, &format!(" ({kind})")));
        }
        let end = |names: &[String]| {
            if names.is_empty() {
                everybody(request.world)
            } else {
                named_participants(request.world, request.groups, names, request.targets)
            }
        };
        let (from, to) = (end(&self.src), end(&self.dest));
        if from.is_empty() || to.is_empty() {
            return Err("there is no such link".to_owned());
        }
        let all = everybody(request.world);
        let said = |nodes: &[NodeId]| match nodes == all {
            true => "any".to_owned(),
            false => words(request.world, nodes),
        };
        let text = format!("{} > {} ({kind})", said(&from), said(&to));
        Ok(with_rule(LinkSet { pairs: vec![(from, to)] }, effect, text))
    }

    fn needs_targets(&self) -> bool {
        (self.src.is_empty() && self.dest.is_empty())
            || self.src.iter().chain(&self.dest).any(|name| name == TARGETS)
    }

    fn refuses_targets(&self) -> Option<(&'static str, &'static str)> {
        let why = "`src` and `dest` say which messages, and neither names `targets`";
        let hint = "take `targets` out, or name them as an end: dest = \"targets\"";
        (!self.needs_targets()).then_some((why, hint))
    }

    /// The nodes that hear nothing or are not heard, if all of these messages are stopped.
    fn taken(&self, members: &Members<'_>, targets: &TargetSpec) -> Taken {
        if self.message.is_some() {
            return Taken::Any(0);
        }
        match (self.src.as_slice(), self.dest.as_slice()) {
            ([], []) => members.targeted(targets),
            ([], ends) | (ends, []) => Taken::These(members.expanded(ends)),
            _ => Taken::Any(0),
        }
    }
}

fn read_which(section: &mut Section<'_>, names: &Names) -> Which {
    let known: Option<Vec<String>> = names
        .system
        .as_ref()
        .map(|system| system.messages().iter().map(|shown| shown.name.to_string()).collect());
    let doc = "Only messages of this type; left out, all.";
    let message = named(section, "message", "message types", known.as_deref(), doc);
    let ends = names.fault_ends();
    let what = "nodes, groups, roles, clients, `any` or `targets`";
    let doc =
        "Only messages from these; `targets` stands for the entry's targets. Empty: from all.";
    let src = section.names("src", &[], what, &ends, doc);
    let doc =
        "Only messages to these. Where `src` and `dest` are empty, those from and to the targets.";
    let dest = section.names("dest", &[], what, &ends, doc);
    Which { message, src, dest }
}

fn read_nth(section: &mut Section<'_>) -> Option<u64> {
    let doc = "Only the n-th of them since the fault began, from 1; left out, all.";
    section.optional_integer("nth", 1..=1_000_000_000, doc)
}

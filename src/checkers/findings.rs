//! Collects the violations of a check.

use super::{Params, VIOLATIONS_MAX, Verdict, Violation};
use crate::trace::NodeId;

/// Violations of one check, at most [`VIOLATIONS_MAX`].
pub(crate) struct Findings {
    check: &'static str,
    violations: Vec<Violation>,
}

impl Findings {
    pub fn new(check: &'static str) -> Self {
        Findings { check, violations: Vec::new() }
    }

    /// Record a violation. The message is built only if there is room for it.
    pub fn report(&mut self, time_us: u64, nodes: &[NodeId], message: impl FnOnce() -> String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.push(time_us, nodes, message());
        }
    }

    /// Apart from [`Findings::report`], of which there is one for each sentence.
    #[inline(never)]
    fn push(&mut self, time_us: u64, nodes: &[NodeId], message: String) {
        self.violations.push(Violation {
            check: self.check,
            time_us,
            nodes: nodes.to_vec(),
            message,
        });
    }

    pub fn verdict(self) -> Verdict {
        if self.violations.is_empty() { Verdict::Valid } else { Verdict::Invalid(self.violations) }
    }
}

/// A parameter as whole microseconds or an integer; NaN counts as 0.
pub(crate) fn whole(params: &Params, name: &str) -> u64 {
    // A float cast saturates and turns NaN into 0, which is the desired treatment of a damaged
    // parameter.
    number(params, name) as u64
}

/// A parameter unchanged.
pub(crate) fn number(params: &Params, name: &str) -> f64 {
    params.get(name).copied().unwrap_or(0.0)
}

/// Microseconds as seconds with three decimals, for messages: `12.034 s`.
pub(crate) fn seconds(time_us: u64) -> String {
    format!("{}.{:03} s", time_us / 1_000_000, time_us / 1_000 % 1_000)
}

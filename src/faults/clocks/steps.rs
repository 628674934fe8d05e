//! Steps of wall clocks.

use crate::faults::PlanRequest;
use crate::language::Amount;
use crate::trace::NodeId;

const NS_PER_MS: f64 = 1e6;

/// Each clock gets its own step; equal steps would leave their differences as they are.
pub(super) fn draw_steps(request: &mut PlanRequest<'_>, by_ms: Amount) -> Vec<(NodeId, i64)> {
    let mut step = || (by_ms.draw(request.world.rng()) * NS_PER_MS) as i64;
    request.targets.iter().map(|node| (*node, step())).collect()
}

/// `n1,n2 (+250.0, -3.5 ms)`.
pub(super) fn steps_words(request: &PlanRequest<'_>, steps: &[(NodeId, i64)]) -> String {
    let list: Vec<String> =
        steps.iter().map(|(_, by_ns)| format!("{:+.1}", *by_ns as f64 / NS_PER_MS)).collect();
    format!("{} ({} ms)", request.words(), list.join(", "))
}

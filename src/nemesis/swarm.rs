//! Swarms: which faults a run uses, how strongly, and in which rhythm.

use std::time::Duration;

use super::schedule::{Alarm, Schedule};
use crate::faults::{FaultSpec, World};
use crate::language::Amount;
use crate::time::nanos;

/// A fault that a swarm has kept, with parameters that stay the same for the whole run.
///
/// Swarm testing (Groce and others, ISSTA 2012): a run that uses only some of the features, some of
/// them heavily, finds more than one that uses all of them evenly. So the swarm draws once which
/// faults happen, how strong they are, how often they come and how long they stay.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) fault: FaultSpec,
    /// Mean time between two beginnings, as a part of the swarm's window.
    gap: f64,
    /// The longest time that one lasts, as a part of the gap.
    stay: f64,
}

/// A member comes this many times (least, most) in a long window, on average.
const TIMES: (f64, f64) = (4.0, 20.0);

/// The least mean time between two beginnings of a member. Shorter faults are over before a system
/// has noticed them; so in a short window each member comes once and stays until about its end.
const GAP_MIN: Duration = Duration::from_secs(1);

/// Draw which faults a swarm keeps: each with the same drawn probability, and at least one.
pub(super) fn draw_members(
    world: &mut dyn World,
    among: &[FaultSpec],
    keep: Amount,
) -> Vec<Member> {
    let keep = keep.draw(world.rng());
    let mut kept: Vec<&FaultSpec> = among.iter().filter(|_| world.rng().chance(keep)).collect();
    if kept.is_empty() {
        kept.extend(world.rng().pick(among));
    }
    let draw = |fault: &FaultSpec| Member {
        fault: fault.fixed(world.rng()),
        gap: world.rng().amount(1.0 / TIMES.1, 1.0 / TIMES.0),
        stay: world.rng().amount(0.25, 1.0),
    };
    kept.into_iter().map(draw).collect()
}

/// A swarm in force. Its members are begun by the engine, which alone can begin faults, and end
/// with it.
pub(super) struct Swarm {
    pub(super) members: Vec<Member>,
    /// How long it lasts.
    pub(super) window: Duration,
}

impl Swarm {
    /// Each member comes for the first time within its first gap, and in the first half of the
    /// window.
    pub(super) fn begin(&self, world: &mut dyn World, schedule: &mut Schedule, active: u64) {
        for member in 0..self.members.len() {
            let after = world.draw(Duration::ZERO, self.gap(member).min(self.window / 2));
            let at = world.now() + after;
            schedule.set(world, at, Alarm::Member { active, member });
        }
    }

    /// A member's time has come: set the alarm for its next one, and say how long it stays this
    /// time.
    pub(super) fn next(
        &self,
        world: &mut dyn World,
        schedule: &mut Schedule,
        active: u64,
        member: usize,
    ) -> Duration {
        let gap = self.gap(member);
        let after = world.draw(gap / 2, gap + gap / 2);
        let at = world.now() + after;
        schedule.set(world, at, Alarm::Member { active, member });
        let stay = part(gap, self.members[member].stay);
        world.draw(stay / 2, stay)
    }

    fn gap(&self, member: usize) -> Duration {
        part(self.window, self.members[member].gap).max(GAP_MIN)
    }
}

fn part(of: Duration, fraction: f64) -> Duration {
    Duration::from_nanos((nanos(of) as f64 * fraction) as u64)
}

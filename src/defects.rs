//! Defects: what can be planted into a system, and when a planted one acted.
//!
//! The right rule stands where the paper has it. A defect is one guard beside it, and the guard is
//! asked **last**, so that it is asked only where its answer changes what happens:
//!
//! ```text
//! if may_commit(entry_term, current_term) || self.plants(Defect::CommitOldTerm) { … }
//! if log_is_up_to_date && !self.plants(Defect::VoteIgnoresLog) { … }
//! ```
//!
//! Each "yes" of a guard is therefore a moment at which the defect acted. These moments go into a
//! side channel of the run, not in the trace: no check can read them. They tell from
//! when on a failure was possible.

use std::cell::RefCell;
use std::marker::PhantomData;

/// A defect in the catalogue of a system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefectInfo {
    /// `vote-not-persisted`.
    pub name: &'static str,
    /// What is wrong, in a sentence.
    pub summary: &'static str,
    /// The check that catches it first.
    pub caught_by: &'static str,
    /// The scenario that shows it best.
    pub scenario: &'static str,
    /// With 99 % confidence it is caught within this many seeds of that scenario.
    pub seeds: u32,
}

/// The defects of a system, as the macro `defects!` declares them.
pub trait Catalogue: Copy + 'static {
    /// All of them, in the order of the declaration.
    const ALL: &'static [DefectInfo];

    /// The position in [`Catalogue::ALL`].
    fn number(self) -> usize;
}

/// The defects that a scenario has planted into its system: none, unless it asks for some.
pub struct Planted<D> {
    set: u128,
    of: PhantomData<D>,
}

impl<D> Clone for Planted<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Planted<D> {}

impl<D> Default for Planted<D> {
    fn default() -> Self {
        Planted { set: 0, of: PhantomData }
    }
}

impl<D> PartialEq for Planted<D> {
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set
    }
}

impl<D> Eq for Planted<D> {}

impl<D: Catalogue> std::fmt::Debug for Planted<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = D::ALL.iter().enumerate().filter(|(number, _)| self.set & 1 << number != 0);
        f.debug_set().entries(names.map(|(_, info)| info.name)).finish()
    }
}

impl<D: Catalogue> Planted<D> {
    /// The defects of these names. Unknown names count for nothing: the reader of scenarios has
    /// refused them.
    pub fn with<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        assert!(D::ALL.len() <= 128, "a set has 128 places");
        let number = |name: &str| D::ALL.iter().position(|info| info.name == name);
        let set = names.into_iter().filter_map(number).fold(0, |set, number| set | 1 << number);
        Planted { set, of: PhantomData }
    }

    /// Whether this defect is planted. To be asked where "yes" changes what happens: the moment is
    /// recorded as one at which the defect acted.
    #[inline]
    pub fn plants(self, defect: D) -> bool {
        let planted = self.holds(defect);
        if planted {
            note(D::ALL[defect.number()].name);
        }
        planted
    }

    /// Whether this defect is planted, asked where that decides nothing: which invariants may be
    /// broken, which state a node keeps.
    #[inline]
    pub fn holds(self, defect: D) -> bool {
        self.set & 1 << defect.number() != 0
    }
}

/// Defects that acted within one step. A step that asks more guards than this repeats itself.
const NOTES_MAX: usize = 64;

thread_local! {
    /// What acted in the step that this thread simulates.
    static NOTES: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn note(defect: &'static str) {
    NOTES.with_borrow_mut(|notes| {
        if notes.len() < NOTES_MAX && !notes.contains(&defect) {
            notes.push(defect);
        }
    });
}

/// Take the names of the defects that acted since the last call, each once.
pub fn take_notes(mut each: impl FnMut(&'static str)) {
    NOTES.with_borrow_mut(|notes| notes.drain(..).for_each(&mut each));
}

/// Declares the defects of a system once, each as
/// `Defect "name" "check that catches it" "scenario" seeds "summary"`.
///
/// It makes the enum `Defect`, the table `DEFECTS`, and `Planted`, the set of those that a scenario
/// asks for.
#[macro_export]
macro_rules! defects {
    ($($defect:ident $name:literal $check:literal $scenario:literal $seeds:literal
        $summary:literal)*) => {
        /// A defect that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the table says what each is")]
        pub enum Defect { $($defect),* }

        /// All defects, in the order of the catalogue.
        pub const DEFECTS: &[$crate::defects::DefectInfo] = &[
            $($crate::defects::DefectInfo {
                name: $name,
                summary: $summary,
                caught_by: $check,
                scenario: $scenario,
                seeds: $seeds,
            }),*
        ];

        impl $crate::defects::Catalogue for Defect {
            const ALL: &'static [$crate::defects::DefectInfo] = DEFECTS;

            fn number(self) -> usize {
                self as usize
            }
        }

        /// The defects that a scenario has planted.
        pub type Planted = $crate::defects::Planted<Defect>;
    };
}

pub use crate::defects;

#[cfg(test)]
mod tests {
    defects! {
        First "first" "check" "toy/scenario" 2 "One."
        Second "second" "check" "toy/scenario" 2 "Another."
    }

    /// A name plants its own defect and no other, and a name that nobody knows plants nothing.
    #[test]
    fn a_name_plants_its_own_defect() {
        let second = Planted::with(["second", "unknown"]);
        assert!(second.holds(Defect::Second) && !second.holds(Defect::First));
        assert_eq!(Planted::with(["unknown"]), Planted::default());
        assert_eq!(format!("{second:?}"), "{\"second\"}");
        let names: Vec<_> = DEFECTS.iter().map(|defect| defect.name).collect();
        assert_eq!(names, ["first", "second"]);
    }

    /// A guard that answers yes is a moment at which the defect acted; one that answers no, or that
    /// only looks, is none.
    #[test]
    fn a_guard_notes_when_its_defect_acts() {
        let taken = || {
            let mut taken = vec![];
            crate::defects::take_notes(|name| taken.push(name));
            taken
        };
        taken();
        let second = Planted::with(["second"]);
        assert!(!second.plants(Defect::First) && second.holds(Defect::Second));
        assert!(taken().is_empty());
        assert!(second.plants(Defect::Second) && second.plants(Defect::Second));
        assert_eq!(taken(), ["second"]);
        assert!(taken().is_empty());
    }
}

//! Mistakes that can be planted in a system: one table, from which the names, the lines of the
//! documentation and the set that nodes ask are made.

/// Declares the mistakes of a system once, each as `Flaw "name" "check that catches it" "scenario"
/// seeds "summary"`.
///
/// It makes the type `Flaw`, the table `DEFECTS`, their `NAMES`, and `Rules`, a set of them. What
/// each mistake changes is said by the system, in functions of `Rules` that are named after what is
/// right or wrong at that point of the protocol.
macro_rules! defects {
    ($($flaw:ident $name:literal $check:literal $scenario:literal $seeds:literal $summary:literal)*) => {
        /// A mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the table says what each is")]
        pub enum Flaw { $($flaw),* }

        /// All mistakes, in the order of the catalogue.
        pub const DEFECTS: &[$crate::systems::Defect] = &[
            $($crate::systems::Defect { name: $name, summary: $summary, caught_by: $check, scenario: $scenario, seeds: $seeds }),*
        ];

        /// Their names.
        pub const NAMES: &[&str] = &[$($name),*];

        // The set has a place for each.
        const _: () = assert!(NAMES.len() <= 128);

        /// A set of mistakes; empty unless a scenario asks for some. The nodes ask it wherever a
        /// mistake is possible.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Rules(u128);

        #[allow(dead_code, reason = "not every system asks for all")]
        impl Rules {
            /// The mistakes of these names; unknown names count for nothing, because the scenario
            /// reader has refused them.
            pub fn with<'a>(names: impl IntoIterator<Item = &'a str>) -> Rules {
                // Names and mistakes stand in the same order, so a name's position is its mistake's
                // number.
                let positions = names.into_iter().filter_map(|name| NAMES.iter().position(|each| *each == name));
                Rules(positions.fold(0, |set, position| set | 1 << position))
            }

            /// Whether any mistake is planted, so that an invariant may break without being the
            /// testbed's fault.
            pub fn any(self) -> bool {
                self.0 != 0
            }

            pub(super) fn has(self, flaw: Flaw) -> bool {
                self.0 & 1 << flaw as u32 != 0
            }
        }
    };
}

pub(crate) use defects;

#[cfg(test)]
mod tests {
    defects! {
        First "first" "check" "toy/scenario" 2 "One."
        Second "second" "check" "toy/scenario" 2 "Another."
    }

    /// A name plants its own mistake and no other, and a name that nobody knows plants nothing.
    #[test]
    fn a_name_plants_its_own_mistake() {
        let second = Rules::with(["second", "unknown"]);
        assert!(second.any() && second.has(Flaw::Second) && !second.has(Flaw::First));
        assert!(!Rules::with(["unknown"]).any());
        assert_eq!(DEFECTS.iter().map(|defect| defect.name).collect::<Vec<_>>(), NAMES);
    }
}

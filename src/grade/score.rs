//! Turns the verdicts of an item's seeds into points.

use super::model::{Points, Scoring, SeedVerdict};

/// The points of an item whose seeds have these verdicts; `None` if runs without a verdict
/// (`unknown`, `infra_error`) could still change them.
///
/// Such runs neither win nor lose: if the other runs decide the item whatever these would have
/// been, it is graded.
pub fn points(scoring: Scoring, max: Points, verdicts: &[SeedVerdict]) -> Option<Points> {
    let count =
        |of: &dyn Fn(SeedVerdict) -> bool| verdicts.iter().filter(|verdict| of(**verdict)).count();
    let ok = count(&|verdict| verdict == SeedVerdict::Ok);
    let open = count(&SeedVerdict::is_open);
    let least = of_count(scoring, max, ok, verdicts.len());
    let most = of_count(scoring, max, ok + open, verdicts.len());
    (least == most).then_some(least)
}

/// The points of an item with `ok` right seeds out of `all`.
fn of_count(scoring: Scoring, max: Points, ok: usize, all: usize) -> Points {
    let whole = |passed: bool| if passed { max } else { Points::ZERO };
    match scoring {
        _ if all == 0 => Points::ZERO,
        Scoring::All => whole(ok == all),
        Scoring::AtLeast(least) => whole(ok >= least as usize),
        Scoring::Fraction => {
            let (max, ok, all) = (u64::from(max.0), ok as u64, all as u64);
            // Half up: 2·max·ok + all over 2·all, in whole numbers.
            let hundredths = (2 * max * ok + all) / (2 * all);
            Points(u32::try_from(hundredths).expect("a share of `max`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn verdicts(ok: usize, wrong: usize, unknown: usize) -> Vec<SeedVerdict> {
        let of = |verdict, count| std::iter::repeat_n(verdict, count);
        of(SeedVerdict::Ok, ok)
            .chain(of(SeedVerdict::Wrong, wrong))
            .chain(of(SeedVerdict::Unknown, unknown))
            .collect()
    }

    /// A third of one point is 0.33, two thirds 0.67, and half a hundredth is rounded up.
    #[test]
    fn a_fraction_is_rounded_half_up() {
        let share =
            |max, ok, wrong| points(Scoring::Fraction, Points(max), &verdicts(ok, wrong, 0));
        assert_eq!(share(100, 1, 2), Some(Points(33)));
        assert_eq!(share(100, 2, 1), Some(Points(67)));
        assert_eq!(share(1, 1, 1), Some(Points(1)));
        assert_eq!(share(25, 1, 1), Some(Points(13)));
        assert_eq!(share(300, 0, 20), Some(Points(0)));
    }

    /// `all` and `at_least` give all points or none.
    #[test]
    fn a_threshold_gives_all_or_nothing() {
        assert_eq!(points(Scoring::All, Points(300), &verdicts(20, 0, 0)), Some(Points(300)));
        assert_eq!(points(Scoring::All, Points(300), &verdicts(19, 1, 0)), Some(Points(0)));
        assert_eq!(
            points(Scoring::AtLeast(18), Points(300), &verdicts(18, 2, 0)),
            Some(Points(300))
        );
        assert_eq!(points(Scoring::AtLeast(18), Points(300), &verdicts(17, 3, 0)), Some(Points(0)));
    }

    /// A run without a verdict costs no points, and does not matter if the others decide.
    #[test]
    fn an_open_run_leaves_open_only_what_it_could_change() {
        assert_eq!(points(Scoring::All, Points(300), &verdicts(19, 0, 1)), None);
        assert_eq!(points(Scoring::All, Points(300), &verdicts(18, 1, 1)), Some(Points(0)));
        assert_eq!(
            points(Scoring::AtLeast(18), Points(300), &verdicts(18, 0, 2)),
            Some(Points(300))
        );
        assert_eq!(points(Scoring::AtLeast(18), Points(300), &verdicts(17, 1, 2)), None);
        assert_eq!(points(Scoring::Fraction, Points(300), &verdicts(1, 0, 1)), None);
    }

    fn scoring() -> impl Strategy<Value = Scoring> {
        prop_oneof![
            Just(Scoring::All),
            Just(Scoring::Fraction),
            (1..60_u32).prop_map(Scoring::AtLeast)
        ]
    }

    proptest! {
        /// Points are between none and all, and all runs right gives all points.
        #[test]
        fn points_stay_within_the_item(scoring in scoring(), max in 0..100_000_u32, ok in 0..50_usize, wrong in 0..50_usize) {
            let earned = points(scoring, Points(max), &verdicts(ok, wrong, 0)).expect("nothing is \
                open");
            prop_assert!(earned <= Points(max));
            let attainable = !matches!(scoring, Scoring::AtLeast(least) if least as usize > ok);
            if wrong == 0 && ok > 0 && attainable {
                prop_assert_eq!(earned, Points(max));
            }
        }

        /// Turning a wrong run into a right one never costs points.
        #[test]
        fn points_are_monotone(scoring in scoring(), max in 0..100_000_u32, ok in 0..50_usize, wrong in 1..50_usize) {
            let before = points(scoring, Points(max), &verdicts(ok, wrong, 0));
            let after = points(scoring, Points(max), &verdicts(ok + 1, wrong - 1, 0));
            prop_assert!(before <= after);
        }

        /// Points given despite open runs are those that any outcome of these runs would give.
        #[test]
        fn open_runs_never_decide(scoring in scoring(), max in 0..100_000_u32, ok in 0..20_usize, wrong in 0..20_usize, open in 1..20_usize) {
            if let Some(earned) = points(scoring, Points(max), &verdicts(ok, wrong, open)) {
                for right in 0..=open {
                    prop_assert_eq!(points(scoring, Points(max), &verdicts(ok + right, wrong + open - right, 0)), Some(earned));
                }
            }
        }
    }
}

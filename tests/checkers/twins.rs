//! What the tests say of a story: that a check finds nothing wrong with it, or this.

use seedbed::checkers::{Params, Verdict};
use seedbed::trace::Trace;

/// The verdict of a check with its default parameters, or with these instead of them.
pub fn verdict(story: &impl AsRef<Trace>, check: &str, params: &[(&str, f64)]) -> Verdict {
    let params: Params = params.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    seedbed::systems::find_check(check).expect("the check exists").judge(story.as_ref(), &params)
}

/// The check finds nothing wrong.
#[track_caller]
pub fn accepts(story: &impl AsRef<Trace>, check: &str) {
    assert_eq!(verdict(story, check, &[]), Verdict::Valid, "{check}");
}

/// The first violation is this sentence, or begins with it if it ends in `…`.
#[track_caller]
pub fn refuses(story: &impl AsRef<Trace>, check: &str, sentence: &str) {
    refuses_with(story, check, &[], sentence);
}

/// As [`refuses`], with parameters.
#[track_caller]
pub fn refuses_with(
    story: &impl AsRef<Trace>,
    check: &str,
    params: &[(&str, f64)],
    sentence: &str,
) {
    match verdict(story, check, params) {
        Verdict::Invalid(violations) => {
            let message = &violations[0].message;
            match sentence.strip_suffix('…') {
                Some(begin) => assert!(message.starts_with(begin), "{message}"),
                None => assert_eq!(message, sentence),
            }
            assert_eq!(violations[0].check, check);
        }
        other => panic!("{check} found nothing wrong: {other:?}"),
    }
}

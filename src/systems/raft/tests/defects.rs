//! Defects act where they change what happens, and nowhere else.

use super::*;

/// The defects that acted in the steps since the last call.
fn acted() -> Vec<&'static str> {
    let mut acted = vec![];
    crate::defects::take_notes(|defect| acted.push(defect));
    acted
}

/// A defect is one guard beside the right rule, asked only where the answer decides. A candidate
/// whose log is as recent as the voter's gets the vote by the rule; one whose log is older gets it
/// by the defect, and only that moment is recorded.
#[test]
fn a_defect_acts_only_where_it_decides() {
    acted();
    let planted = settings(|settings| settings.planted = Planted::with(["no-log-check"]));
    let mut voter = Server::new(2, &[1, 2, 3], planted);
    voter.receive(1, append(1, (0, 0), &[1, 1], 0));
    voter.wait(400);
    assert!(granted(&voter.receive(3, request_vote(2, 2, 1))));
    assert_eq!(acted(), [""; 0], "the logs are equal");
    assert!(granted(&voter.receive(3, request_vote(3, 1, 1))));
    assert_eq!(acted(), ["no-log-check"]);
}

/// Without a planted defect none acts, whatever happens.
#[test]
fn a_correct_server_has_no_defect_that_acts() {
    acted();
    let mut net = Net::new(&[1, 2, 3], &[1, 2, 3], settings(|_| {}));
    net.elect(1);
    net.write(1, "5");
    net.run(1_000);
    assert_eq!(acted(), [""; 0]);
}

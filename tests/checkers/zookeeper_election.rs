//! The election and its aggregator, as ensemble and time series see them: for each check a story
//! that it accepts, and one that differs in the one thing that decides.

use crate::twins::{accepts, refuses, refuses_with, verdict};
use crate::zookeeper_story::{I1, I2, STORE, Story, int, word, zx};
use seedbed::checkers::Verdict;

impl Story {
    fn refuses_mean(&mut self, epoch: i64, number: i64) -> &mut Story {
        self.event(STORE, "store_refuse", &[("epoch", int(epoch)), ("number", int(number))])
    }

    fn touch(&mut self, session: i64) -> &mut Story {
        self.event(crate::zookeeper_story::Z1, "session_touch", &[("session", int(session))])
    }

    fn of_children(&mut self, session: i64, zxid: i64) -> &mut Story {
        let fields = [
            ("session", int(session)),
            ("kind", word("children_changed")),
            ("zxid", int(zxid)),
            ("path", word("/election")),
        ];
        self.event(crate::zookeeper_story::Z1, "watch_fire", &fields)
    }
}

/// Two contenders, the first of whom leaves: the means of the second count from then on, and not
/// before.
#[test]
fn means_come_from_the_first_of_the_row() {
    let mut good = Story::new();
    let (one, two) = (good.session(), good.session());
    let first = good.change("create", one, 0, "/election/zz-n_0000000000", "");
    let second = good.change("create", two, 0, "/election/aa-n_0000000001", "");
    good.stores(first, 1, 80_000);
    let mut bad = good.clone();
    let end = good.close(one);
    good.znode(end, "delete", one, 0, "/election/zz-n_0000000000", "").stores(second, 1, 80_000);
    accepts(&good, "mean_from_elected");
    bad.stores(second, 1, 80_000);
    let sentence = "store accepted a mean of epoch 1.4, and its znode /election/aa-n_0000000001 \
        was never first in the row";
    refuses(&bad, "mean_from_elected", sentence);
    let mut early = bad.clone();
    let end = early.close(one);
    early.znode(end, "delete", one, 0, "/election/zz-n_0000000000", "");
    let sentence = "store accepted a mean of epoch 1.4, and its znode /election/aa-n_0000000001 \
        was not first in the row yet";
    refuses(&early, "mean_from_elected", sentence);
}

/// An epoch is a transaction of the election: not that of a session, nor of a znode without a
/// number, which others can overtake.
#[test]
fn an_epoch_is_the_transaction_of_a_numbered_znode() {
    let mut good = Story::new();
    let session = good.session();
    let mut plain = good.clone();
    let epoch = good.change("create", session, 0, "/election/a-n_0000000000", "");
    let mut bad = good.clone();
    accepts(good.stores(epoch, 1, 80_000), "mean_from_elected");
    bad.stores(session, 1, 80_000);
    let sentence = "store accepted a mean of epoch 1.1, and no znode of the election was made by \
        that transaction";
    refuses(&bad, "mean_from_elected", sentence);
    let epoch = plain.change("create", session, 0, "/election/i1", "");
    plain.stores(epoch, 1, 80_000);
    refuses(
        &plain,
        "mean_from_elected",
        "store accepted a mean of epoch 1.2, and its znode /election/i1 has no number",
    );
}

/// Who leads shows it: otherwise nobody could compare the claims.
#[test]
fn who_sends_means_has_shown_that_it_leads() {
    let mut good = Story::new();
    let session = good.session();
    let epoch = good.change("create", session, 0, "/election/a-n_0000000000", "");
    let mut bad = good.clone();
    accepts(good.leads(I1, epoch, epoch).stores(epoch, 1, 80_000), "recipe_one_leader");
    bad.stores(epoch, 1, 80_000);
    refuses(
        &bad,
        "recipe_one_leader",
        "store accepted a mean of epoch 1.2, and no instance has shown that it leads by that",
    );
}

/// The maker may remove its znode, and its end does; another session may not, as long as it lives.
#[test]
fn a_contenders_znode_is_its_own() {
    let mut good = Story::new();
    let (one, two) = (good.session(), good.session());
    good.change("create", one, 0, "/election/a-n_0000000000", "");
    let mut bad = good.clone();
    let mut asked = good.clone();
    let end = good.close(one);
    good.znode(end, "delete", one, 0, "/election/a-n_0000000000", "");
    accepts(&good, "election_znodes_kept");
    asked.change("delete", one, 0, "/election/a-n_0000000000", "");
    accepts(&asked, "election_znodes_kept");
    // The same instance, after a crash: its earlier session has not ended yet.
    let mut back = bad.clone();
    for session in [one, two] {
        back.event(
            I1,
            "client_session",
            &[("session", int(session)), ("state", word("connected"))],
        );
    }
    back.change("delete", two, 0, "/election/a-n_0000000000", "");
    accepts(&back, "election_znodes_kept");
    bad.change("delete", two, 0, "/election/a-n_0000000000", "");
    let sentence = "session 1.2 removed /election/a-n_0000000000 at 1.4, which belongs to the live \
        session 1.1";
    refuses(&bad, "election_znodes_kept", sentence);
}

/// A session of 2 s that was heard of 3 s ago: a mean may still be on its way for a second, not for
/// less.
#[test]
fn a_silent_leader_has_stopped() {
    let mut story = Story::new();
    let session = story.session();
    let epoch = story.change("create", session, 0, "/election/a-n_0000000000", "");
    story
        .at_ms(1_000)
        .touch(session)
        .mean(I1, epoch, 7, epoch, 80_000, 1)
        .at_ms(4_000)
        .stores(epoch, 7, 80_000);
    assert_eq!(verdict(&story, "leader_still_heard", &[("slack", 1_100_000.0)]), Verdict::Valid);
    let sentence =
        "store accepted mean 7 of leader 1.2, whose session of 2.000 s had been silent for 3.000 s";
    refuses_with(&story, "leader_still_heard", &[("slack", 900_000.0)], sentence);
}

/// A second later the refusal may still be on its way; 11 s later it is not.
#[test]
fn who_was_refused_stops() {
    let mut good = Story::new();
    good.at_ms(1_000).refuses_mean(zx(5), 1).at_ms(2_000).refuses_mean(zx(5), 2);
    let mut bad = good.clone();
    // Another leader has ten seconds of its own.
    good.at_ms(12_000).refuses_mean(zx(8), 3);
    accepts(&good, "refused_leader_stops");
    bad.at_ms(12_000).refuses_mean(zx(5), 3);
    let sentence =
        "store refused a mean of leader 1.5, 11.000 s after it had refused one for the first time";
    refuses(&bad, "refused_leader_stops", sentence);
}

/// Whoever watches the row is woken by every change of it; a single one that does so is not a herd.
#[test]
fn watching_the_whole_row_is_a_herd() {
    let mut good = Story::new();
    good.of_children(7, zx(3)).of_children(8, zx(4));
    accepts(&good, "no_herd");
    let mut bad = Story::new();
    bad.of_children(7, zx(3)).of_children(8, zx(3));
    refuses(
        &bad,
        "no_herd",
        "2 sessions were woken because the children of /election changed: 0.7, 0.8",
    );
}

/// A mean of a state that the ensemble had not reached is not a mean of anything.
#[test]
fn a_mean_is_of_a_state_that_was_there() {
    let mut good = Story::new();
    let session = good.session();
    let there = good.change("create", session, 0, "/my/favorite/i1", "80.000");
    let mut bad = good.clone();
    accepts(
        good.mean(I1, zx(1), 1, there, 80_000, 1).stores(zx(1), 1, 80_000),
        "mean_of_one_instant",
    );
    bad.mean(I1, zx(1), 1, there + 1, 80_000, 1).stores(zx(1), 1, 80_000);
    refuses(
        &bad,
        "mean_of_one_instant",
        "i1 sent a mean of 1.3, a state that was not there yet when it was stored",
    );
}

/// Both instances write again and again; one that is down need not, and one that has written once
/// has to do so again.
#[test]
fn measurements_keep_coming() {
    let limit = [("from", 0.0), ("limit", 12_000_000.0)];
    let mut good = Story::new();
    let session = good.session();
    good.change("create", session, 0, "/my/favorite/i1", "80.000");
    good.at_ms(1_000).event(I2, "crash", &[]);
    for second in [10, 20, 29] {
        good.at_ms(second * 1_000).change("set", session, 1, "/my/favorite/i1", "81.000");
    }
    let mut bad = good.clone();
    assert_eq!(verdict(&good, "measurement_cadence", &limit), Verdict::Valid);
    bad.at_ms(15_000).event(I2, "start", &[]);
    bad.trace.events.sort_by_key(|event| event.time_us);
    refuses_with(
        &bad,
        "measurement_cadence",
        &limit,
        "i2 wrote no measurement from 15.000 s to 30.000 s, for 15.000 s; 12.000 s is the limit",
    );
}

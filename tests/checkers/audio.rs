//! Audio: uploads, failover, playout. Each story is told twice, and the two differ in one thing.

use seedbed::checkers::Verdict;
use seedbed::trace::{OpType, Value};

use crate::audio_story::*;
use crate::twins::{accepts, refuses, refuses_with, verdict};

/// A gap is not a frame, so it is not a wrong one; a frame with other samples is, and so is one
/// after the end of the song.
#[test]
fn played_frames_are_those_of_the_song() {
    let mut good = Run::on_air();
    good.play(0).conceal(1, "lost").play(2);
    accepts(&good, "audio_byte_exact");
    let mut bad = good.clone();
    bad.event(EAR, "play", &[("session", int(1)), ("frame", int(3)), ("digest", digest(4))]);
    refuses(
        &bad,
        "audio_byte_exact",
        "listener1 played frame 3 of session 1 with other samples than the song has there",
    );
    let mut bad = good;
    bad.play(10);
    refuses(
        &bad,
        "audio_byte_exact",
        "listener1 played frame 10 of session 1, but the song has 10 frames",
    );
}

/// What was lost is left out; going back, or playing a frame again, is never right.
#[test]
fn frames_are_heard_in_order_and_once() {
    let mut good = Run::on_air();
    good.play(0).play(1).play(4);
    accepts(&good, "audio_in_order");
    let mut bad = good.clone();
    bad.play(3);
    refuses(&bad, "audio_in_order", "listener1 played frame 3 of session 1 after frame 4");
    let mut bad = good;
    bad.play(4);
    refuses(&bad, "audio_in_order", "listener1 played frame 4 of session 1 twice");
}

/// The uploader knows what it has sent, whatever it was told to have been stored.
#[test]
fn a_confirmed_upload_is_the_file() {
    let mut run = Run::new();
    run.attempt().stored();
    let mut good = run.clone();
    good.confirmed(3_000, 9);
    accepts(&good, "audio_upload_complete");
    let mut bad = run.clone();
    bad.confirmed(1_024, 9);
    refuses(
        &bad,
        "audio_upload_complete",
        "the upload of uploader was confirmed with 1024 bytes, but its file has 3000",
    );
    let mut bad = run;
    bad.confirmed(3_000, 8);
    refuses(
        &bad,
        "audio_upload_complete",
        "the upload of uploader was confirmed with its 3000 bytes, but other ones than its file \
            has",
    );
}

/// The order of two events is the difference between a promise that is kept and one that is hoped
/// for.
#[test]
fn a_song_is_stored_before_it_is_confirmed() {
    let mut good = Run::new();
    good.attempt().stored().confirmed(3_000, 9);
    accepts(&good, "audio_upload_stored");
    let mut bad = Run::new();
    bad.attempt().confirmed(3_000, 9).stored();
    refuses(
        &bad,
        "audio_upload_stored",
        "the upload of uploader was confirmed before any streamer had stored it",
    );
}

/// Four seconds after healing are enough for an upload that was begun before; one that is begun
/// later has four seconds of its own.
#[test]
fn an_upload_is_answered() {
    let mut good = Run::new();
    good.attempt().at_ms(13_900).stored().confirmed(3_000, 9);
    accepts(&good, "audio_upload_answered");
    let mut bad = Run::new();
    bad.attempt().at_ms(14_100).stored().confirmed(3_000, 9);
    refuses(
        &bad,
        "audio_upload_answered",
        "the upload of uploader was not confirmed by 14.000 s, 4.000 s after everything had healed",
    );
    let mut late = Run::new();
    late.at_ms(17_000).attempt();
    assert!(
        matches!(verdict(&late, "audio_upload_answered", &[]), Verdict::Unknown(_)),
        "the run ends too soon to tell"
    );
}

/// n1 has sent frames 0 to 6, and the position 4 is replicated: n2 may begin with any of 4 to 7. A
/// position of a later term binds nobody earlier.
#[test]
fn a_new_leader_resumes_at_the_replicated_position() {
    let mut run = Run::on_air();
    for frame in 0..7 {
        run.place(N1, "send", frame, 1);
    }
    run.place(N1, "position", 4, 1).place(N3, "position", 9, 3);
    for frame in [4, 7] {
        let mut good = run.clone();
        good.take_over(N2, frame, 2);
        accepts(&good, "audio_resume_position");
    }
    let mut bad = run.clone();
    bad.take_over(N2, 0, 2);
    refuses(
        &bad,
        "audio_resume_position",
        "n2 begins at frame 0 of session 1 in term 2, but frame 4 of session 1 was replicated \
            before",
    );
    let mut bad = run;
    bad.take_over(N2, 8, 2);
    refuses(
        &bad,
        "audio_resume_position",
        "n2 begins at frame 8 of session 1 in term 2, but frames 7 to 7 were never sent",
    );
}

/// n1 sends on for `ms` after n2 has taken over.
fn two_send_for(ms: u64) -> Run {
    let mut run = Run::on_air();
    run.at_ms(2_000).take_over(N2, 4, 2);
    for i in 0..=ms / 20 {
        run.at_ms(2_010 + 20 * i).place(N1, "send", 5, 1);
    }
    run
}

/// An old leader needs an election timeout to notice, and after a pause a moment; a second is a
/// habit.
#[test]
fn a_deposed_leader_stops() {
    let mut good = two_send_for(900);
    good.at_ms(6_000).place(N1, "send", 5, 1);
    accepts(&good, "audio_one_source");
    refuses(
        &two_send_for(1_200),
        "audio_one_source",
        "n1 goes on sending in term 1 for 1.020 s beside n2, which leads term 2",
    );
}

/// n1 crashes at 2 s; the listener hears something again after so long.
fn heard_again_after(ms: u64) -> Run {
    let mut run = Run::on_air();
    run.at_ms(1_990).play(0).at_ms(2_000).crash(N1).at_ms(2_000 + ms).play(1).end(2, 0, 0);
    run
}

/// Three seconds after a crash the sound is back. While two of three are down, or the listener
/// itself is cut off, nothing is promised.
#[test]
fn the_sound_comes_back() {
    accepts(&heard_again_after(2_900), "audio_playback_resumes");
    refuses(
        &heard_again_after(3_100),
        "audio_playback_resumes",
        "listener1 heard nothing from 2.000 s to 5.100 s, although a majority of the streamers \
            worked",
    );
    let mut no_majority = Run::on_air();
    no_majority
        .at_ms(1_990)
        .play(0)
        .crash(N1)
        .crash(N2)
        .at_ms(9_000)
        .event(N2, "start", &[])
        .at_ms(11_000)
        .play(1)
        .end(2, 0, 0);
    accepts(&no_majority, "audio_playback_resumes");
    let mut cut_off = Run::on_air();
    cut_off.at_ms(1_990).play(0).fault(
        OpType::Invoke,
        "partition",
        "partition-1: listener1 | n1,n2,n3",
    );
    cut_off
        .at_ms(9_000)
        .fault(OpType::Info, "partition", "partition-1: listener1 | n1,n2,n3")
        .at_ms(11_000)
        .play(1)
        .end(2, 0, 0);
    accepts(&cut_off, "audio_playback_resumes");
}

/// One concealed frame of five is a fifth; and the time between two frames that are heard is a gap
/// whatever filled it.
#[test]
fn concealment_has_a_stated_bound() {
    let mut run = Run::on_air();
    run.at_ms(2_000).play(0).conceal(1, "lost").play(2).play(3).at_ms(2_100).play(4);
    assert_eq!(
        verdict(&run, "audio_concealment", &[("max", 0.2), ("gap", 100_000.0)]),
        Verdict::Valid
    );
    let sentence = "listener1 had to conceal 1 of 5 frame times of session 1, more than 10 %";
    refuses_with(&run, "audio_concealment", &[("max", 0.1)], sentence);
    let sentence =
        "listener1 heard no frame of session 1 for 0.097 s from 2.003 s, more than 0.090 s";
    refuses_with(&run, "audio_concealment", &[("gap", 90_000.0)], sentence);
}

/// Six frames are what this listener has said to hold.
#[test]
fn a_jitter_buffer_has_a_bound() {
    let mut run = Run::on_air();
    run.depth(6);
    accepts(&run, "audio_buffer_bounded");
    run.depth(7);
    refuses(&run, "audio_buffer_bounded", "listener1 has 7 frames in its buffer, which holds 6");
}

/// The second frame came 16 ms later than it was meant to, which makes a jitter of 1 ms; the third
/// was as late as the second, which takes a sixteenth of it away; and the first frame of another
/// sender says nothing.
#[test]
fn jitter_is_that_of_the_arrivals() {
    let mut run = Run::on_air();
    run.arrival(N1, 0, 100, 0).arrival(N1, 20, 136, 1_000);
    let mut good = run.clone();
    good.arrival(N1, 40, 156, 937).arrival(N2, 60, 900, 937);
    accepts(&good, "audio_jitter");
    let mut bad = run;
    bad.arrival(N1, 40, 156, 1_000);
    refuses(
        &bad,
        "audio_jitter",
        "listener1 shows a jitter of 1000 µs, but its arrivals have 937 µs",
    );
}

/// 100 ms, 200 ms, 400 ms: each pause is twice the one before. A new series begins with attempt 1.
#[test]
fn searches_become_rarer() {
    let mut run = Run::on_air();
    run.at_ms(2_000).search(1, 100).at_ms(2_100).search(2, 200).at_ms(2_300).search(3, 400);
    let mut good = run.clone();
    good.at_ms(2_700).search(4, 800).at_ms(2_750).search(1, 100);
    accepts(&good, "audio_backoff");
    let mut bad = run;
    bad.at_ms(2_400).search(4, 100);
    refuses(
        &bad,
        "audio_backoff",
        "listener1 searches for the 4th time 0.100 s after the time before; 0.400 s would be right",
    );
}

/// Nine frames played and one lost are ten; a listener that counts ten as played has counted one
/// twice.
#[test]
fn counts_are_what_happened() {
    let mut run = Run::on_air();
    for frame in 0..9 {
        run.play(frame);
    }
    run.conceal(9, "underrun").conceal(9, "lost");
    let mut good = run.clone();
    good.end(9, 1, 2);
    accepts(&good, "audio_accounting");
    let mut bad = run;
    bad.end(10, 1, 2);
    refuses(
        &bad,
        "audio_accounting",
        "listener1 counts 10 frames as played in session 1, but there were 9",
    );
    let mut short = Run::on_air();
    short.play(0).end(1, 0, 0);
    refuses(
        &short,
        "audio_accounting",
        "listener1 ended session 1 of 10 frames after 1 played and 0 lost, from frame 0 on",
    );
}

/// Which song a session is need not be told: it is the one whose frames are heard. What streamers
/// say of listening is not evidence.
#[test]
fn a_session_is_the_song_that_is_heard() {
    let mut good = Run::new();
    good.play(0).play(2);
    good.event(N1, "play", &[("session", int(1)), ("frame", int(3)), ("digest", digest(9))]);
    accepts(&good, "audio_byte_exact");
    let mut bad = good.clone();
    bad.event(EAR, "play", &[("session", int(1)), ("frame", int(3)), ("digest", digest(4))]);
    refuses(
        &bad,
        "audio_byte_exact",
        "listener1 played frame 3 of session 1 with other samples than the song has there",
    );
    let mut noise = Run::new();
    noise.event(EAR, "play", &[("session", int(1)), ("frame", int(0)), ("digest", Value::Hash(5))]);
    refuses(
        &noise,
        "audio_byte_exact",
        "listener1 played frame 0 of session 1 with other samples than the song has there",
    );
    let mut told = Run::new();
    told.event(
        N1,
        "stored",
        &[("session", int(1)), ("upload", Value::Hash(99)), ("uploader", Value::Node(UPLOADER))],
    );
    told.event(EAR, "play", &[("session", int(1)), ("frame", int(3)), ("digest", digest(4))]);
    refuses(
        &told,
        "audio_byte_exact",
        "listener1 played frame 3 of session 1 with other samples than the song has there",
    );
}

/// The song is confirmed, and frames 0 up to this one are heard of it.
fn heard_up_to(frames: i64) -> Run {
    let mut run = Run::new();
    run.attempt().confirmed(3_000, 9);
    for frame in 0..frames {
        run.play(frame);
    }
    run
}

/// Ten seconds after healing every confirmed song was heard to its end; how much of it may be
/// missing is the scenario's to say. A listener that was cut off is not judged, and a song that
/// nobody confirmed is owed to nobody.
#[test]
fn a_confirmed_song_is_heard() {
    let mut good = heard_up_to(8);
    good.conceal(8, "lost").play(9).end(9, 1, 1);
    assert_eq!(verdict(&good, "audio_song_heard", &[("lost", 0.1)]), Verdict::Valid);
    let sentence =
        "listener1 has heard 9 of the 10 frames of the song of uploader, and no more followed";
    refuses_with(&good, "audio_song_heard", &[("lost", 0.05)], sentence);
    let sentence = "listener1 has not heard the song of uploader to its end by 20.000 s, although \
        it was confirmed";
    refuses(&heard_up_to(7), "audio_song_heard", sentence);
    refuses(&heard_up_to(0), "audio_song_heard", sentence);
    let mut cut_off = Run::new();
    cut_off
        .fault(OpType::Invoke, "partition", "partition-1: listener1 | n1,n2,n3")
        .attempt()
        .confirmed(3_000, 9);
    accepts(&cut_off, "audio_song_heard");
    let mut unconfirmed = Run::new();
    unconfirmed.attempt().play(0);
    accepts(&unconfirmed, "audio_song_heard");
    let on_its_way = verdict(&heard_up_to(7), "audio_song_heard", &[("within", 11_000_000.0)]);
    assert_eq!(on_its_way, Verdict::Valid, "its time is not over at the end of the run");
    let sentence = "listener1 has not heard the song of uploader to its end by 15.000 s, although \
        it was offered";
    refuses_with(&unconfirmed, "audio_song_heard", &[("by", 15_000_000.0)], sentence);
    let unknown = verdict(&unconfirmed, "audio_song_heard", &[("by", 21_000_000.0)]);
    assert!(matches!(unknown, Verdict::Unknown(_)), "the run ends too soon to tell: {unknown:?}");
}

/// Two sessions of one upload are one too many; those of two uploads of the same song are not.
#[test]
fn each_upload_is_one_session() {
    let mut good = Run::new();
    good.play_in(1, 0).play_in(1, 1);
    accepts(&good, "audio_one_session");
    let mut bad = good.clone();
    bad.play_in(2, 0);
    refuses(
        &bad,
        "audio_one_session",
        "the song of uploader is session 2, and was session 1 already",
    );
    let (other, mut two) = (Value::Hash(8), good);
    two.event(
        N3,
        "source",
        &[
            ("upload", other.clone()),
            ("size", int(3_000)),
            ("digest", Value::Hash(9)),
            ("frames", int(10)),
        ],
    );
    two.play_in(2, 0);
    refuses(
        &two,
        "audio_one_session",
        "the song of uploader is session 2, and was session 1 already",
    );
    two.event(
        UPLOADER,
        "source_frame",
        &[("upload", other), ("frame", int(0)), ("digest", digest(0))],
    );
    accepts(&two, "audio_one_session");
}

/// The second frame is 19 ms behind the first instead of 20, which the network does; the third is
/// 60 ms ahead of its time, which it does not.
#[test]
fn frames_come_in_their_time() {
    let mut run = Run::new();
    run.arrival(N1, 0, 100, 0).arrival(N1, 20, 119, 62);
    assert_eq!(verdict(&run, "audio_pacing", &[("ahead", 50_000.0)]), Verdict::Valid);
    run.arrival(N1, 80, 120, 62);
    let sentence = "a frame of session 1 came to listener1 from n1 0.060 s ahead of its time, and \
        0.050 s are allowed";
    refuses_with(&run, "audio_pacing", &[("ahead", 50_000.0)], sentence);
}

/// Frames of n1 go on coming first for so long after n2 shows that it leads, and nobody tells what
/// it sends.
fn two_are_heard_for(ms: u64) -> Run {
    let mut run = Run::new();
    run.shows_leader(N1, 1).at_ms(2_000).shows_leader(N2, 2);
    for i in 0..=ms / 20 {
        run.at_ms(2_010 + 20 * i).arrival(N1, 20, 20, 0);
    }
    run
}

/// What listeners get first tells of a deposed leader as well as its own words. And who is heard
/// shows that it leads, or faults aim at another.
#[test]
fn a_deposed_leader_is_no_longer_heard() {
    accepts(&two_are_heard_for(900), "audio_one_source");
    refuses(
        &two_are_heard_for(1_200),
        "audio_one_source",
        "listener1 hears n1 for 1.020 s, which does not show that it leads; n2 does",
    );
    let mut stepped_down = two_are_heard_for(900);
    stepped_down.crash(N2).shows_leader(N1, 3);
    for i in 0..100 {
        stepped_down.at_ms(3_000 + 20 * i).arrival(N1, 20, 20, 0);
    }
    accepts(&stepped_down, "audio_one_source");
    let mut unseen = Run::new();
    for i in 0..60 {
        unseen.at_ms(2_000 + 20 * i).arrival(N1, 20, 20, 0);
    }
    refuses(
        &unseen,
        "audio_one_source",
        "listener1 hears n1 for 1.020 s, which does not show that it leads; nobody does",
    );
}

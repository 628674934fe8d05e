//! The window: what it bounds, and what waits for it.

use super::*;

/// A node that is stopped for some time does not take what it was given. Its window fills, the peer
/// waits, and goes on when it goes on.
#[test]
fn bytes_that_a_node_has_not_taken_fill_its_window() {
    let spec = StreamSpec { window: 4_000, segment: 1_000, retries: 3, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, vec![9; 20_000]));
    let mut backlog = vec![];
    let end = net.now + ms(60_000);
    while net.step(end) {
        for event in net.take(SERVER) {
            let StreamEvent::Data(stream, bytes) = event else { panic!("{event:?}") };
            net.hosts[1].as_mut().expect("it is up").queued(stream, bytes.len() as u64);
            backlog.push(bytes.len() as u64);
        }
    }
    let waiting: u64 = backlog.iter().sum();
    assert!((4_000..=8_000).contains(&waiting), "{waiting}");
    for bytes in backlog {
        let mut out = vec![];
        net.hosts[1].as_mut().expect("it is up").taken(net.now, S1, bytes, &mut out);
        net.apply(SERVER, out);
    }
    net.run(ms(1_000));
    let rest = received(&net.take(SERVER), S1).0.len() as u64;
    assert_eq!(waiting + rest, 20_000);
}

/// A node that does not read makes its peer wait: what is sent and not read never exceeds the
/// window, and the probes keep the connection alive for as long as the pause lasts.
#[test]
fn a_reader_that_pauses_stops_the_writer_until_it_reads_again() {
    let spec = StreamSpec { window: 4_000, segment: 1_000, retries: 3, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.connected();
    net.op(SERVER, StreamOp::PauseReading(S1));
    net.op(CLIENT, StreamOp::Write(C1, vec![9; 20_000]));
    net.op(CLIENT, StreamOp::Close(C1));
    net.run(ms(600_000));
    assert_eq!((net.take(CLIENT), net.take(SERVER)), (vec![], vec![]));
    let data = net.sent.iter().filter(|(_, name)| *name == "DATA").count();
    assert!((5..100).contains(&data), "four segments and a probe now and then: {data}");
    net.op(SERVER, StreamOp::ResumeReading(S1));
    net.run(ms(1_000));
    assert_eq!(net.take(CLIENT), [StreamEvent::Writable(C1)]);
    let events = net.take(SERVER);
    let (bytes, others) = received(&events, S1);
    assert_eq!((bytes.len(), others), (20_000, vec![&StreamEvent::PeerClosed(S1)]));
}

/// A reader that pauses and goes on at drawn moments, with a window of few bytes, on a bad network:
/// no byte may be lost to a closed window.
#[test]
fn a_window_that_opens_and_closes_loses_nothing() {
    for seed in 0..300 {
        let mut net = Net::hostile(seed, StreamSpec { window: 150, fragment: 0.5, ..patient() });
        net.op(SERVER, StreamOp::Listen(PORT));
        let stream = net.connect();
        let sent = text(&mut Rng::named(seed, "text"), 2_000);
        net.op(CLIENT, StreamOp::Write(stream, sent.clone()));
        net.op(CLIENT, StreamOp::Close(stream));
        for _ in 0..400 {
            net.op(SERVER, StreamOp::PauseReading(S1));
            net.run(ms(200));
            net.op(SERVER, StreamOp::ResumeReading(S1));
            net.run(ms(200));
        }
        net.run(ms(1_000_000));
        let events = net.take(SERVER);
        let (bytes, others) = received(&events, S1);
        assert!(bytes == sent, "seed {seed}: {} bytes, {others:?}", bytes.len());
        assert_eq!(others.last(), Some(&&StreamEvent::PeerClosed(S1)), "seed {seed}");
    }
}

/// Without loss, what is on its way is at most the window: the sender waits for acknowledgements
/// even of a reader that reads immediately.
#[test]
fn the_window_bounds_what_is_on_its_way() {
    let spec = StreamSpec { window: 4_000, segment: 1_000, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, vec![9; 20_000]));
    assert_eq!(net.sent.len(), 4, "a window of segments leaves together");
    net.run(ms(10_000));
    assert_eq!(received(&net.take(SERVER), S1).0.len(), 20_000);
}

/// Connections whose handshake never ends take memory of the server; their number is bounded, and
/// time frees them.
#[test]
fn half_open_connections_are_bounded_and_pass() {
    let mut net = Net::new(1, StreamSpec { retries: 3, ..StreamSpec::default() });
    net.op(SERVER, StreamOp::Listen(PORT));
    for _ in 0..HALF_OPEN_MAX + 500 {
        net.connect();
    }
    // The SYNs are on their way; all answers are lost.
    net.cut = true;
    net.run(ms(100));
    assert_eq!(net.ends(SERVER), HALF_OPEN_MAX);
    net.run(ms(10_000));
    assert_eq!((net.ends(SERVER), net.ends(CLIENT)), (0, 0));
    net.cut = false;
    net.take(CLIENT);
    let last = net.connect();
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Connected(last)]);
}

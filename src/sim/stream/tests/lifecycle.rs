//! How connections begin and end.

use super::*;

/// RFC 9293, figure 6, then one write of each side, then figure 12: every segment of a short
/// connection.
#[test]
fn a_short_connection_is_the_dialogue_of_the_standard() {
    let mut net = Net::new(1, StreamSpec::default());
    net.op(SERVER, StreamOp::Listen(PORT));
    net.connect();
    net.run(ms(100));
    assert_eq!(net.sent, [(CLIENT, "SYN"), (SERVER, "SYN-ACK"), (CLIENT, "ACK")]);
    net.sent.clear();
    net.op(CLIENT, StreamOp::Write(C1, b"ping".to_vec()));
    net.run(ms(100));
    net.op(SERVER, StreamOp::Write(S1, b"pong".to_vec()));
    net.run(ms(100));
    assert_eq!(net.sent, [(CLIENT, "DATA"), (SERVER, "ACK"), (SERVER, "DATA"), (CLIENT, "ACK")]);
    net.sent.clear();
    net.op(CLIENT, StreamOp::Close(C1));
    net.run(ms(100));
    net.op(SERVER, StreamOp::Close(S1));
    net.run(ms(100));
    assert_eq!(net.sent, [(CLIENT, "FIN"), (SERVER, "ACK"), (SERVER, "FIN"), (CLIENT, "ACK")]);
}

/// A server that answers only when it has read everything relies on this: the other direction stays
/// open.
#[test]
fn a_half_closed_stream_still_carries_bytes_the_other_way() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, b"question".to_vec()));
    net.op(CLIENT, StreamOp::Close(C1));
    net.op(CLIENT, StreamOp::Write(C1, b"too late".to_vec()));
    net.run(ms(50));
    assert_eq!(
        net.take(SERVER),
        [StreamEvent::Data(S1, b"question".to_vec()), StreamEvent::PeerClosed(S1)]
    );
    net.op(SERVER, StreamOp::Write(S1, b"answer".to_vec()));
    net.op(SERVER, StreamOp::Close(S1));
    net.run(ms(50));
    assert_eq!(
        net.take(CLIENT),
        [StreamEvent::Data(C1, b"answer".to_vec()), StreamEvent::PeerClosed(C1)]
    );
}

/// Both FINs cross; each side must still learn of the other's.
#[test]
fn both_sides_may_close_at_once() {
    for seed in 0..200 {
        let mut net = Net::new(seed, StreamSpec { retries: 60, ..StreamSpec::default() });
        net.connected();
        net.loss = 0.3;
        net.op(CLIENT, StreamOp::Close(C1));
        net.op(SERVER, StreamOp::Close(S1));
        net.run(ms(1_000_000));
        assert_eq!(net.take(CLIENT), [StreamEvent::PeerClosed(C1)], "seed {seed}");
        assert_eq!(net.take(SERVER), [StreamEvent::PeerClosed(S1)], "seed {seed}");
        assert_eq!((net.ends(CLIENT), net.ends(SERVER)), (0, 0));
    }
}

/// A machine that runs, with nobody at the port, says so immediately: the program need not wait for a
/// time-out.
#[test]
fn a_port_without_a_listener_refuses() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connect();
    net.run(ms(1_000));
    assert_eq!(net.take(CLIENT), [StreamEvent::Refused(C1)]);
    assert_eq!(net.sent, [(CLIENT, "SYN"), (SERVER, "RST")]);
    assert_eq!(net.ends(CLIENT), 0);
}

/// A machine that is not there says nothing: time-outs of 200, 400, 800 ms …, the last of them
/// after the last retransmission.
#[test]
fn a_dead_host_is_found_by_the_time_outs_of_the_syn() {
    let spec = StreamSpec { retries: 3, ..StreamSpec::default() };
    let mut net = Net::new(1, spec);
    net.crash(SERVER);
    net.connect();
    net.run(ms(2_999));
    assert_eq!(net.take(CLIENT), []);
    assert_eq!(net.sent, [(CLIENT, "SYN"); 4]);
    net.run(ms(2));
    assert_eq!(net.take(CLIENT), [StreamEvent::TimedOut(C1)], "200 + 400 + 800 + 1600 ms");
    assert_eq!(net.ends(CLIENT), 0);
}

/// A partition shorter than the retransmissions last is only a delay.
#[test]
fn a_short_partition_delays_and_a_long_one_breaks() {
    let spec = StreamSpec { retries: 4, ..StreamSpec::default() };
    for (cut, survives) in [(ms(2_000), true), (ms(7_000), false)] {
        let mut net = Net::new(1, spec.clone());
        net.connected();
        net.cut = true;
        net.op(CLIENT, StreamOp::Write(C1, b"hello".to_vec()));
        net.run(cut);
        net.cut = false;
        net.run(ms(20_000));
        let (client, server) = (net.take(CLIENT), net.take(SERVER));
        if survives {
            assert_eq!((client, server), (vec![], vec![StreamEvent::Data(S1, b"hello".to_vec())]));
        } else {
            assert_eq!(
                (client, server),
                (vec![StreamEvent::TimedOut(C1)], vec![]),
                "the server has sent nothing and cannot know"
            );
        }
    }
}

/// The half-open connection of RFC 9293, 3.5.1: after a crash the peer learns when it sends, and
/// never otherwise.
#[test]
fn after_a_crash_the_peer_learns_when_it_sends_and_never_otherwise() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connected();
    let next_stream = net.crash(SERVER);
    net.restart(SERVER, next_stream);
    net.op(SERVER, StreamOp::Listen(PORT));
    net.run(ms(10_000_000));
    assert_eq!(net.take(CLIENT), []);
    net.op(CLIENT, StreamOp::Write(C1, b"are you there?".to_vec()));
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Reset(C1)]);
    net.op(CLIENT, StreamOp::Write(C1, b"ignored".to_vec()));
    net.connect();
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Connected(StreamId(2))], "a new connection stands");
    assert_eq!(
        net.take(SERVER),
        [StreamEvent::Accepted { stream: StreamId(2), from: CLIENT, port: PORT }]
    );
}

/// A program that breaks a connection off is seen by its peer immediately, with what it had sent
/// before.
#[test]
fn a_reset_reaches_the_peer_after_the_bytes_before_it() {
    let mut net = Net::new(1, StreamSpec { fragment: 1.0, ..StreamSpec::default() });
    net.connected();
    net.op(CLIENT, StreamOp::Write(C1, b"abc".to_vec()));
    net.op(CLIENT, StreamOp::Reset(C1));
    net.run(ms(100));
    let events = net.take(SERVER);
    let (bytes, others) = received(&events, S1);
    assert_eq!((bytes.as_slice(), others), (b"abc".as_slice(), vec![&StreamEvent::Reset(S1)]));
    assert_eq!((net.ends(CLIENT), net.ends(SERVER)), (0, 0));
}

/// After an exit the machine delivers what was written, closes the connections and refuses new
/// ones; the process hears no more.
#[test]
fn the_machine_says_good_bye_for_a_process_that_has_ended() {
    let mut net = Net::new(1, patient());
    net.connected();
    net.loss = 0.3;
    net.op(SERVER, StreamOp::Write(S1, vec![5; 3_000]));
    let mut out = vec![];
    net.hosts[1].as_mut().expect("it is up").process_ended(net.now, &mut out);
    net.apply(SERVER, out);
    net.run(ms(30_000));
    let events = net.take(CLIENT);
    let (bytes, others) = received(&events, C1);
    assert_eq!((bytes.len(), others), (3_000, vec![&StreamEvent::PeerClosed(C1)]));
    net.loss = 0.0;
    net.op(CLIENT, StreamOp::Write(C1, b"nobody reads this".to_vec()));
    net.connect();
    net.run(ms(100));
    assert_eq!(net.take(CLIENT), [StreamEvent::Reset(C1), StreamEvent::Refused(StreamId(2))]);
    assert_eq!(net.take(SERVER), []);
    assert_eq!(net.ends(SERVER), 0);
}

/// A node may connect to itself, as programs do that are given one address for all.
#[test]
fn a_node_can_connect_to_itself() {
    let mut net = Net::new(1, StreamSpec::default());
    net.op(CLIENT, StreamOp::Listen(PORT));
    let host = net.hosts[0].as_mut().expect("it is up");
    host.next_stream += 1;
    net.op(CLIENT, StreamOp::Connect { stream: C1, dest: CLIENT, port: PORT });
    net.op(CLIENT, StreamOp::Write(C1, b"me".to_vec()));
    net.run(ms(100));
    let (there, here) = (StreamId(2), CLIENT);
    let expected = [
        StreamEvent::Connected(C1),
        StreamEvent::Accepted { stream: there, from: here, port: PORT },
        StreamEvent::Data(there, b"me".to_vec()),
    ];
    assert_eq!(net.take(CLIENT), expected);
}

//! Each byte once and in order, whatever the network does.

use super::*;

/// Run a whole conversation through a network of this seed: both write in drawn portions and close.
/// Returns the net when all is over.
fn conversation(seed: u64, spec: StreamSpec, length: usize) -> (Net, [Vec<u8>; 2]) {
    let mut net = Net::hostile(seed, spec);
    let mut rng = Rng::named(seed, "texts");
    net.op(SERVER, StreamOp::Listen(PORT));
    let stream = net.connect();
    let texts = [text(&mut rng, length), text(&mut rng, length / 2)];
    let mut written = [0, 0];
    let mut accepted = false;
    for _ in 0..100_000 {
        accepted |= net.events[SERVER.index()]
            .iter()
            .any(|event| matches!(event, StreamEvent::Accepted { .. }));
        for node in [CLIENT, SERVER] {
            let i = node.index();
            let end = if node == CLIENT { stream } else { S1 };
            let may_write = node == CLIENT || accepted;
            if may_write && written[i] < texts[i].len() && rng.chance(0.3) {
                let size = rng.between(1, 500).min((texts[i].len() - written[i]) as u64) as usize;
                net.op(
                    node,
                    StreamOp::Write(end, texts[i][written[i]..written[i] + size].to_vec()),
                );
                written[i] += size;
                if written[i] == texts[i].len() {
                    net.op(node, StreamOp::Close(end));
                }
            }
        }
        let forever = net.now + ms(10_000_000);
        if !net.step(forever) && written[0] == texts[0].len() && written[1] == texts[1].len() {
            return (net, texts);
        }
    }
    panic!("seed {seed}: the conversation does not end");
}

/// What a stream is: each byte once, in order, and then the end; whatever the network does.
/// Afterwards nothing is left of it.
#[test]
fn bytes_arrive_once_and_in_order_whatever_the_network_does() {
    for seed in 0..3_000 {
        let fragment = if seed % 2 == 0 { 0.0 } else { 0.7 };
        let (mut net, texts) = conversation(seed, StreamSpec { fragment, ..patient() }, 5_000);
        for (node, other, end) in [(CLIENT, 1, C1), (SERVER, 0, S1)] {
            let events = net.take(node);
            let (bytes, others) = received(&events, end);
            assert!(bytes == texts[other], "seed {seed}: {node:?} got other bytes");
            assert_eq!(
                others.iter().filter(|event| matches!(event, StreamEvent::PeerClosed(_))).count(),
                1,
                "seed {seed}: {others:?}"
            );
            assert!(
                !others
                    .iter()
                    .any(|event| matches!(event, StreamEvent::Reset(_) | StreamEvent::TimedOut(_))),
                "seed {seed}: {others:?}"
            );
            assert_eq!(net.ends(node), 0, "seed {seed}: an end is left");
        }
        assert!(
            net.hosts.iter().flatten().all(|host| host.answered.is_empty() && host.half_open == 0)
        );
    }
}

/// A run is a function of its seed, so the same seed gives the same segments and the same pieces.
#[test]
fn the_same_seed_gives_the_same_conversation() {
    let spec = StreamSpec { fragment: 0.5, ..patient() };
    let (first, _) = conversation(7, spec.clone(), 3_000);
    let (second, _) = conversation(7, spec, 3_000);
    assert_eq!(first.events, second.events);
    assert_eq!(first.sent, second.sent);
    assert_eq!(first.now, second.now);
}

/// Fragmentation cuts elsewhere and changes nothing else; with it, pieces begin and end at other
/// places than segments.
#[test]
fn fragmentation_moves_the_cuts_and_keeps_the_bytes() {
    let mut streams = vec![];
    for fragment in [0.0, 1.0] {
        let mut net = Net::new(3, StreamSpec { fragment, ..patient() });
        net.connected();
        for i in 0..20 {
            net.op(CLIENT, StreamOp::Write(C1, vec![i; 50]));
            net.run(ms(3));
        }
        net.op(CLIENT, StreamOp::Close(C1));
        net.run(ms(1_000));
        let events = net.take(SERVER);
        let pieces: Vec<usize> = events
            .iter()
            .filter_map(|event| {
                if let StreamEvent::Data(_, bytes) = event { Some(bytes.len()) } else { None }
            })
            .collect();
        streams.push((received(&events, S1).0, pieces));
    }
    assert_eq!(streams[0].0, streams[1].0);
    assert_eq!(streams[0].1, [50; 20]);
    let cut = &streams[1].1;
    assert!(cut.iter().any(|size| *size < 10) && cut.iter().any(|size| *size > 50), "{cut:?}");
}

/// A segment of the connection before the crash must never fit one after it, however long the
/// network keeps it.
#[test]
fn segments_of_a_dead_incarnation_fit_no_new_connection() {
    for seed in 0..500 {
        let mut net = Net::hostile(seed, patient());
        net.delay = (ms(1), ms(3_000));
        net.op(SERVER, StreamOp::Listen(PORT));
        let old = net.connect();
        net.op(CLIENT, StreamOp::Write(old, vec![1; 3_000]));
        net.run(ms(5_000));
        let (next_client, next_server) = (net.crash(CLIENT), net.crash(SERVER));
        net.restart(CLIENT, next_client);
        net.restart(SERVER, next_server);
        net.op(SERVER, StreamOp::Listen(PORT));
        net.take(SERVER);
        let new = net.connect();
        net.op(CLIENT, StreamOp::Write(new, vec![2; 1_000]));
        net.op(CLIENT, StreamOp::Close(new));
        net.run(ms(200_000));
        let mut streams: BTreeMap<StreamId, Vec<u8>> = BTreeMap::new();
        for event in net.take(SERVER) {
            if let StreamEvent::Data(stream, bytes) = event {
                streams.entry(stream).or_default().extend(bytes);
            }
        }
        assert_eq!(streams.into_values().collect::<Vec<_>>(), [vec![2; 1_000]], "seed {seed}");
    }
}

/// A single loss is repaired by the acknowledgements of the segments after it, long before the
/// time-out of 200 ms.
#[test]
fn three_duplicate_acknowledgements_repair_a_loss_before_the_time_out() {
    let mut net = Net::new(1, StreamSpec { segment: 100, ..StreamSpec::default() });
    net.connected();
    net.cut = true;
    net.op(CLIENT, StreamOp::Write(C1, vec![0; 100]));
    net.cut = false;
    net.op(CLIENT, StreamOp::Write(C1, vec![1; 400]));
    net.run(ms(21));
    assert_eq!(received(&net.take(SERVER), S1).0.len(), 500);
}

/// Deadlines move with every acknowledgement; were each of them a timer of its own, the driver's
/// heap would be full of them.
#[test]
fn a_busy_stream_needs_few_timers() {
    let mut net = Net::new(1, StreamSpec::default());
    net.connected();
    let mut timers = 0;
    for _ in 0..1_000 {
        net.op(CLIENT, StreamOp::Write(C1, vec![0; 100]));
        net.run(ms(5));
        timers =
            timers.max(net.queue.values().filter(|due| matches!(due, Due::Timer { .. })).count());
    }
    assert!(timers <= 2, "{timers} timers at the same time");
}

/// A port that a copy of an old SYN reaches after the connection is over makes an end that its peer
/// disowns; the node never hears of it.
#[test]
fn a_late_copy_of_a_syn_opens_nothing() {
    let mut net = Net::new(1, StreamSpec::default());
    net.op(SERVER, StreamOp::Listen(PORT));
    net.connect();
    let syn = net.queue.values().find_map(|due| match due {
        Due::Arrives { segment, .. } => Some(segment.clone()),
        Due::Timer { .. } => None,
    });
    net.run(ms(100));
    net.op(CLIENT, StreamOp::Close(C1));
    net.op(SERVER, StreamOp::Close(S1));
    net.run(ms(1_000_000));
    net.take(SERVER);
    assert_eq!((net.ends(CLIENT), net.ends(SERVER)), (0, 0));
    net.push(
        net.now,
        Due::Arrives { dest: SERVER, from: CLIENT, segment: syn.expect("it is on its way") },
    );
    net.run(ms(1_000_000));
    assert_eq!((net.take(SERVER), net.ends(SERVER)), (vec![], 0));
}

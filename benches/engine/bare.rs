//! The floor: a hand-written loop over a binary heap, with the same random draws and nothing else.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use seedbed::rng::Rng;
use seedbed::scenario::Latency;

/// Messages in flight for each node.
pub const WINDOW: u64 = 4;

/// The latency of every link.
pub fn latency() -> Latency {
    Latency::Lognormal {
        median: Duration::from_millis(5),
        p99: Duration::from_millis(25),
        min: Duration::ZERO,
    }
}

/// The loss of every link. A node sends anew every 100 ms, so that the game never dies out.
pub const LOSS: f64 = 0.01;

pub fn ping_pong(nodes: u32, messages: u64) -> u64 {
    let mut rngs: Vec<Rng> =
        (0..nodes).map(|node| Rng::named(1, &format!("network:{node}"))).collect();
    let mut heap: BinaryHeap<Reverse<(u64, u64, u32, u64)>> = BinaryHeap::new();
    let latency = latency();
    let mut serial = 0;
    let mut delivered = 0;
    let mut received = vec![0_u64; nodes as usize];
    let mut send = |heap: &mut BinaryHeap<_>, now: u64, node: u32, payload: u64| {
        let rng = &mut rngs[node as usize];
        let dest = rng.below(u64::from(nodes)) as u32;
        // A lost message is replaced immediately here; the draws are the same.
        let _ = rng.chance(LOSS);
        let at = now + latency.draw(rng).as_nanos() as u64;
        heap.push(Reverse((at, serial, dest, payload)));
        serial += 1;
    };
    for node in 0..nodes {
        for _ in 0..WINDOW {
            send(&mut heap, 0, node, 0);
        }
    }
    while delivered < messages {
        let Reverse((now, _, node, payload)) = heap.pop().expect("the game goes on");
        delivered += 1;
        received[node as usize] += payload & 1;
        send(&mut heap, now, node, payload + 1);
    }
    std::hint::black_box(received);
    delivered
}

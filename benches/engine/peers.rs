//! The same game in madsim's own network and in turmoil, each in the way its documentation shows.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use madsim::net::Endpoint;
use madsim::rand::{Rng as _, thread_rng};
use madsim::runtime::{Handle, Runtime};

/// On a thread of its own, like every run of ours.
pub fn madsim_ping_pong(nodes: u64, messages: u64) -> u64 {
    std::thread::spawn(move || Runtime::new().block_on(madsim_game(nodes, messages)))
        .join()
        .expect("no panic")
}

async fn madsim_game(nodes: u64, messages: u64) -> u64 {
    let handle = Handle::current();
    let delivered = Arc::new(AtomicU64::new(0));
    let address = |node: u64| SocketAddr::from(([10, 0, 0, node as u8 + 1], 1));
    for node in 0..nodes {
        let delivered = delivered.clone();
        let machine = handle.create_node().ip(address(node).ip()).build();
        machine.spawn(async move {
            let endpoint = Endpoint::bind(address(node)).await.expect("the address is free");
            madsim::time::sleep(Duration::from_millis(1)).await;
            let dest = address(thread_rng().gen_range(0..nodes));
            endpoint.send_to(dest, 1, &[0; 64]).await.expect("sends");
            let mut buffer = [0; 64];
            loop {
                endpoint.recv_from(1, &mut buffer).await.expect("receives");
                delivered.fetch_add(1, Ordering::Relaxed);
                let dest = address(thread_rng().gen_range(0..nodes));
                endpoint.send_to(dest, 1, &buffer).await.expect("sends");
            }
        });
    }
    while delivered.load(Ordering::Relaxed) < messages {
        madsim::time::sleep(Duration::from_millis(100)).await;
    }
    delivered.load(Ordering::Relaxed)
}

pub fn turmoil_ping_pong(nodes: u64, messages: u64) -> u64 {
    let mut sim = turmoil::Builder::new()
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(10))
        .simulation_duration(Duration::from_secs(100_000))
        .udp_capacity(4_096)
        .build();
    let delivered = Rc::new(Cell::new(0_u64));
    for node in 0..nodes {
        let delivered = delivered.clone();
        sim.host(format!("n{node}"), move || {
            let delivered = delivered.clone();
            async move {
                let socket =
                    turmoil::net::UdpSocket::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), 1)).await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
                let mut next = node;
                next = (next * 7 + 3) % nodes;
                socket.send_to(&[0; 64], (format!("n{next}"), 1)).await?;
                let mut buffer = [0; 64];
                loop {
                    socket.recv_from(&mut buffer).await?;
                    delivered.set(delivered.get() + 1);
                    next = (next * 7 + 3 + delivered.get()) % nodes;
                    socket.send_to(&buffer, (format!("n{next}"), 1)).await?;
                }
            }
        });
    }
    while delivered.get() < messages {
        sim.step().expect("turmoil goes on");
    }
    delivered.get()
}

//! Membership: each node has an ephemeral znode, and watches those of all.
//!
//! A znode is removed with the session of its creator, so the list of children is the list of live
//! nodes as the ensemble sees it.

use seedbed_node::zookeeper::{Answer, CreateMode, Event, ZooKeeper};
use seedbed_node::{Ctx, Node, Value, run};

const ENSEMBLE: [&str; 3] = ["zk1", "zk2", "zk3"];
const MEMBERS: &str = "/members";

pub(crate) struct Member {
    zk: ZooKeeper,
    /// The session that created this node's znode.
    known: u64,
}

impl Default for Member {
    fn default() -> Member {
        Member { zk: ZooKeeper::new(&ENSEMBLE, 2.0), known: 0 }
    }
}

impl Member {
    fn handle_events(&mut self, ctx: &mut Ctx) {
        while let Some(event) = self.zk.next_event() {
            match event {
                Event::Connected if self.zk.session() != self.known => self.join(ctx),
                // The watch is still set, but an event from before the connection was lost may have
                // been lost too.
                Event::Connected | Event::Watch { .. } => {
                    self.zk.children(ctx, MEMBERS, true);
                }
                Event::Expired => {
                    ctx.show("members", 0);
                    self.zk.open(ctx);
                }
                Event::Reply { outcome: Ok(Answer::Children(names, _)), .. } => {
                    ctx.show("members", names.len())
                }
                Event::Reply { .. } | Event::Disconnected | Event::Closed => {}
            }
        }
    }

    fn join(&mut self, ctx: &mut Ctx) {
        self.known = self.zk.session();
        self.zk.create(ctx, MEMBERS, "", CreateMode::Persistent);
        let path = format!("{MEMBERS}/{}-", ctx.name());
        self.zk.create(ctx, &path, "", CreateMode::EphemeralSequential);
        self.zk.sync(ctx);
        self.zk.children(ctx, MEMBERS, true);
    }
}

impl Node for Member {
    type Message = Value;

    fn on_init(&mut self, ctx: &mut Ctx) {
        ctx.show("members", 0);
        self.zk.open(ctx);
        self.handle_events(ctx);
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Value) {
        if self.zk.on_message(ctx, src, &message) {
            self.handle_events(ctx);
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        if self.zk.on_timer(ctx, name) {
            self.handle_events(ctx);
        }
    }
}

#[allow(dead_code)]
fn main() {
    run(|_start| Member::default());
}

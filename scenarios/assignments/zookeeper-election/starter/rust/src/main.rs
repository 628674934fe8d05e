//! Elect with ephemeral znodes: a skeleton. It opens a session and contends for nothing;
//! instructions.en.md and instructions.es.md describe the task.

use seedbed_node::zookeeper::{CreateMode, Event, ZooKeeper};
use seedbed_node::{Ctx, Node, Value, run};

const ENSEMBLE: [&str; 3] = ["zk1", "zk2", "zk3"];
const SESSION_TIMEOUT_S: f64 = 2.0;
const ELECTION: &str = "/election";
const MEASUREMENTS: &str = "/my/favorite";

struct Instance {
    zk: ZooKeeper,
}

impl Instance {
    /// What has happened to the session since it was last looked at.
    fn handle_events(&mut self, ctx: &mut Ctx) {
        while let Some(event) = self.zk.next_event() {
            match event {
                Event::Connected => {
                    // TODO: the same session as before, or a new one? see self.zk.session().
                    for path in ["/my", MEASUREMENTS, ELECTION] {
                        self.zk.create(ctx, path, "", CreateMode::Persistent);
                    }
                    // TODO: create a znode in the election, and see who is first.
                }
                // TODO: stop leading.
                Event::Disconnected => {}
                // TODO: open another session.
                Event::Expired | Event::Closed => {}
                // TODO: `xid` is the number that the request has returned.
                Event::Reply { .. } => {}
                // TODO: the predecessor is gone: look at the line again.
                Event::Watch { .. } => {}
            }
        }
    }
}

impl Node for Instance {
    /// Messages of the ensemble and of the balancer.
    type Message = Value;

    /// The process starts, for the first time or after a crash.
    fn on_init(&mut self, ctx: &mut Ctx) {
        ctx.show("role", "outside");
        self.zk.open(ctx);
    }

    fn on_message(&mut self, ctx: &mut Ctx, src: &str, message: Value) {
        if self.zk.on_message(ctx, src, &message) {
            return self.handle_events(ctx);
        }
        // TODO: HttpResponse: the mean has arrived.
    }

    fn on_timer(&mut self, ctx: &mut Ctx, name: &str) {
        if self.zk.on_timer(ctx, name) {
            return self.handle_events(ctx);
        }
        // TODO: every second a measurement; and if this instance leads, a mean, to be sent to
        // "balancer".
    }

    fn on_command(&mut self, _ctx: &mut Ctx, _command: &str) {
        // TODO: "leave": close the session, and start over.
    }
}

fn main() {
    run(|_start| Instance { zk: ZooKeeper::new(&ENSEMBLE, SESSION_TIMEOUT_S) });
}

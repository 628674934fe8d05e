"""Elect with ephemeral znodes: a skeleton. It opens a session and contends for nothing; instructions.en.md and instructions.es.md describe the task."""

import seedbed
from seedbed_zookeeper import PERSISTENT, ZooKeeper

ENSEMBLE = ["zk1", "zk2", "zk3"]
BALANCER = "balancer"
ELECTION = "/election"
MEASUREMENTS = "/my/favorite"
PERIOD = 1.0


class Instance(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash."""
        self.zk = ZooKeeper(self, ENSEMBLE, on_state=self.on_state, on_watch=self.on_watch)
        self.leads = False
        self.show("role", "outside")
        self.zk.open()

    def on_state(self, state):
        if state == "connected":
            # TODO: the same session as before, or a new one? see self.zk.session.
            for path in ("/my", MEASUREMENTS, ELECTION):
                self.zk.create(path, "", PERSISTENT)
            # TODO: create a znode in the election, and see who is first.
        # TODO: "disconnected": stop leading. "expired" and "closed": open another session.

    def on_watch(self, kind, path):
        # TODO: the predecessor is gone: look at the line again.
        pass

    def on_message(self, src, message):
        if self.zk.on_message(src, message):
            return
        # TODO: HttpResponse: the mean has arrived.

    def on_timer(self, name):
        if self.zk.on_timer(name):
            return
        # TODO: every PERIOD a measurement; and if this instance leads, a mean.

    def on_command(self, command):
        # TODO: "leave": close the session, and start over.
        pass


seedbed.run(Instance)

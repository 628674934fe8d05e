"""Membership: each node has an ephemeral znode, and watches those of all.

A znode is removed with the session of its creator, so the list of children is the list of live nodes as the ensemble sees it.
"""

import seedbed
from seedbed_zookeeper import EPHEMERAL_SEQUENTIAL, ZooKeeper

ENSEMBLE = ["zk1", "zk2", "zk3"]
MEMBERS = "/members"


class Member(seedbed.Node):
    def on_init(self):
        self.show("members", 0)
        # The session that created this node's znode.
        self.known = 0
        self.zk = ZooKeeper(self, ENSEMBLE, on_state=self.on_state, on_watch=self.on_watch)
        self.zk.open()

    def on_state(self, state):
        if state == "connected" and self.zk.session != self.known:
            self.join()
        elif state == "connected":
            # The watch is still set, but an event from before the connection was lost may have been
            # lost too.
            self.look()
        elif state == "expired":
            self.show("members", 0)
            self.zk.open()

    def join(self):
        self.known = self.zk.session
        self.zk.create(MEMBERS)
        self.zk.create("%s/%s-" % (MEMBERS, self.name), "", EPHEMERAL_SEQUENTIAL)
        self.zk.sync()
        self.look()

    def look(self):
        self.zk.children(MEMBERS, watch=True, then=self.on_children)

    def on_children(self, reply):
        if reply.names is not None:
            self.show("members", len(reply.names))

    def on_watch(self, kind, path):
        self.look()

    def on_message(self, src, message):
        self.zk.on_message(src, message)

    def on_timer(self, name):
        self.zk.on_timer(name)


seedbed.run(Member)

"""Elect a leader with Raft: a skeleton. It starts and does nothing yet; instructions.en.md and instructions.es.md describe the task."""

import seedbed

HEARTBEAT = 0.050
ELECTION_TIMEOUT = (0.150, 0.300)


class Server(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash. self.name is this server, self.peers are the others."""
        self.current_term = 0
        self.voted_for = None
        # TODO: after a crash, continue with what was saved: self.saved.get("state").
        self.observe("term", term=self.current_term)
        self.become("follower", leader=None)
        self.wait_for_leader()

    def become(self, role, leader):
        self.role = role
        self.leader = leader
        self.show("role", role)

    def wait_for_leader(self):
        # TODO: a random time, drawn afresh each time: self.random.uniform(low, high).
        self.set_timer("election", ELECTION_TIMEOUT[1])

    def on_timer(self, name):
        if name == "election":
            # TODO: become a candidate: the next term, a vote for itself, saved, and self.broadcast({"type": "RequestVote", ...}).
            self.wait_for_leader()
        # TODO: a leader sends heartbeats.

    def on_message(self, src, message):
        if message["type"] == "ClientRequest":
            self.on_client_request(src, message)
        # TODO: a higher term; RequestVote and its answer; heartbeats.

    def on_client_request(self, src, message):
        reply = {"type": "ClientReply", "serial": message["serial"]}
        if self.role == "leader":
            reply["value"] = "nil"
        else:
            reply["not_leader"] = self.leader
        self.send(src, reply)


seedbed.run(Server)

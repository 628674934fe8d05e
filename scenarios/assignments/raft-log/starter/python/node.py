"""Replicate the log with Raft: a skeleton. It starts and leads nobody; instructions.en.md and instructions.es.md describe the task.

Replace the placeholder for elections with your solution of raft-election.
"""

import seedbed

HEARTBEAT = 0.050
ELECTION_TIMEOUT = (0.150, 0.300)


class Server(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash. What was saved is in self.saved."""
        self.current_term = 0
        self.voted_for = None
        self.log = []  # TODO: the entries that were saved; the first one has the index 1.
        self.commit_index = 0
        self.last_applied = 0
        self.store = {}
        self.become("follower", leader=None)

    def become(self, role, leader):
        self.role = role
        self.leader = leader
        self.show("role", role)

    def on_timer(self, name):
        pass  # TODO: elections and heartbeats.

    def on_message(self, src, message):
        if message["type"] == "ClientRequest":
            self.on_client_request(src, message)
        # TODO: RequestVote, AppendEntries, and their answers.

    def on_client_request(self, src, message):
        if self.role != "leader":
            self.send(src, {"type": "ClientReply", "serial": message["serial"], "not_leader": self.leader})
        # TODO: append an entry with the client's name and serial number, save it, send it to self.peers; answer when it is applied.

    def apply_committed(self):
        """Apply the entries up to commit_index, one after the other."""
        while self.last_applied < self.commit_index:
            self.last_applied += 1
            entry = self.log[self.last_applied - 1]
            self.observe("apply", index=self.last_applied, term=entry["term"], client=entry["client"], serial=entry["serial"])
            # TODO: execute it, unless this client's request has been executed already; the leader answers.

    def execute(self, entry):
        key, value = entry["key"], self.store.get(entry["key"], "nil")
        if entry["op"] == "read":
            return value
        if entry["op"] == "cas" and value != entry["expected"]:
            return "mismatch"
        if entry["op"] == "append" and value != "nil":
            self.store[key] = value + "," + entry["value"]
        else:
            self.store[key] = entry["value"]
        return "ok"


seedbed.run(Server)

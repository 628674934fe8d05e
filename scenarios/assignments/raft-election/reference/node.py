"""Leader election as in Raft (Ongaro and Ousterhout 2014, section 5.2 and Figure 2), without a log.

The state variables have the names of Figure 2. What a server must not forget is saved before anyone hears of it.
"""

import seedbed

HEARTBEAT = 0.050
ELECTION_TIMEOUT = (0.150, 0.300)


class Server(seedbed.Node):
    # Start and restart.

    def on_init(self):
        state = self.saved.get("state", {"current_term": 0, "voted_for": None})
        self.current_term = state["current_term"]
        self.voted_for = state["voted_for"]
        self.votes = set()
        self.observe("term", term=self.current_term)
        self.become("follower", leader=None)
        self.wait_for_leader()

    # The three roles.

    def become(self, role, leader):
        self.role = role
        self.leader = leader
        self.show("role", role)
        self.show("current_term", self.current_term)

    def enter_term(self, term):
        """A higher term has come: forget the vote of the old one, and follow (section 5.1)."""
        self.current_term = term
        self.voted_for = None
        self.save_state()
        self.observe("term", term=term)
        if self.role == "leader":
            # Only a leader has no election timer. A follower's runs on: whoever is refused a vote must not keep others from standing.
            self.cancel_timer("heartbeat")
            self.wait_for_leader()
        self.become("follower", leader=None)

    def stand_for_election(self):
        self.current_term += 1
        self.voted_for = self.name
        self.votes = {self.name}
        self.save_state()
        self.observe("term", term=self.current_term)
        self.observe("vote", term=self.current_term, candidate=self.name)
        self.become("candidate", leader=None)
        self.wait_for_leader()
        self.broadcast({"type": "RequestVote", "term": self.current_term})

    def become_leader(self):
        self.observe("leader", term=self.current_term)
        self.become("leader", leader=self.name)
        self.cancel_timer("election")
        self.send_heartbeats()

    # Timers.

    def wait_for_leader(self):
        """A new timeout each time, so that few servers stand at once (section 5.2)."""
        self.set_timer("election", self.random.uniform(*ELECTION_TIMEOUT))

    def send_heartbeats(self):
        self.broadcast({"type": "Heartbeat", "term": self.current_term})
        self.set_timer("heartbeat", HEARTBEAT)

    def on_timer(self, name):
        if name == "election":
            self.stand_for_election()
        elif name == "heartbeat":
            self.send_heartbeats()

    # Messages.

    def on_message(self, src, message):
        if message["type"] == "ClientRequest":
            self.on_client_request(src, message)
            return
        if message["term"] > self.current_term:
            self.enter_term(message["term"])
        if message["type"] == "RequestVote":
            self.on_request_vote(src, message)
        elif message["type"] == "Vote":
            self.on_vote(src, message)
        elif message["type"] == "Heartbeat":
            self.on_heartbeat(src, message)

    def on_request_vote(self, src, message):
        granted = message["term"] == self.current_term and self.voted_for in (None, src)
        if granted:
            if self.voted_for is None:
                self.voted_for = src
                self.save_state()
                self.observe("vote", term=self.current_term, candidate=src)
            self.wait_for_leader()
        self.send(src, {"type": "Vote", "term": self.current_term, "granted": granted})

    def on_vote(self, src, message):
        if self.role != "candidate" or message["term"] != self.current_term or not message["granted"]:
            return
        self.votes.add(src)
        if len(self.votes) > (len(self.peers) + 1) // 2:
            self.become_leader()

    def on_heartbeat(self, src, message):
        if message["term"] == self.current_term:
            self.become("follower", leader=src)
            self.wait_for_leader()
        else:
            # Its sender leads an old term, and learns so by the answer.
            self.send(src, {"type": "Vote", "term": self.current_term, "granted": False})

    def on_client_request(self, src, message):
        reply = {"type": "ClientReply", "serial": message["serial"]}
        if self.role == "leader":
            reply["value"] = "nil"
        else:
            reply["not_leader"] = self.leader
        self.send(src, reply)

    # The disk.

    def save_state(self):
        """Messages and observations that follow leave once this is on the disk."""
        self.save("state", {"current_term": self.current_term, "voted_for": self.voted_for})


seedbed.run(Server)

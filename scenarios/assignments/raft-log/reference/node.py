"""A linearizable key-value store on a replicated log: Raft as in Figure 2 (Ongaro and Ousterhout 2014), without snapshots.

All client operations go through the log, including reads. The state variables have the names of Figure 2; indices start at 1.
"""

import seedbed

HEARTBEAT = 0.050
ELECTION_TIMEOUT = (0.150, 0.300)
ENTRIES_MAX = 50


class Server(seedbed.Node):
    # Start and restart.

    def on_init(self):
        state = self.saved.get("state", {"current_term": 0, "voted_for": None})
        self.current_term = state["current_term"]
        self.voted_for = state["voted_for"]
        self.log = []
        while "entry/%d" % (len(self.log) + 1) in self.saved:
            self.log.append(self.saved["entry/%d" % (len(self.log) + 1)])
        # The state machine is built up again from the log.
        self.commit_index = 0
        self.last_applied = 0
        self.store = {}
        self.answers = {}
        self.votes = set()
        self.next_index = {}
        self.match_index = {}
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
        last = len(self.log)
        self.broadcast({"type": "RequestVote", "term": self.current_term, "last_index": last, "last_term": self.term_at(last)})

    def become_leader(self):
        self.observe("leader", term=self.current_term)
        self.become("leader", leader=self.name)
        self.cancel_timer("election")
        self.next_index = {peer: len(self.log) + 1 for peer in self.peers}
        self.match_index = {peer: 0 for peer in self.peers}
        # An entry of the new term commits the older ones that are on a majority, also while no client asks (section 8).
        self.append({"term": self.current_term, "client": None, "serial": 0, "op": "nothing"})
        self.replicate()

    # Timers.

    def wait_for_leader(self):
        self.set_timer("election", self.random.uniform(*ELECTION_TIMEOUT))

    def on_timer(self, name):
        if name == "election":
            self.stand_for_election()
        elif name == "heartbeat":
            self.replicate()

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
        elif message["type"] == "AppendEntries":
            self.on_append_entries(src, message)
        elif message["type"] == "Appended":
            self.on_appended(src, message)

    # Elections.

    def on_request_vote(self, src, message):
        last = len(self.log)
        up_to_date = (message["last_term"], message["last_index"]) >= (self.term_at(last), last)
        granted = message["term"] == self.current_term and self.voted_for in (None, src) and up_to_date
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
        if len(self.votes) >= self.majority():
            self.become_leader()

    def majority(self):
        return (len(self.peers) + 1) // 2 + 1

    # Replication: the leader's side.

    def replicate(self):
        for peer in self.peers:
            self.send_entries(peer)
        self.set_timer("heartbeat", HEARTBEAT)

    def send_entries(self, peer):
        """Entries from next_index on, or none: a heartbeat is a message like any other."""
        previous = self.next_index[peer] - 1
        self.send(peer, {
            "type": "AppendEntries",
            "term": self.current_term,
            "prev_index": previous,
            "prev_term": self.term_at(previous),
            "entries": self.log[previous:previous + ENTRIES_MAX],
            "commit_index": self.commit_index,
        })

    def on_appended(self, src, message):
        if self.role != "leader" or message["term"] != self.current_term:
            return
        if message["success"]:
            self.match_index[src] = max(self.match_index[src], message["match_index"])
            self.next_index[src] = self.match_index[src] + 1
            self.advance_commit_index()
        else:
            # The follower says from where on its log may differ; what it has confirmed is never sent again.
            self.next_index[src] = max(self.match_index[src] + 1, message["from_index"])
            self.send_entries(src)

    def advance_commit_index(self):
        stored = sorted(list(self.match_index.values()) + [len(self.log)], reverse=True)
        index = stored[self.majority() - 1]
        # Only an entry of the own term is committed by counting; the ones before it are committed with it (section 5.4.2).
        if index > self.commit_index and self.term_at(index) == self.current_term:
            self.commit_index = index
            self.apply_committed()

    # Replication: the follower's side.

    def on_append_entries(self, src, message):
        answer = {"type": "Appended", "term": self.current_term, "success": False, "from_index": 1}
        if message["term"] < self.current_term:
            self.send(src, answer)
            return
        self.become("follower", leader=src)
        self.wait_for_leader()
        previous = message["prev_index"]
        if previous > len(self.log):
            answer["from_index"] = len(self.log) + 1
        elif self.term_at(previous) != message["prev_term"]:
            answer["from_index"] = self.first_of_term(previous)
        else:
            for position, entry in enumerate(message["entries"]):
                self.put(previous + 1 + position, entry)
            # What follows in the own log is not known to be the leader's.
            match = previous + len(message["entries"])
            answer["success"], answer["match_index"] = True, match
            if min(message["commit_index"], match) > self.commit_index:
                self.commit_index = min(message["commit_index"], match)
                self.apply_committed()
        self.send(src, answer)

    def put(self, index, entry):
        """An entry of the leader. One that stands there already stays; one that conflicts goes, with all that follow it."""
        if index <= len(self.log):
            if self.term_at(index) == entry["term"]:
                return
            self.truncate(index)
        self.append(entry)

    def first_of_term(self, index):
        while index > 1 and self.term_at(index - 1) == self.term_at(index):
            index -= 1
        return index

    # The state machine.

    def apply_committed(self):
        while self.last_applied < self.commit_index:
            self.last_applied += 1
            entry = self.log[self.last_applied - 1]
            self.observe("apply", index=self.last_applied, term=entry["term"], client=entry["client"], serial=entry["serial"])
            if entry["client"] is not None:
                self.apply(entry)

    def apply(self, entry):
        client, serial = entry["client"], entry["serial"]
        last_serial, _ = self.answers.get(client, (0, None))
        if serial > last_serial:
            self.answers[client] = (serial, self.execute(entry))
        if self.role == "leader":
            self.answer(client, serial)

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

    # Clients.

    def on_client_request(self, src, message):
        serial = message["serial"]
        if self.role != "leader":
            self.send(src, {"type": "ClientReply", "serial": serial, "not_leader": self.leader})
        elif message["op"] == "open_session":
            # Serial numbers of a client never begin again here, so its name is session enough.
            self.send(src, {"type": "ClientReply", "serial": serial, "value": 1})
        elif serial <= self.answers.get(src, (0, None))[0]:
            self.answer(src, serial)
        elif not self.is_on_its_way(src, serial):
            entry = {"term": self.current_term, "client": src, "serial": serial, "op": message["op"], "key": message["key"]}
            entry["value"], entry["expected"] = message.get("value"), message.get("expected")
            self.append(entry)
            self.replicate()

    def is_on_its_way(self, client, serial):
        return any((entry["client"], entry["serial"]) == (client, serial) for entry in self.log[self.last_applied:])

    def answer(self, client, serial):
        """What the request has given, if it is the client's last one: it has had the answers of the earlier ones."""
        last_serial, value = self.answers[client]
        if serial == last_serial:
            self.send(client, {"type": "ClientReply", "serial": serial, "value": value})

    # The log and the disk.

    def term_at(self, index):
        return self.log[index - 1]["term"] if index > 0 else 0

    def append(self, entry):
        self.log.append(entry)
        self.save("entry/%d" % len(self.log), entry)

    def truncate(self, index):
        """Remove the entries from this index on."""
        while len(self.log) >= index:
            self.save("entry/%d" % len(self.log), None)
            self.log.pop()

    def save_state(self):
        """Messages and observations that follow leave once this is on the disk."""
        self.save("state", {"current_term": self.current_term, "voted_for": self.voted_for})


seedbed.run(Server)

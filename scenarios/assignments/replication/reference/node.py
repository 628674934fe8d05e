"""A store of forms on a leader and its followers.

Every write is a record of the leader's log. It is final, and its client gets its answer, when a majority of the replicas has it on the disk together with
everything before it. A coordinator chooses the leader of each epoch, among a majority, by the length of the logs; so whatever is final is in its log.
"""

import json

import seedbed

COORDINATOR = "k"
HEARTBEAT = 0.100
REGISTER = 0.250
RECORDS_MAX = 64

DUPLICATE = "ya existe un formulario con ese id"
MISSING = "no existe un formulario con ese id"


class Replica(seedbed.Node):
    # Start and restart.

    def on_init(self):
        meta = self.saved.get("meta", {"epoch": 0, "log_epoch": 0, "last": 0})
        # No earlier epoch is followed from now on.
        self.epoch = meta["epoch"]
        # The last epoch whose leader has brought this log up to date.
        self.log_epoch = meta["log_epoch"]
        self.log = [self.saved["record-%d" % seq] for seq in range(1, meta["last"] + 1)]
        # What is final, and what follows from it.
        self.final = 0
        self.applied = 0
        self.forms = {}
        self.done = {}
        self.version = -1
        self.leader = None
        self.leading = False
        self.waiting = {}
        self.reads = []
        self.show("role", "follower")
        self.every(REGISTER, "register")
        self.every(HEARTBEAT, "heartbeat")
        self.register()

    def save_meta(self):
        self.save("meta", {"epoch": self.epoch, "log_epoch": self.log_epoch, "last": len(self.log)})

    def majority(self):
        return (len(self.peers) + 1) // 2 + 1

    # Who leads: the coordinator's word.

    def register(self):
        self.send(COORDINATOR, {"type": "Register", "nonce": 0, "version": max(self.version, 0)})

    def enter(self, epoch):
        """A later epoch has begun: whoever led or was followed before does not count any more."""
        if epoch <= self.epoch:
            return
        self.epoch = epoch
        self.save_meta()
        self.follow(None)

    def follow(self, leader):
        if self.leading:
            # What becomes of their requests is for the next leader to say.
            for client, number in list(self.waiting.items()) + [(client, request["req"]) for client, request, _, _ in self.reads]:
                self.answer(client, number, None, leader)
        self.leader, self.leading = leader, False
        self.waiting, self.reads = {}, []
        self.show("role", "follower")

    def on_fence(self, src, message):
        if message["epoch"] < self.epoch:
            return
        self.enter(message["epoch"])
        self.send(src, {"type": "Position", "epoch": self.epoch, "log_epoch": self.log_epoch, "seq": len(self.log), "hash": 0})

    def on_view(self, view):
        if view["epoch"] < self.epoch or view["version"] <= self.version:
            return
        self.version = view["version"]
        self.enter(view["epoch"])
        leader = None if view["leader"] is None else self.nodes[view["leader"]]
        if leader == self.name:
            if not self.leading:
                self.lead()
        elif leader is not None:
            self.follow(leader)

    def lead(self):
        self.follow(self.name)
        self.leading = True
        self.show("role", "leader")
        self.log_epoch = self.epoch
        self.save_meta()
        # Nothing is final before all that this leader begins with.
        self.start = len(self.log)
        self.next = {peer: len(self.log) + 1 for peer in self.peers}
        self.matched = {peer: -1 for peer in self.peers}
        self.rounds = {peer: 0 for peer in self.peers}
        self.round = 0
        self.send_records()

    # Timers.

    def on_timer(self, name):
        if name == "register":
            self.register()
        elif self.leading:
            # What was lost on its way is sent again.
            for peer in self.peers:
                if self.matched[peer] >= 0:
                    self.next[peer] = self.matched[peer] + 1
            self.round += 1
            self.send_records()

    # Messages.

    def on_message(self, src, message):
        kind = message["type"]
        if kind == "Request":
            self.on_request(src, message)
        elif kind == "ViewUpdate":
            self.on_view(message["view"])
        elif kind == "Fence":
            self.on_fence(src, message)
        elif kind == "Records":
            self.on_records(src, message)
        elif kind == "Stored":
            self.on_stored(src, message)

    # The log: from the leader to its followers.

    def send_records(self):
        for peer in self.peers:
            self.send_records_to(peer)

    def send_records_to(self, peer):
        before = self.next[peer] - 1
        records = self.log[before : before + RECORDS_MAX]
        self.send(
            peer,
            {
                "type": "Records",
                "epoch": self.epoch,
                "start": self.start,
                "round": self.round,
                "before": before,
                "before_epoch": self.epoch_at(before),
                "records": records,
                "final": self.final,
            },
        )
        # More goes out before this is confirmed.
        self.next[peer] = before + len(records) + 1

    def epoch_at(self, seq):
        return self.log[seq - 1]["epoch"] if seq > 0 else 0

    def on_records(self, src, message):
        if message["epoch"] < self.epoch:
            return
        self.enter(message["epoch"])
        if self.leader != src:
            self.follow(src)
        before, records = message["before"], message["records"]
        stored = {"type": "Stored", "epoch": self.epoch, "round": message["round"]}
        if before > len(self.log) or self.epoch_at(before) != message["before_epoch"]:
            # Records are missing here, or others stand in their place: the leader goes back.
            stored["back_to"] = min(len(self.log), before - 1)
            self.send(src, stored)
            return
        changed = False
        for seq, record in enumerate(records, before + 1):
            if seq <= len(self.log) and self.epoch_at(seq) == record["epoch"]:
                continue
            del self.log[seq - 1 :]
            self.log.append(record)
            self.save("record-%d" % seq, record)
            changed = True
        upto = before + len(records)
        if upto >= message["start"] and self.log_epoch != self.epoch:
            # All that the leader began with is here; what stands behind it is of an earlier epoch, and of nobody's.
            self.log_epoch = self.epoch
            del self.log[upto:]
            changed = True
        if changed:
            self.save_meta()
        self.finish(min(message["final"], upto))
        stored["upto"] = upto
        self.send(src, stored)

    def on_stored(self, src, message):
        if not self.leading or message["epoch"] != self.epoch:
            return
        self.rounds[src] = max(self.rounds[src], message["round"])
        if "back_to" in message:
            if message["back_to"] + 1 < self.next[src]:
                self.next[src] = max(message["back_to"], 0) + 1
                self.send_records_to(src)
        else:
            self.matched[src] = max(self.matched[src], message["upto"])
            if self.next[src] <= len(self.log):
                self.send_records_to(src)
        self.advance()

    def advance(self):
        """What is final, and who can be answered."""
        matched = sorted([len(self.log)] + list(self.matched.values()), reverse=True)[self.majority() - 1]
        if matched >= self.start:
            self.finish(matched)
        answered = sorted([self.round] + list(self.rounds.values()), reverse=True)[self.majority() - 1]
        ready = [read for read in self.reads if read[2] <= answered and read[3] <= self.applied]
        self.reads = [read for read in self.reads if read not in ready]
        for client, request, _, _ in ready:
            self.answer(client, request["req"], self.read(request), self.name)

    def finish(self, upto):
        self.final = max(self.final, upto)
        while self.applied < self.final:
            record = self.log[self.applied]
            self.applied += 1
            self.apply(record)

    # The forms.

    def apply(self, record):
        client, number = record["client"], record["req"]
        if number > self.done.get(client, (0, None))[0]:
            self.done[client] = (number, self.write(record["verb"], record["form"]))
        if self.leading and self.waiting.get(client) == number:
            del self.waiting[client]
            self.answer(client, number, self.done[client][1], self.name)

    def write(self, verb, form):
        there = form["id"] in self.forms
        if verb == "insert" and there:
            return {"status": "error", "message": DUPLICATE}
        if verb != "insert" and not there:
            return {"status": "error", "message": MISSING}
        if verb == "delete":
            del self.forms[form["id"]]
            return {"status": "success", "message": "formulario eliminado"}
        self.forms[form["id"]] = form
        return {"status": "success", "message": "formulario guardado"}

    def read(self, request):
        body = json.loads(request["body"])
        if request["verb"] == "exists":
            there = body["id"] in self.forms
            return {"status": "success", "message": "existe" if there else "no existe", "existe": there}
        if request["verb"] == "get":
            if body["id"] not in self.forms:
                return {"status": "error", "message": MISSING}
            return {"status": "success", "message": "formulario", "formulario": self.forms[body["id"]]}
        forms = [form for _, form in sorted(self.forms.items())]
        if request["verb"] == "get_by_gender":
            forms = [form for form in forms if form["genero"] == body["genero"]]
        return {"status": "success", "message": "formularios", "formularios": forms}

    # Clients.

    def on_request(self, client, request):
        number = request["req"]
        if not self.leading:
            self.answer(client, number, None, self.leader)
        elif request["verb"] in ("insert", "update", "delete"):
            self.on_write(client, request)
        elif (client, number) not in [(read[0], read[1]["req"]) for read in self.reads]:
            # A read is answered when a majority has said since that this is still its leader.
            self.round += 1
            self.reads.append((client, request, self.round, len(self.log)))
            self.send_records()

    def on_write(self, client, request):
        number = request["req"]
        last, answer = self.done.get(client, (0, None))
        if number <= last:
            if number == last:
                self.answer(client, number, answer, self.name)
            return
        self.waiting[client] = number
        if any((record["client"], record["req"]) == (client, number) for record in self.log[self.applied :]):
            return
        record = {"epoch": self.epoch, "client": client, "req": number, "verb": request["verb"], "form": json.loads(request["body"])}
        self.log.append(record)
        self.save("record-%d" % len(self.log), record)
        self.save_meta()
        self.send_records()

    def answer(self, client, number, body, leader):
        text = None if body is None else json.dumps(body)
        self.send(client, {"type": "Answer", "req": number, "body": text, "leader": leader})


seedbed.run(Replica)

"""A store of forms on a leader and its followers: a skeleton. It starts and answers nobody yet; instructions.en.md and instructions.es.md describe the task."""

import json

import seedbed

COORDINATOR = "k"
HEARTBEAT = 0.100
REGISTER = 0.250

DUPLICATE = "ya existe un formulario con ese id"
MISSING = "no existe un formulario con ese id"


class Replica(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash. self.name is this replica, self.peers are the others."""
        # TODO: after a crash, continue with what was saved: self.saved.get("meta", {...}).
        self.epoch = 0
        self.log = []
        self.forms = {}
        self.leader = None
        self.leading = False
        self.every(REGISTER, "register")
        self.every(HEARTBEAT, "heartbeat")

    def on_timer(self, name):
        if name == "register":
            self.send(COORDINATOR, {"type": "Register", "nonce": 0, "version": 0})
        # TODO: a leader reports itself, and resends what was lost.

    def on_message(self, src, message):
        if message["type"] == "Request":
            self.on_request(src, message)
        # TODO: Fence and ViewUpdate, from the coordinator; and your own messages.

    def on_request(self, client, request):
        # TODO: request["verb"], json.loads(request["body"]). a write is first a record, and takes effect when a majority has it.
        self.answer(client, request["req"], None)

    def answer(self, client, number, body):
        """The answer to a request; with the body None: ask somebody else."""
        text = None if body is None else json.dumps(body)
        self.send(client, {"type": "Answer", "req": number, "body": text, "leader": self.leader})


seedbed.run(Replica)

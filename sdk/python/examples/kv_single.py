"""A store on one server: n1 serves, and the others send clients to it.

It is not replicated, so it is only as good as its disk: it saves each change before it answers, and remembers each client's last answer, so that a
repeated request takes effect once.
"""

import seedbed

SERVER = "n1"


class Store(seedbed.Node):
    def on_init(self):
        # At the first start nothing is saved under "store" and "answers".
        self.store = self.saved.get("store", {})
        self.answers = self.saved.get("answers", {})
        self.show("role", "leader" if self.name == SERVER else "follower")

    def on_message(self, src, message):
        if message["type"] != "ClientRequest":
            return
        serial = message["serial"]
        if self.name != SERVER:
            self.send(src, {"type": "ClientReply", "serial": serial, "not_leader": SERVER})
            return
        last = self.answers.get(src)
        if last is None or last["serial"] < serial:
            last = {"type": "ClientReply", "serial": serial, "value": self.execute(src, message)}
            self.answers[src] = last
            self.save("store", self.store)
            self.save("answers", self.answers)
        if last["serial"] == serial:
            self.send(src, last)

    def execute(self, src, message):
        op, key = message["op"], message.get("key")
        value = self.store.get(key, "nil")
        if op == "open_session":
            return message["serial"]
        if op == "read":
            return value
        if op == "append":
            self.store[key] = message["value"] if value == "nil" else value + "," + message["value"]
        elif op == "write" or value == message["expected"]:
            self.store[key] = message["value"]
        else:
            return "mismatch"
        return "ok"


seedbed.run(Store)

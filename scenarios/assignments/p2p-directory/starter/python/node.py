"""The directory of a file-sharing network: a skeleton. It listens and answers nobody yet; instructions.en.md and instructions.es.md describe the task."""

import seedbed

PORT = 4000
LOGGER = "log"

# How many strings follow service, date and number.
ARGUMENTS = {
    "REGISTER": 1,
    "UNREGISTER": 1,
    "CONNECT": 2,
    "DISCONNECT": 1,
    "PUBLISH": 3,
    "DELETE": 2,
    "LIST_USERS": 1,
    "LIST_CONTENT": 2,
}


class Directory(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash."""
        self.users = {}
        # TODO: after a crash, continue with what was saved: self.saved.get("state", {}).
        self.received = {}
        self.listen(PORT)

    def on_accept(self, stream, src):
        """Somebody has connected. Many connections are open at the same time, so each needs its own place for what has come."""
        self.received[stream.id] = b""

    def on_data(self, stream, data):
        """Bytes have come: a part of a string, a string, or several. stream.peer is the host that they come from."""
        self.received[stream.id] += data
        # TODO: once service, date, number and all arguments are there, each followed by its zero byte, execute the request,
        # save what has changed, and answer: self.answer(stream, "0").

    def on_close(self, stream, reason):
        """Nothing more comes on this connection."""
        self.received.pop(stream.id, None)
        if reason == "closed":
            stream.close()

    def answer(self, stream, text):
        stream.write(text.encode("utf-8"))
        stream.close()

    def on_message(self, src, message):
        """A datagram: message["type"] is "Heartbeat" or "ReportAck"."""
        # TODO: leases; the operation log: self.send(LOGGER, {"type": "Report", "lines": [...]}).

    def on_timer(self, name):
        """The timer of this name has run out: self.set_timer("sweep", 0.5) once, or self.every(0.5, "sweep") again and again."""


seedbed.run(Directory)

"""A stream with failover: a skeleton. It listens and leads nobody yet; instructions.en.md and instructions.es.md describe the task."""

import struct
from binascii import a2b_base64, b2a_base64, crc32  # noqa: F401  (bytes in the log; frames)

import seedbed

HEARTBEAT = 0.050
ELECTION_TIMEOUT = (0.150, 0.300)

PORT = 7000
WELCOME, MOVED, FROM, PROGRESS, STORED, REFUSED = range(1, 7)

FRAME_TIME = 0.040
BURST = 5  # frames that are sent at once
POSITION_INTERVAL = 0.100
SUBSCRIPTION = 3.0


class Streamer(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash. What was saved is in self.saved."""
        self.current_term = 0
        self.leader = None
        self.uploads = {}
        self.subscribers = {}
        self.become("follower")
        self.listen(PORT)
        # TODO: term, vote and log as they were saved; an election timeout: self.set_timer("election", self.random.uniform(*ELECTION_TIMEOUT)).

    def become(self, role):
        self.role = role
        self.show("role", role)
        self.show("current_term", self.current_term)
        # TODO: a leader also calls self.observe("leader", term=self.current_term).

    def on_timer(self, name):
        pass  # TODO: elections, heartbeats, the next frame, the position.

    # Messages.

    def on_message(self, src, message):
        if message["type"] == "Subscribe":
            self.subscribers[src] = self.now + SUBSCRIPTION
            # TODO: {"type": "Subscribed", "term": …} if this streamer leads, {"type": "NotLeader", "leader": …} if it knows who does.
        elif message["type"] == "Nack":
            pass  # TODO: resend the frames it names, if they were already sent.
        # TODO: your own messages, from self.peers.

    # Uploads.

    def reply(self, stream, tag, first=0, second=0):
        """All that a streamer says to an uploader: 17 bytes."""
        stream.write(struct.pack("<BQQ", tag, first, second))

    def on_accept(self, stream, src):
        # TODO: a leader answers WELCOME and keeps the stream in self.uploads.
        self.reply(stream, MOVED, self.nodes.index(self.leader) + 1 if self.leader else 0)
        stream.close()

    def on_data(self, stream, data):
        """Bytes have come: a part of the hello, a part of the file, or both."""
        # TODO: struct.unpack("<QQQ", …) gives number, length and checksum of the upload; then comes the file.

    def on_close(self, stream, reason):
        """With the reason "closed" the uploader has sent everything, and waits for the confirmation: this side stays open until then."""
        if reason != "closed":
            self.uploads.pop(stream.id, None)


seedbed.run(Streamer)

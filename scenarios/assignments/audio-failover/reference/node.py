"""A stream with failover: songs are uploaded to a cluster of streamers, replicated by Raft, and played out by the leader.

The log has three commands: a piece of a file, the end of a file, and how far the playout has come. The state they build, the station, is the same on all
streamers, so each of them can take over. Raft follows Figure 2 (Ongaro and Ousterhout 2014), with a leader that steps down when it hears no majority
(dissertation, section 6.2).
"""

import struct
from binascii import a2b_base64, b2a_base64, crc32

import seedbed

HEARTBEAT = 0.050
ELECTION_TIMEOUT = (0.150, 0.300)
ENTRIES_MAX = 20

PORT = 7000
WELCOME, MOVED, FROM, PROGRESS, STORED, REFUSED = range(1, 7)
PIECE = 4096

FRAME_TIME = 0.040
BURST = 5
POSITION_INTERVAL = 0.100
SUBSCRIPTION = 3.0


class Song:
    """A file that is stored, cut into frames."""

    def __init__(self, data):
        self.length, self.digest = len(data), crc32(data)
        self.rate, self.channels, samples = read_wav(data)
        self.frame_samples = int(self.rate * FRAME_TIME)
        size = self.frame_samples * 2 * self.channels
        self.frames = [samples[begin:begin + size] for begin in range(0, len(samples), size)]


def read_wav(data):
    """Rate, channels and samples. A WAV file is a series of chunks, each with its name and its length; others may stand before the samples."""
    rate, channels, at = 0, 0, 12
    while at + 8 <= len(data):
        name, length = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        body = at + 8
        if name == b"fmt ":
            _, channels, rate = struct.unpack_from("<HHI", data, body)
        elif name == b"data":
            return rate, channels, data[body:body + length]
        at = body + length + length % 2
    raise ValueError("a WAV file without samples")


class Station:
    """What the log builds up: files on their way, songs, and how far they were sent. Session N plays song N - 1."""

    def __init__(self):
        self.partial = {}
        self.songs = []
        self.by_upload = {}
        self.session, self.frame = 1, 0

    def received(self, upload):
        return len(self.partial.get(upload, b""))

    def apply(self, command):
        getattr(self, command["do"])(command)

    def piece(self, command):
        """Bytes count only where they continue what is there, so a piece that was sent twice adds nothing."""
        if command["upload"] in self.by_upload:
            return
        partial = self.partial.setdefault(command["upload"], bytearray())
        known = len(partial) - command["offset"]
        if known >= 0:
            partial += a2b_base64(command["data"])[known:]

    def finish(self, command):
        data = bytes(self.partial.get(command["upload"], b""))
        if command["upload"] not in self.by_upload and (len(data), crc32(data)) == (command["length"], command["digest"]):
            self.songs.append(Song(data))
            self.by_upload[command["upload"]] = self.songs[-1]
        self.partial.pop(command["upload"], None)

    def position(self, command):
        """All frames before this one were sent. It never goes back; after the last frame comes the next session."""
        if (command["session"], command["frame"]) > (self.session, self.frame):
            self.session, self.frame = command["session"], command["frame"]
            if self.frame >= len(self.songs[self.session - 1].frames):
                self.session, self.frame = self.session + 1, 0


class Upload:
    """A stream over which a file comes."""

    def __init__(self, stream):
        self.stream = stream
        self.received = b""
        self.number = None

    def reply(self, tag, first=0, second=0):
        self.stream.write(struct.pack("<BQQ", tag, first, second))


class Streamer(seedbed.Node):
    # Start and restart.

    def on_init(self):
        state = self.saved.get("state", {"current_term": 0, "voted_for": None})
        self.current_term = state["current_term"]
        self.voted_for = state["voted_for"]
        self.log = []
        while "entry/%d" % (len(self.log) + 1) in self.saved:
            self.log.append(self.saved["entry/%d" % (len(self.log) + 1)])
        # The station is built up again from the log.
        self.commit_index = 0
        self.last_applied = 0
        self.station = Station()
        self.votes = set()
        self.next_index, self.match_index, self.heard, self.waiting = {}, {}, {}, set()
        self.uploads = {}
        self.subscribers = {}
        self.sending = None
        self.become("follower", leader=None)
        self.wait_for_leader()
        self.listen(PORT)

    # The three roles.

    def become(self, role, leader):
        self.role, self.leader = role, leader
        self.show("role", role)
        self.show("current_term", self.current_term)

    def enter_term(self, term):
        self.current_term = term
        self.voted_for = None
        self.save_state()
        self.follow(None)

    def follow(self, leader):
        if self.role == "leader":
            self.stop_leading()
        self.become("follower", leader)

    def stop_leading(self):
        self.cancel_timer("heartbeat")
        self.cancel_timer("frame")
        self.cancel_timer("position")
        self.sending = None
        for upload in list(self.uploads.values()):
            upload.stream.reset()
        self.uploads.clear()
        self.wait_for_leader()

    def stand_for_election(self):
        self.current_term += 1
        self.voted_for = self.name
        self.votes = {self.name}
        self.save_state()
        self.become("candidate", leader=None)
        self.wait_for_leader()
        last = len(self.log)
        self.broadcast({"type": "AskVote", "term": self.current_term, "last_index": last, "last_term": self.term_at(last)})

    def become_leader(self):
        self.observe("leader", term=self.current_term)
        self.become("leader", leader=self.name)
        self.cancel_timer("election")
        self.next_index = {peer: len(self.log) + 1 for peer in self.peers}
        self.match_index = {peer: 0 for peer in self.peers}
        self.heard = {peer: self.now for peer in self.peers}
        self.waiting = set()
        # An entry of the new term commits the older ones that are on a majority (section 8).
        self.append({"do": "nothing"})
        self.on_heartbeat()

    # Timers.

    def wait_for_leader(self):
        self.set_timer("election", self.random.uniform(*ELECTION_TIMEOUT))

    def on_timer(self, name):
        if name == "election":
            self.stand_for_election()
        elif name == "heartbeat":
            self.on_heartbeat()
        elif name == "frame":
            self.send_due_frames()
        elif name == "position":
            self.replicate_position()

    # Messages.

    def on_message(self, src, message):
        kind = message["type"]
        if kind == "Subscribe":
            self.on_subscribe(src)
            return
        if kind == "Nack":
            self.on_nack(src, message)
            return
        if message["term"] > self.current_term:
            self.enter_term(message["term"])
        if kind == "AskVote":
            self.on_ask_vote(src, message)
        elif kind == "Vote":
            self.on_vote(src, message)
        elif kind == "Append":
            self.on_append(src, message)
        elif kind == "Appended":
            self.on_appended(src, message)

    # Elections.

    def on_ask_vote(self, src, message):
        last = len(self.log)
        up_to_date = (message["last_term"], message["last_index"]) >= (self.term_at(last), last)
        granted = message["term"] == self.current_term and self.voted_for in (None, src) and up_to_date
        if granted:
            self.voted_for = src
            self.save_state()
            self.wait_for_leader()
        self.send(src, {"type": "Vote", "term": self.current_term, "granted": granted})

    def on_vote(self, src, message):
        if self.role == "candidate" and message["term"] == self.current_term and message["granted"]:
            self.votes.add(src)
            if len(self.votes) >= self.majority():
                self.become_leader()

    def majority(self):
        return (len(self.peers) + 1) // 2 + 1

    # Replication: the leader's side.

    def on_heartbeat(self):
        lately = [peer for peer in self.peers if self.now - self.heard[peer] <= ELECTION_TIMEOUT[1]]
        if len(lately) + 1 < self.majority():
            # Perhaps another leads by now: who hears no majority must not send.
            self.follow(None)
            return
        for peer in self.peers:
            self.send_entries(peer)
        self.set_timer("heartbeat", HEARTBEAT)

    def propose(self, command):
        self.append(command)
        for peer in self.peers:
            # One message with entries is on its way at a time; what comes meanwhile goes with the next one.
            if peer not in self.waiting:
                self.send_entries(peer)

    def send_entries(self, peer):
        previous = self.next_index[peer] - 1
        entries = self.log[previous:previous + ENTRIES_MAX]
        if entries:
            self.waiting.add(peer)
        self.send(peer, {
            "type": "Append",
            "term": self.current_term,
            "prev_index": previous,
            "prev_term": self.term_at(previous),
            "entries": entries,
            "commit_index": self.commit_index,
        })

    def on_appended(self, src, message):
        if self.role != "leader" or message["term"] != self.current_term:
            return
        self.heard[src] = self.now
        self.waiting.discard(src)
        if message["success"]:
            self.match_index[src] = max(self.match_index[src], message["match_index"])
            self.next_index[src] = self.match_index[src] + 1
            self.advance_commit_index()
        else:
            self.next_index[src] = max(self.match_index[src] + 1, message["from_index"])
        if self.role == "leader" and self.next_index[src] <= len(self.log) and src not in self.waiting:
            self.send_entries(src)

    def advance_commit_index(self):
        stored = sorted(list(self.match_index.values()) + [len(self.log)], reverse=True)
        index = stored[self.majority() - 1]
        if index > self.commit_index and self.term_at(index) == self.current_term:
            self.commit_index = index
            self.apply_committed()

    # Replication: the follower's side.

    def on_append(self, src, message):
        answer = {"type": "Appended", "term": self.current_term, "success": False, "from_index": 1}
        if message["term"] < self.current_term:
            self.send(src, answer)
            return
        if (self.role, self.leader) != ("follower", src):
            self.follow(src)
        self.wait_for_leader()
        previous = message["prev_index"]
        if previous > len(self.log):
            answer["from_index"] = len(self.log) + 1
        elif self.term_at(previous) != message["prev_term"]:
            answer["from_index"] = self.first_of_term(previous)
        else:
            for position, entry in enumerate(message["entries"]):
                self.put(previous + 1 + position, entry)
            match = previous + len(message["entries"])
            answer["success"], answer["match_index"] = True, match
            self.commit_index = max(self.commit_index, min(message["commit_index"], match))
            self.apply_committed()
        self.send(src, answer)

    def put(self, index, entry):
        if index <= len(self.log):
            if self.term_at(index) == entry["term"]:
                return
            self.truncate(index)
        self.log.append(entry)
        self.save("entry/%d" % index, entry)

    def first_of_term(self, index):
        while index > 1 and self.term_at(index - 1) == self.term_at(index):
            index -= 1
        return index

    # The log and the disk.

    def term_at(self, index):
        return self.log[index - 1]["term"] if index > 0 else 0

    def append(self, command):
        entry = {"term": self.current_term, "command": command}
        self.log.append(entry)
        self.save("entry/%d" % len(self.log), entry)

    def truncate(self, index):
        while len(self.log) >= index:
            self.save("entry/%d" % len(self.log), None)
            self.log.pop()

    def save_state(self):
        self.save("state", {"current_term": self.current_term, "voted_for": self.voted_for})

    # The station.

    def apply_committed(self):
        while self.last_applied < self.commit_index:
            self.last_applied += 1
            command = self.log[self.last_applied - 1]["command"]
            if command["do"] != "nothing":
                self.station.apply(command)
                self.tell_uploaders(command)
        self.maybe_begin()

    def knows_all(self):
        """Whether this streamer leads and has applied what earlier leaders have committed."""
        return self.role == "leader" and self.term_at(self.last_applied) == self.current_term

    # Uploads.

    def on_accept(self, stream, src):
        upload = Upload(stream)
        if self.knows_all():
            self.uploads[stream.id] = upload
            upload.reply(WELCOME)
        else:
            known = self.leader not in (None, self.name)
            upload.reply(MOVED, self.nodes.index(self.leader) + 1 if known else 0)
            stream.close()

    def on_data(self, stream, data):
        upload = self.uploads.get(stream.id)
        if upload is None:
            return
        upload.received += data
        if upload.number is None:
            if len(upload.received) < 24:
                return
            self.on_hello(upload, *struct.unpack("<QQQ", upload.received[:24]))
            upload.received = upload.received[24:]
        self.take_pieces(upload)

    def on_hello(self, upload, number, length, digest):
        upload.number, upload.length, upload.digest = number, length, digest
        stored = self.station.by_upload.get(number)
        if stored is not None:
            self.confirm(upload, stored)
            return
        upload.offset = self.station.received(number)
        upload.reply(FROM, upload.offset)

    def take_pieces(self, upload):
        """Bytes come in any pieces; what goes into the log has the size that suits the log."""
        while upload.stream.id in self.uploads:
            missing = upload.length - upload.offset
            size = min(PIECE, missing)
            if len(upload.received) < size or missing == 0:
                return
            piece, upload.received = upload.received[:size], upload.received[size:]
            text = b2a_base64(piece, newline=False).decode("ascii")
            self.propose({"do": "piece", "upload": upload.number, "offset": upload.offset, "data": text})
            upload.offset += size
            if upload.offset == upload.length:
                self.propose({"do": "finish", "upload": upload.number, "length": upload.length, "digest": upload.digest})

    def tell_uploaders(self, command):
        """A majority has it."""
        for upload in list(self.uploads.values()):
            if upload.number is None or upload.number != command.get("upload"):
                continue
            stored = self.station.by_upload.get(upload.number)
            if stored is not None:
                self.confirm(upload, stored)
            elif command["do"] == "piece":
                upload.reply(PROGRESS, self.station.received(upload.number))
            else:
                upload.reply(REFUSED)
                self.forget(upload)

    def confirm(self, upload, song):
        upload.reply(STORED, song.length, song.digest)
        self.forget(upload)

    def forget(self, upload):
        self.uploads.pop(upload.stream.id, None)
        upload.stream.close()

    def on_close(self, stream, reason):
        """The uploader closes its side after the file, and waits for the confirmation: this side stays open until then."""
        if reason != "closed":
            self.uploads.pop(stream.id, None)

    # Listeners.

    def on_subscribe(self, src):
        """Every streamer remembers the listeners, for the day that it leads."""
        self.subscribers[src] = self.now + SUBSCRIPTION
        if self.role == "leader":
            self.send(src, {"type": "Subscribed", "term": self.current_term})
        elif self.leader is not None:
            self.send(src, {"type": "NotLeader", "leader": self.leader})

    def on_nack(self, src, message):
        """Frames that were sent already are sent again; what is still to come will come."""
        session = message["session"]
        if not self.knows_all() or not 1 <= session <= len(self.station.songs):
            return
        if session == self.sending:
            sent = self.next
        else:
            sent = len(self.station.songs[session - 1].frames) if session < self.station.session else 0
        for frame in message["frames"]:
            if frame < sent:
                self.send(src, self.frame(session, frame, paced=False))

    # Playout.

    def maybe_begin(self):
        """Begin where the log says, once everything is known that earlier leaders have committed."""
        if self.sending == self.station.session or not self.knows_all() or self.station.session > len(self.station.songs):
            return
        self.sending = self.station.session
        self.next = self.station.frame
        # So many frames are due at once, the others follow one by one.
        self.anchor, self.anchor_frame = self.now, self.next + BURST
        self.set_timer("position", POSITION_INTERVAL)
        self.send_due_frames()

    def due(self):
        return self.anchor + FRAME_TIME * max(0, self.next - self.anchor_frame)

    def send_due_frames(self):
        song = self.station.songs[self.sending - 1]
        self.subscribers = {name: until for name, until in self.subscribers.items() if until > self.now}
        while self.next < len(song.frames) and self.due() <= self.now + 1e-6:
            message = self.frame(self.sending, self.next, paced=self.next >= self.anchor_frame)
            for listener in self.subscribers:
                self.send(listener, message)
            self.next += 1
        if self.next < len(song.frames):
            self.set_timer("frame", self.due() - self.now)

    def frame(self, session, number, paced):
        song = self.station.songs[session - 1]
        samples = song.frames[number]
        return {
            "type": "Frame",
            "session": session,
            "term": self.current_term,
            "sequence": number % 65536,
            "first_sequence": 0,
            "frames": len(song.frames),
            "timestamp": number * song.frame_samples,
            "format": {"rate": song.rate, "channels": song.channels, "frame_samples": song.frame_samples},
            "paced": paced,
            "digest": crc32(samples),
            "payload": {"base64": b2a_base64(samples, newline=False).decode("ascii")},
        }

    def replicate_position(self):
        """Say how far it is, until all know that the session is over."""
        if self.sending == self.station.session:
            self.propose({"do": "position", "session": self.sending, "frame": self.next})
            self.set_timer("position", POSITION_INTERVAL)


seedbed.run(Streamer)

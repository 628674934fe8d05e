"""The directory of a file-sharing network: users, who is connected where, what each has published, and a log of what was done.

A request is executed in one step, and everything that must survive a crash is one value, saved in that step before the answer is written: the
tables, the last answer to each peer, and the lines that the logging server has not confirmed. So none of them can get ahead of another.
"""

import seedbed

PORT = 4000
LOGGER = "log"
LEASE = 5.0
SWEEP = 0.5
IDLE = 3.0
REPORT = 0.3
REPORT_LINES = 16
NAME_BYTES_MAX = 255
STARTS_MAX = 4

# What follows service, date and number.
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
FAIL = {"REGISTER": 2, "UNREGISTER": 2, "CONNECT": 3, "DISCONNECT": 3, "PUBLISH": 4, "DELETE": 4, "LIST_USERS": 3, "LIST_CONTENT": 4}


class Malformed(Exception):
    """These bytes are no request."""


class Directory(seedbed.Node):
    # Start and restart.

    def on_init(self):
        state = self.saved.get("state", {})
        # By name: {"address": None or [host, port], "files": {name: description}}.
        self.users = state.get("users", {})
        # By host, the last request of each start of its program: [nonce, counter, reply].
        self.answered = state.get("answered", {})
        # Lines that the logging server has not confirmed, and the number of the last line of all.
        self.lines = state.get("lines", [])
        self.sequence = state.get("sequence", 0)
        # Nobody could be heard while this process was down, so all leases begin anew.
        self.heard = {name: self.now for name, user in self.users.items() if user["address"]}
        self.received = {}
        self.listen(PORT)
        self.every(SWEEP, "sweep")
        self.every(REPORT, "report")

    def save_state(self):
        state = {"users": self.users, "answered": self.answered, "lines": self.lines, "sequence": self.sequence}
        self.save("state", state)

    # Connections: each has its own bytes.

    def on_accept(self, stream, src):
        self.received[stream.id] = (stream, b"")
        self.set_timer("idle-%d" % stream.id, IDLE)

    def on_data(self, stream, data):
        if stream.id not in self.received:
            return
        received = self.received[stream.id][1] + data
        self.received[stream.id] = (stream, received)
        service = None
        try:
            words = split(received)
            service = words[0] if words and words[0] in ARGUMENTS else None
            if words and service is None:
                raise Malformed
            if service and len(words) >= 3 + ARGUMENTS[service]:
                self.on_request(stream, service, words[1], words[2], words[3 : 3 + ARGUMENTS[service]])
        except Malformed:
            if service:
                self.answer(stream, service, [FAIL[service]])
            else:
                self.forget(stream)
                stream.reset()

    def on_close(self, stream, reason):
        """Nothing more comes: half a request stays half a request."""
        self.forget(stream)
        if reason == "closed":
            stream.close()

    def forget(self, stream):
        self.received.pop(stream.id, None)
        self.cancel_timer("idle-%d" % stream.id)

    def answer(self, stream, service, reply):
        """A digit; behind that of a list how many entries follow, and they."""
        self.forget(stream)
        text = str(reply[0])
        if reply[0] == 0 and service in ("LIST_USERS", "LIST_CONTENT"):
            entries = len(reply[1:]) // (3 if service == "LIST_USERS" else 1)
            text += "".join(word + "\0" for word in [str(entries)] + reply[1:])
        stream.write(text.encode("utf-8"))
        stream.close()

    # Requests: each is executed once.

    def on_request(self, stream, service, date, number, arguments):
        nonce, dash, counter = number.rpartition("-")
        if not dash or not counter.isdigit():
            raise Malformed
        counter = int(counter)
        starts = self.answered.setdefault(stream.peer, [])
        for last in starts:
            if last[0] == nonce and counter == last[1]:
                self.answer(stream, service, last[2])
                return
            if last[0] == nonce and counter < last[1]:
                # A late copy: its sender has asked something else since.
                self.forget(stream)
                stream.reset()
                return
        reply = self.execute(stream.peer, service, arguments)
        starts[:] = [last for last in starts if last[0] != nonce][1 - STARTS_MAX :] + [[nonce, counter, reply]]
        self.sequence += 1
        file = arguments[1] if service in ("PUBLISH", "DELETE") else ""
        line = {"sequence": self.sequence, "user": arguments[0], "operation": service.lower(), "date": date, "file": file}
        self.lines.append(line)
        self.save_state()
        self.answer(stream, service, reply)
        self.report()

    def execute(self, host, service, arguments):
        """The status by the table, and what a list holds."""
        name = arguments[0]
        user = self.users.get(name)
        if not all(arguments[:2]):
            return [FAIL[service]]
        if service == "REGISTER":
            if user is not None:
                return [1]
            self.users[name] = {"address": None, "files": {}}
            return [0]
        if user is None:
            return [1]
        if service == "UNREGISTER":
            del self.users[name]
            self.heard.pop(name, None)
            return [0]
        if service == "CONNECT":
            if user["address"]:
                return [2]
            if not arguments[1].isdigit():
                return [FAIL[service]]
            user["address"] = [host, arguments[1]]
            self.heard[name] = self.now
            return [0]
        # All others are for those who are connected, and from there.
        if not user["address"] or user["address"][0] != host:
            return [2]
        if service == "DISCONNECT":
            self.disconnect(name)
            return [0]
        if service == "PUBLISH":
            if arguments[1] in user["files"]:
                return [3]
            user["files"][arguments[1]] = arguments[2]
            return [0]
        if service == "DELETE":
            return [0 if user["files"].pop(arguments[1], None) is not None else 3]
        if service == "LIST_USERS":
            reply = [0]
            for other, there in sorted(self.users.items()):
                if there["address"]:
                    reply += [other] + there["address"]
            return reply
        if arguments[1] not in self.users:
            return [3]
        return [0] + sorted(self.users[arguments[1]]["files"])

    def disconnect(self, name):
        self.users[name]["address"] = None
        self.users[name]["files"] = {}
        self.heard.pop(name, None)

    # Leases, and reports to the logging server.

    def on_message(self, src, message):
        if message["type"] == "Heartbeat":
            user = self.users.get(message["user"])
            known = user is not None and user["address"] == [src, str(message["port"])]
            if known:
                self.heard[message["user"]] = self.now
            self.send(src, {"type": "HeartbeatAck", "user": message["user"], "port": message["port"], "known": known})
        elif message["type"] == "ReportAck":
            waiting = [line for line in self.lines if line["sequence"] > message["upto"]]
            if len(waiting) < len(self.lines):
                # What is confirmed is news once; an answer to an answer that brings nothing new would never end.
                self.lines = waiting
                self.report()

    def report(self):
        """What is not confirmed, from the first line on; nobody waits for the answer."""
        if self.lines:
            self.send(LOGGER, {"type": "Report", "lines": self.lines[:REPORT_LINES]})

    def on_timer(self, name):
        if name == "sweep":
            silent = [user for user, heard in self.heard.items() if self.now - heard > LEASE]
            for user in silent:
                self.disconnect(user)
            if silent:
                self.save_state()
        elif name == "report":
            self.report()
        elif name.startswith("idle-"):
            stream, _ = self.received.get(int(name[len("idle-") :]), (None, b""))
            if stream is not None:
                self.forget(stream)
                stream.reset()


def split(received):
    """The strings that have come as a whole."""
    words = received.split(b"\0")
    if any(len(word) > NAME_BYTES_MAX for word in words):
        raise Malformed
    try:
        return [word.decode("utf-8") for word in words[:-1]]
    except UnicodeDecodeError:
        raise Malformed from None


seedbed.run(Directory)

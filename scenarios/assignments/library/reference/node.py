"""Hand out books without duplicates: a solution. instructions.en.md describes the task."""

import seedbed

QUEUE = "queue"
BOOKS = 15
POLL_EVERY = 0.200
PAUSE = 1.0
BATCH = 32


class Library:
    """The tables. They follow from the statements of the queue alone, and so they are the same on all servers."""

    def __init__(self):
        self.position = 0
        self.session = 1
        self.taken = set()
        # The last request of each user, as [serial, answer].
        self.last = {}

    def free(self):
        return [book for book in range(1, BOOKS + 1) if book not in self.taken]

    def apply(self, statement):
        """The next statement of the queue; what its user is to be told, if anything."""
        self.position += 1
        user, serial, body = statement["client"], statement["serial"], statement["body"]
        if "open" in body and serial == 0:
            self.open(body["open"])
            return None
        last = self.last.get(user)
        if last is not None and serial <= last[0]:
            return last[1] if serial == last[0] else None
        answer = self.open(body["open"]) if "open" in body else self.ask(body["ask"]["wish"])
        self.last[user] = [serial, answer]
        return answer

    def ask(self, wish):
        free = self.free()
        if not free:
            return {"none_left": {"session": self.session}}
        book = wish if wish in free else free[0]
        self.taken.add(book)
        return {"book": {"session": self.session, "book": book}}

    def open(self, body):
        if body["after"] == self.session and (body["forced"] or not self.free()):
            self.session += 1
            self.taken = set()
        return {"opened": {"session": self.session}}


class Server(seedbed.Node):
    def on_init(self):
        # The queue keeps all statements: after a crash the tables are made of them again.
        self.library = Library()
        # The statements of this server that have not come back yet, by user.
        self.waiting = {}
        # The last session after which this server has begun to pause.
        self.paused_after = 0
        self.poll()

    def enqueue(self, statement):
        self.waiting[statement["client"]] = statement
        self.send(QUEUE, {"type": "Enqueue", "statements": [statement]})

    def poll(self):
        self.send(QUEUE, {"type": "Poll", "from": self.library.position})
        self.set_timer("poll", POLL_EVERY)

    # Users.

    def on_request(self, user, serial, restart):
        last = self.library.last.get(user)
        if last is not None and serial <= last[0]:
            if serial == last[0]:
                self.reply(user, serial, last[1])
            return
        if user in self.waiting and serial <= self.waiting[user]["serial"]:
            return
        if restart:
            body = {"open": {"after": self.library.session, "forced": True}}
        else:
            body = {"ask": {"wish": self.random.choice(self.library.free() or [1])}}
        self.enqueue({"server": self.name, "client": user, "serial": serial, "hour_us": 0, "body": body})

    def reply(self, user, serial, answer):
        self.send(user, {"type": "BookReply", "serial": serial, "answer": answer})

    # The queue.

    def on_statements(self, first, statements):
        for position, statement in enumerate(statements, first):
            if position != self.library.position:
                continue
            answer = self.library.apply(statement)
            user, serial = statement["client"], statement["serial"]
            if user in self.waiting and serial >= self.waiting[user]["serial"]:
                del self.waiting[user]
                if answer is not None:
                    self.reply(user, serial, answer)
        if not self.library.free() and self.paused_after < self.library.session:
            self.paused_after = self.library.session
            self.set_timer("pause-%d" % self.library.session, PAUSE)
        if len(statements) == BATCH:
            self.poll()

    def open_next(self, after):
        if after == self.library.session and not self.library.free():
            body = {"open": {"after": after, "forced": False}}
            self.enqueue({"server": self.name, "client": self.name, "serial": 0, "hour_us": 0, "body": body})

    def on_message(self, src, message):
        if message["type"] == "BookRequest":
            self.on_request(src, message["serial"], message["restart"])
        elif message["type"] == "PollReply":
            self.on_statements(message["from"], message["statements"])

    def on_timer(self, name):
        if name == "poll":
            self.poll()
            # What was lost on the way to the queue is put on it again; the same statement counts once.
            for statement in list(self.waiting.values()):
                self.enqueue(statement)
        elif name.startswith("pause-"):
            self.open_next(int(name[len("pause-"):]))


seedbed.run(Server)

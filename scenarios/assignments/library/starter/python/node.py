"""Hand out books without duplicates: a skeleton. It starts and answers nobody; instructions.en.md and instructions.es.md describe the task."""

import seedbed

QUEUE = "queue"
BOOKS = 15
POLL_EVERY = 0.200
PAUSE = 1.0


class Library:
    """The tables. They follow from the statements of the queue alone, and so they are the same on all servers."""

    def __init__(self):
        self.position = 0
        self.session = 1
        self.taken = set()
        # TODO: the last request of each user, with its answer.

    def apply(self, statement):
        """The next statement of the queue; what its user is to be told."""
        self.position += 1
        # TODO: {"ask": {"wish": 4}} and {"open": {"after": 1, "forced": False}} in statement["body"].


class Server(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash."""
        self.library = Library()
        self.poll()

    def poll(self):
        self.send(QUEUE, {"type": "Poll", "from": self.library.position})
        self.set_timer("poll", POLL_EVERY)

    def on_message(self, src, message):
        # TODO: BookRequest: put a statement on the queue: self.send(QUEUE, {"type": "Enqueue", "statements": [...]}).
        # TODO: PollReply: apply the statements in their order, and answer the users that wait here: BookReply.
        pass

    def on_timer(self, name):
        if name == "poll":
            self.poll()
            # TODO: put what was lost on the way to the queue on it again.
        # TODO: one second after the last book of a session, begin the next one.


seedbed.run(Server)

"""Elect with ephemeral znodes: a solution. instructions.en.md describes the task."""

import seedbed
from seedbed_zookeeper import EPHEMERAL, EPHEMERAL_SEQUENTIAL, PERSISTENT, ZooKeeper

ENSEMBLE = ["zk1", "zk2", "zk3"]
BALANCER = "balancer"
ELECTION = "/election"
MEASUREMENTS = "/my/favorite"
PERIOD = 1.0
RESEND = 0.5


def show(milli):
    """Thousandths as a text with three places: 79.412."""
    return "%d.%03d" % (milli // 1000, milli % 1000)


def number(name):
    return int(name[-10:])


class Instance(seedbed.Node):
    def on_init(self):
        self.zk = ZooKeeper(self, ENSEMBLE, on_state=self.on_state, on_watch=self.on_watch)
        # The session under which all was begun.
        self.known = 0
        # The znode in the election, and the transaction that made it.
        self.own = None
        self.epoch = 0
        self.guid = ""
        self.watched = None
        # Counts what was begun, so that late answers are told from those that are waited for.
        self.attempt = 0
        self.leads = False
        self.numbers = 0
        self.posting = None
        self.show("role", "outside")
        self.set_timer("measure", self.random.uniform(0.0, PERIOD / 5))
        self.zk.open()

    # The session.

    def on_state(self, state):
        self.attempt += 1
        if state == "connected":
            if self.zk.session == self.known:
                self.resume()
            else:
                self.begin()
            return
        # The session may live or not; until that is known, nothing is done in its name.
        self.resign()
        if state in ("expired", "closed"):
            self.leave_row()
            self.zk.open()

    def begin(self):
        self.known = self.zk.session
        self.make_parents()
        self.contend()
        self.measure()

    def make_parents(self):
        """They may be there; whoever comes first makes them."""
        for path in ("/my", MEASUREMENTS, ELECTION):
            self.zk.create(path, "", PERSISTENT)

    def leave_row(self):
        self.own = None
        self.show("role", "outside")

    def on_command(self, command):
        if command == "leave" and self.zk.connected:
            self.attempt += 1
            self.resign()
            self.zk.close()

    # The election.

    def contend(self):
        self.own, self.epoch = None, 0
        # The answer to a create can be lost: by this word the znode is found again.
        self.guid = "%012x" % self.random.getrandbits(48)
        self.make()

    def make(self):
        self.zk.create(ELECTION + "/" + self.guid + "-n_", self.name, EPHEMERAL_SEQUENTIAL, self.step(self.on_made))

    def resume(self):
        if self.own is not None:
            self.found(self.own)
            return
        # What was asked for when the connection was lost may have happened or not.
        self.make_parents()
        self.zk.children(ELECTION, then=self.step(self.on_searched))

    def step(self, then):
        """An answer counts only as long as nothing else was begun."""
        attempt = self.attempt
        return lambda reply: then(reply) if attempt == self.attempt else None

    def on_searched(self, reply):
        mine = [name for name in reply.names or [] if name.startswith(self.guid)]
        if mine:
            self.found(ELECTION + "/" + mine[0])
        else:
            self.make()

    def on_made(self, reply):
        if reply.error is None:
            self.found(reply.path)
        else:
            self.contend()

    def found(self, path):
        self.own = path
        self.show("role", "contender")
        self.zk.exists(path, then=self.step(self.on_stat))

    def on_stat(self, reply):
        if reply.error is not None:
            self.contend()
            return
        self.epoch = reply.stat["czxid"]
        self.look()

    def look(self):
        self.zk.children(ELECTION, then=self.step(self.on_row))

    def on_row(self, reply):
        row = sorted(reply.names or [], key=number)
        own = self.own.rsplit("/", 1)[1]
        if own not in row:
            self.contend()
        elif row[0] == own:
            self.lead(reply.zxid)
        else:
            self.watched = ELECTION + "/" + row[row.index(own) - 1]
            self.zk.exists(self.watched, watch=True, then=self.step(self.on_watching))

    def on_watching(self, reply):
        # The one before has gone meanwhile.
        if reply.error == "no_node":
            self.look()

    def on_watch(self, kind, path):
        if kind == "deleted" and path == self.watched and not self.leads:
            self.look()

    def lead(self, zxid):
        if not self.leads:
            self.leads = True
            self.show("role", "elected")
            self.observe("lead", epoch=self.epoch, zxid=zxid, session=self.zk.session)
            self.set_timer("mean", PERIOD / 5)

    def resign(self):
        if self.leads:
            self.observe("resign", epoch=self.epoch)
            self.show("role", "contender")
        self.leads = False
        self.posting = None
        self.cancel_timer("mean")
        self.cancel_timer("post")

    # Measurements.

    def measure(self):
        if self.zk.connected:
            value = show(self.random.randrange(75_000, 85_001))
            path = MEASUREMENTS + "/" + self.name
            self.zk.set(path, value, then=lambda reply: self.on_set(reply, path, value))

    def on_set(self, reply, path, value):
        if reply.error == "no_node":
            self.zk.create(path, value, EPHEMERAL)
        elif reply.error is None and reply.stat is not None and reply.stat["owner"] != self.zk.session:
            # It is left from an earlier session, and goes with that: the own one takes its place.
            self.zk.delete(path)
            self.zk.create(path, value, EPHEMERAL)

    # The leader's work.

    def mean(self):
        if self.leads:
            self.zk.children(MEASUREMENTS, then=self.step(self.on_names))

    def on_names(self, reply):
        if self.leads and reply.names:
            names = reply.names
            reads = [("children", MEASUREMENTS)] + [("get", MEASUREMENTS + "/" + name) for name in names]
            self.zk.multi_read(reads, then=self.step(lambda reply: self.on_values(reply, names)))

    def on_values(self, reply, names):
        if not self.leads or not reply.replies:
            return
        if reply.replies[0].names != names:
            # Somebody came or went between the two reads.
            self.mean()
            return
        values = [round(float(each.data) * 1000) for each in reply.replies[1:]]
        mean = (sum(values) + len(values) // 2) // len(values)
        self.numbers += 1
        self.observe("mean", epoch=self.epoch, number=self.numbers, zxid=reply.zxid, milli=mean, count=len(values))
        self.posting = {
            "type": "HttpRequest",
            "id": self.numbers,
            "target": "/detectar?dato=" + show(mean),
            "epoch": self.epoch,
            "number": self.numbers,
        }
        self.post()

    def post(self):
        if self.posting is not None:
            self.send(BALANCER, self.posting)
            self.set_timer("post", RESEND)

    def on_response(self, message):
        if self.posting is None or message["id"] != self.posting["id"] or message["status"] in (502, 503):
            return
        self.posting = None
        self.cancel_timer("post")
        if message["status"] == 409 and self.leads:
            # Somebody else leads: who, the row of contenders tells.
            self.resign()
            self.attempt += 1
            if self.zk.connected:
                self.resume()

    def on_message(self, src, message):
        if not self.zk.on_message(src, message) and message["type"] == "HttpResponse":
            self.on_response(message)

    def on_timer(self, name):
        if self.zk.on_timer(name):
            return
        if name == "measure":
            self.set_timer("measure", PERIOD)
            self.measure()
        elif name == "mean" and self.leads:
            self.set_timer("mean", PERIOD)
            self.mean()
        elif name == "post":
            self.post()

    def on_stop(self):
        if self.zk.connected:
            self.zk.close()


seedbed.run(Instance)

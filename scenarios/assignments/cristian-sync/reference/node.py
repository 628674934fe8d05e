"""Synchronise clocks by Cristian's algorithm: a solution. instructions.en.md describes the task."""

import time

import seedbed

MS = 1_000_000
US = 1_000
MIN_DELAY = 1 * MS
DRIFT_PPM = 200
TIMEOUT = 0.7
SHOW_EVERY = 0.050


def growth(elapsed):
    """How far a clock that is off by at most DRIFT_PPM goes wrong while it counts `elapsed` ns."""
    return elapsed * DRIFT_PPM // (1_000_000 - DRIFT_PPM) + 1


def up(ns):
    """Whole microseconds, rounded up: a claim must not lose anything."""
    return -(-ns // US)


class Server(seedbed.Node):
    def on_init(self):
        self.coordinator = "time"
        # The hour is the monotonic clock plus this, ns. Until the first round nobody knows better than the wall clock.
        self.offset = time.time_ns() - time.monotonic_ns()
        # The last hour that was shown since the first round: a clock never goes back.
        self.shown = None
        # What the last round knew of its error, and when that was.
        self.error = None
        self.measured = None
        self.question = None
        self.round = self.saved.get("done", 0)
        self.records = self.saved.get("records", [])
        self.report()
        self.set_timer("show", SHOW_EVERY)

    # The clock.

    def read(self):
        """The hour, ns since 1970. A clock that is ahead stands still until the hour has caught up."""
        hour = time.monotonic_ns() + self.offset
        if self.shown is not None:
            hour = max(hour, self.shown)
            self.shown = hour
        return hour

    def claim(self):
        """How wrong the clock may be at the most, ns; None before the first round."""
        if self.error is None:
            return None
        now = time.monotonic_ns()
        ahead = self.read() - (now + self.offset)
        return self.error + growth(now - self.measured) + ahead

    def show_clock(self):
        hour, claim = self.read(), self.claim()
        self.observe("reading", clock_us=hour // US, error_bound_us=-1 if claim is None else up(claim))

    # Rounds.

    def ask(self):
        nonce = self.random.getrandbits(62)
        self.question = (nonce, time.monotonic_ns())
        self.send(self.coordinator, {"type": "TimeRequest", "nonce": nonce, "hour": self.read()})
        self.set_timer("probe", TIMEOUT)

    def on_synchronise(self, number):
        if number <= self.round:
            return
        self.round = number
        self.ask()

    def on_answer(self, message):
        if self.question is None or message["nonce"] != self.question[0]:
            return
        asked, now = self.question[1], time.monotonic_ns()
        self.question = None
        self.cancel_timer("probe")
        round_trip = now - asked
        before = self.read()
        found = message["sent"] + round_trip // 2
        own = round_trip // 2 - MIN_DELAY + 2 * growth(round_trip)
        self.error = own + message["error_bound"]
        self.measured = now
        self.offset = found - now
        if self.shown is None:
            self.shown = found
        after = self.read()
        self.observe("round", round=self.round, discipline="hold", before_us=before // US, after_us=after // US)
        self.show_clock()
        self.end_round(before, found)

    # Records.

    def end_round(self, before, found):
        previous, corrected = before // US, found // US
        record = {"round": self.round, "previous_us": previous, "corrected_us": corrected, "adjustment_us": corrected - previous}
        self.records.append(record)
        self.save("done", self.round)
        self.save("records", self.records)
        self.observe("round_stored", server=self.name, **record)
        self.report()

    def report(self):
        """The oldest record that is not confirmed, again and again."""
        if self.records:
            self.send(self.coordinator, {"type": "RoundReport", "record": self.records[0]})
            self.set_timer("report", TIMEOUT)

    def on_recorded(self, number):
        self.records = [record for record in self.records if record["round"] > number]
        self.save("records", self.records)
        self.cancel_timer("report")
        self.report()

    def on_message(self, src, message):
        kind = message["type"]
        if kind == "Synchronise":
            self.on_synchronise(message["round"])
        elif kind == "TimeResponse":
            self.on_answer(message)
        elif kind == "RoundReportAck":
            self.on_recorded(message["round"])

    def on_timer(self, name):
        if name == "show":
            self.show_clock()
            self.set_timer("show", SHOW_EVERY)
        elif name == "probe":
            self.ask()
        elif name == "report":
            self.report()


seedbed.run(Server)

"""Synchronise by Cristian: a beginning. It starts, and shows a clock that nobody has set; instructions.en.md and instructions.es.md say what is to be done."""

import time

import seedbed

SHOW_EVERY = 0.050


class Server(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash. The coordinator is the node "time"."""
        # The hour is the monotonic clock plus this, ns. Until the first round nobody knows better than the wall clock.
        self.offset = time.time_ns() - time.monotonic_ns()
        # TODO: after a crash, go on with the records that were saved: self.saved.get("records").
        self.set_timer("show", SHOW_EVERY)

    def read(self):
        """The hour, ns since 1970."""
        # TODO: once it was set, a clock never goes back.
        return time.monotonic_ns() + self.offset

    def show_clock(self):
        # TODO: claim what the clock may be wrong by; -1 says that nobody knows.
        self.observe("reading", clock_us=self.read() // 1000, error_bound_us=-1)

    def on_message(self, src, message):
        # TODO: Synchronise: ask with self.send("time", {"type": "TimeRequest", ...}), and again where no answer comes.
        # TODO: TimeResponse: correct the clock, observe "round", save the record, observe "round_stored", report it.
        # TODO: RoundReportAck: the record need not be reported any more.
        pass

    def on_timer(self, name):
        if name == "show":
            self.show_clock()
            self.set_timer("show", SHOW_EVERY)


seedbed.run(Server)

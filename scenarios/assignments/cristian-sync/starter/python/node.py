"""Synchronise clocks by Cristian's algorithm: a skeleton. It starts and reports a clock that nobody has set; instructions.en.md and instructions.es.md describe the task."""

import time

import seedbed

SHOW_EVERY = 0.050


class Server(seedbed.Node):
    def on_init(self):
        """The process starts, for the first time or after a crash. The coordinator is the node "time"."""
        # The time is the monotonic clock plus this, in ns. Until the first round there is nothing better than the wall clock.
        self.offset = time.time_ns() - time.monotonic_ns()
        # TODO: after a crash, continue with the saved records: self.saved.get("records").
        self.set_timer("show", SHOW_EVERY)

    def read(self):
        """The hour, ns since 1970."""
        # TODO: once set, a clock never goes backwards.
        return time.monotonic_ns() + self.offset

    def show_clock(self):
        # TODO: state the error bound of the clock; -1 means unknown.
        self.observe("reading", clock_us=self.read() // 1000, error_bound_us=-1)

    def on_message(self, src, message):
        # TODO: Synchronise: ask with self.send("time", {"type": "TimeRequest", ...}), and again if no answer comes.
        # TODO: TimeResponse: correct the clock, observe "round", save the record, observe "round_stored", report it.
        # TODO: RoundReportAck: the record no longer has to be reported.
        pass

    def on_timer(self, name):
        if name == "show":
            self.show_clock()
            self.set_timer("show", SHOW_EVERY)


seedbed.run(Server)

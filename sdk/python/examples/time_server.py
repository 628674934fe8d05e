"""A time server for the system ``cristian``: it follows the UTC source by Cristian's algorithm, and returns the time with an error bound.

It is written as sequences of steps. Cristian, "Probabilistic clock synchronization", 1989: a client that asks at ``begin`` and gets ``utc`` at ``end``
knows that the time is between ``utc`` and ``utc + (end - begin)``; the middle is wrong by at most half the round trip.
"""

import time

import seedbed

INTERVAL = 2.0
TRIES = 3
# The maximum drift of a clock: 200 ppm.
DRIFT = 200e-6


class TimeServer(seedbed.AsyncNode):
    async def main(self):
        # UTC minus our monotonic clock in ns, its error bound, and when it was measured.
        self.offset = self.error = self.since = None
        self.round = self.saved.get("round", 0)
        self.spawn(self.answer())
        self.spawn(self.record())
        await self.follow_utc()
        while True:
            self.round += 1
            self.save("round", self.round)
            for node in self.nodes:
                if node.startswith("s"):
                    self.send(node, {"type": "Synchronise", "round": self.round})
            await self.sleep(INTERVAL)
            await self.follow_utc()

    async def follow_utc(self):
        """The shortest of several round trips, because its half is the bound."""
        best = None
        for _ in range(TRIES):
            begin = time.monotonic_ns()
            try:
                answer = await self.request("utc", {"type": "UtcRequest"}, timeout=0.3, field="nonce")
            except TimeoutError:
                continue
            end = time.monotonic_ns()
            trip = end - begin
            if best is None or trip < best[0]:
                best = trip, answer["utc"] + trip // 2 - end, end
        if best is not None:
            trip, self.offset, self.since = best
            self.error = trip // 2
            print("UTC is known within", self.error, "ns")

    async def answer(self):
        while True:
            src, question = await self.receive("TimeRequest")
            if self.offset is None:
                # A client without an answer asks again.
                continue
            now = time.monotonic_ns()
            error = self.error + round((now - self.since) * DRIFT) + 1
            hour = now + self.offset
            self.reply(src, question, {"type": "TimeResponse", "received": hour, "sent": hour, "error_bound": error}, field="nonce")

    async def record(self):
        while True:
            src, report = await self.receive("RoundReport")
            record = report["record"]
            self.save("record/" + src, record)
            self.send(src, {"type": "RoundReportAck", "round": record["round"]})


seedbed.run(TimeServer)

"""The conformance node of PROTOCOL.md: ``seedbed conform -- python3 sdk/python/examples/conformance.py``."""

import time
from typing import Any, Dict

import seedbed


class Conformance(seedbed.Node):
    def on_restart(self) -> None:
        self.send(self.peers[0], {"type": "Restarted"})

    def on_timer(self, name: str) -> None:
        self.send(self.peers[0], {"type": "Timer", "name": name})

    def on_command(self, command: str) -> None:
        self.send(self.peers[0], {"type": "Command", "command": command})

    def on_stop(self) -> None:
        self.send(self.peers[0], {"type": "Stopped"})

    def on_data(self, stream: seedbed.Stream, data: bytes) -> None:
        stream.write(data)

    def on_message(self, src: str, message: Dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "Echo":
            self.send(src, message)
        elif kind == "Timer":
            self.set_timer(message["name"], message["after"] / 1e9)
        elif kind == "Cancel":
            self.cancel_timer(message["name"])
        elif kind == "Save":
            self.save(message["key"], message["value"])
            self.send(src, {"type": "Saved", "key": message["key"]})
        elif kind == "Load":
            self.send(src, {"type": "Loaded", "key": message["key"], "value": self.saved.get(message["key"])})
        elif kind == "Broadcast":
            self.broadcast({"type": "Hello", "text": message["text"]})
        elif kind == "Observe":
            self.observe(message["event"], **message["fields"])
        elif kind == "Show":
            self.show(message["metric"], message["value"])
        elif kind == "Draw":
            self.send(src, {"type": "Drawn", "number": self.random.getrandbits(32)})
        elif kind == "Now":
            self.send(src, {"type": "Now", "now": time.monotonic_ns(), "wall": time.time_ns()})
        elif kind == "Print":
            print(message["text"], end="")
            self.send(src, {"type": "Printed"})
        elif kind == "Crash":
            raise RuntimeError(message["text"])
        elif kind == "Listen":
            self.listen(message["port"])
        elif kind == "Connect":
            self.connect(message["dest"], message["port"]).write(message["text"].encode("utf-8"))


if __name__ == "__main__":
    seedbed.run(Conformance)

"""Write a node for seedbed in Python.

A node is a class with handlers. The testbed calls them one at a time, under virtual time::

    import seedbed

    class Echo(seedbed.Node):
        def on_message(self, src, message):
            self.send(src, {"type": "Echo", "text": message["text"]})

    seedbed.run(Echo)

Inside a handler ``self.now`` does not move. ``time.time()``, ``time.monotonic()``, ``random`` and ``os.urandom`` give the node's own virtual clocks and its
seeded randomness, ``print`` writes into the log with virtual time, and an exception that you do not catch is a crash of the node whose traceback stands in the
report. What you ``save`` survives a crash; everything else is gone. There are no threads and no ``time.sleep``: set a timer.

One file, standard library only, Python 3.8 and later. The conversation underneath is described in PROTOCOL.md.
"""

import io
import json
import os
import random as _random
import sys
import time as _time
import traceback
from typing import Any, Dict, List, Optional, Type

__all__ = ["Node", "run"]

_TURNS, _ANSWERS = 3, 4


class Node:
    """A node. Override the handlers; use the rest."""

    #: This node's name, ``"n1"``.
    name: str
    #: Its role in the system.
    role: str
    #: The names of the other nodes of the same role, in the scenario's order.
    peers: List[str]
    #: The names of all nodes and clients.
    nodes: List[str]
    #: What was saved, by key: after a restart as it was on the disk.
    saved: Dict[str, Any]
    #: Randomness for this process, from the run's seed.
    random: _random.Random

    def on_init(self) -> None:
        """The node starts for the first time."""

    def on_restart(self) -> None:
        """The node starts again after a crash or a stop, with what is in ``self.saved``. Calls ``on_init`` unless you override it."""
        self.on_init()

    def on_message(self, src: str, message: Dict[str, Any]) -> None:
        """A message has come from the node or client ``src``."""

    def on_timer(self, name: str) -> None:
        """The timer of this name has run out."""

    def on_command(self, command: str) -> None:
        """Somebody asks for something outside the protocol: ``transfer_leadership n2``."""

    def on_stop(self) -> None:
        """The process is asked to end. What is asked for here still happens."""

    @property
    def now(self) -> float:
        """The node's monotonic clock in seconds. It drifts, and it never goes back."""
        return _clock["now"] / 1e9

    def send(self, dest: str, message: Dict[str, Any]) -> None:
        """Send a message, an object with a ``type``. It may be lost, doubled, late or out of order."""
        if not isinstance(message.get("type"), str):
            raise ValueError("a message needs a 'type', a text: {!r}".format(message))
        _ops.append({"op": "send", "dest": dest, "body": message})

    def broadcast(self, message: Dict[str, Any]) -> None:
        """Send a message to every peer."""
        for peer in self.peers:
            self.send(peer, message)

    def set_timer(self, name: str, after: float) -> None:
        """Have ``on_timer(name)`` called after so many seconds of the node's clock, in place of an earlier setting of this timer."""
        _ops.append({"op": "set_timer", "name": name, "after": max(0, round(after * 1e9))})

    def cancel_timer(self, name: str) -> None:
        """Forget a timer; nothing happens where it does not run."""
        _ops.append({"op": "cancel_timer", "name": name})

    def save(self, key: str, value: Any) -> None:
        """Put a value on the disk (``None`` removes it). Messages that follow leave when it is durable."""
        _ops.append({"op": "save", "key": key, "value": _copied(value)})
        if value is None:
            self.saved.pop(key, None)
        else:
            self.saved[key] = _copied(value)

    def observe(self, event: str, **fields: Any) -> None:
        """Record that something has happened, as the assignment asks for it: ``self.observe("leader", term=3)``."""
        _ops.append({"op": "observe", "name": event, "fields": fields})

    def show(self, metric: str, value: Any) -> None:
        """Show what is, until it changes: ``self.show("role", "leader")``."""
        _ops.append({"op": "observe", "name": metric, "value": value})

    def log(self, *words: Any) -> None:
        """Write a line into the log, with virtual time."""
        _ops.append({"op": "log", "text": " ".join(str(word) for word in words)})


_ops: List[Dict[str, Any]] = []
_clock = {"now": 0, "wall": 0}


def _copied(value: Any) -> Any:
    """The value as it will come back from the disk; a change of the original afterwards does not count."""
    return json.loads(json.dumps(value))


class _Log(io.TextIOBase):
    """Standard output and standard error: whole lines become log lines."""

    def __init__(self) -> None:
        self.rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        lines = (self.rest + text).split("\n")
        self.rest = lines.pop()
        for line in lines:
            _ops.append({"op": "log", "text": line})
        return len(text)

    def end(self) -> None:
        if self.rest:
            self.write("\n")


def _no_sleep(_seconds: float) -> None:
    raise RuntimeError("time.sleep would stop virtual time: set a timer with self.set_timer(name, seconds) instead")


def _virtual(generator: _random.Random) -> None:
    """Give the standard library the node's clocks and randomness."""
    _time.time = lambda: _clock["wall"] / 1e9
    _time.time_ns = lambda: _clock["wall"]
    _time.monotonic = _time.perf_counter = lambda: _clock["now"] / 1e9
    _time.monotonic_ns = _time.perf_counter_ns = lambda: _clock["now"]
    _time.sleep = _no_sleep
    os.urandom = lambda count: bytes(generator.getrandbits(8) for _ in range(count))
    # The module's own functions are methods of one hidden generator.
    _random.seed(generator.getrandbits(64))


def _dispatch(node: Node, event: Dict[str, Any]) -> None:
    kind = event["type"]
    if kind in ("init", "restart"):
        node.name, node.role = event["node"], event["role"]
        node.peers, node.nodes = event["peers"], event["nodes"]
        node.saved = event.get("saved", {})
        node.random = _random.Random(int(event["seed"], 16))
        _virtual(node.random)
        node.on_init() if kind == "init" else node.on_restart()
    elif kind == "message":
        node.on_message(event["src"], event["body"])
    elif kind == "timer":
        node.on_timer(event["name"])
    elif kind == "command":
        node.on_command(event["command"])
    elif kind == "stop":
        node.on_stop()


def run(make: Type[Node]) -> None:
    """Run a node until the testbed ends the process. ``make`` is the class, or anything that makes a node when it is called."""
    try:
        turns = os.fdopen(_TURNS, "r", encoding="utf-8", newline="\n")
        answers = os.fdopen(_ANSWERS, "w", encoding="utf-8", newline="\n")
    except OSError:
        sys.exit("This is a node for seedbed, which starts it: seedbed run SCENARIO --node-command \"python3 {}\"".format(sys.argv[0]))
    log = _Log()
    sys.stdout = sys.stderr = log
    node: Optional[Node] = None
    for line in turns:
        turn = json.loads(line)
        _clock["now"], _clock["wall"] = turn["now"], turn["wall"]
        answer: Dict[str, Any] = {"ops": _ops}
        try:
            if node is None:
                node = make()
            for event in turn["ev"]:
                _dispatch(node, event)
            log.end()
            text = json.dumps(answer, separators=(",", ":"), allow_nan=False)
        except SystemExit as end:
            text = json.dumps({"exit": end.code if isinstance(end.code, int) else 1})
        except BaseException:
            # The effects of a step that did not end did not happen.
            text = json.dumps({"exit": 1, "error": traceback.format_exc()})
        answers.write(text + "\n")
        answers.flush()
        _ops.clear()
        if "exit" in text[:8]:
            return

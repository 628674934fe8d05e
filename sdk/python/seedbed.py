"""Write a node for seedbed in Python.

A node is a class with handlers. The testbed calls them one at a time, under virtual time::

    import seedbed

    class Echo(seedbed.Node):
        def on_message(self, src, message):
            self.send(src, {"type": "Echo", "text": message["text"]})

    seedbed.run(Echo)

Or a coroutine that waits for what it needs, step by step::

    class Pinger(seedbed.AsyncNode):
        async def main(self):
            for peer in self.peers:
                try:
                    answer = await self.request(peer, {"type": "Ping"}, timeout=0.5)
                    print(peer, "answered", answer)
                except TimeoutError:
                    print(peer, "is silent")
                await self.sleep(1.0)

Inside a handler, and between two ``await``, no time passes. The standard library uses the node's own clock and randomness: ``time``,
``datetime``, ``random``, ``secrets``, ``uuid`` and ``os.urandom`` give virtual clocks and seeded randomness, ``print`` and ``logging`` write
to the log with virtual time, and an uncaught exception is a crash of the node whose traceback is in the report. What you ``save`` survives
a crash; everything else is lost. There are no threads, no sockets and no ``time.sleep``: an error says what to use instead.

One file, standard library only, Python 3.8 and later. PROTOCOL.md describes the underlying protocol.
"""

from __future__ import annotations

import builtins
import io
import os
import stat
import sys
import time as _time

# A process is started for every node and every restart, thousands of times in a grading: importing `typing`, `json`, `random` and `traceback`
# would take longer than everything else together, so they are imported only when needed.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from random import Random
    from types import ModuleType
    from typing import Any, Callable, Coroutine, Dict, Generator, Generic, List, Optional, Set, Tuple, Type, TypeVar

    T = TypeVar("T")
    Message = Dict[str, Any]
else:
    #: A message: an object with a ``type``.
    Message = dict
    T = None

    class Generic:
        """A stand-in for ``typing.Generic``."""

        def __class_getitem__(cls, _of):
            return cls


__all__ = ["AsyncNode", "Cancelled", "Message", "Node", "Stream", "Task", "run"]

_VERSION = 1
_TURNS, _ANSWERS = 3, 4
_LINE_BYTES_MAX = 1 << 20
_MESSAGE_BYTES_MAX = _LINE_BYTES_MAX // 2
_OPS_MAX = 10_000
_PRINTED_MAX = 1 << 18
# How many characters of a traceback the testbed shows.
_ERROR_MAX = 1_000


# The node -------------------------------------------------------------------------------------------------------------------------------


class Node:
    """A node. Override the handlers; use the other methods."""

    #: This node's name, ``"n1"``.
    name: str
    #: Its role in the system.
    role: str
    #: The names of the other nodes of the same role, in the scenario's order.
    peers: List[str]
    #: The names of all nodes and clients.
    nodes: List[str]

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Node:
        # Done here so that `__init__` of a derived class can already use everything, and need not
        # call ours.
        node = super().__new__(cls)
        start = _process.start
        if start is None:
            raise RuntimeError("a node is created by seedbed.run({}), when the testbed has started it".format(cls.__name__))
        node.name, node.role = start["node"], start["role"]
        node.peers, node.nodes = list(start["peers"]), list(start["nodes"])
        node._streams = {}
        node._stream_next = 1
        node._periods = {}
        return node

    # Handlers

    def on_init(self) -> None:
        """The node starts for the first time."""

    def on_restart(self) -> None:
        """The node restarts after a crash or a stop, with what is in ``self.saved``. Calls ``on_init`` unless overridden."""
        self.on_init()

    def on_message(self, src: str, message: Message) -> None:
        """A message has arrived from the node or client ``src``."""

    def on_timer(self, name: str) -> None:
        """The timer with this name has expired."""

    def on_command(self, command: str) -> None:
        """The scenario sends a command: ``transfer_leadership n2``."""

    def on_stop(self) -> None:
        """The process is being stopped. The effects of this handler still happen."""

    def on_accept(self, stream: Stream, src: str) -> None:
        """The node or client ``src`` has connected to a port that this node listens on."""

    def on_connect(self, stream: Stream) -> None:
        """A connection that this node opened is established."""

    def on_data(self, stream: Stream, data: bytes) -> None:
        """Bytes have arrived, in order. How they are split has no meaning: one ``write`` can arrive as many pieces, many as one."""

    def on_close(self, stream: Stream, reason: str) -> None:
        """No more bytes will arrive: ``"closed"`` by the peer (this side may still write, and closes too unless overridden), ``"refused"``,
        ``"reset"`` or ``"timed_out"``."""
        if reason == "closed":
            stream.close()

    def on_writable(self, stream: Stream) -> None:
        """The send buffer, which had been too full, has drained below half."""

    # Clocks and randomness

    @property
    def now(self) -> float:
        """The node's monotonic clock in seconds. It drifts, but never goes back."""
        return _process.now / 1e9

    @property
    def wall(self) -> float:
        """The node's wall clock in seconds since 1970, like ``time.time()``. It can be wrong and step."""
        return _process.wall / 1e9

    @property
    def random(self) -> Random:
        """Randomness for this process, from the run's seed."""
        if _process.random is None:
            from random import Random

            _process.random = Random(_process.seed)
        return _process.random

    # Messages

    def send(self, dest: str, message: Message) -> None:
        """Send a message, an object with a ``type``, as it is now. It may be lost, duplicated, delayed or reordered."""
        _put(_addressed(dest) + _body(message) + "}")

    def broadcast(self, message: Message) -> None:
        """Send a message to every peer."""
        body = _body(message) + "}"
        for peer in self.peers:
            _put(_addressed(peer) + body)

    # Timers

    def set_timer(self, name: str, after: float) -> None:
        """Call ``on_timer(name)`` once after this many seconds of the node's clock, replacing an earlier setting of this timer."""
        if name not in _names:
            _check_name("timer", name)
        self._periods.pop(name, None)
        _put('{"op":"set_timer","name":"%s","after":%d}' % (name, _nanoseconds(after)))

    def every(self, seconds: float, name: str) -> None:
        """Call ``on_timer(name)`` periodically, every this many seconds, until the timer is set again or cancelled."""
        if not seconds > 0:
            raise ValueError("every(%r, %r): a period must be positive" % (seconds, name))
        self.set_timer(name, seconds)
        self._periods[name] = seconds

    def cancel_timer(self, name: str) -> None:
        """Cancel a timer; no effect if it is not running."""
        if name not in _names:
            _check_name("timer", name)
        self._periods.pop(name, None)
        _put('{"op":"cancel_timer","name":"%s"}' % name)

    # What survives a crash

    @property
    def saved(self) -> Dict[str, Any]:
        """What was saved, by key: after a restart as it was on the disk, and ``None`` if a disk fault has damaged it."""
        return _process.read_saved()

    def save(self, key: str, value: Any) -> None:
        """Save a value to disk, as it is now (``None`` removes it). Messages that follow leave when it is durable."""
        if key not in _names:
            _check_name("key", key)
        text = _json_text(value)
        _put('{"op":"save","key":"%s","value":%s}' % (key, text))
        _process.unread[key] = text

    # Observations

    def observe(self, event: str, **fields: Any) -> None:
        """Record an event, as the assignment requires: ``self.observe("leader", term=3)``."""
        if event not in _names:
            _check_name("event", event)
        for name, value in fields.items():
            _check_shown(name, value)
        _put('{"op":"observe","name":"%s","fields":%s}' % (event, _json_text(fields)))

    def show(self, metric: str, value: Any) -> None:
        """Set a metric, valid until it changes: ``self.show("role", "leader")``."""
        if metric not in _names:
            _check_name("metric", metric)
        if value is None:
            value = "none"
        _check_shown(metric, value)
        _put('{"op":"observe","name":"%s","value":%s}' % (metric, _json_text(value)))

    def log(self, *words: Any) -> None:
        """Write a line to the log, with virtual time, as ``print`` does."""
        _printed.line(" ".join([str(word) for word in words]))

    # Streams

    def listen(self, port: int) -> None:
        """Accept connections on a port from now on: ``on_accept``."""
        _put('{"op":"listen","port":%d}' % _port(port))

    def connect(self, dest: str, port: int) -> Stream:
        """Open a connection: ``on_connect``, or ``on_close`` with the reason, follows. Bytes written before that are sent as soon as possible."""
        stream = Stream(self, self._stream_next, dest, _port(port))
        destination = _addressed(dest)[len('{"op":"send"') : -len(',"body":')]
        _put('{"op":"connect","stream":%d%s,"port":%d}' % (stream.id, destination, port))
        self._stream_next += 1
        self._streams[stream.id] = stream
        return stream

    _streams: Dict[int, Stream]
    _stream_next: int
    _periods: Dict[str, float]

    def _handle(self, event: Dict[str, Any]) -> None:
        """Call the handler for an event."""
        kind = event["type"]
        # A handler returns nothing; a value is a mistake.
        result: Any
        if kind == "message":
            result = self.on_message(event["src"], event["body"])  # type: ignore[func-returns-value]
        elif kind == "timer":
            name = event["name"]
            if name in self._periods:
                self.every(self._periods[name], name)
            result = self.on_timer(name)  # type: ignore[func-returns-value]
        elif kind in ("init", "restart", "stop"):
            result = getattr(self, "on_" + kind)()
        elif kind == "command":
            result = self.on_command(event["command"])  # type: ignore[func-returns-value]
        else:
            result = self._handle_stream(kind, event) if "stream" in event else None
        if result is not None:
            _check_result(self, kind, result)

    def _handle_stream(self, kind: str, event: Dict[str, Any]) -> Any:
        number = event["stream"]
        if kind == "accepted":
            stream = self._streams[number] = Stream(self, number, event["src"], event["port"])
            stream.connected = True
            return self.on_accept(stream, event["src"])
        known = self._streams.get(number)
        if known is None:
            # This side has reset the connection meanwhile.
            return None
        if kind == "connected":
            known.connected = True
            return self.on_connect(known)
        if kind == "data":
            from binascii import a2b_base64

            return self.on_data(known, a2b_base64(event["base64"]))
        if kind == "writable":
            return self.on_writable(known)
        if kind == "peer_closed":
            known.ended = "closed"
            if known.closed:
                del self._streams[number]
            return self.on_close(known, "closed")
        if kind in ("refused", "reset", "timed_out"):
            known.ended, known.closed, known.connected = kind, True, False
            del self._streams[number]
            return self.on_close(known, kind)
        return None

    def _deadline(self) -> Optional[int]:
        """When the node must be woken without an event, in ns of its monotonic clock."""
        return None


class Stream:
    """One end of a connection. Its coroutines are for an ``AsyncNode``."""

    __slots__ = ("id", "peer", "port", "connected", "closed", "ended", "_node", "_received", "_reader")

    def __init__(self, node: Node, number: int, peer: str, port: int) -> None:
        # : Its number, unique in the process.
        self.id = number
        #: The node or client at the other end.
        self.peer = peer
        #: The port that was connected to.
        self.port = port
        # : Whether the connection is established.
        self.connected = False
        #: Whether this side has closed it.
        self.closed = False
        # : Why no more bytes will arrive: ``"closed"`` by the peer, ``"refused"``, ``"reset"``,
        # ``"timed_out"``; ``None`` while more can arrive.
        self.ended: Optional[str] = None
        self._node = node
        self._received = bytearray()
        self._reader: Optional[_Wait] = None

    def __repr__(self) -> str:
        return "<stream %d, %s port %d>" % (self.id, self.peer, self.port)

    def write(self, data: bytes) -> None:
        """Append bytes to the send buffer. Nothing is refused, and arrival is not reported."""
        if isinstance(data, str):
            raise TypeError('a stream carries bytes, not text: write(text.encode("utf-8"))')
        if self.closed:
            raise BrokenPipeError("{!r} is closed: {}".format(self, self.ended or "by this side"))
        from binascii import b2a_base64

        data = bytes(data)
        for begin in range(0, len(data), 1 << 18):
            piece = b2a_base64(data[begin : begin + (1 << 18)], newline=False).decode("ascii")
            _put('{"op":"write","stream":%d,"base64":"%s"}' % (self.id, piece))

    def close(self) -> None:
        """Close this side; written bytes are still sent. The peer's bytes still arrive, until it closes too."""
        if not self.closed:
            self.closed = True
            _put('{"op":"close","stream":%d}' % self.id)
            if self.ended is not None:
                self._node._streams.pop(self.id, None)

    def pause(self) -> None:
        """Stop receiving for now. Once the receive window is full, the peer has to wait."""
        _put('{"op":"pause_reading","stream":%d}' % self.id)

    def resume(self) -> None:
        """Receive again, starting with the bytes that arrived meanwhile."""
        _put('{"op":"resume_reading","stream":%d}' % self.id)

    def reset(self) -> None:
        """Reset the connection immediately, and forget it."""
        if self.id in self._node._streams:
            del self._node._streams[self.id]
            _put('{"op":"reset","stream":%d}' % self.id)
        self.closed, self.ended = True, self.ended or "reset"

    async def read(self, most: int = 65_536, timeout: Optional[float] = None) -> bytes:
        """Wait for bytes, any number up to ``most``. ``b""`` means that the peer has closed."""
        await self._filled(1, timeout)
        return self._take(min(most, len(self._received)))

    async def read_exactly(self, count: int, timeout: Optional[float] = None) -> bytes:
        """Wait for exactly this many bytes. ``EOFError`` if the peer closes before."""
        await self._filled(count, timeout)
        if len(self._received) < count:
            raise EOFError("%r ended after %d of %d bytes" % (self, len(self._received), count))
        return self._take(count)

    async def read_until(self, end: bytes, most: int = _LINE_BYTES_MAX, timeout: Optional[float] = None) -> bytes:
        """Wait for bytes up to and including ``end``. ``EOFError`` if the peer closes before, ``ValueError`` after ``most`` bytes without it."""
        node = _async_node(self._node)
        deadline = None if timeout is None else node.now + timeout
        searched = 0
        while True:
            found = self._received.find(end, max(0, searched - len(end) + 1))
            if found >= 0:
                return self._take(found + len(end))
            searched = len(self._received)
            if searched > most:
                raise ValueError("%r has sent %d bytes without %r" % (self, searched, end))
            await self._filled(searched + 1, None if deadline is None else deadline - node.now)
            if len(self._received) == searched:
                raise EOFError("%r ended without %r" % (self, end))

    async def _filled(self, count: int, timeout: Optional[float]) -> None:
        """Wait until this many bytes have arrived, or no more will."""
        node = _async_node(self._node)
        deadline = None if timeout is None else node.now + timeout
        while len(self._received) < count and self.ended is None:
            if self._reader is not None and self._reader.live:
                raise RuntimeError("%r is read by two tasks at the same time" % self)
            self._reader = _Wait(node, None if deadline is None else deadline - node.now)
            await self._reader
        if len(self._received) < count and self.ended not in (None, "closed"):
            raise _BROKEN[str(self.ended)]("%r: %s" % (self, self.ended))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken


_BROKEN = {"refused": ConnectionRefusedError, "reset": ConnectionResetError, "timed_out": ConnectionAbortedError}


# Sequential nodes -----------------------------------------------------------------------------------------------------------------------


class Cancelled(BaseException):
    """The task was cancelled. It is raised by the task's current ``await``; do not catch it."""


class AsyncNode(Node):
    """A node as coroutines: override ``main``, and wait with ``await`` for what you need.

    There is no ``asyncio`` in this, and nothing else can be awaited than what is offered here and your own coroutines. Tasks run one at
    a time, in a fixed order, and change only at an ``await``. An exception that leaves a task crashes the node. After a crash or a stop
    ``main`` begins anew, with what is in ``self.saved``.
    """

    async def main(self) -> None:
        """The node's main task, from its start. When it returns, the tasks that it has spawned go on."""
        raise NotImplementedError("override `async def main(self)`")

    def __new__(cls, *args: Any, **kwargs: Any) -> AsyncNode:
        node = super().__new__(cls)
        assert isinstance(node, AsyncNode)
        from heapq import heappop, heappush

        node._heap_push, node._heap_pop = heappush, heappop
        node._ready = []
        node._inbox = []
        node._receivers = []
        node._conditions = []
        node._replies = {}
        node._reply_fields = {}
        node._sleepers = []
        node._sequence = 0
        node._correlation = 0
        node._accepted = []
        node._accepters = []
        return node

    def sleep(self, seconds: float) -> _Wait:
        """``await self.sleep(0.5)``: continue after this many seconds of the node's clock."""
        return _Wait(self, max(0.0, seconds), sleeps=True)

    async def receive(self, *types: str, timeout: Optional[float] = None) -> Tuple[str, Message]:
        """``src, message = await self.receive()``: the next message that no one has taken. With names, the next of these types; the others
        wait. ``TimeoutError`` if none comes in time."""
        for place, (_, message) in enumerate(self._inbox):
            if not types or message["type"] in types:
                return self._inbox.pop(place)
        wait = _Wait(self, timeout)
        self._receivers.append((wait, types))
        received: Tuple[str, Message] = await wait
        return received

    async def request(self, dest: str, message: Message, timeout: Optional[float] = None, field: str = "id") -> Message:
        """Send a message and wait for its answer: the first message from ``dest`` that carries the same number in ``field``.

        The number is put there unless the message has one. Answer with ``self.reply``. ``TimeoutError`` if no answer comes in time: then
        the request may or may not have been executed."""
        if field not in message:
            if self._correlation == 0:
                # Start at another number after each restart, so that answers to an earlier process
                # are not mistaken for answers to this one.
                self._correlation = self.random.getrandbits(40) << 12
            self._correlation += 1
            message = dict(message)
            message[field] = self._correlation
        key = (dest, field, message[field])
        self.send(dest, message)
        wait = self._replies[key] = _Wait(self, timeout)
        self._reply_fields[field] = None
        try:
            answer: Message = await wait
            return answer
        finally:
            if self._replies.get(key) is wait:
                del self._replies[key]

    def reply(self, src: str, request: Message, message: Message, field: str = "id") -> None:
        """Send an answer to a request from ``src``."""
        answer = dict(message)
        if field in request:
            answer[field] = request[field]
        self.send(src, answer)

    async def until(self, condition: Callable[[], bool], timeout: Optional[float] = None) -> None:
        """``await self.until(lambda: self.committed >= index)``: continue when the condition holds. It is evaluated after every event."""
        if condition():
            return
        wait = _Wait(self, timeout)
        self._conditions.append((wait, condition))
        await wait

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> Task[T]:
        """Run a coroutine as a separate task, from the next ``await`` on. ``await task`` gives its result."""
        if not hasattr(coroutine, "send"):
            raise TypeError("spawn takes a coroutine, as in self.spawn(self.serve()), not {!r}".format(coroutine))
        task: Task[T] = Task(self, coroutine)
        self._ready.append((task, None, None))
        return task

    async def accept(self, timeout: Optional[float] = None) -> Stream:
        """Wait for the next connection to a port that this node listens on; ``peer`` is the other end."""
        if self._accepted:
            return self._accepted.pop(0)
        wait = _Wait(self, timeout)
        self._accepters.append(wait)
        stream: Stream = await wait
        return stream

    async def open(self, dest: str, port: int, timeout: Optional[float] = None) -> Stream:
        """Open a connection and wait until it is established. Raises ``ConnectionRefusedError`` or ``TimeoutError``."""
        stream = self.connect(dest, port)
        deadline = None if timeout is None else self.now + timeout
        while not stream.connected and stream.ended is None:
            stream._reader = _Wait(self, None if deadline is None else deadline - self.now)
            try:
                await stream._reader
            except BaseException:
                stream.reset()
                raise
        if stream.ended not in (None, "closed"):
            raise _BROKEN[str(stream.ended)]("%r: %s" % (stream, stream.ended))
        return stream

    # The scheduler.

    _heap_push: Callable[[List[Any], Any], None]
    _heap_pop: Callable[[List[Any]], Any]
    # Tasks that can continue, in order, with a value or an exception.
    _ready: List[Tuple[Task[Any], Any, Optional[BaseException]]]
    _inbox: List[Tuple[str, Message]]
    _receivers: List[Tuple[_Wait, Tuple[str, ...]]]
    _conditions: List[Tuple[_Wait, Callable[[], bool]]]
    _replies: Dict[Tuple[str, str, Any], _Wait]
    _reply_fields: Dict[str, None]
    # A heap of deadlines.
    _sleepers: List[Tuple[int, int, _Wait]]
    _sequence: int
    _correlation: int
    _accepted: List[Stream]
    _accepters: List[_Wait]

    def on_init(self) -> None:
        self.spawn(self.main())

    def on_message(self, src: str, message: Message) -> None:
        for field in self._reply_fields:
            number = message.get(field)
            # Anything but a number or a text may not be hashable, and is not an answer.
            wait = self._replies.pop((src, field, number), None) if isinstance(number, (int, str)) else None
            if wait is not None and wait.live:
                return wait.wake((src, message)[1])
        for place, (receiver, types) in enumerate(self._receivers):
            if receiver.live and (not types or message["type"] in types):
                del self._receivers[place]
                return receiver.wake((src, message))
        if len(self._inbox) >= 100_000:
            raise RuntimeError("100000 messages have arrived that no task has received")
        self._inbox.append((src, message))

    def on_accept(self, stream: Stream, src: str) -> None:
        while self._accepters:
            wait = self._accepters.pop(0)
            if wait.live:
                return wait.wake(stream)
        self._accepted.append(stream)

    def on_connect(self, stream: Stream) -> None:
        self._stream_changed(stream)

    def on_data(self, stream: Stream, data: bytes) -> None:
        stream._received += data
        self._stream_changed(stream)

    def on_close(self, stream: Stream, reason: str) -> None:
        self._stream_changed(stream)

    def _stream_changed(self, stream: Stream) -> None:
        if stream._reader is not None and stream._reader.live:
            stream._reader.wake(None)

    def _handle(self, event: Dict[str, Any]) -> None:
        super()._handle(event)
        while self._sleepers and self._sleepers[0][0] <= _process.now:
            wait = self._heap_pop(self._sleepers)[2]
            if wait.live and wait.sleeps:
                wait.wake(None)
            elif wait.live:
                wait.fail(TimeoutError("nothing has come in time"))
        while True:
            while self._ready:
                task, value, error = self._ready.pop(0)
                self._step(task, value, error)
            self._receivers = [entry for entry in self._receivers if entry[0].live]
            self._conditions = [entry for entry in self._conditions if entry[0].live]
            for wait, condition in self._conditions:
                if wait.live and condition():
                    wait.wake(None)
            if not self._ready:
                return

    def _step(self, task: Task[Any], value: Any, error: Optional[BaseException]) -> None:
        """Run a task up to its next ``await``."""
        while True:
            if task._cancels:
                task._cancels, error = False, Cancelled()
            try:
                awaited = task._coroutine.send(value) if error is None else task._coroutine.throw(error)
            except StopIteration as end:
                return task._end(end.value)
            except Cancelled:
                return task._end(None)
            if isinstance(awaited, _Wait):
                awaited.task = task
                task._wait = awaited
                return
            kind = type(awaited).__name__
            value, error = None, TypeError(
                "{} cannot be awaited here: a node waits with self.sleep, self.receive, self.request, self.until and the like, not with asyncio".format(kind)
            )

    def _deadline(self) -> Optional[int]:
        while self._sleepers and not self._sleepers[0][2].live:
            self._heap_pop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None


def _async_node(node: Node) -> AsyncNode:
    if not isinstance(node, AsyncNode):
        raise TypeError("only an AsyncNode can wait for bytes; a Node gets them in on_data(stream, data)")
    return node


class _Wait:
    """A task's position at an ``await``."""

    __slots__ = ("node", "task", "live", "sleeps", "timeout")

    def __init__(self, node: AsyncNode, timeout: Optional[float], sleeps: bool = False) -> None:
        self.node, self.live, self.sleeps = node, True, sleeps
        self.timeout = None if timeout is None else _nanoseconds(timeout)
        self.task: Optional[Task[Any]] = None

    def __await__(self) -> Generator[_Wait, Any, Any]:
        if self.timeout is not None:
            self.node._sequence += 1
            self.node._heap_push(self.node._sleepers, (_process.now + self.timeout, self.node._sequence, self))
        return (yield self)

    def wake(self, value: Any) -> None:
        self._resume(value, None)

    def fail(self, error: BaseException) -> None:
        self._resume(None, error)

    def _resume(self, value: Any, error: Optional[BaseException]) -> None:
        self.live = False
        assert self.task is not None
        self.task._wait = None
        self.node._ready.append((self.task, value, error))


class Task(Generic[T]):
    """A coroutine that runs independently."""

    __slots__ = ("_node", "_coroutine", "_wait", "_cancels", "_joiners", "done", "result")

    def __init__(self, node: AsyncNode, coroutine: Coroutine[Any, Any, T]) -> None:
        self._node = node
        self._coroutine = coroutine
        self._wait: Optional[_Wait] = None
        self._cancels = False
        self._joiners: List[_Wait] = []
        #: Whether it has ended.
        self.done = False
        # : Its return value; ``None`` if it was cancelled.
        self.result: Optional[T] = None

    def cancel(self) -> None:
        """Cancel it: its current ``await`` raises ``Cancelled``."""
        if self.done:
            return
        self._cancels = True
        if self._wait is not None:
            self._wait.wake(None)

    def __await__(self) -> Generator[_Wait, Any, Optional[T]]:
        if not self.done:
            wait = _Wait(self._node, None)
            self._joiners.append(wait)
            yield from wait.__await__()
        return self.result

    def _end(self, result: Optional[T]) -> None:
        self.done, self.result = True, result
        for joiner in self._joiners:
            if joiner.live:
                joiner.wake(None)


# The process ----------------------------------------------------------------------------------------------------------------------------


class _Process:
    """The process's identity and time, as told by the testbed."""

    def __init__(self) -> None:
        self.now = 0
        self.wall = 0
        # A constant until the testbed has sent the seed: a module that draws while it is imported
        # draws the same in every run.
        self.seed = 0x5EEDBED
        self.start: Optional[Dict[str, Any]] = None
        self.random: Optional[Random] = None
        self.entropy: Any = None
        self.saved: Dict[str, Any] = {}
        # Values saved in this process and not read since, as JSON.
        self.unread: Dict[str, str] = {}
        self.served = False
        # The program's own frame, until there is a node.
        self.program: Any = None

    def begin(self, start: Dict[str, Any]) -> None:
        if start["protocol"] != _VERSION:
            raise RuntimeError("this seedbed.py speaks version {} of the protocol, but the testbed speaks {}".format(_VERSION, start["protocol"]))
        self.start = start
        self.seed = int(start["seed"], 16)
        self.saved = start.get("saved", {})
        _nodes.update(start["nodes"])
        self.entropy = None
        loaded = sys.modules.get("random")
        if loaded is not None:
            loaded.seed(self.seed ^ 0x72616E646F6D)

    def read_saved(self) -> Dict[str, Any]:
        if self.unread:
            for key, text in self.unread.items():
                if text == "null":
                    self.saved.pop(key, None)
                else:
                    self.saved[key] = _scan(text, 0)[0]
            self.unread.clear()
        return self.saved

    # The clocks are methods of one object, because a plain function stored in a class
    # (`logging.Formatter.converter`) would become its method.

    def time(self) -> float:
        return self.wall / 1e9

    def time_ns(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.now / 1e9

    def monotonic_ns(self) -> int:
        return self.now

    def clock_gettime(self, clock: int) -> float:
        return self.clock_gettime_ns(clock) / 1e9

    def clock_gettime_ns(self, clock: int) -> int:
        return self.wall if clock == 0 else self.now

    def localtime(self, seconds: Optional[float] = None) -> _time.struct_time:
        return _real_localtime(self.time() if seconds is None else seconds)

    def gmtime(self, seconds: Optional[float] = None) -> _time.struct_time:
        return _real_gmtime(self.time() if seconds is None else seconds)

    def ctime(self, seconds: Optional[float] = None) -> str:
        return _real_ctime(self.time() if seconds is None else seconds)

    def asctime(self, moment: Optional[Any] = None) -> str:
        return _real_asctime(self.localtime() if moment is None else moment)

    def strftime(self, form: str, moment: Optional[Any] = None) -> str:
        return _real_strftime(form, self.localtime() if moment is None else moment)

    def urandom(self, count: int) -> bytes:
        if self.entropy is None:
            from _random import Random as MersenneTwister

            self.entropy = MersenneTwister(self.seed ^ 0x75726E64)
        return self.entropy.getrandbits(8 * count).to_bytes(count, "big") if count else b""

    def getrandom(self, size: int, flags: int = 0) -> bytes:
        return self.urandom(size)

    def getpid(self) -> int:
        return 2 + self.seed % 32_000


_real_localtime, _real_gmtime, _real_ctime = _time.localtime, _time.gmtime, _time.ctime
_real_asctime, _real_strftime = _time.asctime, _time.strftime
_real_read, _real_write = os.read, os.write
_process = _Process()
# The operations of the current step, as JSON.
_ops: List[str] = []
# Names that have been validated.
_names: Set[str] = set()
_nodes: Set[str] = set()
_addresses: Dict[str, str] = {}


def _put(op: str) -> None:
    if len(_ops) >= _OPS_MAX:
        raise RuntimeError("one step asks for more than {} operations: is there an endless loop?".format(_OPS_MAX))
    _ops.append(op)


def run(make: Callable[[], Node]) -> None:
    """Run a node until the testbed ends the process. ``make`` is the class, or any callable that creates a node."""
    if not _inside:
        sys.exit('This is a node for seedbed, which starts it: seedbed run SCENARIO --node-command "python3 {}"'.format(sys.argv[0]))
    if not callable(make):
        raise TypeError("run takes the class itself, seedbed.run({0}), not an object of it, seedbed.run({0}())".format(type(make).__name__))
    _process.served = True
    node: Optional[Node] = None
    waits = False
    while True:
        line = _read_turn()
        if line is None:
            return
        turn = _scan(line, 0)[0]
        _process.now, _process.wall = turn["now"], turn["wall"]
        ends = False
        try:
            for event in turn["ev"]:
                if node is None:
                    _process.begin(event)
                    node = make()
                    if not isinstance(node, Node):
                        raise TypeError("seedbed.run got {!r}, which does not create a seedbed.Node".format(make))
                    waits = isinstance(node, AsyncNode)
                node._handle(event)
            assert node is not None
            wait = node._deadline() if waits else None
            if _printed.is_dirty:
                _printed.end_step()
            text = '{"ops":[' + ",".join(_ops) + ("]}\n" if wait is None else '],"wait":%d}\n' % wait)
            if len(text) > _LINE_BYTES_MAX:
                raise ValueError("one step asks for {} bytes in total; the maximum is {}".format(len(text), _LINE_BYTES_MAX))
        except SystemExit as end:
            ends, text = True, _exit_answer(end)
        except BaseException as error:
            ends, text = True, _crash_answer(error)
        _write_answer(text)
        _ops.clear()
        if ends:
            # The node is down: nothing that the program would still do may happen.
            os._exit(1)


_pending = b""


def _read_turn() -> Optional[str]:
    """The next turn, or nothing when the run is over."""
    global _pending
    line = _real_read(_TURNS, 65_536)
    if _pending or not line or line.find(b"\n") != len(line) - 1:
        # A long line, one in pieces, or the end.
        pieces = [_pending, line]
        while line and b"\n" not in line:
            line = _real_read(_TURNS, 1 << 20)
            pieces.append(line)
        if not line:
            return None
        line, _, _pending = b"".join(pieces).partition(b"\n")
    return line.decode()


def _write_answer(text: str) -> None:
    rest = text.encode()
    try:
        count = _real_write(_ANSWERS, rest)
        while count < len(rest):
            rest = rest[count:]
            count = _real_write(_ANSWERS, rest)
    except BrokenPipeError:
        # The run is over.
        os._exit(0)


def _exit_answer(end: SystemExit) -> str:
    """The program exits: its operations still happen."""
    status = 0 if end.code is None else end.code if isinstance(end.code, int) else 1
    if end.code is not None and not isinstance(end.code, int):
        _printed.line(str(end.code))
    _printed.end_step()
    return '{"ops":[%s],"exit":%d}\n' % (",".join(_ops), status)


def _crash_answer(error: BaseException) -> str:
    """The program has failed: the operations of this step do not happen, but its output is shown."""
    text = _traceback(error)
    _ops.clear()
    _printed.end_step()
    return '{"ops":[%s],"exit":1,"error":%s}\n' % (",".join(_ops), _quote(_unicode(text)))


def _traceback(error: BaseException) -> str:
    """The traceback without this file's own frames, the same on every machine."""
    import re
    import traceback

    described = traceback.TracebackException(type(error), error, error.__traceback__)
    _without_own_frames(described, 0)
    lines = "".join(described.format()).splitlines()
    # Since Python 3.11 there are markers below the lines.
    text = "\n".join([line for line in lines if line.strip(" ^~") or not line])
    for folder in (os.getcwd(), os.path.dirname(os.path.abspath(sys.argv[0])), os.path.dirname(os.__file__)):
        text = text.replace(folder + os.sep, "")
    text = re.sub(r"\b0x[0-9a-f]{6,}", "0x...", text)
    if len(text) > _ERROR_MAX:
        # The end is the most informative part.
        tail = text[-_ERROR_MAX + 40 :]
        text = "Traceback (shortened):\n  ...\n" + (tail.partition("\n")[2] or tail)
    return text


def _without_own_frames(described: Any, depth: int) -> None:
    own = _put.__code__.co_filename
    if described.stack and all(frame.filename == own for frame in described.stack):
        # A handler with the wrong parameters fails before it has a frame.
        described.stack.clear()
    described.stack[:] = [frame for frame in described.stack if frame.filename != own and not frame.filename.startswith("<frozen")]
    for other in (described.__cause__, described.__context__):
        if other is not None and depth < 20:
            _without_own_frames(other, depth + 1)


# Arguments are checked where they are given
# -------------------------------------------------------------------------------------------------


def _addressed(dest: str) -> str:
    """The start of a message to a node."""
    known = _addresses.get(dest)
    if known is None:
        if not isinstance(dest, str):
            raise TypeError("a message is sent to the name of a node, a text, not to {!r}".format(dest))
        if dest not in _nodes:
            raise ValueError("there is no node {!r}; the nodes are {}".format(dest, ", ".join(sorted(_nodes))))
        known = _addresses[dest] = '{"op":"send","dest":' + _quote(dest) + ',"body":'
    return known


def _body(message: Message) -> str:
    try:
        kind = message["type"]
        if kind not in _names:
            _check_name("message type", kind)
    except (TypeError, KeyError, IndexError):
        raise ValueError("a message is an object with a text 'type', not {}".format(_short(message))) from None
    text = _json_text(message)
    if text[0] != "{":
        raise ValueError("a message is an object with a text 'type', not {}".format(_short(message)))
    if len(text) > _MESSAGE_BYTES_MAX:
        raise ValueError("a message of {} bytes; the maximum is {}".format(len(text), _MESSAGE_BYTES_MAX))
    return text


def _check_name(what: str, name: str) -> None:
    if not isinstance(name, str):
        raise TypeError("the name of a {} is a text, not {}".format(what, _short(name)))
    good = 0 < len(name) <= 64 and all(c.isalnum() or c in "_-.:/" for c in name) and name.isascii()
    if not good:
        raise ValueError("{!r} is not a valid name for a {}: 1 to 64 letters, digits and _ - . : /".format(name, what))
    if len(_names) > 10_000:
        _names.clear()
    _names.add(name)


def _check_shown(name: str, value: Any) -> None:
    if name not in _names:
        _check_name("field", name)
    if isinstance(value, int):
        if not -(1 << 63) <= value < 1 << 63:
            raise ValueError("{} is {}: an observed number has at most 64 bits".format(name, value))
    elif isinstance(value, float):
        raise TypeError("{0} is {1!r}: an observed number is an integer: use round({1!r}), or smaller units".format(name, value))
    elif value is not None and not isinstance(value, str):
        raise TypeError("{} is {}: an observed value is an integer, a text, True, False or None".format(name, _short(value)))


def _check_result(node: Node, kind: str, result: Any) -> None:
    """A handler has returned a value, which would be lost."""
    handler = getattr(type(node), "on_" + kind, None)
    code = getattr(handler, "__code__", None)
    place = "" if code is None else " ({}, line {})".format(os.path.basename(code.co_filename), code.co_firstlineno)
    name = "{}.on_{}{}".format(type(node).__name__, kind, place)
    if hasattr(result, "cr_code"):
        result.close()
        raise TypeError("{} is an `async def`, but handlers are plain functions; derive the node from seedbed.AsyncNode to use await".format(name))
    if hasattr(result, "gi_code"):
        raise TypeError("{} contains a `yield`, so that calling it does nothing".format(name))
    if isinstance(result, (dict, list, tuple, str)):
        raise TypeError("{} returned {}, which is lost: send it with self.send(src, message)".format(name, _short(result)))


def _nanoseconds(seconds: float) -> int:
    try:
        nanoseconds = round(seconds * 1e9)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("{!r} is not a number of seconds".format(seconds)) from None
    if nanoseconds >= 1 << 63:
        raise ValueError("{!r} seconds are more than a clock can count".format(seconds))
    # At least 1 ns: otherwise code that waits for the remainder of a wait could loop without time
    # passing.
    return nanoseconds if nanoseconds > 0 else 1 if seconds > 0 else 0


def _port(port: int) -> int:
    if not isinstance(port, int) or not 0 < port < 65_536:
        raise ValueError("{!r} is not a port: use an integer from 1 to 65535".format(port))
    return port


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."


# JSON -----------------------------------------------------------------------------------------------------------------------------------


def _not_json(value: Any) -> Any:
    kind = type(value).__name__
    if isinstance(value, (set, frozenset)):
        raise TypeError("a set cannot be written as JSON: use sorted({})".format(_short(value)))
    if isinstance(value, (bytes, bytearray)):
        raise TypeError('{} cannot be written as JSON: use .decode("utf-8") or .hex()'.format(kind))
    raise TypeError("an object of the class {} cannot be written as JSON: {}".format(kind, _short(value)))


def _json_functions() -> Tuple[Any, Any, Any]:
    """The encoder, the scanner and the quotation of texts.

    From the C module that is underneath ``json``, because importing ``json`` itself takes as long as the interpreter's start; where that has
    changed, or is none, from ``json``."""
    try:
        import _json

        class Context:
            strict, object_hook, object_pairs_hook = True, None, None
            parse_float, parse_int, parse_constant, memo = float, int, float, {}  # type: Any, Any, Any, Dict[str, str]

        scan = _json.make_scanner(Context)  # type: ignore[arg-type]
        encode = _json.make_encoder(None, _not_json, _json.encode_basestring_ascii, None, ":", ",", False, False, False)
        probe = {"a": [1, 2.5, None, True, "\u00e9"]}
        text = "".join(encode(probe, 0))
        if text != '{"a":[1,2.5,null,true,"\\u00e9"]}' or scan(text, 0) != (probe, len(text)):
            raise ValueError
        return encode, scan, _json.encode_basestring_ascii
    except Exception:
        import json

        encoder = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_not_json)
        decoder: Any = json.JSONDecoder()
        return (lambda value, _level: encoder.encode(value)), decoder.scan_once, json.dumps


_encode, _scan, _quote = _json_functions()


def _json_text(value: Any) -> str:
    text = "".join(_encode(value, 0))
    if "\\ud" in text:
        # Lone surrogates, which JSON parsers need not accept.
        import json

        try:
            json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            raise ValueError("{} contains a text that is not Unicode".format(_short(value))) from None
    return text


def _unicode(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


# Printing -------------------------------------------------------------------------------------------------------------------------------


class _Printed:
    """The output of the step: whole lines, from all streams."""

    def __init__(self) -> None:
        self.lines: List[str] = []
        self.size = 0
        self.outputs: List[_Output] = []
        # Whether anything was printed since the last step.
        self.is_dirty = False

    def line(self, line: str) -> None:
        self.is_dirty = True
        self.size += len(line) + 1
        if self.size <= _PRINTED_MAX:
            self.lines.append(line)

    def end_step(self) -> None:
        """Turn the lines into an operation, completing an unfinished line."""
        self.is_dirty = False
        for output in self.outputs:
            if output.rest:
                output.write("\n")
        if self.lines:
            if self.size > _PRINTED_MAX:
                self.lines.append("(more was printed in this step than is kept)")
            _ops.append('{"op":"log","text":%s}' % _quote(_unicode("\n".join(self.lines))))
            self.lines.clear()
            self.size = 0
            self.is_dirty = False


class _Output(io.TextIOBase):
    """Standard output or standard error."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str) -> None:
        self.name = name
        self.rest = ""
        _printed.outputs.append(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not {}".format(type(text).__name__))
        lines = (self.rest + text).split("\n")
        self.rest = lines.pop()
        _printed.is_dirty = True
        for line in lines:
            _printed.line(line)
        return len(text)

    @property
    def buffer(self) -> _Bytes:
        return _Bytes(self)


class _Bytes(io.RawIOBase):
    """The underlying bytes: ``sys.stdout.buffer``."""

    def __init__(self, output: _Output) -> None:
        self.output = output

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.output.write(bytes(data).decode("utf-8", "replace"))
        return len(data)


_printed = _Printed()


# The standard library is made virtual
# -----------------------------------------------------------------------------------------------------


class _Forbidden:
    """A function that a node cannot use. It is an object, so that it does not become a method when stored in a class."""

    def __init__(self, what: str, instead: str, error: Type[Exception] = RuntimeError) -> None:
        self.text, self.error = "{} {}".format(what, instead), error

    def __call__(self, *_args: Any, **_kwargs: Any) -> Any:
        raise self.error(self.text)


_NO_SLEEP = "would stop virtual time: set a timer with self.set_timer(name, seconds), or use seedbed.AsyncNode and await self.sleep(seconds)"
_NO_INPUT = "has nobody to ask: a node gets its input from messages and commands"
_NO_THREAD = "starts a thread, but a node has only one: set timers, or use seedbed.AsyncNode and self.spawn(coroutine)"
_NO_WAITING = "would wait forever, because a node has only one thread: return from the handler, or use seedbed.AsyncNode and await"
_NO_SOCKET = "would leave the simulation: nodes communicate with self.send(dest, message), or with self.listen and self.connect"
_NO_PROCESS = "starts a process, but a node is a single process"
_NO_ASYNCIO = "has its own clocks and sockets: use seedbed.AsyncNode, which has sleep, receive, request and spawn"

# Replaced objects, by address: the old one, kept alive so that its address is not reused, and the
# new one.
_replaced: Dict[int, Tuple[Any, Any]] = {}


def _replace(module: ModuleType, name: str, value: Any) -> None:
    old = getattr(module, name, None)
    if old is not None:
        _replaced[id(old)] = (old, value)
        setattr(module, name, value)


def _forbid(module: ModuleType, names: str, instead: str) -> None:
    for name in names.split():
        _replace(module, name, _Forbidden("{}.{}".format(module.__name__, name), instead))


def _virtual_time(module: ModuleType) -> None:
    for name in "time time_ns monotonic monotonic_ns clock_gettime clock_gettime_ns localtime gmtime ctime asctime strftime".split():
        _replace(module, name, getattr(_process, name))
    for name in "perf_counter process_time thread_time".split():
        _replace(module, name, _process.monotonic)
        _replace(module, name + "_ns", _process.monotonic_ns)
    _forbid(module, "sleep", _NO_SLEEP)


def _virtual_os(module: ModuleType) -> None:
    for name in "urandom getrandom getpid".split():
        _replace(module, name, getattr(_process, name))
    _forbid(module, "fork forkpty system popen posix_spawn posix_spawnp execv execve execvp execvpe spawnv spawnve", _NO_PROCESS)


def _virtual_random(module: ModuleType) -> None:
    seed_of = module.Random.seed

    def seed(self: Any, a: Any = None, version: int = 2) -> None:
        seed_of(self, int.from_bytes(_process.urandom(16), "big") if a is None else a, version)

    module.Random.seed = seed
    module._urandom = _process.urandom  # type: ignore[attr-defined]
    _replace(module, "seed", module._inst.seed)
    module.seed(_process.seed ^ 0x72616E646F6D)


def _virtual_datetime(module: ModuleType) -> None:
    real: Any = module.datetime
    epoch, utc, duration = real(1970, 1, 1), module.timezone.utc, module.timedelta

    class Meta(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real) if cls is virtual else type.__instancecheck__(cls, instance)

    def now(cls: Any, tz: Any = None) -> Any:
        moment = epoch + duration(microseconds=_process.wall // 1000)
        if tz is not None:
            moment = moment.replace(tzinfo=utc).astimezone(tz)
        return cls(
            moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second, moment.microsecond, moment.tzinfo, fold=moment.fold
        )

    def naive(cls: Any) -> Any:
        return now(cls)

    members = {"now": classmethod(now), "utcnow": classmethod(naive), "today": classmethod(naive)}
    members["__module__"], members["__qualname__"], members["__doc__"] = "datetime", "datetime", real.__doc__
    members["__repr__"] = lambda self: ("datetime." if type(self) is virtual else "") + real.__repr__(self)
    virtual: Any = Meta("datetime", (real,), members)
    _replace(module, "datetime", virtual)


def _virtual_threading(module: ModuleType) -> None:
    no_thread = _Forbidden("Thread.start", _NO_THREAD)
    for name in "_start_new_thread _start_joinable_thread".split():
        _replace(module, name, no_thread)
    module.Condition.wait = _Forbidden("waiting for another thread", _NO_WAITING)


def _virtual_socket(module: ModuleType) -> None:
    _forbid(module, "getaddrinfo gethostbyname gethostbyaddr getnameinfo create_connection create_server socketpair fromfd", _NO_SOCKET)
    _replace(module, "gethostname", lambda: _process.start["node"] if _process.start else "node")
    # The class itself stays, because others derive from it.
    module.socket.__init__ = _Forbidden("a socket", _NO_SOCKET)


def _virtual_subprocess(module: ModuleType) -> None:
    # `platform` calls `uname`, and copes if there is none.
    module.Popen.__init__ = _Forbidden("subprocess", _NO_PROCESS, OSError)


def _virtual_asyncio(module: ModuleType) -> None:
    _forbid(module, "run new_event_loop", _NO_ASYNCIO)
    _forbid(module.events, "new_event_loop", _NO_ASYNCIO)


def _virtual_uuid(module: Any) -> None:
    module._generate_time_safe = module._UuidCreate = None
    # Python 3.8 looks them up on first use.
    module._load_system_functions = lambda: None
    _replace(module, "getnode", lambda: _process.seed & 0xFFFF_FFFF_FFFF | 1 << 40)


_VIRTUAL: Dict[str, Callable[[ModuleType], None]] = {
    "time": _virtual_time,
    "os": _virtual_os,
    "random": _virtual_random,
    "datetime": _virtual_datetime,
    "threading": _virtual_threading,
    "socket": _virtual_socket,
    "subprocess": _virtual_subprocess,
    "asyncio": _virtual_asyncio,
    "uuid": _virtual_uuid,
    "_thread": lambda module: _forbid(module, "start_new_thread start_new start_joinable_thread", _NO_THREAD),
    "select": lambda module: _forbid(module, "select", _NO_SLEEP),
    "signal": lambda module: _forbid(module, "alarm setitimer pause sigwait sigtimedwait", _NO_SLEEP),
    "builtins": lambda module: _replace(module, "input", _Forbidden("input()", _NO_INPUT)),
}


class _Finder:
    """Make modules virtual when they are imported: importing them here would slow down every start."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name in _VIRTUAL:
            for finder in sys.meta_path:
                spec: Any = None if finder is self else finder.find_spec(name, path, target)
                if spec is not None:
                    spec.loader = _Loader(spec.loader, _VIRTUAL[name])
                    return spec
        return None


class _Loader:
    def __init__(self, loader: Any, virtual: Callable[[ModuleType], None]) -> None:
        self.loader, self.virtual = loader, virtual

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def create_module(self, spec: Any) -> Any:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        self.virtual(module)


def _make_virtual() -> None:
    """Make everything virtual that the program has imported or will import."""
    for name in list(_VIRTUAL):
        loaded = sys.modules.get(name)
        if loaded is not None:
            _VIRTUAL[name](loaded)
    sys.meta_path.insert(0, _Finder())
    # `from time import time` before `import seedbed` has the old function.
    library = os.path.dirname(os.__file__)
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and module is not sys.modules[__name__] and (not file.startswith(library) or "-packages" in file):
            names = vars(module)
            for name, value in list(names.items()):
                replaced = _replaced.get(id(value))
                if replaced is not None:
                    names[name] = replaced[1]
    outputs = {id(sys.stdout): _Output("<stdout>"), id(sys.stderr): _Output("<stderr>")}
    logging = sys.modules.get("logging")
    for handler in logging.root.handlers if logging is not None else []:
        if id(getattr(handler, "stream", None)) in outputs:
            handler.setStream(outputs[id(handler.stream)])
    sys.stdout, sys.stderr = outputs[id(sys.stdout)], outputs[id(sys.stderr)]
    sys.excepthook = _failed_before
    from atexit import register

    register(_never_ran)
    _process.program = _program_frame()


def _failed_before(_kind: Any, error: BaseException, _traceback_: Any) -> None:
    """An exception while the program is being loaded is a crash of the node like any other."""
    if not _process.served and _read_turn() is not None:
        _process.served = True
        _write_answer(_crash_answer(error))
        os._exit(1)


def _never_ran() -> None:
    """The program has ended without running a node."""
    if not _process.served and _read_turn() is not None:
        _printed.end_step()
        text = _exited_early() or "the program ended without a node: call seedbed.run(YourNode) at its end"
        _write_answer('{"ops":[%s],"exit":1,"error":%s}\n' % (",".join(_ops), _quote(text)))


def _exited_early() -> Optional[str]:
    """Where the program exited before its end. The status is unknown here, but the source line usually shows it."""
    frame = _process.program
    if frame is None:
        return None
    import dis
    import linecache

    code = frame.f_code.co_code
    if not 0 <= frame.f_lasti < len(code) or dis.opname[code[frame.f_lasti]].startswith("RETURN_"):
        return None
    file, number = frame.f_code.co_filename, frame.f_lineno
    line = linecache.getline(file, number).strip()[:200]
    text = "the program ended by itself before there was a node: %s, line %s" % (os.path.basename(file), number)
    return _unicode(text + (": " + line if line else ""))


def _program_frame() -> Any:
    """The program's own frame, which still tells its position after it has ended."""
    frame: Any = sys._getframe()
    while frame is not None and (frame.f_globals.get("__name__") != "__main__" or frame.f_code.co_name != "<module>"):
        frame = frame.f_back
    return frame


def _is_inside() -> bool:
    """Whether the testbed has started the process: its two descriptors exist."""
    try:
        modes = [os.fstat(fd).st_mode for fd in (_TURNS, _ANSWERS)]
    except OSError:
        return False
    return all(stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) for mode in modes)


def _keep_compiled() -> None:
    """Compiling this file takes longer than starting the interpreter, and the testbed has asked for no compiled files of the program's own:
    keep the compiled form of this one, where it can be kept, and begin again with it: else the objects of this process alone would have other
    addresses, by which sets of them are ordered."""
    spec: Any = __spec__
    cached = spec.cached if spec is not None else None
    if not sys.dont_write_bytecode or cached is None or os.path.exists(cached):
        return
    try:
        folder = os.path.dirname(cached)
        os.makedirs(folder, exist_ok=True)
        probe = os.path.join(folder, ".seedbed")
        os.close(os.open(probe, os.O_CREAT | os.O_WRONLY))
        os.unlink(probe)
        sys.dont_write_bytecode = False
        spec.loader.get_code(__name__)
        words = getattr(sys, "orig_argv", None)
        if words and os.path.exists(cached):
            os.execv(sys.executable, [sys.executable] + words[1:])
    except Exception:
        pass
    finally:
        sys.dont_write_bytecode = True


def _keep_exit() -> None:
    """`python3 -S`, which leaves out installed packages, also leaves out two builtins that programs use."""
    for name in ("exit", "quit"):
        if not hasattr(builtins, name):
            setattr(builtins, name, sys.exit)


_inside = _is_inside()
if _inside:
    _keep_compiled()
    _keep_exit()
    _make_virtual()

"""A ZooKeeper client for Python nodes: a session with the ensemble of the system `zookeeper`, znodes and watches.

Create one in ``on_init``, and pass it every message and timer first::

    import seedbed
    from seedbed_zookeeper import EPHEMERAL_SEQUENTIAL, ZooKeeper

    class Contender(seedbed.Node):
        def on_init(self):
            self.zk = ZooKeeper(self, ["zk1", "zk2", "zk3"], on_state=self.on_state, on_watch=self.on_watch)
            self.zk.open()

        def on_message(self, src, message):
            if self.zk.on_message(src, message):
                return
            ...  # another message

        def on_timer(self, name):
            if self.zk.on_timer(name):
                return
            ...  # the node's own timer

        def on_state(self, state):
            if state == "connected":
                self.zk.create("/election/n_", self.name, EPHEMERAL_SEQUENTIAL, self.on_created)

        def on_created(self, reply):
            if reply.error is None:
                print("my znode is", reply.path)

        def on_watch(self, kind, path):
            print(path, "was", kind)

    seedbed.run(Contender)

Nothing here blocks. Each request takes a function, ``then``, that is called later with its `Reply`; requests of a session are answered in the order in which
they were sent. Requests made while there is no connection wait for the next one.

**States.** ``on_state`` is called with

- ``connected``: a server answers, for the first time or again. ``session`` tells whether it is the session of before.
- ``disconnected``: the connection is lost, and another server is tried. Requests under way end with the error ``connection_loss`` after this call: *they may
  have happened or not*, and it is yours to find out. The session may live on, or end meanwhile; until it is connected again nobody knows.
- ``expired``: the ensemble has ended the session, because it heard nothing for too long. Its ephemeral znodes are gone. Requests without an answer end with
  ``session_expired`` after this call. `open` begins another session.
- ``closed``: the same, because `close` was asked for.

**Watches** tell once, and are gone. They outlive a lost connection (the session sets them again at the next server), not the session. ``on_watch`` is called
with what has happened, ``created``, ``data_changed``, ``deleted`` or ``children_changed``, and with the path; before any answer that shows the change.

One file, standard library only, Python 3.8 and later. The messages underneath are in MESSAGES.md, below `zookeeper`.
"""

from __future__ import annotations

# A process is started for every node and every restart, thousands of times in a grading, and importing `typing` would take longer than everything here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, List, Optional, Set, Tuple, Union

    import seedbed

__all__ = [
    "EPHEMERAL",
    "EPHEMERAL_SEQUENTIAL",
    "PERSISTENT",
    "PERSISTENT_SEQUENTIAL",
    "Reply",
    "ZooKeeper",
]

# : It stays until it is deleted.
PERSISTENT = "persistent"
# : It is removed with the session that created it.
EPHEMERAL = "ephemeral"
# : It stays, and its path gets a suffix of ten digits that no other child of its parent has had.
PERSISTENT_SEQUENTIAL = "persistent_sequential"
# : It is removed with its session, and has a numeric suffix.
EPHEMERAL_SEQUENTIAL = "ephemeral_sequential"

_MODES = (PERSISTENT, EPHEMERAL, PERSISTENT_SEQUENTIAL, EPHEMERAL_SEQUENTIAL)
_TIMER = "zookeeper"
# Times are integer ns: sums of floats can miss a deadline by less than a timer can wait for.
_SECOND = 1_000_000_000
_RETRANSMIT = 80_000_000
_BACKOFF_MAX = 8
_BURST_MAX = 8
_NEVER = 1 << 62
# The watches that an event triggers and removes.
_TOLD = {
    "created": ("data", "exists"),
    "data_changed": ("data", "exists"),
    "deleted": ("data", "exists", "children"),
    "children_changed": ("children",),
}


class Reply:
    """The answer to a request. Attributes that do not apply to the request, or are missing because of an error, are ``None``."""

    __slots__ = ("error", "zxid", "path", "stat", "data", "names", "replies")

    def __init__(self, outcome: Dict[str, Any], zxid: int) -> None:
        # : ``None``, or the error: ``no_node``, ``node_exists``, ``bad_version``, ``not_empty``,
        # ``no_children_for_ephemerals``, : ``bad_arguments``; ``connection_loss`` (it may have been
        # done), ``session_expired``.
        self.error: Optional[str] = outcome.get("Err")
        #: The last transaction that the server had applied when it answered: the state that the answer shows. 0 for a lost connection.
        self.zxid: int = zxid
        # : For `create`: the path of the znode, with its numeric suffix if it has one.
        self.path: Optional[str] = None
        # : For `exists`, `get`, `set` and `children`: the znode's stat; ``czxid`` (the transaction
        # that created it), ``mzxid`` (that last changed it), : ``version``, ``cversion``, ``owner``
        # (the session of an ephemeral one, else 0).
        self.stat: Optional[Dict[str, int]] = None
        # : For `get`: the content.
        self.data: Optional[str] = None
        # : For `children`: their names, sorted, without the parent's path.
        self.names: Optional[List[str]] = None
        # : For `multi_read`: a reply for each of its reads.
        self.replies: Optional[List[Reply]] = None
        answer = outcome.get("Ok")
        if not isinstance(answer, dict):
            return
        if "created" in answer:
            self.path = answer["created"]
        elif "stat" in answer:
            self.stat = answer["stat"]
        elif "data" in answer:
            content, self.stat = answer["data"]
            self.data = _text(content)
        elif "children" in answer:
            self.names, self.stat = answer["children"]
        elif "multi" in answer:
            self.replies = [Reply(each, zxid) for each in answer["multi"]]

    def __repr__(self) -> str:
        shown = [(name, getattr(self, name)) for name in self.__slots__]
        return "Reply({})".format(", ".join("%s=%r" % each for each in shown if each[1] is not None))


class ZooKeeper:
    """A session with an ensemble; after its end another one can be opened. See the module."""

    def __init__(
        self,
        node: seedbed.Node,
        servers: List[str],
        timeout: float = 2.0,
        on_state: Optional[Callable[[str], None]] = None,
        on_watch: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        """``node`` is the one that this belongs to, ``servers`` are the names of the ensemble's nodes, ``timeout`` is the session's, in seconds: what is
        wished for; servers grant 2 to 20 of their ticks."""
        if not servers:
            raise ValueError("ZooKeeper: name the servers, as in [\"zk1\", \"zk2\", \"zk3\"]")
        #: The session's number; 0 when there is none.
        self.session = 0
        #: The newest state that this session has seen.
        self.last_zxid = 0
        self._node = node
        self._servers = list(servers)
        self._wished = self._timeout = round(timeout * _SECOND)
        self._on_state = on_state or _ignore
        self._on_watch = on_watch or _ignore
        # The index of the current server.
        self._at = 0
        # "idle", "connecting", "pausing" (between two servers) or "connected".
        self._state = "idle"
        # When the current attempt, pause or silence ends.
        self._deadline = 0
        self._ping_at = 0
        self._channel: Optional[_Channel] = None
        self._password = 0
        self._next_xid = 1
        # Unanswered requests, in order: those sent, and those waiting for a connection.
        self._sent: List[_Request] = []
        self._waiting: List[_Request] = []
        self._watches: Dict[str, Set[str]] = {"data": set(), "exists": set(), "children": set()}

    @property
    def connected(self) -> bool:
        """Whether it is connected to a server."""
        return self._state == "connected"

    # The session

    def open(self) -> None:
        """Open a session, possibly after the end of an earlier one. No effect if one is open."""
        if self._state == "idle":
            self._at = self._node.random.randrange(len(self._servers))
            self._connect()
            self._end_step()

    def close(self) -> None:
        """Close the session: its ephemeral znodes are removed immediately, and the state ``closed`` follows."""
        self._request("close", "", {}, None)

    # Requests

    def create(self, path: str, data: str = "", mode: str = PERSISTENT, then: Then = None) -> None:
        """Create a znode below an existing one that is not ephemeral. A sequential one gets a suffix of ten digits, larger than any before."""
        if mode not in _MODES:
            raise ValueError("create(%r): the mode %r is not one of %s" % (path, mode, ", ".join(_MODES)))
        self._request("create", path, {"path": path, "data": _content(path, data), "mode": mode}, then)

    def delete(self, path: str, version: int = -1, then: Then = None) -> None:
        """Delete a znode without children, if it has this version; -1 matches any."""
        self._request("delete", path, {"path": path, "version": version}, then, version)

    def set(self, path: str, data: str, version: int = -1, then: Then = None) -> None:
        """Replace the content of a znode, if it has this version; -1 matches any."""
        self._request("set", path, {"path": path, "data": _content(path, data), "version": version}, then, version)

    def exists(self, path: str, watch: bool = False, then: Then = None) -> None:
        """Whether the znode exists: its stat, or the error ``no_node``. A watch reports when it is created, changed or deleted."""
        self._request("exists", path, {"path": path, "watch": bool(watch)}, then)

    def get(self, path: str, watch: bool = False, then: Then = None) -> None:
        """The content of a znode. A watch reports when it is changed or deleted; no watch is set if the znode does not exist."""
        self._request("get", path, {"path": path, "watch": bool(watch)}, then)

    def children(self, path: str, watch: bool = False, then: Then = None) -> None:
        """The names of a znode's children. A watch reports when one is created or deleted, and when the znode itself is deleted."""
        self._request("children", path, {"path": path, "watch": bool(watch)}, then)

    def multi_read(self, reads: List[Tuple[str, str]], then: Then = None) -> None:
        """Several reads at the same zxid: ``[("children", "/a"), ("get", "/a/b")]``. Their answers are in ``reply.replies``."""
        operations = []
        for kind, path in reads:
            if kind not in ("exists", "get", "children"):
                raise ValueError("multi_read: %r is not one of exists, get, children" % (kind,))
            _check_path("multi_read", path)
            operations.append({kind: {"path": path, "watch": False}})
        self._request("multi_read", "", operations, then)

    def sync(self, then: Then = None) -> None:
        """Answered when the server has applied everything acknowledged before: a read that follows is not stale."""
        self._request("sync", "", {}, then)

    # Called by the node

    def on_message(self, src: str, message: Dict[str, Any]) -> bool:
        """Handle a message: ``True`` if it belongs to a connection with the ensemble and has been handled."""
        kind = message["type"]
        is_bare = kind in ("PacketAck", "Reset")
        if not is_bare and not ("channel" in message and "seq" in message):
            return False
        number = message["connection"] if is_bare else message["channel"]
        channel = self._channel
        if channel is None or channel.number != number:
            # An earlier connection; the server need not keep it.
            if not is_bare:
                self._node.send(src, {"type": "Reset", "connection": number})
            return True
        if kind == "Reset":
            self._lose_connection()
        else:
            self._heard()
            if is_bare:
                channel.on_ack(self._now(), message["ack"])
            else:
                for body in channel.on_packet(self._now(), message):
                    # Ignore what follows the end of a connection in the same packet.
                    if self._channel is channel:
                        self._on_body(body)
        self._end_step()
        return True

    def on_timer(self, name: str) -> bool:
        """Handle an expired timer: ``True`` if it was one of this session's."""
        if name != _TIMER:
            return False
        now = self._now()
        if self._channel is not None:
            self._channel.resend(now)
        if self._state in ("connecting", "connected") and now >= self._deadline:
            self._lose_connection()
        elif self._state == "pausing" and now >= self._deadline:
            self._connect()
        elif self._state == "connected" and now >= self._ping_at:
            self._ping_at = now + self._timeout // 3
            self._send({"type": "ClientPing"})
        self._end_step()
        return True

    # Connections

    def _now(self) -> int:
        return round(self._node.now * _SECOND)

    def _connect(self) -> None:
        self._channel = _Channel(self._node, self._servers[self._at])
        self._state = "connecting"
        # Short enough to try all servers within the session timeout.
        self._deadline = self._now() + self._timeout // len(self._servers)
        self._send(
            {
                "type": "Connect",
                "session": self.session,
                "password": self._password,
                "timeout_ms": self._wished // 1_000_000,
                "last_zxid": self.last_zxid,
            }
        )

    def _send(self, body: Dict[str, Any]) -> None:
        if self._channel is not None:
            self._channel.send(self._now(), body)

    def _lose_connection(self) -> None:
        was_connected = self._state == "connected"
        server = self._servers[self._at]
        self._channel = None
        self._at = (self._at + 1) % len(self._servers)
        self._state = "pausing"
        longest = self._timeout // 20
        self._deadline = self._now() + longest // 2 + self._node.random.randrange(longest // 2 + 1)
        lost, self._sent = self._sent, []
        if was_connected:
            self._show("disconnected", server)
            self._on_state("disconnected")
        self._give_up(lost, "connection_loss")

    def _end(self, state: str) -> None:
        self._show(state, self._servers[self._at])
        lost, self._sent, self._waiting = self._sent + self._waiting, [], []
        self._state, self._channel = "idle", None
        ended, self.session = self.session, 0
        # The next session may see an older state: never going back is promised only within a
        # session.
        self._password = self.last_zxid = 0
        for paths in self._watches.values():
            paths.clear()
        self._on_state(state)
        self._give_up(lost, "session_expired", ended)

    def _give_up(self, requests: List[_Request], error: str, session: int = 0) -> None:
        for request in requests:
            self._show_reply(request, session or self.session, 0, error)
            if request.then is not None:
                request.then(Reply({"Err": error}, 0))

    def _heard(self) -> None:
        if self._state == "connected":
            self._deadline = self._now() + self._timeout * 2 // 3

    def _end_step(self) -> None:
        channel = self._channel
        if channel is not None:
            channel.flush()
        if self._state == "idle":
            return
        until = self._deadline if self._state != "connected" else min(self._deadline, self._ping_at)
        if channel is not None:
            until = min(until, channel.resend_at)
        self._node.set_timer(_TIMER, max(0, until - self._now()) / _SECOND)

    # Requests and answers

    def _request(self, word: str, path: str, arguments: Any, then: Then, version: int = -1) -> None:
        if path or isinstance(arguments, dict) and "path" in arguments:
            _check_path(word, path)
        if then is not None and not callable(then):
            raise TypeError("%s(%r): `then` is a function that takes the reply, not %r" % (word, path, then))
        request = _Request(self._next_xid, word, path, arguments, then, version)
        self._next_xid += 1
        if self._state == "connected":
            self._send_request(request)
            self._end_step()
        else:
            self._waiting.append(request)

    def _send_request(self, request: _Request) -> None:
        shown = request.path or "/"
        self._node.observe("client_request", session=self.session, xid=request.xid, op=request.word, version=request.version, path=shown)
        # A request renews the session as well as a ping.
        self._ping_at = self._now() + self._timeout // 3
        self._sent.append(request)
        op = request.word if request.word in ("sync", "close") else {request.word: request.arguments}
        self._send({"type": "Request", "xid": request.xid, "op": op})

    def _on_body(self, body: Dict[str, Any]) -> None:
        kind = body["type"]
        if kind == "Reply":
            self._on_reply(body)
        elif kind == "WatchEvent":
            self._on_watch_event(body["kind"], body["path"])
        elif kind == "ConnectReply":
            if body["timeout_ms"] == 0:
                self._end("expired")
            else:
                self._on_connected(body)

    def _on_connected(self, body: Dict[str, Any]) -> None:
        is_new = self.session == 0
        self.session, self._password = body["session"], body["password"]
        self._timeout = body["timeout_ms"] * 1_000_000
        # A session's number is the transaction that opened it.
        self.last_zxid = max(self.last_zxid, self.session)
        self._state = "connected"
        self._ping_at = self._now() + self._timeout // 3
        self._heard()
        self._show("connected", self._servers[self._at])
        if not is_new and any(self._watches.values()):
            paths = {kind: sorted(paths) for kind, paths in self._watches.items()}
            self._send({"type": "SetWatches", "relative_zxid": self.last_zxid, **paths})
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            self._send_request(request)
        self._on_state("connected")

    def _on_reply(self, body: Dict[str, Any]) -> None:
        request = next((each for each in self._sent if each.xid == body["xid"]), None)
        if request is None:
            return
        self._sent.remove(request)
        self.last_zxid = max(self.last_zxid, body["zxid"])
        reply = Reply(body["outcome"], body["zxid"])
        self._show_reply(request, self.session, reply.zxid, reply.error)
        self._note_watch(request, reply)
        if request.word == "close" and reply.error is None:
            self._end("closed")
        elif request.then is not None:
            request.then(reply)

    def _note_watch(self, request: _Request, reply: Reply) -> None:
        """A read with a watch was answered: the watch is set at the server, and the session must keep it."""
        if request.word not in ("exists", "get", "children") or not request.arguments["watch"]:
            return
        if reply.error is None:
            kind = "children" if request.word == "children" else "data"
        elif reply.error == "no_node" and request.word == "exists":
            kind = "exists"
        else:
            return
        self._watches[kind].add(request.path)
        self._node.observe("client_watch_set", session=self.session, kind=kind, zxid=reply.zxid, path=request.path)

    def _on_watch_event(self, kind: str, path: str) -> None:
        for each in _TOLD[kind]:
            self._watches[each].discard(path)
        self._node.observe("client_watch", session=self.session, kind=kind, path=path)
        self._on_watch(kind, path)

    def _show(self, state: str, server: str) -> None:
        timeout_us = self._timeout // 1_000 if state == "connected" else 0
        self._node.observe("client_session", session=self.session, state=state, server=server, timeout_us=timeout_us)

    def _show_reply(self, request: _Request, session: int, zxid: int, error: Optional[str]) -> None:
        self._node.observe("client_reply", session=session, xid=request.xid, op=request.word, zxid=zxid, result=error or "ok")


class _Request:
    """A request that is not answered yet."""

    __slots__ = ("xid", "word", "path", "arguments", "then", "version")

    def __init__(self, xid: int, word: str, path: str, arguments: Any, then: Then, version: int) -> None:
        self.xid = xid
        self.word = word
        self.path = path
        self.arguments = arguments
        self.then = then
        # The version required by a conditional operation.
        self.version = version


class _Channel:
    """A connection over datagrams: packets are numbered, acknowledged (with the next packet back, or by themselves), and sent again until they are."""

    __slots__ = ("number", "resend_at", "_node", "_peer", "_next_seq", "_unacked", "_pause", "_received", "_early", "_owes_ack")

    def __init__(self, node: seedbed.Node, peer: str) -> None:
        self.number = node.random.getrandbits(63)
        # : When `resend` must be called.
        self.resend_at = _NEVER
        self._node = node
        self._peer = peer
        self._next_seq = 1
        # Sent but not acknowledged, in order, with their numbers.
        self._unacked: List[Tuple[int, Dict[str, Any]]] = []
        self._pause = _RETRANSMIT
        # The last packet that arrived without a gap, and those after the gap.
        self._received = 0
        self._early: Dict[int, Dict[str, Any]] = {}
        self._owes_ack = False

    def send(self, now: int, body: Dict[str, Any]) -> None:
        """Send now, and again until it has arrived."""
        if not self._unacked:
            self._pause = _RETRANSMIT
            self.resend_at = now + self._pause
        self._unacked.append((self._next_seq, body))
        self._transmit(self._next_seq, body)
        self._next_seq += 1

    def _transmit(self, seq: int, body: Dict[str, Any]) -> None:
        self._owes_ack = False
        self._node.send(self._peer, {**body, "channel": self.number, "seq": seq, "ack": self._received})

    def on_packet(self, now: int, message: Dict[str, Any]) -> List[Dict[str, Any]]:
        """Accept a packet, and return the messages that can be handled now, in order."""
        self.on_ack(now, message["ack"])
        self._owes_ack = True
        if message["seq"] > self._received:
            self._early[message["seq"]] = message
        ready = []
        while self._received + 1 in self._early:
            self._received += 1
            ready.append(self._early.pop(self._received))
        return ready

    def on_ack(self, now: int, ack: int) -> None:
        """The peer has everything up to ``ack``."""
        left = [each for each in self._unacked if each[0] > ack]
        if len(left) < len(self._unacked):
            self._unacked = left
            self._pause = _RETRANSMIT
            self.resend_at = now + self._pause if left else _NEVER

    def resend(self, now: int) -> None:
        """Resend packets that have waited long enough."""
        if now < self.resend_at:
            return
        for seq, body in self._unacked[:_BURST_MAX]:
            self._transmit(seq, body)
        self._pause = min(self._pause * 2, _RETRANSMIT * _BACKOFF_MAX)
        self.resend_at = now + self._pause

    def flush(self) -> None:
        """At the end of a step, acknowledge what no packet has acknowledged."""
        if self._owes_ack:
            self._owes_ack = False
            self._node.send(self._peer, {"type": "PacketAck", "connection": self.number, "ack": self._received})


def _ignore(*_arguments: Any) -> None:
    pass


def _check_path(word: str, path: str) -> None:
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError("%s(%r): a path is a text that starts with /" % (word, path))


def _content(path: str, data: str) -> str:
    if not isinstance(data, str):
        raise TypeError("%s cannot contain %r: the content of a znode is a text, so use str() or json.dumps()" % (path, data))
    return data


def _text(content: Any) -> str:
    """The text of content that messages carry as base64 because it is not printable."""
    if isinstance(content, str):
        return content
    from binascii import a2b_base64

    return a2b_base64(content["base64"]).decode("utf-8", "replace")


if TYPE_CHECKING:
    Then = Union[Callable[[Reply], None], None]

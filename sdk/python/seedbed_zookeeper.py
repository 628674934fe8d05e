"""A client of ZooKeeper for nodes in Python: sessions, znodes and watches, over the messages of the system `zookeeper`.

Make one of these in ``on_init``, and hand it all messages and timers first::

    import seedbed
    from seedbed_zookeeper import EPHEMERAL_SEQUENTIAL, ZooKeeper

    class Node(seedbed.Node):
        def on_init(self):
            self.zk = ZooKeeper(self, ["zk1", "zk2", "zk3"], on_state=self.on_state, on_watch=self.on_watch)
            self.zk.open()

        def on_message(self, src, message):
            if self.zk.on_message(src, message):
                return
            ...  # a message of somebody else

        def on_timer(self, name):
            if self.zk.on_timer(name):
                return
            ...  # a timer of one's own

        def on_state(self, state):
            if state == "connected":
                self.zk.create("/election/n_", self.name, EPHEMERAL_SEQUENTIAL, self.on_created)

        def on_created(self, reply):
            if reply.error is None:
                print("my znode is", reply.path)

        def on_watch(self, kind, path):
            print(path, "was", kind)

Nothing here waits: each request takes a function that is called later with its `Reply`. Requests are answered in the order in which they were asked.

**States.** ``connected``: a server answers, for the first time or again. ``disconnected``: the connection is lost, and requests under way end with
``connection_loss``: they may have happened or not. The session may live on; until it is connected again nobody knows whether its ephemeral znodes are still
there. ``expired``: the session is over, its ephemeral znodes are gone; `open` begins another. ``closed``: the same, because `close` was called.

One file, standard library only.
"""

from typing import Any, Callable, Dict, List, Optional

__all__ = ["ZooKeeper", "Reply", "PERSISTENT", "EPHEMERAL", "PERSISTENT_SEQUENTIAL", "EPHEMERAL_SEQUENTIAL"]

PERSISTENT = "persistent"
EPHEMERAL = "ephemeral"
PERSISTENT_SEQUENTIAL = "persistent_sequential"
EPHEMERAL_SEQUENTIAL = "ephemeral_sequential"

_RETRANSMIT = 0.080
_BACKOFF_MAX = 8
_BURST_MAX = 8
_TIMER = "zookeeper"


class Reply:
    """The answer to a request.

    error: ``None``, or why it was refused: ``no_node``, ``node_exists``, ``bad_version``, ``connection_loss``, ``session_expired``, …
    zxid: the number of the last transaction that the server had applied when it answered
    path: of a ``create``: the path of the znode, with its number
    stat: of ``exists``, ``get``, ``set`` and ``children``: a dict with ``czxid`` (the transaction that made it), ``version``, ``owner`` (a session) and others
    data: of ``get``: the content, a text
    names: of ``children``: the names of the children, sorted, without their parent's path
    replies: of ``multi_read``: a list with a Reply for each operation
    """

    def __init__(self, outcome: Dict[str, Any], zxid: int) -> None:
        self.zxid = zxid
        self.error: Optional[str] = outcome.get("Err")
        self.path: Optional[str] = None
        self.stat: Optional[Dict[str, Any]] = None
        self.data: Optional[str] = None
        self.names: Optional[List[str]] = None
        self.replies: Optional[List["Reply"]] = None
        answer = outcome.get("Ok")
        if isinstance(answer, dict):
            if "created" in answer:
                self.path = answer["created"]
            elif "stat" in answer:
                self.stat = answer["stat"]
            elif "data" in answer:
                self.data, self.stat = answer["data"]
            elif "children" in answer:
                self.names, self.stat = answer["children"]
            elif "multi" in answer:
                self.replies = [Reply(each, zxid) for each in answer["multi"]]


Then = Optional[Callable[[Reply], None]]


class ZooKeeper:
    """A session with an ensemble. See the module."""

    def __init__(
        self,
        node: Any,
        servers: List[str],
        timeout: float = 2.0,
        on_state: Optional[Callable[[str], None]] = None,
        on_watch: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        """node: the seedbed.Node that this belongs to. timeout: of the session, in seconds."""
        self._node = node
        self._servers = list(servers)
        self._wished = timeout
        self._timeout = timeout
        self._on_state = on_state or (lambda state: None)
        self._on_watch = on_watch or (lambda kind, path: None)
        self._at = 0
        self._state = "idle"
        self._deadline = 0.0
        self._ping_at = 0.0
        self._channel: Optional[_Channel] = None
        #: The session's number, 0 before it is connected for the first time.
        self.session = 0
        self._password = 0
        #: The newest transaction that this session has seen.
        self.last_zxid = 0
        self._next_xid = 1
        self._sent: List[Dict[str, Any]] = []
        self._waiting: List[Dict[str, Any]] = []
        self._watches: Dict[str, set] = {"data": set(), "exists": set(), "children": set()}

    @property
    def connected(self) -> bool:
        """Whether a server answers at present."""
        return self._state == "connected"

    # What can be asked.

    def open(self) -> None:
        """Begin a session; after the end of an earlier one, too."""
        if self._state == "idle":
            self._at = self._node.random.randrange(len(self._servers))
            self._connect()
            self._end_step()

    def close(self) -> None:
        """End the session: its ephemeral znodes go at once."""
        self._request("close", None)

    def create(self, path: str, data: str, mode: str, then: Then = None) -> None:
        """Make a znode. A sequential one gets ten digits behind its path, and nobody else's has the same."""
        self._request({"create": {"path": path, "data": data, "mode": mode}}, then)

    def delete(self, path: str, version: int = -1, then: Then = None) -> None:
        """Remove a znode, if it has this version; -1 fits all."""
        self._request({"delete": {"path": path, "version": version}}, then)

    def set(self, path: str, data: str, version: int = -1, then: Then = None) -> None:
        """Replace a znode's content, if it has this version; -1 fits all."""
        self._request({"set": {"path": path, "data": data, "version": version}}, then)

    def exists(self, path: str, watch: bool = False, then: Then = None) -> None:
        """Whether there is such a znode; the error is ``no_node`` if not. With ``watch``, ``on_watch`` is called once when it is made, changed or removed."""
        self._request({"exists": {"path": path, "watch": watch}}, then)

    def get(self, path: str, watch: bool = False, then: Then = None) -> None:
        """A znode's content. With ``watch``, ``on_watch`` is called once when it is changed or removed."""
        self._request({"get": {"path": path, "watch": watch}}, then)

    def children(self, path: str, watch: bool = False, then: Then = None) -> None:
        """The names of a znode's children. With ``watch``, ``on_watch`` is called once when there are others."""
        self._request({"children": {"path": path, "watch": watch}}, then)

    def multi_read(self, operations: List[Dict[str, Any]], then: Then = None) -> None:
        """Several reads of one moment: ``[{"children": "/a"}, {"get": "/a/b"}]``. The replies are in ``reply.replies``."""
        full = [{kind: {"path": path, "watch": False}} for each in operations for kind, path in each.items()]
        self._request({"multi_read": full}, then)

    def sync(self, then: Then = None) -> None:
        """Answered when the server has applied all that was answered to anybody before."""
        self._request("sync", then)

    # What the node hands on.

    def on_message(self, src: str, message: Dict[str, Any]) -> bool:
        """A message has come: ``True`` if it was about a connection with the ensemble, and is done with."""
        kind = message["type"]
        if kind not in ("PacketAck", "Reset") and "seq" not in message:
            return False
        number = message["connection"] if kind in ("PacketAck", "Reset") else message["channel"]
        channel = self._channel
        if channel is None or channel.number != number:
            if "seq" in message:
                self._node.send(src, {"type": "Reset", "connection": number})
            return True
        if kind == "Reset":
            self._lose_connection()
        elif kind == "PacketAck":
            channel.on_ack(message["ack"])
            self._heard()
        else:
            self._heard()
            for body in channel.on_packet(message):
                if self._channel is channel:
                    self._on_body(body)
        self._end_step()
        return True

    def on_timer(self, name: str) -> bool:
        """A timer has run out: ``True`` if it was one of this session's."""
        if name != _TIMER:
            return False
        now = self._node.now
        if self._channel is not None:
            self._channel.resend()
        if self._state in ("connecting", "connected") and now >= self._deadline:
            self._lose_connection()
        elif self._state == "pausing" and now >= self._deadline:
            self._connect()
        elif self._state == "connected" and now >= self._ping_at:
            self._ping_at = now + self._timeout / 3
            self._channel.send({"type": "ClientPing"})
        self._end_step()
        return True

    # Connections.

    def _connect(self) -> None:
        self._channel = _Channel(self._node, self._servers[self._at])
        self._channel.send(
            {
                "type": "Connect",
                "session": self.session,
                "password": self._password,
                "timeout_ms": round(self._wished * 1000),
                "last_zxid": self.last_zxid,
            }
        )
        self._state = "connecting"
        self._deadline = self._node.now + self._timeout / len(self._servers)

    def _lose_connection(self) -> None:
        was_connected = self._state == "connected"
        self._channel = None
        self._at = (self._at + 1) % len(self._servers)
        self._state = "pausing"
        self._deadline = self._node.now + self._timeout / 20 * self._node.random.uniform(0.5, 1.0)
        lost, self._sent = self._sent, []
        if was_connected:
            self._show("disconnected")
            self._on_state("disconnected")
        self._give_up(lost, "connection_loss")

    def _give_up(self, requests: List[Dict[str, Any]], error: str) -> None:
        for request in requests:
            if request["then"] is not None:
                request["then"](Reply({"Err": error}, 0))

    def _end(self, state: str) -> None:
        self._show(state)
        self._channel = None
        self._state = "idle"
        requests, self._sent, self._waiting = self._sent + self._waiting, [], []
        self.session, self._password, self.last_zxid = 0, 0, 0
        for paths in self._watches.values():
            paths.clear()
        self._give_up(requests, "session_expired")
        self._on_state(state)

    def _heard(self) -> None:
        if self._state == "connected":
            self._deadline = self._node.now + self._timeout * 2 / 3

    def _show(self, state: str) -> None:
        self._node.observe("client_session", session=self.session, state=state, server=self._servers[self._at])

    def _end_step(self) -> None:
        channel = self._channel
        if channel is not None:
            channel.flush()
        if self._state == "idle":
            return
        next_at = min(self._deadline, self._ping_at) if self._state == "connected" else self._deadline
        if channel is not None and channel.unacked:
            next_at = min(next_at, channel.resend_at)
        self._node.set_timer(_TIMER, max(0.0, next_at - self._node.now))

    # Requests.

    def _request(self, op: Any, then: Then) -> None:
        request = {"xid": self._next_xid, "op": op, "then": then}
        self._next_xid += 1
        if self._state == "connected":
            self._send_request(request)
            self._end_step()
        else:
            self._waiting.append(request)

    def _send_request(self, request: Dict[str, Any]) -> None:
        op = request["op"]
        word = op if isinstance(op, str) else next(iter(op))
        about = op[word] if isinstance(op, dict) and isinstance(op[word], dict) else {}
        self._node.observe("client_request", session=self.session, xid=request["xid"], op=word, path=about.get("path", "/"))
        self._ping_at = self._node.now + self._timeout / 3
        self._sent.append(request)
        self._channel.send({"type": "Request", "xid": request["xid"], "op": op})

    def _on_body(self, body: Dict[str, Any]) -> None:
        kind = body["type"]
        if kind == "ConnectReply":
            if body["timeout_ms"] == 0:
                self._end("expired")
            else:
                self._on_connected(body)
        elif kind == "Reply":
            self._on_reply(body)
        elif kind == "WatchEvent":
            told = {
                "created": ("data", "exists"),
                "data_changed": ("data", "exists"),
                "deleted": ("data", "exists", "children"),
                "children_changed": ("children",),
            }
            for each in told[body["kind"]]:
                self._watches[each].discard(body["path"])
            self._on_watch(body["kind"], body["path"])

    def _on_connected(self, body: Dict[str, Any]) -> None:
        is_new = self.session == 0
        self.session, self._password = body["session"], body["password"]
        self._timeout = body["timeout_ms"] / 1000
        self.last_zxid = max(self.last_zxid, self.session)
        self._state = "connected"
        self._ping_at = self._node.now + self._timeout / 3
        self._heard()
        self._show("connected")
        if not is_new and any(self._watches.values()):
            paths = {kind: sorted(paths) for kind, paths in self._watches.items()}
            self._channel.send({"type": "SetWatches", "relative_zxid": self.last_zxid, **paths})
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            self._send_request(request)
        self._on_state("connected")

    def _on_reply(self, body: Dict[str, Any]) -> None:
        request = next((each for each in self._sent if each["xid"] == body["xid"]), None)
        if request is None:
            return
        self._sent.remove(request)
        self.last_zxid = max(self.last_zxid, body["zxid"])
        reply, op = Reply(body["outcome"], body["zxid"]), request["op"]
        if op == "close" and reply.error is None:
            self._end("closed")
            return
        self._note_watch(op, reply)
        if request["then"] is not None:
            request["then"](reply)

    def _note_watch(self, op: Any, reply: Reply) -> None:
        for word in ("exists", "get", "children"):
            if isinstance(op, dict) and word in op and op[word]["watch"]:
                if reply.error is None:
                    self._watches["children" if word == "children" else "data"].add(op[word]["path"])
                elif reply.error == "no_node" and word == "exists":
                    self._watches["exists"].add(op[word]["path"])


class _Channel:
    """A connection over datagrams: packets are numbered, acknowledged, and sent again until they are."""

    def __init__(self, node: Any, peer: str) -> None:
        self.node = node
        self.peer = peer
        self.number = node.random.getrandbits(63)
        self.next_seq = 1
        self.unacked: List[Any] = []
        self.resend_at = 0.0
        self.pause = _RETRANSMIT
        self.received = 0
        self.early: Dict[int, Dict[str, Any]] = {}
        self.owes_ack = False

    def send(self, body: Dict[str, Any]) -> None:
        if not self.unacked:
            self.pause = _RETRANSMIT
            self.resend_at = self.node.now + self.pause
        self.unacked.append((self.next_seq, body))
        self.transmit(self.next_seq, body)
        self.next_seq += 1

    def transmit(self, seq: int, body: Dict[str, Any]) -> None:
        self.owes_ack = False
        self.node.send(self.peer, {**body, "channel": self.number, "seq": seq, "ack": self.received})

    def on_packet(self, message: Dict[str, Any]) -> List[Dict[str, Any]]:
        """What can be handled now, in order."""
        self.on_ack(message["ack"])
        self.owes_ack = True
        if message["seq"] > self.received:
            self.early[message["seq"]] = message
        ready = []
        while self.received + 1 in self.early:
            self.received += 1
            ready.append(self.early.pop(self.received))
        return ready

    def on_ack(self, ack: int) -> None:
        left = [each for each in self.unacked if each[0] > ack]
        if len(left) < len(self.unacked):
            self.unacked = left
            self.pause = _RETRANSMIT
            self.resend_at = self.node.now + self.pause

    def resend(self) -> None:
        if not self.unacked or self.node.now < self.resend_at:
            return
        for seq, body in self.unacked[:_BURST_MAX]:
            self.transmit(seq, body)
        self.pause = min(self.pause * 2, _RETRANSMIT * _BACKOFF_MAX)
        self.resend_at = self.node.now + self.pause

    def flush(self) -> None:
        """Acknowledge what no packet has acknowledged."""
        if self.owes_ack:
            self.owes_ack = False
            self.node.send(self.peer, {"type": "PacketAck", "connection": self.number, "ack": self.received})

//! Asynchronous participants: clients and scripts, which read best as sequential programs.
//!
//! They run on madsim's executor, one at a time: the driver hands one an input, gives way until it
//! waits again, and then applies what it asked for. So the executor's choice among ready tasks
//! never matters. A participant waits only through its [`Io`].

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use crate::node::{LocalTime, Message, NodeId};
use crate::rng::Rng;
use crate::trace::{OpType, Word};

/// What a participant asks of the driver.
#[derive(Debug)]
pub(crate) enum Request<M> {
    Send {
        dest: NodeId,
        message: M,
    },
    /// Wake it at this reading of its own clock, if it still waits for that.
    WakeAt(LocalTime),
    Record {
        op_type: OpType,
        f: Word,
        value: Word,
        error: Word,
    },
}

#[derive(Debug)]
pub(crate) struct Shared<M> {
    pub(crate) inbox: VecDeque<(NodeId, M)>,
    pub(crate) requests: Vec<Request<M>>,
    pub(crate) waker: Option<Waker>,
    /// Whether it has something to do: set by the driver with the waker, cleared when it waits
    /// again or ends.
    pub(crate) awake: bool,
    pub(crate) now: LocalTime,
    pub(crate) load_is_over: bool,
}

/// A participant's way to the world.
pub struct Io<M> {
    id: NodeId,
    names: Rc<Vec<String>>,
    nodes: Rc<Vec<NodeId>>,
    rng: Rc<RefCell<Rng>>,
    pub(crate) shared: Rc<RefCell<Shared<M>>>,
}

impl<M: Message> Io<M> {
    pub(crate) fn new(
        id: NodeId,
        names: Rc<Vec<String>>,
        nodes: Rc<Vec<NodeId>>,
        rng: Rng,
    ) -> Self {
        let shared = Shared {
            inbox: VecDeque::new(),
            requests: Vec::new(),
            waker: None,
            awake: true,
            now: LocalTime::ZERO,
            load_is_over: false,
        };
        Io {
            id,
            names,
            nodes,
            rng: Rc::new(RefCell::new(rng)),
            shared: Rc::new(RefCell::new(shared)),
        }
    }

    /// This participant.
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// The nodes of the system, without clients, in the scenario's order.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The name of a participant.
    pub fn name(&self, node: NodeId) -> &str {
        &self.names[node.index()]
    }

    /// The participant of this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        NodeId::named(&self.names, name)
    }

    /// Its own monotonic clock.
    pub fn now(&self) -> LocalTime {
        self.shared.borrow().now
    }

    /// Draw from its own stream of randomness.
    pub fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.rng.borrow_mut())
    }

    /// Whether the load has ended (`duration` has passed, and the short load in `recovery` too):
    /// start nothing new.
    pub fn load_is_over(&self) -> bool {
        self.shared.borrow().load_is_over
    }

    /// Send a datagram.
    pub fn send(&self, dest: NodeId, message: M) {
        self.shared.borrow_mut().requests.push(Request::Send { dest, message });
    }

    /// The next datagram, or `None` when the clock shows `deadline` first.
    pub async fn recv_until(&self, deadline: LocalTime) -> Option<(NodeId, M)> {
        let mut asked = false;
        poll_fn(|cx| {
            let mut shared = self.shared.borrow_mut();
            if let Some(received) = shared.inbox.pop_front() {
                return Poll::Ready(Some(received));
            }
            if shared.now >= deadline {
                return Poll::Ready(None);
            }
            if !asked {
                asked = true;
                shared.requests.push(Request::WakeAt(deadline));
            }
            shared.waker = Some(cx.waker().clone());
            shared.awake = false;
            Poll::Pending
        })
        .await
    }

    /// Wait; datagrams that arrive meanwhile stay in the inbox.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + '_ {
        let mut asked = false;
        let deadline = self.now() + duration;
        poll_fn(move |cx| {
            let mut shared = self.shared.borrow_mut();
            if shared.now >= deadline {
                return Poll::Ready(());
            }
            if !asked {
                asked = true;
                shared.requests.push(Request::WakeAt(deadline));
            }
            shared.waker = Some(cx.waker().clone());
            shared.awake = false;
            Poll::Pending
        })
    }

    /// Record that an operation begins.
    pub fn invoke(&self, f: impl Into<Word>, value: impl Into<Word>) {
        self.record(OpType::Invoke, f.into(), value.into(), Word::Borrowed(""));
    }

    /// Record how an operation ended: [`OpType::Ok`] with its result, [`OpType::Fail`] (it
    /// certainly did not happen) or [`OpType::Info`] (unknown) with the reason.
    pub fn complete(
        &self,
        op_type: OpType,
        f: impl Into<Word>,
        value: impl Into<Word>,
        error: impl Into<Word>,
    ) {
        self.record(op_type, f.into(), value.into(), error.into());
    }

    fn record(&self, op_type: OpType, f: Word, value: Word, error: Word) {
        self.shared.borrow_mut().requests.push(Request::Record { op_type, f, value, error });
    }
}

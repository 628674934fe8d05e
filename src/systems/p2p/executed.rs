//! Which requests were executed already, and what was answered.
//!
//! A peer that gets no answer asks again under the same number: its request may have been lost, may
//! still be on its way, or its answer was lost. The directory remembers the last request of each
//! start of a peer's program, and a peer has one at a time. So a number that the directory knows
//! gets the same answer again, and a smaller one is a late copy, for whose answer nobody waits.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::defects::{Defect, Planted};
use super::journal::RequestId;
use super::service::Reply;

/// Starts of a peer's program that are remembered: a copy may still come from the previous one, but
/// hardly from the fifth before this.
const STARTS_MAX: usize = 4;

/// The last request of one start.
#[derive(Clone, Debug)]
struct LastRequest {
    nonce: u64,
    /// Invariant: it grows.
    counter: u64,
    /// Shared: a list of users is long.
    reply: Rc<Reply>,
}

/// By host, the newest start last.
#[derive(Debug, Default)]
pub struct ExecutedRequests {
    hosts: BTreeMap<String, Vec<LastRequest>>,
    planted: Planted,
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It is new.
    New,
    /// It was executed, and this was answered.
    Answered(Rc<Reply>),
    /// It was executed before another one that the same program has sent since.
    Late,
}

impl ExecutedRequests {
    /// Nothing was executed.
    pub fn new(planted: Planted) -> ExecutedRequests {
        ExecutedRequests { planted, ..ExecutedRequests::default() }
    }

    /// Look a request up.
    pub fn look_up(&self, host: &str, id: &RequestId) -> Lookup {
        let starts = self.hosts.get(host).map_or(&[][..], Vec::as_slice);
        let Some(position) = starts.iter().position(|last| last.nonce == id.nonce) else {
            return Lookup::New;
        };
        let (last, is_newest) = (&starts[position], position + 1 == starts.len());
        match last.counter {
            counter if counter == id.counter => Lookup::Answered(last.reply.clone()),
            counter if counter > id.counter || !is_newest => Lookup::Late,
            _ => Lookup::New,
        }
    }

    /// Whether the request comes from another start than the last one of this host: then the
    /// program that had started before is gone.
    pub fn is_restarted(&self, host: &str, id: &RequestId) -> bool {
        self.hosts
            .get(host)
            .and_then(|starts| starts.last())
            .is_some_and(|last| last.nonce != id.nonce)
    }

    /// A request was executed.
    pub fn note(&mut self, host: &str, id: &RequestId, reply: &Rc<Reply>) {
        let last = LastRequest { nonce: id.nonce, counter: id.counter, reply: reply.clone() };
        let starts = self.hosts.entry(host.to_owned()).or_default();
        match starts.iter_mut().find(|last| last.nonce == id.nonce) {
            Some(known) => {
                assert!(
                    known.counter < last.counter
                        || self.planted.holds(Defect::RetryNotIdempotent)
                        || self.planted.holds(Defect::LostOnCrash),
                    "request {} of {host} is executed after request {}",
                    last.counter,
                    known.counter
                );
                *known = last;
            }
            None => starts.push(last),
        }
        if starts.len() > STARTS_MAX {
            starts.remove(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked again: the same answer. A copy of the request before: none. The first request of
    /// another start is new, whatever its number.
    #[test]
    fn a_request_is_executed_once() {
        let id = |nonce, counter| RequestId { nonce, counter };
        let mut executed = ExecutedRequests::default();
        let status = |status| Rc::new(Reply::status(status));
        executed.note("p1", &id(5, 1), &status(0));
        executed.note("p1", &id(5, 2), &status(1));
        assert_eq!(executed.look_up("p1", &id(5, 2)), Lookup::Answered(status(1)));
        assert_eq!(executed.look_up("p1", &id(5, 1)), Lookup::Late);
        assert_eq!(executed.look_up("p1", &id(5, 3)), Lookup::New);
        assert_eq!(executed.look_up("p1", &id(6, 1)), Lookup::New);
        assert_eq!(executed.look_up("p2", &id(5, 2)), Lookup::New);
        assert!(
            executed.is_restarted("p1", &id(6, 1))
                && !executed.is_restarted("p1", &id(5, 3))
                && !executed.is_restarted("p2", &id(6, 1))
        );
        executed.note("p1", &id(6, 1), &status(0));
        assert_eq!(executed.look_up("p1", &id(5, 3)), Lookup::Late);
    }
}

//! The operations of users, read from the history: `publish`, `alice song.txt A description -> 0`.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::history::{History, Outcome};
use crate::systems::p2p::vocabulary::Service;
use crate::trace::{NodeId, Trace};

/// An operation of a user.
#[derive(Clone, Debug)]
pub struct Call {
    pub service: Service,
    pub process: Rc<str>,
    /// The peer at which it was typed.
    pub peer: Option<NodeId>,
    /// In whose name, or whose name.
    pub user: Rc<str>,
    /// What else was given, word by word.
    pub arguments: Vec<Rc<str>>,
    /// The status, if it is an answer.
    pub status: Option<u8>,
    /// What stands behind the status.
    pub detail: String,
    /// Why it is not an answer, or what was expected of it.
    pub error: String,
    /// Whether it may have happened although nobody was told.
    pub open: bool,
    /// Positions in the order that history and events share; `None` while open.
    pub invoked: u64,
    pub completed: Option<u64>,
    pub invoked_us: u64,
    /// When it ended in any way, µs.
    pub ended_us: Option<u64>,
}

impl Call {
    /// The first word behind the user.
    pub fn argument(&self) -> &str {
        self.word(0)
    }

    /// The word at a place behind the user; empty if there is none.
    pub fn word(&self, place: usize) -> &str {
        self.arguments.get(place).map_or("", |word| word)
    }

    /// For messages: `c1 publish alice song.txt -> 3`.
    pub fn shown(&self) -> String {
        const SHOWN: usize = 24;
        let short = |word: &str| {
            if word.chars().count() <= SHOWN {
                word.to_owned()
            } else {
                word.chars().take(SHOWN).chain(['…']).collect()
            }
        };
        let mut text = format!("{} {} {}", self.process, self.service.word(), short(&self.user));
        for argument in self.arguments.iter().take(3) {
            text.push(' ');
            text.push_str(&short(argument));
        }
        if let Some(status) = self.status {
            text.push_str(&format!(" -> {status}"));
        }
        text
    }

    /// Whether the directory has answered it, and not its own peer or another one.
    pub fn by_directory(&self) -> bool {
        self.status.is_some() && self.service != Service::GetFile && self.detail != "no_name"
    }
}

/// All operations of users, in the order of their invocations.
pub fn calls(trace: &Trace) -> Vec<Call> {
    let peers: Vec<NodeId> = trace.with_role("peer").collect();
    let mut peer_of: BTreeMap<&str, NodeId> = BTreeMap::new();
    for (client, peer) in
        trace.nodes.iter().filter(|node| node.role == "client").zip(peers.iter().cycle())
    {
        peer_of.entry(&client.name).or_insert(*peer);
    }
    let mut calls = vec![];
    for operation in &History::new(&trace.history).operations {
        let Some(service) = Service::from_word(operation.f) else { continue };
        let mut words = operation.argument.split_whitespace();
        let user = words.next().unwrap_or("");
        let answered = operation
            .completion
            .filter(|_| operation.outcome == Outcome::Ok)
            .and_then(|op| answer(&op.value));
        let certain = operation.completion.filter(|_| operation.outcome != Outcome::Open);
        calls.push(Call {
            service,
            process: operation.process.into(),
            peer: peer_of.get(operation.process).copied(),
            user: user.into(),
            arguments: words.map(Rc::from).collect(),
            status: answered.map(|(status, _)| status),
            detail: answered.map_or("", |(_, detail)| detail).to_owned(),
            error: operation.completion.map_or("", |op| &*op.error).to_owned(),
            open: operation.outcome == Outcome::Open,
            invoked: operation.invoked,
            completed: certain.map(|op| op.index.max(operation.invoked)),
            invoked_us: operation.invoked_us,
            ended_us: operation.completed_us(),
        });
    }
    calls
}

/// The status at the end of a value, and what stands behind it.
pub fn answer(value: &str) -> Option<(u8, &str)> {
    value.rmatch_indices(" -> ").find_map(|(at, arrow)| {
        let rest = &value[at + arrow.len()..];
        let (digit, detail) = rest.split_once(' ').unwrap_or((rest, ""));
        Some((digit.parse().ok().filter(|_| digit.len() == 1)?, detail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description may itself hold an arrow; the last one counts.
    #[test]
    fn the_last_arrow_leads_to_the_status() {
        assert_eq!(answer("alice f from -> to -> 3"), Some((3, "")));
        assert_eq!(
            answer("alice -> 0 bob@p2:4000 carol@p3:4001"),
            Some((0, "bob@p2:4000 carol@p3:4001"))
        );
        assert_eq!(answer("alice f d"), None);
    }
}

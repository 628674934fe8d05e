//! The operations of users, read from the history: `publish`, `alice song.txt A description -> 0`.

use std::collections::BTreeMap;

use crate::history::{History, Outcome};
use crate::systems::p2p::Service;
use crate::trace::{NodeId, Trace};

/// An operation of a user.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    pub service: Service,
    pub process: &'a str,
    /// The peer at which it was typed.
    pub peer: Option<NodeId>,
    /// In whose name, or whose name.
    pub user: &'a str,
    /// What else was given; of a description only the first word matters to nobody.
    pub arguments: Vec<&'a str>,
    /// The status, where it is an answer.
    pub status: Option<u8>,
    /// What stands behind the status.
    pub detail: &'a str,
    /// Why it is no answer, or what was expected of it.
    pub error: &'a str,
    /// Whether it may have happened although nobody was told.
    pub open: bool,
    /// Positions in the order that history and events share; `None` while open.
    pub invoked: u64,
    pub completed: Option<u64>,
    pub invoked_us: u64,
    /// When it ended in any way, µs.
    pub ended_us: Option<u64>,
}

impl Call<'_> {
    /// The first word behind the user.
    pub fn argument(&self) -> &str {
        self.arguments.first().copied().unwrap_or("")
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
        let mut text = format!("{} {} {}", self.process, self.service.name(), short(self.user));
        for argument in self.arguments.iter().take(3) {
            text.push(' ');
            text.push_str(&short(argument));
        }
        if let Some(status) = self.status {
            text.push_str(&format!(" -> {status}"));
        }
        text
    }

    /// Whether the directory has answered it: not the peer of its own accord, nor another peer.
    pub fn by_directory(&self) -> bool {
        self.status.is_some() && self.service != Service::GetFile && self.detail != "no_name"
    }
}

/// All operations of users, in the order of their invocations.
pub fn calls<'a>(trace: &'a Trace, history: &History<'a>) -> Vec<Call<'a>> {
    let peers: Vec<NodeId> = trace.with_role("peer").collect();
    let mut peer_of: BTreeMap<&str, NodeId> = BTreeMap::new();
    for (client, peer) in
        trace.nodes.iter().filter(|node| node.role == "client").zip(peers.iter().cycle())
    {
        peer_of.entry(&client.name).or_insert(*peer);
    }
    let mut calls = vec![];
    for operation in &history.operations {
        let Some(service) = Service::of_name(operation.f) else { continue };
        let mut words = operation.argument.split_whitespace();
        let user = words.next().unwrap_or("");
        let answered = operation
            .completion
            .filter(|_| operation.outcome == Outcome::Ok)
            .and_then(|op| answer(&op.value));
        let certain = operation.completion.filter(|_| operation.outcome != Outcome::Open);
        calls.push(Call {
            service,
            process: operation.process,
            peer: peer_of.get(operation.process).copied(),
            user,
            arguments: words.collect(),
            status: answered.map(|(status, _)| status),
            detail: answered.map_or("", |(_, detail)| detail),
            error: operation.completion.map_or("", |op| &*op.error),
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
fn answer(value: &str) -> Option<(u8, &str)> {
    value.rmatch_indices(" -> ").find_map(|(at, arrow)| {
        let rest = &value[at + arrow.len()..];
        let (digit, detail) = rest.split_once(' ').unwrap_or((rest, ""));
        Some((digit.parse().ok().filter(|_| digit.len() == 1)?, detail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description may hold an arrow of its own; the last one counts.
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

//! One user of the directory as a sequential object.
//!
//! Most operations concern one user, so users are searched one by one (Herlihy and Wing's
//! locality). Of an operation that concerns two, each user sees its part: `list_content` asks
//! whether the one is connected and what the other has published. To split it so gives up that both
//! parts belong to one moment, which lets errors pass but calls nothing wrong that is right.

use std::collections::BTreeSet;

use crate::checkers::search::{self, Sequential};

/// A user: not registered, or registered and perhaps connected at a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct User {
    pub registered: bool,
    pub host: Option<u32>,
    pub files: BTreeSet<u32>,
}

/// What an operation does to a user, or wants of it. Hosts and files are numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Register,
    Unregister,
    Connect(u32),
    Disconnect(u32),
    Publish(u32, u32),
    Delete(u32, u32),
    /// It asks for a list, from this host.
    Ask(u32),
    /// What another sees that it has published.
    Content(BTreeSet<u32>),
    /// Another sees that it is not registered.
    NotRegistered,
    /// Its lease is over.
    Expire,
}

/// An operation with its status (`None`: nobody knows it) and its times in the shared order.
pub type Timed = search::Timed<(Effect, Option<u8>)>;

impl User {
    /// The status by the table, and the user afterwards.
    fn apply(&self, effect: &Effect) -> (u8, User) {
        let mut after = self.clone();
        let acting = |host: u32| match (self.registered, self.host) {
            (false, _) => Some(1),
            (true, Some(at)) if at == host => None,
            _ => Some(2),
        };
        let status = match effect {
            Effect::Register if self.registered => 1,
            Effect::Register => {
                after.registered = true;
                0
            }
            Effect::Unregister if !self.registered => 1,
            Effect::Unregister => {
                after = User::default();
                0
            }
            Effect::Connect(_) if !self.registered => 1,
            Effect::Connect(_) if self.host.is_some() => 2,
            Effect::Connect(host) => {
                after.host = Some(*host);
                0
            }
            Effect::Disconnect(host) => acting(*host).unwrap_or_else(|| {
                (after.host, after.files) = (None, BTreeSet::new());
                0
            }),
            Effect::Publish(host, file) => {
                acting(*host).unwrap_or_else(|| if after.files.insert(*file) { 0 } else { 3 })
            }
            Effect::Delete(host, file) => {
                acting(*host).unwrap_or_else(|| if after.files.remove(file) { 0 } else { 3 })
            }
            Effect::Ask(host) => acting(*host).unwrap_or(0),
            Effect::Content(files) => u8::from(!self.registered || self.files != *files),
            Effect::NotRegistered => u8::from(self.registered),
            Effect::Expire => {
                (after.host, after.files) = (None, BTreeSet::new());
                0
            }
        };
        (status, after)
    }
}

/// See the module.
pub struct OneUser;

impl Sequential for OneUser {
    type State = User;
    type Effect = (Effect, Option<u8>);

    fn initial(&self) -> User {
        User::default()
    }

    fn step(&self, user: &User, (effect, status): &(Effect, Option<u8>)) -> Option<User> {
        let (by_table, after) = user.apply(effect);
        status.is_none_or(|status| status == by_table).then_some(after)
    }

    fn is_free(&self, user: &User, (effect, status): &(Effect, Option<u8>)) -> bool {
        // Questions change nothing, and neither does what was refused.
        let asks = matches!(effect, Effect::Ask(_) | Effect::Content(_) | Effect::NotRegistered);
        let is_refused = status.is_some_and(|status| status != 0);
        (asks || is_refused) && *status == Some(user.apply(effect).0)
    }

    fn state_bytes(&self, user: &User) -> u64 {
        64 + 8 * user.files.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::search::{Answer, Limits, linearizable};

    fn timed(effect: Effect, status: Option<u8>, invoked: u64, completed: Option<u64>) -> Timed {
        Timed { effect: (effect, status), invoked, completed }
    }

    /// A `register` that nobody has answered explains a later "in use", and its absence a later OK.
    #[test]
    fn an_open_operation_may_have_happened_or_not() {
        let open = timed(Effect::Register, None, 0, None);
        let in_use = timed(Effect::Register, Some(1), 2, Some(3));
        let free = timed(Effect::Register, Some(0), 2, Some(3));
        let limits = Limits { steps: 100, cache_bytes: 10_000 };
        let judge = |operations: &[Timed]| linearizable(&OneUser, operations, limits);
        assert_eq!(judge(&[open.clone(), in_use.clone()]), Answer::Legal);
        assert_eq!(judge(&[open, free]), Answer::Legal);
        assert_eq!(judge(&[in_use]), Answer::Illegal { at: 3 });
    }
}

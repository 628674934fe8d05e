//! The texts that a key was seen with, as a tree: a text is a list of parts (`7,9,12`), and its
//! parent is the text without the last one.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::key::TextId;

/// The text of a key that was never written, the root.
pub const NIL_ID: TextId = 0;
/// At most this many parts are taken off a text in search of a beginning that is known; then it is
/// followed from the root.
const STRIPPED_MAX: usize = 64;
/// A time at which nothing was seen.
const NEVER: u64 = u64::MAX;

/// The digest of a part, by which it is known.
pub fn part(text: &str) -> u64 {
    xxh3_64(text.as_bytes())
}

/// The digests of a text's parts.
pub fn parts(text: &str) -> impl DoubleEndedIterator<Item = u64> {
    text.split(',').map(part)
}

/// A text.
struct Text {
    parent: TextId,
    last_part: u64,
    /// The completion of the first operation that saw it, or a text that begins with it.
    seen: u64,
    /// Whether an operation that may have happened depends on it without having said so.
    is_wanted: bool,
}

/// See the module.
pub struct Texts {
    texts: Vec<Text>,
    children: BTreeMap<(TextId, u64), TextId>,
    /// Texts by their last part.
    by_last_part: BTreeMap<u64, Vec<TextId>>,
    /// Whole texts by the digest of their bytes: a long one is mostly a known one with a part more.
    by_bytes: BTreeMap<u64, TextId>,
}

impl Texts {
    /// The root alone.
    pub fn new() -> Texts {
        let root = Text { parent: NIL_ID, last_part: 0, seen: 0, is_wanted: true };
        Texts {
            texts: vec![root],
            children: BTreeMap::new(),
            by_last_part: BTreeMap::new(),
            by_bytes: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.texts.len()
    }

    /// Note that a text was there at a time, and tell each part of it that was not known there. In
    /// rising order of time, so that a text known already has nothing new to show.
    pub fn see(&mut self, text: &str, completed: u64, mut on_new_part: impl FnMut(u64)) {
        self.add(text, completed, &mut on_new_part);
    }

    /// Note that an operation depends on a text; whether that is new.
    pub fn want(&mut self, text: &str) -> bool {
        let mut id = self.add(text, NEVER, &mut |_| {});
        let is_new = !self.texts[id as usize].is_wanted;
        while !self.texts[id as usize].is_wanted {
            self.texts[id as usize].is_wanted = true;
            id = self.texts[id as usize].parent;
        }
        is_new
    }

    fn add(&mut self, text: &str, seen: u64, on_new_part: &mut impl FnMut(u64)) -> TextId {
        let (mut id, added) = self.longest_known(text);
        for last_part in added.into_iter().rev().map(part) {
            let new = self.texts.len() as TextId;
            let child = *self.children.entry((id, last_part)).or_insert(new);
            if child == new {
                on_new_part(last_part);
                self.texts.push(Text { parent: id, last_part, seen, is_wanted: false });
                self.by_last_part.entry(last_part).or_default().push(new);
            }
            id = child;
        }
        self.by_bytes.insert(xxh3_64(text.as_bytes()), id);
        id
    }

    /// A beginning of a text that was seen as a whole, and the parts that follow, the last first.
    fn longest_known<'a>(&self, text: &'a str) -> (TextId, Vec<&'a str>) {
        let mut beginning = text;
        let mut added = vec![];
        for _ in 0..STRIPPED_MAX {
            if let Some(known) = self.by_bytes.get(&xxh3_64(beginning.as_bytes())) {
                return (*known, added);
            }
            let Some((before, last)) = beginning.rsplit_once(',') else { break };
            added.push(last);
            beginning = before;
        }
        (NIL_ID, text.rsplit(',').collect())
    }

    /// The number of a text, if it is in the tree; `None` as a text is `nil`.
    pub fn find(&self, text: Option<&str>) -> Option<TextId> {
        let Some(text) = text else { return Some(NIL_ID) };
        let (known, added) = self.longest_known(text);
        added
            .into_iter()
            .rev()
            .try_fold(known, |id, each| self.children.get(&(id, part(each))).copied())
    }

    /// What adding this text to the end changes: pairs of a text and the one that follows.
    pub fn changes(&self, added: &str) -> Vec<(TextId, TextId)> {
        let last = parts(added).next_back().and_then(|last| self.by_last_part.get(&last));
        let before = |after: TextId| {
            parts(added).rev().try_fold(after, |id, part| {
                let text = &self.texts[id as usize];
                (id != NIL_ID && text.last_part == part).then_some(text.parent)
            })
        };
        let pair = |after: &TextId| Some((before(*after)?, *after));
        last.into_iter().flatten().filter_map(pair).collect()
    }

    /// Whether somebody who was answered by `cut` has seen a text, or may have.
    pub fn is_known(&self, id: TextId, cut: u64) -> bool {
        let text = &self.texts[id as usize];
        text.is_wanted || text.seen <= cut
    }

    /// The part that a text ends with; the root has none.
    pub fn last_part(&self, id: TextId) -> Option<u64> {
        (id != NIL_ID).then(|| self.texts[id as usize].last_part)
    }
}

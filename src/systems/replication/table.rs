//! The forms as they are after the records that are known to be final, and a digest of them.

use std::collections::BTreeMap;
use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::record::{Form, Record};

/// Forms by id.
///
/// Invariant: it is the fold of the records 1 to `applied` of the log.
#[derive(Clone, Debug, Default)]
pub struct Table {
    forms: BTreeMap<Rc<str>, Rc<Form>>,
    /// The last record that is applied.
    applied: u64,
    /// The sum of the digests of all forms: the same for equal tables, whatever the order in which
    /// they came to be.
    digest: u64,
}

/// The content of a form's file.
pub fn file_of(form: &Form) -> Vec<u8> {
    let text = serde_json::to_string(form).expect("a form is JSON");
    format!("{text}\n{:016x}\n", xxh3_64(text.as_bytes())).into_bytes()
}

/// The digest that a form's file claims, if its content agrees with it.
pub fn verified(file: &[u8]) -> Option<u64> {
    let (text, claimed) = std::str::from_utf8(file).ok()?.strip_suffix('\n')?.rsplit_once('\n')?;
    let digest = xxh3_64(text.as_bytes());
    (u64::from_str_radix(claimed, 16).ok()? == digest).then_some(digest)
}

/// The digest of a form.
pub fn digest_of(form: &Form) -> u64 {
    xxh3_64(serde_json::to_string(form).expect("a form is JSON").as_bytes())
}

impl Table {
    /// The last record that is applied.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// A digest of all forms.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Apply the next record.
    pub fn apply(&mut self, record: &Record) {
        self.applied = record.content.seq;
        if !record.content.done {
            return;
        }
        let key = &record.content.key;
        let before = match &record.content.value {
            Some(form) => {
                self.digest = self.digest.wrapping_add(digest_of(form));
                self.forms.insert(key.clone(), form.clone())
            }
            None => self.forms.remove(key),
        };
        if let Some(before) = before {
            self.digest = self.digest.wrapping_sub(digest_of(&before));
        }
    }

    /// One form.
    pub fn get(&self, key: &str) -> Option<&Rc<Form>> {
        self.forms.get(key)
    }

    /// All forms, by id.
    pub fn all(&self) -> impl Iterator<Item = &Rc<Form>> {
        self.forms.values()
    }
}

//! Messages as JSON, for programs that run as nodes.
//!
//! Every message of every system has one form: an object with its name as `type`. A node is written
//! as its name, bytes as text if possible, and numbers are integers. The message types derive
//! `serde`; this file has what they share. The JSON form is used only with programs: between
//! built-in nodes a message crosses the simulated network as a Rust value, and the digest of a run
//! is the same either way.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::trace::NodeId;

thread_local! {
    /// The names of the run's nodes and clients while a message is written or read: built-in nodes
    /// use numbers, programs use names.
    static NAMES: RefCell<Vec<String>> = const { RefCell::new(vec![]) };
}

/// The JSON form of a message.
pub fn to_json(message: &impl Serialize, names: &[String]) -> Option<Value> {
    among(names, || serde_json::to_value(message).ok())
}

/// The message that an object represents, or why it represents none.
pub fn from_json<T: DeserializeOwned>(body: &Value, names: &[String]) -> Result<T, String> {
    among(names, || T::deserialize(body).map_err(|error| error.to_string()))
}

/// Whether the object has one of these types.
pub fn is_one_of(body: &Value, types: &[&str]) -> bool {
    body["type"].as_str().is_some_and(|name| types.contains(&name))
}

fn among<T>(names: &[String], work: impl FnOnce() -> T) -> T {
    NAMES.with_borrow_mut(|known| {
        if known.as_slice() != names {
            *known = names.to_vec();
        }
    });
    work()
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        NAMES.with_borrow(|names| match names.get(self.index()) {
            Some(name) => serializer.serialize_str(name),
            None => serializer.serialize_u32(self.0),
        })
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<NodeId, D::Error> {
        let name = String::deserialize(deserializer)?;
        NAMES
            .with_borrow(|names| NodeId::named(names, &name))
            .ok_or_else(|| D::Error::custom(format!("`{name}` is not a node")))
    }
}

/// Bytes: a text if they are UTF-8 without control characters, otherwise `{"base64": "…"}`.
pub mod bytes {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Encoded { base64: String },
    }

    /// As JSON.
    pub fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let bytes = bytes.as_ref();
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => Form::Text(text.to_owned()),
            _ => Form::Encoded { base64: STANDARD.encode(bytes) },
        }
        .serialize(serializer)
    }

    /// From JSON.
    pub fn deserialize<'de, D: Deserializer<'de>, B: From<Vec<u8>>>(
        deserializer: D,
    ) -> Result<B, D::Error> {
        let form = Form::deserialize(deserializer)
            .map_err(|_| D::Error::custom("bytes are a text or {\"base64\": \"…\"}"))?;
        Ok(B::from(match form {
            Form::Text(text) => text.into_bytes(),
            Form::Encoded { base64 } => STANDARD.decode(base64).map_err(D::Error::custom)?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Parcel {
        to: NodeId,
        #[serde(with = "bytes")]
        content: Rc<[u8]>,
    }

    #[test]
    fn nodes_have_names_and_bytes_are_text_where_they_can_be() {
        let names = ["n1", "n2"].map(str::to_owned);
        for (content, form) in [
            ("año".as_bytes(), r#""año""#),
            (&[0, 255], r#"{"base64":"AP8="}"#),
            (b"a\n", r#"{"base64":"YQo="}"#),
        ] {
            let parcel = Parcel { to: NodeId(1), content: content.into() };
            let json = to_json(&parcel, &names).expect("JSON");
            assert_eq!(json.to_string(), format!(r#"{{"content":{form},"to":"n2"}}"#));
            assert_eq!(from_json::<Parcel>(&json, &names), Ok(parcel));
        }
        let unknown = serde_json::json!({ "to": "n9", "content": "" });
        assert_eq!(from_json::<Parcel>(&unknown, &names), Err("`n9` is not a node".to_owned()));
    }
}

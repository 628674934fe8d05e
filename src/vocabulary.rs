//! The vocabulary of a system: its events with their fields, its metrics and its messages, each
//! declared once and typed.
//!
//! A node emits through the declaration (`ctx.emit(Commit { index, term })`), checks and plots read
//! through it (`Commit::read(&event.fields)`), and `explain`, `list` and the documentation are
//! printed from it. The four macros of this module make all of that from one text:
//!
//! | macro | declares |
//! |---|---|
//! | `words!` | an enum whose values are words of the trace: roles, states, reasons |
//! | `events!` | events: a struct for each, the list `EVENTS`, and `Told`, any of them decoded |
//! | `metrics!` | what a node shows after each step: a struct, and the list of its metrics |
//! | `messages!` | an enum of messages with their names, and the list of them |
//!
//! The doc comments of the declaration are the texts that users read.

use crate::trace::{Fields, NodeId, Value, Word};

/// Something that a system shows, by name: a message type, a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name in the trace.
    pub name: &'static str,
    /// What it means, with its unit.
    pub summary: &'static str,
}

/// What kind of value a field or a metric takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number: a term, an index, microseconds, bytes.
    Number,
    /// 0 or 1.
    Flag,
    /// A node, by name.
    Node,
    /// A node, or the word `none`.
    NodeOrNone,
    /// A digest of 64 bits.
    Hash,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Any text.
    Text,
}

impl Kind {
    /// The kind for people: `number`, `node or none`, `follower | candidate | leader`.
    pub fn describe(self) -> String {
        match self {
            Kind::Number => "number".to_owned(),
            Kind::Flag => "0 or 1".to_owned(),
            Kind::Node => "node".to_owned(),
            Kind::NodeOrNone => "node or none".to_owned(),
            Kind::Hash => "hash".to_owned(),
            Kind::OneOf(words) => words.join(" | "),
            Kind::Text => "text".to_owned(),
        }
    }
}

/// A field of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Its name in the trace.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether a program may leave it out.
    pub optional: bool,
    /// What it means, with its unit; empty where the name says it.
    pub summary: &'static str,
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventInfo {
    /// Its name in the trace.
    pub name: &'static str,
    /// What happened.
    pub summary: &'static str,
    /// Its fields, in the order of the trace.
    pub fields: &'static [FieldInfo],
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricInfo {
    /// Its name in the trace.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it means, with its unit.
    pub summary: &'static str,
}

/// What a system, or a part of one that others build on, shows of itself.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// Its events.
    pub events: &'static [EventInfo],
    /// Its metrics, in groups by the kind of node.
    pub metrics: &'static [&'static [MetricInfo]],
    /// Its messages, in groups by the enum that declares them.
    pub messages: &'static [&'static [Shown]],
}

/// A type that a field or a metric can have.
pub trait FieldValue: Sized {
    /// What it takes.
    const KIND: Kind;
    /// Whether the field may be missing.
    const OPTIONAL: bool = false;

    /// The value in the trace.
    fn to_value(&self) -> Value;

    /// The value of the trace as this type; `None` if it is of another kind.
    fn from_value(value: &Value) -> Option<Self>;

    /// The field as this type, if the event has a fitting one.
    fn from_field(value: Option<&Value>) -> Option<Self> {
        Self::from_value(value?)
    }

    /// Whether the trace's value is this one. Metrics are compared after every step, so a type
    /// whose value needs memory should compare without making it.
    fn equals(&self, value: &Value) -> bool {
        self.to_value() == *value
    }
}

/// An event as a typed value.
pub trait Event: Sized {
    /// Its name in the trace.
    const NAME: &'static str;
    /// The names of its fields.
    const FIELDS: &'static [&'static str];
    /// The event for people.
    const INFO: EventInfo;

    /// The values of its fields, in order.
    fn values(self) -> Vec<Value>;

    /// The event from fields of the trace; `None` if one is missing or of another kind.
    fn read(fields: &Fields) -> Option<Self>;
}

/// Where a node's metrics go, one call for each, in a fixed order.
pub trait MetricSink {
    /// A metric has this value now.
    fn metric<T: FieldValue>(&mut self, name: &'static str, value: &T);
}

/// The metrics of a kind of node.
pub trait Metrics {
    /// The metrics for people.
    const INFO: &'static [MetricInfo];

    /// Show all of them.
    fn show(&self, sink: &mut impl MetricSink);
}

/// A digest of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest64(pub u64);

/// A field that a program may leave out. Our own nodes always tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Optional<T>(pub Option<T>);

impl<T: FieldValue> FieldValue for Optional<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;

    fn to_value(&self) -> Value {
        self.0.as_ref().expect("nodes of the testbed tell every field").to_value()
    }

    fn from_value(value: &Value) -> Option<Self> {
        Some(Optional(T::from_value(value)))
    }

    fn from_field(value: Option<&Value>) -> Option<Self> {
        Some(Optional(value.and_then(T::from_value)))
    }
}

/// Implements [`FieldValue`] for numbers that the trace keeps as 64 bits with a sign.
macro_rules! numbers {
    ($($number:ty)+) => {$(
        impl FieldValue for $number {
            const KIND: Kind = Kind::Number;

            fn to_value(&self) -> Value {
                Value::Int(*self as i64)
            }

            fn from_value(value: &Value) -> Option<Self> {
                <$number>::try_from(value.int()?).ok()
            }

            fn equals(&self, value: &Value) -> bool {
                matches!(value, Value::Int(old) if *old == *self as i64)
            }
        }
    )+};
}

numbers!(u64 u32 u16 usize i64);

impl FieldValue for bool {
    const KIND: Kind = Kind::Flag;

    fn to_value(&self) -> Value {
        Value::Int(i64::from(*self))
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value.int()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl FieldValue for NodeId {
    const KIND: Kind = Kind::Node;

    fn to_value(&self) -> Value {
        Value::Node(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Node(node) => Some(*node),
            _ => None,
        }
    }
}

impl FieldValue for Option<NodeId> {
    const KIND: Kind = Kind::NodeOrNone;

    fn to_value(&self) -> Value {
        Value::node_or_none(*self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Node(node) => Some(Some(*node)),
            Value::Text(text) if text == "none" => Some(None),
            _ => None,
        }
    }

    fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Some(node), Value::Node(old)) => node == old,
            (None, Value::Text(text)) => text == "none",
            _ => false,
        }
    }
}

impl FieldValue for Digest64 {
    const KIND: Kind = Kind::Hash;

    fn to_value(&self) -> Value {
        Value::Hash(self.0)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Hash(hash) => Some(Digest64(*hash)),
            _ => None,
        }
    }
}

impl FieldValue for Word {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn equals(&self, value: &Value) -> bool {
        matches!(value, Value::Text(text) if text == self)
    }
}

/// A text that many records share.
impl FieldValue for std::rc::Rc<str> {
    const KIND: Kind = Kind::Text;

    fn to_value(&self) -> Value {
        Value::text(self)
    }

    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.as_ref().into()),
            _ => None,
        }
    }

    fn equals(&self, value: &Value) -> bool {
        matches!(value, Value::Text(text) if **text == **self)
    }
}

impl<T> From<T> for Optional<T> {
    fn from(value: T) -> Self {
        Optional(Some(value))
    }
}

/// A doc comment as a summary: its lines joined, without the leading blank.
pub const fn summary(doc: &'static str) -> &'static str {
    doc.trim_ascii()
}

/// Declares an enum whose values are words of the trace:
///
/// ```
/// use seedbed::vocabulary::words;
///
/// words! {
///     /// What a server is in its term.
///     pub enum Role {
///         /// It follows a leader.
///         Follower "follower",
///         /// It leads.
///         Leader "leader",
///     }
/// }
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[doc = $doc:literal])* $variant:ident $word:literal),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        $vis enum $name { $($(#[doc = $doc])* $variant),+ }

        #[allow(dead_code, reason = "not every set of words is used in both directions")]
        impl $name {
            /// All words, in the order of the declaration.
            $vis const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the trace.
            $vis const fn word(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }

            /// The value of a word.
            $vis fn from_word(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)+ _ => None }
            }
        }

        impl $crate::vocabulary::FieldValue for $name {
            const KIND: $crate::vocabulary::Kind =
                $crate::vocabulary::Kind::OneOf($name::WORDS);

            fn to_value(&self) -> $crate::trace::Value {
                $crate::trace::Value::word(self.word())
            }

            fn from_value(value: &$crate::trace::Value) -> Option<Self> {
                match value {
                    $crate::trace::Value::Text(text) => $name::from_word(text),
                    _ => None,
                }
            }

            fn equals(&self, value: &$crate::trace::Value) -> bool {
                matches!(value, $crate::trace::Value::Text(text) if text == self.word())
            }
        }
    };
}

/// Declares the events of a system:
///
/// ```text
/// events! {
///     /// The commit index has advanced.
///     Commit "commit" {
///         /// Up to this entry.
///         index: LogIndex,
///         term: Term,
///     }
/// }
/// ```
///
/// It makes a struct for each, the list `EVENTS`, and the enum `Told`: any of them, decoded.
#[macro_export]
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $event:ident $name:literal {
        $($(#[doc = $about:literal])* $field:ident : $kind:ty),* $(,)?
    })+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Debug, PartialEq, Eq)]
            #[allow(missing_docs, reason = "a field whose name says it all has no text")]
            pub struct $event { $($(#[doc = $about])* pub $field: $kind),* }

            impl $crate::vocabulary::Event for $event {
                const NAME: &'static str = $name;
                const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];
                const INFO: $crate::vocabulary::EventInfo = $crate::vocabulary::EventInfo {
                    name: $name,
                    summary: $crate::vocabulary::summary(concat!($($doc),+)),
                    fields: &[$($crate::vocabulary::FieldInfo {
                        name: stringify!($field),
                        kind: <$kind as $crate::vocabulary::FieldValue>::KIND,
                        optional: <$kind as $crate::vocabulary::FieldValue>::OPTIONAL,
                        summary: $crate::vocabulary::summary(concat!($($about),*)),
                    }),*],
                };

                fn values(self) -> Vec<$crate::trace::Value> {
                    vec![$($crate::vocabulary::FieldValue::to_value(&self.$field)),*]
                }

                #[allow(unused_variables, unused_mut, unused_assignments,
                    reason = "an event without fields reads none")]
                fn read(fields: &$crate::trace::Fields) -> Option<Self> {
                    let mut place = 0;
                    $(
                        let $field = $crate::vocabulary::FieldValue::from_field(
                            fields.at(<Self as $crate::vocabulary::Event>::FIELDS, place),
                        )?;
                        place += 1;
                    )*
                    Some($event { $($field),* })
                }
            }
        )+

        /// The events, for people.
        pub const EVENTS: &[$crate::vocabulary::EventInfo] =
            &[$(<$event as $crate::vocabulary::Event>::INFO),+];

        /// An event, decoded.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the structs have the texts")]
        pub enum Told { $($event($event)),+ }

        #[allow(dead_code, reason = "not every system reads its own events")]
        impl Told {
            /// The event of this name with these fields; `None` if the system knows no such event,
            /// or if a field is missing or of another kind.
            pub fn read(name: &str, fields: &$crate::trace::Fields) -> Option<Told> {
                match name {
                    $($name => <$event as $crate::vocabulary::Event>::read(fields)
                        .map(Told::$event),)+
                    _ => None,
                }
            }
        }
    };
}

/// Declares what a kind of node shows after each step:
///
/// ```text
/// metrics! {
///     /// What a server shows.
///     pub struct ServerMetrics {
///         /// What the server is in its term.
///         role: Role,
///         /// The latest term that it has seen.
///         current_term: u64,
///     }
/// }
/// ```
#[macro_export]
macro_rules! metrics {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[doc = $doc:literal])+ $field:ident : $kind:ty),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis struct $name { $($(#[doc = $doc])+ $vis $field: $kind),+ }

        impl $crate::vocabulary::Metrics for $name {
            const INFO: &'static [$crate::vocabulary::MetricInfo] = &[
                $($crate::vocabulary::MetricInfo {
                    name: stringify!($field),
                    kind: <$kind as $crate::vocabulary::FieldValue>::KIND,
                    summary: $crate::vocabulary::summary(concat!($($doc),+)),
                }),+
            ];

            fn show(&self, sink: &mut impl $crate::vocabulary::MetricSink) {
                $(sink.metric(stringify!($field), &self.$field);)+
            }
        }
    };
}

/// Declares an enum of messages. The name of a message in the trace is that of its variant, and its
/// doc comment is what `list messages` says:
///
/// ```text
/// messages! {
///     /// What servers say to each other.
///     #[derive(Clone, Debug)]
///     pub enum RaftMessage {
///         /// A candidate asks for a vote.
///         RequestVote(RequestVote),
///     }
/// }
/// ```
#[macro_export]
macro_rules! messages {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $(
            $(#[doc = $doc:literal])+
            $(#[serde($($serde:tt)*)])?
            $variant:ident $(($($tuple:tt)*))? $({$($body:tt)*})?
        ),+ $(,)?
    }) => {
        $(#[$meta])*
        $vis enum $name {
            $($(#[doc = $doc])+ $(#[serde($($serde)*)])? $variant $(($($tuple)*))? $({$($body)*})?),+
        }

        impl $name {
            /// The messages, for people.
            $vis const SHOWN: &'static [$crate::vocabulary::Shown] = &[
                $($crate::vocabulary::Shown {
                    name: stringify!($variant),
                    summary: $crate::vocabulary::summary(concat!($($doc),+)),
                }),+
            ];

            /// The name in the trace.
            $vis const fn kind_name(&self) -> &'static str {
                match self { $($name::$variant { .. } => stringify!($variant)),+ }
            }
        }
    };
}

pub use crate::{events, messages, metrics, words};

#[cfg(test)]
mod tests;

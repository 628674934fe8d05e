//! One declaration for the settings of a section: its type, its defaults, its reader, and what the
//! reference says of each key.

use std::any::Any;
use std::fmt::Debug;

use super::reader::Section;
use super::reading::Reading;
use crate::defects::{Catalogue, Planted};

/// The settings of a system: its own section of the scenario.
pub trait Settings: Any + Debug + Send + Sync {
    /// For the downcast in the system itself.
    fn as_any(&self) -> &dyn Any;
}

/// A setting that is one of several words, declared with [`choices!`](crate::choices).
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value with its word, in the order of the reference.
    const ALL: &'static [(Self, &'static str)];
}

/// Declares the settings of a section.
///
/// ```
/// # use std::time::Duration;
/// seedbed::settings! {
///     /// `[toy]`: what a scenario can choose.
///     #[derive(Clone, Debug, PartialEq)]
///     pub struct ToySettings {
///         /// How often a node sends a heartbeat.
///         heartbeat_interval: Duration = duration("50ms", "1ms"..="1h"),
///         /// The most entries in one message.
///         max_entries: usize = integer(16, 1..=10_000),
///         /// Whether reads go to any node.
///         anywhere as "read_anywhere": bool = flag(false),
///     }
/// }
/// assert_eq!(ToySettings::default().max_entries, 16);
/// ```
///
/// This makes the struct, whose fields are public; `read`, which takes the keys from a
/// [`Section`] in the order of the fields; `Default`, which is what `read`
/// makes of an empty section; and the implementation of
/// [`Settings`]. The comment of a field is the text of its key in the
/// reference, so it is one paragraph.
///
/// What follows the `=` is a method of `Section` without its first argument, the key, and its last
/// one, the text. The key is the name of the field unless `as` gives another. An argument can use
/// the fields above it. [`Section::with`](crate::language::Section::with) calls a reader written by
/// hand, and [`Section::fixed`](crate::language::Section::fixed) makes a field that has no key.
#[macro_export]
macro_rules! settings {
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[doc = $text:literal])+
                $field:ident $(as $key:literal)?: $type:ty = $kind:ident($($argument:expr),* $(,)?)
            ),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $( $(#[doc = $text])+ pub $field: $type, )*
        }

        impl $name {
            /// Read the keys of the section.
            $visibility fn read(section: &mut $crate::language::Section<'_>) -> Self {
                $(
                    let $field: $type = section.$kind(
                        $crate::settings!(@key $field $($key)?),
                        $($argument,)*
                        // Each line of a comment begins with a space.
                        concat!($($text),+).trim_ascii_start(),
                    );
                )*
                Self { $($field),* }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $crate::language::Section::of_nothing(Self::read)
            }
        }

        impl $crate::language::Settings for $name {
            fn as_any(&self) -> &dyn ::std::any::Any {
                self
            }
        }
    };
}

/// Declares a setting that is one of several words.
///
/// ```
/// seedbed::choices! {
///     /// How reads are answered.
///     pub enum Reads {
///         /// By the leader, after a majority has confirmed it.
///         Confirmed "confirmed",
///         /// By any node, from what it has applied.
///         Local "local",
///     }
/// }
/// assert_eq!(Reads::Local.word(), "local");
/// ```
#[macro_export]
macro_rules! choices {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $name:ident {
            $( $(#[$text:meta])+ $variant:ident $word:literal ),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $( $(#[$text])+ $variant, )*
        }

        #[allow(dead_code, reason = "not every setting is written to the trace")]
        impl $name {
            /// Its word in scenarios and traces.
            $visibility fn word(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl $crate::language::Choice for $name {
            const ALL: &'static [(Self, &'static str)] = &[$( (Self::$variant, $word) ),*];
        }
    };
}

impl Section<'_> {
    /// What is read where a file has nothing: the defaults.
    pub fn of_nothing<T>(read: impl FnOnce(&mut Section<'_>) -> T) -> T {
        let reading = Reading::default();
        read(&mut Section::new(&reading, None, None, String::new(), String::new()))
    }

    /// One of the words of an enum.
    pub fn choice<T: Choice>(&mut self, key: &'static str, default: T, doc: &'static str) -> T {
        let words: Vec<&'static str> = T::ALL.iter().map(|(_, word)| *word).collect();
        let word_of_default =
            T::ALL.iter().find(|(value, _)| *value == default).map_or("", |(_, word)| word);
        let read = self.word(key, word_of_default, &words, doc);
        T::ALL.iter().find(|(_, word)| *word == read).map_or(default, |(value, _)| *value)
    }

    /// The defects that are planted into a system, by name.
    pub fn planted<D: Catalogue>(&mut self, key: &'static str, doc: &'static str) -> Planted<D> {
        let names: Vec<&'static str> = D::ALL.iter().map(|info| info.name).collect();
        Planted::with(self.words(key, &names, doc).iter().map(String::as_str))
    }

    /// What a function reads, given the key and its text: for lists of tables, and for values that
    /// are stored in another form than they are written.
    pub fn with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Self, &'static str, &'static str) -> T,
        doc: &'static str,
    ) -> T {
        read(self, key, doc)
    }

    /// A value that no key of the section changes.
    pub fn fixed<T>(&mut self, _key: &'static str, value: T, _doc: &'static str) -> T {
        value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::reading::KeyInfo;
    use super::super::section::toml_text;
    use super::super::tree;
    use super::*;
    use crate::error::{Mistake, Source};

    choices! {
        /// Where reads go.
        pub enum Reads {
            /// To the leader.
            Leader "leader",
            /// To any node.
            Anyone "anyone",
        }
    }

    settings! {
        /// The settings of a toy.
        #[derive(Clone, Debug, PartialEq)]
        pub struct ToySettings {
            /// Where reads go: to the leader, or to
            /// any node.
            reads: Reads = choice(Reads::Leader),
            /// How often a node sends a heartbeat.
            heartbeat_interval: Duration = duration("50ms", "1ms"..="10s"),
            /// The most entries in one message.
            max_entries: u8 = integer(16, 1..=200),
            /// Whether candidates ask first.
            pre_vote as "ask_first": bool = flag(true),
            /// How far a value is rounded, thousandths.
            rounding: u64 = with(|section, key, doc| {
                (section.number(key, 0.5, 0.0..=1.0, doc) * 1_000.0) as u64
            }),
            /// Twice the entries.
            buffer: usize = fixed(2 * usize::from(max_entries)),
        }
    }

    /// Reads a text as the settings of the toy: the settings, what is wrong, and the resolved text.
    fn read(text: &str) -> (ToySettings, Vec<Mistake>, String) {
        let source = Arc::new(Source { path: "toy.toml".into(), text: text.into() });
        let table = tree::parse(&source).expect("the text is TOML");
        let reading = Reading::default();
        let mut section = Section::root(&reading, &table);
        let settings = ToySettings::read(&mut section);
        let resolved = toml_text(&section.finish());
        (settings, reading.into_mistakes(), resolved)
    }

    fn only(mistakes: Vec<Mistake>) -> Mistake {
        let [mistake] = <[Mistake; 1]>::try_from(mistakes).expect("one mistake");
        mistake
    }

    #[test]
    fn an_empty_section_gives_the_defaults() {
        let (settings, mistakes, resolved) = read("");
        assert_eq!(settings, ToySettings::default());
        assert_eq!(mistakes, []);
        assert_eq!(settings.reads, Reads::Leader);
        assert_eq!(settings.heartbeat_interval, Duration::from_millis(50));
        assert_eq!((settings.max_entries, settings.buffer), (16, 32));
        assert_eq!((settings.pre_vote, settings.rounding), (true, 500));
        // The field without a key is not among them, and reading the text again changes nothing.
        let all = "reads = \"leader\"\nheartbeat_interval = \"50ms\"\nmax_entries = 16\n\
                   ask_first = true\nrounding = 0.5\n";
        assert_eq!(resolved, all);
        assert_eq!(read(all).0, settings);
    }

    #[test]
    fn every_key_can_be_chosen() {
        let text = "reads = \"anyone\"\nheartbeat_interval = \"1s\"\nmax_entries = 2\n\
                    ask_first = false\nrounding = 0.25\n";
        let (settings, mistakes, resolved) = read(text);
        assert_eq!(mistakes, []);
        assert_eq!(resolved, text);
        let expected = ToySettings {
            reads: Reads::Anyone,
            heartbeat_interval: Duration::from_secs(1),
            max_entries: 2,
            pre_vote: false,
            rounding: 250,
            buffer: 4,
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn a_value_out_of_range_is_shown_at_its_place() {
        let (settings, mistakes, _) = read("max_entries = 1\nheartbeat_interval = \"11s\"\n");
        // The default goes on, so that everything wrong with a file is shown in one go.
        assert_eq!(settings.heartbeat_interval, Duration::from_millis(50));
        let mistake = only(mistakes);
        assert_eq!(mistake.message, "`heartbeat_interval` must be a duration from 1ms to 10s");
        assert_eq!(mistake.hint, "the most is \"10s\"");
        let place = mistake.place.expect("it stands in the file");
        assert_eq!((place.line_and_column(), place.label.as_str()), ((2, 22), "too long"));
    }

    #[test]
    fn a_word_that_is_not_a_choice_names_the_nearest() {
        let mistake = only(read("reads = \"anyon\"").1);
        assert_eq!(mistake.message, "`reads` must be one of leader, anyone");
        assert_eq!(mistake.hint, "did you mean `anyone`?");
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        // The key is `ask_first`; the name of the field is not one.
        assert_eq!(only(read("max_entrys = 3").1).hint, "did you mean `max_entries`?");
        assert_eq!(only(read("ask_frist = true").1).hint, "did you mean `ask_first`?");
        assert_eq!(only(read("pre_vote = true").1).message, "a scenario has no key `pre_vote`");
    }

    #[test]
    fn the_comment_of_a_field_is_its_text_in_the_reference() {
        let reading = Reading::describing();
        ToySettings::read(&mut Section::new(&reading, None, None, "toy".into(), "toy".into()));
        let keys = reading.into_keys();
        let names: Vec<&str> = keys.iter().map(|info| info.key.as_str()).collect();
        assert_eq!(names, ["reads", "heartbeat_interval", "max_entries", "ask_first", "rounding"]);
        let reads = KeyInfo {
            section: "toy".into(),
            key: "reads".into(),
            kind: "word".into(),
            default: Some("\"leader\"".into()),
            range: "one of leader, anyone".into(),
            doc: "Where reads go: to the leader, or to any node.",
        };
        assert_eq!(keys[0], reads);
    }
}

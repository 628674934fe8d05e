//! What a user types: the services, and a few commands that only prepare a scene. Scripts of a
//! scenario are made of the same lines.
//!
//! | line | what happens |
//! |---|---|
//! | `register alice`, `unregister alice`, `connect alice`, `disconnect alice` | as the table says; the user named last acts from then on |
//! | `publish song.txt A description`, `delete song.txt` | in the name of that user |
//! | `list_users`, `list_content bob` | likewise |
//! | `get_file bob song.txt copy.txt` | the file `song.txt` of bob's, to be stored as `copy.txt` |
//! | `wait 2s` | nothing, for this long |
//! | `create song.txt 5000` | a file of this many bytes lies in the peer's shared folder |
//! | `hide diary.txt 5000` | a file lies beside the shared folder, which is nobody else's business |
//! | `send text` | a connection to the directory that says just this, `\0` for a zero byte, and then ends |
//! | `silence 5s` | a connection to the directory that says nothing, for this long |
//!
//! Behind a service, `-> 1` says which status the script expects.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::service::{NAME_BYTES_MAX, Service, good_name};
use crate::error::{excerpt, name_hint};
use crate::scenario::{BadLine, parse_duration};
use crate::trace::Word;

/// A command for a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A service.
    Service {
        /// Which.
        service: Service,
        /// In whose name.
        user: String,
        /// What else was given, in the order of the line.
        arguments: Vec<String>,
    },
    /// A file appears.
    Create {
        /// Its name.
        file: String,
        /// Its length.
        bytes: usize,
        /// Whether it lies beside the shared folder.
        hidden: bool,
    },
    /// A connection to the directory with these bytes.
    Send(#[serde(with = "crate::wire::bytes")] Vec<u8>),
    /// A connection to the directory that says nothing.
    Silence(Duration),
}

impl Command {
    /// Bytes of the line, more or less.
    pub fn size(&self) -> usize {
        match self {
            Command::Service { user, arguments, .. } => {
                12 + user.len() + arguments.iter().map(|each| each.len() + 1).sum::<usize>()
            }
            Command::Create { file, .. } => 16 + file.len(),
            Command::Send(bytes) => 5 + bytes.len(),
            Command::Silence(_) => 12,
        }
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status that the user is shown.
    pub status: u8,
    /// What stands behind it: the lists, the port, the reason.
    pub detail: String,
    /// Whether the status is an answer.
    pub certainty: Certainty,
}

/// What is known of an operation that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// It was answered.
    Answered,
    /// It was not even asked for, for this reason.
    NotAsked(Word),
    /// Nobody knows whether it happened, for this reason.
    Unknown(Word),
}

impl Answer {
    /// A status and nothing else.
    pub fn status(status: u8) -> Answer {
        Answer { status, detail: String::new(), certainty: Certainty::Answered }
    }

    /// A status with what it says.
    pub fn told(status: u8, detail: impl Into<String>) -> Answer {
        Answer { status, detail: detail.into(), certainty: Certainty::Answered }
    }
}

/// A line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptLine {
    /// The line as it stands in the scenario.
    pub text: String,
    /// What it asks.
    pub step: ScriptStep,
    /// The status that it should have.
    pub expected: Option<u8>,
}

/// What a line of a script asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptStep {
    /// Nothing, for this long.
    Wait(Duration),
    /// A service, with the words behind its name; who acts shows when it is run.
    Service(Service, Vec<String>),
    /// A command of the peer's own.
    Local(Command),
}

/// The commands with what they take.
const USAGE: &[(&str, &str)] = &[
    ("register", "register USER"),
    ("unregister", "unregister USER"),
    ("connect", "connect USER"),
    ("disconnect", "disconnect USER"),
    ("publish", "publish FILE DESCRIPTION"),
    ("delete", "delete FILE"),
    ("list_users", "list_users"),
    ("list_content", "list_content USER"),
    ("get_file", "get_file USER FILE LOCAL_FILE"),
    ("wait", "wait 2s, from 0s to 48h"),
    ("create", "create song.txt 5000, from 0 to 16000000 bytes"),
    ("hide", "hide diary.txt 5000, from 0 to 16000000 bytes"),
    ("send", "send TEXT"),
    ("silence", "silence 5s, from 0s to 48h"),
];

/// The most bytes that a file of a script may have.
const FILE_BYTES_MAX: usize = 16_000_000;
/// No script waits longer: no run does.
const WAIT_MAX: Duration = Duration::from_secs(48 * 3_600);

/// Read a line of a script.
pub fn parse(text: &str) -> Result<ScriptLine, BadLine> {
    let (line, expected) = match text.rsplit_once("->") {
        Some((line, status)) => (line.trim(), Some(expected(status.trim())?)),
        None => (text.trim(), None),
    };
    let mut words = line.split_whitespace();
    let name = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let Some((_, usage)) = USAGE.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(name));
    };
    let step = match Service::from_word(name) {
        Some(service) => service_step(service, &words),
        None => local_step(name, line, &words)?,
    };
    let step = step.ok_or_else(|| BadLine {
        message: format!("`{name}` of a script takes something else"),
        label: format!("found `{}`", excerpt(line)),
        hint: format!("it is written as in: {usage}"),
    })?;
    let scene = !matches!(step, ScriptStep::Service(..));
    if scene && expected.is_some() {
        return Err(BadLine {
            message: format!("`{name}` has no status"),
            label: "only services have one".into(),
            hint: format!("leave out what follows `->`: {}", excerpt(line)),
        });
    }
    if let (ScriptStep::Service(service, _), Some(status)) = (&step, expected)
        && status > service.fail()
    {
        return Err(BadLine {
            message: format!("`{name}` has no status {status}"),
            label: "not in its row of the table".into(),
            hint: format!("its statuses are 0 to {}", service.fail()),
        });
    }
    Ok(ScriptLine { text: text.to_owned(), step, expected })
}

fn expected(status: &str) -> Result<u8, BadLine> {
    let digit = status.parse::<u8>().ok().filter(|digit| *digit <= 9 && !status.starts_with('+'));
    digit.ok_or_else(|| BadLine {
        message: "what follows `->` must be a status".into(),
        label: format!("found `{}`", excerpt(status)),
        hint: "a status is one digit from 0 to 4, as in: register alice -> 0".into(),
    })
}

fn unknown(name: &str) -> BadLine {
    let names = USAGE.iter().map(|(name, _)| *name);
    let hint = name_hint(name, "commands", names);
    if name.is_empty() {
        return BadLine {
            message: "a line of a script is empty".into(),
            label: "no command".into(),
            hint,
        };
    }
    BadLine {
        message: format!("scripts have no command `{}`", excerpt(name)),
        label: "unknown command".into(),
        hint,
    }
}

fn service_step(service: Service, words: &[&str]) -> Option<ScriptStep> {
    let fits = match service {
        Service::ListUsers => words.is_empty(),
        Service::Publish => words.len() >= 2,
        Service::GetFile => words.len() == 3,
        _ => words.len() == 1,
    };
    let arguments = match service {
        Service::Publish => vec![words.first()?.to_string(), words.get(1..)?.join(" ")],
        _ => words.iter().map(ToString::to_string).collect(),
    };
    fits.then_some(ScriptStep::Service(service, arguments))
}

/// A step of the peer's own; `None` where the words are too many or too few.
fn local_step(name: &str, line: &str, words: &[&str]) -> Result<Option<ScriptStep>, BadLine> {
    Ok(Some(match (name, words) {
        ("wait", [duration]) => ScriptStep::Wait(length(name, duration)?),
        ("silence", [duration]) => ScriptStep::Local(Command::Silence(length(name, duration)?)),
        ("create" | "hide", [file, bytes]) => {
            let (file, bytes) = (file_name(name, file)?, file_bytes(name, bytes)?);
            ScriptStep::Local(Command::Create { file, bytes, hidden: name == "hide" })
        }
        ("send", [_, ..]) => {
            let text = line.strip_prefix("send").unwrap_or_default().trim_start();
            ScriptStep::Local(Command::Send(text.replace("\\0", "\0").into_bytes()))
        }
        _ => return Ok(None),
    }))
}

fn length(command: &str, written: &str) -> Result<Duration, BadLine> {
    let message = format!("`{command}` takes a duration from 0s to 48h");
    match parse_duration(written) {
        Ok(length) if length <= WAIT_MAX => Ok(length),
        Ok(_) => Err(BadLine { message, label: "too long".into(), hint: "the most is 48h".into() }),
        Err(wrong) => Err(BadLine { message, label: wrong.label, hint: wrong.hint }),
    }
}

fn file_bytes(command: &str, written: &str) -> Result<usize, BadLine> {
    let message = format!("`{command}` takes a length from 0 to {FILE_BYTES_MAX} bytes");
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    match written.parse() {
        Ok(bytes) if digits && bytes <= FILE_BYTES_MAX => Ok(bytes),
        _ if digits => Err(BadLine {
            message,
            label: "too long".into(),
            hint: format!("the most is {FILE_BYTES_MAX}"),
        }),
        _ => Err(BadLine {
            message,
            label: format!("found `{}`", excerpt(written)),
            hint: format!("a whole number without a unit, as in: {command} song.txt 5000"),
        }),
    }
}

fn file_name(command: &str, written: &str) -> Result<String, BadLine> {
    if good_name(written) {
        return Ok(written.to_owned());
    }
    Err(BadLine {
        message: format!("`{}` is not a file name", excerpt(written)),
        label: "not a name".into(),
        hint: format!(
            "at most {NAME_BYTES_MAX} bytes without blanks and slashes, and not ending in `.part`, \
                as in: {command} song.txt 5000"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description is all that follows the file, and the expected status stands behind the arrow.
    #[test]
    fn a_line_is_read_as_it_is_meant() {
        let line = parse("publish song.txt A fine  song -> 3").expect("a good line");
        assert_eq!(
            line.step,
            ScriptStep::Service(Service::Publish, vec!["song.txt".into(), "A fine song".into()])
        );
        assert_eq!(line.expected, Some(3));
        assert_eq!(
            parse("wait 250ms").expect("a good line").step,
            ScriptStep::Wait(Duration::from_millis(250))
        );
        assert_eq!(
            parse(r"send REGISTER\0x").expect("good").step,
            ScriptStep::Local(Command::Send(b"REGISTER\0x".to_vec()))
        );
    }

    /// What is wrong is said before a run begins, with what would be right.
    #[test]
    fn a_bad_line_says_what_would_be_right() {
        let hint = |line: &str| parse(line).expect_err("a bad line").hint;
        assert_eq!(hint("regster alice"), "did you mean `register`?");
        assert_eq!(
            hint("get_file bob song.txt"),
            "it is written as in: get_file USER FILE LOCAL_FILE"
        );
        assert_eq!(
            hint("register alice -> x"),
            "a status is one digit from 0 to 4, as in: register alice -> 0"
        );
        assert_eq!(hint("register alice -> 3"), "its statuses are 0 to 2");
        assert_eq!(hint("wait 2s -> 0"), "leave out what follows `->`: wait 2s");
        assert_eq!(hint("wait"), "it is written as in: wait 2s, from 0s to 48h");
        assert!(
            hint("create song.txt").contains(&FILE_BYTES_MAX.to_string()),
            "the range of the code is that of the hint"
        );
        assert_eq!(hint("wait 49h"), "the most is 48h");
        assert_eq!(hint("create song.txt 16000001"), "the most is 16000000");
    }
}

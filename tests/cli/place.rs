//! Where commands are typed: a folder of its own with scenarios, and what a person sees there.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

pub const SEEDBED: &str = env!("CARGO_BIN_EXE_seedbed");

/// Three nodes that elect a leader and serve two clients for two seconds. Two checks are enough,
/// because the checks are tested elsewhere.
pub const CALM: &str = r#"description = "Three nodes serve two clients, and nothing happens to them."
system = "raft"
seed = 7
duration = "2s"
recovery = "1s"

[nodes]
count = 3

[workload]
clients = 2

[checks]
election_safety = {}
availability = {}
"#;

/// The same cluster without its majority for a while, with a limit on unavailability.
pub const OUTAGE: &str = r#"description = "Two of three nodes are down, and nobody is answered for that long."
system = "raft"
seed = 7
duration = "2s"
recovery = "1s"

[nodes]
count = 3

[[nemesis]]
fault = "kill"
targets = ["n1", "n2"]
at = "1s"
duration = "500ms"

[checks]
election_safety = {}
availability = { gap = "300ms" }
"#;

/// Without clients, nothing can be judged about answers.
pub const SILENCE: &str = r#"description = "No client asks anything."
system = "raft"
seed = 7
duration = "1s"
recovery = "1s"

[nodes]
count = 3

[workload]
clients = 0

[checks]
availability = {}
"#;

/// A separate folder for each test, with `scenarios/calm.toml`. All commands run in it, so that no
/// absolute path is printed.
pub struct Place {
    pub folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().expect("a temporary folder") };
        place.file("scenarios/calm.toml", CALM);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().expect("names have a parent"))
            .expect("writable");
        fs::write(self.path(name), text).expect("writable");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("it was written")
    }

    /// All files below a folder, sorted; `-` if there are none.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.path(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.expect("readable").path();
                found.push(
                    path.strip_prefix(self.folder.path()).expect("below").display().to_string(),
                );
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        found.sort();
        found
    }

    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(SEEDBED);
        command.args(arguments.split_whitespace()).current_dir(self.folder.path());
        command
    }

    pub fn output(&self, arguments: &str) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().expect("the program starts")
    }

    /// A command and its output, as a user would see it.
    pub fn seen(&self, arguments: &str) -> String {
        let output = self.output(arguments);
        let code = output.status.code().map_or("a signal".to_owned(), |code| code.to_string());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is UTF-8");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let err = if err.is_empty() { String::new() } else { format!("--- standard error\n{err}") };
        masked(&format!("$ seedbed {arguments}\n{out}{err}--- exit code {code}\n"))
    }

    pub fn code(&self, arguments: &str) -> i32 {
        self.output(arguments).status.code().expect("an exit code")
    }
}

/// Digests become `DIGEST`, the counts of operations `N`, and times with a fraction `T`.
pub fn masked(text: &str) -> String {
    let mask = |line: &str| {
        let mut line = line.to_owned();
        while let Some(at) = digest_in(&line) {
            line.replace_range(at..at + 32, "DIGEST");
        }
        line = line
            .split(' ')
            .map(|word| if is_fraction(word) { "T" } else { word })
            .collect::<Vec<_>>()
            .join(" ");
        let Some((head, rest)) = line.split_once(" operations (") else { return line };
        let (counts, tail) = rest.split_once(')').expect("the counts stand in parentheses");
        let head = head.trim_end_matches(|c: char| c.is_ascii_digit());
        let counts: Vec<String> = counts
            .split(", ")
            .map(|count| format!("N{}", count.trim_start_matches(|c: char| c.is_ascii_digit())))
            .collect();
        format!("{head}N operations ({}){tail}", counts.join(", "))
    };
    text.split('\n').map(mask).collect::<Vec<_>>().join("\n")
}

pub fn is_fraction(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    word.split_once('.').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction))
}

pub fn digest_in(line: &str) -> Option<usize> {
    let hexadecimal = |byte: &u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
    line.as_bytes().windows(32).position(|window| window.iter().all(hexadecimal))
}

pub fn all(seen: &[String]) -> String {
    seen.join("\n")
}

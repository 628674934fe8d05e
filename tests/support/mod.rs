//! Shared by the tests of programs.

use std::process::{Command, Stdio};

/// Whether an interpreter or compiler is installed. If not, this is printed, and the test passes
/// without it.
pub fn has(command: &str) -> bool {
    let found =
        Command::new(command).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("there is no {command} here: not tested");
    }
    found
}

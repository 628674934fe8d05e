//! What tests of programs share.

use std::process::{Command, Stdio};

/// Whether an interpreter or compiler is here. Where it is not, this says so in the test's output,
/// and the test passes without it.
pub fn has(command: &str) -> bool {
    let found =
        Command::new(command).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let found = found.is_ok_and(|status| status.success());
    if !found {
        println!("there is no {command} here: not tested");
    }
    found
}

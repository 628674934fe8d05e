//! What this machine can keep a program from, and that it is said.

use std::process::Command;

use seedbed::program::sandbox::{self, Confined, Measure};

use crate::measures;
use crate::place::launcher;

/// The machine's measures are those of the table, in its order, and missing required ones are
/// named.
#[test]
fn the_measures_are_known_and_said() {
    let names: Vec<&str> = measures().iter().map(|measure| measure.name.as_str()).collect();
    assert_eq!(names, sandbox::MEASURES.iter().map(|info| info.name).collect::<Vec<_>>());
    assert!(measures().iter().all(|measure| !measure.why.is_empty()));
    for measure in measures().iter().filter(|measure| !measure.in_force) {
        println!("this machine lacks `{}`: {}", measure.name, measure.why);
    }
    let mut without = Confined::by(launcher());
    without.without = vec!["files".to_owned(), "ports".to_owned()];
    assert!(sandbox::lacking(&sandbox::measures(&without)).contains(&"files"));
    let nobody = sandbox::measures(&Confined::by("/no/such/seedbed".into()));
    assert!(
        nobody.iter().all(|measure| !measure.in_force && measure.why.contains("cannot start")),
        "{nobody:?}"
    );
}

/// The doctor reports these measures, and its exit code is the verdict.
#[test]
fn the_doctor_says_what_is_in_force() {
    let doctor = |format: &str| {
        Command::new(launcher()).args(["doctor", "--format", format]).output().expect("it is built")
    };
    let output = doctor("json");
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let said: Vec<Measure> = serde_json::from_value(found["measures"].clone()).expect("measures");
    assert_eq!(said, measures());
    let is_safe = sandbox::lacking(measures()).is_empty();
    assert_eq!(found["is_safe"], is_safe);
    assert_eq!(output.status.code(), Some(if is_safe { 0 } else { 1 }));
    let text = String::from_utf8(doctor("text").stdout).expect("text");
    assert!(
        text.contains(if is_safe { "can be run here" } else { "should not be run here" }),
        "{text}"
    );
}

/// The hidden command is only for the testbed, and says so.
#[test]
fn the_hidden_command_refuses_a_person() {
    let output = Command::new(launcher())
        .args(["enter-sandbox", "please", "--", "true"])
        .output()
        .expect("it is built");
    assert_eq!(output.status.code(), Some(119));
    let says = String::from_utf8(output.stderr).expect("text");
    assert!(says.starts_with("`seedbed enter-sandbox` is for internal use"), "{says}");
    let help = Command::new(launcher()).arg("--help").output().expect("it is built");
    assert!(!String::from_utf8(help.stdout).expect("text").contains("enter-sandbox"));
}

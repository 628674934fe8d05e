//! `grade --defects`: what the items of an assignment are worth.

use std::fs;

use crate::{CRASH, folder, seedbed, shown, write};

/// An instructor can see what an assignment catches before anybody hands in.
#[test]
fn defects_show_what_the_items_are_worth() {
    let text = r#"
[[item]]
name = "one-leader"
scenario = "small/crash.toml"
seeds = "0..1"
checks = ["election_safety", "vote_once"]
points = 2

[[item]]
name = "served"
scenario = "small/crash.toml"
seeds = "0..1"
checks = ["all_operations_answered"]
points = 3
"#;
    let folder = folder(text);
    let scenario = CRASH
        .replace("targets = [\"n1\"]", "targets = \"leader\"")
        .replace("recovery = \"1s\"", "recovery = \"8s\"");
    let checks = "election_safety = {}\nvote_once = {}\nall_operations_answered = {}\n";
    write(
        &folder.path().join("small/crash.toml"),
        &scenario.replace("linearizable = {}\n", checks),
    );
    let output = seedbed(&folder, &["grade", "small.toml", "--defects"]);
    let text = shown(&output);
    assert!(text.starts_with("no defect: not caught\n"), "{text}");
    assert!(text.contains(" defects are caught; see grades/small/defects.md\n"), "{text}");
    assert_eq!(output.status.code(), Some(0), "{text}");
    let table = fs::read_to_string(folder.path().join("grades/small/defects.csv"))
        .expect("the table is there");
    assert!(
        table.starts_with(
            "system,defect,item,lost_seeds,seeds,lost_points,found_by,summary\n\
                ,none,one-leader,0,1,0,,no defect\n"
        ),
        "{table}"
    );
    // An assignment whose items catch nothing gives points for nothing.
    let blind = "[[item]]\nname = \"blind\"\nscenario = \"small/calm.toml\"\nseeds = \
        \"0..1\"\nchecks = [\"no_panic\"]\npoints = 1\n";
    write(&folder.path().join("small.toml"), blind);
    let output = seedbed(&folder, &["grade", "small.toml", "--defects"]);
    assert!(shown(&output).contains("refused: no item catches any defect"), "{}", shown(&output));
    assert_eq!(output.status.code(), Some(1));
}

//! What `replication` refuses of a scenario, as the user sees it.

use seedbed::systems::read_text;

/// The message of each text, under a line with its name.
fn messages(texts: &[(&str, &str)]) -> String {
    let mut shown = String::new();
    for (name, text) in texts {
        let text = format!("system = \"replication\"\n{text}");
        let message = read_text("example", &text, &[], &[]).expect_err(name).to_string();
        shown.push_str(&format!("--- {name}\n{message}\n\n"));
    }
    shown
}

const COORDINATOR: &str = "[[nodes.node]]\nname = \"k\"\nrole = \"coordinator\"\n";

#[test]
fn stores_that_cannot_work() {
    // A store that could never answer anybody would fail every check for no fault of its nodes.
    let servers = "[[nodes.node]]\nname = \"z\"\ncount = 2\nrole = \"zookeeper\"\n";
    insta::assert_snapshot!(messages(&[
        ("no coordinator", "[nodes]\ncount = 3\n"),
        (
            "two coordinators and nobody to keep the view",
            &format!("[nodes]\ncount = 3\n{COORDINATOR}{}", COORDINATOR.replace("\"k\"", "\"l\""))
        ),
        ("no replica", COORDINATOR),
        ("an ensemble of two", &format!("[nodes]\ncount = 3\n{COORDINATOR}{servers}")),
        (
            "more in sync than there are",
            &format!("[nodes]\ncount = 3\n{COORDINATOR}[replication]\nmin_in_sync = 4\n")
        ),
    ]));
}

#[test]
fn words_that_replication_does_not_know() {
    // Each is one letter or one habit away from what is meant.
    let with = |text: &str| format!("[nodes]\ncount = 3\n{COORDINATOR}{text}");
    insta::assert_snapshot!(messages(&[
        ("a mode", &with("[replication]\nmode = \"sync-any\"\n")),
        ("a transfer", &with("[replication]\ntransfer = \"copy\"\n")),
        ("a defect", &with("[replication]\ndefects = [\"split-brian\"]\n")),
        ("an operation", &with("[workload]\nmix = { post = 1.0 }\n")),
        (
            "numbers out of their ranges",
            &with("[replication]\nmin_in_sync = 0\nmax_records = 20000\ncopy_interval = \"2h\"\n")
        ),
        ("a role", &with("[[nodes.node]]\nname = \"x\"\nrole = \"leader\"\n")),
    ]));
}

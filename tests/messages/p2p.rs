//! File sharing: scripts that cannot be read, and scenarios that cannot be run.

use seedbed::systems::read_text;

const NODES: &str = r#"system = "p2p"
[nodes]
count = 2
[[nodes.node]]
name = "dir"
role = "directory"
[[nodes.node]]
name = "date"
role = "date_service"
[[nodes.node]]
name = "log"
role = "logger"
"#;

fn message(text: &str) -> String {
    read_text("example", text, &[], &[]).expect_err("there is a mistake").to_string()
}

#[test]
fn scripts_are_read_before_a_run_begins() {
    // A mistake in a script is shown at its line, with what would be right; all mistakes of a
    // script together.
    let script = r#"
[workload]
clients = 2

[[p2p.script]]
node = "n1"
lines = [
    "regster alice",
    "get_file bob song.txt",
    "register alice -> 3",
    "wait two seconds",
    "create ../song.txt 100",
    "",
    7,
    "wait 49h",
    "wait 5",
    "silence",
    "create song.txt",
    "create song.txt 16000001",
    "hide diary.txt 5kB",
    "hide diary.txt -5",
    "list_users -> 7",
    "list_users -> 10",
]
"#;
    insta::assert_snapshot!(message(&format!("{NODES}{script}")));
}

#[test]
fn each_user_has_a_peer_and_there_is_one_of_each_service() {
    // What cannot be run is refused with what is missing, not found out by a panic in its middle.
    let without = "system = \"p2p\"\n[nodes]\ncount = 3\n";
    let two = format!(
        "{NODES}[[nodes.node]]\nname = \"dir2\"\nrole = \"directory\"\n[workload]\nclients = 2\n"
    );
    let crowd = format!("{NODES}[workload]\nclients = 5\n");
    let nobody = format!(
        "{NODES}[workload]\nclients = 1\n[[p2p.script]]\nnode = \"n2\"\nlines = \
            []\n[[p2p.script]]\nnode = \"dir\"\nlines = []\n"
    );
    let lease = format!(
        "{NODES}[workload]\nclients = 2\n[p2p]\nlease = \"1s\"\nheartbeat_interval = \"2s\"\n"
    );
    let all = [without, &two, &crowd, &nobody, &lease].map(message);
    insta::assert_snapshot!(all.join("\n---\n\n"));
}

//! Well-formed scenarios that `zookeeper` refuses.

use seedbed::systems::read_text;

fn node(name: &str, count: u32, role: &str) -> String {
    format!("\n[[nodes.node]]\nname = \"{name}\"\ncount = {count}\nrole = \"{role}\"\n")
}

#[test]
fn ensembles_and_applications_that_cannot_work() {
    // An even ensemble is a common mistake; an application without its parts would run but show
    // nothing.
    let texts = [
        ("an ensemble of two", node("zk", 2, "server")),
        (
            "sensors without servers",
            node("instance", 3, "instance")
                + &node("balancer", 1, "balancer")
                + &node("web", 2, "web"),
        ),
        ("sensors with no web tier", node("zk", 3, "server") + &node("instance", 3, "instance")),
        (
            "a web tier without a store",
            node("zk", 3, "server") + &node("balancer", 1, "balancer") + &node("web", 5, "web"),
        ),
        ("two stores", node("zk", 3, "server") + &node("store", 2, "store")),
        (
            "a balancer without replicas",
            node("zk", 3, "server") + &node("balancer", 1, "balancer") + &node("store", 1, "store"),
        ),
        ("an ensemble of nine", node("zk", 9, "server")),
        (
            "limits that the default does not fit",
            node("zk", 3, "server") + "\n[zookeeper]\nsession_ticks_min = 15\n",
        ),
        (
            "numbers out of their ranges",
            node("zk", 3, "server")
                + "\n[zookeeper]\nperiod = \"2h\"\nband = [-1, 5]\nsync_limit = 0\n",
        ),
        (
            "a session that no server grants",
            node("zk", 3, "server") + "\n[zookeeper]\ntick = \"2s\"\nsession_timeout = \"1s\"\n",
        ),
    ];
    let mut shown = String::new();
    for (name, text) in texts {
        let error = read_text("example", &format!("system = \"zookeeper\"\n{text}"), &[], &[])
            .expect_err(name);
        shown.push_str(&format!("--- {name}\n{error}\n\n"));
    }
    insta::assert_snapshot!(shown);
}

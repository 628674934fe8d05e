//! Every message that a mistake in a scenario gets, as the user sees it. One snapshot for each
//! theme: they are meant to be read.

use seedbed::error::MISTAKES_SHOWN_MAX;
use seedbed::systems::read_text_with;

use crate::toy::SYSTEMS;

/// The message of each text, under a line with its name. A text begins with the system unless it
/// says `!`.
fn messages(texts: &[(&str, &str)]) -> String {
    let mut shown = String::new();
    for (name, text) in texts {
        let text = match text.strip_prefix('!') {
            Some(whole) => whole.to_string(),
            None => format!("system = \"toy\"\n{}", text.trim_start_matches('\n')),
        };
        let message = match read_text_with(SYSTEMS, "example", &text, &[], &[]) {
            Ok(_) => "NO MISTAKE FOUND".to_string(),
            Err(error) => error.to_string(),
        };
        shown.push_str(&format!("--- {name}\n{message}\n\n"));
    }
    assert!(!shown.contains("NO MISTAKE FOUND"), "{shown}");
    shown
}

/// A name, what `--set` says, what `--defect` says.
type Options<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

/// The same with overrides and defects of the command line.
fn with_options(texts: &[Options<'_>]) -> String {
    let mut shown = String::new();
    for (name, overrides, defects) in texts {
        let overrides: Vec<(String, String)> =
            overrides.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let defects: Vec<String> = defects.iter().map(ToString::to_string).collect();
        let text =
            "system = \"toy\"\n\n[[nemesis]]\nname = \"cut\"\nfault = \"partition\"\nat = \"5s\"\n";
        let message = read_text_with(SYSTEMS, "example", text, &overrides, &defects)
            .expect_err(name)
            .to_string();
        shown.push_str(&format!("--- {name}\n{message}\n\n"));
    }
    shown
}

#[test]
fn files_that_are_no_scenario() {
    // The first thing that a person gets wrong is the file itself.
    insta::assert_snapshot!(messages(&[
        ("empty", "!"),
        ("only comments", "!# nothing\n\n"),
        ("another TOML", "![package]\nname = \"seedbed\"\nversion = \"0.1.0\"\n"),
        ("an assignment", "!title = \"Elect\"\n[[item]]\nname = \"starts\"\npoints = 1\n"),
        ("no TOML", "!{\"system\": \"toy\"}"),
        ("a text without quotation marks", "duration = 30s\nrecovery = \"10s\""),
        ("a key without a value", "seed =\n"),
        ("a key twice", "seed = 1\nseed = 2"),
        (
            "a header in the wrong brackets",
            "[[nemesis]]\nfault = \"kill\"\nat = \"1s\"\n[nemesis]\nfault = \"pause\""
        ),
        ("unclosed", "[nodes\ncount = 5"),
        ("another encoding", "description = \"\u{fffd}\"\nx = \u{1}"),
        ("the system's name", "!system = \"toi\"\n[toi]\nx = 1"),
        ("the system's type", "!system = 7\n[nodes]\ncount = 3"),
        ("deeper than any scenario", &format!("x = {}1{}", "[".repeat(200), "]".repeat(200))),
    ]));
}

#[test]
fn unknown_keys() {
    // The hint is the nearest key of the section, or the section that the key belongs to.
    insta::assert_snapshot!(messages(&[
        ("a letter missing", "[nodes]\ncont = 3"),
        ("of another section", "[nodes]\ncount = 3\nclients = 4"),
        ("below a header by mistake", "[nodes]\ncount = 3\nseed = 42"),
        ("another section's name", "[nodse]\ncount = 3"),
        ("nothing near", "[disk]\nquux = 1"),
        ("of the system", "[toy]\nheartbeat = \"50ms\"\nelection_timeouts = \"1s\""),
        ("of a fault", "[[nemesis]]\nfault = \"slow\"\nat = \"1s\"\nfaktor = 3\nppm = 5"),
        ("a word of another tool", "[[nemesis]]\nfault = \"clock_bump\"\nat = \"1s\"\nby_ms = 500"),
        (
            "the parameter of another fault",
            "[[nemesis]]\nfault = \"kill\"\nat = \"1s\"\nfactor = 3"
        ),
        ("a check", "[checks]\nlinearisable = {}\nconvergence = {}"),
        ("an operation", "[workload]\nmix = { read = 1, wirte = 2 }"),
        (
            "all at once",
            "sed = 1\n[nodes]\ncuont = 5\n[network]\nlos = 0.1\n[workload]\nclient = 2"
        ),
    ]));
}

#[test]
fn values_of_the_wrong_kind() {
    // What was found, what was expected, and how it is written.
    insta::assert_snapshot!(messages(&[
        ("a share in percent", "[network]\nloss = \"5%\""),
        ("a duration without a unit", "duration = 30"),
        ("a duration without a unit, as a text", "duration = \"150\""),
        ("a unit that there is not", "duration = \"150mss\""),
        ("minutes", "duration = \"2m\""),
        ("words", "duration = \"long\""),
        ("negative", "duration = \"-5s\""),
        ("too long", "duration = \"1000h\""),
        ("too short", "[toy]\nheartbeat_interval = \"0s\""),
        ("finer than time", "[workload]\nstart = \"0.5ns\""),
        ("a text for a number", "[nodes]\ncount = \"five\""),
        ("a fraction for an integer", "[nodes]\ncount = 2.5"),
        ("too many", "[nodes]\ncount = 5000"),
        ("negative count", "[workload]\nclients = -1"),
        ("an enormous integer", "seed = 123456789012345678901234567890"),
        ("a percentage", "[network]\nloss = 5"),
        ("a probability over 1", "[network]\nduplicate = 1.5"),
        ("not a number", "[network]\nloss = nan"),
        ("a text for a flag", "[toy]\npre_vote = \"true\""),
        ("an unknown word", "[toy]\nreads = \"leases\""),
        ("a word for a list", "[toy]\ndefects = \"vote-not-persisted\""),
        ("an unknown defect", "[toy]\ndefects = [\"vote-not-persistent\"]"),
        ("a defect twice", "[toy]\ndefects = [\"vote-not-persisted\", \"vote-not-persisted\"]"),
        ("a range of three", "[toy]\nelection_timeout = [\"1s\", \"2s\", \"3s\"]"),
        ("a range upside down", "[toy]\nelection_timeout = [\"300ms\", \"150ms\"]"),
        ("a table for a value", "[seed]\nvalue = 1"),
        ("a value for a table", "nodes = 5"),
        ("a table for a list of tables", "[nemesis]\nfault = \"kill\""),
        ("a list of tables for a table", "[[nodes]]\ncount = 3"),
        ("a number in quotation marks", "[nodes]\ncount = \"5\""),
        ("a whole number with a point", "[nodes]\ncount = 5.0"),
        ("a probability in quotation marks", "[network]\nloss = \"0.5\""),
        ("a probability below 0", "[network]\nloss = -0.1"),
        ("no limit in other words", "[network]\nbandwidth = \"none\""),
        ("a clock of another century", "[nodes]\nclock_offset = \"900000h\""),
        ("a number for a word", "[toy]\nreads = 1"),
        ("a number among words", "[toy]\ndefects = [1]"),
        ("a date", "description = 2026-01-01"),
        ("an offset without a unit", "[nodes]\nclock_offset = [-200, 200]"),
        ("a signed duration in words", "[nodes]\nclock_offset = \"fast\""),
    ]));
}

#[test]
fn distributions() {
    // Each distribution has its own parameters.
    insta::assert_snapshot!(messages(&[
        ("no dist", "[network]\nlatency = { median = \"5ms\" }"),
        (
            "unknown",
            "[network]\nlatency = { dist = \"log-normal\", median = \"5ms\", p99 = \"9ms\" }"
        ),
        ("gaussian", "[network]\nlatency = { dist = \"zipf\" }"),
        ("a parameter missing", "[network]\nlatency = { dist = \"lognormal\", median = \"5ms\" }"),
        (
            "a parameter of another",
            "[network]\nlatency = \
                { dist = \"uniform\", min = \"1ms\", max = \"2ms\", p99 = \"5ms\" }"
        ),
        (
            "upside down",
            "[network]\nlatency = { dist = \"uniform\", min = \"3ms\", max = \"2ms\" }"
        ),
        (
            "no tail",
            "[network]\nlatency = { dist = \"lognormal\", median = \"5ms\", p99 = \"5ms\" }"
        ),
        ("a number", "[disk]\nsync_latency = 5"),
    ]));
}

#[test]
fn names() {
    // Nodes, groups, clients and roles, where they are made and where they are used.
    insta::assert_snapshot!(messages(&[
        ("no nodes", "[nodes]\ncount = 0"),
        ("a node without a name", "[[nodes.node]]\nrole = \"peer\""),
        ("a name that is none", "[[nodes.node]]\nname = \"node 1\""),
        ("a name with a meaning", "[[nodes.node]]\nname = \"leader\""),
        ("a client's name", "[[nodes.node]]\nname = \"c1\""),
        ("twice", "[[nodes.node]]\nname = \"a\"\n[[nodes.node]]\nname = \"a\""),
        ("an unknown role", "[[nodes.node]]\nname = \"a\"\nrole = \"wittness\""),
        (
            "an unknown node in a group",
            "[nodes]\ncount = 3\n[nodes.groups]\neast = [\"n1\", \"n4\"]"
        ),
        ("an empty group", "[nodes.groups]\neast = []"),
        ("a group named like a node", "[nodes.groups]\nn2 = [\"n1\"]"),
        (
            "an unknown node in a link",
            "[nodes]\ncount = 3\n[[network.link]]\nsrc = \"n4\"\ndest = [\"n1\", \"n1\"]"
        ),
        ("an unknown node to pin to", "[workload]\npin = [\"n1\", \"m2\"]"),
        (
            "an unknown message",
            "[[nemesis]]\nfault = \"drop\"\nmessage = \"AppendEntry\"\nat = \"1s\""
        ),
        ("an unknown fault", "[[nemesis]]\nfault = \"partitoin\"\nat = \"1s\""),
        ("another tool's fault", "[[nemesis]]\nfault = \"crash\"\nat = \"1s\""),
        (
            "an unknown metric",
            "[[nemesis]]\nfault = \"kill\"\nwhen = { metric = \"curent_term\", at_least = 3 }"
        ),
        ("an unknown event", "[[nemesis]]\nfault = \"kill\"\nwhen = { event = \"elected\" }"),
        (
            "an unknown message in a condition",
            "[[nemesis]]\nfault = \"kill\"\nwhen = { message = \"Vote\" }"
        ),
        (
            "an unknown entry among several",
            "[[nemesis]]\nfault = \"pause\"\nat = \"1s\"\n[[nemesis]]\nfault = \"kill\"\nafter = \
                \"cut\""
        ),
        (
            "an entry by a slip",
            "[[nemesis]]\nfault = \"pause\"\nat = \"1s\"\n[[nemesis]]\nfault = \"kill\"\nafter = \
                \"pause1\""
        ),
        (
            "an entry by its position",
            "[[nemesis]]\nfault = \"pause\"\nat = \"1s\"\n[[nemesis]]\nfault = \"kill\"\nafter = 1"
        ),
        (
            "an unknown fault among others",
            "[[nemesis]]\nfault = \"random\"\namong = [\"kill\", \"qqqq\"]\nat = \"1s\""
        ),
        (
            "a node that is refused and named again",
            "[[nodes.node]]\nname = \"node 1\"\n[nodes.groups]\neast = [\"node 1\"]"
        ),
        ("an unknown entry", "[[nemesis]]\nfault = \"kill\"\nafter = \"partition-2\""),
        ("an unknown target", "[[nemesis]]\nfault = \"kill\"\ntargets = \"leeder\"\nat = \"1s\""),
        (
            "an unknown node in targets",
            "[nodes]\ncount = 3\n[[nemesis]]\nfault = \"kill\"\ntargets = [\"n1\", \"n7\"]\nat = \
                \"1s\""
        ),
        (
            "a list of nodes in single brackets",
            "[nodes.node]\nname = \"a\"\n[[nemesis]]\nfault = \"kill\"\ntargets = 3\nat = \"1s\""
        ),
        (
            "an unknown role in targets",
            "[[nemesis]]\nfault = \"kill\"\ntargets = { role = \"pear\" }\nat = \"1s\""
        ),
    ]));
}

#[test]
fn targets_that_there_can_never_be() {
    // A fault that hits nobody tests nothing, and would pass in silence.
    insta::assert_snapshot!(messages(&[
        (
            "more than there are",
            "[nodes]\ncount = 3\n[[nemesis]]\nfault = \"kill\"\ntargets = 4\nat = \"1s\""
        ),
        ("none", "[[nemesis]]\nfault = \"kill\"\ntargets = 0\nat = \"1s\""),
        ("an empty list", "[[nemesis]]\nfault = \"kill\"\ntargets = []\nat = \"1s\""),
        (
            "a role that nobody has",
            "[[nemesis]]\nfault = \"kill\"\ntargets = { role = \"witness\" }\nat = \"1s\""
        ),
        (
            "followers of nobody",
            "[nodes]\ncount = 1\n[[nemesis]]\nfault = \"kill\"\ntargets = \"followers\"\nat = \
                \"1s\""
        ),
        (
            "a client's process",
            "[[nemesis]]\nfault = \"kill\"\ntargets = [\"n1\", \"c1\"]\nat = \"1s\""
        ),
        (
            "a bridge of two",
            "[nodes]\ncount = 2\n[[nemesis]]\nfault = \"partition\"\nshape = \"bridge\"\nat = \
                \"1s\""
        ),
        (
            "halves with targets",
            "[[nemesis]]\nfault = \"partition\"\nshape = \"halves\"\ntargets = \"leader\"\nat = \
                \"1s\""
        ),
        (
            "groups without groups",
            "[[nemesis]]\nfault = \"partition\"\nshape = \"groups\"\nat = \"1s\""
        ),
        (
            "two groups with one node",
            "[[nemesis]]\nfault = \"partition\"\ngroups = [[\"n1\", \"n2\"], [\"n2\", \"n3\"]]\nat \
                = \"1s\""
        ),
        (
            "two lists of nodes",
            "[[nemesis]]\nfault = \"partition\"\ngroups = [[\"n1\"], [\"n2\"]]\nbetween = \
                [\"n3\"]\nat = \"1s\""
        ),
        (
            "a shape with the wrong list",
            "[[nemesis]]\nfault = \"partition\"\nshape = \"one\"\nbetween = [\"n1\"]\nat = \"1s\""
        ),
        ("a list without its elements", "[[nemesis]]\nfault = \"random\"\nat = \"1s\""),
        (
            "a composed fault in a list",
            "[[nemesis]]\nfault = \"random\"\namong = [\"kill\", \"swarm\", 3, {}]\nat = \"1s\""
        ),
        (
            "targets of messages that are named",
            "[[nemesis]]\nfault = \"drop\"\nsrc = \"n1\"\ntargets = \"leader\"\nat = \"1s\""
        ),
    ]));
}

#[test]
fn times_and_contradictions() {
    // Entries that never begin, begin too late or in two ways.
    insta::assert_snapshot!(messages(&[
        ("never", "[[nemesis]]\nfault = \"kill\""),
        ("no fault", "[[nemesis]]\nat = \"1s\""),
        ("in two ways", "[[nemesis]]\nfault = \"kill\"\nat = \"1s\"\nevery = \"2s\""),
        ("too late", "duration = \"10s\"\n[[nemesis]]\nfault = \"kill\"\nat = \"12s\""),
        (
            "perhaps too late",
            "duration = \"10s\"\n[[nemesis]]\nfault = \"kill\"\nat = [\"5s\", \"12s\"]"
        ),
        ("too rarely", "duration = \"10s\"\n[[nemesis]]\nfault = \"kill\"\nevery = \"20s\""),
        (
            "beyond the end",
            "duration = \"10s\"\n[[nemesis]]\nfault = \"kill\"\nat = \"8s\"\nduration = \"5s\""
        ),
        (
            "longer than the run",
            "duration = \"10s\"\n[[nemesis]]\nfault = \"kill\"\nevery = \"5s\"\nduration = \"1min\""
        ),
        (
            "a duration of what has none",
            "[[nemesis]]\nfault = \"restart\"\nat = \"1s\"\nduration = \"2s\""
        ),
        (
            "a duration of a moment",
            "[[nemesis]]\nfault = \"bitflip\"\nat = \"1s\"\nduration = \"2s\""
        ),
        ("repeat without an interval", "[[nemesis]]\nfault = \"kill\"\nat = \"1s\"\nrepeat = 3"),
        ("delay without a reason", "[[nemesis]]\nfault = \"kill\"\nat = \"1s\"\ndelay = \"1s\""),
        ("after itself", "[[nemesis]]\nfault = \"kill\"\nafter = \"kill-1\""),
        (
            "in a circle",
            "[[nemesis]]\nname = \"a\"\nfault = \"kill\"\nafter = \"b\"\n[[nemesis]]\nname = \
                \"b\"\nfault = \"kill\"\nafter = \"a\"",
        ),
        (
            "two of a name",
            "[[nemesis]]\nname = \"a\"\nfault = \"kill\"\nat = \"1s\"\n[[nemesis]]\nname = \
                \"a\"\nfault = \"pause\"\nat = \"2s\""
        ),
        ("a condition in a word", "[[nemesis]]\nfault = \"kill\"\nwhen = \"now\""),
        ("a condition on nothing", "[[nemesis]]\nfault = \"kill\"\nwhen = {}"),
        (
            "a condition without a bound",
            "[[nemesis]]\nfault = \"kill\"\nwhen = { metric = \"current_term\" }"
        ),
        (
            "a condition that never holds",
            "[[nemesis]]\nfault = \"kill\"\nwhen = \
                { metric = \"current_term\", at_least = 3, at_most = 2 }"
        ),
        (
            "a condition on two things",
            "[[nemesis]]\nfault = \"kill\"\nwhen = \
                { metric = \"role\", event = \"vote\", equals = \"leader\" }"
        ),
        (
            "the probability of what?",
            "[[nemesis]]\nfault = \"loss\"\nat = \"1s\"\nprobability = 0.3"
        ),
        ("open and closed loop", "[workload]\nrate = 20.0\nthink_time = \"10ms\""),
        ("a load that begins after its end", "duration = \"5s\"\n[workload]\nstart = \"6s\""),
        ("a load of nothing", "[workload]\nmix = { read = 0 }"),
        ("time-outs upside down", "[network.stream]\nrto = \"20s\""),
        (
            "parameters of a check",
            "[checks]\navailability = { min = 90, within = 5, mim = 1 }\nlinearizable = true"
        ),
    ]));
}

#[test]
fn timelines_that_leave_the_fault_model() {
    // Which entry leaves it, when, and how to declare it.
    let model = "duration = \"30s\"\n[nodes]\ncount = 5\n[model]\n";
    let texts = [
        (
            "too many at once",
            "max_faulty = 2\n[[nemesis]]\nfault = \"kill\"\ntargets = \"majority\"\nevery = \
                \"5s\"\nduration = \"1s\"",
        ),
        (
            "an overlap",
            "max_faulty = 2\n[[nemesis]]\nfault = \"kill\"\ntargets = [\"n1\", \"n2\"]\nat = \
                \"5s\"\nduration = \"4s\"\n[[nemesis]]\nname = \"cut\"\nfault = \
             \"partition\"\ntargets = [\"n3\"]\nat = \"7s\"\nduration = \"4s\"",
        ),
        (
            "an even split",
            "max_faulty = 1\n[[nemesis]]\nfault = \"partition\"\nshape = \"halves\"\nat = \"5s\"",
        ),
        (
            "a drift of the nodes",
            "max_drift_ppm = 100\n[nodes.groups]\na = [\"n1\"]\n[[nodes.node]]\nname = \
                \"n2\"\ndrift_ppm = [-200, 50]",
        ),
        (
            "a drift of a fault",
            "max_drift_ppm = 100\n[[nemesis]]\nfault = \"random\"\namong = [\"kill\", \
                { fault = \"clock_drift\", ppm = -500 }]\nat = \"1s\"",
        ),
        (
            "an offset of the nodes",
            "max_clock_offset = \"100ms\"\n[[nodes.node]]\nname = \"n1\"\nclock_offset = \
                \"-200ms\"",
        ),
        (
            "steps that add up",
            "max_clock_offset = \"1s\"\n[[nemesis]]\nfault = \"clock_bump\"\nby = [\"-300ms\", \
                \"100ms\"]\nevery = [\"5s\", \"6s\"]",
        ),
        (
            "a slow network",
            "max_latency = \"10ms\"\n[network]\nlatency = \
                { dist = \"lognormal\", median = \"5ms\", p99 = \"9ms\" }",
        ),
        (
            "a slow fault",
            "max_latency = \"100ms\"\n[[nemesis]]\nfault = \"delay\"\nby = \"200ms\"\nat = \
                \"1s\"\nduration = \"1s\"",
        ),
        ("a damaged disk", "durable_disks = true\n[[nemesis]]\nfault = \"wipe\"\nat = \"1s\""),
    ];
    let texts: Vec<(&str, String)> =
        texts.iter().map(|(name, text)| (*name, format!("{model}{text}"))).collect();
    let texts: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    insta::assert_snapshot!(messages(&texts));
}

#[test]
fn what_says_that_it_leaves_the_model_may_leave_it() {
    // `beyond_model` is the author's word that it is meant.
    let text = "system = \"toy\"\n[model]\nmax_faulty = 1\nbeyond_model = true\n[[nemesis]]\nfault \
        = \"kill\"\ntargets = \"all\"\nat = \"5s\"";
    assert!(read_text_with(SYSTEMS, "example", text, &[], &[]).is_ok());
    let text = text.replace("beyond_model = true", "");
    assert!(read_text_with(SYSTEMS, "example", &text, &[], &[]).is_err());
}

#[test]
fn words_that_never_come_and_nodes_that_the_system_refuses() {
    // A condition on a word that no node ever shows would wait for ever, and a cluster that cannot
    // work would fail for no fault of its own.
    let when = |condition: &str| {
        format!("[[nemesis]]\nfault = \"kill\"\nwhen = {{ metric = \"role\", {condition} }}")
    };
    let witness = "[[nodes.node]]\nname = \"w\"\nrole = \"witness\"\n";
    insta::assert_snapshot!(messages(&[
        ("an unknown word", &when("equals = \"leder\"")),
        ("bounds of a word", &when("at_least = 3, at_most = 4")),
        (
            "a system's own complaints, each at the nearest place",
            &format!("{witness}[toy]\nbatch = 3")
        ),
        (
            "nodes with a count and one of them again",
            "[[nodes.node]]\nname = \"p\"\ncount = 3\n[[nodes.node]]\nname = \"p2\""
        ),
        ("a count of clients' names", "[[nodes.node]]\nname = \"c\"\ncount = 3"),
        ("a count of none", "[[nodes.node]]\nname = \"p\"\ncount = 0"),
        (
            "too many nodes together",
            "[nodes]\ncount = 600\n[[nodes.node]]\nname = \"p\"\ncount = 600"
        ),
    ]));
}

#[test]
fn commands_that_no_node_understands() {
    // A node leaves alone what it does not understand, so that a misspelt command would look like
    // one without effect.
    let command = |text: &str| {
        format!(
            "[[nemesis]]\nfault = \"command\"\nat = \"1s\"\ntargets = \"n1\"\ncommand = \"{text}\""
        )
    };
    insta::assert_snapshot!(messages(&[
        ("nothing asked for", "[[nemesis]]\nfault = \"command\"\nat = \"1s\"\ntargets = \"n1\""),
        ("an unknown command", &command("transfer_leadreship n2")),
        ("a command without its node", &command("add_node")),
        ("a command with too much", &command("add_node n2 n3")),
        ("an unknown node", &command("add_node n9")),
        ("a node twice", &command("change n1,n2,n1")),
    ]));
}

#[test]
fn overrides() {
    // The place of a mistake in `--set` is the text of the command line.
    insta::assert_snapshot!(with_options(&[
        ("an unknown key", &[("workload.clint", "3")], &[]),
        ("a wrong value", &[("workload.clients", "many")], &[]),
        ("a wrong unit", &[("duration", "30")], &[]),
        ("no TOML", &[("workload.mix", "{ read = ")], &[]),
        ("below a value", &[("system.x", "1")], &[]),
        ("no such entry", &[("nemesis.2.at", "3s")], &[]),
        ("no such entry by name", &[("nemesis.cot.at", "3s")], &[]),
        ("an entry without a key", &[("nemesis.1", "3s")], &[]),
        ("an empty key", &[("", "3s")], &[]),
        ("an empty step", &[("workload..rate", "3")], &[]),
        ("no value", &[("nodes.count", "")], &[]),
        ("a word for a list of entries", &[("nemesis", "kill")], &[]),
        ("a number for a section", &[("nodes", "3")], &[]),
        (
            "nobody is left, and only that is said",
            &[("nodes.count", "0"), ("nemesis.cut.targets", "[\"n1\"]")],
            &[]
        ),
        (
            "a name that an override took away",
            &[("nodes.count", "2"), ("nemesis.cut.targets", "[\"n1\", \"n4\"]")],
            &[]
        ),
        ("two at once", &[("duration", "x"), ("seed", "y")], &[]),
        ("a defect", &[], &["vote-not-persistet"]),
    ]));
}

#[test]
fn only_so_many_mistakes_are_shown() {
    // A file of another kind has thousands; the first twenty and the number of the others are
    // enough.
    let text: String = std::iter::once("system = \"toy\"\n".to_string())
        .chain((0..300).map(|i| format!("key{i} = {i}\n")))
        .collect();
    let message =
        read_text_with(SYSTEMS, "example", &text, &[], &[]).expect_err("unknown keys").to_string();
    assert_eq!(message.matches("error: ").count(), MISTAKES_SHOWN_MAX);
    assert!(
        message.ends_with("note: 280 more mistakes are not shown; fix these first"),
        "{message}"
    );
}

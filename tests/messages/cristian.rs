//! What the system of clocks and books refuses, in its own words.

use seedbed::systems::read_text_with;

#[test]
fn clocks_and_books_that_cannot_be() {
    let nodes = "!system = \"cristian\"\n[[nodes.node]]\nname = \"s\"\ncount = \
        2\n[[nodes.node]]\nname = \"queue\"\nrole = \"queue_server\"\n";
    let time = "[[nodes.node]]\nname = \"time\"\nrole = \"time_server\"\n";
    let with = |rest: &str| format!("{nodes}{time}{rest}");
    let utc = "[[nodes.node]]\nname = \"utc\"\nrole = \"utc_source\"\n";
    let texts = [
        ("no time server", nodes.to_owned()),
        ("two time servers", with("[[nodes.node]]\nname = \"time2\"\nrole = \"time_server\"\n")),
        ("no books", with("[cristian]\nbooks = 0\n")),
        ("a TM of zero", with("[cristian]\ninterval = \"0s\"\n")),
        ("a time-out beyond TM", with("[cristian]\ninterval = \"1s\"\nprobe_timeout = \"2s\"\n")),
        ("an unknown algorithm", with("[cristian]\nalgorithm = \"christian\"\n")),
        (
            "an unknown discipline",
            with("[[cristian.server]]\nname = \"s1\"\ndiscipline = \"slow\"\n"),
        ),
        (
            "a server that is none",
            with("[[cristian.server]]\nname = \"time\"\nalgorithm = \"ntp\"\n"),
        ),
        (
            "a server that there is not",
            with("[[cristian.server]]\nname = \"s3\"\nalgorithm = \"ntp\"\n"),
        ),
        (
            "users without a queue",
            format!("!system = \"cristian\"\n[[nodes.node]]\nname = \"s1\"\n{time}"),
        ),
        ("a wrong UTC source", format!("{}clock_offset = \"1s\"\n", with(utc))),
        (
            "a least delay that is not",
            with("[cristian]\nmin_delay = \"2ms\"\n[network]\nlatency = [\"1ms\", \"5ms\"]\n"),
        ),
        (
            "drift beyond the bound",
            with(
                "[cristian]\ndrift_bound_ppm = 10\n[[nodes.node]]\nname = \"s3\"\ndrift_ppm = 50\n",
            ),
        ),
        (
            "a command that no machine knows",
            with(
                "[[nemesis]]\nfault = \"command\"\ncommand = \"hour_back\"\ntargets = [\"s1\"]\nat \
                    = \"1s\"\n",
            ),
        ),
    ];
    let texts: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut shown = String::new();
    for (name, text) in &texts {
        let text = text.trim_start_matches('!');
        let message = read_text_with(seedbed::systems::SYSTEMS, "example", text, &[], &[])
            .err()
            .map_or("NO MISTAKE FOUND".into(), |e| e.to_string());
        shown.push_str(&format!("--- {name}\n{message}\n\n"));
    }
    assert!(!shown.contains("NO MISTAKE FOUND"), "{shown}");
    insta::assert_snapshot!(shown);
}

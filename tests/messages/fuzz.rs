//! Whatever the text, the reader answers: no panic, and no memory without a bound.

use proptest::prelude::*;
use seedbed::systems::read_text_with;

use crate::good::EXAMPLE;
use crate::toy::SYSTEMS;

/// Pieces that are more likely than letters to lead the reader astray.
const PIECES: &[&str] = &[
    "\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    "\n",
    ",",
    ".",
    "-",
    "#",
    "nan",
    "inf",
    "1e999",
    "-1",
    "0",
    "\"5s\"",
    "\"\"",
    "true",
    "[[nemesis]]",
    "[nodes]",
    "fault",
    "targets",
    "at",
    "among",
    "when",
    "\u{0}",
    "\u{feff}",
    "é",
    "𝄞",
    "'''",
    "\"\"\"",
    "99999999999999999999999",
];

fn read(text: &str) {
    match read_text_with(SYSTEMS, "fuzz", text, &[], &[]) {
        Ok(scenario) => {
            let again = read_text_with(SYSTEMS, "fuzz", &scenario.resolved, &[], &[]);
            let again = again.unwrap_or_else(|error| {
                panic!("the resolved text is refused:\n{error}\n{}", scenario.resolved)
            });
            assert_eq!(format!("{scenario:?}"), format!("{again:?}"), "{}", scenario.resolved);
        }
        Err(error) => {
            let message = error.to_string();
            assert!(!message.is_empty() && message.len() < 200_000, "{} bytes", message.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_text_is_answered(text in "\\PC{0,300}") {
        // Most of it is not TOML, and the places of its mistakes lie anywhere, in the middle of
        // characters too.
        read(&text);
    }

    #[test]
    fn a_scenario_with_pieces_put_in_is_answered(
        edits in prop::collection::vec((0..4000_usize, 0..PIECES.len(), 0..12_usize), 1..6),
    ) {
        // Close to right is where the reader goes deepest. What is accepted must mean the same once
        // it is resolved.
        let mut text = EXAMPLE.to_string();
        for (place, piece, removed) in edits {
            let mut at = place % (text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + removed).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.replace_range(at..end, PIECES[piece]);
        }
        read(&text);
    }

    #[test]
    fn a_value_of_another_kind_is_answered(line in 0..90_usize, value in 0..9_usize) {
        // Every value of the example in turn becomes something that it should not be, or might be.
        let values = [
            "1",
            "0.5",
            "\"n1\"",
            "\"3s\"",
            "[]",
            "{}",
            "true",
            "[\"1s\", \"2s\"]",
            "{ dist = \"pareto\", min = \"1ms\" }",
        ];
        let lines: Vec<String> = EXAMPLE
            .lines()
            .enumerate()
            .map(|(i, text)| match text.split_once('=') {
                Some((key, _)) if i == line => format!("{key} = {}", values[value]),
                _ => text.to_string(),
            })
            .collect();
        read(&lines.join("\n"));
    }

    #[test]
    fn overrides_are_answered(
        path in "[a-z0-9_.]{0,20}|nemesis\\.[1-6]\\.[a-z]{1,8}|toy\\.[a-z_]{1,10}",
        value in "\\PC{0,20}",
    ) {
        // `--set` comes from a shell, where anything can happen.
        let _ = read_text_with(SYSTEMS, "fuzz", EXAMPLE, &[(path, value)], &[])
            .map_err(|error| error.to_string());
    }
}

#[test]
fn a_megabyte_of_mistakes_is_answered_in_little_memory() {
    // A million errors are not kept; twenty are shown. The time would show a quadratic search too.
    let limit = 1024 * 1024;
    for piece in ["[", "=\n", "a.", "\"", "[[nemesis]]\n", "x = [", "{", "é=1\n", "[nodes]\n"] {
        read(&piece.repeat(limit / piece.len()));
    }
    let keys: String = (0..80_000).map(|i| format!("k{i} = 1\n")).collect();
    read(&format!("system = \"toy\"\n{}", &keys[..keys.len().min(limit - 100)]));
    let names: Vec<String> = (0..90_000).map(|i| format!("\"n{i}\"")).collect();
    read(&format!("system = \"toy\"\n[nodes.groups]\neast = [{}]", names.join(",")));
}

//! The style, by machine: what a reviewer should not have to say.
//!
//! | file | what it keeps |
//! |---|---|
//! | `layers` | every path in the source points downward, by the table of `src/lib.rs` |
//! | `modules` | the module tree, its paths and what they lead to |
//! | `rooms` | what belongs to a system is in its room, and a protocol knows no checks |
//! | `words` | one word for one meaning, and English without the usual errors |
//! | `widths` | lines of 100 columns, files of 600 lines |
//! | `source` | the files themselves |

mod layers;
mod modules;
mod rooms;
mod source;
mod widths;
mod words;

use source::offences;

/// Systems are pure state machines: no runtime, no files, no true time, no threads. Only clients,
/// which are sequential programs, may be async, and they say so by their file name.
#[test]
fn systems_know_nothing_of_the_outside() {
    for word in [
        "madsim",
        "std::fs",
        "std::time::Instant",
        "SystemTime",
        "std::thread",
        "std::env",
        "HashMap",
        "HashSet",
        "println!",
    ] {
        let found = offences("src/systems", |line| line.contains(word));
        assert!(found.is_empty(), "{word} in src/systems: {found:#?}");
    }
    let found: Vec<String> = offences("src/systems", |line| line.contains("async "))
        .into_iter()
        .filter(|at| !at.contains("client"))
        .collect();
    assert!(found.is_empty(), "async outside of a client: {found:#?}");
}

/// Checkers and plots read a trace and nothing else.
#[test]
fn checkers_and_plots_see_only_the_trace() {
    for folder in ["src/checkers", "src/plots"] {
        for word in ["std::fs", "std::env", "SystemTime", "Instant::now", "crate::sim::", "madsim"]
        {
            let found = offences(folder, |line| line.contains(word));
            assert!(found.is_empty(), "{word} in {folder}: {found:#?}");
        }
    }
}

/// Floating point that differs from machine to machine.
#[test]
fn no_floating_point_of_the_system() {
    for word in [".ln()", ".exp()", ".powf(", ".log10()", ".sin()", ".cos()", ".log2()", ".tanh()"]
    {
        let found = offences("src", |line| line.contains(word));
        assert!(found.is_empty(), "{word}: {found:#?}");
    }
}

/// Nothing is left for later.
#[test]
fn nothing_is_a_stub() {
    for word in ["todo!(", "unimplemented!(", "FIXME", "XXX", "dbg!("] {
        let found = offences("src", |line| line.contains(word));
        assert!(found.is_empty(), "{word}: {found:#?}");
    }
}

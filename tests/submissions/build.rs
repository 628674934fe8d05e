//! Submissions that are compiled, and the SDKs that the course puts beside them.

use std::fs;
use std::path::Path;

use seedbed::grade::model::Language;
use seedbed::grade::submission::open;

use crate::{said, shown, submission, support, temporary};

/// A C program is built from its sources, whatever its makefile says; if it does not compile, the
/// compiler's output is kept.
#[test]
fn programs_in_c_and_rust_are_built() {
    let folder = temporary();
    if support::has("cc") {
        let makefile = ("Makefile", &b"all:\n\ttouch /tmp/evil\n"[..]);
        let good =
            submission(folder.path(), &[makefile, ("node.c", b"int main(void) { return 7; }\n")]);
        let built = open(&good, &[Language::C])
            .unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
        let status = std::process::Command::new(built.folder.join(&built.command[0]))
            .status()
            .expect("it is executable");
        assert_eq!(status.code(), Some(7));
        let bad = submission(folder.path(), &[("node.c", b"int main(void) { return x; }\n")]);
        let unusable = open(&bad, &[]).expect_err("it does not compile");
        assert!(
            unusable.outcome.detail.contains("node.c:1:") && unusable.outcome.detail.contains('x'),
            "{}",
            unusable.outcome.detail
        );
        assert_eq!(unusable.language, Some(Language::C));
    }
    if support::has("cargo") {
        let manifest = (
            "Cargo.toml",
            &b"[package]\nname = \"a-node\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"[..],
        );
        let good = submission(
            folder.path(),
            &[manifest, ("src/main.rs", b"fn main() { std::process::exit(7) }\n")],
        );
        let built =
            open(&good, &[]).unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
        let status = std::process::Command::new(built.folder.join(&built.command[0]))
            .status()
            .expect("it is executable");
        assert_eq!((status.code(), built.language), (Some(7), Language::Rust));
        let bad = submission(folder.path(), &[manifest, ("src/main.rs", b"fn main() { x }\n")]);
        let unusable = open(&bad, &[]).expect_err("it does not compile");
        assert!(
            unusable.outcome.detail.contains("cannot find value `x`"),
            "{}",
            unusable.outcome.detail
        );
        assert_eq!(unusable.outcome.kind.word(), "build_failed");
    }
}

/// The SDKs are the course's: an edited one is replaced, a missing one is added, and a student's
/// `Cargo.lock` is ignored.
#[test]
fn the_sdks_are_those_of_the_course() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk");
    let read = |name: &str| fs::read(sdk.join(name)).expect("it is there");
    let folder = temporary();
    // The ZooKeeper client is added only if a program names it.
    let client = ("seedbed_zookeeper.py", &b"edited = True\n"[..]);
    let elects = open(
        &submission(folder.path(), &[("node.py", b"import seedbed_zookeeper\n"), client]),
        &[],
    )
    .expect("a program");
    assert!(shown(&elects).contains("`seedbed_zookeeper.py` was replaced"), "{}", shown(&elects));
    assert_eq!(
        fs::read(elects.folder.join("seedbed_zookeeper.py")).expect("placed"),
        read("python/seedbed_zookeeper.py")
    );
    let other = open(&submission(folder.path(), &[("node.py", b"import seedbed\n")]), &[])
        .expect("a program");
    assert!(!other.folder.join("seedbed_zookeeper.py").exists());
    if support::has("cc") {
        let program = read("c/examples/kv_single.c");
        let built = open(
            &submission(folder.path(), &[("node.c", &program), ("seedbed.h", b"#error edited\n")]),
            &[],
        );
        let built = built.unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
        assert!(shown(&built).contains("`seedbed.h` was replaced"), "{}", shown(&built));
    }
    if support::has("cargo") {
        let manifest = b"[package]\nname = \"node\"\nversion = \"0.1.0\"\nedition = \
            \"2021\"\n[dependencies]\nseedbed-node = { path = \"seedbed-node\" }\n\
            serde = { version = \"1\", features = [\"derive\"] }\nserde_json = \
            \"1\"\n[workspace]\n";
        let program = read("rust/examples/starter.rs");
        let edited = ("seedbed-node/src/lib.rs", &b"compile_error!(\"edited\");\n"[..]);
        let own = ("seedbed-node/Cargo.toml", &read("rust/Cargo.toml")[..]);
        let files = [
            ("Cargo.toml", &manifest[..]),
            ("src/main.rs", &program),
            ("Cargo.lock", b"version = 99\n"),
            edited,
            own,
        ];
        let built = open(&submission(folder.path(), &files), &[])
            .unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
        assert!(
            shown(&built).contains("`seedbed-node/src/lib.rs` was replaced"),
            "{}",
            shown(&built)
        );
        let without = open(&submission(folder.path(), &files[..3]), &[])
            .unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
        assert!(without.notes.is_empty());
    }
}

/// A compiler reads the files that a source names; confined, it cannot read what the student must
/// not see, and its messages do not reveal it.
#[cfg(target_os = "linux")]
#[test]
fn a_compiler_is_confined() {
    use seedbed::program::sandbox::{Confined, measures};
    let confined = Confined::by(env!("CARGO_BIN_EXE_seedbed").into());
    if !measures(&confined).iter().any(|measure| measure.name == "files" && measure.in_force) {
        println!("this kernel keeps no program from files: not tested");
        return;
    }
    let folder = temporary();
    let secret = folder.path().join("secret.txt");
    fs::write(&secret, "int hunter2;\n").expect("writable");
    let open = |files: &[(&str, &[u8])]| {
        seedbed::grade::submission::open_confined(
            &submission(folder.path(), files),
            &[],
            Some(&confined),
        )
    };
    if support::has("cc") {
        let spy =
            format!("#include \"{}\"\nint main(void) {{ return hunter2; }}\n", secret.display());
        let refused = open(&[("node.c", spy.as_bytes())]).expect_err("the file cannot be read");
        assert_eq!(refused.outcome.kind.word(), "build_failed");
        assert!(
            refused.outcome.detail.contains("secret.txt: Permission denied"),
            "{}",
            refused.outcome.detail
        );
        open(&[("node.c", b"int main(void) { return 0; } /* confined */\n")])
            .unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
    }
    if support::has("cargo") {
        let manifest = (
            "Cargo.toml",
            &b"[package]\nname = \"a-spy\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"[..],
        );
        let spy = format!(
            "fn main() {{ print!(\"{{}}\", include_str!({:?})) }}\n",
            secret.display().to_string()
        );
        let refused = open(&[manifest, ("src/main.rs", spy.as_bytes())])
            .expect_err("the file cannot be read");
        assert!(refused.outcome.detail.contains("couldn't read"), "{}", refused.outcome.detail);
        open(&[manifest, ("src/main.rs", b"fn main() {} // confined\n")])
            .unwrap_or_else(|unusable| panic!("{}", said(&unusable.outcome)));
    }
}

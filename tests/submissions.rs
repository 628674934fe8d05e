//! Submissions: what is found in folders and archives, and how hostile and clumsy ones are refused.
//! Nothing here is run.

#[path = "submissions/build.rs"]
mod build;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use insta::assert_snapshot;
use seedbed::grade::archive::read_archive;
use seedbed::grade::model::{Lang, Language, Outcome};
use seedbed::grade::submission::{Submission, gather, id_of, open};
use seedbed::grade::tree::BYTES_MAX;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const PROGRAM: &str = "import seedbed\n";

fn temporary() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default()).expect("a folder");
        } else {
            zip.start_file(*name, SimpleFileOptions::default().unix_permissions(0o6755))
                .expect("a file");
            zip.write_all(bytes).expect("in memory");
        }
    }
    zip.finish().expect("in memory").into_inner()
}

/// A tar archive with arbitrary names: the crate's own setter refuses what an attacker would write.
fn tar_of(entries: &[(&[u8], tar::EntryType, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_mode(0o6755);
        if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
            header.as_old_mut().linkname[..bytes.len()].copy_from_slice(bytes);
            header.set_size(0);
        } else {
            header.set_size(bytes.len() as u64);
        }
        header.set_cksum();
        tar.append(&header, if header.size().expect("set") == 0 { &[] } else { *bytes })
            .expect("in memory");
    }
    tar.into_inner().expect("in memory")
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).expect("in memory");
    gz.finish().expect("in memory")
}

const FILE: tar::EntryType = tar::EntryType::Regular;

fn said(outcome: &Outcome) -> String {
    let both = |lang| format!("{}\n    {}", outcome.message.get(lang), outcome.hint.get(lang));
    let detail: String = outcome.detail.lines().map(|line| format!("    | {line}\n")).collect();
    format!("  {} · {}\n  {}\n{detail}", outcome.kind.word(), both(Lang::En), both(Lang::Es))
}

/// The message for an archive, in both languages; `accepted` if it is accepted.
fn said_of_archive(name: &str, bytes: &[u8]) -> String {
    let folder = temporary();
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("writable");
    read_archive(&path).map_or_else(
        |outcome| said(&outcome),
        |tree| format!("  accepted: {:?}\n", tree.files.keys().collect::<Vec<_>>()),
    )
}

/// Replace bytes by as many others, wherever they occur.
fn with(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty(), "nothing to replace");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// Each of these would write outside, fill the disk, or mean something else on another machine. All
/// are refused before anything is written.
#[test]
fn hostile_archives_are_refused_with_the_reason() {
    let zip = |name: &str| zip_of(&[("node.py", b""), (name, b"x")]);
    let tar = |name: &[u8]| tar_of(&[(b"node.py", FILE, b""), (name, FILE, b"x")]);
    let special = |kind| tar_of(&[(b"node.py", FILE, b""), (b"secret", kind, b"/etc/passwd")]);
    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("secret", "/etc/passwd", SimpleFileOptions::default()).expect("in memory");
    let link = link.finish().expect("in memory").into_inner();
    // Bit 0 of the flags of both heads of the file says that it is encrypted.
    let mut locked = zip_of(&[("node.py", b"x")]);
    locked[6] |= 1;
    let central =
        locked.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a central directory");
    locked[central + 8] |= 1;
    // The method of compression, in both heads: 12 is bzip2.
    let mut squeezed = zip_of(&[("node.py", b"x")]);
    let central =
        squeezed.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a central directory");
    squeezed[8] = 12;
    squeezed[central + 10] = 12;
    let zeros = vec![0; BYTES_MAX as usize + 1];
    let many: Vec<(String, &[u8])> = (0..=10_000).map(|i| (format!("{i}"), &b""[..])).collect();
    let many: Vec<(&str, &[u8])> =
        many.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();

    let cases: Vec<(&str, &str, Vec<u8>)> = vec![
        ("a path that climbs", "a.zip", zip("../../etc/cron.d/x")),
        ("a path that climbs later", "a.tar", tar(b"a/../../x")),
        ("a path that climbs in Windows' way", "a.zip", zip("a\\..\\..\\x")),
        ("an absolute path", "a.tgz", gz(&tar(b"/etc/cron.d/x"))),
        ("a drive", "a.zip", zip("C:\\Windows\\x")),
        ("control characters", "a.tar", tar(b"a\x1b[2Jb")),
        ("a name that is not UTF-8", "a.tar", tar(b"a\xff\xfe")),
        ("a symbolic link", "a.tar.gz", gz(&special(tar::EntryType::Symlink))),
        ("a symbolic link in a zip", "a.zip", link),
        ("a hard link", "a.tar", special(tar::EntryType::Link)),
        ("a device", "a.tar", special(tar::EntryType::Char)),
        ("a pipe", "a.tar", special(tar::EntryType::Fifo)),
        ("the same name twice", "a.tar", tar(b"node.py")),
        ("the same name twice in a zip", "a.zip", with(zip("node.pq"), b"node.pq", b"node.py")),
        ("names that differ by capital letters", "a.zip", zip("NODE.py")),
        (
            "folders that differ by capital letters",
            "a.zip",
            zip_of(&[("src/a", b""), ("Src/b", b"")]),
        ),
        ("a file that is a folder too", "a.zip", zip("node.py/x")),
        ("a password", "a.zip", locked),
        ("another compression", "a.zip", squeezed),
        ("a bomb", "a.zip", zip_of(&[("node.py", &zeros)])),
        ("a bomb in a tar", "a.tgz", gz(&tar_of(&[(b"node.py", FILE, &zeros)]))),
        ("too many files", "a.zip", zip_of(&many)),
        ("nothing", "a.zip", zip_of(&[])),
        (
            "nothing but what belongs to no program",
            "a.zip",
            zip_of(&[("__MACOSX/._node.py", b""), (".DS_Store", b"")]),
        ),
        ("no bytes", "a.zip", vec![]),
        ("something else", "a.zip", b"Rar!\x1a\x07".to_vec()),
        ("a text", "a.tar.gz", b"to be handed in".to_vec()),
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|(what, name, bytes)| format!("{what}\n{}", said_of_archive(name, bytes)))
        .collect();
    assert_snapshot!(told.join("\n"));
}

/// A zip states the size of a file; this one states 1 byte for 65 MiB. Only the unpacked size
/// counts.
#[test]
fn what_an_archive_says_of_its_size_is_not_believed() {
    let zeros = vec![0; BYTES_MAX as usize + 1];
    let size = (zeros.len() as u32).to_le_bytes();
    let lying = with(zip_of(&[("node.py", &zeros)]), &size, &1_u32.to_le_bytes());
    assert!(lying.len() < 1 << 20);
    let told = said_of_archive("a.zip", &lying);
    assert!(!told.contains("accepted"), "{told}");
}

/// A truncated upload is never taken for a complete one, wherever it was cut, and never crashes the
/// testbed.
#[test]
fn no_part_of_an_archive_is_taken_for_the_whole() {
    let text = PROGRAM.repeat(20);
    let files: [(&[u8], tar::EntryType, &[u8]); 2] =
        [(b"node.py", FILE, text.as_bytes()), (b"more.py", FILE, b"more")];
    let zip = zip_of(&[("node.py", text.as_bytes()), ("more.py", b"more")]);
    let tar = tar_of(&files);
    let folder = temporary();
    for (name, bytes, step) in [("a.zip", &zip, 1), ("a.tar.gz", &gz(&tar), 1), ("a.tar", &tar, 64)]
    {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("writable");
        assert!(read_archive(&path).is_ok(), "{name} as a whole");
        // The second of the two empty blocks at the end of a tar archive may be missing.
        let end = if name == "a.tar" { bytes.len() - 1024 } else { bytes.len() };
        for cut in (0..end).step_by(step) {
            fs::write(&path, &bytes[..cut]).expect("writable");
            assert!(
                read_archive(&path).is_err(),
                "{name} cut off after {cut} of {} bytes",
                bytes.len()
            );
        }
    }
}

/// Whatever bit was flipped on the way, there is an answer, and no unverified file.
#[test]
fn a_flipped_bit_is_an_error_or_harmless() {
    let text = PROGRAM.repeat(20);
    let zip = zip_of(&[("node.py", text.as_bytes())]);
    let folder = temporary();
    let path = folder.path().join("a.zip");
    for at in 0..zip.len() {
        let mut bytes = zip.clone();
        bytes[at] ^= 0x24;
        fs::write(&path, &bytes).expect("writable");
        if let Ok(tree) = read_archive(&path) {
            assert!(tree.files.values().all(|file| file.bytes == text.as_bytes()), "byte {at}");
        }
    }
}

/// The same files as a folder, as a macOS zip, as a tar of a repository and with editors' leftovers
/// give the same tree, hence the same digest.
#[test]
fn however_it_is_packed_it_is_the_same_submission() {
    let folder = temporary();
    let place = folder.path().join("as-folder");
    for (name, text) in [
        ("node.py", PROGRAM),
        ("lib/tools.py", "x = 1\n"),
        (".git/config", "a"),
        ("__pycache__/node.pyc", "b"),
    ] {
        fs::create_dir_all(place.join(name).parent().expect("a parent")).expect("writable");
        fs::write(place.join(name), text).expect("writable");
    }
    for made in [
        "reports/elects/0/results.json",
        "reports/elects/0/scenario.toml",
        "grades/x/results/me.json",
        "grades/x/students/me/page.html",
    ] {
        fs::create_dir_all(place.join(made).parent().expect("a folder")).expect("writable");
        fs::write(place.join(made), "made by seedbed").expect("writable");
    }
    let venv = place.join("env");
    fs::create_dir(&venv).expect("writable");
    fs::write(venv.join("pyvenv.cfg"), "").expect("writable");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/usr/bin/python3", venv.join("python")).expect("a link");
    let zip = zip_of(&[
        ("hw 1/", b""),
        ("hw 1/node.py", PROGRAM.as_bytes()),
        ("hw 1\\lib\\tools.py", b"x = 1\n"),
        ("__MACOSX/hw 1/._node.py", b"\x00\x05"),
        ("hw 1/.DS_Store", b"x"),
        ("hw 1/reports/elects/0/results.json", b"{}"),
        ("hw 1/reports/elects/0/scenario.toml", b""),
        ("hw 1/grades/raft-election/results/me.json", b"{}"),
        ("hw 1/grades/raft-election/students/me/page.html", b""),
        ("hw 1/target/CACHEDIR.TAG", b""),
        ("hw 1/target/release/node", b"\x7fELF"),
    ]);
    let tar = tar_of(&[
        (
            b"pax_global_header",
            tar::EntryType::XGlobalHeader,
            b"52 comment=0123456789012345678901234567890123456789\n",
        ),
        (b"./hw/lib/tools.py", FILE, b"x = 1\n"),
        (b"./hw/node.py", FILE, PROGRAM.as_bytes()),
    ]);
    let mut digests = vec![open(&place, &[]).expect("a program").digest];
    for (name, bytes) in
        [("a.zip", zip), ("b.tar", tar.clone()), ("c.tar.gz", gz(&tar)), ("d.zip", gz(&tar))]
    {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("writable");
        digests.push(
            open(&path, &[])
                .unwrap_or_else(|unusable| panic!("{name}: {}", said(&unusable.outcome)))
                .digest,
        );
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
    fs::write(place.join("node.py"), "import seedbed \n").expect("writable");
    assert_ne!(open(&place, &[]).expect("a program").digest, digests[0]);
}

/// Without the UTF-8 flag, names are in code page 437; no mode in the archive may create a setuid
/// file.
#[cfg(unix)]
#[test]
fn names_and_permissions_are_made_harmless() {
    use std::os::unix::fs::PermissionsExt;
    let folder = temporary();
    let path = folder.path().join("a.zip");
    fs::write(
        &path,
        with(zip_of(&[("node.py", b"x"), ("solucixn.txt", b"")]), b"solucixn", b"soluci\xa2n"),
    )
    .expect("writable");
    let tree = read_archive(&path).expect("harmless");
    assert_eq!(tree.files.keys().collect::<Vec<_>>(), ["node.py", "solución.txt"]);
    let submission = open(&path, &[]).expect("a program");
    let mode = fs::metadata(submission.folder.join("node.py")).expect("there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o555, "executable, but neither writable nor setuid");
}

/// A submission in its own folder, with these files.
fn submission(folder: &Path, files: &[(&str, &[u8])]) -> PathBuf {
    let place = folder.join("entrega de Ñandú");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir(&place).expect("writable");
    for (name, bytes) in files {
        fs::create_dir_all(place.join(name).parent().expect("a parent")).expect("writable");
        fs::write(place.join(name), bytes).expect("writable");
    }
    place
}

fn shown(found: &Submission) -> String {
    let notes: Vec<&str> = found.notes.iter().map(|note| note.get(Lang::En)).collect();
    format!("  {} {:?} {notes:?}\n", found.language.word(), found.command)
}

/// Where the program is searched, in which order, and the messages if there is none or the wrong
/// one.
#[test]
fn the_program_is_found_or_the_student_is_told_why_not() {
    let python = PROGRAM.as_bytes();
    let any: &[Language] = &[];
    let only_rust: &[Language] = &[Language::Rust];
    type Files<'a> = &'a [(&'a str, &'a [u8])];
    let cases: [(&str, &[Language], Files<'_>); 18] = [
        ("node.py", any, &[("node.py", python), ("other.py", python)]),
        (
            "the only file that imports seedbed",
            any,
            &[
                ("raft.py", b"\xef\xbb\xbfimport os, seedbed\r\n"),
                ("util.py", b"x = 1"),
                ("README.md", b""),
            ],
        ),
        (
            "a declared command",
            any,
            &[
                ("seedbed.toml", b"\xef\xbb\xbfcommand = [\"python3\", \"src/raft.py\", \"-v\"]"),
                ("src/raft.py", python),
            ],
        ),
        ("an executable", any, &[("node", b"#!/bin/sh\r\nexec cat\r\n")]),
        ("in Python where Rust is asked for", only_rust, &[("node.py", python)]),
        (
            "declared in another language",
            only_rust,
            &[("seedbed.toml", b"command = [\"./run\"]"), ("run", b"#!/bin/sh\n")],
        ),
        (
            "several that could be it",
            any,
            &[("a.py", python), ("b.py", b"from seedbed import Node\n")],
        ),
        ("in a folder beside others", any, &[("src/node.py", python), ("doc/report.pdf", b"")]),
        ("no program at all", any, &[("report.pdf", b"%PDF"), ("notes.txt", b"")]),
        ("files that say nothing", any, &[("a.py", b"print(1)\n")]),
        ("an empty folder", any, &[]),
        (
            "a declaration that is not TOML",
            any,
            &[("seedbed.toml", b"command = python3 node.py"), ("node.py", python)],
        ),
        (
            "a declaration without a command",
            any,
            &[("seedbed.toml", b"command = []"), ("node.py", python)],
        ),
        ("a program in UTF-16", any, &[("node.py", b"\xff\xfei\x00m\x00")]),
        (
            "an SDK that was edited",
            any,
            &[
                ("node.py", python),
                ("seedbed.py", b"raise SystemExit"),
                ("seedbed/__init__.py", b""),
            ],
        ),
        (
            "a build script",
            any,
            &[
                ("Cargo.toml", b"[package]\nname = \"x\"\nbuild = \"evil.rs\"\n"),
                ("src/main.rs", b""),
            ],
        ),
        (
            "settings of cargo",
            any,
            &[("Cargo.toml", b""), (".cargo/config.toml", b"[build]\nrustc-wrapper = \"evil\"\n")],
        ),
        (
            "a procedural macro",
            any,
            &[
                ("Cargo.toml", b""),
                ("m/Cargo.toml", b"[lib]\nproc-macro = true\n"),
                ("m/src/lib.rs", b""),
            ],
        ),
    ];
    let folder = temporary();
    let mut told = Vec::new();
    for (what, languages, files) in cases {
        let place = submission(folder.path(), files);
        let found = open(&place, languages);
        told.push(format!(
            "{what}\n{}",
            found.as_ref().map_or_else(|unusable| said(&unusable.outcome), shown)
        ));
        if let Ok(found) = found {
            let first = found
                .command
                .iter()
                .find(|word| found.folder.join(word).is_file())
                .expect("the program is in the copy");
            assert!(
                !fs::read(found.folder.join(first)).expect("readable").starts_with(b"#!/bin/sh\r")
            );
            let is_python = found.language == Language::Python;
            assert_eq!(is_python, found.folder.join("seedbed.py").is_file(), "{what}");
            assert!(!found.folder.join("seedbed").exists(), "{what}");
        }
        let now: BTreeMap<_, _> =
            files.iter().map(|(name, bytes)| (name, bytes.to_vec())).collect();
        assert!(
            now.iter()
                .all(|(name, bytes)| fs::read(place.join(name)).expect("still there") == *bytes),
            "{what}: the student's files are as they were"
        );
    }
    assert_snapshot!(told.join("\n"));
}

/// A folder of submissions, as learning platforms export them: each gets a distinct id, whatever
/// students name their files.
#[test]
fn a_folder_of_submissions_has_one_entry_each() {
    let folder = temporary();
    let class = folder.path().join("class");
    for name in ["Ana García_123_assignsubmission_file_", "luis", "bad\u{202e}name", ".hidden"] {
        fs::create_dir_all(class.join(name)).expect("writable");
    }
    let zip = zip_of(&[("hw/node.py", PROGRAM.as_bytes())]);
    for name in [
        "Ana García_123_assignsubmission_file_/upload.zip",
        "luis.zip",
        "LUIS.tar.gz",
        "eva.rar",
        "grades.csv",
    ] {
        fs::write(class.join(name), &zip).expect("writable");
    }
    fs::write(class.join("luis/node.py"), PROGRAM).expect("writable");
    let (handed, taken) = gather(&[class.clone(), class.join("luis")]).expect("readable");
    assert_eq!(taken, [] as [String; 0]);
    let listed: Vec<(String, String)> = handed
        .iter()
        .map(|one| {
            (one.id.clone(), one.path.file_name().expect("a name").to_string_lossy().into_owned())
        })
        .collect();
    let listed: Vec<(&str, &str)> =
        listed.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
    assert_eq!(
        listed,
        [
            ("Ana García_123_assignsubmission_file_", "Ana García_123_assignsubmission_file_"),
            ("LUIS", "LUIS.tar.gz"),
            ("bad_name", "bad\u{202e}name"),
            ("eva", "eva.rar"),
            ("luis-2", "luis"),
            ("luis-3", "luis.zip"),
        ]
    );
    let ana = open(&handed[0].path, &[]).expect("the archive in the folder is read");
    assert_eq!(
        (ana.student.name.as_str(), ana.command.join(" ").as_str()),
        ("Ana García", "python3 node.py")
    );
    assert_eq!(gather(&[class.join("luis")]).expect("readable").0[0].id, "luis");
    assert_eq!(
        id_of(Path::new("a/b.c d.tar.gz")),
        "b.c d.tar.gz",
        "there is no such file, and a folder's name has no extension"
    );
    let missing = gather(&[folder.path().join("nobody")]).expect_err("it is not there").to_string();
    assert!(missing.contains("nobody") && missing.contains("help:"), "{missing}");
}

/// Names and contents.
type Files<'a> = &'a [(&'a str, &'a [u8])];

/// Whether a folder is one submission or a class of them is decided by its content; ambiguous cases
/// are reported.
#[test]
fn a_class_is_told_from_a_submission() {
    let zip = zip_of(&[("node.py", PROGRAM.as_bytes())]);
    let helper = b"import seedbed\n\ndef help():\n    pass\n";
    let cases: [(Files<'_>, &[&str], &str); 9] = [
        (
            &[
                ("carla.py", PROGRAM.as_bytes()),
                ("ana/node.py", PROGRAM.as_bytes()),
                ("luis.zip", &zip),
            ],
            &["ana", "carla", "luis"],
            "folder of 3 submissions",
        ),
        (
            &[("alice.py", PROGRAM.as_bytes()), ("bob.py", PROGRAM.as_bytes())],
            &["alice", "bob"],
            "folder of 2 submissions",
        ),
        (
            &[("ana/node.py", PROGRAM.as_bytes()), ("eva/raft.py", PROGRAM.as_bytes())],
            &["ana", "eva"],
            "",
        ),
        (
            &[
                ("raft.py", PROGRAM.as_bytes()),
                ("log.py", b"x = 1\n"),
                ("lib/tools.py", b"y = 2\n"),
            ],
            &["class"],
            "",
        ),
        (
            &[("raft.py", PROGRAM.as_bytes()), ("tests/test_raft.py", helper)],
            &["class"],
            "taken as one submission",
        ),
        (&[("node.py", PROGRAM.as_bytes()), ("helper.py", helper)], &["class"], ""),
        (
            &[("node.py", PROGRAM.as_bytes()), ("ana/node.py", PROGRAM.as_bytes())],
            &["class"],
            "taken as one submission",
        ),
        (
            &[
                ("Eva Sol_7_assignsubmission_file_/a.py", PROGRAM.as_bytes()),
                ("Eva Sol_7_assignsubmission_onlinetext_/onlinetext.html", b"<p>"),
            ],
            &["Eva Sol_7_assignsubmission_file_"],
            "",
        ),
        (
            &[("Eva Sol_7_assignsubmission_onlinetext_/onlinetext.html", b"<p>")],
            &["Eva Sol_7_assignsubmission_onlinetext_"],
            "",
        ),
    ];
    for (files, ids, note) in cases {
        let folder = temporary();
        for (name, bytes) in files {
            let path = folder.path().join("class").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            fs::write(path, bytes).expect("writable");
        }
        let (handed, taken) = gather(&[folder.path().join("class")]).expect("readable");
        let found: Vec<&str> = handed.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(found, ids, "{files:?}");
        assert_eq!(taken.is_empty(), note.is_empty(), "{ids:?}: {taken:?}");
        assert!(taken.iter().all(|taken| taken.contains(note)), "{taken:?}");
    }
}

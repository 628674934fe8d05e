//! The CSV files of a trace, from outside: written files are read back record by record with the
//! same digest, and damaged ones are refused with the place, never with a panic.

use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use seedbed::trace::{
    CSV_FILES, Detail, Digest, Event, Fields, Message, Metric, NodeId, NodeInfo, Op, OpType,
    Outcome, Trace, Value, Word, read_csv, write_csv,
};

/// Texts that a careless encoding would take for something else: node names, numbers, digests,
/// separators of every level.
const TRICKY: [&str; 33] = [
    "",
    "n1",
    "@n1",
    "#0011223344556677",
    "-",
    "-5",
    "+5",
    "42",
    "007",
    "a b",
    " ",
    "a=b",
    "'",
    "\\",
    "''",
    "\"",
    ",",
    "a,b\"c",
    "\n",
    "\r\n",
    "\t",
    "\\n",
    "n1+n2",
    "é€😀",
    "x='y' z",
    "\u{0}",
    "\u{85}",
    "\u{a0}",
    "\u{feff}",
    "k1:7->9",
    "a=1 b=2",
    "a=1 b=02",
    "a=1 b=2 c=3 d=4",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => proptest::sample::select(&TRICKY[..]).prop_map(str::to_owned), 1 => "[ \
        -~]{0,12}", 1 => "\\PC{0,8}"]
}

fn word() -> impl Strategy<Value = Word> {
    let literals = ["append", "leader", "n1", "a b", ""];
    prop_oneof![
        text().prop_map(Word::Owned),
        proptest::sample::select(literals.to_vec()).prop_map(Word::Borrowed)
    ]
}

fn node() -> impl Strategy<Value = NodeId> {
    (0..4_u32).prop_map(NodeId)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::Int),
        node().prop_map(Value::Node),
        any::<u64>().prop_map(Value::Hash),
        word().prop_map(Value::Text)
    ]
}

fn fields() -> impl Strategy<Value = Fields> {
    let literals =
        (value(), value()).prop_map(|(a, b)| Fields::new(&["term", "candidate"], &[a, b]));
    let read = vec((text(), value()), 0..4).prop_map(|pairs| {
        let (names, values) = pairs.into_iter().unzip();
        Fields::owned(names, values)
    });
    prop_oneof![literals, read]
}

fn detail() -> impl Strategy<Value = Detail> {
    const NAMES: [&[&str]; 4] = [&[], &["term"], &["term", "prev"], &["term", "prev", "entries"]];
    let numbers = (0..NAMES.len(), any::<[i64; 3]>())
        .prop_map(|(names, values)| Detail::Numbers(NAMES[names], values));
    prop_oneof![Just(Detail::None), numbers, word().prop_map(Detail::Text)]
}

prop_compose! {
    fn op()(
        (index, time_us) in any::<(u64, u64)>(),
        process in word(),
        kind in 0..4_usize,
        f in word(),
        value in word(),
        error in word(),
    ) -> Op {
        Op { index, time_us, process, op_type: OpType::ALL[kind], f, value, error }
    }
}

prop_compose! {
    fn event()(
        (index, time_us, incarnation) in any::<(u64, u64, u32)>(),
        node in node(),
        name in word(),
        fields in fields(),
    ) -> Event {
        Event { index, time_us, node, incarnation, name, fields }
    }
}

prop_compose! {
    fn message()(
        (id, sent_us, recv_us, bytes) in any::<(u64, u64, Option<u64>, u32)>(),
        src in node(),
        dest in node(),
        kind in word(),
        outcome in 0..8_usize,
        detail in detail(),
    ) -> Message {
        let outcome = Outcome::ALL[outcome];
        Message { id, sent_us, recv_us, src, dest, kind, bytes, outcome, detail }
    }
}

prop_compose! {
    fn metric()(time_us: u64, node in node(), name in word(), value in value()) -> Metric {
        Metric { time_us, node, name, value }
    }
}

fn header() -> Trace {
    // Names that need quoting themselves.
    let nodes = ["n1", "c 1", "7", "it's,\"odd\""]
        .map(|name| NodeInfo { name: name.to_owned(), role: "peer".into() });
    Trace {
        scenario: "x".into(),
        system: "raft".into(),
        seed: 42,
        duration_us: 30,
        end_us: 40,
        nodes: nodes.into(),
        ..Trace::default()
    }
}

prop_compose! {
    fn trace()(
        history in vec(op(), 0..6),
        events in vec(event(), 0..6),
        messages in vec(message(), 0..6),
        metrics in vec(metric(), 0..6),
    ) -> Trace {
        Trace { history, events, messages, metrics, ..header() }
    }
}

fn write(trace: &Trace) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_csv(trace, folder.path()).expect("it can be written");
    folder
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// A checker sees the same trace whether it runs after the simulation or a year later on the
    /// files.
    #[test]
    fn what_is_written_is_read_back_with_the_same_digest(trace in trace()) {
        let folder = write(&trace);
        let back = read_csv(header(), folder.path()).expect("its own files");
        prop_assert_eq!(Digest::of(&back), Digest::of(&trace));
        prop_assert_eq!(back, trace);
    }

    /// Damage is detected or harmless: reading ends without a panic, with an error that has a place
    /// or with a trace that can be written.
    #[test]
    fn damaged_bytes_never_make_the_reader_panic(
        trace in trace(),
        file in 0..4_usize,
        edits in vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6),
    ) {
        let folder = write(&trace);
        let path = folder.path().join(CSV_FILES[file]);
        let mut bytes = fs::read(&path).expect("just written");
        for (place, byte, edit) in edits {
            let place = place.index(bytes.len() + 1);
            match edit {
                0 if place < bytes.len() => bytes[place] = byte,
                1 => bytes.truncate(place),
                _ => bytes.insert(place, byte),
            }
        }
        fs::write(&path, &bytes).expect("writable");
        match read_csv(header(), folder.path()) {
            Ok(back) => drop(write(&back)),
            Err(error) => {
                prop_assert!(error.file.ends_with(CSV_FILES[file]), "{error}");
                prop_assert!(!error.message.is_empty(), "{error}");
            }
        }
    }

    /// Two traces that differ in one record have different digests; otherwise a modified report
    /// would be taken for the original.
    #[test]
    fn another_record_is_another_digest(
        mut one in trace(),
        metric in metric(),
        event in event(),
        message in message(),
        op in op(),
    ) {
        let empty = Digest::of(&one);
        one.metrics.push(metric);
        let first = Digest::of(&one);
        one.events.push(event);
        let second = Digest::of(&one);
        one.messages.push(message);
        let third = Digest::of(&one);
        one.history.push(op);
        let last = Digest::of(&one);
        let all = [empty, first, second, third, last].map(|digest| digest.0);
        let all = std::collections::BTreeSet::from(all);
        prop_assert_eq!(all.len(), 5);
    }
}

fn small() -> Trace {
    let event = |index, node, name: &'static str, names, values: &[Value]| Event {
        index,
        time_us: 612_345 + index,
        node: NodeId(node),
        incarnation: 1,
        name: name.into(),
        fields: Fields::new(names, values),
    };
    let op = |index, op_type, error: &'static str| Op {
        index,
        time_us: 500_000 + index,
        process: "c1".into(),
        op_type,
        f: "cas".into(),
        value: "k1:7->9".into(),
        error: error.into(),
    };
    let message = |id, recv_us, outcome, detail| Message {
        id,
        sent_us: 600_000,
        recv_us,
        src: NodeId(0),
        dest: NodeId(1),
        kind: "RequestVote".into(),
        bytes: 32,
        outcome,
        detail,
    };
    let metric = |name: &'static str, value| Metric {
        time_us: 7,
        node: NodeId(0),
        name: name.into(),
        value,
    };
    Trace {
        nodes: ["n1", "n2"]
            .map(|name| NodeInfo { name: name.to_owned(), role: "peer".into() })
            .into(),
        history: vec![op(0, OpType::Invoke, ""), op(1, OpType::Fail, "mismatch")],
        events: vec![
            event(
                2,
                0,
                "vote",
                &["term", "candidate", "digest"],
                &[Value::Int(3), Value::Node(NodeId(1)), Value::Hash(0xab)],
            ),
            event(3, 1, "pause", &[], &[]),
            event(
                4,
                1,
                "crash",
                &["reason", "message"],
                &[Value::Text("panic".into()), Value::Text("index 3, it's out of range".into())],
            ),
        ],
        messages: vec![
            message(0, None, Outcome::Lost, Detail::Numbers(&["term", "last_index"], [3, 17, 0])),
            message(1, Some(601_234), Outcome::Delivered, Detail::None),
        ],
        metrics: vec![
            metric("role", Value::Text("follower".into())),
            metric("leader", Value::Node(NodeId(1))),
            metric("term", Value::Int(-1)),
        ],
        ..header()
    }
}

/// The format is a promise to everyone who reads the files with another program.
#[test]
fn the_files_look_as_the_documentation_says() {
    let folder = write(&small());
    let all = CSV_FILES.map(|file| {
        format!(
            "== {file}\n{}",
            fs::read_to_string(folder.path().join(file)).expect("just written")
        )
    });
    insta::assert_snapshot!(all.concat());
}

/// The digest is compared across machines, builds and years; when this changes, the format version
/// must change too.
#[test]
fn the_digest_of_a_known_trace_never_changes() {
    insta::assert_snapshot!(Digest::of(&small()));
}

/// Each message names the file, the line if there is one, what was found and what was expected.
#[test]
fn damaged_and_foreign_files_are_refused_with_their_place() {
    let history = |rows: &str| {
        refusal(
            "history.csv",
            format!("index,time_us,process,type,f,value,error\n{rows}").as_bytes(),
        )
    };
    let fields = |fields: &str| {
        refusal(
            "events.csv",
            format!("index,time_us,node,incarnation,event,fields\n0,1,n1,1,vote,{fields}\n")
                .as_bytes(),
        )
    };
    let value = |value: &str| {
        refusal("metrics.csv", format!("time_us,node,metric,value\n0,n1,term,{value}\n").as_bytes())
    };
    let cases = [
        ("an empty file", refusal("history.csv", b"")),
        ("another table", refusal("history.csv", b"a;b;c\n1;2;3\n")),
        ("no CSV at all", refusal("history.csv", b"\x7fELF\x02\x01\x01\0\0\0")),
        (
            "bytes that are not UTF-8",
            refusal("metrics.csv", b"time_us,node,metric,value\n0,n1,role,\xff\xfe\n"),
        ),
        ("a column too few", history("0,1,c1,invoke,read,k1\n")),
        ("a column too many", history("0,1,c1,invoke,read,k1,,\n")),
        (
            "a word instead of a number",
            history("0,1,c1,invoke,read,k1,\n1,soon,c1,ok,read,k1=nil,\n"),
        ),
        ("a number that is too large", history("99999999999999999999,1,c1,invoke,read,k1,\n")),
        ("a negative time", history("0,-1,c1,invoke,read,k1,\n")),
        ("an unknown type", history("0,1,c1,timeout,read,k1,\n")),
        ("a quote without its end", history("0,1,c1,invoke,read,\"k1,\n1,2,c1,ok,read,k1=3,\n")),
        (
            "a node of another run",
            refusal(
                "events.csv",
                b"index,time_us,node,incarnation,event,fields\n0,1,n9,1,start,\n",
            ),
        ),
        ("a field without a value", fields("term")),
        ("a field without a name", fields("=3")),
        ("a digest cut short", fields("digest=#00ab")),
        ("a field with an unknown node", fields("term=3 candidate=@n9")),
        ("a quoted text without its end", fields("message='half")),
        ("an unknown escape", fields("message='\\q'")),
        ("two blanks", fields("term=3  candidate=@n1")),
        ("too many fields", fields(&["a=1"; 65].join(" "))),
        (
            "an unknown outcome",
            refusal(
                "messages.csv",
                b"id,sent_us,recv_us,src,dest,type,bytes,outcome,detail\n0,1,2,n1,n2,V,3,eaten,\n",
            ),
        ),
        ("a number with letters", value("3a")),
        ("no value", value("")),
        (
            "a missing file",
            refusal_after("metrics.csv", |path| fs::remove_file(path).expect("just written")),
        ),
        (
            "a folder instead of a file",
            refusal_after("metrics.csv", |path| {
                fs::remove_file(path).expect("just written");
                fs::create_dir(path).expect("writable");
            }),
        ),
        (
            "an enormous file",
            refusal_after("messages.csv", |path| {
                fs::File::create(path)
                    .and_then(|file| file.set_len((1 << 30) + 1))
                    .expect("a sparse file")
            }),
        ),
    ];
    let lines: Vec<String> =
        cases.iter().map(|(case, message)| format!("{case}\n    {message}\n")).collect();
    insta::assert_snapshot!(lines.concat());
}

fn refusal(file: &str, bytes: &[u8]) -> String {
    refusal_after(file, |path| fs::write(path, bytes).expect("writable"))
}

/// The message that a good trace gets after a change of one of its files.
fn refusal_after(file: &str, change: impl FnOnce(&Path)) -> String {
    let folder = write(&small());
    change(&folder.path().join(file));
    let header =
        Trace { history: vec![], events: vec![], messages: vec![], metrics: vec![], ..small() };
    let error = read_csv(header, folder.path()).expect_err("damaged");
    error.to_string().replace(&folder.path().display().to_string(), "DIR")
}

//! Attacks: programs that do what an untrusted program might do to the testbed, to its neighbours
//! and to its own grade.
//!
//! Each tries every way its author thought of, and reports the kernel's answers as events. Measures
//! that this machine lacks are printed, and the tests pass on the rest: `seedbed doctor` shows the
//! same list.
#![cfg(unix)]

#[path = "attacks/measures.rs"]
mod machine;
#[path = "attacks/place.rs"]
mod place;
#[path = "attacks/stalls.rs"]
mod stalls;
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use place::{PRELUDE, Place, launcher};
use seedbed::program::StallKind;
use seedbed::program::sandbox::{self, Confined, Confinement, Measure};
use seedbed::run::{Run, run_scenario};

const ONE: &str =
    "duration = \"1s\"\nrecovery = \"500ms\"\n[nodes]\ncount = 1\nrestart_after = \"10s\"\n";

/// The measures that this machine supports.
fn measures() -> &'static [Measure] {
    static MEASURES: OnceLock<Vec<Measure>> = OnceLock::new();
    MEASURES.get_or_init(|| sandbox::measures(&Confined::by(launcher())))
}

/// Whether these measures are in force; missing ones are printed.
fn has(names: &[&str]) -> bool {
    let lacking = measures()
        .iter()
        .filter(|measure| names.contains(&measure.name.as_str()) && !measure.in_force);
    lacking
        .map(|measure| {
            println!("not tested, because this machine lacks `{}`: {}", measure.name, measure.why)
        })
        .count()
        == 0
}

fn crash(run: &Run) -> (String, String) {
    let crash =
        run.trace.events.iter().find(|event| event.name == "crash").expect("the node crashes");
    let text = |name| crash.fields.text(name).unwrap_or("?").to_owned();
    (text("reason"), text("message"))
}

/// The result of each of a program's attempts.
fn tried(run: &Run) -> BTreeMap<String, String> {
    let of = |event: &seedbed::trace::Event| {
        Some((event.name.to_string(), event.fields.text("got")?.to_owned()))
    };
    let tried: BTreeMap<String, String> = run.trace.events.iter().filter_map(of).collect();
    assert!(!tried.is_empty(), "it reports nothing: {:?} {:?}", run.aborted, run.trace.events);
    tried
}

fn attacker(attack: &str) -> Place {
    Place::new(&format!("{PRELUDE}{attack}"), ONE)
}

/// An attack whose attempts must all have one of these results.
fn refused(attack: &str, allowed: &[&str]) -> BTreeMap<String, String> {
    let run = attacker(&format!("{attack}\nserve()\n")).attack();
    let tried = tried(&run);
    for (name, got) in &tried {
        assert!(
            allowed.contains(&got.as_str()),
            "{name} gave {got}, not one of {allowed:?}: {tried:?}"
        );
    }
    assert_eq!(run.aborted, None, "the program keeps running as a node");
    tried
}

/// A fork bomb, with every call that creates a process; and threads until there are no more.
#[test]
fn a_fork_bomb_makes_nothing() {
    if !support::has("python3") || !has(&["system_calls"]) {
        return;
    }
    let fork = r#"
attempt("fork", os.fork)
attempt("spawn", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("system", lambda: os.system("true") == 0 or call(-1))
if os.uname().machine == "x86_64":
    attempt("vfork", lambda: call(58))
    attempt("clone", lambda: call(56, 17, 0, 0, 0, 0))
    attempt("clone3", lambda: call(435, 0, 0))
"#;
    refused(fork, &["EPERM", "ENOSYS"]);
    let threads = "
def all_threads():
    for _ in range(100_000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
attempt(\"threads\", all_threads)
";
    // How many there were, and how a program out of memory ends, is unpredictable.
    for with_zygote in [false, true] {
        let place = attacker(&format!("{threads}\nserve()\n"));
        let tried = tried(&place.attack_once(place.confined(0), with_zygote));
        assert!(["RuntimeError", "MemoryError"].contains(&tried["threads"].as_str()), "{tried:?}");
    }
}

#[test]
fn memory_has_an_end() {
    if !support::has("python3") || !has(&["limits"]) {
        return;
    }
    let place = attacker("parts = []\nwhile True:\n    parts.append(bytearray(1 << 22))\n");
    let mut confined = place.confined(0);
    confined.limits.memory_bytes = 128 << 20;
    let run = place.attack_with(confined);
    let (reason, message) = crash(&run);
    assert_eq!((reason.as_str(), run.aborted.as_deref()), ("memory", None), "{message}");
    assert!(message.contains("ran out of memory (limit: 128 MiB)"), "{message}");
    refused("attempt(\"shared\", lambda: mmap.mmap(-1, 1 << 31))", &["ENOMEM"]);
}

/// Whatever a program prints, and however much, it costs the testbed no more than the limits.
#[test]
fn endless_output_and_garbage_end_the_program_only() {
    if !support::has("python3") {
        return;
    }
    let cases = [
        (
            "while True:\n    os.write(1, b'x' * 65536)\n",
            "output",
            "it printed more than 1048576 bytes",
        ),
        ("while True:\n    os.write(2, b'\\n' * 65536)\n", "output", "it printed more than"),
        (
            "while True:\n    os.write(4, b'{}\\n' * 10000)\n",
            "protocol",
            "it answered more than once to one turn",
        ),
        (
            "for _ in range(1 << 14):\n    os.write(4, b' ' * 65536)\n",
            "protocol",
            "its answer is longer than 1048576 bytes",
        ),
        (
            "os.write(4, bytes(range(128, 256)) + b'\\n')\nturn()\n",
            "protocol",
            "its answer is invalid",
        ),
        (
            "os.write(4, b'{\"ops\": [{\"op\": \"observe\", \"name\": \"x\", \"value\": ' \
                + b'[' * 500000 + b'\\n')\nturn()\n",
            "protocol",
            "its answer is invalid: recursion limit exceeded",
        ),
        ("os.close(4)\ntime.sleep(60)\n", "ended", "it closed its descriptors and kept running"),
        (
            "os.close(3)\nos.close(1)\nos.close(2)\nos._exit(0)\n",
            "ended",
            "it exited without an answer",
        ),
    ];
    for (attack, reason, says) in cases {
        let place = attacker(attack);
        let mut confined = place.confined(0);
        confined.limits.output_bytes = 1 << 20;
        let run = place.attack_with(confined);
        let (is, message) = crash(&run);
        assert_eq!((is.as_str(), &run.aborted), (reason, &None), "{message}");
        assert!(message.contains(says), "{message}");
    }
}

/// Only the scratch folder can be written, and it is removed afterwards; not even the program's own
/// files can be written.
#[test]
fn nothing_is_written_or_deleted() {
    if !support::has("python3") || !has(&["files"]) {
        return;
    }
    let outside = r#"
base = os.path.dirname(os.getcwd())
for number, path in enumerate([base + "/course/results.json", base + "/other/new", base + "/new", base + "/scratch/new", "new", "lesson.txt",
                               "/tmp/seedbed-attack", "/dev/shm/seedbed-attack", "/var/tmp/seedbed-attack", "/etc/seedbed-attack", "/seedbed-attack"]):
    attempt("write-%d" % number, lambda: open(path, "a"))
for name in ["node.py", "lesson.txt"]:
    attempt("remove-" + name, lambda: os.remove(name))
    attempt("move-" + name, lambda: os.rename(name, os.environ["HOME"] + "/" + name))
    attempt("cut-" + name, lambda: os.truncate(name, 0))
attempt("link", lambda: os.symlink("/etc/passwd", "link"))
attempt("folder", lambda: os.mkdir("folder"))
attempt("deep", lambda: os.mkdir(os.environ["HOME"] + "/deep"))
attempt("lock-out", lambda: os.chmod("lesson.txt", 0))
attempt("lock-out-open", lambda: os.fchmod(os.open("lesson.txt", os.O_RDONLY), 0))
attempt("lock-out-above", lambda: os.chmod(base, 0))
attempt("touch", lambda: os.utime("lesson.txt", (0, 0)))
attempt("attribute", lambda: os.setxattr("lesson.txt", "user.mine", b"1"))
attempt("empty", lambda: os.open("lesson.txt", os.O_RDONLY | os.O_TRUNC))
attempt("empty-secret", lambda: os.truncate(base + "/course/secret", 0))
attempt("device", lambda: os.mknod(os.environ["HOME"] + "/device", 0o600 | 0o060000, 0x800))
attempt("mode", lambda: os.mkfifo("fifo"))
"#;
    refused(outside, &["EACCES", "EPERM", "EXDEV", "EROFS", "ENOENT"]);
    let inside = r#"
home = os.environ["HOME"]
assert home == os.environ["TMPDIR"] and os.listdir(home) == [], home
with open(home + "/mine", "w") as file:
    file.write("mine")
attempt("read", lambda: open(home + "/mine").read())
"#;
    assert_eq!(refused(inside, &["done"])["read"], "done");
}

/// A disk is filled neither by one long file nor by many.
#[test]
fn the_disk_is_not_filled() {
    if !support::has("python3") || !has(&["limits"]) {
        return;
    }
    let long = r#"
def fill():
    with open(os.environ["HOME"] + "/long", "wb", buffering=0) as file:
        while True:
            file.write(b"x" * (1 << 20))
attempt("long", fill)
os.remove(os.environ["HOME"] + "/long")
"#;
    assert_eq!(refused(long, &["EFBIG"])["long"], "EFBIG");
    let many = r#"
for number in range(1 << 20):
    with open(os.environ["HOME"] + "/%d" % number, "wb") as file:
        file.write(b"x" * 500_000)
"#;
    let place = attacker(many);
    let mut confined = place.confined(0);
    confined.limits.disk_bytes = 8 << 20;
    let (reason, message) = crash(&place.attack_with(confined));
    assert_eq!(reason, "scratch", "{message}");
}

/// Neither the scenario nor the secret, nor another submission, nor the testbed's own memory and
/// command line.
#[test]
fn nothing_is_read_that_decides_the_grade() {
    if !support::has("python3") || !has(&["files", "system_calls"]) {
        return;
    }
    let read = r#"
base, parent = os.path.dirname(os.getcwd()), os.getppid()
paths = ["/course/scenario.toml", "/course/secret", "/other/node.py", "/submission/../course/secret"]
for number, path in enumerate([base + path for path in paths] + ["/etc/shadow", "/proc/%d/environ" % parent, "/proc/%d/cmdline" % parent,
                                                                 "/proc/%d/mem" % parent, "/proc/self/../%d/maps" % parent, "/proc/1/environ",
                                                                 "/proc/%d/root/etc/shadow" % parent, "/dev/mem", "/dev/kmsg"]):
    attempt("read-%d" % number, lambda: open(path, "rb").read(1))
for name in ["/", "/root", "/home", "/tmp", "/proc", base, base + "/course", base + "/other", base + "/scratch"]:
    attempt("list-" + str(len(tried)), lambda: os.listdir(name))
attempt("link", lambda: os.link(base + "/course/secret", os.environ["HOME"] + "/secret"))
attempt("descriptors", lambda: [os.fstat(number) for number in range(5, 256)])
attempt("trace", lambda: libc.ptrace(16, parent, 0, 0) == -1 and call(-1))
"#;
    refused(read, &["EACCES", "EPERM", "ENOENT", "EXDEV", "EBADF", "ENOSYS"]);
}

#[test]
fn no_socket_is_opened() {
    if !support::has("python3") || !has(&["system_calls"]) {
        return;
    }
    let sockets = r#"
for family in ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG"]:
    for kind in [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW]:
        if hasattr(socket, family):
            attempt("%s-%d" % (family, kind), lambda: socket.socket(getattr(socket, family), kind))
if os.uname().machine == "x86_64":
    attempt("second-number", lambda: call(0x40000000 | 41, 2, 1, 0))
attempt("io-uring", lambda: call(425, 8, 0))
"#;
    refused(sockets, &["EPERM", "ENOSYS"]);
}

/// No signal reaches the testbed, its group or anybody else, and the program cannot escape being
/// killed.
#[test]
fn nobody_is_killed_and_nothing_gets_away() {
    if !support::has("python3") || !has(&["system_calls"]) {
        return;
    }
    let kill = r#"
parent = os.getppid()
for number in [signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM]:
    attempt("parent-%d" % number, lambda: os.kill(parent, number))
    attempt("group-%d" % number, lambda: os.kill(-os.getpgid(parent), number))
    attempt("init-%d" % number, lambda: os.kill(1, number))
attempt("all", lambda: os.kill(-1, signal.SIGKILL))
attempt("pidfd", lambda: os.pidfd_open(parent))
attempt("limit", lambda: __import__("resource").prlimit(parent, 7, (3, 3)))
attempt("nice", lambda: os.setpriority(os.PRIO_PROCESS, parent, 19))
attempt("pin", lambda: os.sched_setaffinity(parent, {0}))
attempt("session", os.setsid)
attempt("own-group", lambda: os.setpgid(0, os.getpgid(parent)))
attempt("outlive", lambda: libc.prctl(1, 0, 0, 0, 0) == -1 and (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")))
attempt("namespace", lambda: libc.unshare(0x10000000) == -1 and (_ for _ in ()).throw(OSError(ctypes.get_errno(), "")))
attempt("root", lambda: os.chroot("."))
attempt("host", lambda: socket.sethostname("mine"))
attempt("user", lambda: os.setuid(0) if os.getuid() else call(-1))

def leave_child():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
attempt("daemon", leave_child)
"#;
    refused(kill, &["EPERM", "EACCES", "ENOSYS", "ESRCH"]);
    // A program may kill itself; then nobody can tell whether it was the kernel, out of memory.
    let run = attacker("os.kill(os.getpid(), signal.SIGKILL)\n").attack();
    assert_eq!(run.stall.map(|stall| stall.kind), Some(StallKind::Killed));
    let (reason, message) = crash(&attacker("os.abort()\n").attack());
    assert_eq!((reason.as_str(), message.as_str()), ("ended", "it was killed by signal 6"));
}

/// Processes forked from one zygote share nothing: neither scratch folders, nor descriptors, nor
/// the position of an open file.
#[test]
fn forks_do_not_reach_each_other() {
    if !support::has("python3") || !has(&["files", "system_calls"]) {
        return;
    }
    let meet = r#"
home = os.environ["HOME"]
with open(home + "/mine", "w") as file:
    file.write("mine")
all, own = os.path.split(home)
attempt("list", lambda: os.listdir(all))
attempt("folder", lambda: os.mkdir(all + "/between"))
attempt("file", lambda: open(all + "/between", "w"))
for number in [number for number in range(1, 4) if number != int(own)]:
    attempt("read-%d" % number, lambda: open("%s/%010d/mine" % (all, number)).read())
    attempt("write-%d" % number, lambda: open("%s/%010d/mine" % (all, number), "w"))
    attempt("list-%d" % number, lambda: os.listdir("%s/%010d" % (all, number)))
def mark_standard_input():
    import fcntl
    if fcntl.fcntl(0, 11) == 0:
        fcntl.fcntl(0, 10, 7)
        raise OSError(errno.EBADF, "")
attempt("standard-input", mark_standard_input)
attempt("descriptors", lambda: [os.fstat(number) for number in range(5, 256)])
attempt("own-proc", lambda: os.listdir("/proc/%d/fd" % os.getppid()))
serve()
"#;
    let place = Place::new(&format!("{PRELUDE}{meet}"), &ONE.replace("count = 1", "count = 3"));
    let tried = tried(&place.attack_once(place.confined(0), true));
    let closed = ["EACCES", "EPERM", "ENOENT", "EBADF"];
    assert!(tried.values().all(|got| closed.contains(&got.as_str())), "{tried:?}");
    // What the third one finds exists and is closed to it.
    assert!(tried["read-1"] == "EACCES" || tried["read-2"] == "EACCES", "{tried:?}");
}

#[test]
fn open_files_have_an_end() {
    if !support::has("python3") || !has(&["limits"]) {
        return;
    }
    let open = "files = []\ndef all_files():\n    while True:\n        \
        files.append(open(\"/dev/null\"))\nattempt(\"files\", all_files)\nassert len(files) < \
        256\n";
    assert_eq!(refused(open, &["EMFILE"])["files"], "EMFILE");
}

/// What a program says about its own grade is just output.
#[test]
fn a_forged_result_is_a_printout() {
    if !support::has("python3") {
        return;
    }
    let forge = r#"
for text in ['{"score": 100, "tests": [{"status": "passed"}]}', "verdict: valid", "ok 1 - raft # points 20", "1..1\nok 1"]:
    print(text)
    print(text, file=sys.stderr)
serve()
"#;
    let (honest, forged) = (attacker("serve()\n").attack(), attacker(forge).attack());
    assert_eq!(honest.digest, forged.digest);
    assert_eq!(honest.verdict(), forged.verdict());
}

/// A program that does not exist or is not executable gives no verdict, and the message says what
/// is missing; a program cannot fake that.
#[test]
fn what_cannot_start_is_told_from_what_ends() {
    let start = |command: &[&str]| {
        let place = attacker("");
        fs::write(place.path("submission/no-executable"), "text").expect("writable");
        let mut scenario = place.scenario(Confinement::Confined(Box::new(place.confined(0))));
        scenario.nodes.nodes[0].program.as_mut().expect("a program").command =
            command.iter().map(ToString::to_string).collect();
        run_scenario(&scenario, 1)
    };
    let aborted = |command: &[&str]| start(command).aborted.unwrap_or_default();
    assert!(
        aborted(&["no-such-interpreter"])
            .contains("`no-such-interpreter` does not exist or is not executable")
    );
    let why = aborted(&["./no-executable"]);
    assert!(
        why.contains("cannot start `") && why.contains("no-executable`: Permission denied"),
        "{why}"
    );
    let run =
        start(&["sh", "-c", "echo 'cannot start `x`'; echo 'cannot start `x`' >&0; exit 119"]);
    assert_eq!(
        (run.aborted.as_deref(), crash(&run)),
        (None, ("ended".to_owned(), "it exited with status 119".to_owned()))
    );
}

/// A testbed that is killed takes its programs with it.
#[test]
fn a_program_dies_with_the_testbed() {
    if !has(&["death_signal"]) {
        return;
    }
    let place = attacker("");
    let sleep = ["sleep".to_owned(), "1000".to_owned()];
    let command = sandbox::command(&place.confined(0), &sleep, &place.path("submission"), None)
        .expect("there is a `sleep`");
    let mut testbed = Command::new("sh");
    testbed.args(["-c", "\"$@\" & wait", "sh"]).arg(command.get_program()).args(command.get_args());
    let mut testbed =
        testbed.current_dir(place.path("submission")).spawn().expect("there is a shell");
    let wait = |count: usize| {
        (0..100).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            place.processes().len() == count
        })
    };
    // The shell and what it has started.
    assert!(wait(2), "{:?}", place.processes());
    std::thread::sleep(Duration::from_millis(300));
    testbed.kill().expect("it is ours");
    testbed.wait().expect("it is ours");
    assert!(wait(0), "{:?}", place.processes());
}

/// A build may start processes, and is otherwise restricted like a program.
#[test]
fn a_build_starts_processes_and_gets_no_further() {
    if !has(&["files", "system_calls"]) {
        return;
    }
    let place = attacker("");
    let mut confined = place.confined(0);
    confined.limits.processes = 16;
    let build = |script: &str| {
        let words = ["sh", "-c", script].map(str::to_owned);
        let command = sandbox::command(
            &confined,
            &words,
            &place.path("submission"),
            Some(&place.path("scratch")),
        );
        let output = command.expect("there is a shell").output().expect("it starts");
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (done, says) = build(
        "mkdir $HOME/target && cat lesson.txt | tr k K > $HOME/target/made && cp $HOME/target/made \
            $HOME/copy && cat $HOME/copy; pwd",
    );
    assert!(done && says.starts_with("Kept"), "{says}");
    assert!(says.trim_end().ends_with("/submission"), "{says}");
    assert_eq!(fs::read_to_string(place.path("scratch/target/made")).expect("it is made"), "Kept");
    for attack in [
        "cat ../course/secret",
        "echo > new",
        "rm lesson.txt",
        "kill -0 $PPID",
        "setsid -w true",
        "chmod 0 lesson.txt",
        "cat /proc/$PPID/environ",
    ] {
        let (done, says) = build(attack);
        assert!(!done, "{attack}: {says}");
    }
    assert_eq!(
        fs::read_to_string(place.path("submission/lesson.txt")).expect("it is there"),
        "kept"
    );
}

/// As root without Landlock, permissions still keep a program from writing; files that not
/// everybody can read are reported.
#[test]
fn another_user_is_a_wall_of_its_own() {
    use std::os::unix::fs::PermissionsExt;
    if !support::has("python3") || !has(&["user"]) {
        return;
    }
    let attack = r#"
base = os.path.dirname(os.getcwd())
for number, path in enumerate([base + "/course/results.json", "new", "lesson.txt", "/etc/seedbed-attack"]):
    attempt("write-%d" % number, lambda: open(path, "a"))
attempt("secret", lambda: open(base + "/course/secret").read())
serve()
"#;
    let place = attacker(attack);
    let mut confined = place.confined(0);
    confined.without = vec!["files".to_owned()];
    let open = |folder: &Path, mode: u32| {
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("ours")
    };
    open(place.all.path(), 0o755);
    open(&place.path("course/secret"), 0o600);
    open(&place.path("scratch"), 0o755);
    let run = place.attack_with(confined.clone());
    if let Some(why) = &run.aborted {
        // The interpreter is where only root can read.
        return println!("not tested: {why}");
    }
    if run.trace.events.iter().any(|event| event.name == "crash") {
        return println!("not tested: {:?}", crash(&run));
    }
    assert!(tried(&run).values().all(|got| got == "EACCES"), "{:?}", tried(&run));
}

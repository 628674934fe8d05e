//! A handmade result with everything in it: names that attack a spreadsheet, a browser and a table,
//! every verdict, hidden items.

use seedbed::grade::model::{
    AssignmentInfo, FORMAT, Graded, HiddenSeeds, ItemResult, ItemState, Language, Loss, Measure,
    MessageRow, Outcome, OutcomeKind, Points, Scoring, Seed, SeedResult, SeedVerdict, Student,
    SubmissionInfo, Text, Visibility,
};

/// A marker in every place that only instructors see: nothing shown to a student may contain it.
pub const SECRET: &str = "top-secret";
/// What a program may print to attack the page.
pub const HOSTILE: &str = "<script>alert(\"1\")</script> & 'quotes', commas;\nline 2 \u{1b}[31m | \
    pipe `code` $x$ \u{202e}turned";

fn seed(seed: Seed, verdict: SeedVerdict, loss: Option<Loss>) -> SeedResult {
    let message = if verdict == SeedVerdict::Ok {
        String::new()
    } else {
        format!("{}: n1 and n3 both lead term 4", verdict.word())
    };
    SeedResult { seed, verdict, message, loss }
}

fn loss(command: Option<&str>) -> Loss {
    Loss {
        check: Some("election_safety".into()),
        rule: Text::plain("At most one leader can be elected in a given term"),
        source: "Raft §5.2".into(),
        finding: "n1 and n3 both lead term 4".into(),
        also: vec!["n2 voted twice in term 4".into()],
        time_ns: Some(3_240_500_000),
        node: Some("n3".into()),
        messages: vec![
            MessageRow {
                time_ns: 3_240_000_000,
                arrived_ns: Some(3_245_120_000),
                from: "n1".into(),
                to: "n2".into(),
                kind: "RequestVote".into(),
                detail: "term=4 last_log_index=2".into(),
                fate: "delivered".into(),
            },
            MessageRow {
                time_ns: 3_241_000_000,
                arrived_ns: None,
                from: "n3".into(),
                to: "n2".into(),
                kind: "RequestVote".into(),
                detail: HOSTILE.into(),
                fate: "lost".into(),
            },
        ],
        printed: format!(
            "Traceback (most recent call last):\n  File \"node.py\", line 7\nValueError: {HOSTILE}"
        ),
        picture: Some(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 4 1\" \
                role=\"img\"><title>Space-time diagram</title></svg>"
                .into(),
        ),
        command: command.map(str::to_owned),
    }
}

fn item(name: &str, title: Text, points: u32, earned: Option<u32>) -> ItemResult {
    ItemResult {
        name: name.into(),
        title,
        points: Points(points),
        earned: earned.map(Points),
        state: ItemState::Graded,
        scoring: Scoring::All,
        gate: None,
        visibility: Visibility::Visible,
        feedback: None,
        scenario: "raft-election/crash.toml".into(),
        checks: vec!["election_safety".into()],
        seeds: vec![],
    }
}

/// A student who has lost points in every way.
pub fn awkward() -> Graded {
    let starts = ItemResult {
        seeds: vec![
            seed(Seed::Public(0), SeedVerdict::Ok, None),
            seed(Seed::Hidden(0), SeedVerdict::Ok, None),
        ],
        ..item("starts", Text::new("It starts", "Arranca"), 200, Some(200))
    };
    let leader = ItemResult {
        seeds: vec![
            seed(Seed::Public(0), SeedVerdict::Ok, None),
            seed(
                Seed::Public(1),
                SeedVerdict::Wrong,
                Some(loss(Some("seedbed grade raft-election --only one-leader --seed 1 ."))),
            ),
            seed(
                Seed::Public(2),
                SeedVerdict::Wrong,
                Some(Loss {
                    messages: vec![],
                    picture: None,
                    ..loss(Some("seedbed grade … --seed 2 ."))
                }),
            ),
            seed(Seed::Hidden(0), SeedVerdict::Wrong, Some(loss(None))),
            seed(
                Seed::Hidden(1),
                SeedVerdict::Crash,
                Some(Loss {
                    check: None,
                    rule: Text::new("A node does not end", "Un nodo no termina"),
                    ..loss(None)
                }),
            ),
        ],
        feedback: Some(Text::new(
            "Look at `<votedFor>` again & save it `now.",
            "Revisa `<votedFor>` y guárdalo `ya.",
        )),
        scoring: Scoring::Fraction,
        ..item(
            "one-leader",
            Text::new(
                "At most one leader a term, \"really\"",
                "Como mucho un líder por mandato, «de verdad»",
            ),
            300,
            Some(75),
        )
    };
    let gated = ItemResult {
        state: ItemState::GateClosed,
        gate: Some("one-leader".into()),
        ..item("heartbeats", Text::plain("=HYPERLINK(\"http://evil\")"), 150, Some(0))
    };
    let open = ItemResult {
        state: ItemState::NotGraded {
            why: Text::new("a check could not decide", "una comprobación no pudo decidir"),
        },
        seeds: vec![
            seed(Seed::Public(9), SeedVerdict::Unknown, None),
            seed(Seed::Public(10), SeedVerdict::InfraError, None),
        ],
        ..item("linearizable", Text::plain("مرحبا linearizable | `x`"), 250, None)
    };
    let hidden = ItemResult {
        visibility: Visibility::Hidden,
        seeds: vec![seed(
            Seed::Public(4_242),
            SeedVerdict::Wrong,
            Some(Loss { finding: SECRET.into(), ..loss(Some(SECRET)) }),
        )],
        feedback: Some(Text::plain(SECRET)),
        ..item("secret-item-top-secret", Text::plain("top-secret title"), 400, Some(100))
    };
    let later = ItemResult {
        visibility: Visibility::AfterDueDate,
        gate: Some("secret-item-top-secret".into()),
        ..item("later-top-secret", Text::plain("top-secret later"), 100, Some(100))
    };
    Graded {
        format: FORMAT,
        seedbed: "0.1.0".into(),
        assignment: AssignmentInfo {
            name: "raft-election".into(),
            title: Text::new("Elect a leader with Raft", "Elegir un líder con Raft"),
            digest: "0123456789abcdef0123456789abcdef".into(),
        },
        submission: SubmissionInfo {
            id: "=cmd() <b>Ñandú".into(),
            language: Some(Language::Python),
            digest: "fedcba9876543210fedcba9876543210".into(),
            command: vec!["python3".into(), "node.py".into()],
        },
        student: Student {
            name: "O'Brien, \"Zoë\" <script>alert(1)</script>".into(),
            username: "=cmd()|calc".into(),
            email: "zoe@example.org".into(),
            idnumber: "00017".into(),
        },
        hidden: HiddenSeeds::Run { fingerprint: SECRET.into() },
        sandbox: vec![
            Measure {
                name: "landlock".into(),
                in_force: true,
                detail: "reads three folders, writes one".into(),
            },
            Measure { name: "user".into(), in_force: false, detail: "not started as root".into() },
        ],
        outcome: Outcome::graded(),
        items: vec![starts, leader, gated, open, hidden, later],
        score: Points(475),
        max: Points(1_400),
        ungraded: Points(250),
        provisional: vec![],
        notes: vec![Text::new(
            "`node.py` has Windows line endings",
            "`node.py` tiene los finales de línea de Windows",
        )],
        infra: vec![format!("{SECRET}: no space left on /dev/sda1")],
    }
}

/// A student with all points.
pub fn full() -> Graded {
    let mut graded = awkward();
    graded.submission.id = "Ana García_123_assignsubmission_file_".into();
    graded.student = Student {
        name: "Ana García".into(),
        username: "ana".into(),
        email: "ana@example.org".into(),
        idnumber: String::new(),
    };
    for item in &mut graded.items {
        item.state = ItemState::Graded;
        item.earned = Some(item.points);
        item.seeds = vec![seed(Seed::Public(0), SeedVerdict::Ok, None)];
    }
    (graded.score, graded.ungraded, graded.infra, graded.notes) =
        (graded.max, Points::ZERO, vec![], vec![]);
    graded
}

/// A submission that does not compile.
pub fn broken() -> Graded {
    let mut graded = full();
    graded.submission.id = "luis".into();
    graded.submission.language = Some(Language::Rust);
    graded.student = Student { username: "luis".into(), ..Student::default() };
    graded.outcome = Outcome {
        detail: "error[E0425]: cannot find value `x` in this scope\n --> src/main.rs:1:13\n".into(),
        ..Outcome::not_graded(
            OutcomeKind::BuildFailed,
            Text::new("the program does not compile", "el programa no compila"),
            Text::new("fix the compiler's errors", "corrige los errores del compilador"),
        )
    };
    for item in &mut graded.items {
        (item.state, item.earned, item.seeds) = (ItemState::NoProgram, Some(Points::ZERO), vec![]);
    }
    graded.score = Points::ZERO;
    graded
}

/// The class of all three.
pub fn class() -> Vec<Graded> {
    vec![awkward(), full(), broken()]
}

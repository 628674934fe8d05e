//! Real files in, real files out: what is decoded, and what a listener's WAV contains.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use seedbed::checkers::Overall;
use seedbed::run::{run_scenario, sweep_run, system_of};
use seedbed::scenario::Scenario;
use seedbed::systems::audio::{AudioSettings, Damage, decode};
use seedbed::systems::read_file;
use seedbed::trace::{NodeId, Trace};

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/audio")
}

fn scenario(name: &str) -> Scenario {
    read_file(&scenarios().join(name), &[], &[]).unwrap_or_else(|error| panic!("{error}"))
}

fn samples(wav: &[u8]) -> Vec<i16> {
    hound::WavReader::new(Cursor::new(wav))
        .expect("it is a WAV")
        .samples()
        .map(|sample| sample.expect("whole"))
        .collect()
}

/// The same file gives the same samples on every machine; otherwise a run could not be replayed
/// there. If a machine fails here, the sines of its math library differ by more than 16 bits can
/// hide; WAV files need none.
#[test]
fn songs_are_decoded_to_these_samples() {
    let minutes = Duration::from_secs(600);
    let names = ["melody.wav", "melody.mp3", "melody-eof-in-tag.mp3", "melody.ogg", "voice-es.ogg"];
    let decoded = names.map(|name| {
        let bytes = fs::read(scenarios().join(name)).expect("readable");
        let song = decode(&bytes, minutes, Damage::Refuse)
            .unwrap_or_else(|error| panic!("{name}: {error}"))
            .song;
        let count = song.pcm.len() / song.block();
        format!(
            "{name}: {} Hz, {} channel, {count} samples, #{:016x}",
            song.rate,
            song.channels,
            song.digest()
        )
    });
    insta::assert_snapshot!(decoded.join("\n"));
}

/// Nothing is lost or late: a listener hears the song, sample by sample.
#[test]
fn without_faults_a_listener_hears_the_song() {
    for name in ["jitter-within-the-buffer.toml", "fast-streamer.toml"] {
        let scenario = scenario(name);
        let run = run_scenario(&scenario, 5);
        let song = &scenario.settings::<AudioSettings>().songs[0].cut.song;
        let files = (system_of(&scenario).artifacts)(&scenario, &run.trace);
        assert_eq!(files.len(), 2, "{name}: two listeners, one session");
        for (file, bytes) in files {
            let heard: Vec<u8> = samples(&bytes).into_iter().flat_map(i16::to_le_bytes).collect();
            assert!(heard == song.pcm[..], "{name}: {file} is not the song");
        }
    }
}

/// The position of each played frame in the listener's file: gaps last as long as frames.
fn played(
    trace: &Trace,
    node: NodeId,
    session: i64,
    samples_of: impl Fn(u32) -> usize,
    gap: usize,
) -> Vec<(u32, usize)> {
    let (mut at, mut frames) = (0, vec![]);
    for event in trace
        .events
        .iter()
        .filter(|event| event.node == node && event.fields.int("session") == Some(session))
    {
        match event.name.as_ref() {
            "conceal" => at += gap,
            "play" => {
                let frame = event.fields.int("frame").expect("it has one") as u32;
                frames.push((frame, at));
                at += samples_of(frame);
            }
            _ => {}
        }
    }
    frames
}

/// Whatever happens, each played frame is in the file exactly as in the song.
#[test]
fn with_faults_every_played_frame_is_the_songs() {
    for name in ["tour.toml", "corrupted-frames.toml", "leader-crash.toml", "assignment.toml"] {
        let scenario = scenario(name);
        let run = run_scenario(&scenario, 5);
        let settings: &AudioSettings = scenario.settings();
        for (file, bytes) in (system_of(&scenario).artifacts)(&scenario, &run.trace) {
            let (listener, session) =
                file.trim_end_matches(".wav").split_once("-session").expect("so it is called");
            let node = run.trace.node(listener).expect("it exists");
            let session: i64 = session.parse().expect("a number");
            let stored = run.trace.events.iter().find(|event| {
                event.name == "stored" && event.fields.int("session") == Some(session)
            });
            let uploader =
                stored.and_then(|event| event.fields.node("uploader")).expect("somebody sent it");
            let place = run
                .trace
                .with_role("uploader")
                .position(|each| each == uploader)
                .expect("it is one");
            let cut = &settings.songs[place % settings.songs.len()].cut;
            let heard = samples(&bytes);
            let frames = played(
                &run.trace,
                node,
                session,
                |frame| cut.bytes(frame).len() / 2,
                cut.frame_samples as usize,
            );
            assert!(
                frames.len() as u32 > cut.len() * 3 / 4,
                "{name}: {file} has {} of {} frames",
                frames.len(),
                cut.len()
            );
            for (frame, at) in frames {
                let right: Vec<i16> = cut
                    .bytes(frame)
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|sample| i16::from_le_bytes(*sample))
                    .collect();
                assert!(
                    heard[at..at + right.len()] == right[..],
                    "{name}: frame {frame} of {file}"
                );
            }
        }
    }
}

/// The damage can be heard: the file has what was played, not what should have been.
#[test]
fn a_player_without_digests_makes_the_damage_audible() {
    let path = scenarios().join("corrupted-frames.toml");
    let scenario =
        read_file(&path, &[], &["no-digest".to_owned()]).unwrap_or_else(|error| panic!("{error}"));
    let run = run_scenario(&scenario, 1);
    let song = &scenario.settings::<AudioSettings>().songs[0].cut.song;
    let files = (system_of(&scenario).artifacts)(&scenario, &run.trace);
    let damaged =
        run.trace.events.iter().filter(|event| event.fields.text("bytes").is_some()).count();
    assert!(damaged > 10, "{damaged} damaged frames");
    assert!(files.iter().all(|(_, bytes)| {
        samples(bytes).into_iter().flat_map(i16::to_le_bytes).collect::<Vec<u8>>() != song.pcm[..]
    }));
}

/// Snapshots contain the songs. A server that was down while a song of eight megabytes was stored
/// must receive it in a few seconds over a lossy network, however large the song is.
#[test]
fn a_large_song_reaches_a_server_that_was_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut song =
        hound::WavWriter::create(folder.path().join("melody.wav"), spec).expect("writable");
    // A sawtooth that differs from second to second, so that no two pieces are the same.
    (0..45 * 88_200_u32).for_each(|i| {
        song.write_sample((i.wrapping_mul(i / 88_200 + 31) >> 4) as i16).expect("writable")
    });
    song.finalize().expect("writable");
    let path = folder.path().join("tour.toml");
    fs::copy(scenarios().join("tour.toml"), &path).expect("readable");
    let scenario = read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    let run = sweep_run(&scenario, 7);
    let installed = run.trace.events.iter().any(|event| event.name == "snapshot_install");
    let first = run.first_violation().map(|violation| violation.message.clone());
    assert!(
        installed && run.verdict() == Overall::Valid,
        "installed: {installed}, {:?}: {first:?}",
        run.verdict()
    );
}

/// A report keeps the song: it can be replayed and judged without the rest of the project.
#[test]
fn a_report_can_be_replayed_by_itself() {
    let out = tempfile::tempdir().expect("a folder");
    let seedbed = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_seedbed"))
            .args(arguments)
            .current_dir(out.path())
            .output()
            .expect("it runs");
        assert!(
            output.status.success(),
            "{arguments:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let file = scenarios().join("marker-in-the-song.toml");
    seedbed(&["run", file.to_str().expect("UTF-8"), "--out", "reports"]);
    fs::rename(out.path().join("reports/audio/marker-in-the-song/1"), out.path().join("elsewhere"))
        .expect("it was written");
    seedbed(&["replay", "elsewhere"]);
    seedbed(&["check", "elsewhere"]);
    fs::write(
        out.path().join("elsewhere/inputs/melody-eof-in-tag.mp3"),
        fs::read(scenarios().join("melody.mp3")).expect("readable"),
    )
    .expect("writable");
    let output = Command::new(env!("CARGO_BIN_EXE_seedbed"))
        .args(["replay", "elsewhere"])
        .current_dir(out.path())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2), "another song is another run");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("does not hold what it held"),
        "{output:?}"
    );
}

//! What is wrong with songs, and with scenarios of audio.

use std::fs;
use std::path::Path;

use seedbed::scenario::INPUT_BYTES_MAX;
use seedbed::systems::{read_file, read_text};

/// The message with the path of the temporary folder taken out.
fn message(folder: &Path, text: &str) -> String {
    let path = folder.join("scenario.toml");
    fs::write(&path, text).expect("writable");
    let error = read_file(&path, &[], &[]).expect_err(text);
    error.to_string().replace(&folder.display().to_string(), "FOLDER")
}

const NODES: &str = "[nodes]\ncount = 3\n[[nodes.node]]\nname = \"u\"\nrole = \
    \"uploader\"\n[[nodes.node]]\nname = \"l\"\nrole = \"listener\"\n";

fn with_songs(songs: &str) -> String {
    format!("system = \"audio\"\n[audio]\n{songs}\n{NODES}")
}

#[test]
fn songs_that_cannot_be_played() {
    // Each is refused before anything runs, with its place and a hint; nothing outside of the
    // scenario's folder is read.
    let outer = tempfile::tempdir().expect("a folder");
    let folder = outer.path().join("scenarios");
    fs::create_dir_all(folder.join("below")).expect("a folder");
    let material = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/audio");
    let wav = fs::read(material.join("melody.wav")).expect("readable");
    for (name, bytes) in [
        ("good.wav", &wav[..]),
        ("empty.wav", b""),
        ("text.mp3", b"This is not a song, whatever its name says.\n"),
        ("wave.ogg", &wav),
        ("song.txt", &wav),
        ("cut.ogg", &fs::read(material.join("voice-es.ogg")).expect("readable")[..20_000]),
        ("cut.mp3", &fs::read(material.join("melody.mp3")).expect("readable")[..50_000]),
        ("cut.wav", &wav[..50_000]),
        ("begins.ogg", &fs::read(material.join("voice-es.ogg")).expect("readable")[..700]),
        ("head.wav", &wav[..44]),
        ("../outside.wav", &wav),
    ] {
        fs::write(folder.join(name), bytes).expect("writable");
    }
    let large = fs::File::create(folder.join("large.wav")).expect("a file");
    large.set_len(INPUT_BYTES_MAX * 100).expect("a sparse file");
    #[cfg(unix)]
    std::os::unix::fs::symlink(outer.path().join("outside.wav"), folder.join("link.wav"))
        .expect("a link");
    let texts = [
        ("no file of this name", "songs = \"nothing.wav\""),
        ("empty", "songs = \"empty.wav\""),
        ("no sound at all", "songs = \"text.mp3\""),
        ("another kind than the name says", "songs = \"wave.ogg\""),
        ("no kind that is known", "songs = \"song.txt\""),
        ("an Ogg file that is cut short", "songs = \"cut.ogg\""),
        ("an MP3 that is cut short", "songs = \"cut.mp3\""),
        ("a WAV that is cut short", "songs = \"cut.wav\""),
        ("the beginning of an Ogg file", "songs = \"begins.ogg\""),
        ("a header and nothing else", "songs = \"head.wav\""),
        ("larger than memory should hold", "songs = \"large.wav\""),
        ("outside of the folder", "songs = \"../outside.wav\""),
        ("by its whole path", "songs = \"/etc/passwd\""),
        ("by a link", "songs = \"link.wav\""),
        ("a folder", "songs = \"below\""),
        ("no text", "songs = 7"),
        ("one of two", "songs = [\"good.wav\", \"god.wav\"]"),
        ("too many", "songs = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\", \"i\"]"),
        ("another content", "songs = \"good.wav\"\nsongs_xxh3 = [\"0123456789abcdef\"]"),
        ("over before it begins", "songs = \"good.wav\"\nplay = [\"20s\", \"30s\"]"),
        ("none", ""),
    ];
    let shown: Vec<String> = texts
        .map(|(name, songs)| format!("--- {name}\n{}\n", message(&folder, &with_songs(songs))))
        .to_vec();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn scenarios_of_audio_that_make_no_sense() {
    // Roles that nobody has, times that contradict each other, and a text that lies in no folder.
    let folder = tempfile::tempdir().expect("a folder");
    let material = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/audio/melody.wav");
    fs::copy(material, folder.path().join("melody.wav")).expect("readable");
    let alone = "system = \"audio\"\n[audio]\nsongs = \"melody.wav\"\n[nodes]\ncount = 3\n";
    let nobody = "system = \"audio\"\n[audio]\nsongs = \"melody.wav\"\n[[nodes.node]]\nname = \
        \"u\"\nrole = \"uploader\"\n";
    let texts = [
        ("streamers alone", alone.to_owned()),
        ("an uploader alone", nobody.to_owned()),
        (
            "an election at every heartbeat",
            with_songs("songs = \"melody.wav\"\nelection_timeout = \"20ms\""),
        ),
        (
            "a buffer that is never full enough",
            with_songs("songs = \"melody.wav\"\ntarget_depth = \"2s\""),
        ),
        (
            "numbers out of their ranges",
            with_songs(
                "songs = \"melody.wav\"\nframe = \"0ms\"\npiece = 100\nfirst_sequence = 70000",
            ),
        ),
        ("a frame as long as the buffer", with_songs("songs = \"melody.wav\"\nframe = \"1s\"")),
        (
            "an unknown role",
            format!(
                "{}[[nodes.node]]\nname = \"x\"\nrole = \"speaker\"\n",
                with_songs("songs = \"melody.wav\"")
            ),
        ),
    ];
    let mut shown: Vec<String> = texts
        .map(|(name, text)| format!("--- {name}\n{}\n", message(folder.path(), &text)))
        .to_vec();
    let error = read_text("example", &with_songs("songs = \"melody.wav\""), &[], &[])
        .expect_err("a text lies nowhere");
    shown.push(format!("--- a text without a folder\n{error}\n"));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn songs_that_are_too_large_for_their_run() {
    // What cannot be uploaded, or given to a server that comes back, before it is judged is refused
    // with what fits; a run that lasts longer is fine.
    let folder = tempfile::tempdir().expect("a folder");
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut song =
        hound::WavWriter::create(folder.path().join("song.wav"), spec).expect("writable");
    (0..20 * 88_200).for_each(|i| song.write_sample(i as i16).expect("writable"));
    song.finalize().expect("writable");
    let with = |top: &str, rest: &str| {
        let play = "songs = \"song.wav\"\nplay = [\"0s\", \"2s\"]";
        format!("{top}\n{}{rest}", with_songs(play))
    };
    let crash = "[[nemesis]]\nfault = \"kill\"\ntargets = \"n1\"\nat = \"1s\"\nduration = \"1s\"\n";
    let far = "[network]\nlatency = \"150ms\"\n";
    let narrow = "[network]\nbandwidth = 100000\n";
    let wide = "[network.stream]\nwindow = 1000000\n";
    let texts = [
        ("too far away", with("duration = \"5s\"", far)),
        ("too narrow", with("duration = \"5s\"", narrow)),
        (
            "a server cannot catch up",
            with("duration = \"20s\"\nrecovery = \"10s\"", &format!("{far}{wide}{crash}")),
        ),
    ];
    let shown =
        texts.map(|(name, text)| format!("--- {name}\n{}\n", message(folder.path(), &text)));
    insta::assert_snapshot!(shown.join("\n"));
    let path = folder.path().join("scenario.toml");
    for (top, rest) in [
        ("duration = \"60s\"", narrow.to_owned()),
        ("duration = \"60s\"\nrecovery = \"100s\"", format!("{far}{wide}{crash}")),
    ] {
        fs::write(&path, with(top, &rest)).expect("writable");
        read_file(&path, &[], &[]).unwrap_or_else(|error| panic!("{error}"));
    }
}

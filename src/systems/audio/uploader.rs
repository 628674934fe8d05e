//! An uploader: it has a song, and does not rest before a streamer has confirmed it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::AudioTimer;
use super::checksum::Checksum;
use super::defects::{Defect, Planted};
use super::events::{self, Context};
use super::settings::{AudioSettings, Source};
use super::upload::{BLOCK, Hello, MARKER, PORT, REPLY_BYTES, Reply};
use crate::node::{NodeId, Probe, StreamEvent, StreamId};

/// Where an uploader notes that its song is stored, so that it does not begin again after a
/// restart.
const DONE: &str = "confirmed";

/// The first pause after an attempt that failed; it doubles with each further one.
const PAUSE: Duration = Duration::from_millis(100);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_millis(1_600);

/// A node of the role `uploader`.
pub struct Uploader {
    settings: Arc<AudioSettings>,
    planted: Planted,
    streamers: Rc<Vec<NodeId>>,
    /// Which of the scenario's songs it has.
    song: usize,
    /// Its number for the upload: the same after every restart, so that a streamer that has the
    /// song already knows it.
    upload: u64,
    /// The streamer that is tried now or next, by its place.
    server: usize,
    stream: Option<StreamId>,
    /// Bytes of replies that are not whole yet.
    heard: Vec<u8>,
    attempts: u64,
    /// Attempts since there was progress.
    failures: u32,
    stored_bytes: u64,
    confirmed: bool,
    /// The checksum of the file.
    digest: u64,
}

impl Uploader {
    /// The uploader at this place among the uploaders.
    pub fn new(
        settings: Arc<AudioSettings>,
        place: usize,
        name: &str,
        streamers: Rc<Vec<NodeId>>,
    ) -> Uploader {
        let song = place % settings.songs.len().max(1);
        let upload = settings.songs.get(song).map_or(0, |source| {
            xxh3_64(&[name.as_bytes(), &source.file.digest.to_le_bytes()].concat())
        });
        let digest = match (settings.songs.get(song), settings.checksum) {
            (None, _) => 0,
            (Some(source), Checksum::Xxh3) => source.file.digest,
            (Some(source), checksum) => checksum.of(&source.file.bytes),
        };
        Uploader {
            planted: settings.planted,
            settings,
            streamers,
            song,
            upload,
            server: place,
            stream: None,
            heard: vec![],
            attempts: 0,
            failures: 0,
            stored_bytes: 0,
            confirmed: false,
            digest,
        }
    }

    fn source(&self) -> &Source {
        &self.settings.songs[self.song]
    }

    pub fn boot(&mut self, ctx: &mut Context<'_>) {
        self.confirmed = ctx.read(DONE).is_some();
        if self.confirmed {
            return;
        }
        let Source { file, cut } = self.source().clone();
        let format = (cut.song.rate, cut.song.channels, cut.frame_samples);
        events::source(
            ctx,
            self.upload,
            (file.bytes.len() as u64, self.digest),
            cut.song.digest(),
            cut.len(),
            format,
        );
        for frame in 0..cut.len() {
            events::source_frame(
                ctx,
                self.upload,
                frame,
                cut.info(frame).expect("it is below the length"),
            );
        }
        let first = ctx.now().as_nanos() == 0;
        ctx.set_timer(AudioTimer::Upload, if first { self.settings.upload_at } else { PAUSE });
    }

    // Timers.

    pub fn on_upload_timer(&mut self, ctx: &mut Context<'_>) {
        if self.confirmed || self.streamers.is_empty() {
            return;
        }
        self.drop_stream(ctx);
        self.attempts += 1;
        let server = self.streamers[self.server % self.streamers.len()];
        events::upload_attempt(ctx, self.upload, self.attempts, server);
        self.stream = Some(ctx.connect(server, PORT));
        self.watch(ctx);
    }

    /// The server is silent: perhaps it is down, perhaps it waits for a majority that does not
    /// answer.
    pub fn on_watch_timer(&mut self, ctx: &mut Context<'_>) {
        if self.stream.is_some() && !self.confirmed {
            self.drop_stream(ctx);
            self.next_server(ctx);
        }
    }

    fn watch(&self, ctx: &mut Context<'_>) {
        if !self.planted.plants(Defect::PatientUploader) {
            ctx.set_timer(AudioTimer::Watch, self.settings.upload_timeout);
        }
    }

    // The stream.

    pub fn on_stream(&mut self, ctx: &mut Context<'_>, event: StreamEvent) {
        match event {
            StreamEvent::Data(stream, bytes) if self.stream == Some(stream) => {
                self.heard.extend_from_slice(&bytes);
                while self.stream == Some(stream) && self.heard.len() >= REPLY_BYTES {
                    let reply: Vec<u8> = self.heard.drain(..REPLY_BYTES).collect();
                    match Reply::decode(&reply) {
                        Some(reply) => self.on_reply(ctx, stream, reply),
                        None => self.drop_stream(ctx),
                    }
                }
            }
            StreamEvent::PeerClosed(stream)
            | StreamEvent::Refused(stream)
            | StreamEvent::Reset(stream)
            | StreamEvent::TimedOut(stream)
                if self.stream == Some(stream) && !self.confirmed =>
            {
                self.drop_stream(ctx);
                self.next_server(ctx);
            }
            _ => {}
        }
    }

    fn on_reply(&mut self, ctx: &mut Context<'_>, stream: StreamId, reply: Reply) {
        self.watch(ctx);
        let Source { file, .. } = self.source().clone();
        match reply {
            Reply::Welcome => {
                let (length, digest) = if self.planted.plants(Defect::MarkerFraming) {
                    (u64::MAX, 0)
                } else {
                    (file.bytes.len() as u64, self.digest)
                };
                ctx.write(stream, Hello { upload: self.upload, length, digest }.encode());
            }
            Reply::From(offset) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(file.bytes.len());
                for block in file.bytes[offset..].chunks(BLOCK) {
                    ctx.write(stream, block.to_vec());
                }
                if self.planted.plants(Defect::MarkerFraming) {
                    ctx.write(stream, MARKER.to_vec());
                }
                ctx.close(stream);
            }
            Reply::Progress(bytes) => {
                if bytes > self.stored_bytes {
                    (self.stored_bytes, self.failures) = (bytes, 0);
                }
            }
            Reply::Stored(size, digest) => {
                self.confirmed = true;
                self.stored_bytes = size;
                events::upload_confirmed(ctx, self.upload, size, digest);
                ctx.replace(DONE, digest.to_le_bytes().to_vec());
                ctx.cancel_timer(AudioTimer::Watch);
                ctx.cancel_timer(AudioTimer::Upload);
            }
            Reply::Moved(leader) => {
                self.drop_stream(ctx);
                match leader
                    .and_then(|leader| self.streamers.iter().position(|each| *each == leader))
                {
                    Some(place) => {
                        self.server = place;
                        self.again(ctx);
                    }
                    None => self.next_server(ctx),
                }
            }
            Reply::Refused => {
                self.drop_stream(ctx);
                self.next_server(ctx);
            }
        }
    }

    // Planted.

    fn next_server(&mut self, ctx: &mut Context<'_>) {
        self.server = (self.server + 1) % self.streamers.len();
        self.again(ctx);
    }

    /// Try again, after a pause that doubles with each failure.
    fn again(&mut self, ctx: &mut Context<'_>) {
        let pause = (PAUSE * (1 << self.failures.min(4))).min(PAUSE_MAX);
        self.failures += 1;
        ctx.cancel_timer(AudioTimer::Watch);
        ctx.set_timer(AudioTimer::Upload, pause);
    }

    fn drop_stream(&mut self, ctx: &mut Context<'_>) {
        if let Some(stream) = self.stream.take() {
            ctx.reset(stream);
        }
        self.heard.clear();
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        probe.int("uploaded_bytes", self.stored_bytes as i64);
    }
}

//! `audio`: one stream, many devices, and Raft chooses who plays it out.
//!
//! **The problem.** Clients upload a song to a server, which plays it to many listeners at once. A
//! single server is a single point of failure: when it stops, the sound stops everywhere, and what
//! was uploaded is gone. The original assignment aims at a transmission that goes on when a machine
//! of the cluster fails, with another one taking over, and could not show it.
//!
//! **The idea.** The servers (*streamers*) run Raft. What must survive goes through the replicated
//! log: the song, in pieces, as it is uploaded, and then, ten times a second, how far it has been
//! sent. The leader sends each listener the frame of 20 ms whose media time has come. When it
//! fails, the next leader knows song and position, and goes on there. It sends a few frames again;
//! listeners know them by their sequence numbers. Whether anybody hears the failure is a matter of
//! arithmetic: the gap is the time to detect it, plus an election, plus a resumption, less what
//! listeners have in their buffers.
//!
//! **Listening** is its own art. Frames arrive unevenly, so a jitter buffer holds them until their
//! turn; a deeper one forgives more and delays more. A listener plays by its own clock, which
//! drifts against the leader's; it asks for frames that it lacks while they can still be in time,
//! conceals what is missing, drops what comes late, and lets its playhead wait when nothing is
//! left, so that a pause is heard once and not for ever.
//!
//! | file | idea |
//! |---|---|
//! | `song`, `decode` | samples and frames; from a file to samples |
//! | `station` | the replicated state: uploads, songs, the position |
//! | `streamer` | a server: Raft, uploads, subscriptions, and whether it sends |
//! | `upload`, `incoming` | what both sides of an upload say; blocks and pieces |
//! | `transmission` | which frames are due |
//! | `uploader` | a client that does not rest before its song is stored |
//! | `listener`, `playout` | finding the source; the jitter buffer and the playhead |
//! | `sequence`, `jitter` | sequence numbers that wrap, and interarrival jitter, by RFC 3550 |
//! | `message`, `events` | datagrams; what the nodes show |
//! | `checksum` | what protects frames and uploads on the wire |
//! | `wav` | what each listener heard, as a file |
//! | `settings`, `defects` | `[audio]`; the mistakes that can be planted, and nothing else |
//!
//! **Simplifications.** Frames carry samples as they are, without a codec. Each listener gets
//! datagrams of its own, without multicast. The header is modelled on RTP, but there are no reports
//! of receivers (RTCP). A song is decoded by the reader of the scenario and known by its digest; a
//! streamer that stores another file decodes that one. In the assignment both sides play the song,
//! the client at once and by itself; here an uploader only uploads, and who wants to hear is a
//! listener. A listener that restarts begins as a new one in the middle of the song.
//!
//! **References.** H. Schulzrinne et al.: RTP, RFC 3550 (2003). L.-A. Larzon et al.: UDP-Lite, RFC
//! 3828 (2004). J. Rey et al.: RTP Retransmission Payload Format, RFC 4588 (2006). R. Ramjee et
//! al.: Adaptive Playout Mechanisms for Packetized Audio (INFOCOM 1994). Raft: see `raft`.

pub(crate) mod checks;
mod checksum;
mod complaints;
#[cfg(feature = "sound")]
mod decode;
#[cfg(not(feature = "sound"))]
#[path = "no_decode.rs"]
mod decode;
mod defects;
mod events;
mod incoming;
mod jitter;
mod listener;
mod message;
mod playout;
pub(crate) mod plots;
mod sequence;
mod settings;
mod song;
mod station;
mod streamer;
mod transmission;
mod upload;
mod uploader;
mod wav;
#[cfg(feature = "sound")]
mod whole;

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

pub use decode::{Damage, Decoded, decode};
pub use defects::DEFECTS;
pub use message::AudioMessage;
pub use settings::{AudioSettings, Concealment, Source};
pub use song::{Cut, Song};

use super::raft::RaftTimer;
use super::{Artifact, System};
use crate::node::{Ctx, Identity, Node, NodeId, Probe, StreamEvent};
use crate::scenario::Scenario;
use crate::sim::{self, Cluster, Io};
use crate::trace::{Trace, Word};
use crate::vocabulary::{Shown, Vocabulary};
use listener::Listener;
use streamer::Streamer;
use uploader::Uploader;

const STREAMER: &str = "streamer";
const UPLOADER: &str = "uploader";
const LISTENER: &str = "listener";

const OWN_MESSAGES: &[Shown] = &[
    Shown { name: "Frame", summary: "A streamer sends a frame of sound." },
    Shown { name: "Subscribe", summary: "A listener wants to hear, or still does." },
    Shown { name: "Subscribed", summary: "The leader has noted it." },
    Shown { name: "NotLeader", summary: "A streamer that does not lead says who does." },
    Shown { name: "Nack", summary: "A listener asks for frames that it lacks." },
];

/// What audio shows of itself.
pub static VOCABULARY: Vocabulary =
    Vocabulary { events: events::EVENTS, metrics: &[events::METRICS], messages: &[OWN_MESSAGES] };

/// The system.
pub static SYSTEM: System = System {
    name: "audio",
    summary: "A song is uploaded to a cluster of streamers, replicated by Raft and played out to \
            listeners with jitter buffers; the sound survives the leader.",
    roles: &[STREAMER, UPLOADER, LISTENER],
    operations: &[],
    vocabulary: &[&super::raft::SERVER_VOCABULARY, &VOCABULARY],
    commands: super::raft::COMMANDS,
    checks: checks::CHECKS,
    plots: plots::PLOTS,
    defects: DEFECTS,
    starting_settings: "songs = \"melody.wav\"    # put a WAV, MP3 or Ogg Vorbis file of this name beside this \
            one; the project has some in scenarios/audio\n",
    complaints: complaints::complaints,
    artifacts,
    read_settings: settings::read,
    starting_recovery: "10s",
    voided_checks: |_| vec![],
    run: |scenario, options| sim::run(scenario, options, || AudioCluster::new(scenario)),
};

fn artifacts(scenario: &Scenario, trace: &Trace) -> Vec<Artifact> {
    wav::heard(scenario.settings(), trace)
}

/// The nodes as the driver makes them.
pub struct AudioCluster {
    settings: Arc<AudioSettings>,
    streamers: Rc<Vec<NodeId>>,
    uploaders: Vec<NodeId>,
}

impl AudioCluster {
    /// The nodes of a scenario.
    pub fn new(scenario: &Scenario) -> AudioCluster {
        let of_role = |role: &str| {
            let ids = (0u32..).map(NodeId).zip(&scenario.nodes.nodes);
            ids.filter(|(_, node)| node.role == role).map(|(id, _)| id).collect::<Vec<_>>()
        };
        let settings = Arc::new(scenario.settings::<AudioSettings>().clone());
        AudioCluster {
            settings,
            streamers: Rc::new(of_role(STREAMER)),
            uploaders: of_role(UPLOADER),
        }
    }
}

impl Cluster for AudioCluster {
    type Node = AudioNode;

    fn node(&self, identity: &Identity, role: &str) -> AudioNode {
        let settings = self.settings.clone();
        match role {
            UPLOADER => {
                let place =
                    self.uploaders.iter().position(|node| *node == identity.id).unwrap_or(0);
                let name = &identity.names[identity.id.index()];
                AudioNode::Uploader(Box::new(Uploader::new(
                    settings,
                    place,
                    name,
                    self.streamers.clone(),
                )))
            }
            LISTENER => {
                AudioNode::Listener(Box::new(Listener::new(settings, self.streamers.clone())))
            }
            _ => AudioNode::Streamer(Box::new(Streamer::new(
                settings,
                identity.id,
                self.streamers.to_vec(),
            ))),
        }
    }

    fn clients(&self) -> Vec<(String, Word)> {
        vec![]
    }

    fn client(&self, _index: usize, _io: Io<AudioMessage>) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(std::future::ready(()))
    }
}

/// A node of any role.
pub enum AudioNode {
    /// A server.
    Streamer(Box<Streamer>),
    /// It has a song.
    Uploader(Box<Uploader>),
    /// It plays.
    Listener(Box<Listener>),
}

/// The timers of all roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudioTimer {
    /// Raft's.
    Raft(RaftTimer),
    /// The next frame is due.
    Tick,
    /// An uploader tries again.
    Upload,
    /// An uploader or a listener looks whether the other side is silent.
    Watch,
    /// The next frame is to be heard.
    Play,
    /// Missing frames are asked for.
    Nack,
}

impl From<RaftTimer> for AudioTimer {
    fn from(timer: RaftTimer) -> Self {
        AudioTimer::Raft(timer)
    }
}

impl Node for AudioNode {
    type Msg = AudioMessage;
    type Timer = AudioTimer;

    fn boot(&mut self, ctx: &mut Ctx<'_, Self>) {
        match self {
            AudioNode::Streamer(streamer) => streamer.boot(ctx),
            AudioNode::Uploader(uploader) => uploader.boot(ctx),
            AudioNode::Listener(listener) => listener.boot(ctx),
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_, Self>, from: NodeId, message: AudioMessage) {
        match (self, message) {
            (AudioNode::Streamer(streamer), AudioMessage::Raft(message)) => {
                streamer.on_raft(ctx, from, message)
            }
            (AudioNode::Streamer(streamer), AudioMessage::Subscribe) => {
                streamer.on_subscribe(ctx, from)
            }
            (AudioNode::Streamer(streamer), AudioMessage::Nack { session, frames }) => {
                streamer.on_nack(ctx, from, session, &frames)
            }
            (AudioNode::Listener(listener), AudioMessage::Frame(frame)) => {
                listener.on_frame(ctx, from, frame)
            }
            (AudioNode::Listener(listener), AudioMessage::Subscribed { term }) => {
                listener.on_subscribed(ctx, from, term)
            }
            (AudioNode::Listener(listener), AudioMessage::NotLeader { leader }) => {
                listener.on_not_leader(ctx, leader)
            }
            // Nobody of this system sends any other; who gets one all the same is not the one to
            // judge it.
            _ => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_, Self>, timer: AudioTimer) {
        match (self, timer) {
            (AudioNode::Streamer(streamer), AudioTimer::Raft(timer)) => {
                streamer.on_raft_timer(ctx, timer)
            }
            (AudioNode::Streamer(streamer), AudioTimer::Tick) => streamer.on_tick(ctx),
            (AudioNode::Uploader(uploader), AudioTimer::Upload) => uploader.on_upload_timer(ctx),
            (AudioNode::Uploader(uploader), AudioTimer::Watch) => uploader.on_watch_timer(ctx),
            (AudioNode::Listener(listener), AudioTimer::Play) => listener.on_play(ctx),
            (AudioNode::Listener(listener), AudioTimer::Watch) => listener.on_watch(ctx),
            (AudioNode::Listener(listener), AudioTimer::Nack) => listener.on_nack(ctx),
            (_, timer) => unreachable!("no node of this role sets the timer {timer:?}"),
        }
    }

    fn on_stream(&mut self, ctx: &mut Ctx<'_, Self>, event: StreamEvent) {
        match self {
            AudioNode::Streamer(streamer) => streamer.on_stream(ctx, event),
            AudioNode::Uploader(uploader) => uploader.on_stream(ctx, event),
            AudioNode::Listener(_) => {}
        }
    }

    fn on_command(&mut self, ctx: &mut Ctx<'_, Self>, command: &str) {
        if let AudioNode::Streamer(streamer) = self {
            streamer.on_command(ctx, command);
        }
    }

    fn probe(&self, probe: &mut Probe<'_>) {
        match self {
            AudioNode::Streamer(streamer) => streamer.probe(probe),
            AudioNode::Uploader(uploader) => uploader.probe(probe),
            AudioNode::Listener(listener) => listener.probe(probe),
        }
    }
}

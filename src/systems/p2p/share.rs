//! The sharing side of a peer: who is connected here, what they have published, and who fetches it.
//!
//! Each connection of a user has a port of its own, drawn anew, so that an address of an earlier
//! connection leads nowhere. The peer keeps its own list of what was published under each; a
//! request for anything else gets status 1, whatever lies in the folder. A user's list goes with
//! its connection.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::defects::Planted;
use super::events::{self, Serving};
use super::folder;
use super::framing::{Strings, encode};
use super::message::P2pMessage;
use super::node::{P2pTimer, Step};
use super::service::Service;
use super::settings::P2pSettings;
use crate::node::{NodeId, Port, StreamEvent, StreamId};

/// Ports of connections are drawn from these.
const FIRST_PORT: u64 = 20_000;
const LAST_PORT: u64 = 60_000;

/// A user who is connected at this peer.
#[derive(Debug, Default)]
struct Session {
    port: u16,
    published: BTreeSet<String>,
}

/// A request for a file that is not whole yet.
struct Caller {
    from: NodeId,
    port: u16,
    strings: Strings,
    words: Vec<String>,
}

/// A file that is sent: its content, and how much of it was written.
struct Sending {
    content: Vec<u8>,
    written: usize,
}

/// Sessions by user, callers, and files on their way.
pub struct Share {
    sessions: BTreeMap<String, Session>,
    callers: BTreeMap<StreamId, Caller>,
    sending: BTreeMap<StreamId, Sending>,
    /// Ports that were drawn already.
    drawn: BTreeSet<u16>,
    /// The size of a connection's send buffer, bytes.
    buffer: usize,
}

impl Share {
    /// Nobody is connected here.
    pub fn new(buffer: usize) -> Share {
        Share {
            sessions: BTreeMap::new(),
            callers: BTreeMap::new(),
            sending: BTreeMap::new(),
            drawn: BTreeSet::new(),
            buffer,
        }
    }

    /// A port for a connection to come, other than those of this program before; nobody is answered
    /// there until it stands.
    pub fn draw_port(&mut self, ctx: &mut Step<'_>) -> u16 {
        loop {
            let port = ctx.rng().between(FIRST_PORT, LAST_PORT) as u16;
            if self.drawn.insert(port) {
                return port;
            }
            // Nobody connects so often but a script without end; old ports may then come again.
            if self.drawn.len() as u64 > (LAST_PORT - FIRST_PORT) / 2 {
                self.drawn = self.sessions.values().map(|session| session.port).collect();
            }
        }
    }

    /// The directory has connected the user.
    pub fn open(&mut self, ctx: &mut Step<'_>, settings: &P2pSettings, user: &str, port: u16) {
        if self.sessions.is_empty() {
            ctx.set_timer(P2pTimer::Heartbeat, settings.heartbeat_interval);
        }
        ctx.listen(Port(port));
        events::session_open(ctx, user, port);
        self.sessions.insert(user.to_owned(), Session { port, published: BTreeSet::new() });
    }

    /// The user is about to leave, or the directory has forgotten it.
    pub fn end(&mut self, ctx: &mut Step<'_>, user: &str, reason: &'static str) {
        if let Some(session) = self.sessions.remove(user) {
            events::session_end(ctx, user, session.port, reason);
        }
    }

    /// A file was published.
    pub fn publish(&mut self, ctx: &mut Step<'_>, user: &str, file: &str) {
        if let Some(session) = self.sessions.get_mut(user)
            && session.published.insert(file.to_owned())
        {
            events::share(ctx, "share", user, file);
        }
    }

    /// A file is about to be withdrawn.
    pub fn withdraw(&mut self, ctx: &mut Step<'_>, planted: Planted, user: &str, file: &str) {
        if let Some(session) = self.sessions.get_mut(user)
            && !planted.keeps_withdrawn()
            && session.published.remove(file)
        {
            events::share(ctx, "unshare", user, file);
        }
    }

    /// Show the directory that the users are still here.
    pub fn on_heartbeat(&mut self, ctx: &mut Step<'_>, settings: &P2pSettings, directory: NodeId) {
        for (user, session) in &self.sessions {
            ctx.send(directory, P2pMessage::Heartbeat { user: user.clone(), port: session.port });
        }
        if !self.sessions.is_empty() {
            ctx.set_timer(P2pTimer::Heartbeat, settings.heartbeat_interval);
        }
    }

    /// The directory knows nothing of a connection, which therefore has ended.
    pub fn on_unknown(&mut self, ctx: &mut Step<'_>, user: &str, port: u16) {
        if self.sessions.get(user).is_some_and(|session| session.port == port) {
            self.end(ctx, user, "expired");
        }
    }

    /// Something happened on a stream that others have opened.
    pub fn on_stream(&mut self, ctx: &mut Step<'_>, settings: &P2pSettings, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, port } => {
                // A port cannot be closed again; what it was opened for can have ended.
                if !self.sessions.values().any(|session| session.port == port.0) {
                    return ctx.reset(stream);
                }
                let caller =
                    Caller { from, port: port.0, strings: Strings::default(), words: vec![] };
                self.callers.insert(stream, caller);
                ctx.set_timer(P2pTimer::Idle(stream), settings.idle_timeout);
            }
            StreamEvent::Data(stream, bytes) => self.on_data(ctx, settings.planted, stream, &bytes),
            StreamEvent::Writable(stream) => self.send(ctx, stream),
            StreamEvent::PeerClosed(stream) if self.forget(ctx, stream) => ctx.close(stream),
            StreamEvent::Reset(stream) | StreamEvent::TimedOut(stream) => {
                self.forget(ctx, stream);
                self.sending.remove(&stream);
            }
            _ => {}
        }
    }

    /// No whole request has come in time.
    pub fn on_idle(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        if self.forget(ctx, stream) {
            ctx.reset(stream);
        }
    }

    fn forget(&mut self, ctx: &mut Step<'_>, stream: StreamId) -> bool {
        ctx.cancel_timer(P2pTimer::Idle(stream));
        self.callers.remove(&stream).is_some()
    }

    fn on_data(&mut self, ctx: &mut Step<'_>, planted: Planted, stream: StreamId, bytes: &[u8]) {
        let Some(caller) = self.callers.get_mut(&stream) else { return };
        caller.strings.push(bytes);
        loop {
            match caller.strings.string() {
                Ok(None) => return,
                Ok(Some(word)) => caller.words.push(word),
                Err(_) => return self.on_idle(ctx, stream),
            }
            match caller.words.as_slice() {
                [service] if service == Service::GetFile.wire() => {}
                [_, _] => break,
                _ => return self.on_idle(ctx, stream),
            }
        }
        let (from, port, file) = (caller.from, caller.port, caller.words[1].clone());
        self.forget(ctx, stream);
        self.serve(ctx, planted, stream, (from, port), &file);
    }

    /// Send a file, if it is on the list and there.
    fn serve(
        &mut self,
        ctx: &mut Step<'_>,
        planted: Planted,
        stream: StreamId,
        (to, port): (NodeId, u16),
        file: &str,
    ) {
        let Some((user, session)) = self.sessions.iter().find(|(_, session)| session.port == port)
        else {
            return ctx.reset(stream);
        };
        let (name, path) = match planted.opens_whole_paths() {
            true => (folder::base_name(file), folder::resolved(file)),
            false => (file, folder::shared(file)),
        };
        let listed = session.published.contains(name) || planted.serves_anything();
        let content = ctx.read(&path).filter(|_| listed);
        let status = u8::from(content.is_none());
        let content = content.unwrap_or_default();
        let (bytes, digest) = (content.len() as u64, xxh3_64(&content));
        events::serve(ctx, &Serving { to, user, status, bytes, digest, path: &path });
        ctx.write(stream, vec![b'0' + status]);
        if status == 0 {
            ctx.write(
                stream,
                encode([bytes.to_string().as_str(), format!("{digest:016x}").as_str()]),
            );
        }
        self.sending.insert(stream, Sending { content, written: 0 });
        self.send(ctx, stream);
    }

    /// Write as much as the send buffer takes and a byte more, so that the stream tells when there
    /// is room again.
    fn send(&mut self, ctx: &mut Step<'_>, stream: StreamId) {
        let Some(sending) = self.sending.get_mut(&stream) else { return };
        let end = sending.content.len().min(sending.written + self.buffer + 1);
        let piece = sending.content[sending.written..end].to_vec();
        sending.written = end;
        if !piece.is_empty() {
            ctx.write(stream, piece);
        }
        if end == sending.content.len() {
            self.sending.remove(&stream);
            ctx.close(stream);
        }
    }

    /// How many users are connected here, and how many files are on their lists.
    pub fn counts(&self) -> (usize, usize) {
        (self.sessions.len(), self.sessions.values().map(|session| session.published.len()).sum())
    }
}

//! The sharing side of a peer: which users are connected here, what they have published, and which
//! peers fetch it.
//!
//! Each connection of a user has its own port, drawn anew, so that the address of an earlier
//! connection leads nowhere. The peer keeps its own list of what each user has published; a request
//! for anything else gets status 1, whatever lies in the folder. The list ends with the connection.

use std::collections::{BTreeMap, BTreeSet};

use xxhash_rust::xxh3::xxh3_64;

use super::defects::{Defect, Planted};
use super::folder;
use super::framing::{Strings, encode};
use super::message::P2pMessage;
use super::node::{Ctx, P2pTimer};
use super::service::Service;
use super::settings::P2pSettings;
use super::vocabulary::{
    Served, SessionEnd, SessionEndReason, SessionOpen, Shared, Unshared, word,
};
use crate::node::{NodeId, Port, StreamEvent, StreamId};
use crate::vocabulary::Digest64;

/// Ports of connections are drawn from these.
const FIRST_PORT: u64 = 20_000;
const LAST_PORT: u64 = 60_000;

/// A user who is connected at this peer.
#[derive(Debug, Default)]
struct Session {
    port: u16,
    published: BTreeSet<String>,
}

/// A peer whose request for a file is not whole yet.
struct Caller {
    from: NodeId,
    port: u16,
    strings: Strings,
    words: Vec<String>,
}

/// A file on its way: its content, and how much of it was written.
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
    planted: Planted,
}

impl Share {
    /// Nobody is connected here.
    pub fn new(planted: Planted, buffer: usize) -> Share {
        Share {
            planted,
            sessions: BTreeMap::new(),
            callers: BTreeMap::new(),
            sending: BTreeMap::new(),
            drawn: BTreeSet::new(),
            buffer,
        }
    }

    fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    /// A port for a connection to come, none that this program has drawn before. Nobody is answered
    /// there until the connection stands.
    pub fn draw_port(&mut self, ctx: &mut Ctx<'_>) -> u16 {
        loop {
            let port = ctx.rng().between(FIRST_PORT, LAST_PORT) as u16;
            if self.drawn.insert(port) {
                return port;
            }
            // Only an endless script connects this often; old ports may then come again.
            if self.drawn.len() as u64 > (LAST_PORT - FIRST_PORT) / 2 {
                self.drawn = self.sessions.values().map(|session| session.port).collect();
            }
        }
    }

    /// The directory has connected the user.
    pub fn open(&mut self, ctx: &mut Ctx<'_>, settings: &P2pSettings, user: &str, port: u16) {
        if self.sessions.is_empty() {
            ctx.set_timer(P2pTimer::Heartbeat, settings.heartbeat_interval);
        }
        ctx.listen(Port(port));
        ctx.emit(SessionOpen { port, user: word(user) });
        self.sessions.insert(user.to_owned(), Session { port, published: BTreeSet::new() });
    }

    /// The user is about to leave, or the directory has forgotten it.
    pub fn end(&mut self, ctx: &mut Ctx<'_>, user: &str, reason: SessionEndReason) {
        if let Some(session) = self.sessions.remove(user) {
            ctx.emit(SessionEnd { port: session.port, reason, user: word(user) });
        }
    }

    /// A file was published.
    pub fn publish(&mut self, ctx: &mut Ctx<'_>, user: &str, file: &str) {
        if let Some(session) = self.sessions.get_mut(user)
            && session.published.insert(file.to_owned())
        {
            ctx.emit(Shared { user: word(user), file: word(file) });
        }
    }

    /// A file is about to be withdrawn.
    pub fn withdraw(&mut self, ctx: &mut Ctx<'_>, user: &str, file: &str) {
        let planted = self.planted;
        if let Some(session) = self.sessions.get_mut(user)
            && session.published.contains(file)
            && !planted.plants(Defect::WithdrawnServed)
        {
            session.published.remove(file);
            ctx.emit(Unshared { user: word(user), file: word(file) });
        }
    }

    /// Tell the directory that the users are still here.
    pub fn on_heartbeat(&mut self, ctx: &mut Ctx<'_>, settings: &P2pSettings, directory: NodeId) {
        for (user, session) in &self.sessions {
            ctx.send(directory, P2pMessage::Heartbeat { user: user.clone(), port: session.port });
        }
        if !self.sessions.is_empty() {
            ctx.set_timer(P2pTimer::Heartbeat, settings.heartbeat_interval);
        }
    }

    /// The directory does not know a connection, so it has ended. An answer that was late may be
    /// about an earlier one, which the port shows.
    pub fn on_unknown(&mut self, ctx: &mut Ctx<'_>, user: &str, port: u16) {
        if self.sessions.get(user).is_some_and(|session| session.port == port) {
            self.end(ctx, user, SessionEndReason::Expired);
        }
    }

    /// Something happened on a stream that others have opened.
    pub fn on_stream(&mut self, ctx: &mut Ctx<'_>, settings: &P2pSettings, event: StreamEvent) {
        match event {
            StreamEvent::Accepted { stream, from, port } => {
                // A port cannot be closed again, but the connection it was opened for may have
                // ended.
                if !self.sessions.values().any(|session| session.port == port.0) {
                    return ctx.reset(stream);
                }
                let caller =
                    Caller { from, port: port.0, strings: Strings::default(), words: vec![] };
                self.callers.insert(stream, caller);
                ctx.set_timer(P2pTimer::Idle(stream), settings.idle_timeout);
            }
            StreamEvent::Data(stream, bytes) => self.on_data(ctx, stream, &bytes),
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
    pub fn on_idle(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
        if self.forget(ctx, stream) {
            ctx.reset(stream);
        }
    }

    fn forget(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) -> bool {
        ctx.cancel_timer(P2pTimer::Idle(stream));
        self.callers.remove(&stream).is_some()
    }

    fn on_data(&mut self, ctx: &mut Ctx<'_>, stream: StreamId, bytes: &[u8]) {
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
        self.serve(ctx, stream, (from, port), &file);
    }

    /// Send a file, if it is on the list and there.
    fn serve(
        &mut self,
        ctx: &mut Ctx<'_>,
        stream: StreamId,
        (to, port): (NodeId, u16),
        file: &str,
    ) {
        let Some((user, session)) = self.sessions.iter().find(|(_, session)| session.port == port)
        else {
            return ctx.reset(stream);
        };
        let (mut name, mut path) = (file, folder::shared(file));
        let followed = (folder::base_name(file), folder::resolved(file));
        if followed != (name, path.clone()) && self.plants(Defect::PathTraversal) {
            (name, path) = followed;
        }
        let content = ctx
            .read(&path)
            .filter(|_| session.published.contains(name) || self.plants(Defect::UnpublishedServed));
        let status = u8::from(content.is_none());
        let content = content.unwrap_or_default();
        let (bytes, digest) = (content.len() as u64, xxh3_64(&content));
        ctx.emit(Served {
            to,
            status: u16::from(status),
            bytes,
            digest: Digest64(digest),
            user: word(user),
            path: word(&path),
        });
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
    fn send(&mut self, ctx: &mut Ctx<'_>, stream: StreamId) {
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

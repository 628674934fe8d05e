//! One transfer of a file, as the peer sees it that wants it.
//!
//! The answer begins with a status; behind 0 come length and digest of the file, and its bytes.
//! They are written aside, and only a file that has its whole length and its digest gets its name:
//! by renaming, in the same step that tells of it. So whatever ends a transfer early (a refusal, a
//! reset, the end of the connection, silence), what lay under the name before lies there still.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::defects::Planted;
use super::events::{self, Fetched};
use super::folder;
use super::framing::{Strings, encode};
use super::node::{P2pTimer, Step};
use super::service::Service;
use super::settings::P2pSettings;
use super::tables::Address;
use crate::node::disk::DiskOp;
use crate::node::{NodeId, Port, StreamEvent, StreamId};

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The file is there, so many bytes.
    Whole(u64),
    /// The sharing peer has no such file to give.
    Missing,
    /// It did not work, for this reason.
    Failed(&'static str),
}

/// What the sharing peer has announced.
#[derive(Clone, Copy, Debug)]
struct Announced {
    bytes: u64,
    digest: u64,
}

/// A transfer under way.
pub struct Fetch {
    /// The name of the file at its owner.
    file: String,
    /// The name that it gets here.
    name: String,
    from: Option<NodeId>,
    stream: Option<StreamId>,
    strings: Strings,
    status: Option<u8>,
    length: Option<u64>,
    announced: Option<Announced>,
    received: u64,
    digest: Box<Xxh3>,
}

impl Fetch {
    /// Connect to the sharing peer.
    pub fn start(
        ctx: &mut Step<'_>,
        settings: &P2pSettings,
        address: &Address,
        attempt: u32,
        file: &str,
        name: &str,
    ) -> Fetch {
        let from = ctx.find(&address.host);
        events::fetch(ctx, from, address.port, attempt, file, name);
        let stream = from.map(|from| ctx.connect(from, Port(address.port)));
        ctx.set_timer(P2pTimer::Stall, settings.stall_timeout);
        Fetch {
            file: file.to_owned(),
            name: name.to_owned(),
            from,
            stream,
            strings: Strings::default(),
            status: None,
            length: None,
            announced: None,
            received: 0,
            digest: Box::new(Xxh3::new()),
        }
    }

    /// Something happened on a stream. `Some`: the transfer is over.
    pub fn on_stream(
        &mut self,
        ctx: &mut Step<'_>,
        settings: &P2pSettings,
        event: &StreamEvent,
    ) -> Option<End> {
        let (StreamEvent::Connected(stream)
        | StreamEvent::Refused(stream)
        | StreamEvent::Data(stream, _)
        | StreamEvent::PeerClosed(stream)
        | StreamEvent::Reset(stream)
        | StreamEvent::TimedOut(stream)) = event
        else {
            return None;
        };
        if self.stream != Some(*stream) {
            return None;
        }
        match event {
            StreamEvent::Connected(stream) => {
                ctx.write(*stream, encode([Service::GetFile.wire(), self.file.as_str()]));
                None
            }
            StreamEvent::Data(_, bytes) => {
                ctx.set_timer(P2pTimer::Stall, settings.stall_timeout);
                self.on_data(ctx, settings.planted, bytes)
            }
            StreamEvent::Refused(_) => {
                Some(self.end(ctx, settings.planted, End::Failed("refused")))
            }
            _ if settings.planted.waits_for_ever() => None,
            _ if settings.planted.ends_with_connection() && self.announced.is_some() => {
                Some(self.finish(ctx, settings.planted))
            }
            _ => Some(self.end(ctx, settings.planted, End::Failed("broken"))),
        }
    }

    /// Nothing has come for too long.
    pub fn on_stall(&mut self, ctx: &mut Step<'_>, planted: Planted) -> Option<End> {
        if planted.waits_for_ever() {
            return None;
        }
        Some(self.end(ctx, planted, End::Failed("stalled")))
    }

    fn on_data(&mut self, ctx: &mut Step<'_>, planted: Planted, bytes: &[u8]) -> Option<End> {
        if self.announced.is_some() {
            return self.on_body(ctx, planted, bytes.to_vec());
        }
        self.strings.push(bytes);
        match self.read_head() {
            Err(end) => Some(self.end(ctx, planted, end)),
            Ok(None) => None,
            Ok(Some(announced)) => {
                self.announced = Some(announced);
                if planted.writes_in_place() {
                    ctx.save(DiskOp::Replace {
                        file: folder::shared(&self.name).into(),
                        bytes: vec![],
                    });
                } else {
                    ctx.save(DiskOp::Replace {
                        file: folder::part(&self.name).into(),
                        bytes: vec![],
                    });
                }
                let rest = self.strings.rest();
                self.on_body(ctx, planted, rest)
            }
        }
    }

    fn read_head(&mut self) -> Result<Option<Announced>, End> {
        const NONSENSE: End = End::Failed("broken");
        if self.status.is_none() {
            let Some(byte) = self.strings.byte() else { return Ok(None) };
            self.status = Some(byte);
            match byte {
                b'0' => {}
                b'1' => return Err(End::Missing),
                _ => return Err(NONSENSE),
            }
        }
        if self.length.is_none() {
            let Some(length) = self.strings.string().map_err(|_| NONSENSE)? else {
                return Ok(None);
            };
            self.length = Some(length.parse().map_err(|_| NONSENSE)?);
        }
        let Some(digest) = self.strings.string().map_err(|_| NONSENSE)? else { return Ok(None) };
        let digest = u64::from_str_radix(&digest, 16).map_err(|_| NONSENSE)?;
        Ok(self.length.map(|bytes| Announced { bytes, digest }))
    }

    fn on_body(&mut self, ctx: &mut Step<'_>, planted: Planted, bytes: Vec<u8>) -> Option<End> {
        self.received += bytes.len() as u64;
        self.digest.update(&bytes);
        if !bytes.is_empty() {
            let path = if planted.writes_in_place() {
                folder::shared(&self.name)
            } else {
                folder::part(&self.name)
            };
            ctx.save(DiskOp::Append { file: path.into(), bytes });
        }
        let announced = self.announced?;
        if self.received < announced.bytes {
            return None;
        }
        if self.received > announced.bytes || self.digest.digest() != announced.digest {
            return Some(self.end(ctx, planted, End::Failed("damaged")));
        }
        Some(self.finish(ctx, planted))
    }

    /// What has come is the file.
    fn finish(&mut self, ctx: &mut Step<'_>, planted: Planted) -> End {
        let path = folder::shared(&self.name);
        if !planted.writes_in_place() {
            ctx.save(DiskOp::Rename {
                file: folder::part(&self.name).into(),
                to: path.clone().into(),
            });
        }
        events::file(ctx, "fetched", &path, self.received, self.digest.digest());
        self.end(ctx, planted, End::Whole(self.received))
    }

    fn end(&mut self, ctx: &mut Step<'_>, planted: Planted, end: End) -> End {
        ctx.cancel_timer(P2pTimer::Stall);
        if let Some(stream) = self.stream.take() {
            match end {
                End::Failed(_) => ctx.reset(stream),
                _ => ctx.close(stream),
            }
        }
        let outcome = match end {
            End::Whole(_) => "ok",
            End::Missing => "missing",
            End::Failed(reason) => reason,
        };
        let (from, bytes, digest) = (self.from, self.received, self.digest.digest());
        events::fetched(
            ctx,
            &Fetched { from, outcome, bytes, digest, file: &self.file, name: &self.name },
        );
        if !matches!(end, End::Whole(_)) {
            if self.announced.is_some() && !planted.writes_in_place() {
                ctx.save(DiskOp::Remove { file: folder::part(&self.name).into() });
            }
            // Shown so that a check need not believe what is said here.
            let path = folder::shared(&self.name);
            let content = ctx.read(&path);
            let (bytes, digest) =
                content.as_ref().map_or((0, 0), |content| (content.len() as u64, xxh3_64(content)));
            events::kept(ctx, content.is_some(), bytes, digest, &path);
        }
        end
    }
}

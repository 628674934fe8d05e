//! One transfer of a file, as the peer that fetches it sees it.
//!
//! The answer begins with a status; behind 0 come length and digest of the file, and its bytes.
//! They are written aside, and only a file that has its whole length and its digest gets its name:
//! by renaming, in the same step that tells of it. So whatever ends a transfer early (a refusal, a
//! reset, the end of the connection, silence), the file that lay under the name before is still
//! there.

use std::time::Duration;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::defects::{Defect, Planted};
use super::folder;
use super::framing::{Strings, encode};
use super::node::{Ctx, P2pTimer};
use super::service::Service;
use super::settings::P2pSettings;
use super::tables::Address;
use super::vocabulary::{FetchBegun, Fetched, FileOrigin, Kept, TransferOutcome, word};
use crate::node::DiskOp;
use crate::node::{NodeId, Port, StreamEvent, StreamId};
use crate::vocabulary::Digest64;

/// How a transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEnd {
    /// The file is there, with this many bytes.
    Whole(u64),
    /// The sharing peer has no such file to give.
    Missing,
    /// It did not work, for this reason.
    Failed(TransferOutcome),
}

impl TransferEnd {
    fn outcome(self) -> TransferOutcome {
        match self {
            TransferEnd::Whole(_) => TransferOutcome::Ok,
            TransferEnd::Missing => TransferOutcome::Missing,
            TransferEnd::Failed(outcome) => outcome,
        }
    }
}

/// What the sharing peer has announced.
#[derive(Clone, Copy, Debug)]
struct Announced {
    bytes: u64,
    digest: u64,
}

/// A transfer under way.
pub struct Transfer {
    planted: Planted,
    /// How long nothing may come.
    stall_timeout: Duration,
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
    /// Where the bytes are written. Invariant: not under the final name.
    path: String,
    received: u64,
    digest: Box<Xxh3>,
}

impl Transfer {
    /// Connect to the sharing peer.
    pub fn start(
        ctx: &mut Ctx<'_>,
        settings: &P2pSettings,
        address: &Address,
        attempt: u32,
        file: &str,
        name: &str,
    ) -> Transfer {
        let (from, port) = (ctx.find(&address.host), address.port);
        ctx.emit(FetchBegun { from, port, attempt, file: word(file), name: word(name) });
        let stream = from.map(|from| ctx.connect(from, Port(port)));
        ctx.set_timer(P2pTimer::Stall, settings.stall_timeout);
        Transfer {
            planted: settings.planted,
            stall_timeout: settings.stall_timeout,
            file: file.to_owned(),
            name: name.to_owned(),
            from,
            stream,
            strings: Strings::default(),
            status: None,
            length: None,
            announced: None,
            path: folder::part(name),
            received: 0,
            digest: Box::new(Xxh3::new()),
        }
    }

    fn plants(&self, defect: Defect) -> bool {
        self.planted.plants(defect)
    }

    /// Something happened on a stream. `Some`: the transfer has ended.
    pub fn on_stream(&mut self, ctx: &mut Ctx<'_>, event: &StreamEvent) -> Option<TransferEnd> {
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
                ctx.set_timer(P2pTimer::Stall, self.stall_timeout);
                self.on_data(ctx, bytes)
            }
            StreamEvent::Refused(_) => Some(self.fail(ctx, TransferOutcome::Refused)),
            // The connection has ended, and not all bytes have come: where they have, the transfer
            // has ended before.
            _ if self.plants(Defect::WaitsForEver) => None,
            _ if self.announced.is_some() && self.plants(Defect::PartialFile) => {
                Some(self.finish(ctx))
            }
            _ => Some(self.fail(ctx, TransferOutcome::Broken)),
        }
    }

    /// Nothing has come for too long.
    pub fn on_stall(&mut self, ctx: &mut Ctx<'_>) -> Option<TransferEnd> {
        if self.plants(Defect::WaitsForEver) {
            return None;
        }
        Some(self.fail(ctx, TransferOutcome::Stalled))
    }

    fn on_data(&mut self, ctx: &mut Ctx<'_>, bytes: &[u8]) -> Option<TransferEnd> {
        if self.announced.is_some() {
            return self.on_body(ctx, bytes.to_vec());
        }
        self.strings.push(bytes);
        match self.read_head() {
            Err(end) => Some(self.end(ctx, end)),
            Ok(None) => None,
            Ok(Some(announced)) => {
                self.announced = Some(announced);
                if self.plants(Defect::OverwriteFirst) {
                    self.path = folder::shared(&self.name);
                }
                ctx.save(DiskOp::Replace { file: self.path.clone().into(), bytes: vec![] });
                let rest = self.strings.rest();
                self.on_body(ctx, rest)
            }
        }
    }

    fn read_head(&mut self) -> Result<Option<Announced>, TransferEnd> {
        const NONSENSE: TransferEnd = TransferEnd::Failed(TransferOutcome::Broken);
        if self.status.is_none() {
            let Some(byte) = self.strings.byte() else { return Ok(None) };
            self.status = Some(byte);
            match byte {
                b'0' => {}
                b'1' => return Err(TransferEnd::Missing),
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

    fn on_body(&mut self, ctx: &mut Ctx<'_>, bytes: Vec<u8>) -> Option<TransferEnd> {
        self.received += bytes.len() as u64;
        self.digest.update(&bytes);
        if !bytes.is_empty() {
            assert!(
                self.path != folder::shared(&self.name)
                    || self.planted.holds(Defect::OverwriteFirst),
                "byte {} of {} is written under its final name",
                self.received,
                self.name
            );
            ctx.save(DiskOp::Append { file: self.path.clone().into(), bytes });
        }
        let announced = self.announced?;
        if self.received < announced.bytes {
            return None;
        }
        if self.received > announced.bytes || self.digest.digest() != announced.digest {
            return Some(self.fail(ctx, TransferOutcome::Damaged));
        }
        Some(self.finish(ctx))
    }

    /// What has come is the file.
    fn finish(&mut self, ctx: &mut Ctx<'_>) -> TransferEnd {
        let path = folder::shared(&self.name);
        if self.path != path {
            ctx.save(DiskOp::Rename { file: self.path.clone().into(), to: path.clone().into() });
        }
        folder::tell(ctx, FileOrigin::Fetched, &path, self.received, self.digest.digest());
        self.end(ctx, TransferEnd::Whole(self.received))
    }

    fn fail(&mut self, ctx: &mut Ctx<'_>, outcome: TransferOutcome) -> TransferEnd {
        self.end(ctx, TransferEnd::Failed(outcome))
    }

    fn end(&mut self, ctx: &mut Ctx<'_>, end: TransferEnd) -> TransferEnd {
        ctx.cancel_timer(P2pTimer::Stall);
        if let Some(stream) = self.stream.take() {
            match end {
                TransferEnd::Failed(_) => ctx.reset(stream),
                TransferEnd::Whole(_) | TransferEnd::Missing => ctx.close(stream),
            }
        }
        ctx.emit(Fetched {
            from: self.from,
            outcome: end.outcome(),
            bytes: self.received,
            digest: Digest64(self.digest.digest()),
            file: word(&self.file),
            name: word(&self.name),
        });
        if !matches!(end, TransferEnd::Whole(_)) {
            self.clean_up(ctx);
        }
        end
    }

    /// Remove what has come of a transfer that failed, and tell what lies under the final name, so
    /// that a check need not believe what is said here.
    fn clean_up(&mut self, ctx: &mut Ctx<'_>) {
        let path = folder::shared(&self.name);
        if self.announced.is_some() && self.path != path {
            ctx.save(DiskOp::Remove { file: self.path.clone().into() });
        }
        let content = ctx.read(&path);
        let (bytes, digest) =
            content.as_ref().map_or((0, 0), |content| (content.len() as u64, xxh3_64(content)));
        ctx.emit(Kept {
            present: content.is_some(),
            bytes,
            digest: Digest64(digest),
            path: word(&path),
        });
    }
}

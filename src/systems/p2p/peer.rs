//! A peer: a program with a terminal, at which a user types commands, one after the other.
//!
//! A command for the directory is a request ([`super::remote_request`]). `get_file` takes the
//! address from the last list of users that the peer has seen. It asks for the list again if that
//! has no such user, or if a transfer from that address has failed: so the directory need not be
//! there for each file, and an address that is out of date costs one attempt.
//!
//! What stops the peer from sharing (`disconnect`, `unregister`, `delete`) takes effect here before
//! the directory is asked, and what lets it share takes effect when the directory has answered:
//! however a request ends, the peer never shares what its user has withdrawn.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::command::{Answer, Certainty, Command};
use super::defects::Defect;
use super::directory;
use super::folder;
use super::journal::RequestId;
use super::message::P2pMessage;
use super::node::{Ctx, P2pTimer};
use super::remote_request::{RemoteRequest, RequestProgress, Services};
use super::service::{NAME_BYTES_MAX, Operation, Reply, Service, good_name, good_text};
use super::settings::P2pSettings;
use super::share::Share;
use super::tables::Address;
use super::transfer::{Transfer, TransferEnd};
use super::vocabulary::{PeerMetrics, SessionEndReason};
use crate::node::{NodeId, Probe, StreamEvent, StreamId};
use crate::vocabulary::Metrics as _;

/// Transfers that one `get_file` may take: one from the address that was known, one from the
/// address that was asked for.
const TRANSFERS_MAX: u32 = 2;

/// What the peer works on.
#[allow(clippy::large_enum_variant, reason = "a peer has one of these, and it is not moved")]
enum Work {
    /// A request to the directory.
    Asking(Box<RemoteRequest>),
    /// A transfer.
    Fetching(Transfer),
}

/// A command under way.
struct PendingCommand {
    client: NodeId,
    serial: u64,
    command: Rc<Command>,
    /// Transfers begun.
    transfers: u32,
    /// Whether the list of users was asked for since the command began.
    refreshed: bool,
    /// Where the last transfer was from.
    address: Option<Address>,
    /// Whether that one ended with status 1.
    missing: bool,
    /// The port of a connection to come.
    port: u16,
    work: Option<Work>,
}

/// A peer's node.
pub struct Peer {
    settings: Arc<P2pSettings>,
    services: Services,
    /// This start of the program, for the terminal and for the numbers of requests.
    nonce: u64,
    requests: u64,
    job: Option<PendingCommand>,
    /// The last answer, in case it was lost.
    answered: Option<(u64, Answer)>,
    share: Share,
    /// The last list of users: who was connected, and where.
    cache: BTreeMap<String, Address>,
    /// Connections to the directory that say something other than requests.
    others: BTreeMap<StreamId, Vec<u8>>,
}

impl Peer {
    pub fn new(settings: Arc<P2pSettings>, services: Services) -> Peer {
        Peer {
            share: Share::new(settings.planted, services.send_buffer),
            settings,
            services,
            nonce: 0,
            requests: 0,
            job: None,
            answered: None,
            cache: BTreeMap::new(),
            others: BTreeMap::new(),
        }
    }

    pub fn boot(&mut self, ctx: &mut Ctx<'_>) {
        self.nonce = ctx.rng().bits();
        folder::boot(ctx, &self.settings);
    }

    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, message: P2pMessage) {
        match message {
            P2pMessage::TerminalOpen => {
                ctx.send(from, P2pMessage::TerminalOpened { token: self.nonce })
            }
            P2pMessage::Command { token, .. } if token != self.nonce => {
                ctx.send(from, P2pMessage::TerminalClosed { token })
            }
            P2pMessage::Command { serial, command, .. } => {
                self.on_command(ctx, from, serial, command)
            }
            P2pMessage::HeartbeatAck { user, port, known: false } => {
                self.share.on_unknown(ctx, &user, port)
            }
            _ => {}
        }
    }

    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: P2pTimer) {
        match timer {
            P2pTimer::Heartbeat => {
                self.share.on_heartbeat(ctx, &self.settings, self.services.directory)
            }
            P2pTimer::Idle(stream) => self.share.on_idle(ctx, stream),
            P2pTimer::Silence(stream) => {
                if self.others.remove(&stream).is_some() {
                    ctx.reset(stream);
                }
            }
            P2pTimer::Attempt => {
                if let Some(PendingCommand { work: Some(Work::Asking(request)), .. }) =
                    &mut self.job
                {
                    request.try_again(ctx, &self.services);
                }
            }
            P2pTimer::Deadline => {
                if let Some(PendingCommand { work: Some(Work::Asking(request)), .. }) =
                    &mut self.job
                {
                    let progress = request.on_deadline(ctx, &self.services);
                    self.on_progress(ctx, progress);
                }
            }
            P2pTimer::Stall => {
                if let Some(PendingCommand { work: Some(Work::Fetching(transfer)), .. }) =
                    &mut self.job
                {
                    let end = transfer.on_stall(ctx);
                    self.on_transfer(ctx, end);
                }
            }
            P2pTimer::Sweep | P2pTimer::Report | P2pTimer::Execute => {}
        }
    }

    pub fn on_stream(&mut self, ctx: &mut Ctx<'_>, event: StreamEvent) {
        if let StreamEvent::Connected(stream) = &event
            && let Some(bytes) = self.others.get(stream).filter(|bytes| !bytes.is_empty())
        {
            ctx.write(*stream, bytes.clone());
            return ctx.close(*stream);
        }
        match self.job.as_mut().and_then(|job| job.work.as_mut()) {
            Some(Work::Asking(request)) => {
                let progress = request.on_stream(ctx, &event);
                self.on_progress(ctx, progress);
            }
            Some(Work::Fetching(transfer)) => {
                let end = transfer.on_stream(ctx, &event);
                self.on_transfer(ctx, end);
            }
            None => {}
        }
        self.share.on_stream(ctx, &self.settings, event);
    }

    // Commands.

    fn on_command(&mut self, ctx: &mut Ctx<'_>, client: NodeId, serial: u64, command: Rc<Command>) {
        if self.job.as_ref().is_some_and(|job| job.serial >= serial) {
            return;
        }
        if let Some((last, answer)) = self.answered.as_ref().filter(|(last, _)| *last >= serial) {
            if *last == serial {
                ctx.send(client, P2pMessage::Answer { serial, answer: answer.clone() });
            }
            return;
        }
        self.job = Some(PendingCommand {
            client,
            serial,
            command: command.clone(),
            transfers: 0,
            refreshed: false,
            address: None,
            missing: false,
            port: 0,
            work: None,
        });
        match &*command {
            Command::Service { service, user, arguments } => {
                self.on_service(ctx, *service, user, arguments)
            }
            Command::Create { file, bytes, hidden } => {
                folder::create(ctx, file, *bytes, *hidden);
                self.answer(ctx, Answer::status(0));
            }
            Command::Send(bytes) => {
                let stream = ctx.connect(self.services.directory, directory::PORT);
                self.others.insert(stream, bytes.clone());
                ctx.set_timer(P2pTimer::Silence(stream), self.settings.idle_timeout);
                self.answer(ctx, Answer::status(0));
            }
            Command::Silence(duration) => {
                let stream = ctx.connect(self.services.directory, directory::PORT);
                self.others.insert(stream, vec![]);
                ctx.set_timer(P2pTimer::Silence(stream), *duration);
                self.answer(ctx, Answer::status(0));
            }
        }
    }

    fn on_service(
        &mut self,
        ctx: &mut Ctx<'_>,
        service: Service,
        user: &str,
        arguments: &[String],
    ) {
        if service == Service::GetFile {
            return self.get_file(ctx, arguments);
        }
        let mut strings = vec![user.to_owned()];
        if service == Service::Connect {
            let port = self.share.draw_port(ctx);
            if let Some(job) = &mut self.job {
                job.port = port;
            }
            strings.push(port.to_string());
        }
        strings.extend(arguments.iter().cloned());
        let described = strings.get(2).is_none_or(|text| good_text(text));
        if !strings.iter().take(2).all(|name| good_name(name)) || !described {
            return self.answer(ctx, Answer::told(service.fail(), "no_name"));
        }
        self.ask(ctx, Operation { service, strings });
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>, operation: Operation) {
        self.requests += 1;
        let id = RequestId { nonce: self.nonce, counter: self.requests };
        let request = RemoteRequest::start(ctx, &self.services, id, operation);
        if let Some(job) = &mut self.job {
            job.work = Some(Work::Asking(Box::new(request)));
        }
    }

    fn answer(&mut self, ctx: &mut Ctx<'_>, answer: Answer) {
        if let Some(job) = self.job.take() {
            ctx.send(job.client, P2pMessage::Answer { serial: job.serial, answer: answer.clone() });
            self.answered = Some((job.serial, answer));
        }
    }

    // Requests.

    fn on_progress(&mut self, ctx: &mut Ctx<'_>, progress: RequestProgress) {
        let Some(PendingCommand { work: Some(Work::Asking(request)), command, .. }) = &mut self.job
        else {
            return;
        };
        let Command::Service { service, .. } = **command else { return };
        let not_asked = |reason: &'static str| Answer {
            status: service.fail(),
            detail: String::new(),
            certainty: Certainty::NotAsked(reason.into()),
        };
        match progress {
            RequestProgress::Pending => {}
            RequestProgress::Dated => {
                stop_sharing(ctx, &mut self.share, &request.operation);
                request.ask_directory(ctx, &self.services);
            }
            // Only the list was asked for: what has failed is the transfer.
            RequestProgress::NoDate | RequestProgress::NotReached | RequestProgress::NoAnswer
                if service == Service::GetFile =>
            {
                self.answer_without_address(ctx);
            }
            RequestProgress::NoDate => self.answer(ctx, not_asked("no date")),
            RequestProgress::NotReached => self.answer(ctx, not_asked("no directory")),
            RequestProgress::NoAnswer => {
                let certainty = Certainty::Unknown("no answer".into());
                self.answer(
                    ctx,
                    Answer { status: service.fail(), detail: String::new(), certainty },
                );
            }
            RequestProgress::Answered(reply) => self.on_reply(ctx, reply),
        }
    }

    fn on_reply(&mut self, ctx: &mut Ctx<'_>, reply: Reply) {
        let Some(PendingCommand { work: Some(Work::Asking(request)), command, port, .. }) =
            &mut self.job
        else {
            return;
        };
        let (operation, command, port) = (request.operation.clone(), command.clone(), *port);
        let Command::Service { service, user, arguments } = &*command else { return };
        let Reply { status, items } = reply;
        let detail = match service {
            Service::Connect if status == 0 => port.to_string(),
            Service::ListUsers => listed(&items),
            _ => items.join(" "),
        };
        if operation.service == Service::ListUsers && status == 0 {
            self.cache = addresses(items);
        }
        if *service == Service::GetFile {
            return self.after_refresh(ctx, arguments);
        }
        match (service, status) {
            (Service::Connect, 0) => self.share.open(ctx, &self.settings, user, port),
            (Service::Publish, 0 | 3) => self.share.publish(ctx, user, operation.file()),
            _ => {}
        }
        self.answer(ctx, Answer::told(status, detail));
    }

    // Transfers.

    fn get_file(&mut self, ctx: &mut Ctx<'_>, arguments: &[String]) {
        let [owner, file, name] = arguments else {
            return self.answer(ctx, Answer::told(Service::GetFile.fail(), "no_name"));
        };
        if !good_name(owner) || !good_name(name) || file.is_empty() || file.len() > NAME_BYTES_MAX {
            return self.answer(ctx, Answer::told(Service::GetFile.fail(), "no_name"));
        }
        match self.cache.get(owner).cloned() {
            Some(address) => self.fetch(ctx, &address, file, name),
            None => self.refresh(ctx),
        }
    }

    fn fetch(&mut self, ctx: &mut Ctx<'_>, address: &Address, file: &str, name: &str) {
        let Some(job) = &mut self.job else { return };
        job.transfers += 1;
        job.address = Some(address.clone());
        job.work = Some(Work::Fetching(Transfer::start(
            ctx,
            &self.settings,
            address,
            job.transfers,
            file,
            name,
        )));
        // A name that leads nowhere makes no connection.
        if ctx.find(&address.host).is_none() {
            self.answer(ctx, Answer::told(Service::GetFile.fail(), "no_address"));
        }
    }

    /// Ask who is connected where, in the name of the user that types.
    fn refresh(&mut self, ctx: &mut Ctx<'_>) {
        let Some(job) = &mut self.job else { return };
        job.refreshed = true;
        let Command::Service { user, .. } = &*job.command else { return };
        let operation = Operation { service: Service::ListUsers, strings: vec![user.clone()] };
        self.ask(ctx, operation);
    }

    fn after_refresh(&mut self, ctx: &mut Ctx<'_>, arguments: &[String]) {
        let ([owner, file, name], Some(job)) = (arguments, &self.job) else { return };
        match self.cache.get(owner).cloned() {
            // A peer that has just said that there is no such file would say it again.
            Some(address) if !(job.missing && job.address.as_ref() == Some(&address)) => {
                self.fetch(ctx, &address, file, name)
            }
            _ => self.answer_without_address(ctx),
        }
    }

    /// No other peer can be asked.
    fn answer_without_address(&mut self, ctx: &mut Ctx<'_>) {
        let missing = self.job.as_ref().is_some_and(|job| job.missing);
        self.answer(
            ctx,
            if missing {
                Answer::status(1)
            } else {
                Answer::told(Service::GetFile.fail(), "no_address")
            },
        );
    }

    fn on_transfer(&mut self, ctx: &mut Ctx<'_>, end: Option<TransferEnd>) {
        let (Some(end), Some(job)) = (end, &mut self.job) else { return };
        // An address that is out of date may lead nowhere, or to where the user was before.
        let may_be_stale = job.transfers < TRANSFERS_MAX && !job.refreshed;
        job.missing = end == TransferEnd::Missing;
        match end {
            TransferEnd::Whole(bytes) => self.answer(ctx, Answer::told(0, bytes.to_string())),
            _ if may_be_stale && !self.settings.planted.plants(Defect::StaleAddress) => {
                self.refresh(ctx);
            }
            TransferEnd::Missing => self.answer(ctx, Answer::status(1)),
            TransferEnd::Failed(outcome) => {
                self.answer(ctx, Answer::told(Service::GetFile.fail(), outcome.word()));
            }
        }
    }

    pub fn probe(&self, probe: &mut Probe<'_>) {
        let (sessions, published) = self.share.counts();
        PeerMetrics { sessions, published, busy: self.job.is_some() }.show(probe);
    }
}

/// Stop sharing what a request is about to withdraw.
fn stop_sharing(ctx: &mut Ctx<'_>, share: &mut Share, operation: &Operation) {
    match operation.service {
        Service::Disconnect | Service::Unregister => {
            share.end(ctx, operation.user(), SessionEndReason::ByUser);
        }
        Service::Delete => share.withdraw(ctx, operation.user(), operation.file()),
        _ => {}
    }
}

/// The list of users, as the user sees it.
fn listed(items: &[String]) -> String {
    let mut text = String::new();
    for line in items.chunks_exact(3) {
        if !text.is_empty() {
            text.push(' ');
        }
        for part in [&line[0], "@", &line[1], ":", &line[2]] {
            text.push_str(part);
        }
    }
    text
}

/// The list of users, to look addresses up.
fn addresses(items: Vec<String>) -> BTreeMap<String, Address> {
    let mut items = items.into_iter();
    let lines = std::iter::from_fn(|| Some((items.next()?, items.next()?, items.next()?)));
    lines
        .filter_map(|(user, host, port)| Some((user, Address { host, port: port.parse().ok()? })))
        .collect()
}

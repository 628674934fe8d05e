//! `[network]`: the links, the exceptions, the streams.

use crate::faults::Names;
use crate::language::reader::Section;
use crate::language::units::show_duration;
use crate::scenario::types::{LinkSpec, NetworkSpec, StreamSpec};

/// The network keeps the place of each exception in 16 bits.
const LINKS_MAX: usize = 20_000;

pub(super) fn read(root: &mut Section<'_>, names: &Names) -> NetworkSpec {
    let mut section = root.table("network");
    let default = read_link(&mut section, &LinkSpec::default());
    let stream = read_stream(&mut section);
    let mut links = vec![];
    let mut sections = section.tables("link");
    let ends = names.link_ends();
    for link in &mut sections {
        let what = "nodes, groups, clients or `any`";
        let sources = link.names("src", &["any"], what, &ends, "Where the messages come from.");
        let dests = link.names(
            "dest",
            &["any"],
            what,
            &ends,
            "Where they go. A link has one direction: give the other one an entry of its own.",
        );
        let spec = read_link(link, &default);
        if links.len() + sources.len() * dests.len() > LINKS_MAX {
            if let Some(at) = &link.at {
                let label =
                    format!("every source with every destination, {LINKS_MAX} in all at the most");
                link.reading.note_at(
                    "too many exceptional links",
                    at,
                    label,
                    "name groups or `any` instead of single nodes",
                );
            }
            break;
        }
        for src in &sources {
            links.extend(dests.iter().map(|dest| (src.clone(), dest.clone(), spec.clone())));
        }
    }
    section.close_all("link", sections);
    root.close("network", section);
    NetworkSpec { default, links, stream }
}

fn read_link(section: &mut Section<'_>, default: &LinkSpec) -> LinkSpec {
    let link_latency = section.latency("latency", default.latency, "One-way delay.");
    let loss =
        section.number("loss", default.loss, 0.0..=1.0, "The probability that a message is lost.");
    let doc = "Probability that the message after a lost one is lost as well, without a draw of \
        `loss`: bursts.";
    let loss_correlation =
        section.number("loss_correlation", default.loss_correlation, 0.0..=0.999, doc);
    let duplicate = section.number(
        "duplicate",
        default.duplicate,
        0.0..=1.0,
        "Probability that a second copy arrives.",
    );
    let reorder = section.number(
        "reorder",
        default.reorder,
        0.0..=1.0,
        "Probability that a message is held back, so that later ones overtake it.",
    );
    let reorder_delay = section.latency(
        "reorder_delay",
        default.reorder_delay,
        "How long such a message is held back.",
    );
    let corrupt =
        section.number("corrupt", default.corrupt, 0.0..=1.0, "Probability that bits are flipped.");
    let bandwidth = section.limit("bandwidth", default.bandwidth, 1..=u64::MAX, "Bytes a second.");
    let doc = "Bytes that wait for the bandwidth at the most; what comes on top is discarded.";
    let queue = section.integer("queue", default.queue, 0..=u64::MAX, doc);
    let doc = "Whether datagrams keep their order, but for those that `reorder` holds back.";
    let fifo = section.flag("fifo", default.fifo, doc);
    LinkSpec {
        latency: link_latency,
        loss,
        loss_correlation,
        duplicate,
        reorder,
        reorder_delay,
        corrupt,
        bandwidth,
        queue,
        fifo,
    }
}

fn read_stream(section: &mut Section<'_>) -> StreamSpec {
    let mut stream = section.table("stream");
    let spec = StreamSpec::read(&mut stream);
    if spec.rto > spec.rto_max {
        let found = format!(
            "`rto` is {}, and `rto_max` {}",
            show_duration(spec.rto),
            show_duration(spec.rto_max)
        );
        let hint = "the first time-out is the shortest: make `rto` shorter, or `rto_max` longer";
        stream.contradiction(
            &["rto", "rto_max"],
            "`network.stream.rto` is longer than `rto_max`",
            found,
            hint,
        );
    }
    section.close("stream", stream);
    spec
}

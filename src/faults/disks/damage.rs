//! Synced data that is damaged for good.

use crate::faults::keys::file;
use crate::faults::{
    Action, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Impact, Lasting, Lasts, Plan,
    PlanRequest,
};
use crate::rng::Rng;
use crate::trace::NodeId;

/// The fault `bitflip`.
pub static BITFLIP: Fault = Fault {
    name: "bitflip",
    group: "disks",
    summary: "Bits of synced data are flipped, of one `file` or of any. Needs `durable_disks = \
            false` in [model].",
    example: "at = \"5s\"\n\
        fault = \"bitflip\"\n\
        targets = \"follower\"\n\
        bits = 1",
    hits: Hits::Nodes,
    lasting: Lasting::Instant,
    targets: "one",
    read: |section, _, _| {
        let bits = section.integer("bits", 1, 1..=1_000_000, "How many bits.");
        Some(Bitflip { file: file(section), bits }.into())
    },
};

/// The fault `truncate`.
pub static TRUNCATE: Fault = Fault {
    name: "truncate",
    group: "disks",
    summary: "The last bytes of a synced file are lost, of one `file` or of any. Needs \
            `durable_disks = false` in [model].",
    example: "at = \"5s\"\n\
        fault = \"truncate\"\n\
        targets = \"follower\"\n\
        file = \"log\"\n\
        bytes = 64",
    hits: Hits::Nodes,
    lasting: Lasting::Instant,
    targets: "one",
    read: |section, _, _| {
        let doc = "How many bytes at the end are gone.";
        let bytes = section.integer("bytes", 16, 1..=u64::MAX, doc);
        Some(Truncate { file: file(section), bytes }.into())
    },
};

/// Bits of synced data are flipped.
#[derive(Clone, Debug, PartialEq)]
pub struct Bitflip {
    /// The file; `None`: one is drawn.
    pub file: Option<String>,
    /// How many bits.
    pub bits: u32,
}

/// The last bytes of a synced file are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Truncate {
    /// The file; `None`: one is drawn.
    pub file: Option<String>,
    /// How many bytes.
    pub bytes: u64,
}

impl FaultParameters for Bitflip {
    fn fault(&self) -> &'static Fault {
        &BITFLIP
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(spoil(request, &self.file, Damage::Bits(self.bits)))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn damages_disks(&self) -> bool {
        true
    }
}

impl FaultParameters for Truncate {
    fn fault(&self) -> &'static Fault {
        &TRUNCATE
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(spoil(request, &self.file, Damage::Bytes(self.bytes)))
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }

    fn damages_disks(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
enum Damage {
    Bits(u32),
    Bytes(u64),
}

/// A node with damaged data runs on, so the plan makes nobody faulty; the model counts damage by
/// `durable_disks`.
fn spoil(request: &PlanRequest<'_>, file: &Option<String>, damage: Damage) -> Plan {
    Plan {
        words: request.words(),
        impact: Impact::default(),
        lasts: Lasts::Instant,
        action: Box::new(Spoil { nodes: request.targets.to_vec(), file: file.clone(), damage }),
    }
}

struct Spoil {
    nodes: Vec<NodeId>,
    file: Option<String>,
    damage: Damage,
}

impl Action for Spoil {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        let mut said = Vec::new();
        for node in &self.nodes {
            let file = self.file.as_deref();
            let done = match self.damage {
                Damage::Bits(bits) => context.world.bitflip(*node, file, bits),
                Damage::Bytes(bytes) => context.world.cut_file(*node, file, bytes),
            };
            // Before its first sync a node has no data that could be damaged.
            said.push(done.unwrap_or_else(|| "nothing there".to_owned()));
        }
        Some(said.join("; "))
    }
}

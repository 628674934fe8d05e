//! What lamps say and show.

use crate::node;
use crate::trace::NodeId;
use crate::vocabulary::{Metrics, Vocabulary, events, messages, metrics};

events! {
    /// A lamp is known to be lit.
    Lit "lit" {
        /// Which.
        lamp: NodeId,
    }
}

metrics! {
    /// What a lamp shows.
    pub struct LampMetrics {
        /// How many other lamps are known to be lit.
        lit_lamps: u64,
    }
}

messages! {
    /// What lamps say.
    #[derive(Clone, Debug)]
    pub enum Message {
        /// The sender is lit.
        Light,
    }
}

impl node::Message for Message {
    fn name(&self) -> &'static str {
        self.kind_name()
    }

    fn size(&self) -> u32 {
        1
    }
}

/// All of it.
pub static VOCABULARY: Vocabulary =
    Vocabulary { events: EVENTS, metrics: &[LampMetrics::INFO], messages: &[Message::SHOWN] };

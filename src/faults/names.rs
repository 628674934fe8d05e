//! The names that a scenario can use: those of its system, of its nodes, clients and groups, and of
//! the faults.

use std::time::Duration;

use super::fault::Fault;
use crate::error::{excerpt, name_hint};
use crate::language::Section;
use crate::language::tree::Item;
use crate::system_names::SystemNames;

/// The names that a scenario can use.
#[derive(Clone, Debug)]
pub struct Names {
    /// `None`: the file names none, or one that does not exist, so nothing that a system declares
    /// can be judged.
    pub system: Option<SystemNames>,
    /// All faults.
    pub faults: &'static [&'static Fault],
    /// The nodes.
    pub nodes: Vec<String>,
    /// The role of each node.
    pub roles: Vec<String>,
    /// The clients.
    pub clients: Vec<String>,
    /// The groups.
    pub groups: Vec<String>,
    /// When faults and load end.
    pub duration: Duration,
}

impl Names {
    /// Everything that can be an end of a link.
    pub(crate) fn link_ends(&self) -> Vec<String> {
        let mut names = vec!["any".to_string()];
        names.extend(self.nodes.iter().chain(&self.groups).chain(&self.clients).cloned());
        names
    }

    /// Everything that a fault can name: ends of links, roles, and the entry's own targets.
    pub(crate) fn fault_ends(&self) -> Vec<String> {
        let mut names = self.link_ends();
        names.extend(["all", "targets", "client"].map(String::from));
        names.extend(self.system.iter().flat_map(|system| system.roles).map(ToString::to_string));
        names
    }

    /// The fault that an item names.
    pub(crate) fn fault(&self, section: &Section<'_>, item: &Item) -> Option<&'static Fault> {
        let Some(written) = item.text() else {
            section.reading.note_at(
                format!("`{}` must be the name of a fault", section.full("fault")),
                &item.at,
                format!("found {}", item.found()),
                "as in \"partition\"; `seedbed list faults` shows them all",
            );
            return None;
        };
        if let Some(fault) = self.faults.iter().find(|fault| fault.name == written) {
            return Some(fault);
        }
        // Words that people bring from other tools.
        let meant = match written {
            "crash" => Some("kill"),
            "isolate" | "split" | "split_brain" => Some("partition"),
            "packet_loss" => Some("loss"),
            "reset" | "reboot" => Some("restart"),
            "freeze" | "suspend" => Some("pause"),
            "skew" | "clock_skew" => Some("clock_bump"),
            _ => None,
        };
        let hint = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => name_hint(written, "faults", self.faults.iter().map(|fault| fault.name)),
        };
        section.reading.note_at(
            format!("there is no fault `{}`", excerpt(written)),
            &item.at,
            "unknown fault",
            hint,
        );
        None
    }
}

/// A name that must be known if that can be told.
pub(crate) fn named(
    section: &mut Section<'_>,
    key: &'static str,
    what: &'static str,
    known: Option<&[String]>,
    doc: &'static str,
) -> Option<String> {
    match known {
        Some(known) => section.optional_name(key, what, known, doc),
        None => section.optional_text(key, doc),
    }
}

//! Asking nodes for something outside the protocol.

use crate::error::{Mistake, excerpt, name_hint};
use crate::faults::{
    Action, Fault, FaultContext, FaultParameters, FaultSpec, Hits, Impact, Lasting, Lasts, Names,
    Plan, PlanRequest,
};
use crate::language::Section;
use crate::language::reading::mistake_at;
use crate::language::tree::At;
use crate::rng::Rng;
use crate::system_names::SystemNames;
use crate::trace::NodeId;

/// The fault `command`.
pub static COMMAND: Fault = Fault {
    name: "command",
    group: "processes",
    summary: "The targets are asked for something outside the protocol, as the system understands \
            it.",
    example: "at = \"5s\"\n\
        fault = \"command\"\n\
        targets = \"leader\"\n\
        command = \"transfer_leadership n2\"",
    hits: Hits::Nodes,
    lasting: Lasting::Instant,
    targets: "one",
    read: |section, names, _| read(section, names).map(|command| Command { command }.into()),
};

/// The targets are asked for something.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What is asked for.
    pub command: String,
}

impl FaultParameters for Command {
    fn fault(&self) -> &'static Fault {
        &COMMAND
    }

    fn plan(&self, request: &mut PlanRequest<'_>) -> Result<Plan, String> {
        Ok(Plan {
            words: format!("{} ({})", request.words(), self.command),
            impact: Impact::default(),
            lasts: Lasts::Instant,
            action: Box::new(Ask {
                nodes: request.targets.to_vec(),
                command: self.command.clone(),
            }),
        })
    }

    fn fixed(&self, _rng: &mut Rng) -> FaultSpec {
        self.clone().into()
    }
}

struct Ask {
    nodes: Vec<NodeId>,
    command: String,
}

impl Action for Ask {
    fn begin(&mut self, context: &mut FaultContext<'_>) -> Option<String> {
        self.nodes.iter().for_each(|node| context.world.command(*node, &self.command));
        None
    }
}

fn read(section: &mut Section<'_>, names: &Names) -> Option<String> {
    let command = section.optional_text("command", "What is asked for. Must be given.");
    if let (false, Some(at)) = (section.has("command"), &section.at) {
        let known = names
            .system
            .as_ref()
            .map(|system| system.commands.iter().map(|shown| shown.name).collect::<Vec<_>>())
            .unwrap_or_default();
        let hint = match known.first() {
            Some(form) => {
                format!("as in: command = \"{}\"", form.split(' ').next().unwrap_or(form))
            }
            None => "take the entry out: this system has no commands".into(),
        };
        section.reading.note_at("a `command` needs a `command`", at, "nothing is asked for", hint);
    }
    if let (Some(text), Some(entry), Some(system)) =
        (&command, section.entry("command"), &names.system)
        && let Err(mistake) = judge_command(text, &entry.item.at, system, names)
    {
        section.reading.note(*mistake);
    }
    command
}

/// A system leaves alone what it does not understand, and a misspelt command would look like one
/// without effect.
fn judge_command(
    text: &str,
    at: &At,
    system: &SystemNames,
    names: &Names,
) -> Result<(), Box<Mistake>> {
    let word_of = |form: &'static str| form.split(' ').next().unwrap_or(form);
    let forms = system.commands.iter().map(|shown| shown.name);
    let mut written = text.split_whitespace();
    let word = written.next().unwrap_or_default();
    let Some(form) = forms.clone().find(|form| word_of(form) == word) else {
        let message = format!("`{}` has no command `{}`", system.name, excerpt(word));
        let known: Vec<&str> = forms.map(word_of).collect();
        return Err(Box::new(mistake_at(
            message,
            at,
            "unknown command",
            name_hint(word, "commands", known.iter().copied()),
        )));
    };
    let takes = form.split(' ').nth(1).unwrap_or_default();
    let (nodes, more) = (written.next(), written.next());
    let as_written = format!("it is written `{form}`");
    let Some(nodes) = nodes else {
        if takes.is_empty() || takes.starts_with('[') {
            return Ok(());
        }
        return Err(Box::new(mistake_at(
            format!("`{word}` needs a node"),
            at,
            "no node",
            as_written,
        )));
    };
    if takes.is_empty() || more.is_some() || (nodes.contains(',') && !takes.contains(',')) {
        return Err(Box::new(mistake_at(
            format!("`{word}` does not take so much"),
            at,
            "too many words or nodes",
            as_written,
        )));
    }
    let named: Vec<&str> = nodes.split(',').collect();
    if let Some(twice) =
        named.iter().enumerate().find(|(i, node)| named[..*i].contains(node)).map(|(_, node)| *node)
    {
        let message = format!("`{word}` is given `{}` twice", excerpt(twice));
        return Err(Box::new(mistake_at(message, at, "named twice", "name each once")));
    }
    match nodes.split(',').find(|node| !names.nodes.iter().any(|known| known == node)) {
        None => Ok(()),
        Some(node) => {
            let hint = name_hint(node, "nodes", names.nodes.iter().map(String::as_str));
            Err(Box::new(mistake_at(
                format!("`{word}` is given `{}`, which is not a node", excerpt(node)),
                at,
                "unknown node",
                hint,
            )))
        }
    }
}
